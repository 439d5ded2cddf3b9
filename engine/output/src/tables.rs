//! Every table of the results: one declarative list of columns with type, unit and description. From
//! it come the Arrow schemas, the row types that recorders fill ([`LinkStateRow`] ...), the column
//! builders, and the methods of [`ResultsWriter`] that take a row.
//!
//! Scenario and seed are no columns: they stand in the path (`scenario=<name>/seed=<n>`), where every
//! Hive-aware reader finds them; a second copy inside the file would make some readers refuse it.
//! Run id and hashes stand in each file's footer.
//!
//! Contract: rows are written in the order they come; a recorder that goes through its rows in index
//! order therefore writes equal files for equal runs.

use crate::cells::{Count, Flag, Kind, MaybeNumber, MaybeReal, MaybeText, MaybeTime, Number, Real, Text, Time, TimeMs};
use crate::table_file::{Columns, Place, TableFile};
use crate::writer::ResultsWriter;
use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Field, Schema};
use std::path::PathBuf;
use std::sync::Arc;
use urbis_core::Result;

/// Version of the tables below; it changes when a column changes its name, type, unit or meaning.
pub const SCHEMA_VERSION: &str = "1";

/// A column as declared.
#[derive(Clone, Debug)]
pub struct ColumnSpec {
    /// Name; carries the unit.
    pub name: &'static str,
    /// Type in Arrow.
    pub data_type: DataType,
    /// Whether a value may be absent.
    pub nullable: bool,
    /// Unit, empty for names and words.
    pub unit: &'static str,
    /// One sentence.
    pub description: &'static str,
    /// Stored as differences instead of a dictionary.
    pub(crate) delta: bool,
}

/// A table as declared.
#[derive(Clone, Debug)]
pub struct TableSpec {
    /// Name of its folder.
    pub name: &'static str,
    /// One or two sentences.
    pub description: &'static str,
    /// Columns in order.
    pub columns: Vec<ColumnSpec>,
}

impl TableSpec {
    /// The Arrow schema; `unit` and `description` stand in each field's metadata.
    #[must_use]
    pub fn schema(&self) -> Schema {
        let field = |c: &ColumnSpec| {
            let notes = [("unit", c.unit), ("description", c.description)];
            Field::new(c.name, c.data_type.clone(), c.nullable)
                .with_metadata(notes.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect())
        };
        Schema::new(self.columns.iter().map(field).collect::<Vec<_>>())
    }
}

/// The Rust type a row holds for a kind of column.
macro_rules! value {
    (Time) => { TimeMs };
    (MaybeTime) => { Option<TimeMs> };
    (Text) => { &'a str };
    (MaybeText) => { Option<&'a str> };
    (Real) => { f64 };
    (MaybeReal) => { Option<f64> };
    (Number) => { i64 };
    (MaybeNumber) => { Option<i64> };
    (Count) => { u64 };
    (Flag) => { bool };
}

macro_rules! tables {
    ($($table:ident $file:ident $row:ident $columns:ident: $about:literal {
        $($field:ident: $kind:ident, $unit:literal, $note:literal;)+
    })+) => {
        /// The tables of a results folder.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Table {
            $(#[doc = $about] $table,)+
        }

        impl Table {
            /// Every table, in the order it is documented.
            pub const ALL: &[Self] = &[$(Self::$table),+];

            /// Name of its folder.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$table => stringify!($file)),+ }
            }
            /// Its declaration.
            #[must_use]
            pub fn spec(self) -> TableSpec {
                match self { $(Self::$table => TableSpec {
                    name: stringify!($file),
                    description: $about,
                    columns: vec![$(ColumnSpec {
                        name: stringify!($field),
                        data_type: <$kind as Kind>::data_type(),
                        nullable: <$kind as Kind>::NULLABLE,
                        unit: $unit,
                        description: $note,
                        delta: <$kind as Kind>::DELTA,
                    }),+],
                }),+ }
            }
        }

        $(
            #[doc = concat!("A row of table `", stringify!($file), "`. ", $about)]
            #[derive(Clone, Copy, Debug)]
            pub struct $row<'a> {
                $(#[doc = concat!($note, " Unit: ", $unit)] pub $field: value!($kind),)+
            }

            pub(crate) struct $columns {
                $($field: <$kind as Kind>::Builder,)+
            }

            impl $columns {
                /// Adds a row, or says which figure of it is not finite.
                fn push(&mut self, row: &$row<'_>) -> Result<(), (&'static str, f64)> {
                    $(if let Some(value) = <$kind as Kind>::not_finite(row.$field) {
                        return Err((stringify!($field), value));
                    })+
                    $(<$kind as Kind>::append(&mut self.$field, row.$field);)+
                    Ok(())
                }
            }

            impl Columns for $columns {
                fn new() -> Self {
                    Self { $($field: <$kind as Kind>::builder(),)+ }
                }
                fn finish(&mut self) -> Vec<ArrayRef> {
                    vec![$(<$kind as Kind>::finish(&mut self.$field),)+]
                }
            }
        )+

        /// The open file of each table.
        pub(crate) struct TableFiles {
            $($file: TableFile<$columns>,)+
        }

        impl TableFiles {
            pub(crate) fn new(place: &Arc<Place>) -> Self {
                Self { $($file: TableFile::new(Table::$table, place),)+ }
            }
            /// Makes the file of a table even if no row ever comes.
            pub(crate) fn open(&mut self, table: Table) -> Result<()> {
                match table { $(Table::$table => self.$file.open(),)+ }
            }
            /// Ends every file that was opened; their paths, in table order.
            pub(crate) fn close(&mut self) -> Result<Vec<(Table, PathBuf)>> {
                let mut closed = Vec::new();
                $(closed.extend(self.$file.close()?.map(|path| (Table::$table, path)));)+
                Ok(closed)
            }
        }

        impl ResultsWriter {
            $(
                #[doc = concat!("Adds a row to table `", stringify!($file), "`.")]
                ///
                /// # Errors
                /// [`urbis_core::Error::Write`] when it does not fit on disk,
                /// [`urbis_core::Error::BrokenLedger`] when a figure is not finite.
                pub fn $file(&mut self, row: &$row<'_>) -> Result<()> {
                    let tick = self.tick;
                    self.files().$file.push(tick, |columns| columns.push(row))
                }
            )+
        }
    };
}

tables! {
    Runs runs RunsRow RunsColumns: "One row per run: what was computed, from what, by what and how long it took. The only table whose bytes differ between equal runs." {
        run_id: Text, "", "Id of the run: equal for equal scenario, seed, city and version.";
        title: Text, "", "Title of the scenario.";
        schema_version: Text, "", "Version of the tables.";
        urbis_version: Text, "", "Version of the program.";
        scenario_hash: Text, "", "SHA-256 of the resolved scenario, with the files it names for people and public transport.";
        city_hash: Text, "", "Content hash of the city package.";
        city: Text, "", "Name of the city package.";
        attribution: Text, "", "Whom to credit for the city's data.";
        time_zone: Text, "", "IANA name of the local time zone.";
        local_offset_s: Real, "s", "Local time minus UTC at the start.";
        start_utc: Time, "UTC", "Start of the simulated period.";
        duration_s: Real, "s", "Length of the simulated period.";
        ticks: Count, "ticks", "Ticks computed.";
        threads: Count, "threads", "Worker threads.";
        wall_s: Real, "s", "Wall time of the run.";
        demand_wall_s: Real, "s", "Of this, people's plans whose time came, in all steps.";
        exchange_wall_s: Real, "s", "Events, policies, and outputs of one domain that become inputs of another.";
        solve_wall_s: Real, "s", "Traffic and networks.";
        feedback_wall_s: Real, "s", "Results back to those who wait for them.";
        audit_wall_s: Real, "s", "Ledgers.";
        record_wall_s: Real, "s", "Result tables.";
        peak_memory_bytes: Count, "B", "Largest resident memory of the process; 0 where the system does not tell.";
        started_utc: Time, "UTC", "When the program started the run, by the computer's clock.";
        os: Text, "", "Operating system and architecture.";
        cpu: Text, "", "Processor as it names itself; empty where the system does not tell.";
        scenario_toml: Text, "", "The resolved scenario as TOML.";
    }
    LinkState link_state LinkStateRow LinkStateColumns: "State of road links per interval. Links without a vehicle in the interval have no row." {
        time: Time, "UTC", "Start of the interval.";
        interval_s: Real, "s", "Length of the interval.";
        link_id: Text, "", "Link; key of layers/links.parquet.";
        entered_veh: Count, "vehicles", "Vehicles that entered in the interval.";
        left_veh: Count, "vehicles", "Vehicles that left in the interval.";
        travel_time_s: MaybeReal, "s", "Mean time on the link of those that left; null when none did.";
        speed_mps: MaybeReal, "m/s", "Length divided by mean travel time; null when none left.";
        density_vpm: Real, "veh/m", "Vehicles on the link per metre, all lanes, mean over the interval.";
        queue_veh: Count, "vehicles", "Vehicles past their free travel time at the end of the interval.";
        occupancy_veh: Count, "vehicles", "Vehicles on the link at the end of the interval.";
        delay_s: Real, "s", "What those that left lost against free speed, all together.";
        fuel_kg: Real, "kg", "Fuel burnt on the link in the interval.";
        co2_kg: Real, "kg", "Carbon dioxide from the exhaust.";
        nox_g: Real, "g", "Nitrogen oxides from the exhaust.";
        pm_g: Real, "g", "Particles from exhaust, tyres, brakes and road wear.";
        electricity_wh: Real, "Wh", "Electricity of battery vehicles, from the socket.";
    }
    Signals signals SignalsRow SignalsColumns: "Approaches of junctions whose traffic lights are simulated, per interval." {
        time: Time, "UTC", "Start of the interval.";
        interval_s: Real, "s", "Length of the interval.";
        node_id: Text, "", "First node of the junction; key of layers/nodes.parquet.";
        link_id: Text, "", "The approach; key of layers/links.parquet.";
        green_s: Real, "s", "Green in the interval.";
        left_veh: Count, "vehicles", "Vehicles that passed in the interval.";
        queue_veh: Count, "vehicles", "Vehicles past their free travel time at the end of the interval.";
        changes: Count, "", "Times that the junction changed to another stage; 0 for fixed plans.";
        is_dark: Flag, "", "Without power at the end of the interval.";
    }
    Gridlock gridlock GridlockRow GridlockColumns: "Rings of full links that blocked themselves, as they were found." {
        found_time: Time, "UTC", "When the ring was found.";
        last_seen_time: Time, "UTC", "When it was last found.";
        links: Text, "", "Its links in driving order, separated by spaces; keys of layers/links.parquet.";
        link_count: Count, "links", "Number of links.";
        vehicles: Count, "vehicles", "Vehicles on these links when it was found.";
        released_moves: Count, "moves", "Moves from link to link by which it was released.";
    }
    Crossings crossings CrossingsRow CrossingsColumns: "Every vehicle and link it left: its trajectory. Off unless asked for; name zones to keep it small." {
        enter_time: Time, "UTC", "When the vehicle entered the link.";
        leave_time: Time, "UTC", "When it left the link.";
        trip_id: Number, "", "Trip; key of table trips.";
        link_id: Text, "", "Link; key of layers/links.parquet.";
    }
    Parking parking ParkingRow ParkingColumns: "Parking in zones and at sites of park-and-ride per interval, where it is simulated." {
        time: Time, "UTC", "Start of the interval.";
        interval_s: Real, "s", "Length of the interval.";
        zone_id: Text, "", "Zone, key of layers/zones.parquet; or the name of a site.";
        spaces: Count, "spaces", "Parking spaces.";
        occupied: Count, "cars", "Cars parked at the end of the interval.";
        arrivals: Count, "cars", "Cars that wanted to park here.";
        turned_away: Count, "cars", "Of these, those that found no space here or nearby.";
        search_s: MaybeReal, "s", "Mean time they searched; null when none arrived.";
    }
    Exposure exposure ExposureRow ExposureColumns: "Noise and exhaust of traffic for the people who are in each zone's buildings at the end of each hour. Only with coupling.traffic_to_people." {
        time: Time, "UTC", "Start of the hour.";
        interval_s: Real, "s", "Length of the interval.";
        zone_id: Text, "", "Zone; key of layers/zones.parquet.";
        persons: Real, "persons", "People in its buildings.";
        above_55_db: Real, "persons", "Those where the level of the hour is above 55 dB(A).";
        above_65_db: Real, "persons", "Those where it is above 65 dB(A).";
        nox_ug_per_m3: MaybeReal, "ug/m3", "NOx of traffic, mean over these people; null where there are none.";
    }
    Events events EventsRow EventsColumns: "One row per thing that happened to a part of an event: it began, a crew set out, was there, it was over. Only where there are events." {
        time: Time, "UTC", "When.";
        event: Text, "", "Name of the event.";
        kind: Text, "", "What kind of event it is.";
        part: Text, "", "What it happened to.";
        happening: Text, "", "began, crew_left, crew_arrived or ended.";
        building_id: MaybeText, "", "The building nearest to it; null where it is nowhere.";
        zone_id: MaybeText, "", "Zone of that building.";
    }
    Evacuation evacuation EvacuationRow EvacuationColumns: "How an area was left: one row a minute from an order to leave until all who comply have arrived or the order is lifted; persons and cars scaled up from the sample. Only where events give such orders." {
        time: Time, "UTC", "The moment.";
        event: Text, "", "Name of the event.";
        minute: Real, "min", "Since the order.";
        inside_persons: Real, "persons", "In buildings of the area.";
        coming_persons: Real, "persons", "Of those who comply, on the way into the area since before the order.";
        set_out_persons: Real, "persons", "Have set out since the order.";
        arrived_persons: Real, "persons", "Of these, have arrived.";
        set_out_cars: Real, "vehicles", "Cars and vans in which they set out.";
    }
    Payments payments PaymentsRow PaymentsColumns: "One row per payment for a policy: tolls when a trip departs, parking when its car arrives. Only where policies take money." {
        time: Time, "UTC", "When it was due.";
        policy: Text, "", "Name of the policy.";
        payee: Text, "", "Who received it.";
        person_id: Number, "", "Who paid; key of table persons.";
        trip_id: Number, "", "On which trip; key of table trips.";
        amount: Real, "money of the scenario", "How much.";
    }
    Trips trips TripsRow TripsColumns: "One row per trip: every movement of every person's plan that fell into the period, finished or not." {
        trip_id: Number, "", "Running number of the trip within the run.";
        person_id: Number, "", "Running number of the person within the run.";
        person_kind: Text, "", "Resident, commuter, visitor, delivery ...";
        purpose: Text, "", "What the trip is for.";
        mode: Text, "", "Means of transport.";
        from_building: MaybeText, "", "Building it starts in; null outside the city.";
        to_building: MaybeText, "", "Building it ends in; null outside the city.";
        from_zone: Text, "", "Zone it starts in; external:NAME outside the city.";
        to_zone: Text, "", "Zone it ends in; external:NAME outside the city.";
        depart_time: Time, "UTC", "When the person wanted to leave.";
        arrive_time: MaybeTime, "UTC", "When the trip ended; null while it has not.";
        travel_time_s: MaybeReal, "s", "From wanting to leave to arriving, waiting included; null while it has not ended.";
        wait_s: Real, "s", "Of that, waiting at the origin for room on the road.";
        distance_m: Real, "m", "Length of the route.";
        status: Text, "", "arrived, travelling, waiting, not_started or rejected, at the end of the period.";
    }
    Persons persons PersonsRow PersonsColumns: "Everybody of the run: residents in order of zone and household, then people from outside. Off unless asked for." {
        person_id: Number, "", "Running number of the person within the run; key of table trips.";
        person_kind: Text, "", "Resident, commuter, visitor, delivery ...";
        household_id: MaybeNumber, "", "Household; key of table households. Null for people from outside.";
        home_building: MaybeText, "", "Building they live in; null outside the city.";
        home_zone: Text, "", "Zone they live in; external:NAME outside the city.";
        age_years: Count, "years", "Age.";
        sex: Text, "", "female, male or unknown.";
        is_employed: Flag, "", "Has a job.";
        is_pupil: Flag, "", "Goes to school.";
        is_student: Flag, "", "Goes to school or studies.";
        has_licence: Flag, "", "Has a licence to drive a car.";
        has_car: Flag, "", "Can take a car: licence, and a car in the household.";
        has_two_wheeler: Flag, "", "Can take a motor two-wheeler.";
        has_transit_pass: Flag, "", "Has a public transport pass.";
        workplace_building: MaybeText, "", "Building they work or learn in; null where there is none.";
        workplace_zone: MaybeText, "", "Zone they work or learn in; external:NAME outside the city; null where there is none.";
    }
    Households households HouseholdsRow HouseholdsColumns: "Households of the residents. Off unless asked for." {
        household_id: Number, "", "Running number of the household within the run.";
        home_building: MaybeText, "", "Building they live in.";
        zone_id: Text, "", "Zone they live in.";
        first_person_id: Number, "", "First of its persons; the others follow in table persons.";
        size: Count, "persons", "Persons.";
        cars: Count, "cars", "Cars.";
        two_wheelers: Count, "vehicles", "Motor two-wheelers.";
        income_class: Count, "", "1, the lowest, to 5.";
        income_per_year: Real, "see column currency", "Gross income of a year.";
        currency: Text, "", "Currency of the income, ISO 4217; empty where a sample does not say.";
    }
    Presence presence PresenceRow PresenceColumns: "People in each building at a moment." {
        time: Time, "UTC", "The moment.";
        building_id: Text, "", "Building; key of layers/buildings.parquet.";
        zone_id: Text, "", "Zone of the building.";
        persons: Count, "persons", "People in the building.";
    }
    ActivityPresence activity_presence ActivityPresenceRow ActivityPresenceColumns: "People in each zone at a moment, by what they do and who they are; those on the way under the zone they left." {
        time: Time, "UTC", "The moment.";
        zone_id: MaybeText, "", "Zone; null for the sum of groups too small to be told.";
        activity: Text, "", "home, work, school, shop, leisure ..., or travelling.";
        group: Text, "", "Residents by age (children, adults, older), or what brings people from outside.";
        persons: Real, "persons", "People, scaled up from the sample.";
    }
    Activities activities ActivitiesRow ActivitiesColumns: "Every stay of every person, in order: what they did where from when to when. Off unless asked for." {
        person_id: Number, "", "Person.";
        person_kind: Text, "", "Resident, commuter, visitor, delivery ...";
        activity: Text, "", "What they did.";
        building_id: MaybeText, "", "Where; null outside the city.";
        zone_id: Text, "", "Zone; external:NAME outside the city.";
        start_time: Time, "UTC", "When they came, or the start of the period.";
        end_time: Time, "UTC", "When they left, or the end of the period.";
    }
    Tours tours ToursRow ToursColumns: "Chains of trips from home to home. Off unless asked for." {
        tour_id: Number, "", "Running number of the tour within the run.";
        person_id: Number, "", "Person.";
        purpose: Text, "", "What the longest stay of the tour was for.";
        mode: Text, "", "How they went there.";
        home_zone: Text, "", "Zone it starts in; external:NAME outside the city.";
        main_building: MaybeText, "", "Building of the longest stay; null outside the city.";
        main_zone: Text, "", "Zone of the longest stay.";
        trips: Count, "trips", "Trips of the tour that were started.";
        first_trip_id: Number, "", "Its first trip; key of table trips.";
        depart_time: Time, "UTC", "When it began.";
        return_time: MaybeTime, "UTC", "When it was back home; null while it is not.";
    }
    Legs legs LegsRow LegsColumns: "What each trip consists of: one row for each means of transport in turn. Off unless asked for." {
        trip_id: Number, "", "Trip; key of table trips.";
        leg: Count, "", "Number within the trip, from 1.";
        person_id: Number, "", "Person.";
        mode: Text, "", "car, walk, bus, rail ...";
        from_id: Text, "", "Building, stop or site of park-and-ride it starts at; external:NAME outside the city.";
        to_id: Text, "", "Building, stop or site it ends at.";
        transit_route: MaybeText, "", "Route of public transport.";
        transit_trip: MaybeText, "", "Trip of public transport.";
        depart_time: Time, "UTC", "When it began.";
        arrive_time: MaybeTime, "UTC", "When it ended; null while it has not.";
        distance_m: Real, "m", "Length of the way.";
        money: MaybeReal, "money", "Fare paid on boarding: 0 on a fare bought before and with a pass; null where no fare of the feed is known.";
    }
    Od od OdRow OdColumns: "Trips between zones by hour of departure and mode." {
        time: Time, "UTC", "Start of the hour.";
        interval_s: Real, "s", "Length of the interval.";
        from_zone: MaybeText, "", "Zone; external:NAME outside the city; null for the sum of flows too small to be told.";
        to_zone: MaybeText, "", "The same at the other end.";
        mode: Text, "", "Means of transport.";
        trips: Real, "trips", "Trips, scaled up from the sample.";
        travel_time_s: Real, "s", "Mean time of those that ended.";
    }
    Skims skims SkimsRow SkimsColumns: "Time, way and money between zones as people plan with them. Off unless asked for." {
        from_zone: Text, "", "Zone.";
        to_zone: Text, "", "Zone.";
        mode: Text, "", "Means of transport.";
        from_hour: Real, "local hour", "First hour of the time of day.";
        all_day: Flag, "", "Whether it holds all day.";
        travel_time_s: Real, "s", "Door to door.";
        distance_m: Real, "m", "Way.";
        money: Real, "money", "Tolls and fares on the way.";
    }
    Accessibility accessibility AccessibilityRow AccessibilityColumns: "What residents reach in the morning peak, mean over those of a group in a zone." {
        zone_id: Text, "", "Zone.";
        group: Text, "", "all, with_car, without_car, children or older.";
        mode: Text, "", "Means of transport.";
        opportunity: Text, "", "jobs, schools, hospitals, shops, leisure, or parks (public green of at least 0.5 ha) where the map has any.";
        limit_s: Real, "s", "Longest time from door to door.";
        opportunities: Real, "", "Mean number within reach.";
    }
    TransitLoad transit_load TransitLoadRow TransitLoadColumns: "What vehicles of public transport did at each stop of each trip, as it happened." {
        time: Time, "UTC", "When the vehicle left the stop, or arrived at the last.";
        transit_route: Text, "", "Route; key of the feed, with its name before it where there are several feeds.";
        transit_trip: Text, "", "Trip.";
        kind: Text, "", "bus, tram, metro, rail ...";
        stop_id: Text, "", "Stop.";
        stop_number: Count, "", "Number among the trip's stops, from 1.";
        boarded: Count, "persons", "Simulated people who boarded.";
        alighted: Count, "persons", "Who alighted.";
        on_board: Count, "persons", "Who were on board when it left.";
        left_behind: Count, "persons", "Who found no place.";
        places: Count, "persons", "Places, as far as the simulated sample of people may take them.";
        delay_s: Real, "s", "How late it was.";
    }
    Feedback feedback FeedbackRow FeedbackColumns: "Days lived before the one that counts, from which people learnt how long trips take." {
        round: Count, "", "Number of the day, from 1.";
        changed_persons: Count, "persons", "Persons who planned otherwise after it.";
        car_time_change_percent: Real, "%", "Mean change of the planned times of car trips.";
        delay_s: Real, "s", "How much later than planned trips ended, mean.";
        mode: Text, "", "Mode of the next column.";
        mode_share_percent: Real, "%", "Its share in the trips of the new plans.";
    }
    BuildingLoad building_load BuildingLoadRow BuildingLoadColumns: "Electricity of each building per interval." {
        time: Time, "UTC", "Start of the interval.";
        interval_s: Real, "s", "Length of the interval.";
        building_id: Text, "", "Building; key of layers/buildings.parquet.";
        zone_id: Text, "", "Zone of the building.";
        sector: Text, "", "What the electricity is used for.";
        p_w: Real, "W", "Active power, mean over the interval.";
        energy_wh: Real, "Wh", "Energy in the interval.";
    }
    ZoneLoad zone_load ZoneLoadRow ZoneLoadColumns: "Electricity of each zone and sector per interval." {
        time: Time, "UTC", "Start of the interval.";
        interval_s: Real, "s", "Length of the interval.";
        zone_id: Text, "", "Zone; key of layers/zones.parquet.";
        sector: Text, "", "What the electricity is used for.";
        p_w: Real, "W", "Active power, mean over the interval.";
        energy_wh: Real, "Wh", "Energy in the interval.";
    }
    BusState bus_state BusStateRow BusStateColumns: "Voltage of each bus of the electric grid per interval; with rows = \"exceptions\" only of those outside their limits or without supply." {
        time: Time, "UTC", "Start of the interval.";
        interval_s: Real, "s", "Length of the interval.";
        bus_id: Text, "", "Bus.";
        base_kv: Real, "kV", "Nominal voltage between phases.";
        vm_pu: MaybeReal, "pu", "Voltage in the last power step of the interval; null without supply.";
        va_deg: MaybeReal, "deg", "Its angle.";
        vm_min_pu: MaybeReal, "pu", "Lowest voltage in the interval; null where it was never supplied.";
        vm_max_pu: MaybeReal, "pu", "Highest voltage in the interval.";
        unsupplied_s: Real, "s", "Time without supply in the interval.";
    }
    BranchState branch_state BranchStateRow BranchStateColumns: "Flow of each line, cable and transformer of the electric grid per interval; with rows = \"exceptions\" only of those above their limit." {
        time: Time, "UTC", "Start of the interval.";
        interval_s: Real, "s", "Length of the interval.";
        branch_id: Text, "", "Branch.";
        kind: Text, "", "What it is.";
        from_bus: Text, "", "Bus of its from end; key of bus_state.";
        to_bus: Text, "", "Bus of its to end.";
        is_closed: Flag, "", "Whether it is closed at the end of the interval.";
        p_from_w: MaybeReal, "W", "Active power into its from end in the last power step; null where it has no impedance.";
        q_from_var: MaybeReal, "var", "Reactive power into its from end.";
        p_to_w: MaybeReal, "W", "Active power into its to end.";
        q_to_var: MaybeReal, "var", "Reactive power into its to end.";
        loading_percent: MaybeReal, "%", "Current over rated current in the last power step; null where no rating is known.";
        loading_max_percent: MaybeReal, "%", "Most of it in the interval.";
    }
    SubstationLoad substation_load SubstationLoadRow SubstationLoadColumns: "Power that enters the city's electric grid at each substation per interval." {
        time: Time, "UTC", "Start of the interval.";
        interval_s: Real, "s", "Length of the interval.";
        substation_id: Text, "", "Its bus at the voltage that is given.";
        p_w: Real, "W", "Active power, mean over the interval.";
        q_var: Real, "var", "Reactive power, mean over the interval.";
        p_max_w: Real, "W", "Largest active power of a power step.";
        loading_percent: MaybeReal, "%", "Of its most loaded branch in the last power step; null where no rating is known.";
        energy_wh: Real, "Wh", "Energy in the interval.";
    }
    EnergyBalance energy_balance EnergyBalanceRow EnergyBalanceColumns: "Where the energy of the electric grid came from and went, per interval: supplied = imported + generated = served + stored + lost, demand = received + shed." {
        time: Time, "UTC", "Start of the interval.";
        interval_s: Real, "s", "Length of the interval.";
        grid: Text, "", "Which grid it is: synthetic or file.";
        demand_wh: Real, "Wh", "What buildings and street lamps asked for.";
        received_wh: Real, "Wh", "What they got.";
        shed_wh: Real, "Wh", "What they did not get: without supply, or shed.";
        imported_wh: Real, "Wh", "Entered at substations.";
        generated_wh: Real, "Wh", "Generated in the city, behind meters too.";
        served_wh: Real, "Wh", "Taken by all loads.";
        stored_wh: Real, "Wh", "Went into storage, less what came out.";
        lost_wh: Real, "Wh", "Lost in cables, lines, transformers and storage.";
        residual_wh: Real, "Wh", "Supplied less served, stored and lost; what tolerance leaves.";
        unconverged_steps: Count, "", "Power steps that did not converge with all that was asked for.";
    }
    Outages outages OutagesRow OutagesColumns: "Interruptions of supply: one row for each set of customers that lost supply together." {
        outage_id: Number, "", "Its number, from 0.";
        cause: Text, "", "What caused it, with the element.";
        start_time: Time, "UTC", "When supply ended.";
        end_time: MaybeTime, "UTC", "When it came back; null where it had not by the end of the period.";
        customers: Count, "customers", "Customers without supply: dwellings and other customers.";
        duration_s: Real, "s", "How long, within the period.";
        customer_minutes: Real, "min", "Customers times duration.";
    }
    NetworkElement network_element NetworkElementRow NetworkElementColumns: "Elements of utility networks and where they lie: one row each, once in a run." {
        utility: Text, "", "electricity, water, gas, heat or sewer.";
        kind: Text, "", "What it is: bus, mv_cable, junction, pipe, pump ...";
        element_id: Text, "", "Its id in the tables of states: bus_state and branch_state, water_node and water_link ...";
        is_link: Flag, "", "Whether it leads from one node to another.";
        from_node: MaybeText, "", "Node of its from end; null of nodes.";
        to_node: MaybeText, "", "Node of its to end; null of nodes.";
        wkt: MaybeText, "", "Point or line in longitude and latitude (OGC:CRS84) as WKT; null where the network does not know.";
    }
    WaterNode water_node WaterNodeRow WaterNodeColumns: "Pressure and draw of each node of the water network per interval." {
        time: Time, "UTC", "Start of the interval.";
        interval_s: Real, "s", "Length of the interval.";
        node_id: Text, "", "Junction, reservoir or tank.";
        head_m: MaybeReal, "m", "Elevation plus pressure head in the last moment of the interval; null without supply.";
        pressure_m: MaybeReal, "m", "Pressure head in the last moment.";
        pressure_min_m: MaybeReal, "m", "Lowest of it in the interval; null where it was never supplied.";
        demand_m3ps: Real, "m3/s", "Asked for, mean over the interval; 0 of reservoirs and tanks.";
        served_m3ps: Real, "m3/s", "Delivered, mean over the interval; what flows into a reservoir or tank.";
        unsupplied_s: Real, "s", "Time without supply in the interval.";
    }
    WaterLink water_link WaterLinkRow WaterLinkColumns: "Flow of each pipe, pump and valve of the water network per interval." {
        time: Time, "UTC", "Start of the interval.";
        interval_s: Real, "s", "Length of the interval.";
        link_id: Text, "", "Link.";
        kind: Text, "", "pipe, pump, or the kind of valve.";
        from_node: Text, "", "Node of its from end; key of water_node.";
        to_node: Text, "", "Node of its to end.";
        flow_m3ps: Real, "m3/s", "Flow from its from to its to end, mean over the interval.";
        velocity_max_mps: Real, "m/s", "Highest speed of the water in the interval; 0 in pumps.";
        headloss_m: MaybeReal, "m", "Loss of head in the last moment, negative where a pump lifts; null without supply.";
        status: Text, "", "What it does in the last moment: open, closed, active ...";
    }
    Tank tank TankRow TankColumns: "Water tanks per interval." {
        time: Time, "UTC", "Start of the interval.";
        interval_s: Real, "s", "Length of the interval.";
        tank_id: Text, "", "Tank; key of water_node.";
        level_m: Real, "m", "Level above its bottom at the end of the interval.";
        volume_m3: Real, "m3", "Volume at the end of the interval.";
        inflow_m3ps: Real, "m3/s", "What flowed in less what flowed out, mean over the interval.";
    }
    GasNode gas_node GasNodeRow GasNodeColumns: "Pressure of each node of the gas network per interval." {
        time: Time, "UTC", "Start of the interval.";
        interval_s: Real, "s", "Length of the interval.";
        node_id: Text, "", "Node.";
        pressure_pa: MaybeReal, "Pa", "Absolute pressure in the last step of the interval; null without supply.";
        gauge_pa: MaybeReal, "Pa", "Pressure above the air there.";
        gauge_min_pa: MaybeReal, "Pa", "Lowest of it in the interval; null where it was never supplied.";
        unsupplied_s: Real, "s", "Time without supply in the interval.";
    }
    GasLink gas_link GasLinkRow GasLinkColumns: "Flow of each pipe, valve, compressor and regulator of the gas network per interval." {
        time: Time, "UTC", "Start of the interval.";
        interval_s: Real, "s", "Length of the interval.";
        link_id: Text, "", "Its table and index there.";
        name: Text, "", "Its name; may be empty.";
        from_node: Text, "", "Node of its from end; key of gas_node.";
        to_node: Text, "", "Node of its to end.";
        mdot_kgps: Real, "kg/s", "Flow from its from to its to end in the last step of the interval; 0 without supply.";
        velocity_max_mps: Real, "m/s", "Highest speed of the gas in the interval.";
        linepack_kg: Real, "kg", "Gas within in the last step.";
    }
    HeatNode heat_node HeatNodeRow HeatNodeColumns: "Pressure and temperature of each node of the district heat network per interval." {
        time: Time, "UTC", "Start of the interval.";
        interval_s: Real, "s", "Length of the interval.";
        node_id: Text, "", "Node.";
        pressure_pa: MaybeReal, "Pa", "Absolute pressure in the last step of the interval; null without supply.";
        temp_c: MaybeReal, "C", "Temperature of the water at the end of the interval.";
        temp_min_c: MaybeReal, "C", "Lowest of it in the interval; null where it was never supplied.";
        unsupplied_s: Real, "s", "Time without supply in the interval.";
    }
    HeatLink heat_link HeatLinkRow HeatLinkColumns: "Flow and temperatures of each pipe, plant and consumer of district heat per interval." {
        time: Time, "UTC", "Start of the interval.";
        interval_s: Real, "s", "Length of the interval.";
        link_id: Text, "", "Its table and index there.";
        name: Text, "", "Its name; may be empty.";
        from_node: Text, "", "Node of its from end; key of heat_node.";
        to_node: Text, "", "Node of its to end.";
        mdot_kgps: Real, "kg/s", "Flow from its from to its to end in the last step of the interval; 0 without supply.";
        velocity_mps: Real, "m/s", "Speed of the water; 0 in what has no length.";
        temp_from_c: MaybeReal, "C", "Temperature at its from end; null without supply.";
        temp_to_c: MaybeReal, "C", "Temperature at its to end.";
    }
    SewerNode sewer_node SewerNodeRow SewerNodeColumns: "Water in each node of the sewer per interval." {
        time: Time, "UTC", "Start of the interval.";
        interval_s: Real, "s", "Length of the interval.";
        node_id: Text, "", "Node.";
        depth_max_m: Real, "m", "Greatest depth of water in the interval.";
        head_max_m: Real, "m", "The same above the datum of the heights.";
        inflow_max_m3ps: Real, "m3/s", "Greatest inflow in the interval.";
        flooded_m3: Real, "m3", "Water that came up onto the ground in the interval.";
        outfall_m3: Real, "m3", "Water that left the sewer there, where the node is an outfall.";
    }
    Service service ServiceRow ServiceColumns: "People with and without a utility, by zone and interval." {
        time: Time, "UTC", "Start of the interval.";
        interval_s: Real, "s", "Length of the interval.";
        zone_id: Text, "", "Zone; key of layers/zones.parquet.";
        utility: Text, "", "electricity, water, gas, heat, telecom or lifts (of those above the fifth floor).";
        persons: Real, "persons", "People in buildings that are connected to it, mean over the interval, scaled up from the sample.";
        unserved_persons: Real, "persons", "Those of them whose building gets less than half of what it asks for.";
        unserved_person_h: Real, "person h", "Their time.";
    }
    UtilityBalance utility_balance UtilityBalanceRow UtilityBalanceColumns: "Where water, gas, heat and sewage came from and went, per interval: supplied = served + lost + stored." {
        time: Time, "UTC", "Start of the interval.";
        interval_s: Real, "s", "Length of the interval.";
        utility: Text, "", "water, gas, heat or sewer.";
        network: Text, "", "Which network it is: synthetic or file.";
        unit: Text, "", "Unit of the figures: m3, kg or kWh.";
        asked: Real, "see column unit", "Asked for.";
        supplied: Real, "see column unit", "Fed in from outside or made; of a sewer sewage and rain.";
        served: Real, "see column unit", "Given to those who ask; of a sewer what reaches its outfalls.";
        lost: Real, "see column unit", "Lost on the way: leaks, overflow, heat to the ground, rain that seeps or evaporates, floods.";
        stored: Real, "see column unit", "Kept by tanks, pipes and the ground, less what they gave.";
        residual: Real, "see column unit", "Supplied less served, lost and stored; what rounding leaves.";
        failed_steps: Count, "", "Steps, of water moments, at which no solution was found.";
    }
    Bills bills BillsRow BillsColumns: "What buildings got of each utility in the whole period, and paid for it, by zone and use." {
        zone_id: Text, "", "Zone; key of layers/zones.parquet.";
        purpose: Text, "", "Use of the buildings.";
        utility: Text, "", "electricity, water, gas or heat.";
        unit: Text, "", "Unit of the quantity: kWh, of gas those of the heat made of it, or m3.";
        quantity: Real, "see column unit", "What they got, less what they fed in.";
        amount: Real, "money", "What they paid, less what they were paid, in the scenario's currency.";
    }
    EmergencyCall emergency_call EmergencyCallRow EmergencyCallColumns: "Calls of the emergency services, in order of the time at which they were drawn or put in; times are those of the unit that was there first." {
        time: Time, "UTC", "When the call came in.";
        call_id: Count, "", "Number of the call.";
        kind: Text, "", "fire, ambulance or police.";
        priority: Count, "", "Urgency: 1 the most urgent.";
        cause: Text, "", "people: drawn from those present; event: put in by what happened.";
        building_id: MaybeText, "", "Where; key of layers/buildings.parquet; null where it is no building.";
        zone_id: MaybeText, "", "Zone of it; key of layers/zones.parquet.";
        node_id: MaybeText, "", "Node to which units drive; key of layers/nodes.parquet.";
        units_needed: Count, "units", "Units it needs.";
        units_sent: Count, "units", "Units that were sent.";
        station_id: MaybeText, "", "Station of the first; null until it is there, as for times.";
        wait_s: MaybeReal, "s", "From the call until the first unit was sent.";
        turnout_s: MaybeReal, "s", "From then until it drove off; 0 for one on its way back.";
        travel_s: MaybeReal, "s", "Its drive.";
        response_s: MaybeReal, "s", "From the call until it was there: the sum of the three.";
        scene_end_time: MaybeTime, "UTC", "When the last unit left; null while one is there or missing.";
        hospital_id: MaybeText, "", "Hospital to which somebody was taken.";
        status: Text, "", "At the end of the period: waiting, under_way, on_scene or done.";
    }
    Kpis kpis KpisRow KpisColumns: "Headline and other figures of the run, each beside the published one where there is one." {
        group: Text, "", "Subject: traffic, people, power ...";
        indicator: Text, "", "What it is.";
        zone_id: Text, "", "Zone, or the city's name for the whole.";
        value: Real, "see column unit", "Simulated figure.";
        unit: Text, "", "Unit of value and published.";
        published: MaybeReal, "see column unit", "Published figure for the same thing; null where there is none.";
        deviation_percent: MaybeReal, "%", "Simulated less published, in percent of published.";
        source: Text, "", "Who published it.";
        quality: Text, "", "How far to trust the published figure: sourced, recalled or estimate.";
        headline: Flag, "", "Whether it belongs on the first page.";
    }
    Ledgers ledgers LedgersRow LedgersColumns: "Terms of the conservation laws, as checked while running." {
        time: Time, "UTC", "The moment, or the end of the interval, the term stands for.";
        ledger: Text, "", "vehicles, persons or energy.";
        term: Text, "", "Term of the law.";
        value: Real, "see column unit", "Figure.";
        unit: Text, "", "Its unit.";
    }
}

/// An indicator of a run beside the published figure for the same thing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Kpi {
    /// Subject: traffic, people, power ...
    pub group: String,
    /// What it is.
    pub indicator: String,
    /// Zone, or the city's name for the whole.
    pub zone_id: String,
    /// Simulated figure.
    pub value: f64,
    /// Unit of `value` and `published`.
    pub unit: String,
    /// Published figure, where there is one.
    pub published: Option<f64>,
    /// Who published it.
    pub source: String,
    /// How far to trust the published figure.
    pub quality: String,
    /// Whether it belongs on the first page.
    pub headline: bool,
}

impl Kpi {
    /// Simulated less published in percent of published; `None` without a published figure or when it
    /// is zero.
    #[must_use]
    pub fn deviation_percent(&self) -> Option<f64> {
        let published = self.published.filter(|p| p.abs() > 0.0)?;
        Some((self.value - published) / published.abs() * 100.0)
    }
    /// The row of table `kpis`.
    #[must_use]
    pub fn row(&self) -> KpisRow<'_> {
        KpisRow {
            group: &self.group,
            indicator: &self.indicator,
            zone_id: &self.zone_id,
            value: self.value,
            unit: &self.unit,
            published: self.published,
            deviation_percent: self.deviation_percent(),
            source: &self.source,
            quality: &self.quality,
            headline: self.headline,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_says_what_it_is() {
        for table in Table::ALL {
            let spec = table.spec();
            assert!(spec.description.ends_with('.'), "{}", spec.name);
            let mut names: Vec<_> = spec.columns.iter().map(|c| c.name).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), spec.columns.len(), "{}", spec.name);
            assert!(!names.contains(&"scenario") && !names.contains(&"seed"), "{}: in the path", spec.name);
            for column in &spec.columns {
                assert!(!column.description.is_empty(), "{}.{}", spec.name, column.name);
                for (suffix, unit) in
                    [("_s", "s"), ("_m", "m"), ("_mps", "m/s"), ("_w", "W"), ("_wh", "Wh"), ("_percent", "%")]
                {
                    assert!(
                        !column.name.ends_with(suffix) || column.unit == unit,
                        "{}.{} in {}",
                        spec.name,
                        column.name,
                        column.unit
                    );
                }
            }
        }
    }

    #[test]
    fn deviations() {
        let kpi = |value, published| Kpi { value, published, ..Kpi::default() }.deviation_percent();
        assert!((kpi(110.0, Some(100.0)).unwrap() - 10.0).abs() < 1e-12);
        assert!((kpi(-110.0, Some(-100.0)).unwrap() + 10.0).abs() < 1e-12);
        assert_eq!(kpi(1.0, None), None);
        assert_eq!(kpi(1.0, Some(0.0)), None);
    }
}

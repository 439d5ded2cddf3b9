//! Some days of public transport as flat columns: stops, routes (lines), patterns, trips and their times.
//!
//! A pattern is a route's sequence of stops, with where one may board and alight, and trips that never overtake one
//! another: trip by trip, in order, no time at any stop decreases (first in, first out; Delling, Pajor, Werneck 2012,
//! section 2). Trips that do overtake are in another pattern of the same stops. Times are whole seconds since the
//! midnight of the first date, past 86,400 for the days after it. GTFS counts them from noon less 12 h, which differs
//! from the clock only on days when it is changed. A trip that runs on several days, or at a headway, is a row for each
//! run, but its times are kept once and shifted.
//!
//! Ignored: blocks (staying seated while the vehicle changes its trip), continuous stopping, accessibility.
//! Contract: the order of all rows depends on the input alone.

use crate::fares::Fares;
use crate::{PatternIx, RouteIx, StopIx, TransitTripIx};
use jiff::civil::Date;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use urbis_city::projection::Projection;
use urbis_core::csr::Csr;

/// What runs on a route.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum RouteKind {
    /// Tram, light rail.
    Tram,
    /// Underground, urban rail.
    Metro,
    /// Rail of any distance.
    Rail,
    /// Bus and coach.
    #[default]
    Bus,
    /// Ferry.
    Ferry,
    /// Cable tram.
    CableTram,
    /// Aerial lift.
    AerialLift,
    /// Funicular.
    Funicular,
    /// Trolleybus.
    Trolleybus,
    /// Monorail.
    Monorail,
    /// Taxi, aeroplane, anything else.
    Other,
}

urbis_core::named!(RouteKind {
    Tram = "tram",
    Metro = "metro",
    Rail = "rail",
    Bus = "bus",
    Ferry = "ferry",
    CableTram = "cable_tram",
    AerialLift = "aerial_lift",
    Funicular = "funicular",
    Trolleybus = "trolleybus",
    Monorail = "monorail",
    Other = "other",
});

impl RouteKind {
    /// The kind of a `route_type`, basic (0 to 12) or extended (hundreds); `None` when it is unknown.
    #[must_use]
    pub fn from_gtfs(route_type: u32) -> Option<Self> {
        Some(match route_type {
            0 | 900..=906 => Self::Tram,
            1 | 400..=404 => Self::Metro,
            2 | 100..=117 | 300 => Self::Rail,
            3 | 200..=209 | 700..=716 => Self::Bus,
            4 | 1000 | 1200 => Self::Ferry,
            5 => Self::CableTram,
            6 | 1300..=1307 => Self::AerialLift,
            7 | 1400 => Self::Funicular,
            11 | 800 => Self::Trolleybus,
            12 | 405 => Self::Monorail,
            1100 | 1500..=1507 | 1700 | 1702 => Self::Other,
            _ => return None,
        })
    }
}

/// Places in a vehicle or train by kind, seated and standing.
///
/// The defaults are round assumptions of the usual size (a 12 m bus, a 30 m tram, a train of six cars), not a survey:
/// whoever knows the vehicles sets them, here by kind or in [`Trips::capacity`] trip by trip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capacities {
    places: [u32; RouteKind::NAMED.len()],
}

impl Default for Capacities {
    fn default() -> Self {
        let places = RouteKind::NAMED.map(|(kind, _)| match kind {
            RouteKind::Tram => 200,
            RouteKind::Metro => 800,
            RouteKind::Rail => 1000,
            RouteKind::Bus => 70,
            RouteKind::Ferry => 300,
            RouteKind::CableTram | RouteKind::Funicular => 60,
            RouteKind::AerialLift | RouteKind::Other => 10,
            RouteKind::Trolleybus => 100,
            RouteKind::Monorail => 250,
        });
        Self { places }
    }
}

impl Capacities {
    /// Places of a kind.
    #[must_use]
    pub fn of(&self, kind: RouteKind) -> u32 {
        self.places[kind as usize]
    }
    /// The same with other places for a kind.
    #[must_use]
    pub fn with(mut self, kind: RouteKind, places: u32) -> Self {
        self.places[kind as usize] = places;
        self
    }
}

/// Stops: where vehicles halt. Stations and entrances are not stops; stops of one station know it.
#[derive(Clone, Debug, Default)]
pub struct Stops {
    /// Id in the feed; with several feeds `feed:id`.
    pub id: Vec<String>,
    /// Name.
    pub name: Vec<String>,
    /// Latitude, degrees; NaN when unknown.
    pub lat_deg: Vec<f64>,
    /// Longitude, degrees; NaN when unknown.
    pub lon_deg: Vec<f64>,
    /// Projected, metres; NaN when unknown.
    pub x_m: Vec<f64>,
    /// Projected, metres; NaN when unknown.
    pub y_m: Vec<f64>,
    /// Number of its station, the same for all stops of a station; `u32::MAX` for a stop that stands alone.
    pub station: Vec<u32>,
}

/// Routes: lines as passengers know them.
#[derive(Clone, Debug, Default)]
pub struct Routes {
    /// Id in the feed; with several feeds `feed:id`.
    pub id: Vec<String>,
    /// Short name, or the long one, or the id.
    pub name: Vec<String>,
    /// What runs.
    pub kind: Vec<RouteKind>,
}

/// Patterns.
#[derive(Clone, Debug, Default)]
pub struct Patterns {
    /// Route.
    pub route: Vec<RouteIx>,
    first_stop: Vec<u32>,
    first_trip: Vec<u32>,
    first_call: Vec<u32>,
    stops: Vec<StopIx>,
    flags: Vec<u8>,
}

/// Passengers may board here.
pub const BOARD: u8 = 1;
/// Passengers may alight here.
pub const ALIGHT: u8 = 2;

/// Trips: one run of one vehicle.
#[derive(Clone, Debug, Default)]
pub struct Trips {
    /// Id in the feed; with several feeds `feed:id`. Runs of one trip, by frequency and day, share it.
    pub id: Vec<Arc<str>>,
    /// What the vehicle shows as its destination, empty when unknown.
    pub headsign: Vec<Arc<str>>,
    /// Pattern.
    pub pattern: Vec<PatternIx>,
    /// Day of service less the first date: 0 and up, or -1 for those of the day before that run past midnight.
    pub day: Vec<i16>,
    /// Number among the runs of one trip by frequency, from 0.
    pub run: Vec<u32>,
    /// Places, seated and standing.
    pub capacity: Vec<u32>,
    times: Vec<Times>,
}

/// Where a trip's times are, and how much later it runs than they say, modulo 2^32.
#[derive(Clone, Copy, Debug)]
struct Times {
    first: u32,
    shift_s: u32,
}

/// How long changing between two stops takes by the operator's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferKind {
    /// A recommended place to change; walking takes what it takes.
    Recommended,
    /// The vehicle waits: no time is needed.
    Guaranteed,
    /// At least so many seconds.
    Takes(u32),
    /// Changing is not possible.
    Never,
}

/// A row of `transfers.txt` between stops; those of stations are one row for each pair of their stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// From this stop.
    pub from: StopIx,
    /// To this one, or the same.
    pub to: StopIx,
    /// How.
    pub kind: TransferKind,
    /// How many of both ends the feed names as stops, not as stations: more says more.
    pub detail: u8,
}

/// Public transport of one or several days.
#[derive(Clone, Debug)]
pub struct Timetable {
    /// First date of service.
    pub date: Date,
    /// How many dates.
    pub days: u16,
    /// Time zone of the agencies, empty when unknown.
    pub time_zone: String,
    /// Stops.
    pub stops: Stops,
    /// Routes.
    pub routes: Routes,
    /// Patterns.
    pub patterns: Patterns,
    /// Trips, pattern by pattern in order of departure.
    pub trips: Trips,
    /// Transfers by the operator's word.
    pub transfers: Vec<Transfer>,
    /// Fares.
    pub fares: Fares,
    arrival_s: Vec<u32>,
    departure_s: Vec<u32>,
    at_stop: Csr<(PatternIx, u32)>,
}

impl Patterns {
    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.route.len()
    }
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.route.is_empty()
    }
    /// Stops in order.
    #[inline]
    #[must_use]
    pub fn stops(&self, pattern: PatternIx) -> &[StopIx] {
        &self.stops[self.places(pattern)]
    }
    /// [`BOARD`] and [`ALIGHT`] for each stop in order.
    #[inline]
    #[must_use]
    pub fn flags(&self, pattern: PatternIx) -> &[u8] {
        &self.flags[self.places(pattern)]
    }
    /// Trips in order of departure.
    #[inline]
    #[must_use]
    pub fn trips(&self, pattern: PatternIx) -> Range<u32> {
        self.first_trip[pattern.row()]..self.first_trip[pattern.row() + 1]
    }
    /// Rows of a pattern's stops among those of all patterns, end to end.
    #[inline]
    #[must_use]
    pub fn places(&self, pattern: PatternIx) -> Range<usize> {
        self.first_stop[pattern.row()] as usize..self.first_stop[pattern.row() + 1] as usize
    }
    /// Stops of all patterns together.
    #[must_use]
    pub fn places_len(&self) -> usize {
        self.stops.len()
    }
}

impl Timetable {
    /// Rows of a trip's stop times among those of all trips, end to end.
    #[inline]
    #[must_use]
    pub fn calls(&self, trip: TransitTripIx) -> Range<usize> {
        let pattern = self.trips.pattern[trip.row()];
        let length = self.patterns.stops(pattern).len();
        let nth = (trip.0 - self.patterns.trips(pattern).start) as usize;
        let first = self.patterns.first_call[pattern.row()] as usize + nth * length;
        first..first + length
    }
    /// Arrival of a trip at a place among its stops, seconds since the midnight of the first date.
    #[inline]
    #[must_use]
    pub fn arrival_at(&self, trip: TransitTripIx, place: usize) -> u32 {
        let Times { first, shift_s } = self.trips.times[trip.row()];
        self.arrival_s[first as usize + place].wrapping_add(shift_s)
    }
    /// Departure of a trip from a place among its stops, seconds since the midnight of the first date.
    #[inline]
    #[must_use]
    pub fn departure_at(&self, trip: TransitTripIx, place: usize) -> u32 {
        let Times { first, shift_s } = self.trips.times[trip.row()];
        self.departure_s[first as usize + place].wrapping_add(shift_s)
    }
    /// Arrivals of a trip in order of its stops, seconds since the midnight of the first date.
    #[must_use]
    pub fn arrivals_s(&self, trip: TransitTripIx) -> Vec<u32> {
        (0..self.trip_stops(trip).len()).map(|place| self.arrival_at(trip, place)).collect()
    }
    /// Departures of a trip in order of its stops, seconds since the midnight of the first date.
    #[must_use]
    pub fn departures_s(&self, trip: TransitTripIx) -> Vec<u32> {
        (0..self.trip_stops(trip).len()).map(|place| self.departure_at(trip, place)).collect()
    }
    /// Stops of a trip.
    #[must_use]
    pub fn trip_stops(&self, trip: TransitTripIx) -> &[StopIx] {
        self.patterns.stops(self.trips.pattern[trip.row()])
    }
    /// Route of a trip.
    #[must_use]
    pub fn trip_route(&self, trip: TransitTripIx) -> RouteIx {
        self.patterns.route[self.trips.pattern[trip.row()].row()]
    }
    /// Number of stop times of all trips.
    #[must_use]
    pub fn calls_len(&self) -> usize {
        self.patterns.first_call.last().map_or(0, |&calls| calls as usize)
    }
    /// Number of stop times that are kept: those of runs that differ by a shift are kept once.
    #[must_use]
    pub fn kept_calls_len(&self) -> usize {
        self.arrival_s.len()
    }
    /// Patterns that call at a stop, and where in them.
    #[inline]
    #[must_use]
    pub fn at_stop(&self, stop: StopIx) -> &[(PatternIx, u32)] {
        self.at_stop.row(stop.row())
    }
    /// Number of stops.
    #[must_use]
    pub fn stops_len(&self) -> usize {
        self.stops.id.len()
    }
    /// Number of trips.
    #[must_use]
    pub fn trips_len(&self) -> usize {
        self.trips.id.len()
    }
    /// Dates on which no trip starts its service.
    #[must_use]
    pub fn days_without_service(&self) -> Vec<Date> {
        let mut runs = vec![false; usize::from(self.days)];
        self.trips.day.iter().filter_map(|&day| usize::try_from(day).ok()).for_each(|day| runs[day] = true);
        let date = |(day, _): (i64, &bool)| self.date.checked_add(jiff::Span::new().days(day)).ok();
        (0_i64..).zip(&runs).filter(|(_, runs)| !**runs).filter_map(date).collect()
    }
    /// Row of a stop by its id.
    #[must_use]
    pub fn stop_of(&self, id: &str) -> Option<StopIx> {
        self.stops.id.iter().position(|of| of == id).map(|row| StopIx(row as u32))
    }

    /// Sets the projected positions of stops whose position is known, out of (latitude, longitude) in degrees.
    pub fn set_positions(&mut self, mut project: impl FnMut(f64, f64) -> (f64, f64)) {
        let stops = &mut self.stops;
        for row in 0..stops.id.len() {
            let (lat, lon) = (stops.lat_deg[row], stops.lon_deg[row]);
            let (x, y) = if lat.is_finite() && lon.is_finite() { project(lat, lon) } else { (f64::NAN, f64::NAN) };
            (stops.x_m[row], stops.y_m[row]) = (x, y);
        }
    }

    /// The projection that fits where most stops are.
    #[must_use]
    pub fn own_projection(&self) -> Projection {
        let middle = |of: &[f64]| {
            let mut known: Vec<f64> = of.iter().copied().filter(|of| of.is_finite()).collect();
            known.sort_by(f64::total_cmp);
            known.get(known.len() / 2).copied().unwrap_or(0.0)
        };
        Projection::auto(middle(&self.stops.lon_deg), middle(&self.stops.lat_deg))
    }

    /// The runs of which it was built.
    pub(crate) fn into_builder(self) -> Builder {
        let Self { stops, routes, patterns, trips, transfers, fares, arrival_s, departure_s, .. } = self;
        let mut builder = Builder { stops, routes, transfers, fares, ..Builder::default() };
        // Runs of the same calls share them again.
        let mut made = BTreeMap::new();
        for trip in 0..trips.id.len() {
            let (pattern, Times { first, shift_s }) = (trips.pattern[trip], trips.times[trip]);
            let calls = *made.entry(first).or_insert_with(|| {
                let halts = patterns.stops(pattern).iter().zip(patterns.flags(pattern));
                builder.calls.extend(halts.zip(first as usize..).map(|((&stop, &flags), at)| Call {
                    stop,
                    arrival_s: arrival_s[at],
                    departure_s: departure_s[at],
                    flags,
                }));
                builder.ends.push(builder.calls.len());
                CallsIx(builder.ends.len() as u32 - 1)
            });
            let run = Run {
                route: patterns.route[pattern.row()],
                id: Arc::clone(&trips.id[trip]),
                headsign: Arc::clone(&trips.headsign[trip]),
                day: trips.day[trip],
                run: trips.run[trip],
                capacity: trips.capacity[trip],
            };
            builder.runs.push((run, calls, shift_s));
        }
        builder
    }
}

/// A halt of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// Stop.
    pub stop: StopIx,
    /// Seconds since midnight.
    pub arrival_s: u32,
    /// Seconds since midnight.
    pub departure_s: u32,
    /// [`BOARD`] and [`ALIGHT`].
    pub flags: u8,
}

/// A run to be put into a timetable.
#[derive(Clone, Debug)]
pub struct Run {
    /// Route.
    pub route: RouteIx,
    /// Id of its trip.
    pub id: Arc<str>,
    /// Destination shown.
    pub headsign: Arc<str>,
    /// Day of service less the first date.
    pub day: i16,
    /// Number among the runs of its trip.
    pub run: u32,
    /// Places.
    pub capacity: u32,
}

/// Collects runs and sorts them into patterns.
#[derive(Debug, Default)]
pub struct Builder {
    /// Stops.
    pub stops: Stops,
    /// Routes.
    pub routes: Routes,
    /// Transfers.
    pub transfers: Vec<Transfer>,
    /// Fares.
    pub fares: Fares,
    /// Runs, whose calls they make, and how much later.
    pub(crate) runs: Vec<(Run, CallsIx, u32)>,
    ends: Vec<usize>,
    calls: Vec<Call>,
}

/// The calls of a run that was pushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallsIx(u32);

impl Builder {
    /// Adds a run. Its calls must be at least two, at known stops, and their times must not decrease; other runs are
    /// left out and there is no answer.
    pub fn push(&mut self, run: Run, calls: &[Call]) -> Option<CallsIx> {
        let known = calls.iter().all(|call| call.stop.row() < self.stops.id.len());
        let ordered = calls.iter().all(|call| call.arrival_s <= call.departure_s)
            && calls.windows(2).all(|pair| pair[0].departure_s <= pair[1].arrival_s);
        let fits = calls.len() >= 2 && known && ordered && run.route.row() < self.routes.id.len();
        fits.then(|| {
            let of = CallsIx(self.ends.len() as u32);
            self.calls.extend_from_slice(calls);
            self.ends.push(self.calls.len());
            self.runs.push((run, of, 0));
            of
        })
    }

    /// Adds a run that calls as another one did, so many seconds later (before, if negative); no time may come to lie
    /// before 0.
    pub fn push_again(&mut self, run: Run, calls: CallsIx, later_s: i64) {
        self.runs.push((run, calls, later_s as u32));
    }

    /// Number of runs.
    #[must_use]
    pub fn len(&self) -> usize {
        self.runs.len()
    }

    /// Whether there is no run.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// The calls of a run, by its row in `runs`.
    pub(crate) fn calls_of(&self, run: usize) -> impl Iterator<Item = Call> + '_ {
        let (_, CallsIx(of), shift_s) = self.runs[run];
        let start = if of == 0 { 0 } else { self.ends[of as usize - 1] };
        let shift = move |call: &Call| Call {
            arrival_s: call.arrival_s.wrapping_add(shift_s),
            departure_s: call.departure_s.wrapping_add(shift_s),
            ..*call
        };
        self.calls[start..self.ends[of as usize]].iter().map(shift)
    }

    /// Whether a run may follow another one in a pattern.
    fn follows(&self, before: usize, after: usize) -> bool {
        let mut pairs = self.calls_of(before).zip(self.calls_of(after));
        pairs.all(|(a, b)| a.arrival_s <= b.arrival_s && a.departure_s <= b.departure_s)
    }

    /// Runs of each pattern, in order of departure.
    fn patterns(&self) -> Vec<Vec<usize>> {
        let route = |run: usize| self.runs[run].0.route;
        let shape = |run: usize| self.calls_of(run).map(|call| (call.stop, call.flags));
        let times = |run: usize| self.calls_of(run).map(|call| (call.departure_s, call.arrival_s));
        let same = |a: usize, b: usize| route(a) == route(b) && shape(a).eq(shape(b));
        let mut order: Vec<usize> = (0..self.runs.len()).collect();
        order.sort_by(|&a, &b| {
            let routes = route(a).cmp(&route(b));
            routes.then_with(|| shape(a).cmp(shape(b))).then_with(|| times(a).cmp(times(b))).then(a.cmp(&b))
        });
        let mut patterns: Vec<Vec<usize>> = Vec::new();
        for group in order.chunk_by(|&a, &b| same(a, b)) {
            let first = patterns.len();
            for &run in group {
                let open =
                    patterns[first..].iter_mut().find(|runs| runs.last().is_none_or(|&last| self.follows(last, run)));
                match open {
                    Some(runs) => runs.push(run),
                    None => patterns.push(vec![run]),
                }
            }
        }
        patterns
    }

    /// The timetable. Positions are projected around the stops; [`Timetable::set_positions`] changes that.
    #[must_use]
    pub fn build(self, date: Date, days: u16, time_zone: String) -> Timetable {
        let grouped = self.patterns();
        let mut patterns =
            Patterns { first_stop: vec![0], first_trip: vec![0], first_call: vec![0], ..Patterns::default() };
        let mut trips = Trips::default();
        let (mut arrival_s, mut departure_s) = (Vec::new(), Vec::new());
        let mut at_stop = Vec::new();
        // Where the calls of a run stand, put there by the first run that makes them.
        let mut kept = vec![None; self.ends.len()];
        let mut calls = 0;
        for runs in &grouped {
            let pattern = PatternIx(patterns.route.len() as u32);
            let Some(&first) = runs.first() else { continue };
            patterns.route.push(self.runs[first].0.route);
            let length = self.calls_of(first).count();
            for (position, call) in self.calls_of(first).enumerate() {
                patterns.stops.push(call.stop);
                patterns.flags.push(call.flags);
                at_stop.push((call.stop.0, (pattern, position as u32)));
            }
            for &run in runs {
                let (of, CallsIx(made), shift_s) = &self.runs[run];
                let (first, by_s) = *kept[*made as usize].get_or_insert_with(|| {
                    let first = arrival_s.len() as u32;
                    arrival_s.extend(self.calls_of(run).map(|call| call.arrival_s));
                    departure_s.extend(self.calls_of(run).map(|call| call.departure_s));
                    (first, *shift_s)
                });
                trips.times.push(Times { first, shift_s: shift_s.wrapping_sub(by_s) });
                trips.id.push(Arc::clone(&of.id));
                trips.headsign.push(Arc::clone(&of.headsign));
                trips.pattern.push(pattern);
                trips.day.push(of.day);
                trips.run.push(of.run);
                trips.capacity.push(of.capacity);
            }
            calls += runs.len() * length;
            patterns.first_stop.push(patterns.stops.len() as u32);
            patterns.first_trip.push(trips.id.len() as u32);
            patterns.first_call.push(calls as u32);
        }
        let at_stop = Csr::from_pairs(self.stops.id.len(), &at_stop);
        let Self { stops, routes, transfers, fares, .. } = self;
        let mut timetable = Timetable {
            date,
            days,
            time_zone,
            stops,
            routes,
            patterns,
            trips,
            transfers,
            fares,
            arrival_s,
            departure_s,
            at_stop,
        };
        let projection = timetable.own_projection();
        timetable.set_positions(|lat, lon| projection.project(point(lat, lon)));
        timetable
    }
}

/// A place as projections take it.
#[must_use]
pub fn point(lat_deg: f64, lon_deg: f64) -> geo::Point {
    geo::Point::new(lon_deg, lat_deg)
}

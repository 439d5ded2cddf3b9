//! The small tables of a feed: agencies, stops, routes and transfers.
//!
//! Ignored: levels, pathways, wheelchairs, colours, translations.

use crate::gtfs_file::{Feed, Row, Table};
use crate::report::{Defect, FeedReport};
use crate::timetable::{Builder, RouteKind, Transfer, TransferKind};
use crate::{RouteIx, StopIx};
use std::collections::BTreeMap;
use std::path::PathBuf;
use urbis_core::Problem;

/// A required table; that it is missing is fatal.
pub(crate) fn required(feed: &mut Feed, name: &str, must_have: &[&str], report: &mut FeedReport) -> Option<Table> {
    let before = report.count(Defect::Unreadable) + report.count(Defect::MissingColumn);
    let table = feed.table(name, must_have, report);
    if table.is_none() && report.count(Defect::Unreadable) + report.count(Defect::MissingColumn) == before {
        let place = feed.place(name);
        report.add(Defect::MissingTable, || Problem::file(&place, "is not there; every GTFS feed has it"));
    }
    table
}

/// Whether an id is there and new; what is wrong with it is reported.
pub(crate) fn is_new<V>(
    row: &Row<'_>,
    field: &str,
    id: &str,
    known: &BTreeMap<String, V>,
    report: &mut FeedReport,
) -> bool {
    if id.is_empty() {
        report.add(Defect::BlankId, || row.problem("", field, "", "a name"));
    } else if known.contains_key(id) {
        report.add(Defect::DuplicateId, || row.problem(id, field, id, "a name not used before"));
    } else {
        return true;
    }
    false
}

/// The agencies of a feed.
#[derive(Default)]
pub(crate) struct Agencies {
    pub(crate) ids: Vec<String>,
    pub(crate) names: Vec<String>,
    /// Time zone, empty when not given.
    pub(crate) time_zone: String,
}

impl Agencies {
    /// Reads `agency.txt`.
    pub(crate) fn read(feed: &mut Feed, report: &mut FeedReport) -> Self {
        let Self { mut ids, mut names, time_zone: mut zone } = Self::default();
        let place = feed.place("agency.txt");
        if let Some(table) = feed.table("agency.txt", &[], report) {
            let [id, name, time_zone] = table.columns(["agency_id", "agency_name", "agency_timezone"]);
            table.for_each(report, |row, report| {
                let (agency, here) = (row.get(name), row.get(time_zone));
                ids.push(row.get(id).to_owned());
                names.push(agency.to_owned());
                if zone.is_empty() {
                    zone = here.to_owned();
                } else if here != zone && !here.is_empty() {
                    report.add(Defect::TimeZoneDiffers, || {
                        row.problem(agency, "agency_timezone", here, format!("{zone}, as the agency before"))
                    });
                }
            });
        }
        if zone.is_empty() {
            report.add(Defect::TimeZoneUnknown, || {
                Problem::file(&place, "gives no agency_timezone; times are taken for local ones")
            });
        }
        Self { ids, names, time_zone: zone }
    }

    /// Number of the agency that an id means; without an id the only one there is.
    pub(crate) fn number(&self, id: &str) -> Option<u32> {
        let is_only = self.ids.len() == 1 && id.is_empty();
        self.ids.iter().position(|known| is_only || known == id).map(|number| number as u32)
    }
}

/// Stops of a feed, stations and entrances included.
pub(crate) struct FeedStops {
    place: PathBuf,
    /// Rows by id.
    pub(crate) row_of: BTreeMap<String, u32>,
    rows: Vec<FeedStop>,
}

struct FeedStop {
    row: usize,
    id: String,
    name: String,
    parent: String,
    zone: String,
    is_stop: bool,
    lat_lon: Option<(f64, f64)>,
    stop: StopIx,
    station: u32,
}

impl FeedStops {
    /// Reads `stops.txt` and puts the stops into the timetable.
    pub(crate) fn read(feed: &mut Feed, prefix: &str, builder: &mut Builder, report: &mut FeedReport) -> Self {
        let mut stops = Self { place: feed.place("stops.txt"), row_of: BTreeMap::new(), rows: Vec::new() };
        let Some(table) = required(feed, "stops.txt", &["stop_id"], report) else { return stops };
        let [id, name, lat, lon] = table.columns(["stop_id", "stop_name", "stop_lat", "stop_lon"]);
        let [location, parent, zone] = table.columns(["location_type", "parent_station", "zone_id"]);
        table.for_each(report, |row, report| {
            let stop = row.get(id);
            if !is_new(row, "stop_id", stop, &stops.row_of, report) {
                return;
            }
            stops.row_of.insert(stop.to_owned(), stops.rows.len() as u32);
            stops.rows.push(FeedStop {
                row: row.row,
                id: stop.to_owned(),
                name: row.get(name).to_owned(),
                parent: row.get(parent).to_owned(),
                zone: row.get(zone).to_owned(),
                // Boarding areas (4) are parts of a stop that a few feeds give stop times of their own.
                is_stop: matches!(row.get(location), "" | "0" | "4"),
                lat_lon: position(row.get(lat), row.get(lon)),
                stop: StopIx::NONE,
                station: u32::MAX,
            });
        });
        stops.join_stations(builder, report);
        for row in 0..stops.rows.len() {
            if stops.rows[row].is_stop {
                stops.add(row, prefix, builder, report);
            }
        }
        stops
    }

    /// Gives stops the number and, where they have none, the position of their station.
    fn join_stations(&mut self, builder: &Builder, report: &mut FeedReport) {
        let used = builder.stops.station.iter().filter(|&&of| of != u32::MAX).max();
        let first = used.map_or(0, |&last| last + 1);
        for row in 0..self.rows.len() {
            let of = &self.rows[row];
            if of.parent.is_empty() {
                continue;
            }
            let Some(&parent) = self.row_of.get(&of.parent) else {
                report.add(Defect::StopUnknownParent, || {
                    Problem::value(&self.place, of.row, Some(&of.id), "parent_station", &of.parent, "a stop_id")
                });
                continue;
            };
            let station = first + parent;
            let lat_lon = of.lat_lon.or(self.rows[parent as usize].lat_lon);
            self.rows[parent as usize].station = station;
            self.rows[row].station = station;
            self.rows[row].lat_lon = lat_lon;
        }
    }

    fn add(&mut self, row: usize, prefix: &str, builder: &mut Builder, report: &mut FeedReport) -> StopIx {
        let of = &mut self.rows[row];
        if of.lat_lon.is_none() {
            report.add(Defect::StopWithoutPosition, || {
                Problem::value(
                    &self.place,
                    of.row,
                    Some(&of.id),
                    "stop_lat, stop_lon",
                    "nothing usable",
                    "degrees, not both 0",
                )
            });
        }
        let (lat, lon) = of.lat_lon.unwrap_or((f64::NAN, f64::NAN));
        of.stop = StopIx(builder.stops.id.len() as u32);
        let stops = &mut builder.stops;
        stops.id.push(format!("{prefix}{}", of.id));
        stops.name.push(if of.name.is_empty() { of.id.clone() } else { of.name.clone() });
        stops.lat_deg.push(lat);
        stops.lon_deg.push(lon);
        stops.x_m.push(f64::NAN);
        stops.y_m.push(f64::NAN);
        stops.station.push(of.station);
        of.stop
    }

    /// The zone of every row that has one, with the stop that it is.
    pub(crate) fn zones(&self) -> impl Iterator<Item = (StopIx, &str)> {
        self.rows.iter().filter(|of| !of.zone.is_empty()).map(|of| (of.stop, of.zone.as_str()))
    }

    /// Number of rows.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The stop of a row where a vehicle halts; a station or entrance becomes one. Also whether it was a stop already.
    pub(crate) fn halt(
        &mut self,
        row: u32,
        prefix: &str,
        builder: &mut Builder,
        report: &mut FeedReport,
    ) -> (StopIx, bool) {
        let of = &mut self.rows[row as usize];
        let was = of.is_stop;
        if of.stop.is_some() {
            return (of.stop, was);
        }
        (self.add(row as usize, prefix, builder, report), was)
    }

    /// Stops that a row of `transfers.txt` means by an id: itself, or those of the station.
    fn meant(&self, id: &str) -> Option<(Vec<StopIx>, bool)> {
        let row = *self.row_of.get(id)?;
        let of = &self.rows[row as usize];
        if of.stop.is_some() {
            return Some((vec![of.stop], true));
        }
        let within = |stop: &&FeedStop| stop.stop.is_some() && of.station != u32::MAX && stop.station == of.station;
        Some((self.rows.iter().filter(within).map(|stop| stop.stop).collect(), false))
    }

    /// Reads `transfers.txt`.
    pub(crate) fn transfers(&self, feed: &mut Feed, builder: &mut Builder, report: &mut FeedReport) {
        let Some(table) = feed.table("transfers.txt", &[], report) else { return };
        let [from, to, kind, time] =
            table.columns(["from_stop_id", "to_stop_id", "transfer_type", "min_transfer_time"]);
        let narrow = table.columns(["from_route_id", "to_route_id", "from_trip_id", "to_trip_id"]);
        table.for_each(report, |row, report| {
            let name = row.get(from);
            let kind = match (row.get(kind), row.get(time)) {
                _ if narrow.iter().any(|column| !row.get(*column).is_empty()) => None,
                ("4" | "5", _) => None,
                ("" | "0", _) => Some(TransferKind::Recommended),
                ("1", _) => Some(TransferKind::Guaranteed),
                ("2", seconds) => match seconds.parse::<u32>().ok().filter(|&seconds| seconds <= 86_400) {
                    Some(seconds) => Some(TransferKind::Takes(seconds)),
                    None => {
                        report.add(Defect::BadTransfer, || {
                            row.problem(name, "min_transfer_time", seconds, "whole seconds from 0 to 86400")
                        });
                        return;
                    }
                },
                ("3", _) => Some(TransferKind::Never),
                (other, _) => {
                    report.add(Defect::BadTransfer, || row.problem(name, "transfer_type", other, "0 to 5"));
                    return;
                }
            };
            let Some(kind) = kind else {
                report.add(Defect::TransferNotModelled, || {
                    row.problem(name, "transfer", "between routes or trips", "one between stops")
                });
                return;
            };
            let mut ends = [("from_stop_id", from), ("to_stop_id", to)].into_iter().map(|(field, column)| {
                let meant = self.meant(row.get(column));
                if meant.is_none() {
                    report.add(Defect::TransferUnknownStop, || {
                        row.problem(name, field, row.get(column), "a stop_id of stops.txt")
                    });
                }
                meant
            });
            let (Some(Some(starts)), Some(Some(ends))) = (ends.next(), ends.next()) else { return };
            let detail = u8::from(starts.1) + u8::from(ends.1);
            for &from in &starts.0 {
                builder.transfers.extend(ends.0.iter().map(|&to| Transfer { from, to, kind, detail }));
            }
        });
    }
}

/// Latitude and longitude, if both are degrees and not both 0.
fn position(lat: &str, lon: &str) -> Option<(f64, f64)> {
    let (lat, lon): (f64, f64) = (lat.parse().ok()?, lon.parse().ok()?);
    let on_earth = (-90.0..=90.0).contains(&lat) && (-180.0..=180.0).contains(&lon);
    (on_earth && (lat.abs() > 1e-9 || lon.abs() > 1e-9)).then_some((lat, lon))
}

/// Routes of a feed.
#[derive(Default)]
pub(crate) struct FeedRoutes {
    /// Rows by id.
    pub(crate) row_of: BTreeMap<String, RouteIx>,
    /// Id of the agency of each, as it stands in the feed.
    pub(crate) agency: Vec<(RouteIx, String)>,
}

impl FeedRoutes {
    /// Reads `routes.txt` and puts the routes into the timetable.
    pub(crate) fn read(feed: &mut Feed, prefix: &str, builder: &mut Builder, report: &mut FeedReport) -> Self {
        let Self { mut row_of, agency: mut agencies } = Self::default();
        let Some(table) = required(feed, "routes.txt", &["route_id", "route_type"], report) else {
            return Self::default();
        };
        let agency = table.column("agency_id");
        let [id, short, long, kind] = table.columns(["route_id", "route_short_name", "route_long_name", "route_type"]);
        table.for_each(report, |row, report| {
            let route = row.get(id);
            if !is_new(row, "route_id", route, &row_of, report) {
                return;
            }
            let known = row.get(kind).parse().ok().and_then(RouteKind::from_gtfs);
            if known.is_none() {
                report.add(Defect::UnknownRouteType, || {
                    row.problem(route, "route_type", row.get(kind), "0 to 7, 11, 12 or an extended type")
                });
            }
            let here = RouteIx(builder.routes.id.len() as u32);
            row_of.insert(route.to_owned(), here);
            agencies.push((here, row.get(agency).to_owned()));
            let name = [row.get(short), row.get(long), route].into_iter().find(|name| !name.is_empty());
            builder.routes.id.push(format!("{prefix}{route}"));
            builder.routes.name.push(name.unwrap_or_default().to_owned());
            builder.routes.kind.push(known.unwrap_or_default());
        });
        Self { row_of, agency: agencies }
    }
}

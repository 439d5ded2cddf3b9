//! Walks between people's places and stops, and between stops: on the paths of the city with their slopes, or straight.
//!
//! On paths, a walk may take as long as one over the settings' radius times the usual detour does on the flat. Stops and
//! places farther than [`BESIDE_MAX_M`] from any path, and cities without paths, have straight lines instead. Uphill and
//! downhill differ, so the walks to stops are not those from stops.
//!
//! Contract: the searches run in parallel once, everything else is a lookup; nothing depends on threads.

use urbis_city::model::City;
use urbis_traffic::slope::FlatSpeeds;
use urbis_traffic::slow_reach::{BESIDE_MAX_M, Direction, OnPath, ReachTable, WalkReach};
use urbis_transit::StopIx;
use urbis_transit::footpaths::{Footpaths, WalkSettings, stops_near};
use urbis_transit::settings::Walks;
use urbis_transit::timetable::Timetable;

/// Walks around the stops of a timetable.
#[derive(Debug)]
pub(crate) struct StopWalks {
    /// Between places and stops.
    access: WalkSettings,
    /// Between stops.
    change: WalkSettings,
    paths: Option<StopsOnPaths>,
}

#[derive(Debug)]
struct StopsOnPaths {
    reach: WalkReach,
    stops: Vec<Option<OnPath>>,
    to_stops: ReachTable,
    from_stops: ReachTable,
    /// Stops that have a position and no path beside it.
    off: Vec<StopIx>,
}

impl StopWalks {
    /// Walks around the stops, which have positions in the city's projection. `access_m` is the farthest straight line
    /// between a place and a stop.
    pub(crate) fn new(timetable: &Timetable, city: &City, access_m: f64, walks: Walks) -> Self {
        let change = WalkSettings::default();
        let access = WalkSettings { radius_m: access_m, ..change };
        let flat = FlatSpeeds { walk_mps: access.speed_mps, ..FlatSpeeds::default() };
        let reach = if walks == Walks::Paths { WalkReach::new(city, flat) } else { None };
        let paths = reach.map(|reach| {
            let positions = || timetable.stops.x_m.iter().zip(&timetable.stops.y_m);
            let stops: Vec<Option<OnPath>> = positions().map(|(&x, &y)| reach.put(x, y)).collect();
            let limit_ms = limit_ms(&access).max(limit_ms(&change));
            let to_stops = reach.table(&stops, Direction::ToPoints, limit_ms);
            let from_stops = reach.table(&stops, Direction::FromPoints, limit_ms);
            let rows = (0_u32..).map(StopIx).zip(&stops).zip(positions());
            let is_off = |of: &Option<OnPath>, x: f64, y: f64| of.is_none() && x.is_finite() && y.is_finite();
            let off = rows.filter(|((_, of), (x, y))| is_off(of, **x, **y)).map(|((stop, _), _)| stop).collect();
            StopsOnPaths { reach, stops, to_stops, from_stops, off }
        });
        Self { access, change, paths }
    }

    /// Stops that lie too far from any path, if walks follow paths.
    pub(crate) fn off_paths(&self) -> usize {
        self.paths.as_ref().map_or(0, |paths| paths.off.len())
    }

    /// Stops that people walk to from a place, or from which they walk there, and the seconds it takes; by stop.
    pub(crate) fn near(
        &self,
        timetable: &Timetable,
        (x_m, y_m): (f64, f64),
        direction: Direction,
    ) -> Vec<(StopIx, u32)> {
        let on_path = self.paths.as_ref().and_then(|paths| paths.reach.put(x_m, y_m).map(|place| (paths, place)));
        let Some((paths, place)) = on_path else { return stops_near(timetable, x_m, y_m, &self.access) };
        let table = if direction == Direction::ToPoints { &paths.to_stops } else { &paths.from_stops };
        let mut found = Vec::new();
        paths.reach.near(&place, table, limit_ms(&self.access), &mut found);
        let mut near: Vec<(StopIx, u32)> = found.into_iter().map(|(stop, ms)| (StopIx(stop), seconds(ms))).collect();
        let straight_s = |stop: StopIx| straight_s(timetable, &self.access, stop, x_m, y_m);
        near.extend(paths.off.iter().filter_map(|&stop| straight_s(stop).map(|seconds| (stop, seconds))));
        near.sort_unstable();
        near
    }

    /// Walks between stops; those of the timetable's transfers win.
    pub(crate) fn between_stops(&self, timetable: &Timetable) -> Footpaths {
        let Some(paths) = &self.paths else { return Footpaths::straight(timetable, &self.change) };
        let (mut walks, mut found) = (Vec::new(), Vec::new());
        for (from, place) in (0_u32..).map(StopIx).zip(&paths.stops) {
            let Some(place) = place else { continue };
            paths.reach.near(place, &paths.to_stops, limit_ms(&self.change), &mut found);
            let others = found.iter().filter(|(to, _)| *to != from.0);
            walks.extend(others.map(|&(to, ms)| (from, StopIx(to), seconds(ms))));
        }
        for &off in &paths.off {
            let (x_m, y_m) = (timetable.stops.x_m[off.row()], timetable.stops.y_m[off.row()]);
            for (stop, seconds) in stops_near(timetable, x_m, y_m, &self.change) {
                if stop != off {
                    walks.extend([(off, stop, seconds), (stop, off, seconds)]);
                }
            }
        }
        Footpaths::with_transfers(timetable, &walks, &self.change)
    }
}

/// How long the longest walk takes, milliseconds.
fn limit_ms(settings: &WalkSettings) -> u32 {
    settings.seconds(settings.radius_m) * 1000
}

/// Whole seconds, at least one.
fn seconds(ms: u32) -> u32 {
    ms.div_ceil(1000).max(1)
}

fn straight_s(timetable: &Timetable, settings: &WalkSettings, stop: StopIx, x_m: f64, y_m: f64) -> Option<u32> {
    let distance_m = (timetable.stops.x_m[stop.row()] - x_m).hypot(timetable.stops.y_m[stop.row()] - y_m);
    (distance_m <= settings.radius_m).then(|| settings.seconds(distance_m))
}

/// What is said of stops that have no path beside them.
pub(crate) fn off_paths_note(off: usize, stops: usize) -> Option<String> {
    (off > 0).then(|| {
        format!("{off} of {stops} stops lie farther than {BESIDE_MAX_M:.0} m from any path; people walk there straight")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use urbis_city::model::{Links, Modes, Nodes};
    use urbis_core::NodeIx;
    use urbis_transit::Date;
    use urbis_transit::timetable::{Builder, Transfer, TransferKind};

    /// Two banks of a river, 100 m apart and rising by 10 m in each 100 m to the east, joined by a bridge at x = 400.
    fn river() -> City {
        let mut city = City::default();
        let (x_m, y_m) = (vec![0.0, 400.0, 0.0, 400.0], vec![0.0, 0.0, 100.0, 100.0]);
        city.nodes =
            Nodes { id: vec![String::new(); 4], x_m, y_m, elevation_m: vec![0.0, 40.0, 0.0, 40.0], ..Nodes::default() };
        for (a, b, length) in [(0, 1, 400.0), (2, 3, 400.0), (1, 3, 100.0)] {
            for (a, b) in [(a, b), (b, a)] {
                let Links { id, from, to, length_m, modes, .. } = &mut city.links;
                id.push(String::new());
                from.push(NodeIx(a));
                to.push(NodeIx(b));
                length_m.push(length);
                modes.push(Modes::WALK);
            }
        }
        city
    }

    /// Stops at these positions.
    fn stops(at: &[(f64, f64)], transfers: Vec<Transfer>) -> Timetable {
        let mut builder = Builder::default();
        builder.transfers = transfers;
        for nth in 0..at.len() {
            builder.stops.id.push(nth.to_string());
            builder.stops.name.push(String::new());
            builder.stops.lat_deg.push(f64::NAN);
            builder.stops.lon_deg.push(f64::NAN);
            builder.stops.station.push(u32::MAX);
        }
        builder.stops.x_m = vec![f64::NAN; at.len()];
        builder.stops.y_m = vec![f64::NAN; at.len()];
        let mut timetable = builder.build(Date::default(), 1, String::new());
        timetable.stops.x_m = at.iter().map(|of| of.0).collect();
        timetable.stops.y_m = at.iter().map(|of| of.1).collect();
        timetable
    }

    fn of(near: &[(StopIx, u32)], stop: u32) -> Option<u32> {
        near.iter().find(|(of, _)| of.0 == stop).map(|&(_, seconds)| seconds)
    }

    #[test]
    fn rivers_and_slopes_count_on_paths_alone() {
        let timetable = stops(&[(0.0, 0.0), (0.0, 100.0), (400.0, 100.0), (0.0, 600.0), (f64::NAN, 0.0)], Vec::new());
        let paths = StopWalks::new(&timetable, &river(), 800.0, Walks::Paths);
        let straight = StopWalks::new(&timetable, &river(), 800.0, Walks::Straight);
        let foot = (0.0, 0.0);
        let to = |walks: &StopWalks| walks.near(&timetable, foot, Direction::ToPoints);
        let from = |walks: &StopWalks| walks.near(&timetable, foot, Direction::FromPoints);
        let line_s = |metres: f64| WalkSettings::default().seconds(metres);
        // Across the river it is 100 m by air, and 900 m on foot that go 40 m up and down again.
        assert_eq!(of(&to(&straight), 1), Some(line_s(100.0)));
        assert_eq!((of(&to(&paths), 1), of(&to(&paths), 0)), (None, Some(1)));
        let far = StopWalks::new(&timetable, &river(), 1500.0, Walks::Paths);
        assert!(of(&to(&far), 1).is_some_and(|seconds| seconds > (900.0 / (5.0 / 3.6)) as u32));
        // Up to the bridge's end takes longer than down from there.
        let (up, down) = (of(&to(&paths), 2), of(&from(&paths), 2));
        assert!(up > down && down.is_some(), "{up:?} {down:?}");
        assert_eq!(
            (of(&to(&straight), 2), of(&from(&straight), 2)),
            (Some(line_s(170_000_f64.sqrt())), of(&to(&straight), 2))
        );
        // No path is near the fourth stop; the fifth is nowhere.
        assert_eq!((paths.off_paths(), straight.off_paths()), (1, 0));
        assert_eq!(of(&to(&paths), 3), Some(line_s(600.0)));
        assert_eq!(
            off_paths_note(paths.off_paths(), 5).unwrap(),
            "1 of 5 stops lie farther than 250 m from any path; people walk there straight"
        );
        assert_eq!(off_paths_note(0, 5), None);
        // Who lives far from paths walks straight to all stops.
        let away = paths.near(&timetable, (-300.0, 0.0), Direction::ToPoints);
        assert_eq!(away, straight.near(&timetable, (-300.0, 0.0), Direction::ToPoints));
        // A city without paths is as if straight lines were asked for.
        let none = StopWalks::new(&timetable, &City::default(), 800.0, Walks::Paths);
        assert_eq!(to(&none), to(&straight));
        assert_eq!(none.between_stops(&timetable), straight.between_stops(&timetable));
    }

    #[test]
    fn transfers_of_the_feed_win_over_paths() {
        let at = [(100.0, 0.0), (100.0, 100.0), (300.0, 0.0), (200.0, 0.0)];
        let transfer = |from, to, kind| Transfer { from: StopIx(from), to: StopIx(to), kind, detail: 2 };
        let transfers = vec![
            transfer(0, 1, TransferKind::Takes(77)),
            transfer(0, 2, TransferKind::Recommended),
            transfer(2, 0, TransferKind::Never),
        ];
        let timetable = stops(&at, transfers);
        let footpaths = StopWalks::new(&timetable, &river(), 800.0, Walks::Paths).between_stops(&timetable);
        let from = |stop: u32| footpaths.from(StopIx(stop)).collect::<Vec<_>>();
        let up_s = (200.0 / urbis_traffic::slope::walk_mps(0.1, 5.0 / 3.6)).ceil() as u32;
        let (zero, one) = (from(0), from(1));
        assert_eq!((of(&zero, 1), of(&one, 0)), (Some(77), None), "the river is in the way but for the operator");
        assert_eq!(of(&zero, 2), Some(up_s), "a recommended walk takes what the path does");
        assert_eq!(of(&from(2), 0), None);
        assert!(of(&from(3), 0) < of(&zero, 3), "down is faster than up");
        let straight = StopWalks::new(&timetable, &river(), 800.0, Walks::Straight).between_stops(&timetable);
        assert_eq!(of(&straight.from(StopIx(1)).collect::<Vec<_>>(), 0), Some(94));
    }
}

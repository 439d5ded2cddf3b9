//! Walks between stops: given lists, straight lines within a radius, and what `transfers.txt` says.
//!
//! One walk connects two rides; walks are not joined to longer ones. Whoever wants walks over several stops gives them
//! as a list (from a network of paths) or takes a larger radius. Changing vehicles at one stop takes its change time.
//!
//! Ignored: streets (a detour factor stands for them), slopes, stairs, crowding.
//! Contract: rows by stop, then by the stop walked to; independent of threads.

use crate::StopIx;
use crate::timetable::{Timetable, TransferKind};
use std::collections::BTreeMap;

/// How people walk between stops.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WalkSettings {
    /// Largest straight-line distance of a walk between stops, metres.
    pub radius_m: f64,
    /// Length of the way by that of the straight line.
    pub detour: f64,
    /// Speed, m/s.
    pub speed_mps: f64,
    /// Least time between arriving and leaving again at the same stop, seconds.
    pub change_s: u32,
}

impl Default for WalkSettings {
    /// 400 m, 1.3 times the straight line (usual for street grids), 5 km/h, one minute.
    fn default() -> Self {
        Self { radius_m: 400.0, detour: 1.3, speed_mps: 5.0 / 3.6, change_s: 60 }
    }
}

impl WalkSettings {
    /// Seconds for a straight-line distance; at least one, at most a day.
    #[must_use]
    pub fn seconds(&self, distance_m: f64) -> u32 {
        // A cast of NaN gives 0, of large values the largest.
        ((distance_m * self.detour / self.speed_mps).ceil() as u32).clamp(1, 86_400)
    }
}

/// Walks between stops, and change times at them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Footpaths {
    first: Vec<u32>,
    to: Vec<StopIx>,
    seconds: Vec<u32>,
    /// Least time between arriving and leaving again at each stop, seconds; `u32::MAX` where changing is not possible.
    pub change_s: Vec<u32>,
}

/// Marks a pair that is not to be walked.
const NEVER: u32 = u32::MAX;

/// A walk and how much its source counts: larger wins, then shorter.
type Walk = (StopIx, StopIx, u8, u32);

impl Footpaths {
    /// Walks between stops of a list, both ways only where both are listed; the shortest of equal pairs. Pairs of one
    /// stop are its change time, `change_s` elsewhere. Pairs of stops that are not there are left out.
    #[must_use]
    pub fn from_list(stops: usize, walks: &[(StopIx, StopIx, u32)], change_s: u32) -> Self {
        let mut all: Vec<Walk> = walks.iter().map(|&(from, to, seconds)| (from, to, 0, seconds)).collect();
        Self::from_walks(stops, &mut all, change_s)
    }

    /// Walks along straight lines within the radius, and those of the timetable's transfers, which win. Stops without
    /// a position have only the latter.
    #[must_use]
    pub fn straight(timetable: &Timetable, settings: &WalkSettings) -> Self {
        let (x, y) = (&timetable.stops.x_m, &timetable.stops.y_m);
        let grid = Grid::new(x, y, settings.radius_m);
        let mut walks: Vec<Walk> = Vec::new();
        for from in 0..timetable.stops_len() {
            grid.within(x[from], y[from], |to, distance_m| {
                if to.row() != from {
                    walks.push((StopIx(from as u32), to, 0, settings.seconds(distance_m)));
                }
            });
        }
        Self::add_transfers(timetable, settings, &mut walks);
        Self::from_walks(timetable.stops_len(), &mut walks, settings.change_s)
    }

    /// Walks of a list, and those of the timetable's transfers, which win.
    #[must_use]
    pub fn with_transfers(timetable: &Timetable, list: &[(StopIx, StopIx, u32)], settings: &WalkSettings) -> Self {
        let mut walks: Vec<Walk> = list.iter().map(|&(from, to, seconds)| (from, to, 0, seconds)).collect();
        Self::add_transfers(timetable, settings, &mut walks);
        Self::from_walks(timetable.stops_len(), &mut walks, settings.change_s)
    }

    fn add_transfers(timetable: &Timetable, settings: &WalkSettings, walks: &mut Vec<Walk>) {
        let (x, y) = (&timetable.stops.x_m, &timetable.stops.y_m);
        walks.sort_unstable();
        let listed = walks.len();
        for transfer in &timetable.transfers {
            let (from, to) = (transfer.from, transfer.to);
            let straight_m = (x[from.row()] - x[to.row()]).hypot(y[from.row()] - y[to.row()]);
            let known = walks[..listed].partition_point(|walk| (walk.0, walk.1) < (from, to));
            let known_s = walks[..listed].get(known).filter(|walk| (walk.0, walk.1) == (from, to)).map(|walk| walk.3);
            let seconds = match transfer.kind {
                TransferKind::Guaranteed => 0,
                TransferKind::Takes(seconds) => seconds,
                TransferKind::Never => NEVER,
                TransferKind::Recommended if from == to => settings.change_s,
                // Walking takes what it takes on the street, where that is known.
                TransferKind::Recommended => known_s.unwrap_or_else(|| {
                    if straight_m.is_finite() { settings.seconds(straight_m) } else { settings.change_s }
                }),
            };
            walks.push((from, to, 1 + transfer.detail, seconds));
        }
    }

    fn from_walks(stops: usize, walks: &mut Vec<Walk>, change_s: u32) -> Self {
        walks.retain(|(from, to, ..)| from.row() < stops && to.row() < stops);
        walks.sort_unstable_by_key(|&(from, to, weight, seconds)| (from, to, u8::MAX - weight, seconds));
        walks.dedup_by_key(|(from, to, ..)| (*from, *to));
        let mut of = Self { first: vec![0; stops + 1], change_s: vec![change_s; stops], ..Self::default() };
        for &(from, to, _, seconds) in walks.iter() {
            if from == to {
                of.change_s[from.row()] = seconds;
            } else if seconds != NEVER {
                of.to.push(to);
                of.seconds.push(seconds);
                of.first[from.row() + 1] = of.to.len() as u32;
            }
        }
        for row in 0..stops {
            of.first[row + 1] = of.first[row + 1].max(of.first[row]);
        }
        of
    }

    /// Stops to walk to from a stop, and the seconds it takes.
    #[inline]
    pub fn from(&self, stop: StopIx) -> impl Iterator<Item = (StopIx, u32)> + '_ {
        let range = self.first[stop.row()] as usize..self.first[stop.row() + 1] as usize;
        self.to[range.clone()].iter().copied().zip(self.seconds[range].iter().copied())
    }

    /// Number of walks.
    #[must_use]
    pub fn len(&self) -> usize {
        self.to.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.to.is_empty()
    }
}

/// Stops within the radius of a place and the seconds to walk there or back, by stop: access and egress for those who
/// have no street network.
#[must_use]
pub fn stops_near(timetable: &Timetable, x_m: f64, y_m: f64, settings: &WalkSettings) -> Vec<(StopIx, u32)> {
    let positions = timetable.stops.x_m.iter().zip(&timetable.stops.y_m);
    let near = |(row, (x, y)): (usize, (&f64, &f64))| {
        let distance_m = (x - x_m).hypot(y - y_m);
        (distance_m <= settings.radius_m).then(|| (StopIx(row as u32), settings.seconds(distance_m)))
    };
    positions.enumerate().filter_map(near).collect()
}

/// Stops by squares as wide as the radius.
struct Grid<'a> {
    cells: BTreeMap<(i64, i64), Vec<StopIx>>,
    x_m: &'a [f64],
    y_m: &'a [f64],
    radius_m: f64,
}

impl<'a> Grid<'a> {
    fn new(x_m: &'a [f64], y_m: &'a [f64], radius_m: f64) -> Self {
        let mut grid = Self { cells: BTreeMap::new(), x_m, y_m, radius_m };
        for row in 0..x_m.len() {
            if let Some(cell) = grid.cell(x_m[row], y_m[row]) {
                grid.cells.entry(cell).or_default().push(StopIx(row as u32));
            }
        }
        grid
    }

    fn cell(&self, x: f64, y: f64) -> Option<(i64, i64)> {
        let (column, row) = ((x / self.radius_m).floor(), (y / self.radius_m).floor());
        let fits = |of: f64| of.abs() < 1e15;
        (self.radius_m > 0.0 && fits(column) && fits(row)).then_some((column as i64, row as i64))
    }

    fn within(&self, x: f64, y: f64, mut work: impl FnMut(StopIx, f64)) {
        let Some((column, row)) = self.cell(x, y) else { return };
        for cell in (-1..=1).flat_map(|dx| (-1..=1).map(move |dy| (column + dx, row + dy))) {
            for &stop in self.cells.get(&cell).into_iter().flatten() {
                let distance_m = (self.x_m[stop.row()] - x).hypot(self.y_m[stop.row()] - y);
                if distance_m <= self.radius_m {
                    work(stop, distance_m);
                }
            }
        }
    }
}

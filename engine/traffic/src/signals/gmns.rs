//! Signals of GMNS networks (github.com/zephyr-data-specs/GMNS, tables `signal_*`) as plans.
//!
//! `signal_timing_plan` and `signal_timing_phase` are needed; `signal_phase_mvmt` says what a phase lets
//! pass, `signal_coordination` when a cycle begins. Phases of a ring follow each other by barrier and
//! position, rings run side by side, and everybody waits at a barrier for the longest ring. A phase wants its
//! `max_green`, or `min_green` where that is blank (fixed time), and needs `min_green` and the walk with its
//! clearance. Where the plan says a cycle, what is left over or missing is shared among barriers, and among
//! the phases of a ring, in proportion to what they want beyond what they need.
//!
//! Displayed greens become effective ones as in [`sumo`](super::sumo): `lost_s` at the start, `gain_s` of the
//! clearance at the end. Each timing phase is a group.
//!
//! Ignored: detectors, master controllers (offsets count from midnight), `begin_of_red` before the end of the
//! whole clearance, transitions. Contract: pure functions of the files, never a panic.

use super::controller::{Actuated, ActuatedStage, Stage};
use super::plan::SignalPlan;
use super::sumo::Clearance;
use crate::time::{TICK, Time, from_seconds};
use std::collections::BTreeMap;
use std::path::Path;
use urbis_city::table::{Column, Row, Table};
use urbis_core::{Problem, Problems, Result};

/// Most phases of a plan; controllers have 16 or 32.
const PHASES_MAX: usize = 32;

/// Days and hours at which a plan runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeOfDay {
    /// Sunday to Saturday, then holidays.
    pub days: [bool; 8],
    /// First second of the day.
    pub from_s: u32,
    /// First second after it; before `from_s` when the span runs over midnight.
    pub until_s: u32,
}

/// A phase: what a group of the plan is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GmnsPhase {
    /// `timing_phase_id`.
    pub timing_phase_id: String,
    /// `signal_phase_num`.
    pub number: u32,
    /// `mvmt_id` of the movements it lets pass.
    pub movements: Vec<String>,
    /// `link_id` of the crossings it serves.
    pub links: Vec<String>,
}

/// A timing plan; its groups are the phases.
#[derive(Clone, Debug)]
pub struct GmnsPlan {
    /// `timing_plan_id`.
    pub timing_plan_id: String,
    /// When it runs; `None` where the table does not say or refers to a named time set.
    pub time_of_day: Option<TimeOfDay>,
    /// The named time set (`timeday_id`), if any.
    pub timeday_id: Option<String>,
    /// The plan at fixed times.
    pub plan: SignalPlan,
    /// The phases, by ring, barrier and position.
    pub phases: Vec<GmnsPhase>,
    /// The actuated controller, where phases extend and there is one ring.
    pub actuated: Option<Actuated>,
}

/// A controller with its plans.
#[derive(Clone, Debug)]
pub struct GmnsController {
    /// `controller_id`.
    pub controller_id: String,
    /// Its plans, in order of rows.
    pub plans: Vec<GmnsPlan>,
}

/// The tables.
#[derive(Debug)]
pub struct GmnsTables {
    /// `signal_timing_plan`
    pub plans: Table,
    /// `signal_timing_phase`
    pub phases: Table,
    /// `signal_phase_mvmt`
    pub movements: Option<Table>,
    /// `signal_coordination`
    pub coordination: Option<Table>,
}

/// Reads the signals of a GMNS folder; `None` where it has neither timing plans nor phases.
///
/// # Errors
/// [`urbis_core::Error::Read`] and [`urbis_core::Error::Input`], naming every fault of the tables.
pub fn read(folder: &Path, clearance: Clearance) -> Result<Option<Vec<GmnsController>>> {
    let [plans, phases, movements, coordination] =
        ["signal_timing_plan.csv", "signal_timing_phase.csv", "signal_phase_mvmt.csv", "signal_coordination.csv"]
            .map(|name| Table::find(folder, name));
    match (plans?, phases?) {
        (Some(plans), Some(phases)) => {
            let tables = GmnsTables { plans, phases, movements: movements?, coordination: coordination? };
            controllers(tables, clearance).map(Some)
        }
        (None, None) => Ok(None),
        (plans, _) => {
            let missing = if plans.is_none() { "signal_timing_plan.csv" } else { "signal_timing_phase.csv" };
            let problem = Problem::file(&folder.join(missing), "is missing")
                .with_help("signals need signal_timing_plan.csv and signal_timing_phase.csv");
            Err(problem.into())
        }
    }
}

/// A timing phase as its row says.
#[derive(Clone, Debug)]
struct Timed {
    phase: GmnsPhase,
    /// (ring, barrier, position, row)
    order: (i64, i64, i64, usize),
    need: Time,
    want: Time,
    clearance: Time,
    extension: Option<Time>,
}

/// The controllers of tables in memory, in order of their first plan.
///
/// # Errors
/// [`urbis_core::Error::Input`] naming every fault.
pub fn controllers(tables: GmnsTables, clearance: Clearance) -> Result<Vec<GmnsController>> {
    let mut problems = Problems::new();
    let plans = tables.plans.with_id("timing_plan_id");
    let heads = heads(&plans, &mut problems);
    let mut phases = phases(&tables.phases.with_id("timing_phase_id"), &heads, &mut problems);
    if let Some(table) = &tables.movements {
        movements(table, &mut phases, &mut problems);
    }
    let mut coordination = BTreeMap::new();
    if let Some(table) = &tables.coordination {
        coordination = coordinations(table, &heads, &mut problems);
    }
    problems.or_else(())?;

    let mut problems = Problems::new();
    let mut found: Vec<GmnsController> = Vec::new();
    for (nth, head) in heads.into_iter().enumerate() {
        let mut own: Vec<Timed> = phases.iter().filter(|row| row.0 == nth).map(|row| row.1.clone()).collect();
        own.sort_by_key(|timed| timed.order);
        let place = plans.path();
        if own.is_empty() {
            problems.push(Problem::value(
                place,
                head.row,
                Some(&head.id),
                "timing_plan_id",
                &head.id,
                "one with phases",
            ));
            continue;
        }
        if own.len() > PHASES_MAX {
            let what = format!("plan {} has {} phases, at most {PHASES_MAX}", head.id, own.len());
            problems.push(Problem::file(place, what));
            continue;
        }
        let greens = match greens(&own, head.cycle) {
            Ok(greens) => greens,
            Err(need) => {
                let value = f64::from(head.cycle.unwrap_or(0)) / f64::from(TICK);
                let expected = format!("at least {} s, which its phases need", f64::from(need) / f64::from(TICK));
                problems.push(Problem::value(place, head.row, Some(&head.id), "cycle_length", value, expected));
                continue;
            }
        };
        match plan(&own, &greens, coordination.get(&nth), clearance) {
            Ok(plan) => {
                let plan = GmnsPlan {
                    timing_plan_id: head.id,
                    time_of_day: head.time_of_day,
                    timeday_id: head.timeday_id,
                    plan,
                    actuated: actuated(&own, clearance),
                    phases: own.into_iter().map(|timed| timed.phase).collect(),
                };
                match found.iter_mut().find(|controller| controller.controller_id == head.controller_id) {
                    Some(controller) => controller.plans.push(plan),
                    None => found.push(GmnsController { controller_id: head.controller_id, plans: vec![plan] }),
                }
            }
            Err(why) => problems.push(Problem::file(place, format!("plan {}: {why}", head.id))),
        }
    }
    problems.or_else(found)
}

struct Head {
    row: usize,
    id: String,
    controller_id: String,
    time_of_day: Option<TimeOfDay>,
    timeday_id: Option<String>,
    cycle: Option<Time>,
}

fn heads(table: &Table, problems: &mut Problems) -> Vec<Head> {
    let Some([id, controller]) = table.required_all(["timing_plan_id", "controller_id"], problems) else {
        return Vec::new();
    };
    let [time_day, timeday_id, cycle] = ["time_day", "timeday_id", "cycle_length"].map(|name| table.optional(name));
    let mut heads: Vec<Head> = Vec::new();
    for row in table.rows() {
        let (Some(id_text), Some(controller_id)) =
            (row.required_text(id, problems), row.required_text(controller, problems))
        else {
            continue;
        };
        if heads.iter().any(|head| head.id == id_text) {
            problems.push(row.problem(id, "each plan once"));
        }
        let time_of_day = row.optional_text(time_day).and_then(parse_time_of_day);
        if let Some(column) = time_day.filter(|_| time_of_day.is_none() && row.optional_text(time_day).is_some()) {
            problems.push(row.problem(column, "XXXXXXXX_HHMM_HHMM, days as 0 and 1"));
        }
        // Zero means none, as where signals are not coordinated.
        let cycle = seconds(&row, cycle, 600.0, problems).filter(|&cycle| cycle > 0);
        heads.push(Head {
            row: row.number(),
            id: id_text.to_owned(),
            controller_id: controller_id.to_owned(),
            time_of_day,
            timeday_id: row.optional_text(timeday_id).map(str::to_owned),
            cycle,
        });
    }
    heads
}

fn parse_time_of_day(text: &str) -> Option<TimeOfDay> {
    let [days, from, until] = text.split('_').collect::<Vec<_>>()[..] else { return None };
    if days.len() != 8 || !days.bytes().all(|day| day == b'0' || day == b'1') {
        return None;
    }
    let second = |clock: &str| {
        let all_digits = clock.len() == 4 && clock.bytes().all(|digit| digit.is_ascii_digit());
        let clock: u32 = clock.parse().ok().filter(|_| all_digits)?;
        let (hours, minutes) = (clock / 100, clock % 100);
        (minutes < 60 && hours * 60 + minutes <= 1440).then_some(hours * 3600 + minutes * 60)
    };
    let mut bits = [false; 8];
    for (bit, day) in bits.iter_mut().zip(days.bytes()) {
        *bit = day == b'1';
    }
    Some(TimeOfDay { days: bits, from_s: second(from)?, until_s: second(until)? })
}

/// A time of 0 to `most` seconds in a column that may be missing or blank (`NaN` too).
fn seconds(row: &Row<'_>, column: Option<Column>, most: f64, problems: &mut Problems) -> Option<Time> {
    let text = row.optional_text(column)?;
    if text.eq_ignore_ascii_case("nan") {
        return None;
    }
    let expected = format!("0 to {most} s");
    row.number_where(column?, problems, &expected, |value| (0.0..=most).contains(&value)).map(from_seconds)
}

fn phases(table: &Table, heads: &[Head], problems: &mut Problems) -> Vec<(usize, Timed)> {
    let names = ["timing_phase_id", "timing_plan_id", "signal_phase_num", "ring", "barrier", "position", "min_green"];
    let Some([id, plan, number, ring, barrier, position, min_green]) = table.required_all(names, problems) else {
        return Vec::new();
    };
    let [max_green, extension, clearance, walk, walk_clearance] =
        ["max_green", "extension", "clearance", "walk_time", "ped_clearance"].map(|name| table.optional(name));
    let by_id: BTreeMap<&str, usize> = heads.iter().enumerate().map(|(nth, head)| (head.id.as_str(), nth)).collect();
    let mut seen = BTreeMap::new();
    let mut found = Vec::new();
    for row in table.rows() {
        let Some(id_text) = row.required_text(id, problems) else { continue };
        if seen.insert(id_text, ()).is_some() {
            problems.push(row.problem(id, "each phase once"));
        }
        let head = by_id.get(row.text(plan)).copied();
        if head.is_none() {
            problems.push(row.problem(plan, "a plan of signal_timing_plan"));
        }
        let numbers = [(number, 0..=i64::from(u32::MAX)), (ring, 0..=12), (barrier, 0..=12), (position, 0..=1000)]
            .map(|(column, range)| row.integer(column, problems, range));
        let min_green = seconds(&row, Some(min_green), 600.0, problems);
        let [max_green, extension, clearance, walk, walk_clearance] =
            [max_green, extension, clearance, walk, walk_clearance]
                .map(|column| seconds(&row, column, 600.0, problems));
        let (Some(head), [Some(number), Some(ring), Some(barrier), Some(position)]) = (head, numbers) else { continue };
        if min_green.is_none() && max_green.is_none() {
            let expected = "a green in min_green or max_green";
            problems.push(Problem::value(table.path(), row.number(), Some(id_text), "min_green", "(blank)", expected));
        }
        let on_foot = walk.unwrap_or(0) + walk_clearance.unwrap_or(0);
        let need = min_green.unwrap_or(0).max(on_foot);
        // The specification's default: the least green and one extension.
        let want = max_green.unwrap_or(min_green.unwrap_or(0) + extension.unwrap_or(0)).max(need);
        let phase = GmnsPhase { timing_phase_id: id_text.to_owned(), number: number as u32, ..GmnsPhase::default() };
        let extension = extension.or_else(|| max_green.filter(|&max| max > need).map(|_| 3 * TICK));
        let order = (ring, barrier, position, row.number());
        found.push((head, Timed { phase, order, need, want, clearance: clearance.unwrap_or(0), extension }));
    }
    found
}

fn movements(table: &Table, phases: &mut [(usize, Timed)], problems: &mut Problems) {
    let Some(phase) = table.required("timing_phase_id", problems) else { return };
    let [movement, link] = ["mvmt_id", "link_id"].map(|name| table.optional(name));
    let by_id: BTreeMap<String, usize> =
        phases.iter().enumerate().map(|(nth, row)| (row.1.phase.timing_phase_id.clone(), nth)).collect();
    for row in table.rows() {
        match by_id.get(row.text(phase)) {
            None => problems.push(row.problem(phase, "a phase of signal_timing_phase")),
            Some(&nth) => {
                let phase = &mut phases[nth].1.phase;
                let [movement, link] = [movement, link].map(|column| row.optional_text(column));
                if movement.is_none() && link.is_none() {
                    let expected = "a movement, or a link for people on foot";
                    problems.push(Problem::value(table.path(), row.number(), None, "mvmt_id", "(blank)", expected));
                }
                phase.movements.extend(movement.map(str::to_owned));
                phase.links.extend(link.map(str::to_owned));
            }
        }
    }
}

/// When a cycle begins.
#[derive(Clone, Copy, Debug)]
struct Reference {
    offset: Time,
    phase: Option<u32>,
    /// 0 green, 1 yellow, 2 red.
    part: u8,
}

fn coordinations(table: &Table, heads: &[Head], problems: &mut Problems) -> BTreeMap<usize, Reference> {
    let mut found = BTreeMap::new();
    let Some(plan) = table.required("timing_plan_id", problems) else { return found };
    let [phase, part, offset] = ["coord_phase", "coord_ref_to", "offset"].map(|name| table.optional(name));
    for row in table.rows() {
        let Some(nth) = heads.iter().position(|head| head.id == row.text(plan)) else {
            problems.push(row.problem(plan, "a plan of signal_timing_plan"));
            continue;
        };
        let given = |column: Option<Column>| column.filter(|_| row.optional_text(column).is_some());
        let phase = given(phase).and_then(|column| row.integer(column, problems, 0..=i64::from(u32::MAX)));
        let words = [("begin_of_green", 0), ("begin_of_yellow", 1), ("begin_of_red", 2)];
        let part = given(part).map_or(Some(0), |column| row.one_of(column, problems, &words)).unwrap_or(0);
        let offset = seconds(&row, offset, 3600.0, problems).unwrap_or(0);
        found.insert(nth, Reference { offset, phase: phase.map(|number| number as u32), part });
    }
    found
}

/// Shares `total` so that each gets what it needs, and the rest in proportion to what it wants beyond.
fn fit(need: &[Time], want: &[Time], total: Time) -> Vec<Time> {
    let spare = u64::from(total.saturating_sub(need.iter().sum()));
    let beyond: Vec<u64> = need.iter().zip(want).map(|(need, want)| u64::from(want.saturating_sub(*need))).collect();
    let weights: Vec<u64> = if beyond.iter().all(|&more| more == 0) {
        need.iter().map(|&need| u64::from(need) + 1).collect()
    } else {
        beyond
    };
    let all: u64 = weights.iter().sum();
    let (mut upto, mut given) = (0, 0);
    need.iter()
        .zip(&weights)
        .map(|(need, weight)| {
            upto += weight;
            let part = spare * upto / all.max(1) - given;
            given += part;
            need + part as Time
        })
        .collect()
}

/// Start and displayed green of each phase, and the cycle; `Err` is the time the phases need.
fn greens(phases: &[Timed], cycle: Option<Time>) -> Result<(Vec<(Time, Time)>, Time), Time> {
    let mut barriers: Vec<i64> = phases.iter().map(|timed| timed.order.1).collect();
    barriers.sort_unstable();
    barriers.dedup();
    let rows = |ring: i64, barrier: i64| {
        (0..phases.len()).filter(move |&row| (phases[row].order.0, phases[row].order.1) == (ring, barrier))
    };
    let mut rings: Vec<i64> = phases.iter().map(|timed| timed.order.0).collect();
    rings.dedup();
    let longest = |barrier: i64, of: &dyn Fn(&Timed) -> Time| {
        let lengths =
            rings.iter().map(|&ring| rows(ring, barrier).map(|row| of(&phases[row]) + phases[row].clearance).sum());
        lengths.max().unwrap_or(0)
    };
    let need: Vec<Time> = barriers.iter().map(|&barrier| longest(barrier, &|timed| timed.need)).collect();
    let want: Vec<Time> = barriers.iter().map(|&barrier| longest(barrier, &|timed| timed.want)).collect();
    let cycle = cycle.unwrap_or(want.iter().sum());
    if need.iter().sum::<Time>() > cycle {
        return Err(need.iter().sum());
    }
    let spans = fit(&need, &want, cycle);
    let mut found = vec![(0, 0); phases.len()];
    for &ring in &rings {
        let mut begin = 0;
        for (&barrier, &span) in barriers.iter().zip(&spans) {
            let own: Vec<usize> = rows(ring, barrier).collect();
            let column = |of: &dyn Fn(&Timed) -> Time| own.iter().map(|&row| of(&phases[row])).collect::<Vec<_>>();
            let cleared: Time = column(&|timed| timed.clearance).iter().sum();
            let greens = fit(&column(&|timed| timed.need), &column(&|timed| timed.want), span - cleared);
            let mut at = begin;
            for (&row, &green) in own.iter().zip(&greens) {
                found[row] = (at, green);
                at += green + phases[row].clearance;
            }
            begin += span;
        }
    }
    Ok((found, cycle))
}

/// The plan of phases with their displayed greens.
fn plan(
    phases: &[Timed],
    (greens, cycle): &(Vec<(Time, Time)>, Time),
    reference: Option<&Reference>,
    clearance: Clearance,
) -> Result<SignalPlan> {
    let (lost, gain) = (from_seconds(clearance.lost_s), from_seconds(clearance.gain_s));
    let windows = phases.iter().zip(greens).map(|(timed, &(start, green))| {
        if green == *cycle {
            // Never red: nobody starts up.
            return vec![(0, *cycle)];
        }
        let end = start + green + gain.min(timed.clearance);
        let window = (start + lost.min(end - start), end);
        if window.0 < window.1 { vec![(window.0 % cycle, window.0 % cycle + window.1 - window.0)] } else { Vec::new() }
    });
    let windows: Vec<Vec<(Time, Time)>> = windows.collect();
    let conflicts: Vec<(u32, u32)> = (0..phases.len())
        .flat_map(|a| (a + 1..phases.len()).map(move |b| (a, b)))
        .filter(|&(a, b)| phases[a].order.0 == phases[b].order.0 || phases[a].order.1 != phases[b].order.1)
        .map(|(a, b)| (a as u32, b as u32))
        .collect();
    let offset = reference.map_or(0, |reference| {
        let at = reference.phase.and_then(|number| phases.iter().position(|timed| timed.phase.number == number));
        let begin = at.map_or(0, |row| match reference.part {
            0 => greens[row].0,
            1 => greens[row].0 + greens[row].1,
            _ => greens[row].0 + greens[row].1 + phases[row].clearance,
        });
        let cycle = u64::from((*cycle).max(1));
        ((u64::from(reference.offset) + cycle - u64::from(begin) % cycle) % cycle) as Time
    });
    SignalPlan::from_windows(*cycle, offset, windows, &conflicts)
}

/// An actuated controller, where there is one ring and a phase extends.
fn actuated(phases: &[Timed], clearance: Clearance) -> Option<Actuated> {
    let one_ring = phases.iter().all(|timed| timed.order.0 == phases[0].order.0);
    if !one_ring || phases.iter().all(|timed| timed.extension.is_none()) {
        return None;
    }
    let count = phases.len();
    let stage = |row: usize| {
        let (timed, before) = (&phases[row], &phases[(row + count - 1) % count]);
        let gained = from_seconds(clearance.gain_s).min(before.clearance);
        let lost = before.clearance - gained + from_seconds(clearance.lost_s);
        ActuatedStage {
            stage: Stage { groups: vec![row as u32], lost, green_min: timed.need },
            green_max: timed.want,
            gap: timed.extension.unwrap_or(0),
        }
    };
    Actuated::new(count as u32, (0..count).map(stage).collect()).ok()
}

#[cfg(test)]
#[path = "gmns_tests.rs"]
mod tests;

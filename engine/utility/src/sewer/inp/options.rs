//! `[OPTIONS]` and `[EVAPORATION]`.

use super::super::network::{Damping, ForceMain, Method, NormalFlow, Options};
use super::super::time::{DAY_S, day_number, parse_date, parse_time};
use super::super::units::{FOOT_M, FlowUnits};
use super::lines::{Kind, Reader, Row};

/// Options that do not change flows.
const STILL: [&str; 12] = [
    "SWEEP_START",
    "SWEEP_END",
    "DRY_DAYS",
    "THREADS",
    "TEMPDIR",
    "COMPATIBILITY",
    "SLOPE_WEIGHTING",
    "IGNORE_QUALITY",
    "SYS_FLOW_TOL",
    "LAT_FLOW_TOL",
    "IGNORE_ROUTING",
    "SKIP_STEADY_STATE",
];

/// Reads them; what is missing is as in SWMM.
pub(super) fn read(reader: &mut Reader<'_>, rows: &[Row<'_>], method: Option<Method>) -> Options {
    let mut dates = Dates::default();
    let mut options = Options {
        units: FlowUnits::Cfs,
        method: Method::Kinematic,
        start_day: 0,
        start_of_day_s: 0.0,
        duration_s: 0.0,
        report_start_s: 0.0,
        report_step_s: 900.0,
        wet_step_s: 300.0,
        dry_step_s: 3600.0,
        routing_step_s: 300.0,
        rule_step_s: 0.0,
        has_ponding: false,
        damping: Damping::Partial,
        normal_flow: NormalFlow::Both,
        force_main: ForceMain::HazenWilliams,
        lengthening_step_s: 0.0,
        courant_share: 0.0,
        minimum_step_s: 0.5,
        min_surface_m2: 0.0,
        min_slope: 0.0,
        max_trials: 0,
        head_tolerance_m: 0.0,
        has_slot: false,
        evaporation_mps: [0.0; 12],
        evaporates_when_dry_only: false,
        ignores_rain: false,
    };
    let mut ignored = Ignored::default();
    for row in rows.iter().filter(|row| row.kind == Kind::Options) {
        option(reader, row, &mut options, &mut dates, &mut ignored);
    }
    options.method = method.unwrap_or(options.method);
    // Lengths are in the units that any line may have set.
    let m = options.units.length_m();
    options.min_surface_m2 =
        if options.min_surface_m2 > 0.0 { options.min_surface_m2 * m * m } else { 12.566 * FOOT_M * FOOT_M };
    options.head_tolerance_m =
        if options.head_tolerance_m > 0.0 { options.head_tolerance_m * m } else { 0.005 * FOOT_M };
    options.max_trials = if options.max_trials == 0 { 8 } else { options.max_trials };
    if options.dry_step_s < options.wet_step_s {
        reader.notes.push("DRY_STEP is below WET_STEP and was raised to it".to_owned());
        options.dry_step_s = options.wet_step_s;
    }
    if options.routing_step_s > options.wet_step_s {
        reader.notes.push("ROUTING_STEP is above WET_STEP and was lowered to it".to_owned());
        options.routing_step_s = options.wet_step_s;
    }
    dates.apply(reader, &mut options);
    for row in rows {
        let (is_ignored, option) = match row.kind {
            Kind::Snow => (ignored.snow, "IGNORE_SNOWMELT"),
            Kind::Groundwater => (ignored.groundwater, "IGNORE_GROUNDWATER"),
            Kind::Rdii => (ignored.rdii, "IGNORE_RDII"),
            Kind::Files if row.keyword(0) == "SAVE" => (true, ""),
            Kind::Files => (false, "no file to be used"),
            Kind::Evaporation => {
                evaporation(reader, row, &mut options);
                continue;
            }
            _ => continue,
        };
        if !is_ignored {
            let wanted = if row.kind == Kind::Files { option.to_owned() } else { format!("none, or {option} YES") };
            reader.problem(row, format_args!("is not understood and would change flows, expected {wanted}"));
        } else {
            reader.notes.push(format!("line {}: [{}] {} was left out", row.line, row.section, row.id()));
        }
    }
    options
}

#[derive(Default)]
struct Ignored {
    snow: bool,
    groundwater: bool,
    rdii: bool,
}

/// Dates and times of day before they are put together.
#[derive(Default)]
struct Dates {
    start: Option<i64>,
    end: Option<i64>,
    report: Option<i64>,
    start_s: f64,
    end_s: f64,
    report_s: Option<f64>,
}

impl Dates {
    fn apply(&self, reader: &mut Reader<'_>, options: &mut Options) {
        let first = day_number(2004, 1, 1).unwrap_or(0);
        options.start_day = self.start.unwrap_or(first);
        options.start_of_day_s = self.start_s;
        let since = |day: i64, of_day: f64| (day - options.start_day) as f64 * DAY_S + of_day - self.start_s;
        let end = since(self.end.unwrap_or(options.start_day), self.end_s).floor();
        if !(end > 0.0 && end < 2e10) {
            reader
                .problem_at(1, format_args!("END_DATE and END_TIME are {end} s after the start, expected more than 0"));
            options.duration_s = 0.0;
        } else {
            options.duration_s = end;
        }
        let report = self.report.map_or(0.0, |day| since(day, self.report_s.unwrap_or(0.0)));
        options.report_start_s = report.max(0.0);
    }
}

fn option(reader: &mut Reader<'_>, row: &Row<'_>, to: &mut Options, dates: &mut Dates, ignored: &mut Ignored) {
    let name = row.keyword(0);
    let value = row.keyword(1);
    let mut choice = |known: bool, expected: &str| {
        if !known {
            reader.value(row, 1, &name, expected);
        }
    };
    match name.as_str() {
        "FLOW_UNITS" => match FlowUnits::named(&value) {
            Some(units) => to.units = units,
            None => choice(false, "CFS, GPM, MGD, CMS, LPS or MLD"),
        },
        "INFILTRATION" => {
            let known = ["HORTON", "MODIFIED_HORTON", "GREEN_AMPT", "MODIFIED_GREEN_AMPT", "CURVE_NUMBER"];
            choice(
                known.contains(&value.as_str()),
                "HORTON, MODIFIED_HORTON, GREEN_AMPT, MODIFIED_GREEN_AMPT or CURVE_NUMBER",
            );
            reader.infiltration = value;
        }
        "FLOW_ROUTING" | "ROUTING_MODEL" => match value.as_str() {
            "KINWAVE" | "KW" | "XKINWAVE" | "EKW" => to.method = Method::Kinematic,
            "DYNWAVE" | "DW" => to.method = Method::Dynamic,
            "STEADY" | "SF" => to.method = Method::Steady,
            _ => choice(false, "STEADY, KINWAVE or DYNWAVE"),
        },
        "LINK_OFFSETS" => {
            choice(value == "DEPTH" || value == "ELEVATION", "DEPTH or ELEVATION");
            reader.is_by_elevation = value == "ELEVATION";
        }
        "INERTIAL_DAMPING" => match value.as_str() {
            "NONE" => to.damping = Damping::None,
            "PARTIAL" => to.damping = Damping::Partial,
            "FULL" => to.damping = Damping::Full,
            _ => choice(false, "NONE, PARTIAL or FULL"),
        },
        "NORMAL_FLOW_LIMITED" => match value.as_str() {
            "SLOPE" | "NO" => to.normal_flow = NormalFlow::Slope,
            "FROUDE" | "YES" => to.normal_flow = NormalFlow::Froude,
            "BOTH" => to.normal_flow = NormalFlow::Both,
            "NONE" => to.normal_flow = NormalFlow::Neither,
            _ => choice(false, "SLOPE, FROUDE, BOTH or NONE"),
        },
        "FORCE_MAIN_EQUATION" => match value.as_str() {
            "H-W" => to.force_main = ForceMain::HazenWilliams,
            "D-W" => to.force_main = ForceMain::DarcyWeisbach,
            _ => choice(false, "H-W or D-W"),
        },
        "SURCHARGE_METHOD" => {
            choice(value == "EXTRAN" || value == "SLOT", "EXTRAN or SLOT");
            to.has_slot = value == "SLOT";
        }
        "SKIP_STEADY_STATE" | "IGNORE_ROUTING" if value != "NO" => choice(false, "NO: the other is not understood"),
        "ALLOW_PONDING" => to.has_ponding = reader.flag(row, 1, &name, false),
        "IGNORE_RAINFALL" => to.ignores_rain = reader.flag(row, 1, &name, false),
        "IGNORE_SNOWMELT" => ignored.snow = reader.flag(row, 1, &name, false),
        "IGNORE_GROUNDWATER" => ignored.groundwater = reader.flag(row, 1, &name, false),
        "IGNORE_RDII" => ignored.rdii = reader.flag(row, 1, &name, false),
        "START_DATE" => dates.start = date(reader, row, &name),
        "END_DATE" => dates.end = date(reader, row, &name),
        "REPORT_START_DATE" => dates.report = date(reader, row, &name),
        "START_TIME" => dates.start_s = time(reader, row, &name),
        "END_TIME" => dates.end_s = time(reader, row, &name),
        "REPORT_START_TIME" => dates.report_s = Some(time(reader, row, &name)),
        "REPORT_STEP" => to.report_step_s = step(reader, row, &name, true),
        "WET_STEP" => to.wet_step_s = step(reader, row, &name, true),
        "DRY_STEP" => to.dry_step_s = step(reader, row, &name, true),
        "ROUTING_STEP" => to.routing_step_s = step(reader, row, &name, false),
        "RULE_STEP" => to.rule_step_s = time(reader, row, &name),
        "LENGTHENING_STEP" => {
            let seconds = row.word(1).and_then(|word| parse_time(word, false));
            to.lengthening_step_s = seconds.unwrap_or_else(|| reader.at_least_0(row, 1, &name));
        }
        "VARIABLE_STEP" => {
            to.courant_share =
                reader.number_where(row, 1, &name, "a number from 0 to 2", |at| (0.0..=2.0).contains(&at));
        }
        "MINIMUM_STEP" => to.minimum_step_s = reader.at_least_0(row, 1, &name),
        "MIN_SURFAREA" => to.min_surface_m2 = reader.at_least_0(row, 1, &name),
        "MIN_SLOPE" => {
            let percent = reader.number_where(row, 1, &name, "percent below 100", |at| (0.0..100.0).contains(&at));
            to.min_slope = percent / 100.0;
        }
        "HEAD_TOLERANCE" => to.head_tolerance_m = reader.at_least_0(row, 1, &name),
        "MAX_TRIALS" => {
            let trials =
                reader.number_where(row, 1, &name, "a whole number up to 1000", |at| (0.0..=1000.0).contains(&at));
            to.max_trials = trials as u32;
        }
        still if STILL.contains(&still) => {}
        _ => reader.problem(row, "is no option that is known, expected one of SWMM's"),
    }
}

fn date(reader: &mut Reader<'_>, row: &Row<'_>, name: &str) -> Option<i64> {
    let date = row.word(1).and_then(parse_date);
    if date.is_none() {
        reader.value(row, 1, name, "a date such as 08/17/2017");
    }
    date
}

fn time(reader: &mut Reader<'_>, row: &Row<'_>, name: &str) -> f64 {
    row.word(1).and_then(|word| parse_time(word, true)).unwrap_or_else(|| {
        reader.value(row, 1, name, "a time such as 14:30:00");
        0.0
    })
}

/// A step above 0, as a time, in seconds where `is_clock` is not.
fn step(reader: &mut Reader<'_>, row: &Row<'_>, name: &str, is_clock: bool) -> f64 {
    let seconds = row.word(1).and_then(|word| match parse_time(word, is_clock) {
        Some(seconds) => Some(seconds),
        None => word.parse().ok(),
    });
    match seconds {
        Some(seconds) if (0.001..=1e7).contains(&seconds) => seconds,
        _ => {
            reader.value(row, 1, name, "a step above 0, such as 0:05:00");
            1.0
        }
    }
}

fn evaporation(reader: &mut Reader<'_>, row: &Row<'_>, options: &mut Options) {
    match row.keyword(0).as_str() {
        "CONSTANT" => {
            // mm or inches a day.
            let daily = reader.at_least_0(row, 1, "evaporation");
            options.evaporation_mps = [daily * options.units.rain_m() / DAY_S; 12];
        }
        "MONTHLY" => {
            for (month, rate) in options.evaporation_mps.iter_mut().enumerate() {
                let daily = reader.at_least_0(row, month + 1, "evaporation of a month");
                *rate = daily * options.units.rain_m() / DAY_S;
            }
        }
        "DRY_ONLY" => options.evaporates_when_dry_only = reader.flag(row, 1, "DRY_ONLY", false),
        _ => reader.problem(row, "is not understood, expected CONSTANT, MONTHLY or DRY_ONLY"),
    }
}

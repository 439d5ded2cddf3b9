//! `[OPTIONS]`: read before all else, as they say the units.

use super::reader::Reader;
use super::text::{Line, begins, number, which};
use super::units::{FOOT_M, FlowUnit, PressureUnit, Units};
use crate::water::network::{DemandModel, HeadLoss, NONE, QualityKind, Unbalanced};

/// Kinematic viscosity of water at 20 degrees, m2/s: 1.1e-5 square feet per second.
const VISCOSITY_M2PS: f64 = 1.1e-5 * FOOT_M * FOOT_M;
/// Diffusivity of chlorine at 20 degrees, m2/s: 1.3e-8 square feet per second.
const DIFFUSIVITY_M2PS: f64 = 1.3e-8 * FOOT_M * FOOT_M;
/// Smallest difference between required and minimum pressure, in the file's unit.
const LEAST_SPAN: f64 = 0.1;

/// What of `[OPTIONS]` is turned into SI when all of it is known.
#[derive(Clone, Debug)]
pub(super) struct RawOptions<'a> {
    pub(super) flow: FlowUnit,
    pressure: PressureUnit,
    chemical_kgpm3: f64,
    pub(super) default_pattern: Option<(usize, &'a str)>,
    /// Line and id of the node whose water is traced.
    pub(super) trace: Option<(usize, &'a str)>,
    is_pressure_driven: bool,
    minimum: f64,
    required: Option<f64>,
    exponent: f64,
    viscosity: Option<f64>,
    diffusivity: Option<f64>,
    tolerance: Option<f64>,
    flow_change: f64,
    head_error: f64,
}

impl Default for RawOptions<'_> {
    fn default() -> Self {
        Self {
            flow: FlowUnit::Gpm,
            pressure: PressureUnit::Psi,
            chemical_kgpm3: 1e-3,
            default_pattern: None,
            trace: None,
            is_pressure_driven: false,
            minimum: 0.0,
            required: None,
            exponent: 0.5,
            viscosity: None,
            diffusivity: None,
            tolerance: None,
            flow_change: 0.0,
            head_error: 0.0,
        }
    }
}

impl<'a> Reader<'a> {
    /// A line of `[OPTIONS]`.
    pub(super) fn option_line(&mut self, line: &Line<'a>, raw: &mut RawOptions<'a>) {
        let (key, value) = (line.word(0), line.word(1));
        if begins(key, "UNIT") {
            match FlowUnit::named(value) {
                Some(unit) => raw.flow = unit,
                None if value.is_empty() => {}
                None => self.value(line, "UNITS", value, "CFS, GPM, MGD, IMGD, AFD, LPS, LPM, MLD, CMH or CMD"),
            }
        } else if begins(key, "PRESSURE") && !begins(value, "EXP") {
            let names = [("PSI", PressureUnit::Psi), ("KPA", PressureUnit::Kpa), ("METERS", PressureUnit::Metres)];
            match which(value, &names) {
                Some(unit) => raw.pressure = unit,
                None if value.is_empty() => {}
                None => self.value(line, "PRESSURE", value, "PSI, KPA or METERS"),
            }
        } else if begins(key, "HEADL") {
            let names =
                [("H-W", HeadLoss::HazenWilliams), ("D-W", HeadLoss::DarcyWeisbach), ("C-M", HeadLoss::ChezyManning)];
            match which(value, &names) {
                Some(formula) => self.network.options.head_loss = formula,
                None if value.is_empty() => {}
                None => self.value(line, "HEADLOSS", value, "H-W, D-W or C-M"),
            }
        } else if ["HYDR", "MAP", "VERI", "SEGM"].iter().any(|unused| begins(key, unused)) {
            self.notes.push(format!("line {}: option {} is of no bearing here", line.number, line.words.join(" ")));
        } else if begins(key, "QUAL") {
            self.quality_option(line, raw);
        } else if begins(key, "UNBA") {
            let trials = number(line.word(2)).filter(|number| (0.0..1e9).contains(number));
            match which(value, &[("STOP", false), ("CONT", true)]) {
                Some(true) if line.len() > 2 && trials.is_none() => {
                    self.value(line, "UNBALANCED CONTINUE", line.word(2), "a number of trials >= 0");
                }
                Some(true) => self.network.options.unbalanced = Unbalanced::Continue(trials.unwrap_or(0.0) as u32),
                Some(false) => self.network.options.unbalanced = Unbalanced::Stop,
                None if value.is_empty() => {}
                None => self.value(line, "UNBALANCED", value, "STOP or CONTINUE"),
            }
        } else if begins(key, "PATT") {
            if !value.is_empty() {
                raw.default_pattern = Some((line.number, value));
            }
        } else if begins(key, "DEMAND") && begins(value, "MODEL") {
            match which(line.word(2), &[("DDA", false), ("PDA", true)]) {
                Some(is_driven) => raw.is_pressure_driven = is_driven,
                None if line.len() < 3 => {}
                None => self.value(line, "DEMAND MODEL", line.word(2), "DDA or PDA"),
            }
        } else if begins(key, "BACK") {
            self.notes.push(format!(
                "line {}: option {} is not known to this reader",
                line.number,
                line.words.join(" ")
            ));
        } else {
            self.number_option(line, raw);
        }
    }

    fn quality_option(&mut self, line: &Line<'a>, raw: &mut RawOptions<'a>) {
        let value = line.word(1);
        let names = [("NONE", QualityKind::None), ("AGE", QualityKind::Age), ("TRACE", QualityKind::Trace(NONE))];
        raw.trace = None;
        match which(value, &names) {
            _ if value.is_empty() => {}
            // A substance by its name, or CHEMICAL.
            None => {
                let unit = line.word(2);
                if begins(unit, "UG") {
                    raw.chemical_kgpm3 = 1e-6;
                } else if !unit.is_empty() && !begins(unit, "MG") {
                    self.notes.push(format!("line {}: unit {unit} of {value} is taken for mg/L", line.number));
                }
                self.network.quality.kind = QualityKind::Chemical;
            }
            Some(QualityKind::Trace(_)) => {
                self.network.quality.kind = QualityKind::Trace(NONE);
                raw.trace = Some((line.number, line.word(2)));
            }
            Some(kind) => self.network.quality.kind = kind,
        }
    }

    fn number_option(&mut self, line: &Line<'a>, raw: &mut RawOptions<'a>) {
        let key = line.word(0);
        // Names of two words.
        let at = if ["SPEC", "EMIT", "DEMAND", "MINI", "REQ", "PRESSURE"].iter().any(|two| begins(key, two)) {
            2
        } else {
            1
        };
        let names = [
            ("TOLER", 0),
            ("DIFF", 1),
            ("DAMPLIMIT", 2),
            ("FLOWCHANGE", 3),
            ("HEADERROR", 4),
            ("MINI", 5),
            ("REQ", 6),
            ("PRESSURE", 7),
            ("VISC", 8),
            ("SPEC", 9),
            ("TRIAL", 10),
            ("ACCU", 11),
            ("HTOL", 12),
            ("QTOL", 12),
            ("RQTOL", 12),
            ("CHECKFREQ", 13),
            ("MAXCHECK", 14),
            ("EMIT", 15),
            ("DEMAND", 16),
        ];
        let Some(what) = which(key, &names) else {
            let known = ["UNITS", "HEADLOSS", "TRIALS", "ACCURACY", "VISCOSITY", "PATTERN", "QUALITY", "TOLERANCE"];
            let near = urbis_core::diagnostics::did_you_mean(&key.to_ascii_uppercase(), known);
            let near = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
            return self
                .problem(line, format_args!("{key} = {}, expected an option of EPANET 2.2{near}", line.word(1)));
        };
        if line.len() <= at {
            return;
        }
        let read = if what <= 6 { self.not_negative(line, at, key) } else { self.positive(line, at, key) };
        let Some(value) = read else { return };
        // Counts, at least 1.
        let count = value.clamp(1.0, 1e9) as u32;
        let options = &mut self.network.options;
        match what {
            0 => raw.tolerance = Some(value),
            1 => raw.diffusivity = Some(value),
            2 => options.damp_limit = value,
            3 => raw.flow_change = value,
            4 => raw.head_error = value,
            5 => raw.minimum = value,
            6 => raw.required = Some(value),
            7 => raw.exponent = value,
            8 => raw.viscosity = Some(value),
            9 => options.specific_gravity = value,
            10 => options.trials = count,
            // EPANET takes no less than 1e-5; a file that asks for more gets it here.
            11 => options.accuracy = value.min(0.1),
            13 => options.check_every = count,
            14 => options.check_until = count,
            15 => options.emitter_exponent = value,
            16 => options.demand_multiplier = value,
            _ => self.notes.push(format!("line {}: option {key} is of no bearing here", line.number)),
        }
    }

    /// Options in SI, once all lines are read.
    pub(super) fn finish_options(&mut self, raw: &RawOptions<'a>) {
        let options = &mut self.network.options;
        self.units = Units::new(raw.flow, raw.pressure, options.specific_gravity, raw.chemical_kgpm3);
        let units = self.units;
        let area = units.length_m * units.length_m;
        // A small number is a value, any other a multiple of water's.
        options.viscosity_m2ps = match raw.viscosity {
            None => VISCOSITY_M2PS,
            Some(multiple) if multiple > 1e-3 => multiple * VISCOSITY_M2PS,
            Some(value) => value * area,
        };
        self.network.quality.diffusivity_m2ps = match raw.diffusivity {
            None => DIFFUSIVITY_M2PS,
            Some(multiple) if multiple > 1e-4 => multiple * DIFFUSIVITY_M2PS,
            Some(value) => value * area,
        };
        options.flow_change_m3ps = raw.flow_change * units.flow_m3ps;
        options.head_error_m = raw.head_error * units.length_m;
        let tolerance = raw.tolerance.unwrap_or(0.01);
        self.network.quality.tolerance = tolerance * self.quality_unit();
        let required = raw.required.unwrap_or(raw.minimum + LEAST_SPAN);
        if let Some(required) = raw.required.filter(|required| *required > raw.minimum) {
            let [minimum_m, required_m] = [raw.minimum, required].map(|pressure| pressure * units.pressure_m);
            self.network.options.stated_pressures = Some([minimum_m, required_m, raw.exponent]);
        }
        if raw.is_pressure_driven {
            self.network.options.demand_model = DemandModel::PressureDriven {
                minimum_m: raw.minimum * units.pressure_m,
                required_m: required * units.pressure_m,
                exponent: raw.exponent,
            };
            if required - raw.minimum < LEAST_SPAN {
                let place = self.path.to_owned();
                let what = format!(
                    "OPTIONS: REQUIRED PRESSURE = {required}, expected at least MINIMUM PRESSURE + {LEAST_SPAN} = {}",
                    raw.minimum + LEAST_SPAN
                );
                self.problems.push(urbis_core::Problem::file(&place, what));
            }
        }
    }

    /// SI of a unit of quality: hours of age, percent of a trace, mg/L of anything else.
    pub(super) fn quality_unit(&self) -> f64 {
        match self.network.quality.kind {
            QualityKind::Age => 3600.0,
            QualityKind::Trace(_) => 0.01,
            QualityKind::None | QualityKind::Chemical => self.units.chemical_kgpm3,
        }
    }

    /// The traced node, and quality that a run of no length cannot have.
    pub(super) fn finish_quality(&mut self, raw: &RawOptions<'a>) {
        if let Some((line, id)) = raw.trace {
            match self.nodes.get(id) {
                Some(row) => self.network.quality.kind = QualityKind::Trace(*row),
                None => self.problem_at(line, format_args!("QUALITY TRACE = {id}, expected the id of a node")),
            }
        }
        if self.network.times.duration_s == 0 && self.network.quality.kind != QualityKind::None {
            self.notes.push("quality is not followed: the duration is 0".to_owned());
            self.network.quality.kind = QualityKind::None;
        }
    }
}

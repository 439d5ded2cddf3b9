//! Sound power of traffic on links: the road source of CNOSSOS-EU.
//!
//! Annex II of Directive 2002/49/EC, section 2.2, as set by Directive (EU) 2015/996 and amended by Delegated
//! Directive (EU) 2021/1226. A vehicle of category m radiates, in octave band i from 63 Hz to 8 kHz and at the
//! speed v (at least 20 km/h; reference 70 km/h), a rolling and a propulsion sound power, in dB above 1 pW:
//! - L_R = A_R + B_R lg(v / 70) + surface + junction + temperature, K (20 - t)
//! - L_P = A_P + B_P (v - 70) / 70 + surface, where it absorbs, + junction + gradient
//!
//! and their sum as powers; motorcycles have no rolling noise. A line source radiates per metre the power of
//! one vehicle times the vehicles per metre, which is Q / (1000 v) for Q vehicles/h, real speed. The tables are
//! `assets/emissions/{noise,surfaces}.csv`; they are compiled in, [`Noise::from_tables`] takes others.
//!
//! Ignores: studded tyres, mopeds, the quiet of electric vehicles (no category 5 yet), propagation: this is
//! what a propagation model starts from, 0.05 m above the road. Powers at the reference conditions are tabulated
//! every half km/h: exact there, within 0.01 dB between. Contract: pure functions, sums in the order of classes,
//! the same bits on any number of threads.

use crate::emissions::Travel;
use crate::vehicle_class::VehicleClass;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::path::Path;
use urbis_city::table::{Column, Row, Table};
use urbis_core::{Problem, Problems, Result, chunks};

/// Octave bands.
pub const BANDS: usize = 8;

/// Centres of the octave bands, Hz.
pub const BANDS_HZ: [f64; BANDS] = [63.0, 125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0];

/// A-weighting of the bands, dB (section 2.5.5).
const A_WEIGHTING_DB: [f64; BANDS] = [-26.2, -16.1, -8.6, -3.2, 0.0, 1.2, 1.0, -1.1];

const SPEED_KMH_REFERENCE: f64 = 70.0;
/// Below, a vehicle sounds as at this speed.
const SPEED_KMH_MIN: f64 = 20.0;
/// Beyond, a vehicle sounds as at this speed.
const SPEED_KMH_MAX: f64 = 300.0;
/// Steps of the tabulated speed in one km/h.
const STEPS_PER_KMH: f64 = 2.0;
const TEMPERATURE_C_REFERENCE: f64 = 20.0;
/// Steepest gradient with an effect of its own, per cent.
const GRADIENT_PERCENT_MAX: f64 = 12.0;
/// How far a junction is heard in the driving, m.
const JUNCTION_RANGE_M: f64 = 100.0;
/// Reference sound power, W.
const POWER_W_REFERENCE: f64 = 1e-12;

const CATEGORIES: usize = Category::NAMED.len();

/// Vehicle categories of the Directive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Category {
    /// 1: cars and vans up to 3.5 t.
    Light,
    /// 2: two axles and twin tyres, buses.
    MediumHeavy,
    /// 3: three axles and more.
    Heavy,
    /// 4b: motorcycles.
    Motorcycle,
}

urbis_core::named!(Category {
    Light = "light",
    MediumHeavy = "medium_heavy",
    Heavy = "heavy",
    Motorcycle = "motorcycle",
});

impl Category {
    /// The category that a class belongs to.
    #[must_use]
    pub fn of(class: VehicleClass) -> Self {
        match class {
            VehicleClass::Car | VehicleClass::Van => Self::Light,
            VehicleClass::Bus => Self::MediumHeavy,
            VehicleClass::Truck => Self::Heavy,
            VehicleClass::Motorcycle => Self::Motorcycle,
        }
    }
}

/// What vehicles slow down for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Junction {
    /// Crossing with traffic lights.
    Signals,
    /// Roundabout.
    Roundabout,
}

impl Junction {
    /// Rolling and propulsion next to it, dB (table F-3).
    fn effect_db(self, category: Category) -> (f64, f64) {
        match (self, category) {
            (_, Category::Motorcycle) => (0.0, 0.0),
            (Self::Signals, Category::Light) => (-4.5, 5.5),
            (Self::Signals, Category::MediumHeavy | Category::Heavy) => (-4.0, 9.0),
            (Self::Roundabout, Category::Light) => (-4.4, 3.1),
            (Self::Roundabout, Category::MediumHeavy | Category::Heavy) => (-2.3, 6.7),
        }
    }
}

/// Where the vehicles drive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Road {
    /// Rise over run in the direction of travel.
    pub gradient: f64,
    /// Air temperature over the year, degrees Celsius.
    pub temperature_c: f64,
    /// The nearest junction and the distance to it, m.
    pub junction: Option<(Junction, f64)>,
    /// Row of the surface from [`Noise::surface`]; `None` is the reference surface, dense or mastic asphalt.
    pub surface: Option<usize>,
}

impl Default for Road {
    /// Flat, 20 degrees Celsius, no junction, reference surface.
    fn default() -> Self {
        Self { gradient: 0.0, temperature_c: TEMPERATURE_C_REFERENCE, junction: None, surface: None }
    }
}

/// Sound power of a line source per metre, by octave band.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SoundPower {
    /// W/m by band.
    pub w_per_m: [f64; BANDS],
}

impl SoundPower {
    /// Level of each band, dB above 1 pW/m; `None` where there is no sound.
    #[must_use]
    pub fn bands_db(&self) -> [Option<f64>; BANDS] {
        self.w_per_m.map(level_db)
    }
    /// A-weighted power, W/m.
    #[must_use]
    pub fn a_weighted_w_per_m(&self) -> f64 {
        self.w_per_m.iter().zip(A_WEIGHTING_DB).map(|(w, weight)| w * power(weight)).sum()
    }
    /// A-weighted level, dB(A) above 1 pW/m; `None` where there is no sound.
    #[must_use]
    pub fn a_weighted_db(&self) -> Option<f64> {
        level_db(self.a_weighted_w_per_m())
    }
    fn add_scaled(&mut self, w: &[f64; BANDS], amount: f64) {
        for (sum, w) in self.w_per_m.iter_mut().zip(w) {
            *sum += w * amount;
        }
    }
}

/// Ratio of powers of a level difference.
fn power(db: f64) -> f64 {
    10.0_f64.powf(db / 10.0)
}

/// [`power`], without work where nothing changes.
fn ratio(db: f64) -> f64 {
    if db == 0.0 { 1.0 } else { power(db) }
}

fn level_db(w: f64) -> Option<f64> {
    (w > 0.0).then(|| 10.0 * (w / POWER_W_REFERENCE).log10())
}

/// Coefficients of one kind of noise: level at the reference speed and its change with speed.
#[derive(Clone, Copy, Debug)]
struct Law {
    a_db: [f64; BANDS],
    b_db: [f64; BANDS],
}

/// Table F-1 for one category.
#[derive(Clone, Copy, Debug)]
struct Coefficients {
    rolling: Option<Law>,
    propulsion: Law,
}

/// Powers of one vehicle at the reference conditions, W by band.
#[derive(Clone, Copy, Debug)]
struct Powers {
    rolling_w: [f64; BANDS],
    propulsion_w: [f64; BANDS],
}

impl Coefficients {
    fn at(&self, speed_kmh: f64) -> Powers {
        let lg_speed = (speed_kmh / SPEED_KMH_REFERENCE).log10();
        let change = (speed_kmh - SPEED_KMH_REFERENCE) / SPEED_KMH_REFERENCE;
        let watts = |law: &Law, by: f64| {
            std::array::from_fn(|band| power(law.a_db[band] + law.b_db[band] * by) * POWER_W_REFERENCE)
        };
        Powers {
            rolling_w: self.rolling.as_ref().map_or([0.0; BANDS], |law| watts(law, lg_speed)),
            propulsion_w: watts(&self.propulsion, change),
        }
    }
}

/// What a surface does to one category: ratios of powers by band, and rolling with speed.
#[derive(Clone, Copy, Debug)]
struct SurfaceEffect {
    rolling: [f64; BANDS],
    propulsion: [f64; BANDS],
    beta_db: f64,
}

impl SurfaceEffect {
    const NONE: Self = Self { rolling: [1.0; BANDS], propulsion: [1.0; BANDS], beta_db: 0.0 };

    fn new(alpha_db: [f64; BANDS], beta_db: f64) -> Self {
        Self { rolling: alpha_db.map(power), propulsion: alpha_db.map(|alpha| power(alpha.min(0.0))), beta_db }
    }
}

/// Table F-4 for one surface.
#[derive(Clone, Debug)]
struct Surface {
    name: String,
    by_category: [SurfaceEffect; CATEGORIES],
}

/// The road source with its tables.
#[derive(Clone, Debug)]
pub struct Noise {
    /// By category and tabulated speed, from the slowest.
    powers: [Vec<Powers>; CATEGORIES],
    surfaces: Vec<Surface>,
}

impl Noise {
    /// Row of a surface for [`Road::surface`].
    #[must_use]
    pub fn surface(&self, name: &str) -> Option<usize> {
        self.surfaces.iter().position(|surface| surface.name == name)
    }

    /// Names of the surfaces, in the order of their rows.
    pub fn surfaces(&self) -> impl Iterator<Item = &str> {
        self.surfaces.iter().map(|surface| surface.name.as_str())
    }

    /// Sound power of one vehicle, W by band.
    ///
    /// # Panics
    /// When the road has a surface that is not a row of these tables.
    #[must_use]
    pub fn vehicle_w(&self, category: Category, speed_mps: f64, road: &Road) -> [f64; BANDS] {
        let speed_kmh = (speed_mps * 3.6).clamp(SPEED_KMH_MIN, SPEED_KMH_MAX);
        let (junction_rolling_db, junction_propulsion_db) =
            road.junction.map_or((0.0, 0.0), |(junction, distance_m)| {
                let near = (1.0 - distance_m.abs() / JUNCTION_RANGE_M).max(0.0);
                let (rolling_db, propulsion_db) = junction.effect_db(category);
                (rolling_db * near, propulsion_db * near)
            });
        let surface =
            road.surface.map_or(&SurfaceEffect::NONE, |row| &self.surfaces[row].by_category[category as usize]);
        let mut rolling_db = junction_rolling_db + temperature_db(category, road.temperature_c);
        if surface.beta_db != 0.0 {
            rolling_db += surface.beta_db * (speed_kmh / SPEED_KMH_REFERENCE).log10();
        }
        let propulsion_db = junction_propulsion_db + gradient_db(category, road.gradient * 100.0, speed_kmh);
        let (rolling, propulsion) = (ratio(rolling_db), ratio(propulsion_db));

        let steps = (speed_kmh - SPEED_KMH_MIN) * STEPS_PER_KMH;
        let powers = &self.powers[category as usize];
        let step = (steps as usize).min(powers.len() - 2);
        let part = steps - step as f64;
        let (slower, faster) = (&powers[step], &powers[step + 1]);
        let between = |slower: f64, faster: f64| slower + (faster - slower) * part;
        std::array::from_fn(|band| {
            between(slower.rolling_w[band], faster.rolling_w[band]) * rolling * surface.rolling[band]
                + between(slower.propulsion_w[band], faster.propulsion_w[band]) * propulsion * surface.propulsion[band]
        })
    }

    /// Sound power of a link's vehicles per metre, mean over an interval of `span_h` hours, > 0; `length_m` > 0.
    /// Classes of one category sound like it at their own mean speed.
    ///
    /// # Panics
    /// As [`Noise::vehicle_w`].
    #[must_use]
    pub fn link(&self, travel: &Travel, length_m: f64, span_h: f64, road: &Road) -> SoundPower {
        let mut sum = SoundPower::default();
        for (class, _) in VehicleClass::NAMED {
            let (km, h) = (travel.vehicle_km[class as usize], travel.vehicle_h[class as usize]);
            if h > 0.0 {
                let w = self.vehicle_w(Category::of(class), km / h / 3.6, road);
                sum.add_scaled(&w, h / (span_h * length_m));
            }
        }
        sum
    }

    /// [`Noise::link`] of every link; `travel`, `length_m` and `roads` have a row each.
    ///
    /// # Panics
    /// When the columns differ in length; as [`Noise::vehicle_w`].
    #[must_use]
    pub fn links(&self, travel: &[Travel], length_m: &[f64], span_h: f64, roads: &[Road]) -> Vec<SoundPower> {
        assert!(travel.len() == length_m.len() && travel.len() == roads.len(), "one row per link");
        let mut out = vec![SoundPower::default(); travel.len()];
        out.par_chunks_mut(chunks::CHUNK_ROWS).enumerate().for_each(|(chunk, out)| {
            let start = chunk * chunks::CHUNK_ROWS;
            for (row, out) in out.iter_mut().enumerate() {
                let link = start + row;
                *out = self.link(&travel[link], length_m[link], span_h, &roads[link]);
            }
        });
        out
    }
}

fn tabulate(coefficients: Coefficients) -> Vec<Powers> {
    let steps = ((SPEED_KMH_MAX - SPEED_KMH_MIN) * STEPS_PER_KMH) as u32;
    (0..=steps).map(|step| coefficients.at(SPEED_KMH_MIN + f64::from(step) / STEPS_PER_KMH)).collect()
}

/// Effect of the air temperature on rolling noise, dB (section 2.2.3).
fn temperature_db(category: Category, temperature_c: f64) -> f64 {
    let per_degree = match category {
        Category::Light => 0.08,
        Category::MediumHeavy | Category::Heavy => 0.04,
        Category::Motorcycle => 0.0,
    };
    per_degree * (TEMPERATURE_C_REFERENCE - temperature_c)
}

/// Effect of a gradient in per cent on propulsion noise, dB (section 2.2.4).
fn gradient_db(category: Category, percent: f64, speed_kmh: f64) -> f64 {
    let (up, down) = (percent.min(GRADIENT_PERCENT_MAX), (-percent).min(GRADIENT_PERCENT_MAX));
    match category {
        Category::Light if percent < -6.0 => down - 6.0,
        Category::Light if percent > 2.0 => (up - 2.0) / 1.5 * speed_kmh / 100.0,
        Category::MediumHeavy if percent < -4.0 => (down - 4.0) / 0.7 * (speed_kmh - 20.0) / 100.0,
        Category::MediumHeavy if percent > 0.0 => up * speed_kmh / 100.0,
        Category::Heavy if percent < -4.0 => (down - 4.0) / 0.5 * (speed_kmh - 10.0) / 100.0,
        Category::Heavy if percent > 0.0 => up / 0.8 * speed_kmh / 100.0,
        _ => 0.0,
    }
}

/// Names of the tables and what is compiled in for each.
const TABLES: [(&str, &str); 2] = [
    ("noise.csv", include_str!("../../../assets/emissions/noise.csv")),
    ("surfaces.csv", include_str!("../../../assets/emissions/surfaces.csv")),
];

fn compiled_in(at: usize) -> Table {
    let (name, text) = TABLES[at];
    Table::from_bytes(Path::new(name), text.as_bytes()).expect("a compiled-in table")
}

impl Default for Noise {
    /// The tables of the Directive.
    fn default() -> Self {
        Self::from_tables(&compiled_in(0), &compiled_in(1)).expect("compiled-in tables are whole")
    }
}

impl Noise {
    /// Reads those of `noise.csv` and `surfaces.csv` that a folder has; the others are those compiled in.
    ///
    /// # Errors
    /// No table there at all; everything that [`Noise::from_tables`] finds.
    pub fn read(folder: &Path) -> Result<Self> {
        let [noise, surfaces] = TABLES.map(|(name, _)| Table::find(folder, name));
        let (noise, surfaces) = (noise?, surfaces?);
        if noise.is_none() && surfaces.is_none() {
            let names = TABLES.map(|(name, _)| name).join(" or ");
            return Err(Problem::file(folder, format!("no noise table, expected {names}"))
                .with_help("copy assets/emissions and edit it")
                .into());
        }
        let or_compiled_in = |table: Option<Table>, at: usize| table.unwrap_or_else(|| compiled_in(at));
        Self::from_tables(&or_compiled_in(noise, 0), &or_compiled_in(surfaces, 1))
    }

    /// Puts tables together.
    ///
    /// # Errors
    /// Missing columns, unknown words, numbers that are none or beyond 200 dB, rows that occur twice, categories
    /// without propulsion, rolling noise with one of its two rows only.
    pub fn from_tables(noise: &Table, surfaces: &Table) -> Result<Self> {
        let mut problems = Problems::new();
        let coefficients = read_coefficients(noise, &mut problems);
        let surfaces = read_surfaces(surfaces, &mut problems);
        problems.or_else((coefficients, surfaces)).and_then(|(coefficients, surfaces)| match coefficients {
            Some(coefficients) => Ok(Self { powers: coefficients.map(tabulate), surfaces }),
            None => Err(Problem::file(noise.path(), "no coefficients").into()),
        })
    }
}

const BAND_NAMES: [&str; BANDS] = ["hz_63", "hz_125", "hz_250", "hz_500", "hz_1000", "hz_2000", "hz_4000", "hz_8000"];
const QUANTITIES: [&str; 4] = ["rolling_a_db", "rolling_b_db", "propulsion_a_db", "propulsion_b_db"];
/// Beyond, a level is a mistake.
const LEVEL_DB_MAX: f64 = 200.0;

fn category_words() -> [(&'static str, Category); CATEGORIES] {
    Category::NAMED.map(|(category, name)| (name, category))
}

fn bands_of(row: Row<'_>, columns: [Column; BANDS], problems: &mut Problems) -> Option<[f64; BANDS]> {
    let values = columns
        .map(|column| row.number_where(column, problems, "from -200 to 200", |level| level.abs() <= LEVEL_DB_MAX));
    values.iter().all(Option::is_some).then(|| values.map(Option::unwrap_or_default))
}

fn read_coefficients(table: &Table, problems: &mut Problems) -> Option<[Coefficients; CATEGORIES]> {
    let [category, quantity] = table.required_all(["category", "quantity"], problems)?;
    let bands = table.required_all(BAND_NAMES, problems)?;
    let quantities: [(&str, usize); 4] = std::array::from_fn(|at| (QUANTITIES[at], at));
    let mut read: BTreeMap<(Category, usize), [f64; BANDS]> = BTreeMap::new();
    for row in table.rows() {
        let of = row.one_of(category, problems, &category_words());
        let what = row.one_of(quantity, problems, &quantities);
        let values = bands_of(row, bands, problems);
        let (Some(of), Some(what), Some(values)) = (of, what, values) else { continue };
        if read.insert((of, what), values).is_some() {
            problems.push(row.problem(quantity, "each category and quantity once"));
        }
    }
    let mut law = |category: Category, first: usize, required: bool| {
        let [a, b] = [first, first + 1].map(|what| read.get(&(category, what)).copied());
        match (a, b) {
            (Some(a_db), Some(b_db)) => Some(Law { a_db, b_db }),
            (None, None) if !required => None,
            _ => {
                let names = QUANTITIES[first..first + 2].join(" and ");
                problems.push(Problem::file(table.path(), format!("category {} needs {names}", category.name())));
                None
            }
        }
    };
    let all = Category::NAMED.map(|(category, _)| (law(category, 0, false), law(category, 2, true)));
    let whole: Vec<Coefficients> = all
        .iter()
        .filter_map(|&(rolling, propulsion)| Some(Coefficients { rolling, propulsion: propulsion? }))
        .collect();
    whole.try_into().ok()
}

fn read_surfaces(table: &Table, problems: &mut Problems) -> Vec<Surface> {
    let names: [String; BANDS] = BAND_NAMES.map(|band| format!("alpha_{band}"));
    let bands = table.required_all(names.each_ref().map(String::as_str), problems);
    let columns = table.required_all(["surface", "category", "beta_db"], problems);
    let mut surfaces: Vec<Surface> = Vec::new();
    let mut known: Vec<(usize, Category)> = Vec::new();
    let (Some(bands), Some([surface, category, beta])) = (bands, columns) else { return surfaces };
    for row in table.rows() {
        let name = row.required_text(surface, problems);
        let of = row.one_of(category, problems, &category_words());
        let alpha = bands_of(row, bands, problems);
        let beta = row.number_where(beta, problems, "from -200 to 200", |level| level.abs() <= LEVEL_DB_MAX);
        let (Some(name), Some(of), Some(alpha), Some(beta)) = (name, of, alpha, beta) else { continue };
        let at = surfaces.iter().position(|surface| surface.name == name).unwrap_or_else(|| {
            surfaces.push(Surface { name: name.to_owned(), by_category: [SurfaceEffect::NONE; CATEGORIES] });
            surfaces.len() - 1
        });
        if known.contains(&(at, of)) {
            problems.push(row.problem(category, "each surface and category once"));
        }
        known.push((at, of));
        surfaces[at].by_category[of as usize] = SurfaceEffect::new(alpha, beta);
    }
    surfaces
}

//! A folder of ActivitySim's MTC examples as what Urbis plans from: `households.csv`, `persons.csv`, `land_use.csv` and
//! `skims.omx`, columns and matrices by their names there.
//!
//! A zone is a cell. It has a building for its dwellings and one for each kind of place that its land use has: offices,
//! shops, industry, schools, health, civic. Distances within a zone are the diagonal of `DIST`.
//! Cars: time, way and toll of `SOV_*` by time of day; walking and cycling `DISTWALK` and `DISTBIKE` at 3 and 12 mph;
//! public transport the best path on foot, `WLK_TRN_WLK_*`, in hundredths of a minute; there is none for night and
//! evening, which take midday's.
//! Ignored: parking prices, terminal times, toll and shared-ride networks, drive access, fares by pair (their mean
//! counts).

use std::path::{Path, PathBuf};
use std::sync::Arc;
use urbis::city::model::{BuildingUse, Buildings, City, FloorsFrom, Zones};
use urbis::population::persons::Sex;
use urbis::population::settings::{AGE_CLASSES, PersonKind};
use urbis::population::skims::{Matrix, TransitMatrix};
use urbis::population::synthesis::jobs::{Jobs, Sector};
use urbis::population::{Cells, Mode, Persons, Place, Places, PopulationSettings, Skims};
use urbis_core::{NodeIx, Problem, Problems, Result, ZoneIx};
use urbis_interop::matrix::{OmxOptions, read_omx};

/// Metres of a mile.
const MILE_M: f64 = 1609.344;
/// Paces of the example's constants, miles an hour.
const WALK_MPH: f64 = 3.0;
const BICYCLE_MPH: f64 = 12.0;
/// Cents for a mile of the example's tour mode choice.
const CENTS_PER_MILE: f64 = 18.29;
/// Its times of day in order of ours.
const PERIODS: [&str; 5] = ["EA", "AM", "MD", "PM", "EV"];
/// Age from which somebody may have a licence.
const LICENCE_AGE: u8 = 16;
/// Way from home to another building of the zone, against the straight line.
const DETOUR_WITHIN: f64 = 1.3;
/// Floor area of a dwelling and of a place at a school, m2.
const DWELLING_M2: f64 = 100.0;
const SCHOOL_PLACE_M2: f64 = 10.0;

/// What is planned from.
pub(crate) struct Example {
    /// Zones and buildings.
    pub(crate) city: City,
    /// The buildings as places.
    pub(crate) places: Places,
    /// The zones as cells.
    pub(crate) cells: Cells,
    /// Jobs in buildings.
    pub(crate) jobs: Jobs,
    /// Everybody, household by household.
    pub(crate) persons: Persons,
    /// Times and ways.
    pub(crate) skims: Skims,
    /// Settings: the defaults with the example's costs.
    pub(crate) settings: PopulationSettings,
}

/// Columns of a CSV file as numbers.
struct Table {
    path: PathBuf,
    header: Vec<String>,
    rows: Vec<Vec<f64>>,
}

impl Table {
    /// Reads the named columns.
    fn read(path: &Path, names: &[&str]) -> Result<Self> {
        let fault = |why: csv::Error| Problem::file(path, why);
        let mut reader = csv::Reader::from_path(path).map_err(fault)?;
        let header: Vec<String> = reader.headers().map_err(fault)?.iter().map(|name| name.trim().to_owned()).collect();
        let mut problems = Problems::new();
        let mut columns = Vec::new();
        for name in names {
            match header.iter().position(|known| known == name) {
                Some(column) => columns.push(column),
                None => problems.push(Problem::file(path, format!("has no column `{name}`"))),
            }
        }
        problems.or_else(())?;
        let mut problems = Problems::new();
        let mut rows = Vec::new();
        for (nth, record) in reader.records().enumerate() {
            let record = record.map_err(fault)?;
            let mut row = Vec::with_capacity(names.len());
            for (name, &column) in names.iter().zip(&columns) {
                let text = record.get(column).unwrap_or_default().trim();
                match text.parse::<f64>() {
                    Ok(number) if number.is_finite() => row.push(number),
                    _ => problems.push(Problem::value(path, nth + 2, None, name, text, "a number")),
                }
            }
            rows.push(row);
        }
        problems.or_else(Self {
            path: path.to_owned(),
            header: names.iter().map(|&name| name.to_owned()).collect(),
            rows,
        })
    }

    fn column(&self, name: &str) -> impl Iterator<Item = f64> + '_ {
        let column = self.header.iter().position(|known| known == name).unwrap_or(usize::MAX);
        self.rows.iter().map(move |row| row.get(column).copied().unwrap_or(0.0))
    }

    fn list(&self, name: &str) -> Vec<f64> {
        self.column(name).collect()
    }

    /// The row of each whole number of a column.
    fn rows_by(&self, name: &str) -> Result<std::collections::BTreeMap<i64, usize>> {
        let mut rows = std::collections::BTreeMap::new();
        let mut problems = Problems::new();
        for (row, id) in self.column(name).enumerate() {
            if rows.insert(id as i64, row).is_some() {
                problems.push(Problem::value(&self.path, row + 2, None, name, id, "a number that occurs once"));
            }
        }
        problems.or_else(rows)
    }
}

impl Example {
    /// Reads a folder; of the households those alone whose `household_id` stands in the file `only`.
    ///
    /// # Errors
    /// With everything that cannot be read or does not fit together.
    pub(crate) fn read(folder: &Path, only: Option<&Path>) -> Result<Self> {
        let land_use = LandUse::read(&folder.join("land_use.csv"))?;
        let matrices = Matrices { path: folder.join("skims.omx"), zones: &land_use.zones };
        let within_miles = matrices.read("DIST")?;
        let within_m = |zone: usize| f64::from(within_miles[zone * (land_use.zones.len() + 1)]) * MILE_M;
        let (city, jobs) = land_use.city(within_m);
        let places = Places::new(&city);
        // One cell for each zone.
        let cells = Cells::new(&city, &places, 1);
        let persons = read_persons(folder, only, &city)?;
        let mut settings = PopulationSettings::default();
        let skims = matrices.skims(&mut settings)?;
        Ok(Self { city, places, cells, jobs, persons, skims, settings })
    }
}

/// Kinds of jobs in `land_use.csv`: column, use of the building, floor area of a job, m2, and share of the column.
/// Health, education and recreation are one column; a third each is an assumption.
const EMPLOYMENT: [(&str, BuildingUse, f64, f64); 8] = [
    ("FPSEMPN", BuildingUse::Office, 20.0, 1.0),
    ("OTHEMPN", BuildingUse::Office, 20.0, 1.0),
    ("RETEMPN", BuildingUse::Retail, 35.0, 1.0),
    ("AGREMPN", BuildingUse::Industrial, 60.0, 1.0),
    ("MWTEMPN", BuildingUse::Industrial, 60.0, 1.0),
    ("HEREMPN", BuildingUse::Health, 40.0, 1.0 / 3.0),
    ("HEREMPN", BuildingUse::Civic, 80.0, 1.0 / 3.0),
    ("HEREMPN", BuildingUse::Education, 0.0, 1.0 / 3.0),
];
/// Places at schools: the size terms of the example's school location.
const SCHOOL_PLACES: [&str; 4] = ["AGE0519", "HSENROLL", "COLLFTE", "COLLPTE"];

struct LandUse {
    zones: Vec<String>,
    table: Table,
}

impl LandUse {
    fn read(path: &Path) -> Result<Self> {
        let mut names = vec!["TAZ", "TOTHH"];
        names.extend(EMPLOYMENT.iter().take(6).map(|of| of.0));
        names.extend(SCHOOL_PLACES);
        let table = Table::read(path, &names)?;
        table.rows_by("TAZ")?;
        let zones = table.column("TAZ").map(|zone| zone.to_string()).collect();
        Ok(Self { zones, table })
    }

    /// Zones and buildings, and the jobs in these. The first building of a zone has its dwellings.
    fn city(&self, within_m: impl Fn(usize) -> f64) -> (City, Jobs) {
        let mut buildings = Buildings::default();
        let mut jobs = Jobs::default();
        let homes = self.table.list("TOTHH");
        let places: Vec<Vec<f64>> = SCHOOL_PLACES.iter().map(|name| self.table.list(name)).collect();
        let employment: Vec<Vec<f64>> = EMPLOYMENT.iter().map(|of| self.table.list(of.0)).collect();
        for zone in 0..self.zones.len() {
            let mut parts = vec![(BuildingUse::Residential, homes[zone].max(1.0) * DWELLING_M2, 0.0)];
            for (of, column) in EMPLOYMENT.iter().zip(&employment) {
                let count = column[zone] * of.3;
                match parts.iter_mut().find(|part| part.0 == of.1) {
                    Some(part) => *part = (part.0, part.1 + count * of.2, part.2 + count),
                    None => parts.push((of.1, count * of.2, count)),
                }
            }
            if let Some(schools) = parts.iter_mut().find(|part| part.0 == BuildingUse::Education) {
                schools.1 = places.iter().map(|column| column[zone]).sum::<f64>() * SCHOOL_PLACE_M2;
            }
            // Homes in the middle, the others around them. Where zones lie to each other only skims say.
            let radius_m = within_m(zone) / DETOUR_WITHIN;
            for (nth, (purpose, floor_area_m2, count)) in parts.into_iter().enumerate() {
                let angle = std::f64::consts::TAU * nth as f64 / 7.0;
                let radius_m = if nth == 0 { 0.0 } else { radius_m };
                buildings.id.push(format!("{}/{}", self.zones[zone], purpose.name()));
                buildings.zone.push(ZoneIx(zone as u32));
                buildings.purpose.push(purpose);
                buildings.floors.push(1.0);
                buildings.floors_from.push(FloorsFrom::Synthetic);
                buildings.floor_area_m2.push(floor_area_m2);
                buildings.x_m.push(zone as f64 * 10e3 + radius_m * angle.cos());
                buildings.y_m.push(radius_m * angle.sin());
                buildings.car_node.push(NodeIx(zone as u32));
                jobs.jobs.push(count.round() as u32);
                jobs.sector.push(Sector::of(purpose));
            }
        }
        let zones = Zones { id: self.zones.clone(), name: self.zones.clone(), ..Zones::default() };
        (City { zones, buildings, ..City::default() }, jobs)
    }
}

/// The persons of the households in the order of `households.csv`.
fn read_persons(folder: &Path, only: Option<&Path>, city: &City) -> Result<Persons> {
    let households = Table::read(&folder.join("households.csv"), &["HHID", "TAZ", "VEHICL"])?;
    let by_id = households.rows_by("HHID")?;
    let table = Table::read(
        &folder.join("persons.csv"),
        &["household_id", "PERID", "age", "sex", "pemploy", "pstudent", "ptype"],
    )?;
    let kept = only.map(|path| Table::read(path, &["household_id"])?.rows_by("household_id")).transpose()?;
    let mut home = Vec::new();
    let mut problems = Problems::new();
    for (row, zone) in households.column("TAZ").enumerate() {
        let found = city.zones.id.iter().position(|id| *id == zone.to_string());
        match found.and_then(|zone| city.buildings.zone.iter().position(|of| of.row() == zone)) {
            Some(building) => home.push(Place(building as u32)),
            None => {
                let expected = "a zone of land_use.csv";
                problems.push(Problem::value(&households.path, row + 2, None, "TAZ", zone, expected));
            }
        }
    }
    let mut members = vec![Vec::new(); households.rows.len()];
    for (row, id) in table.column("household_id").enumerate() {
        match by_id.get(&(id as i64)) {
            Some(&household) => members[household].push(row),
            None => {
                let expected = "an HHID of households.csv";
                problems.push(Problem::value(&table.path, row + 2, None, "household_id", id, expected));
            }
        }
    }
    problems.or_else(())?;
    let ids = households.list("HHID");
    let cars = households.list("VEHICL");
    let [age, sex, employed, student, kind] =
        ["age", "sex", "pemploy", "pstudent", "ptype"].map(|name| table.list(name));
    let mut persons = Persons::default();
    let is_kept = |household: &usize| kept.as_ref().is_none_or(|kept| kept.contains_key(&(ids[*household] as i64)));
    for (number, household) in (0..members.len()).filter(is_kept).enumerate() {
        for &row in &members[household] {
            let years = age[row].clamp(0.0, 120.0) as u8;
            let has_licence = years >= LICENCE_AGE;
            // As the example corrects it: by kind of person, and small children may go to nursery.
            let is_pupil = match kind[row] as u8 {
                1 => false,
                3 | 6 | 7 | 8 => true,
                _ => student[row] <= 2.0 || years <= 5,
            };
            persons.kind.push(PersonKind::Resident);
            persons.home.push(home[household]);
            persons.household.push(number as u32);
            persons.age_class.push(AGE_CLASSES.iter().rposition(|class| class.1 <= years).unwrap_or(0) as u8);
            persons.employed.push(employed[row] <= 2.0);
            persons.pupil.push(is_pupil);
            persons.has_car.push(has_licence && cars[household] > 0.0);
            persons.has_two_wheeler.push(false);
            persons.workplace.push(Place::NONE);
            persons.age_years.push(years);
            persons.sex.push(if sex[row] < 1.5 { Sex::Male } else { Sex::Female });
            persons.household_cars.push(cars[household].clamp(0.0, 255.0) as u8);
            persons.has_licence.push(has_licence);
            persons.has_transit_pass.push(false);
            persons.is_student.push(is_pupil);
        }
    }
    Ok(persons)
}

struct Matrices<'a> {
    path: PathBuf,
    zones: &'a [String],
}

impl Matrices<'_> {
    /// A matrix with rows and columns in order of the zones.
    fn read(&self, name: &str) -> Result<Vec<f32>> {
        let options = OmxOptions { matrix: Some(name.to_owned()), lookup: None };
        let cells = read_omx(&self.path, &options)?;
        let rows: Vec<Option<usize>> =
            cells.zones.iter().map(|id| self.zones.iter().position(|zone| zone == id)).collect();
        if cells.zones.len() != self.zones.len() || rows.contains(&None) {
            let zones = "has other zones than land_use.csv";
            return Err(Problem::file(&self.path, zones).into());
        }
        let count = self.zones.len();
        let mut matrix = vec![0.0; count * count];
        for (nth, &value) in cells.trips.iter().enumerate() {
            let at = (rows[cells.origin[nth] as usize], rows[cells.destination[nth] as usize]);
            if let (Some(from), Some(to)) = at {
                matrix[from * count + to] = value as f32;
            }
        }
        Ok(matrix)
    }

    fn slow(&self, name: &str, mph: f64) -> Result<Arc<Matrix>> {
        let miles = self.read(name)?;
        let second = |&miles: &f32| (f64::from(miles) / mph * 3600.0) as f32;
        Ok(Arc::new(Matrix {
            time_s: miles.iter().map(second).collect(),
            distance_m: metres(&miles),
            money: Vec::new(),
        }))
    }

    fn car(&self, period: &str) -> Result<Arc<Matrix>> {
        let time_min = self.read(&format!("SOV_TIME__{period}"))?;
        let miles = self.read(&format!("SOV_DIST__{period}"))?;
        let cents = self.read(&format!("SOV_BTOLL__{period}"))?;
        Ok(Arc::new(Matrix {
            time_s: time_min.iter().map(|minutes| minutes * 60.0).collect(),
            distance_m: metres(&miles),
            money: cents.iter().map(|cents| cents / 100.0).collect(),
        }))
    }

    fn transit(&self, period: &str, distance_m: &[f32]) -> Result<Arc<TransitMatrix>> {
        let part = |name: &str| self.read(&format!("WLK_TRN_WLK_{name}__{period}"));
        let in_vehicle = part("IVT")?;
        let transfer = part("XWAIT")?;
        let beside = [part("IWAIT")?, part("WACC")?, part("WAUX")?, part("WEGR")?];
        let mut matrix = TransitMatrix { distance_m: distance_m.to_vec(), ..TransitMatrix::default() };
        for (at, &hundredths) in in_vehicle.iter().enumerate() {
            let out = transfer[at] + beside.iter().map(|column| column[at]).sum::<f32>();
            let second = |hundredths: f32| hundredths * 0.6;
            matrix.time_s.push(if hundredths > 0.0 { second(hundredths + out) } else { f32::INFINITY });
            matrix.out_of_vehicle_s.push(second(out));
            matrix.boardings.push(if transfer[at] > 0.0 { 2.0 } else { 1.0 });
        }
        Ok(Arc::new(matrix))
    }

    /// All of them; what is money in the mode choice of the example goes into the settings.
    fn skims(&self, settings: &mut PopulationSettings) -> Result<Skims> {
        let straight_m = metres(&self.read("DIST")?);
        let fares: Vec<f32> = self.read("WLK_LOC_WLK_FAR__MD")?.into_iter().filter(|&cents| cents > 0.0).collect();
        let mean_fare = f64::from(fares.iter().sum::<f32>()) / 100.0 / fares.len().max(1) as f64;
        if let Some(transit) = settings.modes.get_mut(&Mode::Transit) {
            transit.cost = mean_fare;
        }
        if let Some(car) = settings.modes.get_mut(&Mode::Car) {
            car.cost_per_km = CENTS_PER_MILE / 100.0 / (MILE_M / 1000.0);
        }
        let midday = self.transit("MD", &straight_m)?;
        let (morning, afternoon) = (self.transit("AM", &straight_m)?, self.transit("PM", &straight_m)?);
        Ok(Skims {
            cells: self.zones.len(),
            car: PERIODS.iter().map(|period| self.car(period)).collect::<Result<_>>()?,
            walk: Some(self.slow("DISTWALK", WALK_MPH)?),
            bicycle: Some(self.slow("DISTBIKE", BICYCLE_MPH)?),
            transit: vec![midday.clone(), morning, midday.clone(), afternoon, midday],
            straight_m,
            prices: None,
        })
    }
}

fn metres(miles: &[f32]) -> Vec<f32> {
    miles.iter().map(|&miles| (f64::from(miles) * MILE_M) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAND_USE: &str = "TAZ,TOTHH,FPSEMPN,OTHEMPN,RETEMPN,AGREMPN,MWTEMPN,HEREMPN,AGE0519,HSENROLL,COLLFTE,COLLPTE
1,10,100,5,20,0,7,30,3,0,0,0
2,0,0,0,9,1,1,0,8,250.5,0,10
";
    const HOUSEHOLDS: &str = "HHID,TAZ,income,VEHICL\n70,2,1,0\n8,1,2,3\n9,1,2,1\n";
    const PERSONS: &str = "PERID,household_id,age,sex,pemploy,pstudent,ptype
1,8,40,1,1,3,1
2,70,20,2,3,2,3
3,8,4,2,4,3,8
4,9,80,2,3,3,5
5,8,16,1,2,1,6
";

    fn folder(persons: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("land_use.csv", LAND_USE),
            ("households.csv", HOUSEHOLDS),
            ("persons.csv", persons),
            ("only.csv", "household_id\n9\n70\n"),
        ] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    #[test]
    fn everybody_has_a_home_and_jobs_add_up() {
        let folder = folder(PERSONS);
        let land_use = LandUse::read(&folder.path().join("land_use.csv")).unwrap();
        let (city, jobs) = land_use.city(|_| 500.0);
        assert_eq!(jobs.jobs.iter().sum::<u32>(), 162 + 11);
        let places = Places::new(&city);
        assert_eq!(Cells::new(&city, &places, 1).len(), 2);
        let persons = read_persons(folder.path(), None, &city).unwrap();
        assert_eq!(persons.age_years, [20, 40, 4, 16, 80]);
        assert_eq!(persons.household, [0, 1, 1, 1, 2]);
        assert_eq!(persons.pupil, [true, false, true, true, false]);
        assert_eq!(persons.employed, [false, true, false, true, false]);
        assert_eq!(persons.has_car, [false, true, false, true, true]);
        let zone_of = |person: usize| city.buildings.zone[persons.home[person].row()];
        assert_eq!([zone_of(0), zone_of(1)], [ZoneIx(1), ZoneIx(0)]);
        let some = read_persons(folder.path(), Some(&folder.path().join("only.csv")), &city).unwrap();
        assert_eq!((some.age_years, some.household), (vec![20, 80], vec![0, 1]));
    }

    #[test]
    fn wrong_tables_are_told() {
        for (persons, words) in [
            (PERSONS.replace("ptype", "type"), "has no column `ptype`"),
            (PERSONS.replace("4,9,80", "4,99,80"), "an HHID of households.csv"),
            (PERSONS.replace("4,9,80", "4,9,old"), "a number"),
        ] {
            let folder = folder(&persons);
            let land_use = LandUse::read(&folder.path().join("land_use.csv")).unwrap();
            let Err(urbis_core::Error::Input(problems)) = read_persons(folder.path(), None, &land_use.city(|_| 1.0).0)
            else {
                panic!("{words}");
            };
            assert!(problems.listed()[0].to_string().contains(words), "{}", problems.listed()[0]);
        }
    }
}

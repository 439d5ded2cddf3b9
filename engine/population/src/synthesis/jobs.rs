//! Jobs in buildings, by sector: the panel's jobs by zone (or for the city) spread by floor area and use.

use crate::settings::PopulationSettings;
use bevy_ecs::resource::Resource;
use std::path::Path;
use urbis_city::model::{BuildingUse, City, LandUse};
use urbis_core::columns::apportion;
use urbis_core::{Error, Problem, Problems};

/// Gross floor area for each job, m2: usual planning densities by main use. Dwellings hold the home
/// businesses, caretakers and domestic staff.
const FLOOR_AREA_M2_PER_JOB: [(BuildingUse, f64); 10] = [
    (BuildingUse::Residential, 500.0),
    (BuildingUse::Office, 20.0),
    (BuildingUse::Retail, 35.0),
    (BuildingUse::Hotel, 50.0),
    (BuildingUse::Industrial, 60.0),
    (BuildingUse::Education, 80.0),
    (BuildingUse::Health, 40.0),
    (BuildingUse::Civic, 80.0),
    (BuildingUse::Parking, 2000.0),
    (BuildingUse::Other, f64::INFINITY),
];

/// What a job is in, by the main use of its building.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sector {
    /// Offices and administration.
    Office,
    /// Shops, restaurants, hotels, personal services.
    Retail,
    /// Workshops, factories, warehouses.
    Industry,
    /// Schools, nurseries, universities.
    Education,
    /// Hospitals, clinics.
    Health,
    /// Everything else: households, museums, churches, stations, car parks.
    #[default]
    Other,
}

urbis_core::named!(Sector {
    Office = "office",
    Retail = "retail",
    Industry = "industry",
    Education = "education",
    Health = "health",
    Other = "other",
});

impl Sector {
    /// The sector of the jobs in a building.
    #[must_use]
    pub fn of(purpose: BuildingUse) -> Self {
        match purpose {
            BuildingUse::Office => Self::Office,
            BuildingUse::Retail | BuildingUse::Hotel => Self::Retail,
            BuildingUse::Industrial => Self::Industry,
            BuildingUse::Education => Self::Education,
            BuildingUse::Health => Self::Health,
            BuildingUse::Residential | BuildingUse::Civic | BuildingUse::Parking | BuildingUse::Other => Self::Other,
        }
    }
}

/// Jobs by building. Shape: one row for each building.
#[derive(Clone, Debug, Default, Resource)]
pub struct Jobs {
    /// Jobs in the building.
    pub jobs: Vec<u32>,
    /// What they are in.
    pub sector: Vec<Sector>,
}

impl Jobs {
    /// Spreads the panel's indicator `jobs` by zone; what the zones leave of the city's figure, or all
    /// of it, or `jobs_per_resident` times the residents, goes over the zones without a figure.
    ///
    /// # Errors
    /// When there are jobs but no building to hold them.
    pub fn new(city: &City, settings: &PopulationSettings) -> urbis_core::Result<Self> {
        if let Some(plan) = &city.land_use {
            return Self::new(&plan.before, settings).map(|before| before.after(plan, city));
        }
        let area_m2 = floor_area_m2_per_job(settings)?;
        let weight: Vec<f64> = (0..city.buildings.len())
            .map(|row| city.buildings.floor_area_m2[row] / area_m2[city.buildings.purpose[row] as usize])
            .collect();
        let by_zone = city.buildings.by_zone(city.zones.len());
        let figure = |zone: &str| city.panel_latest(zone, "jobs").map(|row| row.value);
        let of_zone: Vec<Option<f64>> = city.zones.id.iter().map(|id| figure(id)).collect();
        let known: f64 = of_zone.iter().flatten().sum();
        let total = figure(&city.manifest.name).unwrap_or_else(|| {
            if of_zone.iter().all(Option::is_some) {
                known
            } else {
                super::residents::residents_by_zone(city).iter().sum::<f64>() * settings.jobs_per_resident
            }
        });
        let mut jobs = vec![0; city.buildings.len()];
        let mut spread = |rows: &[usize], count: f64| {
            let weights: Vec<f64> = rows.iter().map(|&row| weight[row]).collect();
            for (&row, part) in rows.iter().zip(apportion(count.round().max(0.0) as u32, &weights)) {
                jobs[row] += part;
            }
        };
        let mut open_rows = Vec::new();
        for (zone, figure) in of_zone.iter().enumerate() {
            let rows: Vec<usize> = by_zone.row(zone).iter().map(|building| building.row()).collect();
            match figure {
                Some(count) => spread(&rows, *count),
                None => open_rows.extend(rows),
            }
        }
        let rest = total - known;
        if rest > 0.5 {
            spread(&open_rows, rest);
        }
        if total > 0.5 && jobs.iter().all(|&count| count == 0) {
            let place = Path::new(&city.manifest.name);
            return Err(Error::from(
                Problem::file(place, format!("{total:.0} jobs but no building with floor area to hold them"))
                    .with_help("give the city package buildings, or `[buildings] source = \"synthetic\"`"),
            ));
        }
        let sector = city.buildings.purpose.iter().map(|&purpose| Sector::of(purpose)).collect();
        Ok(Self { jobs, sector })
    }

    /// The jobs of a city before a plan of land use as they are after it: buildings that are taken down in part keep their
    /// part, by largest remainders over all of them, and new ones have as many as the plan says.
    fn after(mut self, plan: &LandUse, city: &City) -> Self {
        let is_less = |share: &f64| *share < 1.0;
        let lessened = plan.kept.iter().map(|share| if is_less(share) { *share } else { 0.0 });
        let wanted: Vec<f64> = self.jobs.iter().zip(lessened).map(|(&jobs, share)| f64::from(jobs) * share).collect();
        let parts = apportion(wanted.iter().sum::<f64>().round() as u32, &wanted);
        for ((jobs, part), _) in self.jobs.iter_mut().zip(parts).zip(&plan.kept).filter(|(_, share)| is_less(share)) {
            *jobs = part;
        }
        self.jobs.extend(plan.jobs.iter().map(|count| count.round().max(0.0) as u32));
        self.sector = city.buildings.purpose.iter().map(|&purpose| Sector::of(purpose)).collect();
        self
    }

    /// Jobs that a floor area of a use holds.
    ///
    /// # Errors
    /// Settings of floor areas that make no sense.
    pub fn of_floor_area(purpose: BuildingUse, area_m2: f64, settings: &PopulationSettings) -> urbis_core::Result<f64> {
        Ok(area_m2 / floor_area_m2_per_job(settings)?[purpose as usize])
    }

    /// Jobs of each zone by sector, in order of [`Sector::NAMED`].
    #[must_use]
    pub fn by_zone(&self, city: &City) -> Vec<[u32; 6]> {
        let mut by_zone = vec![[0; 6]; city.zones.len()];
        for (building, (&jobs, &sector)) in self.jobs.iter().zip(&self.sector).enumerate() {
            by_zone[city.buildings.zone[building].row()][sector as usize] += jobs;
        }
        by_zone
    }
}

/// Floor area for each job by use: the defaults, changed as the settings say.
fn floor_area_m2_per_job(settings: &PopulationSettings) -> urbis_core::Result<[f64; 10]> {
    let mut area_m2 = FLOOR_AREA_M2_PER_JOB.map(|(_, area_m2)| area_m2);
    let mut problems = Problems::new();
    let place = Path::new("population.floor_area_m2_per_job");
    for (name, &area) in &settings.floor_area_m2_per_job {
        match BuildingUse::from_name(name) {
            Some(of) if area > 0.0 => area_m2[of as usize] = area,
            Some(_) => problems.push(Problem::file(place, format!("{name} = {area}, expected > 0"))),
            None => {
                let known: Vec<&str> = BuildingUse::NAMED.iter().map(|(_, name)| *name).collect();
                problems.push(Problem::file(place, format!("unknown use `{name}`, expected one of {known:?}")));
            }
        }
    }
    problems.or_else(area_m2)
}

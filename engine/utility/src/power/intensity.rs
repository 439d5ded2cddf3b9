//! Electricity of buildings by use: yearly intensity, how much of it is constant, follows the clock or
//! follows people, and the reference presence that the people's part is measured against.
//!
//! Intensities are typical of Western European building statistics (orders of magnitude as in the
//! ADEME/CEREN tables for France and CIBSE Guide F benchmarks; recalled, not copied), without electric
//! space heating. They are defaults to be calibrated against a city's own figures.

use urbis_city::model::BuildingUse;

/// Who pays for the electricity, as statistics count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sector {
    /// Dwellings with their stairs and lifts.
    Residential,
    /// Services.
    Tertiary,
    /// Industry.
    Industry,
    /// Street lighting.
    Lighting,
}

impl Sector {
    /// All sectors, in the order of output.
    pub const ALL: [Self; 4] = [Self::Residential, Self::Tertiary, Self::Industry, Self::Lighting];

    /// Name in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        ["residential", "tertiary", "industry", "lighting"][self as usize]
    }
    /// The panel indicator with the year's use of the sector.
    #[must_use]
    pub fn panel_indicator(self) -> &'static str {
        [
            "electricity_use_residential_general_services",
            "electricity_use_tertiary",
            "electricity_use_industry",
            "electricity_use_public_lighting",
        ][self as usize]
    }
    /// The sector of a building.
    #[must_use]
    pub fn of(purpose: BuildingUse) -> Self {
        match purpose {
            BuildingUse::Residential => Self::Residential,
            BuildingUse::Industrial => Self::Industry,
            BuildingUse::Office
            | BuildingUse::Retail
            | BuildingUse::Hotel
            | BuildingUse::Education
            | BuildingUse::Health
            | BuildingUse::Civic
            | BuildingUse::Parking
            | BuildingUse::Other => Self::Tertiary,
        }
    }
}

/// Electricity of one use.
#[derive(Clone, Copy, Debug)]
pub struct Intensity {
    /// kWh a year for each m2 of gross floor area.
    pub kwh_per_m2_year: f64,
    /// Share that never changes: cold, servers, standby, ventilation.
    pub base_share: f64,
    /// Share that follows the hours of [`Intensity::schedule`]; the rest follows people present.
    pub schedule_share: f64,
    /// Weight of each local hour; scaled to a mean of one over the day.
    pub schedule: [f64; 24],
    /// Persons present on the average over the day for each m2, the reference of the people's part.
    pub reference_persons_per_m2: f64,
}

const HOME: [f64; 24] = [
    0.55, 0.50, 0.48, 0.47, 0.48, 0.55, 0.80, 1.05, 1.05, 0.95, 0.92, 1.00, 1.15, 1.10, 0.98, 0.93, 0.95, 1.10, 1.40,
    1.60, 1.60, 1.45, 1.15, 0.80,
];
const OFFICE: [f64; 24] = [
    0.3, 0.3, 0.3, 0.3, 0.3, 0.4, 0.7, 1.2, 1.8, 2.0, 2.05, 2.0, 1.8, 1.85, 2.0, 1.95, 1.85, 1.6, 1.1, 0.7, 0.5, 0.4,
    0.3, 0.3,
];
const SHOP: [f64; 24] = [
    0.35, 0.35, 0.35, 0.35, 0.35, 0.4, 0.5, 0.8, 1.2, 1.6, 1.7, 1.75, 1.75, 1.7, 1.7, 1.7, 1.7, 1.75, 1.75, 1.5, 1.2,
    0.9, 0.6, 0.4,
];
const HOTEL: [f64; 24] = [
    0.7, 0.6, 0.55, 0.55, 0.6, 0.75, 1.0, 1.2, 1.2, 1.05, 1.0, 1.05, 1.15, 1.1, 1.0, 0.95, 1.0, 1.1, 1.3, 1.4, 1.4,
    1.3, 1.1, 0.9,
];
const WORKS: [f64; 24] = [
    0.4, 0.4, 0.4, 0.4, 0.5, 0.8, 1.3, 1.7, 1.8, 1.8, 1.8, 1.7, 1.4, 1.6, 1.7, 1.65, 1.4, 1.0, 0.7, 0.6, 0.5, 0.45,
    0.4, 0.4,
];

/// The intensity of a use.
#[must_use]
pub fn of(purpose: BuildingUse) -> Intensity {
    let of = |kwh_per_m2_year, base_share, schedule_share, schedule, reference_persons_per_m2| Intensity {
        kwh_per_m2_year,
        base_share,
        schedule_share,
        schedule,
        reference_persons_per_m2,
    };
    match purpose {
        BuildingUse::Residential => of(45.0, 0.35, 0.40, HOME, 0.0140),
        BuildingUse::Office => of(150.0, 0.40, 0.45, OFFICE, 0.0150),
        BuildingUse::Retail => of(230.0, 0.45, 0.45, SHOP, 0.0120),
        BuildingUse::Hotel => of(160.0, 0.45, 0.35, HOTEL, 0.0080),
        BuildingUse::Industrial => of(120.0, 0.45, 0.45, WORKS, 0.0050),
        BuildingUse::Education => of(50.0, 0.35, 0.45, OFFICE, 0.0200),
        BuildingUse::Health => of(160.0, 0.50, 0.40, HOTEL, 0.0120),
        BuildingUse::Civic => of(110.0, 0.40, 0.50, SHOP, 0.0060),
        BuildingUse::Parking => of(25.0, 0.70, 0.30, OFFICE, 0.0),
        BuildingUse::Other => of(5.0, 1.0, 0.0, [1.0; 24], 0.0),
    }
}

/// Share of full light at a local hour, from dusk at 20 h to dawn at 6 h (equinox with civil twilight).
#[must_use]
pub fn street_light_share(hour: usize) -> f64 {
    if !(6..20).contains(&hour) { 1.0 } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_and_schedules_are_sound() {
        for (purpose, name) in BuildingUse::NAMED {
            let intensity = of(purpose);
            assert!(intensity.base_share + intensity.schedule_share <= 1.0 + 1e-12, "{name}");
            assert!(intensity.schedule.iter().all(|&weight| weight > 0.0), "{name}");
            let follows_people = intensity.base_share + intensity.schedule_share < 1.0 - 1e-12;
            assert_eq!(follows_people, intensity.reference_persons_per_m2 > 0.0, "{name}");
        }
    }
}

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
    /// Share that follows the clock by a standard load profile (`shape.rs`); the rest follows people present.
    pub schedule_share: f64,
    /// Persons present on the average over the day for each m2, the reference of the people's part.
    pub reference_persons_per_m2: f64,
}

/// The intensity of a use.
#[must_use]
pub fn of(purpose: BuildingUse) -> Intensity {
    let of = |kwh_per_m2_year, base_share, schedule_share, reference_persons_per_m2| Intensity {
        kwh_per_m2_year,
        base_share,
        schedule_share,
        reference_persons_per_m2,
    };
    match purpose {
        BuildingUse::Residential => of(45.0, 0.35, 0.40, 0.0140),
        BuildingUse::Office => of(150.0, 0.40, 0.45, 0.0150),
        BuildingUse::Retail => of(230.0, 0.45, 0.45, 0.0120),
        BuildingUse::Hotel => of(160.0, 0.45, 0.35, 0.0080),
        BuildingUse::Industrial => of(120.0, 0.45, 0.45, 0.0050),
        BuildingUse::Education => of(50.0, 0.35, 0.45, 0.0200),
        BuildingUse::Health => of(160.0, 0.50, 0.40, 0.0120),
        BuildingUse::Civic => of(110.0, 0.40, 0.50, 0.0060),
        BuildingUse::Parking => of(25.0, 0.70, 0.30, 0.0),
        BuildingUse::Other => of(5.0, 1.0, 0.0, 0.0),
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
    fn shares_are_sound() {
        for (purpose, name) in BuildingUse::NAMED {
            let intensity = of(purpose);
            assert!(intensity.base_share + intensity.schedule_share <= 1.0 + 1e-12, "{name}");
            let follows_people = intensity.base_share + intensity.schedule_share < 1.0 - 1e-12;
            assert_eq!(follows_people, intensity.reference_persons_per_m2 > 0.0, "{name}");
        }
    }
}

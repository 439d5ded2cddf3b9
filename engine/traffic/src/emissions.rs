//! Hot emissions and energy of vehicles on links, from how far and how long each class drove there.
//!
//! Every factor is a function of the mean speed V over a link, in km/h, stops included, as in the Tier 3
//! method of the EMEP/EEA air pollutant emission inventory guidebook (chapter 1.A.3.b); there is no extra
//! term for stops or delay, which would count them twice. Fuel follows table A1.3.8 of the TAG data book of
//! the UK Department for Transport. The tables, with the source, licence and quality of each row, are
//! `assets/emissions/{factors,fleet,fuels}.csv`; they are compiled in, and [`Factors::read`] takes others.
//!
//! For a class with K vehicle-kilometres and H vehicle-hours on a link, V = K / H and
//! - V within the range [V0, V1] of a factor f: f(V) K
//! - V > V1: f(V1) K
//! - V < V0: f(V0) V0 H for exhaust, fuel and electricity, an engine that runs by the hour, so that standing
//!   vehicles emit and nothing jumps at V0; f(V0) K for wear, since what stands does not wear.
//!
//! A class is a mix of technologies with fixed shares; all of them drive at the class's speed. So its emissions by
//! the hour are one function of V, tabulated every quarter of a km/h: exact there, and within 2e-4 between.
//!
//! Ignores: cold starts, evaporation, gradients, load (trucks and buses half full), ageing, resuspended dust,
//! emissions of power stations. Contract: pure functions; sums in the order of the tables; links are
//! independent of each other, so columns and totals have the same bits on any number of threads.

mod curve;
mod links;
mod tables;

pub use links::{Emissions, travel};
pub use tables::share_below;

use crate::vehicle_class::VehicleClass;
use curve::{Curve, Extension};

/// Number of vehicle classes; arrays by class follow the order of [`VehicleClass::NAMED`].
pub const CLASSES: usize = VehicleClass::NAMED.len();

/// What a vehicle runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fuel {
    /// Petrol.
    Petrol,
    /// Diesel.
    Diesel,
    /// Electricity from the grid.
    Electric,
}

urbis_core::named!(Fuel { Petrol = "petrol", Diesel = "diesel", Electric = "electric" });

/// What a factor gives an amount of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Substance {
    /// Fuel burned.
    Fuel,
    /// Electricity at the plug.
    Electricity,
    /// Nitrogen oxides, as nitrogen dioxide.
    Nox,
    /// Particles from the exhaust; nearly all below 2.5 micrometres.
    PmExhaust,
    /// Particles below 10 micrometres from tyres.
    PmTyre,
    /// Particles below 10 micrometres from brakes.
    PmBrake,
    /// Particles below 10 micrometres from the road surface.
    PmRoad,
}

urbis_core::named!(Substance {
    Fuel = "fuel",
    Electricity = "electricity",
    Nox = "nox",
    PmExhaust = "pm_exhaust",
    PmTyre = "pm_tyre",
    PmBrake = "pm_brake",
    PmRoad = "pm_road",
});

impl Substance {
    /// What every vehicle of a fuel must have a factor for.
    #[must_use]
    pub fn required(fuel: Fuel) -> &'static [Self] {
        match fuel {
            Fuel::Petrol | Fuel::Diesel => {
                &[Self::Fuel, Self::Nox, Self::PmExhaust, Self::PmTyre, Self::PmBrake, Self::PmRoad]
            }
            Fuel::Electric => &[Self::Electricity, Self::PmTyre, Self::PmBrake, Self::PmRoad],
        }
    }
    fn extension(self) -> Extension {
        match self {
            Self::Fuel | Self::Electricity | Self::Nox | Self::PmExhaust => Extension::PerHour,
            Self::PmTyre | Self::PmBrake | Self::PmRoad => Extension::PerKilometre,
        }
    }
}

/// What vehicles emitted and used.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Emission {
    /// Fuel burned, kg.
    pub fuel_kg: f64,
    /// Carbon dioxide from the exhaust, kg.
    pub co2_kg: f64,
    /// Nitrogen oxides, g of nitrogen dioxide.
    pub nox_g: f64,
    /// Particles from the exhaust, g.
    pub pm_exhaust_g: f64,
    /// Particles below 10 micrometres from tyres, brakes and the road surface, g.
    pub pm_wear_g: f64,
    /// Final energy: lower heating value of the fuel plus electricity, kWh.
    pub energy_kwh: f64,
    /// Electricity at the plug, kWh: what the power domain has to serve.
    pub electricity_kwh: f64,
}

impl Emission {
    /// Adds `amount` times another.
    pub fn add_scaled(&mut self, other: &Self, amount: f64) {
        self.fuel_kg += other.fuel_kg * amount;
        self.co2_kg += other.co2_kg * amount;
        self.nox_g += other.nox_g * amount;
        self.pm_exhaust_g += other.pm_exhaust_g * amount;
        self.pm_wear_g += other.pm_wear_g * amount;
        self.energy_kwh += other.energy_kwh * amount;
        self.electricity_kwh += other.electricity_kwh * amount;
    }
}

/// Slowest speed that [`Travel::at_speed`] takes, m/s.
const SPEED_MPS_MIN: f64 = 0.1;

/// What each class did on a link in an interval: its mean speed is one by the other.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Travel {
    /// Vehicle-kilometres by class, finite, >= 0.
    pub vehicle_km: [f64; CLASSES],
    /// Vehicle-hours by class, finite, >= 0.
    pub vehicle_h: [f64; CLASSES],
}

impl Travel {
    /// Kilometres of all classes at one mean speed; speeds below 0.1 m/s count as that.
    #[must_use]
    pub fn at_speed(vehicle_km: [f64; CLASSES], speed_mps: f64) -> Self {
        let speed_kmh = speed_mps.max(SPEED_MPS_MIN) * 3.6;
        Self { vehicle_km, vehicle_h: vehicle_km.map(|km| km / speed_kmh) }
    }
    /// Kilometres and hours of all vehicles together, split by the share of each class (sum 1).
    #[must_use]
    pub fn split(vehicle_km: f64, vehicle_h: f64, shares: &[f64; CLASSES]) -> Self {
        Self { vehicle_km: shares.map(|share| share * vehicle_km), vehicle_h: shares.map(|share| share * vehicle_h) }
    }
}

/// Steps of the tabulated speed in one km/h.
const STEPS_PER_KMH: f64 = 4.0;

/// Fastest speed of a factor and of the tabulation, km/h; what is faster emits per kilometre as at this speed.
const SPEED_KMH_MAX: f64 = 300.0;

/// Emission factors of a fleet: by class, what a vehicle emits in an hour at each tabulated speed.
#[derive(Clone, Debug)]
pub struct Factors {
    per_hour: [Vec<Emission>; CLASSES],
}

/// A factor of one class, weighted by the share of the technologies it stands for.
struct Term {
    curve: Curve,
    extension: Extension,
    /// What one unit of the curve adds for the whole class.
    adds: Emission,
}

impl Factors {
    fn tabulate(terms: &[Vec<Term>; CLASSES]) -> Self {
        let steps = (SPEED_KMH_MAX * STEPS_PER_KMH) as u32;
        let at = |terms: &[Term], step: u32| {
            let mut sum = Emission::default();
            for term in terms {
                let speed_kmh = f64::from(step) / STEPS_PER_KMH;
                sum.add_scaled(&term.adds, term.curve.per_hour(speed_kmh, term.extension));
            }
            sum
        };
        Self { per_hour: terms.each_ref().map(|terms| (0..=steps).map(|step| at(terms, step)).collect()) }
    }

    /// What one class emitted over `vehicle_km` that took `vehicle_h`; both finite and >= 0.
    #[must_use]
    pub fn class(&self, class: VehicleClass, vehicle_km: f64, vehicle_h: f64) -> Emission {
        let mut sum = Emission::default();
        self.add_class(class as usize, vehicle_km, vehicle_h, &mut sum);
        sum
    }

    /// What all classes emitted on a link in an interval. No allocation.
    #[must_use]
    pub fn link_interval(&self, travel: &Travel) -> Emission {
        let mut sum = Emission::default();
        for (class, (&vehicle_km, &vehicle_h)) in travel.vehicle_km.iter().zip(&travel.vehicle_h).enumerate() {
            self.add_class(class, vehicle_km, vehicle_h, &mut sum);
        }
        sum
    }

    /// What a vehicle of a class emits per kilometre at a mean speed; speeds below 0.1 m/s count as that.
    #[must_use]
    pub fn per_km(&self, class: VehicleClass, speed_mps: f64) -> Emission {
        self.class(class, 1.0, 1.0 / (speed_mps.max(SPEED_MPS_MIN) * 3.6))
    }

    fn add_class(&self, class: usize, vehicle_km: f64, vehicle_h: f64, sum: &mut Emission) {
        if vehicle_km > 0.0 || vehicle_h > 0.0 {
            let per_hour = &self.per_hour[class];
            let steps = vehicle_km / vehicle_h * STEPS_PER_KMH;
            let (step, last) = (steps as usize, per_hour.len() - 1);
            // Hours of zero make the speed infinite.
            if step >= last {
                sum.add_scaled(&per_hour[last], vehicle_km / SPEED_KMH_MAX);
            } else {
                let part = steps - step as f64;
                sum.add_scaled(&per_hour[step], vehicle_h * (1.0 - part));
                sum.add_scaled(&per_hour[step + 1], vehicle_h * part);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fleets_below_a_standard() {
        use crate::VehicleClass::{Car, Van};
        // By hand from the table: diesel Euro 4 and 5; all that burns something.
        assert!((share_below(Car, 4, 6) - 0.22).abs() < 1e-9 && (share_below(Van, 4, 6) - 0.4).abs() < 1e-9);
        assert!((share_below(Car, 7, 7) - 0.95).abs() < 1e-9 && share_below(Car, 0, 0).abs() < 1e-9);
    }

    #[test]
    fn between_tabulated_speeds() {
        let terms = tables::terms(&tables::compiled_in(0), &tables::compiled_in(1), &tables::compiled_in(2)).unwrap();
        let factors = Factors::tabulate(&terms);
        for (class, name) in VehicleClass::NAMED {
            for step in 0..29_999 {
                let speed_kmh = f64::from(step) * 0.01 + 0.0037;
                let mut expected = Emission::default();
                for term in &terms[class as usize] {
                    expected.add_scaled(&term.adds, term.curve.per_hour(speed_kmh, term.extension));
                }
                let got = factors.class(class, speed_kmh, 1.0);
                for (got, expected) in [
                    (got.co2_kg, expected.co2_kg),
                    (got.nox_g, expected.nox_g),
                    (got.pm_exhaust_g, expected.pm_exhaust_g),
                    (got.pm_wear_g, expected.pm_wear_g),
                    (got.energy_kwh, expected.energy_kwh),
                    (got.electricity_kwh, expected.electricity_kwh),
                ] {
                    let error = (got - expected).abs();
                    assert!(error <= 2e-4 * expected, "{name} at {speed_kmh} km/h: {got}, expected {expected}");
                }
            }
        }
    }
}

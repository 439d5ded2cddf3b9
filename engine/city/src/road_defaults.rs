//! What roads are like where tags do not say: lanes, free speed, capacity and jam density by class.
//! All of it is data that a recipe can override, class by class and figure by figure.
//!
//! | class | lanes a direction | free speed, km/h | capacity, veh/h and lane |
//! | --- | --- | --- | --- |
//! | motorway | 2 | 110 | 2000 |
//! | trunk | 2 | 80 | 1900 |
//! | primary | 1 | 50 | 1800 |
//! | secondary | 1 | 50 | 1800 |
//! | tertiary | 1 | 50 | 1600 |
//! | unclassified | 1 | 50 | 1500 |
//! | residential | 1 | 30 | 1200 |
//! | living_street | 1 | 15 | 600 |
//! | service | 1 | 15 | 600 |
//! | external | 2 | 60 | 1800 |
//!
//! Capacities are saturation flows, what a lane passes while nothing stops it: 1900 passenger cars an
//! hour of green and lane (Highway Capacity Manual 2010, ch. 18), less for lorries and narrow streets;
//! free speeds are usual limits of built-up areas. A link that ends at signals keeps `green_share` of
//! its capacity. Jam density is one vehicle each 7.5 m and lane (Nagel and Schreckenberg 1992; HCM: 25
//! ft a queued vehicle). So that the backward wave is never faster than free flow, capacity is at most
//! half the product of jam density and free speed; that binds below 30 km/h only.
//!
//! Ignores: gradients, heavy vehicles, parking, opposing flow. Contract: plain data.

use crate::model::RoadClass;
use crate::osm_tags::{SpeedZone, TaggedSpeed};
use serde::{Deserialize, Serialize};
use urbis_core::units::{MetresPerSecond, VehiclesPerSecond};

/// Figures of a class; those left out are the defaults of the class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClassRules {
    /// Lanes in each direction, 1 to 16.
    pub lanes: Option<u8>,
    /// Free speed, km/h.
    pub speed_kmh: Option<f64>,
    /// Capacity of a lane that nothing stops, vehicles/h.
    pub capacity_vph_lane: Option<f64>,
}

/// Figures that stand in where tags do not say. Every key may be left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RoadRules {
    /// motorway
    pub motorway: ClassRules,
    /// trunk
    pub trunk: ClassRules,
    /// primary
    pub primary: ClassRules,
    /// secondary
    pub secondary: ClassRules,
    /// tertiary
    pub tertiary: ClassRules,
    /// unclassified, road
    pub unclassified: ClassRules,
    /// residential
    pub residential: ClassRules,
    /// living_street
    pub living_street: ClassRules,
    /// service
    pub service: ClassRules,
    /// Connectors to external nodes.
    pub external: ClassRules,
    /// Default speed of ramps (`*_link`) as a share of that of their class; ramps have one lane.
    pub ramp_speed_share: f64,
    /// Share of capacity left to a link that ends at signals.
    pub green_share: f64,
    /// Vehicles a metre and lane in a standing queue.
    pub jam_density_vpm_lane: f64,
    /// Speed where `maxspeed=none`, km/h.
    pub unlimited_kmh: f64,
    /// Speed where `maxspeed=walk`, km/h.
    pub walk_limit_kmh: f64,
    /// Limit of places tagged `<country>:living_street`, km/h.
    pub zone_living_street_kmh: f64,
    /// Limit of places tagged `<country>:urban`, km/h.
    pub zone_urban_kmh: f64,
    /// Limit of places tagged `<country>:rural`, km/h.
    pub zone_rural_kmh: f64,
    /// Limit of places tagged `<country>:trunk`, km/h.
    pub zone_trunk_kmh: f64,
    /// Limit of places tagged `<country>:motorway`, km/h.
    pub zone_motorway_kmh: f64,
    /// Speed of links that only bicycles and people on foot may use, km/h.
    pub bicycle_kmh: f64,
    /// Speed of links that only people on foot may use, km/h.
    pub walk_kmh: f64,
    /// How far before a junction signals and signs are taken to control it, metres.
    pub control_reach_m: f64,
}

impl Default for RoadRules {
    fn default() -> Self {
        let class = ClassRules::default();
        Self {
            motorway: class,
            trunk: class,
            primary: class,
            secondary: class,
            tertiary: class,
            unclassified: class,
            residential: class,
            living_street: class,
            service: class,
            external: class,
            ramp_speed_share: 0.5,
            green_share: 0.45,
            jam_density_vpm_lane: 1.0 / 7.5,
            unlimited_kmh: 130.0,
            walk_limit_kmh: 7.0,
            zone_living_street_kmh: 20.0,
            zone_urban_kmh: 50.0,
            zone_rural_kmh: 80.0,
            zone_trunk_kmh: 110.0,
            zone_motorway_kmh: 130.0,
            bicycle_kmh: 15.0,
            walk_kmh: 5.0,
            control_reach_m: 30.0,
        }
    }
}

/// Figures of a class after overrides.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClassFigures {
    /// Lanes in each direction.
    pub lanes: u8,
    /// Free speed.
    pub speed: MetresPerSecond,
    /// Capacity of a lane that nothing stops.
    pub capacity_lane: VehiclesPerSecond,
}

/// Lanes, speed in km/h and vehicles/h and lane: the table above.
fn defaults(class: RoadClass) -> (u8, f64, f64) {
    match class {
        RoadClass::Motorway => (2, 110.0, 2000.0),
        RoadClass::Trunk => (2, 80.0, 1900.0),
        RoadClass::Primary | RoadClass::Secondary => (1, 50.0, 1800.0),
        RoadClass::Tertiary => (1, 50.0, 1600.0),
        RoadClass::Unclassified => (1, 50.0, 1500.0),
        RoadClass::Residential => (1, 30.0, 1200.0),
        RoadClass::LivingStreet | RoadClass::Service | RoadClass::Path => (1, 15.0, 600.0),
        RoadClass::External => (2, 60.0, 1800.0),
    }
}

impl RoadRules {
    fn overrides(&self, class: RoadClass) -> ClassRules {
        match class {
            RoadClass::Motorway => self.motorway,
            RoadClass::Trunk => self.trunk,
            RoadClass::Primary => self.primary,
            RoadClass::Secondary => self.secondary,
            RoadClass::Tertiary => self.tertiary,
            RoadClass::Unclassified => self.unclassified,
            RoadClass::Residential => self.residential,
            RoadClass::LivingStreet => self.living_street,
            RoadClass::Service | RoadClass::Path => self.service,
            RoadClass::External => self.external,
        }
    }
    /// Figures of a class after overrides.
    #[must_use]
    pub fn class(&self, class: RoadClass) -> ClassFigures {
        let (lanes, speed_kmh, capacity_vph) = defaults(class);
        let own = self.overrides(class);
        ClassFigures {
            lanes: own.lanes.unwrap_or(lanes).max(1),
            speed: MetresPerSecond::from_kmh(own.speed_kmh.unwrap_or(speed_kmh)),
            capacity_lane: VehiclesPerSecond::from_veh_per_hour(own.capacity_vph_lane.unwrap_or(capacity_vph)),
        }
    }
    /// Capacity in vehicles/s of so many lanes of a class at a free speed, before signals.
    #[must_use]
    pub fn capacity_vps(&self, class: RoadClass, lanes: u8, speed: MetresPerSecond) -> f64 {
        f64::from(lanes) * self.class(class).capacity_lane.0.min(0.5 * self.jam_density_vpm_lane * speed.0)
    }
    /// A tagged speed in metres a second.
    pub(crate) fn tagged_speed(&self, tagged: TaggedSpeed) -> MetresPerSecond {
        MetresPerSecond::from_kmh(match tagged {
            TaggedSpeed::Kmh(kmh) => kmh,
            TaggedSpeed::Unlimited => self.unlimited_kmh,
            TaggedSpeed::Walk => self.walk_limit_kmh,
            TaggedSpeed::Zone(SpeedZone::LivingStreet) => self.zone_living_street_kmh,
            TaggedSpeed::Zone(SpeedZone::Urban) => self.zone_urban_kmh,
            TaggedSpeed::Zone(SpeedZone::Rural) => self.zone_rural_kmh,
            TaggedSpeed::Zone(SpeedZone::Trunk) => self.zone_trunk_kmh,
            TaggedSpeed::Zone(SpeedZone::Motorway) => self.zone_motorway_kmh,
            TaggedSpeed::Zone(SpeedZone::Kmh(kmh)) => f64::from(kmh),
        })
    }
    /// Every figure out of its range, as (key, value, expectation).
    #[must_use]
    pub fn out_of_range(&self) -> Vec<(String, f64, &'static str)> {
        let mut wrong = Vec::new();
        let mut check = |key: String, value: f64, expected: &'static str, passes: bool| {
            if !passes {
                wrong.push((key, value, expected));
            }
        };
        let speed = |value: f64| (1.0..=300.0).contains(&value);
        for (class, name) in RoadClass::NAMED {
            let own = self.overrides(class);
            if class == RoadClass::Path {
                continue;
            }
            if let Some(lanes) = own.lanes {
                check(format!("{name}.lanes"), f64::from(lanes), "1 to 16", (1..=16).contains(&lanes));
            }
            if let Some(kmh) = own.speed_kmh {
                check(format!("{name}.speed_kmh"), kmh, "1 to 300", speed(kmh));
            }
            if let Some(vph) = own.capacity_vph_lane {
                check(format!("{name}.capacity_vph_lane"), vph, "1 to 4000", (1.0..=4000.0).contains(&vph));
            }
        }
        for (key, value) in [("ramp_speed_share", self.ramp_speed_share), ("green_share", self.green_share)] {
            check(key.to_owned(), value, "more than 0, at most 1", value > 0.0 && value <= 1.0);
        }
        let jam = self.jam_density_vpm_lane;
        check("jam_density_vpm_lane".to_owned(), jam, "0.05 to 0.5", (0.05..=0.5).contains(&jam));
        for (key, value) in [
            ("unlimited_kmh", self.unlimited_kmh),
            ("walk_limit_kmh", self.walk_limit_kmh),
            ("zone_living_street_kmh", self.zone_living_street_kmh),
            ("zone_urban_kmh", self.zone_urban_kmh),
            ("zone_rural_kmh", self.zone_rural_kmh),
            ("zone_trunk_kmh", self.zone_trunk_kmh),
            ("zone_motorway_kmh", self.zone_motorway_kmh),
            ("bicycle_kmh", self.bicycle_kmh),
            ("walk_kmh", self.walk_kmh),
        ] {
            check(key.to_owned(), value, "1 to 300", speed(value));
        }
        let reach = self.control_reach_m;
        check("control_reach_m".to_owned(), reach, "0 to 200", (0.0..=200.0).contains(&reach));
        wrong
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_figure_can_be_overridden() {
        let rules: RoadRules = toml::from_str("green_share = 0.5\n[primary]\nspeed_kmh = 72\n").unwrap();
        let primary = rules.class(RoadClass::Primary);
        assert!((primary.speed.0 - 20.0).abs() < 1e-12 && primary.lanes == 1);
        assert!((primary.capacity_lane.0 - 0.5).abs() < 1e-12);
        assert!(toml::from_str::<RoadRules>("[primary]\nspeed = 72\n").is_err());
        assert!(toml::from_str::<RoadRules>("green = 1\n").is_err());
        assert!(rules.out_of_range().is_empty());
        let wrong: RoadRules = toml::from_str("green_share = 0.0\n[trunk]\nlanes = 0\nspeed_kmh = -3\n").unwrap();
        let keys: Vec<String> = wrong.out_of_range().into_iter().map(|(key, ..)| key).collect();
        assert_eq!(keys, ["trunk.lanes", "trunk.speed_kmh", "green_share"]);
        let text = toml::to_string(&RoadRules::default()).unwrap();
        assert_eq!(toml::from_str::<RoadRules>(&text).unwrap(), RoadRules::default());
    }

    #[test]
    fn the_backward_wave_is_never_faster_than_free_flow() {
        let rules = RoadRules::default();
        for (class, _) in RoadClass::NAMED {
            for kmh in [1.0, 7.0, 15.0, 30.0, 50.0, 130.0] {
                let speed = MetresPerSecond::from_kmh(kmh);
                let capacity = rules.capacity_vps(class, 1, speed);
                let wave_mps = capacity / (rules.jam_density_vpm_lane - capacity / speed.0);
                assert!(wave_mps > 0.0 && wave_mps <= speed.0 * (1.0 + 1e-9), "{class:?} {kmh}: {wave_mps}");
            }
        }
    }
}

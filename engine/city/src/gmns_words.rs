//! The words GMNS networks use for facility types, allowed uses and controls, as other tools write
//! them; the specification leaves facility types and uses free.
//!
//! Ignores: nothing is guessed from free text beyond these words; unknown facilities are unclassified
//! roads. Contract: pure functions.

use crate::model::{Modes, NodeControl, RoadClass};

/// `ctrl_type`, with the names of the specification's versions and our own.
pub const CONTROLS: [(&str, NodeControl); 14] = [
    ("none", NodeControl::None),
    ("no_control", NodeControl::None),
    ("uncontrolled", NodeControl::None),
    ("signal", NodeControl::Signal),
    ("signalized", NodeControl::Signal),
    ("traffic_signal", NodeControl::Signal),
    ("yield", NodeControl::GiveWay),
    ("give_way", NodeControl::GiveWay),
    ("stop", NodeControl::Stop),
    ("2_stop", NodeControl::Stop),
    ("4_stop", NodeControl::Stop),
    ("roundabout", NodeControl::Roundabout),
    ("0", NodeControl::None),
    ("1", NodeControl::Signal),
];

const ALL: Modes = Modes(Modes::CAR.0 | Modes::BICYCLE.0 | Modes::WALK.0);
const SLOW: Modes = Modes(Modes::BICYCLE.0 | Modes::WALK.0);

/// Class of a facility type and who may use it where `allowed_uses` is blank.
#[must_use]
pub fn facility(text: &str) -> (RoadClass, Modes) {
    let word = text.trim().to_ascii_lowercase().replace([' ', '-'], "_");
    let base = word.strip_suffix("_link").unwrap_or(&word);
    match base {
        "motorway" | "freeway" | "interstate" | "ramp" | "on_ramp" | "off_ramp" | "freeway_ramp" => {
            (RoadClass::Motorway, Modes::CAR)
        }
        "trunk" | "expressway" | "highway" => (RoadClass::Trunk, Modes::CAR),
        "primary" | "principal_arterial" | "major_arterial" | "arterial" => (RoadClass::Primary, ALL),
        "secondary" | "minor_arterial" => (RoadClass::Secondary, ALL),
        "tertiary" | "collector" | "major_collector" | "minor_collector" => (RoadClass::Tertiary, ALL),
        "residential" | "local" | "local_street" | "street" => (RoadClass::Residential, ALL),
        "living_street" => (RoadClass::LivingStreet, ALL),
        "service" | "alley" | "driveway" => (RoadClass::Service, ALL),
        "external" => (RoadClass::External, Modes::CAR),
        "path" | "track" | "cycleway" | "bikeway" | "trail" | "shared_use_path" => (RoadClass::Path, SLOW),
        "footway" | "sidewalk" | "pedestrian" | "steps" | "walkway" | "crosswalk" => (RoadClass::Path, Modes::WALK),
        _ => (RoadClass::Unclassified, ALL),
    }
}

/// The modes of `allowed_uses`; none for uses that are known but not ours (buses, lorries, rail), `None`
/// when no word is known. `all` is everything the facility carries, at least cars.
#[must_use]
pub fn uses(text: &str, of_facility: Modes) -> Option<Modes> {
    let mut modes: Option<Modes> = None;
    for word in text.split([',', ';', '|', '+']) {
        let word = word.trim().to_ascii_lowercase().replace([' ', '-'], "_");
        let found = match word.as_str() {
            "all" | "any" => of_facility,
            "auto" | "autos" | "car" | "cars" | "c" | "motor_vehicle" | "vehicle" | "veh" | "drive" | "sov" | "hov"
            | "hov2" | "hov3" | "gp" | "gpd" => Modes::CAR,
            "bike" | "bikes" | "bicycle" | "bicycles" | "b" | "cycle" => Modes::BICYCLE,
            "walk" | "pedestrian" | "pedestrians" | "ped" | "foot" | "w" => Modes::WALK,
            "active" | "nonmotorized" | "non_motorized" | "shared_use" => SLOW,
            "bus" | "transit" | "t" | "truck" | "trucks" | "rail" | "train" | "tram" | "taxi" | "ferry" | "none" => {
                Modes::default()
            }
            _ => continue,
        };
        modes = Some(modes.unwrap_or_default().union(found));
    }
    modes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_other_tools() {
        assert_eq!(facility("Major Arterial"), (RoadClass::Primary, ALL));
        assert_eq!(facility("motorway_link"), (RoadClass::Motorway, Modes::CAR));
        assert_eq!(facility(""), (RoadClass::Unclassified, ALL));
        assert_eq!(facility("sidewalk").1, Modes::WALK);
        assert_eq!(uses("auto, Bike", ALL), Some(Modes::CAR.union(Modes::BICYCLE)));
        assert_eq!(uses("all", Modes::CAR), Some(Modes::CAR));
        assert_eq!(uses("bus", ALL), Some(Modes::default()));
        assert_eq!(uses("hovercraft", ALL), None);
    }
}

//! What the tags of one way say about traffic: who may use it in which direction, lanes, speed, class.
//! Source: wiki.openstreetmap.org `Key:highway`, `Key:access`, `Key:oneway`, `Key:lanes`,
//! `Tag:barrier=bollard`; defaults by class follow the wiki's table of access restrictions.
//!
//! | highway | car | bicycle | walk |
//! | --- | --- | --- | --- |
//! | motorway, any with `motorroad=yes` | yes | - | - |
//! | trunk | yes | - | - |
//! | primary ... residential, living_street, service | yes | yes | yes |
//! | track, path, cycleway | - | yes | yes |
//! | footway, pedestrian, steps, bridleway, elevator | - | - | yes |
//! | construction, proposed, platform, corridor, raceway, busway, ... | - | - | - |
//!
//! Access tags override, the most specific first (`motorcar`, `motor_vehicle`, `vehicle`, `access`;
//! `bicycle`, `vehicle`, `access`; `foot`, `access`), each with `:forward` or `:backward`. Excluded are
//! `no`, `private`, `permit`, `agricultural`, `forestry`, `military`, `emergency`, `delivery`,
//! `employees`, `use_sidepath` and, for bicycles, `dismount`; anything else, `destination` and
//! `customers` included, may pass. Paths and tracks never carry cars.
//!
//! One-way: `oneway`, roundabouts, motorways; `reversible` counts as forward. Bicycles may go against
//! it by `oneway:bicycle=no` or `cycleway*=opposite*`; people on foot always may.
//!
//! Ignores: conditional access, ferries, vehicle sizes, turn lanes. Contract: pure functions.

use crate::model::{Modes, RoadClass};
use crate::osm::Tags;
use crate::osm_tags;
use crate::road_defaults::RoadRules;

/// One direction of a road.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Direction {
    pub(crate) modes: Modes,
    /// Lanes for cars; 0 where cars may not pass.
    pub(crate) lanes: u8,
    pub(crate) speed_mps: f64,
}

/// What both directions share.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Style {
    pub(crate) class: RoadClass,
    pub(crate) name: String,
    pub(crate) tunnel: bool,
    pub(crate) bridge: bool,
}

/// A way as traffic sees it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RoadWay {
    pub(crate) style: Style,
    pub(crate) forward: Direction,
    pub(crate) backward: Direction,
    /// Cars are excluded by an access tag although the class would carry them.
    pub(crate) car_excluded: bool,
    /// Direction changes with time.
    pub(crate) reversible: bool,
    pub(crate) speed_tagged: bool,
    pub(crate) lanes_tagged: bool,
}

const CAR_KEYS: [&str; 4] = ["motorcar", "motor_vehicle", "vehicle", "access"];
const BICYCLE_KEYS: [&str; 3] = ["bicycle", "vehicle", "access"];
const WALK_KEYS: [&str; 2] = ["foot", "access"];

/// Class, whether a ramp, and who may pass by default; `None` for what is no road.
fn class_of(highway: &str) -> Option<(RoadClass, bool, Modes)> {
    let all = Modes::CAR.union(Modes::BICYCLE).union(Modes::WALK);
    let slow = Modes::BICYCLE.union(Modes::WALK);
    let (base, ramp) = highway.strip_suffix("_link").map_or((highway, false), |base| (base, true));
    let (class, modes) = match base {
        "motorway" => (RoadClass::Motorway, Modes::CAR),
        "trunk" => (RoadClass::Trunk, Modes::CAR),
        "primary" => (RoadClass::Primary, all),
        "secondary" => (RoadClass::Secondary, all),
        "tertiary" => (RoadClass::Tertiary, all),
        "unclassified" | "road" => (RoadClass::Unclassified, all),
        "residential" => (RoadClass::Residential, all),
        "living_street" => (RoadClass::LivingStreet, all),
        "service" => (RoadClass::Service, all),
        "track" | "path" | "cycleway" => (RoadClass::Path, slow),
        "footway" | "pedestrian" | "steps" | "bridleway" | "elevator" => (RoadClass::Path, Modes::WALK),
        _ => return None,
    };
    Some((class, ramp, modes))
}

/// Whether an access value lets a mode pass.
fn passes(value: &str, mode: Modes) -> bool {
    match value {
        "no"
        | "private"
        | "permit"
        | "agricultural"
        | "forestry"
        | "agricultural;forestry"
        | "military"
        | "emergency"
        | "delivery"
        | "employees"
        | "use_sidepath" => false,
        "dismount" => mode != Modes::BICYCLE,
        _ => true,
    }
}

fn keys_of(mode: Modes) -> &'static [&'static str] {
    match mode {
        Modes::CAR => &CAR_KEYS,
        Modes::BICYCLE => &BICYCLE_KEYS,
        _ => &WALK_KEYS,
    }
}

/// What access tags say about a mode in a direction; `None` where they are silent.
fn tagged_access(tags: &Tags, mode: Modes, side: &str) -> Option<bool> {
    keys_of(mode)
        .iter()
        .find_map(|key| tags.get(&format!("{key}:{side}")).or_else(|| tags.get(key)))
        .map(|value| passes(value, mode))
}

/// Directions open to vehicles: (forward, backward, reversible).
fn one_way(tags: &Tags, class: RoadClass, ramp: bool, key: &str) -> (bool, bool, bool) {
    let implied =
        matches!(tags.get("junction"), Some("roundabout" | "circular")) || (class == RoadClass::Motorway && !ramp);
    match tags.get(key) {
        Some("yes" | "true" | "1") => (true, false, false),
        Some("-1" | "reverse") => (false, true, false),
        Some("no" | "false" | "0" | "alternating") => (true, true, false),
        Some("reversible") => (true, false, true),
        _ => (true, !implied, false),
    }
}

/// Whether bicycles may ride against a one-way street.
fn bicycle_contraflow(tags: &Tags) -> bool {
    tags.is("oneway:bicycle", "no")
        || ["cycleway", "cycleway:left", "cycleway:right", "cycleway:both"]
            .iter()
            .any(|key| tags.get(key).is_some_and(|value| value.starts_with("opposite")))
        || ["cycleway:left:oneway", "cycleway:right:oneway"]
            .iter()
            .any(|key| matches!(tags.get(key), Some("no" | "-1")))
}

/// Reads a way; `None` when it is no road at all or nobody may use it.
pub(crate) fn read(tags: &Tags, rules: &RoadRules) -> Option<RoadWay> {
    let (class, ramp, mut default_modes) = class_of(tags.get("highway")?)?;
    if tags.is("motorroad", "yes") {
        default_modes = Modes::CAR;
    }
    if tags.is("area", "yes") || tags.is("service", "emergency_access") {
        default_modes = default_modes.without(Modes::CAR);
    }
    if tags.get("sidewalk").is_some_and(|value| matches!(value, "both" | "left" | "right" | "yes")) {
        default_modes = default_modes.union(Modes::WALK);
    }
    let (forward_open, backward_open, reversible) = one_way(tags, class, ramp, "oneway");
    let (car_forward, car_backward, _) = match tags.get("oneway:motor_vehicle") {
        Some(_) => one_way(tags, class, ramp, "oneway:motor_vehicle"),
        None => (forward_open, backward_open, reversible),
    };
    let contraflow = bicycle_contraflow(tags);

    let modes_of = |side: &str, car_open: bool, open: bool| {
        Modes::NAMED.iter().fold(Modes::default(), |modes, &(mode, _)| {
            let by_class = default_modes.contains(mode);
            let own_side = tags.get(&format!("bicycle:{side}")).is_some_and(|value| passes(value, mode));
            let open = match mode {
                Modes::CAR => car_open && class != RoadClass::Path,
                Modes::BICYCLE => open || contraflow || own_side,
                _ => true,
            };
            // A class that keeps cars off (areas, paths) is not opened to them by a tag.
            let allowed = tagged_access(tags, mode, side).unwrap_or(by_class) && (mode != Modes::CAR || by_class);
            // A general `access=yes` does not put bicycles and walkers on motorways.
            let specific = tags.get(keys_of(mode)[0]).is_some();
            if open && allowed && (by_class || specific) { modes.union(mode) } else { modes }
        })
    };
    let mut forward = Direction { modes: modes_of("forward", car_forward, forward_open), lanes: 0, speed_mps: 0.0 };
    let mut backward = Direction { modes: modes_of("backward", car_backward, backward_open), lanes: 0, speed_mps: 0.0 };
    let both = forward.modes.union(backward.modes);
    if both == Modes::default() {
        return None;
    }
    if both.contains(Modes::WALK) {
        forward.modes = forward.modes.union(Modes::WALK);
        backward.modes = backward.modes.union(Modes::WALK);
    }

    let figures = rules.class(class);
    let guess = if ramp { figures.speed.0 * rules.ramp_speed_share } else { figures.speed.0 };
    let speed = |side: &str| {
        [&*format!("maxspeed:{side}"), "maxspeed", "maxspeed:type", "source:maxspeed", "zone:maxspeed"]
            .iter()
            .find_map(|key| tags.get(key).and_then(osm_tags::speed))
            .map(|tagged| rules.tagged_speed(tagged).0)
    };
    let two_way = car_forward && car_backward;
    let lanes = tagged_lanes(tags, two_way);
    let guess_lanes = if ramp { 1 } else { figures.lanes };
    for (direction, side, tagged) in [(&mut forward, "forward", lanes.0), (&mut backward, "backward", lanes.1)] {
        if direction.modes.contains(Modes::CAR) {
            direction.lanes = tagged.unwrap_or(guess_lanes);
            direction.speed_mps = speed(side).unwrap_or(guess);
        }
        direction.close_to_cars_unless_open(rules);
    }
    let by_class = default_modes.contains(Modes::CAR) && class != RoadClass::Path;
    Some(RoadWay {
        style: Style {
            class,
            name: tags.get("name").or(tags.get("ref")).unwrap_or("").to_owned(),
            tunnel: osm_tags::is_yes(tags.get("tunnel")),
            bridge: osm_tags::is_yes(tags.get("bridge")),
        },
        forward,
        backward,
        car_excluded: by_class && !forward.modes.union(backward.modes).contains(Modes::CAR),
        reversible,
        speed_tagged: speed("forward").is_some() || speed("backward").is_some(),
        lanes_tagged: lanes.0.is_some() || lanes.1.is_some(),
    })
}

impl Direction {
    /// Where cars may not pass: no lanes, and the speed of the fastest other mode.
    pub(crate) fn close_to_cars_unless_open(&mut self, rules: &RoadRules) {
        if !self.modes.contains(Modes::CAR) {
            self.lanes = 0;
            let kmh = if self.modes.contains(Modes::BICYCLE) { rules.bicycle_kmh } else { rules.walk_kmh };
            self.speed_mps = kmh / 3.6;
        }
    }
}

/// Lanes forward and backward as tagged, bus lanes taken off, at least one.
fn tagged_lanes(tags: &Tags, two_way: bool) -> (Option<u8>, Option<u8>) {
    let count = |key: &str| tags.get(key).and_then(osm_tags::lanes);
    let bus = |side: &str| {
        let of = |kind: &str| count(&format!("lanes:{kind}{side}"));
        of("psv").or_else(|| of("bus")).unwrap_or(0)
    };
    let less = |lanes: u8, bus: u8| lanes.saturating_sub(bus).max(1);
    let total = count("lanes");
    if !two_way {
        let lanes = total.map(|lanes| less(lanes, bus("")));
        let side = |side: &str| count(&format!("lanes:{side}")).map(|lanes| less(lanes, bus(&format!(":{side}"))));
        return (side("forward").or(lanes), side("backward").or(lanes));
    }
    let (forward, backward) = (count("lanes:forward"), count("lanes:backward"));
    let shared = count("lanes:both_ways").unwrap_or(0);
    let rest = |other: Option<u8>| total.zip(other).map(|(total, other)| total.saturating_sub(other + shared).max(1));
    // The middle lane of an odd number is nobody's: it is for turning or overtaking.
    let half = total.map(|total| (total.saturating_sub(shared) / 2).max(1));
    let side = |own: Option<u8>, other: Option<u8>, name: &str| {
        own.or_else(|| rest(other)).or(half).map(|lanes| less(lanes, bus(&format!(":{name}"))))
    };
    (side(forward, backward, "forward"), side(backward, forward, "backward"))
}

/// Whether a barrier on a node keeps cars from passing: its own access tags decide; without them
/// bollards, blocks and the like do, gates do not.
pub(crate) fn barrier_stops_cars(tags: &Tags) -> bool {
    let Some(barrier) = tags.get("barrier") else { return false };
    let tagged = CAR_KEYS.iter().find_map(|key| tags.get(key)).map(|value| passes(value, Modes::CAR));
    let stops = matches!(
        barrier,
        "bollard"
            | "block"
            | "cycle_barrier"
            | "motorcycle_barrier"
            | "jersey_barrier"
            | "planter"
            | "log"
            | "debris"
            | "stile"
            | "turnstile"
            | "kissing_gate"
            | "full-height_turnstile"
            | "bus_trap"
            | "sump_buster"
    );
    tagged.map_or(stops, |passes| !passes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Modes = Modes(7);

    fn way(tags: &[(&str, &str)]) -> Option<RoadWay> {
        read(&Tags::new(tags), &RoadRules::default())
    }
    fn modes(tags: &[(&str, &str)]) -> (u8, u8) {
        way(tags).map_or((0, 0), |way| (way.forward.modes.0, way.backward.modes.0))
    }
    const CAR: u8 = 1;
    const BICYCLE: u8 = 2;
    const WALK: u8 = 4;

    #[test]
    fn who_may_pass_by_class_and_tags() {
        let h = |highway| ("highway", highway);
        for (tags, expected) in [
            (&[h("residential")][..], (7, 7)),
            (&[h("motorway")], (CAR, 0)),
            (&[h("motorway_link")], (CAR, CAR)),
            (&[h("motorway"), ("oneway", "no")], (CAR, CAR)),
            (&[h("motorway"), ("access", "yes")], (CAR, 0)),
            (&[h("trunk"), ("sidewalk", "both")], (CAR | WALK, CAR | WALK)),
            (&[h("trunk"), ("bicycle", "yes")], (CAR | BICYCLE, CAR | BICYCLE)),
            (&[h("primary"), ("motorroad", "yes")], (CAR, CAR)),
            (&[h("primary"), ("oneway", "yes")], (7, WALK)),
            (&[h("primary"), ("oneway", "-1")], (WALK, 7)),
            (&[h("primary"), ("oneway", "reversible")], (7, WALK)),
            (&[h("primary"), ("junction", "roundabout")], (7, WALK)),
            (&[h("primary"), ("oneway", "yes"), ("oneway:bicycle", "no")], (7, 6)),
            (&[h("primary"), ("oneway", "yes"), ("cycleway", "opposite_lane")], (7, 6)),
            (&[h("primary"), ("oneway", "yes"), ("bicycle:backward", "yes")], (7, 6)),
            (&[h("primary"), ("motor_vehicle:backward", "no")], (7, 6)),
            (&[h("service"), ("access", "private")], (0, 0)),
            (&[h("service"), ("access", "permit"), ("foot", "yes")], (WALK, WALK)),
            (&[h("service"), ("access", "no"), ("motor_vehicle", "yes")], (CAR, CAR)),
            (&[h("service"), ("access", "no"), ("bus", "yes")], (0, 0)),
            (&[h("service"), ("service", "parking_aisle")], (7, 7)),
            (&[h("service"), ("service", "emergency_access")], (6, 6)),
            (&[h("residential"), ("access", "destination")], (7, 7)),
            (&[h("residential"), ("vehicle", "no")], (WALK, WALK)),
            (&[h("residential"), ("motor_vehicle", "no")], (6, 6)),
            (&[h("residential"), ("motor_vehicle", "private"), ("motorcar", "yes")], (7, 7)),
            (&[h("residential"), ("bicycle", "dismount")], (5, 5)),
            (&[h("primary"), ("foot", "use_sidepath"), ("bicycle", "use_sidepath")], (CAR, CAR)),
            (&[h("footway")], (WALK, WALK)),
            (&[h("footway"), ("bicycle", "yes")], (6, 6)),
            (&[h("pedestrian"), ("area", "yes"), ("motor_vehicle", "yes")], (WALK, WALK)),
            (&[h("track"), ("motor_vehicle", "yes")], (6, 6)),
            (&[h("cycleway"), ("oneway", "yes")], (6, WALK)),
            (&[h("construction")], (0, 0)),
            (&[h("proposed")], (0, 0)),
            (&[h("platform")], (0, 0)),
            (&[h("corridor")], (0, 0)),
            (&[h("raceway")], (0, 0)),
            (&[("route", "ferry")], (0, 0)),
        ] {
            assert_eq!(modes(tags), expected, "{tags:?}");
        }
        assert!(way(&[h("service"), ("access", "permit"), ("foot", "yes")]).unwrap().car_excluded);
        assert!(way(&[h("primary"), ("oneway", "reversible")]).unwrap().reversible);
    }

    #[test]
    fn lanes_and_speeds() {
        let lanes = |tags: &[(&str, &str)]| {
            let way = way(&[&[("highway", "primary")], tags].concat()).unwrap();
            (way.forward.lanes, way.backward.lanes)
        };
        assert_eq!(lanes(&[]), (1, 1));
        assert_eq!(lanes(&[("lanes", "4")]), (2, 2));
        assert_eq!(lanes(&[("lanes", "3")]), (1, 1));
        assert_eq!(lanes(&[("lanes", "1")]), (1, 1));
        assert_eq!(lanes(&[("lanes", "3"), ("oneway", "yes")]), (3, 0));
        assert_eq!(lanes(&[("lanes", "3"), ("lanes:forward", "2")]), (2, 1));
        assert_eq!(lanes(&[("lanes", "5"), ("lanes:backward", "2"), ("lanes:both_ways", "1")]), (2, 2));
        assert_eq!(lanes(&[("lanes", "3"), ("lanes:psv", "1"), ("oneway", "yes")]), (2, 0));
        assert_eq!(lanes(&[("lanes:forward", "3"), ("lanes:psv:forward", "1")]), (2, 1));
        assert_eq!(lanes(&[("lanes", "2"), ("oneway", "-1")]), (0, 2));
        let kmh = |tags: &[(&str, &str)]| {
            let way = way(tags).unwrap();
            ((way.forward.speed_mps * 3.6).round(), (way.backward.speed_mps * 3.6).round())
        };
        let h = |highway| ("highway", highway);
        assert_eq!(kmh(&[h("primary")]), (50.0, 50.0));
        assert_eq!(kmh(&[h("primary_link")]), (25.0, 25.0));
        assert_eq!(kmh(&[h("primary"), ("maxspeed", "30 mph"), ("maxspeed:backward", "20")]), (48.0, 20.0));
        assert_eq!(kmh(&[h("primary"), ("source:maxspeed", "FR:rural")]), (80.0, 80.0));
        assert_eq!(kmh(&[h("footway")]), (5.0, 5.0));
        assert_eq!(kmh(&[h("cycleway")]), (15.0, 15.0));
        assert_eq!(way(&[h("footway")]).unwrap().forward.lanes, 0);
        assert_eq!(ALL.0, CAR | BICYCLE | WALK);
    }

    #[test]
    fn styles_and_barriers() {
        let style =
            way(&[("highway", "trunk_link"), ("ref", "A8"), ("tunnel", "yes"), ("bridge", "no")]).unwrap().style;
        assert_eq!(style, Style { class: RoadClass::Trunk, name: "A8".into(), tunnel: true, bridge: false });
        let stops = |tags: &[(&str, &str)]| barrier_stops_cars(&Tags::new(tags));
        assert!(stops(&[("barrier", "bollard")]));
        assert!(!stops(&[("barrier", "bollard"), ("motor_vehicle", "destination")]));
        assert!(!stops(&[("barrier", "lift_gate")]));
        assert!(stops(&[("barrier", "lift_gate"), ("access", "private")]));
        assert!(!stops(&[("highway", "crossing"), ("access", "no")]));
    }
}

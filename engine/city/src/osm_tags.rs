//! What tags of OpenStreetMap mean to Urbis: which elements are of use, and how values such as
//! `maxspeed=30 mph` are read. Source: the tag pages of wiki.openstreetmap.org (`Key:maxspeed`,
//! `Key:lanes`, `Key:access`).
//!
//! Ignores: conditional values (`maxspeed:conditional`), languages other than the default name.
//! Contract: pure functions.

/// Keys that make a way or multipolygon of use: roads, buildings, areas, points of interest.
const AREA_KEYS: [&str; 17] = [
    "aeroway",
    "amenity",
    "building",
    "building:part",
    "craft",
    "healthcare",
    "highway",
    "historic",
    "landuse",
    "leisure",
    "man_made",
    "natural",
    "office",
    "place",
    "public_transport",
    "shop",
    "tourism",
];

/// Keys that make a node of use: road furniture and points of interest.
const NODE_KEYS: [&str; 16] = [
    "aeroway",
    "amenity",
    "barrier",
    "craft",
    "emergency",
    "healthcare",
    "highway",
    "leisure",
    "man_made",
    "office",
    "place",
    "public_transport",
    "railway",
    "shop",
    "sport",
    "tourism",
];

/// Values that say nothing about use on a node: street furniture in large numbers.
const NODE_NOISE: [(&str, &str); 8] = [
    ("amenity", "bench"),
    ("amenity", "waste_basket"),
    ("amenity", "vending_machine"),
    ("emergency", "fire_hydrant"),
    ("highway", "crossing"),
    ("highway", "street_lamp"),
    ("highway", "turning_circle"),
    ("man_made", "manhole"),
];

pub(crate) fn node_is_of_use(tags: &[(&str, &str)]) -> bool {
    tags.iter().any(|&(key, value)| NODE_KEYS.binary_search(&key).is_ok() && !NODE_NOISE.contains(&(key, value)))
}

pub(crate) fn way_is_of_use(tags: &[(&str, &str)]) -> bool {
    tags.iter().any(|&(key, value)| {
        AREA_KEYS.binary_search(&key).is_ok() || (key == "railway" && matches!(value, "station" | "platform"))
    })
}

pub(crate) fn relation_is_of_use(tags: &[(&str, &str)]) -> bool {
    tags.iter().any(|&(key, value)| key == "type" && matches!(value, "multipolygon" | "boundary" | "restriction"))
}

/// A speed as tagged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum TaggedSpeed {
    /// A limit in km/h.
    Kmh(f64),
    /// No limit (`none`).
    Unlimited,
    /// Walking pace (`walk`).
    Walk,
    /// The default of a kind of place, e.g. `FR:urban`: the part after the colon.
    Zone(SpeedZone),
}

/// Places with a default speed limit of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SpeedZone {
    LivingStreet,
    Urban,
    Rural,
    Trunk,
    Motorway,
    /// `zone30`, `zone:20` and the like, in km/h.
    Kmh(u16),
}

/// Reads `maxspeed`: `50`, `30 mph`, `10 knots`, `FR:urban`, `DE:zone:30`, `walk`, `none`; of a list
/// (`50;30`) the first. `None` for anything else and for speeds outside 1 to 300 km/h.
pub(crate) fn speed(value: &str) -> Option<TaggedSpeed> {
    let value = value.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    match value.as_str() {
        "none" | "unlimited" => return Some(TaggedSpeed::Unlimited),
        "walk" | "walking" | "foot" => return Some(TaggedSpeed::Walk),
        _ => {}
    }
    if let Some((country, zone)) = value.split_once(':')
        && country.chars().all(|c| c.is_ascii_alphabetic() || c == '-')
    {
        return speed_zone(zone).map(TaggedSpeed::Zone);
    }
    let digits = value.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(value.len());
    let number: f64 = value[..digits].parse().ok()?;
    let kmh = match value[digits..].trim() {
        "" | "km/h" | "kmh" | "kph" | "kmph" => number,
        "mph" => number * urbis_core::units::METRES_PER_MILE / 1000.0,
        "knots" => number * 1.852,
        _ => return None,
    };
    (1.0..=300.0).contains(&kmh).then_some(TaggedSpeed::Kmh(kmh))
}

fn speed_zone(zone: &str) -> Option<SpeedZone> {
    Some(match zone {
        "living_street" | "walk" => SpeedZone::LivingStreet,
        "urban" | "nsl_restricted" => SpeedZone::Urban,
        "rural" | "nsl_single" => SpeedZone::Rural,
        "trunk" | "nsl_dual" => SpeedZone::Trunk,
        "motorway" => SpeedZone::Motorway,
        other => {
            let number = other.strip_prefix("zone")?.trim_start_matches(':');
            SpeedZone::Kmh(number.parse().ok().filter(|kmh| (5..=130).contains(kmh))?)
        }
    })
}

/// Reads a number of lanes: whole, 1 to 16; `1.5` counts as 1, of a list (`2;3`) the first.
pub(crate) fn lanes(value: &str) -> Option<u8> {
    let first = value.split(';').next()?.trim();
    let number: f64 = first.parse().ok()?;
    (1.0..=16.0).contains(&number).then_some(number as u8)
}

/// Whether a `tunnel`, `bridge` or similar tag says yes.
pub(crate) fn is_yes(value: Option<&str>) -> bool {
    value.is_some_and(|value| !matches!(value, "no" | "false" | "0"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn keys_are_sorted_for_the_search() {
        assert!(AREA_KEYS.is_sorted() && NODE_KEYS.is_sorted());
    }

    #[test]
    fn speeds_as_tagged() {
        assert_eq!(speed("50"), Some(TaggedSpeed::Kmh(50.0)));
        assert_eq!(speed(" 50 km/h"), Some(TaggedSpeed::Kmh(50.0)));
        assert_eq!(speed("30 mph"), Some(TaggedSpeed::Kmh(48.280_32)));
        assert_eq!(speed("30mph"), Some(TaggedSpeed::Kmh(48.280_32)));
        assert_eq!(speed("50;30"), Some(TaggedSpeed::Kmh(50.0)));
        assert_eq!(speed("FR:urban"), Some(TaggedSpeed::Zone(SpeedZone::Urban)));
        assert_eq!(speed("FR:zone30"), Some(TaggedSpeed::Zone(SpeedZone::Kmh(30))));
        assert_eq!(speed("DE:zone:20"), Some(TaggedSpeed::Zone(SpeedZone::Kmh(20))));
        assert_eq!(speed("GB:nsl_dual"), Some(TaggedSpeed::Zone(SpeedZone::Trunk)));
        assert_eq!(speed("walk"), Some(TaggedSpeed::Walk));
        assert_eq!(speed("none"), Some(TaggedSpeed::Unlimited));
        for odd in ["", "signals", "0", "-50", "5000", "FR:", "50 furlongs", "variable", ":", "1.2.3", "zone30"] {
            assert_eq!(speed(odd), None, "{odd}");
        }
    }

    #[test]
    fn lanes_as_tagged() {
        assert_eq!(
            ["2", "1.5", "2;3", "0", "-1", "99", "many", ""].map(lanes),
            [Some(2), Some(1), Some(2), None, None, None, None, None]
        );
    }

    proptest! {
        #[test]
        fn never_panics(value in "\\PC{0,20}", like in "[A-Z:0-9;. a-z]{0,12}") {
            let _ = (speed(&value), lanes(&value), speed(&like), lanes(&like));
        }
    }
}

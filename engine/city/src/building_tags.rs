//! What tags say of a building: its use, floors and height. Source: the pages of `Key:building`,
//! `Key:building:levels`, `Key:height`, `Key:landuse` on wiki.openstreetmap.org.
//!
//! One dominant use a building: a named kind of building first (`building=hotel`), then its own
//! `amenity`, `shop`, `tourism` ..., then a general kind (`building=commercial`), then the smallest area
//! around it (school grounds, industrial estate), then what is inside it. Shops on the ground floor of
//! a block of flats do not make it a shop. Ignores `building:part`, roof levels and mixed use.
//! Pure functions.

use crate::model::{BuildingUse, PoiKind};
use crate::osm::Tags;

/// Use by a value of `building`; `true` where it is a kind of its own and overrules other tags.
fn by_building(value: &str) -> Option<(BuildingUse, bool)> {
    use BuildingUse::{Civic, Education, Health, Hotel, Industrial, Office, Other, Parking, Residential, Retail};
    Some(match value {
        "apartments" | "house" | "detached" | "terrace" | "semidetached_house" | "bungalow" | "dormitory" | "villa"
        | "ger" | "houseboat" | "static_caravan" | "farm" => (Residential, true),
        "residential" => (Residential, false),
        "office" => (Office, true),
        "commercial" | "government" => (Office, false),
        "retail" | "supermarket" | "shop" | "kiosk" | "mall" => (Retail, true),
        "hotel" => (Hotel, true),
        "industrial" | "warehouse" | "manufacture" | "factory" | "works" | "hangar" => (Industrial, true),
        "school" | "university" | "college" | "kindergarten" => (Education, true),
        "hospital" | "clinic" => (Health, true),
        "church" | "chapel" | "cathedral" | "mosque" | "synagogue" | "temple" | "monastery" | "train_station"
        | "transportation" | "stadium" | "grandstand" | "sports_hall" | "sports_centre" | "museum" | "theatre"
        | "fire_station" | "castle" | "palace" | "pavilion" | "religious" => (Civic, true),
        "civic" | "public" => (Civic, false),
        "garage" | "garages" | "parking" | "carport" => (Parking, true),
        "roof" | "shed" | "hut" | "cabin" | "ruins" | "greenhouse" | "service" | "construction" | "container"
        | "farm_auxiliary" | "barn" | "stable" | "sty" | "transformer_tower" | "water_tower" | "storage_tank"
        | "silo" | "bunker" | "bridge" | "collapsed" | "toilets" | "tent" | "allotment_house" | "boathouse" => {
            (Other, true)
        }
        _ => return None,
    })
}

/// Use by tags that say what a building or an area is for.
#[must_use]
pub(crate) fn by_function(tags: &Tags) -> Option<BuildingUse> {
    if tags.get("tourism").is_some_and(|v| matches!(v, "hotel" | "hostel" | "motel" | "guest_house" | "apartment")) {
        return Some(BuildingUse::Hotel);
    }
    if tags.has("healthcare") {
        return Some(BuildingUse::Health);
    }
    if let Some(purpose) = tags.get("amenity").and_then(by_amenity) {
        return Some(purpose);
    }
    if tags.has("office") {
        return Some(BuildingUse::Office);
    }
    if tags.has("shop") {
        return Some(BuildingUse::Retail);
    }
    if tags.has("craft") || tags.is("man_made", "works") {
        return Some(BuildingUse::Industrial);
    }
    let leisure = ["stadium", "sports_centre", "sports_hall", "ice_rink", "swimming_pool", "fitness_centre", "marina"];
    let tourism = ["museum", "gallery", "aquarium", "zoo", "theme_park"];
    let civic = tags.get("leisure").is_some_and(|v| leisure.contains(&v))
        || tags.get("tourism").is_some_and(|v| tourism.contains(&v))
        || tags.is("railway", "station")
        || tags.has("aeroway");
    civic.then_some(BuildingUse::Civic)
}

fn by_amenity(value: &str) -> Option<BuildingUse> {
    Some(match value {
        "school" | "kindergarten" | "college" | "university" | "childcare" => BuildingUse::Education,
        "hospital" | "clinic" | "doctors" | "nursing_home" => BuildingUse::Health,
        "parking" | "bicycle_parking" | "motorcycle_parking" => BuildingUse::Parking,
        "bank" | "townhall" | "courthouse" | "embassy" | "post_office" | "police" => BuildingUse::Office,
        "restaurant" | "cafe" | "bar" | "pub" | "fast_food" | "marketplace" | "fuel" | "nightclub" => {
            BuildingUse::Retail
        }
        "place_of_worship" | "theatre" | "cinema" | "casino" | "arts_centre" | "library" | "community_centre"
        | "fire_station" | "bus_station" | "ferry_terminal" | "conference_centre" | "exhibition_centre"
        | "events_venue" | "prison" => BuildingUse::Civic,
        "toilets" | "shelter" | "recycling" => BuildingUse::Other,
        _ => return None,
    })
}

/// Use that an area lends to buildings in it that say nothing themselves.
#[must_use]
pub(crate) fn by_area(tags: &Tags) -> Option<BuildingUse> {
    // A pedestrian square or a car park does not make the house on it a square or a car park.
    let own = by_function(tags).filter(|purpose| !matches!(purpose, BuildingUse::Parking | BuildingUse::Other));
    own.or_else(|| {
        Some(match tags.get("landuse")? {
            "residential" => BuildingUse::Residential,
            "industrial" | "port" | "quarry" => BuildingUse::Industrial,
            "commercial" => BuildingUse::Office,
            "retail" => BuildingUse::Retail,
            "education" => BuildingUse::Education,
            "religious" | "railway" | "military" | "cemetery" => BuildingUse::Civic,
            "garages" => BuildingUse::Parking,
            "farmland" | "farmyard" | "orchard" | "vineyard" | "greenhouse_horticulture" => BuildingUse::Other,
            _ => return None,
        })
    })
}

/// Use that a point of interest lends to the whole building it lies in.
#[must_use]
pub(crate) fn by_poi(kind: PoiKind) -> Option<BuildingUse> {
    match kind {
        PoiKind::School => Some(BuildingUse::Education),
        PoiKind::Hotel => Some(BuildingUse::Hotel),
        PoiKind::FireStation | PoiKind::Station => Some(BuildingUse::Civic),
        _ => None,
    }
}

/// Use by the building's own tags; `None` where they say nothing.
#[must_use]
pub(crate) fn own_use(tags: &Tags) -> Option<BuildingUse> {
    let kind = tags.get("building").and_then(by_building);
    match kind {
        Some((purpose, true)) => Some(purpose),
        Some((purpose, false)) => Some(by_function(tags).unwrap_or(purpose)),
        None => by_function(tags),
    }
}

/// Use by a word: one of Urbis's own, or a value of `building`.
#[must_use]
pub(crate) fn use_of_word(word: &str) -> Option<BuildingUse> {
    let word = word.trim().to_ascii_lowercase();
    BuildingUse::from_name(&word).or_else(|| by_building(&word).map(|(purpose, _)| purpose))
}

/// Floors of `building:levels`: `5`, `3.5`, `3;4` and `2-4` (the highest); 0.5 to 200.
#[must_use]
pub(crate) fn levels(value: &str) -> Option<f64> {
    if value.trim_start().starts_with('-') {
        return None;
    }
    let numbers = value.split([';', '-', ',', '/']).filter_map(|part| part.trim().parse::<f64>().ok());
    numbers.filter(|n| (0.5..=200.0).contains(n)).max_by(f64::total_cmp)
}

/// Height in metres of `height`: `12`, `12.5 m`, `40'`, `40 ft`, of a list the highest; 1 to 1000.
#[must_use]
pub(crate) fn height_m(value: &str) -> Option<f64> {
    let one = |part: &str| {
        let part = part.trim();
        let digits = part.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(part.len());
        let number: f64 = part[..digits].parse().ok()?;
        match part[digits..].trim() {
            "" | "m" | "metres" | "meters" => Some(number),
            "'" | "ft" | "feet" => Some(number * urbis_core::units::METRES_PER_FOOT),
            _ => None,
        }
    };
    value.split(';').filter_map(one).filter(|n| (1.0..=1000.0).contains(n)).max_by(f64::total_cmp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uses_of_buildings() {
        let own = |pairs: &[(&str, &str)]| own_use(&Tags::new(pairs));
        assert_eq!(own(&[("building", "apartments"), ("shop", "bakery")]), Some(BuildingUse::Residential));
        assert_eq!(own(&[("building", "yes"), ("amenity", "school")]), Some(BuildingUse::Education));
        assert_eq!(own(&[("building", "commercial"), ("tourism", "hotel")]), Some(BuildingUse::Hotel));
        assert_eq!(own(&[("building", "commercial")]), Some(BuildingUse::Office));
        assert_eq!(own(&[("building", "yes")]), None);
        assert_eq!(by_area(&Tags::new(&[("landuse", "industrial")])), Some(BuildingUse::Industrial));
        assert_eq!(by_area(&Tags::new(&[("amenity", "parking")])), None);
        assert_eq!(use_of_word("Warehouse"), Some(BuildingUse::Industrial));
    }

    #[test]
    fn floors_and_heights_as_people_write_them() {
        let near = |got: Option<f64>, wanted: Option<f64>| match (got, wanted) {
            (Some(got), Some(wanted)) => (got - wanted).abs() < 1e-9,
            (got, wanted) => got.is_none() && wanted.is_none(),
        };
        for (text, wanted) in [("5", Some(5.0)), ("3.5", Some(3.5)), ("3;4", Some(4.0)), ("2-4", Some(4.0))] {
            assert!(near(levels(text), wanted), "{text}");
        }
        for text in ["0", "-2", "many", "1e9", ""] {
            assert!(levels(text).is_none(), "{text}");
        }
        for (text, wanted) in
            [("12", Some(12.0)), ("12.5 m", Some(12.5)), ("40'", Some(12.192)), ("3;12", Some(12.0)), ("tall", None)]
        {
            assert!(near(height_m(text), wanted), "{text}");
        }
    }
}

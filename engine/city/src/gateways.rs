//! Where roads leave the area: external nodes that stand for the world outside, joined to cut road ends
//! by connector links. Without them a small area is a patchwork: what leaves by one road and comes back
//! by another is not connected.
//!
//! The table (CSV) has `osm_node,direction,external` and optionally `class,lanes,length_m,speed_kmh`;
//! other columns are ignored. `direction` is seen from the area: `in`, `out` or `both`. External nodes
//! and the links between them come from the recipe.
//!
//! Ignores: what happens outside; modes other than the car. Contract: a pure function of its input.

use crate::model::RoadClass;
use crate::projection::is_lon_lat;
use crate::table::Table;
use geo::Point;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use urbis_core::diagnostics::did_you_mean;
use urbis_core::units::MetresPerSecond;
use urbis_core::{Problem, Problems, Result};

/// Table and outside world as a recipe names them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GatewayRules {
    /// CSV file of gateways.
    pub table: String,
    /// Places outside.
    pub externals: Vec<External>,
    /// Roads between places outside.
    #[serde(default)]
    pub links: Vec<ExternalLink>,
}

/// A place that stands for a part of the world outside.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct External {
    /// Name; the node is called `external:<name>`.
    pub name: String,
    /// Longitude, degrees.
    pub lon: f64,
    /// Latitude, degrees.
    pub lat: f64,
}

/// A road outside, in one direction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExternalLink {
    /// Name of the external place it starts from.
    pub from: String,
    /// Name of the external place it leads to.
    pub to: String,
    /// Length, metres.
    pub length_m: f64,
    /// Free speed, km/h.
    pub speed_kmh: f64,
    /// Lanes.
    pub lanes: u8,
}

/// A road end at the edge of the area.
#[derive(Clone, Debug, PartialEq)]
pub struct Gateway {
    /// Row of the table, from 1.
    pub row: usize,
    /// OpenStreetMap node.
    pub osm_node: i64,
    /// Traffic may come in.
    pub inward: bool,
    /// Traffic may go out.
    pub outward: bool,
    /// Row of [`Gateways::externals`].
    pub external: usize,
    /// Class whose lane capacity the connector has.
    pub class: RoadClass,
    /// Lanes; by class where `None`.
    pub lanes: Option<u8>,
    /// Length of the connector; straight where `None`.
    pub length_m: Option<f64>,
    /// Free speed; by class where `None`.
    pub speed: Option<MetresPerSecond>,
}

/// Gateways and the world they lead to, checked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gateways {
    /// The table, for messages.
    pub path: PathBuf,
    /// Road ends in file order.
    pub gateways: Vec<Gateway>,
    /// Places outside, sorted by name.
    pub externals: Vec<External>,
    /// Roads between them: rows of `externals`, and the road.
    pub links: Vec<(usize, usize, ExternalLink)>,
}

impl Gateways {
    /// Reads the table at `path` and checks it against the rules. `recipe` is the file that holds the
    /// rules, for messages.
    ///
    /// # Errors
    /// [`urbis_core::Error::Read`] when the table cannot be read; [`urbis_core::Error::Input`] with
    /// every unknown external, direction, class, number out of range and doubled row.
    pub fn read(path: &Path, rules: &GatewayRules, recipe: &Path) -> Result<Self> {
        Self::from_table(Table::read(path)?, rules, recipe)
    }

    /// As [`Gateways::read`], from a table in memory.
    ///
    /// # Errors
    /// [`urbis_core::Error::Input`] as for [`Gateways::read`].
    pub fn from_table(table: Table, rules: &GatewayRules, recipe: &Path) -> Result<Self> {
        let table = table.with_id("osm_node");
        let mut problems = Problems::new();
        let externals = checked_externals(rules, recipe, &mut problems);
        let links = checked_links(rules, &externals, recipe, &mut problems);
        let mut gateways: Vec<Gateway> = Vec::new();
        if let Some([node, direction, external]) =
            table.required_all(["osm_node", "direction", "external"], &mut problems)
        {
            let class = table.optional("class");
            let [lanes, length, speed] = ["lanes", "length_m", "speed_kmh"].map(|name| table.optional(name));
            for row in table.rows() {
                let before = problems.len();
                let osm_node = row.integer(node, &mut problems, i64::MIN..=i64::MAX);
                let ways = [("in", (true, false)), ("out", (false, true)), ("both", (true, true))];
                let ways = row.one_of(direction, &mut problems, &ways);
                let name = row.text(external);
                let place = externals.iter().position(|external| external.name == name);
                if place.is_none() {
                    let names: Vec<&str> = externals.iter().map(|external| &*external.name).collect();
                    let mut problem = row.problem(external, format!("one of {}", names.join(", ")));
                    if let Some(near) = did_you_mean(name, names.iter().copied()) {
                        problem = problem.with_help(format!("did you mean `{near}`?"));
                    }
                    problems.push(problem);
                }
                let class = match row.optional_text(class).map(|text| text.trim_end_matches("_link")) {
                    None => Some(RoadClass::External),
                    Some(text) => RoadClass::from_name(text).filter(|&found| found != RoadClass::Path).or_else(|| {
                        let names: Vec<&str> = RoadClass::NAMED.iter().map(|(_, name)| *name).collect();
                        problems.push(row.problem(class?, format!("one of {}", names.join(", "))));
                        None
                    }),
                };
                let lanes = lanes
                    .filter(|&lanes| !row.text(lanes).is_empty())
                    .and_then(|lanes| row.integer(lanes, &mut problems, 1..=16))
                    .map(|lanes| lanes as u8);
                let length_m = row.optional_positive(length, &mut problems).unwrap_or(None);
                let speed = row.optional_positive(speed, &mut problems).unwrap_or(None).map(MetresPerSecond::from_kmh);
                if let Some(osm_node) = osm_node
                    && let Some(other) = gateways.iter().find(|g| g.osm_node == osm_node && Some(g.external) == place)
                {
                    problems.push(row.problem(node, format!("a node that row {} does not name already", other.row)));
                }
                if problems.len() == before
                    && let (Some(osm_node), Some((inward, outward)), Some(external), Some(class)) =
                        (osm_node, ways, place, class)
                {
                    let row = row.number();
                    gateways.push(Gateway { row, osm_node, inward, outward, external, class, lanes, length_m, speed });
                }
            }
        }
        problems.or_else(Self { path: table.path().to_owned(), gateways, externals, links })
    }
}

fn checked_externals(rules: &GatewayRules, recipe: &Path, problems: &mut Problems) -> Vec<External> {
    let mut externals = rules.externals.clone();
    externals.sort_by(|a, b| a.name.cmp(&b.name));
    for pair in externals.windows(2) {
        if pair[0].name == pair[1].name {
            problems.push(Problem::file(recipe, format!("external `{}` occurs twice", pair[0].name)));
        }
    }
    for external in &externals {
        let External { name, lon, lat } = external;
        if name.is_empty() {
            problems.push(Problem::file(recipe, "an external without name"));
        }
        if !is_lon_lat(Point::new(*lon, *lat)) {
            let what = format!("external `{name}`: lon = {lon}, lat = {lat}, expected degrees");
            problems.push(Problem::file(recipe, what));
        }
    }
    externals
}

fn checked_links(
    rules: &GatewayRules,
    externals: &[External],
    recipe: &Path,
    problems: &mut Problems,
) -> Vec<(usize, usize, ExternalLink)> {
    let mut links = Vec::new();
    for link in &rules.links {
        let mut wrong = |what: String| {
            problems.push(Problem::file(recipe, format!("external link {} - {}: {what}", link.from, link.to)));
        };
        let place = |name: &str| externals.iter().position(|external| external.name == name);
        if !(link.length_m.is_finite() && link.length_m > 0.0) {
            wrong(format!("length_m = {}, expected > 0", link.length_m));
        }
        if !(1.0..=300.0).contains(&link.speed_kmh) {
            wrong(format!("speed_kmh = {}, expected 1 to 300", link.speed_kmh));
        }
        if !(1..=16).contains(&link.lanes) {
            wrong(format!("lanes = {}, expected 1 to 16", link.lanes));
        }
        match (place(&link.from), place(&link.to)) {
            (Some(from), Some(to)) if from != to => links.push((from, to, link.clone())),
            (Some(_), Some(_)) => wrong("expected two different externals".to_owned()),
            _ => wrong("expected names of externals".to_owned()),
        }
    }
    links.sort_by_key(|&(from, to, _)| (from, to));
    links
}

#[cfg(test)]
mod tests {
    use super::*;
    use urbis_core::Error;

    pub(crate) fn rules() -> GatewayRules {
        toml::from_str(
            "table = \"g.csv\"
            externals = [{ name = \"west\", lon = 7.0, lat = 43.0 }, { name = \"east\", lon = 8.0, lat = 43.0 }]
            links = [{ from = \"west\", to = \"east\", length_m = 5000, speed_kmh = 80, lanes = 2 }]",
        )
        .unwrap()
    }

    fn read(text: &str, rules: &GatewayRules) -> Result<Gateways> {
        let table = Table::from_bytes(Path::new("g.csv"), text.as_bytes())?;
        Gateways::from_table(table, rules, Path::new("city.toml"))
    }

    #[test]
    fn rows_and_defaults() {
        let text = "osm_node,direction,external,class,lanes,length_m,speed_kmh,name\n\
            7,in,west,primary_link,2,1500,72,Rue\n8,both,east,,,,,\n";
        let found = read(text, &rules()).unwrap();
        let names: Vec<&str> = found.externals.iter().map(|external| &*external.name).collect();
        assert_eq!(names, ["east", "west"]);
        let [a, b] = &found.gateways[..] else { panic!() };
        assert_eq!((a.osm_node, a.inward, a.outward, a.external), (7, true, false, 1));
        assert_eq!((a.class, a.lanes, a.length_m), (RoadClass::Primary, Some(2), Some(1500.0)));
        assert!((a.speed.unwrap().0 - 20.0).abs() < 1e-12);
        assert_eq!((b.inward, b.outward, b.class, b.lanes, b.length_m), (true, true, RoadClass::External, None, None));
        assert_eq!((found.links[0].0, found.links[0].1), (1, 0));
    }

    #[test]
    fn every_fault_is_named() {
        let text = "osm_node,direction,external,class,lanes,length_m\n\
            x,in,west,,,\n7,inward,west,,,\n8,in,wst,,,\n9,in,west,footway,0,-1\n7,in,east,,,\n7,out,east,,,\n";
        let mut rules = rules();
        rules.externals.push(External { name: "west".into(), lon: 500.0, lat: 0.0 });
        rules.links[0].to = "north".into();
        rules.links[0].length_m = f64::NAN;
        let Err(Error::Input(problems)) = read(text, &rules) else { panic!() };
        let said: Vec<String> = problems.listed().iter().map(ToString::to_string).collect();
        assert_eq!(said[0], "city.toml: external `west` occurs twice");
        assert!(said[1].contains("lon = 500"));
        assert!(said[2].contains("length_m = NaN") && said[3].contains("expected names of externals"));
        assert!(said[4].starts_with("g.csv row 1 (id x): osm_node = x, expected a whole number"), "{}", said[4]);
        assert!(said[5].contains("direction = inward, expected one of in, out, both"));
        assert!(said[6].contains("external = wst, expected one of east, west, west"), "{}", said[6]);
        assert!(
            said[7].contains("class = footway") && said[8].contains("lanes = 0") && said[9].contains("length_m = -1")
        );
        assert!(said[10].contains("row 6") && said[10].contains("row 5 does not name"), "{}", said[10]);
        assert_eq!(said.len(), 11);
        assert!(read("a,b\n1,2\n", &self::rules()).is_err());
    }
}

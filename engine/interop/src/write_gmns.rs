//! Writes a network as GMNS: a folder with `node.csv`, `link.csv` and `config.csv`.
//!
//! Lengths are metres and speeds metres a second (`config.csv` says so); capacity is vehicles an hour and lane, jam
//! density (a column of Urbis) vehicles a metre and lane. Numbers are written so that they read back as the same bits,
//! but for the product of a figure per lane with the lanes, which may differ in the last one. Lanes that are no whole
//! number are rounded, the figures per lane with them, so that totals stay. A capacity that jam density times free
//! speed does not allow, as MATSim's networks have it, is kept and the jam density raised; this is told. Tolls stand in column `toll`, banned turns
//! in `movement.csv`, nodes with signals in `ctrl_type`, which are left out where there are none.
//! Ignores: signal plans, shapes, names, priorities, classes of roads. Contract: a pure function of the network; the folder is whole
//! or absent.

use crate::network::RoadNetwork;
use std::fmt::Write as _;
use std::path::Path;
use urbis_core::files::StagedFolder;
use urbis_core::{Error, Problem, Problems, Result};

/// Jam density over the density of full flow, at least: room for a backward wave.
const JAM_OVER_CAPACITY: f64 = 1.01;

/// What the coordinates of a network are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GmnsOptions {
    /// Reference system of the coordinates, `EPSG:32632` for instance. Empty: none is named, which readers take for
    /// degrees.
    pub crs: String,
}

/// Writes a network; a folder of this name is replaced. What was adjusted comes back in sentences for people.
///
/// # Errors
/// [`Error::Input`] when columns differ in length or ids are doubled or empty, [`Error::Write`] when the place cannot
/// be written to.
pub fn write(folder: &Path, network: &RoadNetwork, options: &GmnsOptions) -> Result<Vec<String>> {
    check(network)?;
    let staged = StagedFolder::new(folder)?;
    let put = |name: &str, text: &str| {
        let path = staged.path().join(name);
        std::fs::write(&path, text).map_err(|source| Error::write(&path, source))
    };
    put("node.csv", &nodes(network))?;
    let (text, raised) = links(network);
    put("link.csv", &text)?;
    let mut config = String::from("dataset_name,long_length,short_length,speed,crs\n");
    let _ = writeln!(config, "urbis,m,m,mps,{}", cell(&options.crs));
    put("config.csv", &config)?;
    if !network.columns.banned.is_empty() {
        put("movement.csv", &movements(network))?;
    }
    staged.commit()?;
    Ok(if raised == 0 {
        Vec::new()
    } else {
        vec![format!("jam density of {raised} links was raised so that free flow can reach their capacity")]
    })
}

fn check(network: &RoadNetwork) -> Result<()> {
    let columns = &network.columns;
    let links = columns.from.len();
    let mut problems = Problems::new();
    let place = Path::new("network");
    let lengths = [columns.to.len(), columns.length_m.len(), columns.speed_mps_free.len(), columns.capacity_vps.len()];
    let more = [columns.jam_density_vpm.len(), network.link_id.len(), network.lanes.len()];
    let nodes = columns.x_m.len();
    let same = lengths.iter().chain(&more).all(|&length| length == links)
        && columns.y_m.len() == nodes
        && network.node_id.len() == nodes
        && (network.at_signals.is_empty() || network.at_signals.len() == nodes)
        && (network.toll.is_empty() || network.toll.len() == links);
    if !same {
        return Err(Problem::file(place, "columns differ in length").into());
    }
    for (what, list) in [("node_id", &network.node_id), ("link_id", &network.link_id)] {
        let mut sorted: Vec<&String> = list.iter().collect();
        sorted.sort_unstable();
        for pair in sorted.windows(2).filter(|pair| pair[0] == pair[1]) {
            problems.push(Problem::file(place, format!("{what} {} occurs twice", pair[0])));
        }
        if let Some(row) = list.iter().position(|id| id.trim().is_empty()) {
            problems.push(Problem::value(place, row + 1, None, what, "(blank)", "a value"));
        }
    }
    for row in 0..links {
        if columns.from[row] as usize >= nodes || columns.to[row] as usize >= nodes {
            let id = Some(network.link_id[row].as_str());
            problems.push(Problem::value(place, row + 1, id, "node", "none", "a row of the nodes"));
        }
    }
    problems.or_else(())
}

fn nodes(network: &RoadNetwork) -> String {
    let with_signals = network.at_signals.contains(&true);
    let mut text = String::from("node_id,x_coord,y_coord");
    text.push_str(if with_signals { ",ctrl_type\n" } else { "\n" });
    for (row, id) in network.node_id.iter().enumerate() {
        let _ = write!(text, "{},{},{}", cell(id), network.columns.x_m[row], network.columns.y_m[row]);
        if with_signals {
            text.push_str(if network.at_signals[row] { ",signal" } else { "," });
        }
        text.push('\n');
    }
    text
}

/// The table, and on how many links the jam density was raised.
fn links(network: &RoadNetwork) -> (String, u64) {
    let columns = &network.columns;
    let with_toll = !network.toll.is_empty();
    let mut text = String::from(
        "link_id,from_node_id,to_node_id,directed,length,lanes,free_speed,capacity,jam_density,allowed_uses",
    );
    text.push_str(if with_toll { ",toll\n" } else { "\n" });
    let mut raised = 0;
    for (row, id) in network.link_id.iter().enumerate() {
        let end = |node: u32| cell(&network.node_id[node as usize]);
        let lanes = f64::from(network.lanes[row].round().clamp(1.0, 32.0));
        let least = columns.capacity_vps[row] / columns.speed_mps_free[row] * JAM_OVER_CAPACITY;
        raised += u64::from(columns.jam_density_vpm[row] < least);
        let _ = write!(
            text,
            "{},{},{},1,{},{lanes},{},{},{},auto",
            cell(id),
            end(columns.from[row]),
            end(columns.to[row]),
            columns.length_m[row],
            columns.speed_mps_free[row],
            columns.capacity_vps[row] * 3600.0 / lanes,
            columns.jam_density_vpm[row].max(least) / lanes,
        );
        if with_toll {
            let _ = write!(text, ",{}", network.toll[row]);
        }
        text.push('\n');
    }
    (text, raised)
}

fn movements(network: &RoadNetwork) -> String {
    let mut text = String::from("mvmt_id,node_id,ib_link_id,ob_link_id,type,allowed_uses,penalty\n");
    for (row, &(into, out)) in network.columns.banned.iter().enumerate() {
        let node = &network.node_id[network.columns.to[into.row()] as usize];
        let (into, out) = (cell(&network.link_id[into.row()]), cell(&network.link_id[out.row()]));
        let _ = writeln!(text, "{},{},{into},{out},banned,none,", row + 1, cell(node));
    }
    text
}

/// A cell as comma-separated tables want it.
fn cell(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use urbis_city::projection::Projection;
    use urbis_city::road_defaults::RoadRules;
    use urbis_core::CarLinkIx;
    use urbis_traffic::NetworkColumns;

    /// From, to, length, speed, capacity and jam density of a lane, lanes.
    type Link = (u32, u32, f64, f64, f64, f64, u8);

    fn network(links: &[Link], nodes: usize) -> RoadNetwork {
        let column = |pick: fn(&Link) -> f64| links.iter().map(pick).collect::<Vec<f64>>();
        RoadNetwork {
            columns: NetworkColumns {
                x_m: (0..nodes).map(|node| 500_000.0 + 37.5 * node as f64).collect(),
                y_m: (0..nodes).map(|node| 4_800_000.0 + 11.0 * (node * node % 17) as f64).collect(),
                from: links.iter().map(|link| link.0 % nodes as u32).collect(),
                // No loops: the reader leaves them out.
                to: links
                    .iter()
                    .map(|link| (link.0 % nodes as u32 + 1 + link.1 % (nodes as u32 - 1)) % nodes as u32)
                    .collect(),
                length_m: column(|link| link.2),
                speed_mps_free: column(|link| link.3),
                capacity_vps: column(|link| link.4 * f64::from(link.6)),
                jam_density_vpm: column(|link| link.5 * f64::from(link.6)),
                ..NetworkColumns::default()
            },
            node_id: (0..nodes).map(|node| format!("{}", node + 1)).collect(),
            link_id: (0..links.len()).map(|link| format!("{}", link + 10)).collect(),
            lanes: links.iter().map(|link| f32::from(link.6)).collect(),
            at_signals: (0..nodes).map(|node| node % 3 == 1).collect(),
            ..RoadNetwork::default()
        }
    }

    proptest! {
        #[test]
        fn reads_back_as_the_same_network(
            nodes in 2..12_usize,
            links in proptest::collection::vec(
                (0..100_u32, 0..100_u32, 1.0..5000.0_f64, 2.0..40.0_f64, 0.05..0.6_f64, 0.1..0.3_f64, 1..6_u8), 1..40),
        ) {
            let network = network(&links, nodes);
            let place = tempfile::tempdir().unwrap();
            let folder = place.path().join("net");
            let notes = write(&folder, &network, &GmnsOptions { crs: "EPSG:32632".to_owned() }).unwrap();
            let projection = Projection::from_code("EPSG:32632").unwrap();
            let graph = urbis_city::gmns::read(&folder, &projection, &RoadRules::default()).unwrap();
            prop_assert_eq!(&graph.nodes.id, &network.node_id);
            let lit: Vec<bool> = graph.nodes.control.iter().map(|&of| of == urbis_city::model::NodeControl::Signal).collect();
            prop_assert_eq!(&lit, &network.at_signals);
            prop_assert_eq!(&graph.links.id, &network.link_id);
            let columns = &network.columns;
            let close = |a: f64, b: f64| (a - b).abs() <= 1e-12 * b.abs();
            for (row, link) in links.iter().enumerate() {
                prop_assert_eq!((graph.links.from[row].0, graph.links.to[row].0), (columns.from[row], columns.to[row]));
                prop_assert_eq!(graph.links.length_m[row].to_bits(), columns.length_m[row].to_bits());
                prop_assert_eq!(graph.links.speed_mps_free[row].to_bits(), columns.speed_mps_free[row].to_bits());
                prop_assert!(close(graph.links.capacity_vps[row], columns.capacity_vps[row]));
                prop_assert!(!notes.is_empty() || close(graph.links.jam_density_vpm[row], columns.jam_density_vpm[row]));
                prop_assert_eq!(graph.links.lanes[row], link.6);
            }
            for row in 0..nodes {
                prop_assert!((graph.nodes.x_m[row] - columns.x_m[row]).abs() < 1e-3);
                prop_assert!((graph.nodes.y_m[row] - columns.y_m[row]).abs() < 1e-3);
            }
        }
    }

    #[test]
    fn odd_networks() {
        let mut net = network(&[(0, 0, 10.0, 10.0, 0.5, 0.133, 1), (1, 0, 10.0, 1.0, 0.5, 0.133, 2)], 2);
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("net");
        net.columns.banned.push((CarLinkIx(0), CarLinkIx(1)));
        net.link_id[0] = "a, \"b\"".to_owned();
        net.toll = vec![0.0, 2.5];
        let notes = write(&folder, &net, &GmnsOptions::default()).unwrap();
        assert_eq!(notes, ["jam density of 1 links was raised so that free flow can reach their capacity"]);
        let text = std::fs::read_to_string(folder.join("link.csv")).unwrap();
        assert!(text.contains("\n\"a, \"\"b\"\"\",1,2,1,10,1,10,1800,0.133,auto,0\n"), "{text}");
        let text = std::fs::read_to_string(folder.join("movement.csv")).unwrap();
        assert!(text.ends_with("1,2,\"a, \"\"b\"\"\",11,banned,none,\n"), "{text}");
        net.link_id[0] = net.link_id[1].clone();
        net.node_id[0].clear();
        let Err(Error::Input(problems)) = write(&folder, &net, &GmnsOptions::default()) else { panic!() };
        assert_eq!(problems.len(), 2);
        net.lanes.pop();
        assert!(write(&folder, &net, &GmnsOptions::default()).is_err());
    }
}

//! Where single lanes lead, as the files of a network say: lane connections of SUMO, movements of GMNS.
//!
//! SUMO's connections name a lane of the edge, counted from the right; only lanes for cars count. GMNS' `movement.csv`
//! names the lanes of the inbound link that a movement is made from (`start_ib_lane` to `end_ib_lane`, or `ib_lane`),
//! counted from the left; numbers beyond the lanes of the link, such as -1 for a left pocket, are lanes that the link
//! has at its end only. Movements without lanes, for other modes or of links that are not there are left out; of SUMO's
//! connections those that leave no car a way.
//!
//! Ignored: outbound lanes, since a link has no lanes further on. Contract: pure functions of the files, in order of
//! links.

use crate::names::Names;
use crate::network::RoadNetwork;
use crate::sumo::SumoNetwork;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::Path;
use urbis_city::gmns_config::is_missing;
use urbis_city::table::{Column, Row, Table};
use urbis_core::{CarLinkIx, Problem, Problems, Result};

/// Lanes at the end of a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaneTurns {
    /// The link.
    pub link: CarLinkIx,
    /// Where each lane leads, left lane first.
    pub lanes: Vec<Vec<CarLinkIx>>,
}

/// Numbers of lanes that make sense in GMNS: pockets to the left are -1, -2, ...
const LANES_GMNS: RangeInclusive<i64> = -16..=64;

/// What connections of a SUMO network say.
#[must_use]
pub fn of_sumo(sumo: &SumoNetwork) -> Vec<LaneTurns> {
    let mut found: BTreeMap<CarLinkIx, Vec<Vec<CarLinkIx>>> = BTreeMap::new();
    for &(link, lane, out) in &sumo.lane_turns {
        let count = sumo.network.lanes[link.row()] as usize;
        let lanes = found.entry(link).or_insert_with(|| vec![Vec::new(); count]);
        // Counted from the right there, from the left here.
        if let Some(lane) = count.checked_sub(lane as usize + 1).and_then(|lane| lanes.get_mut(lane)) {
            lane.push(out);
        }
    }
    found.into_iter().map(|(link, lanes)| LaneTurns { link, lanes }).collect()
}

/// What `movement.csv` of a GMNS folder says; nothing where there is none.
///
/// # Errors
/// [`urbis_core::Error::Read`]; [`urbis_core::Error::Input`] for missing columns and lanes that make no sense.
pub fn of_gmns(folder: &Path, network: &RoadNetwork) -> Result<Vec<LaneTurns>> {
    let Some(table) = Table::find(folder, "movement.csv")? else { return Ok(Vec::new()) };
    let table = table.with_id("mvmt_id");
    let mut problems = Problems::new();
    let Some([into, onto]) = table.required_all(["ib_link_id", "ob_link_id"], &mut problems) else {
        return Err(urbis_core::Error::Input(problems));
    };
    let first = table.optional("start_ib_lane").or_else(|| table.optional("ib_lane"));
    let last = table.optional("end_ib_lane");
    let links = Names::of(&network.link_id);
    let mut found: BTreeMap<CarLinkIx, BTreeMap<i64, Vec<CarLinkIx>>> = BTreeMap::new();
    for row in table.rows() {
        let (Some(link), Some(out)) = (links.get(row.text(into)), links.get(row.text(onto))) else { continue };
        let mut lane = |column: Option<Column>| lane_of(&row, column, &mut problems);
        let Some(start) = lane(first) else { continue };
        let end = lane(last).unwrap_or(start);
        if end < start {
            let value = format!("{start} to {end}");
            problems.push(Problem::value(table.path(), row.number(), None, "lanes", value, "rising numbers"));
            continue;
        }
        let link = CarLinkIx(link);
        let lanes = found
            .entry(link)
            .or_insert_with(|| (1..=network.lanes[link.row()] as i64).map(|lane| (lane, Vec::new())).collect());
        // There is no lane 0 between pockets and lanes.
        for lane in (start..=end).filter(|lane| *lane != 0) {
            lanes.entry(lane).or_default().push(CarLinkIx(out));
        }
    }
    problems.or_else(
        found.into_iter().map(|(link, lanes)| LaneTurns { link, lanes: lanes.into_values().collect() }).collect(),
    )
}

fn lane_of(row: &Row<'_>, column: Option<Column>, problems: &mut Problems) -> Option<i64> {
    let column = column.filter(|&column| !is_missing(row.text(column)))?;
    row.integer(column, problems, LANES_GMNS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network() -> RoadNetwork {
        RoadNetwork {
            link_id: ["in", "left", "ahead", "right"].map(str::to_owned).to_vec(),
            lanes: vec![2.0; 4],
            ..RoadNetwork::default()
        }
    }

    #[test]
    fn lanes_of_sumo_count_from_the_right() {
        let link = CarLinkIx;
        let lane_turns =
            vec![(link(0), 0, link(3)), (link(0), 0, link(2)), (link(0), 1, link(1)), (link(0), 7, link(1))];
        let sumo = SumoNetwork { network: network(), lane_turns, ..SumoNetwork::default() };
        let lanes = vec![vec![link(1)], vec![link(3), link(2)]];
        assert_eq!(of_sumo(&sumo), [LaneTurns { link: link(0), lanes }]);
    }

    #[test]
    fn movements_of_gmns_name_lanes_and_pockets() {
        let place = tempfile::tempdir().unwrap();
        let write = |text: &str| std::fs::write(place.path().join("movement.csv"), text).unwrap();
        assert!(of_gmns(place.path(), &network()).unwrap().is_empty());
        write(
            "mvmt_id,node_id,ib_link_id,start_ib_lane,end_ib_lane,ob_link_id\n\
             1,n,in,-1,,left\n2,n,in,1,2,ahead\n3,n,in,2,,right\n4,n,in,,,ahead\n5,n,path,1,,ahead\n",
        );
        let link = CarLinkIx;
        let lanes = vec![vec![link(1)], vec![link(2)], vec![link(2), link(3)]];
        assert_eq!(of_gmns(place.path(), &network()).unwrap(), [LaneTurns { link: link(0), lanes }]);
        write("mvmt_id,ib_link_id,ib_lane,ob_link_id\n1,in,x,left\n2,in,99,left\n");
        let Err(urbis_core::Error::Input(problems)) = of_gmns(place.path(), &network()) else { panic!("accepted") };
        assert_eq!(problems.len(), 2, "{problems:?}");
        write("mvmt_id,ib_link_id,start_ib_lane,end_ib_lane,ob_link_id\n1,in,2,1,left\n");
        assert!(of_gmns(place.path(), &network()).is_err());
    }
}

//! Traffic lights that come with a network: GMNS timing tables and SUMO programs, as plans for its links.
//!
//! The engine stops links, files stop turns. A link is green while any of its turns is; where turns of a
//! link have different greens that is more than each of them has, so such links are counted in a note
//! (lane groups keep turns apart, see [`urbis_traffic::lane_groups`]). The first program or timing plan of
//! a junction counts, others are told of.
//!
//! Ignored: actuation (only fixed times are taken), people on foot. Contract: pure functions of the files;
//! junctions in order of the file, approaches in order of links.

use crate::names::Names;
use crate::network::RoadNetwork;
use crate::sumo::SumoNetwork;
use std::collections::BTreeMap;
use std::path::Path;
use urbis_city::table::Table;
use urbis_core::{CarLinkIx, Problem, Problems, Result};
use urbis_traffic::signals::sumo::{self, Clearance};
use urbis_traffic::signals::{Control, Junction, SignalPlan, gmns};
use urbis_traffic::time::Time;

/// The lights of a network.
#[derive(Clone, Debug, Default)]
pub struct FileSignals {
    /// Junctions; one group for each approach.
    pub junctions: Vec<Junction>,
    /// What single turns have there, in order of link.
    pub turns: Vec<TurnGreen>,
    /// What was assumed or left out.
    pub notes: Vec<String>,
}

/// When a turn is green: what lanes of its own obey.
#[derive(Clone, Debug, PartialEq)]
pub struct TurnGreen {
    /// The link it comes from.
    pub link: CarLinkIx,
    /// The link it leads to; [`CarLinkIx::NONE`] where the file does not say, or for another mode.
    pub out: CarLinkIx,
    /// Its greens in the cycle of the junction.
    pub windows: Vec<(Time, Time)>,
}

/// The groups of a plan that a link obeys, with the link each leads to or [`CarLinkIx::NONE`].
type Approaches = BTreeMap<CarLinkIx, Vec<(u32, CarLinkIx)>>;

/// The programs of a SUMO network.
///
/// # Errors
/// [`urbis_core::Error::Input`] naming every phase that makes no sense.
pub fn of_sumo(sumo: &SumoNetwork) -> Result<FileSignals> {
    let mut found = Found::default();
    let mut seen: Vec<&str> = Vec::new();
    for signal in &sumo.signals {
        if seen.contains(&signal.id.as_str()) {
            found.further_plans += 1;
            continue;
        }
        seen.push(&signal.id);
        let phases: Vec<(f64, &str)> =
            signal.phases.iter().map(|phase| (phase.duration_s, phase.state.as_str())).collect();
        if signal.controls.is_empty() || phases.is_empty() {
            continue;
        }
        found.actuated += u64::from(!matches!(signal.kind.as_str(), "static" | ""));
        let plan = sumo::plan(&signal.id, signal.offset_s, &phases, Clearance::default())?;
        let mut approaches = Approaches::new();
        for &(position, into, out) in &signal.controls {
            if position >= plan.groups() {
                let what =
                    format!("tlLogic {}: a connection has position {position}, the states have fewer", signal.id);
                return Err(Problem::file(Path::new("net.xml"), what).into());
            }
            approaches.entry(into).or_default().push((position, out));
        }
        found.add(&sumo.network, &plan, approaches)?;
    }
    Ok(found.signals())
}

/// The timing plans of a GMNS folder; nothing where it has none.
///
/// # Errors
/// As [`gmns::read`]; [`urbis_core::Error::Input`] too for movements and links that do not exist.
pub fn of_gmns(folder: &Path, network: &RoadNetwork) -> Result<Option<FileSignals>> {
    let Some(controllers) = gmns::read(folder, Clearance::default())? else { return Ok(None) };
    let Some(table) = Table::find(folder, "movement.csv")? else {
        let problem = Problem::file(&folder.join("movement.csv"), "is missing")
            .with_help("signal_phase_mvmt names movements; movement.csv says from which link they come");
        return Err(problem.into());
    };
    let table = table.with_id("mvmt_id");
    let mut problems = Problems::new();
    let columns = table.required_all(["mvmt_id", "ib_link_id"], &mut problems);
    let Some([id, into]) = columns else { return Err(urbis_core::Error::Input(problems)) };
    let links = Names::of(&network.link_id);
    let onto = table.optional("ob_link_id");
    let mut movement: BTreeMap<String, Option<(CarLinkIx, CarLinkIx)>> = BTreeMap::new();
    for row in table.rows() {
        let Some(name) = row.required_text(id, &mut problems) else { continue };
        // Links for other modes are not in the network, and their movements stop no car.
        let out = onto.and_then(|onto| links.get(row.text(onto))).map_or(CarLinkIx::NONE, CarLinkIx);
        movement.insert(name.to_owned(), links.get(row.text(into)).map(|into| (CarLinkIx(into), out)));
    }
    let mut found = Found::default();
    for controller in &controllers {
        found.further_plans += controller.plans.len() as u64 - 1;
        let of = &controller.plans[0];
        let mut approaches = Approaches::new();
        for (group, phase) in (0_u32..).zip(&of.phases) {
            for name in &phase.movements {
                match movement.get(name) {
                    Some(Some((link, out))) => approaches.entry(*link).or_default().push((group, *out)),
                    Some(None) => found.without_cars += 1,
                    None => {
                        let what = format!(
                            "phase {} lets movement {name} pass, expected a mvmt_id of movement.csv",
                            phase.timing_phase_id
                        );
                        problems.push(Problem::file(&folder.join("signal_phase_mvmt.csv"), what));
                    }
                }
            }
        }
        found.actuated += u64::from(of.actuated.is_some());
        found.add(network, &of.plan, approaches)?;
    }
    problems.or_else(Some(found.signals()))
}

#[derive(Default)]
struct Found {
    junctions: Vec<Junction>,
    turns: Vec<TurnGreen>,
    further_plans: u64,
    actuated: u64,
    without_cars: u64,
    mixed: u64,
    doubled: u64,
    controlled: BTreeMap<CarLinkIx, ()>,
}

impl Found {
    /// Adds a junction whose approaches obey the union of their groups.
    fn add(&mut self, network: &RoadNetwork, plan: &SignalPlan, approaches: Approaches) -> Result<()> {
        let (mut windows, mut controls, mut nodes) = (Vec::new(), Vec::new(), Vec::new());
        for (link, turns) in approaches {
            if self.controlled.insert(link, ()).is_some() {
                self.doubled += 1;
                continue;
            }
            let mut groups: Vec<u32> = turns.iter().map(|&(group, _)| group).collect();
            groups.sort_unstable();
            groups.dedup();
            for (group, out) in turns {
                self.turns.push(TurnGreen { link, out, windows: plan.windows(group).to_vec() });
            }
            let all: Vec<_> = groups.iter().flat_map(|&group| plan.windows(group).iter().copied()).collect();
            self.mixed += u64::from(groups.iter().any(|&group| plan.windows(group) != plan.windows(groups[0])));
            controls.push(Control { group: controls.len() as u32, link, out: Vec::new() });
            windows.push(all);
            nodes.push(network.columns.to[link.row()]);
        }
        if controls.is_empty() {
            return Ok(());
        }
        nodes.sort_unstable();
        nodes.dedup();
        let groups = 0..controls.len() as u32;
        self.junctions.push(Junction {
            nodes,
            stages: groups.map(|group| vec![group]).collect(),
            lost: vec![0; controls.len()],
            controls,
            inner: Vec::new(),
            plan: SignalPlan::from_windows(plan.cycle(), plan.offset(), windows, &[])?,
        });
        Ok(())
    }

    fn signals(self) -> FileSignals {
        let counted = [
            (
                self.mixed,
                "links have turns with different greens: each is green while any of its turns is, but where turns have lanes of their own",
            ),
            (self.further_plans, "further signal programs or timing plans of the same junction are not used"),
            (self.actuated, "signals are actuated in the file: they run their planned durations"),
            (self.doubled, "approaches are named by more than one signal: the first counts"),
            (self.without_cars, "signalled movements are not of car links and were left out"),
        ];
        let counted = counted.iter().filter(|(count, _)| *count > 0);
        FileSignals {
            notes: counted.map(|(count, what)| format!("{count} {what}")).collect(),
            junctions: self.junctions,
            turns: self.turns,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sumo::{SumoPhase, SumoSignal};
    use urbis_traffic::time::TICK;

    fn cross() -> RoadNetwork {
        let mut network = RoadNetwork::default();
        network.columns.to = vec![0, 0, 1];
        network.link_id = ["west", "south", "out"].map(str::to_owned).to_vec();
        network
    }

    #[test]
    fn a_link_is_green_while_any_of_its_turns_is() {
        let phase = |duration_s: f64, state: &str| SumoPhase {
            duration_s,
            least_s: f64::NAN,
            most_s: f64::NAN,
            state: state.into(),
        };
        let out = CarLinkIx(2);
        let signal = SumoSignal {
            id: "j".into(),
            phases: vec![phase(30.0, "Grr"), phase(10.0, "rGr"), phase(20.0, "rrG")],
            controls: vec![(0, CarLinkIx(0), out), (1, CarLinkIx(0), out), (2, CarLinkIx(1), out)],
            ..SumoSignal::default()
        };
        let again = SumoSignal { program: "night".into(), ..signal.clone() };
        let sumo = SumoNetwork { network: cross(), signals: vec![signal, again], ..SumoNetwork::default() };
        let found = of_sumo(&sumo).unwrap();
        let junction = &found.junctions[0];
        assert_eq!((found.junctions.len(), junction.nodes.as_slice(), junction.controls.len()), (1, &[0][..], 2));
        // Two seconds are lost wherever a light turns green; there is no amber.
        assert_eq!(junction.plan.windows(0), [(2 * TICK, 30 * TICK), (32 * TICK, 40 * TICK)]);
        assert_eq!(junction.plan.windows(1), [(42 * TICK, 60 * TICK)]);
        assert_eq!(found.notes.len(), 2, "{:?}", found.notes);
    }

    #[test]
    fn gmns_phases_reach_links_by_their_movements() {
        let place = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(place.path().join(name), text).unwrap();
        assert!(of_gmns(place.path(), &cross()).unwrap().is_none());
        write("signal_timing_plan.csv", "timing_plan_id,controller_id,cycle_length\np,c,60\n");
        write(
            "signal_timing_phase.csv",
            "timing_phase_id,timing_plan_id,signal_phase_num,ring,barrier,position,min_green,clearance\n\
             a,p,2,1,1,1,26,4\nb,p,4,1,2,1,26,4\n",
        );
        write("signal_phase_mvmt.csv", "signal_phase_mvmt_id,timing_phase_id,mvmt_id\n1,a,m\n2,b,n\n3,b,walk\n");
        assert!(of_gmns(place.path(), &cross()).is_err(), "movement.csv is missing");
        write("movement.csv", "mvmt_id,node_id,ib_link_id,ob_link_id\nm,0,west,out\nn,0,south,out\nwalk,0,path,out\n");
        let found = of_gmns(place.path(), &cross()).unwrap().unwrap();
        let junction = &found.junctions[0];
        let links: Vec<CarLinkIx> = junction.controls.iter().map(|control| control.link).collect();
        assert_eq!(links, [CarLinkIx(0), CarLinkIx(1)]);
        for group in 0..2 {
            assert!((junction.plan.green_share(group) - 26.0 / 60.0).abs() < 1e-9, "{:?}", junction.plan);
        }
        assert_eq!(junction.plan.common_green(0, 1), None);
        assert!(found.notes.iter().any(|note| note.contains("not of car links")));
        write("movement.csv", "mvmt_id,node_id,ib_link_id,ob_link_id\nm,0,west,out\n");
        let Err(urbis_core::Error::Input(problems)) = of_gmns(place.path(), &cross()) else { panic!("accepted") };
        assert!(problems.listed()[0].to_string().contains("movement n"), "{problems:?}");
    }
}

//! Networks in the text form of EPANET: every section, every system of units, and what is wrong with a file.
#![allow(clippy::print_stdout)] // a test says its figures

#[path = "common/shared.rs"]
mod shared;

use std::path::Path;
use urbis_core::Error;
use urbis_utility::water::inp::{self, FlowUnit, InpFile};
use urbis_utility::water::network::{
    DemandModel, HeadLoss, LinkKind, LinkStatus, Mixing, NONE, NodeKind, PumpLift, QualityKind, Relation, SourceKind,
    Subject, Trigger, Unbalanced, WEIGHT_NPM3,
};

const ALL: &str = include_str!("data/water/all_sections.inp");

fn parsed(text: &str) -> InpFile {
    inp::parse(Path::new("net.inp"), text).unwrap_or_else(|why| match why {
        Error::Input(problems) => {
            panic!("{:#?}", problems.listed().iter().map(ToString::to_string).collect::<Vec<_>>())
        }
        other => panic!("{other}"),
    })
}

fn problems(text: &str) -> Vec<String> {
    match inp::parse(Path::new("net.inp"), text) {
        Ok(_) => Vec::new(),
        Err(Error::Input(problems)) => problems.listed().iter().map(ToString::to_string).collect(),
        Err(other) => panic!("{other}"),
    }
}

#[track_caller]
fn is(value: f64, expected: f64) {
    assert!((value - expected).abs() <= 1e-12 * expected.abs().max(1e-9), "{value:e}, expected {expected:e}");
}

fn row(ids: &[String], id: &str) -> usize {
    ids.iter().position(|of| of == id).unwrap_or_else(|| panic!("no {id}"))
}

const FT: f64 = 0.3048;
const CFS: f64 = FT * FT * FT;
const GPM: f64 = CFS / 448.831;
const PSI: f64 = FT / 0.4333;

#[test]
fn nodes_of_all_sections() {
    let file = parsed(ALL);
    assert_eq!(file.flow_unit, FlowUnit::Gpm);
    let (net, nodes) = (&file.network, &file.network.nodes);
    assert_eq!(net.title, ["Every section, made up", "second line"]);
    let at = |id| row(&nodes.id, id);
    assert_eq!(nodes.kind[at("R 1")], NodeKind::Reservoir, "a quoted id");
    is(nodes.elevation_m[at("R 1")], 100.0 * FT);
    assert_eq!(net.patterns[nodes.head_pattern[at("R 1")] as usize].id, "heads");
    is(nodes.elevation_m[at("J1")], 10.0 * FT);
    // 5 gpm at 1 psi to the power of 0.6: at 1 m there are 1 / PSI psi.
    is(nodes.emitter_m3ps[at("J3")], 5.0 * GPM * PSI.powf(-0.6));
    assert_eq!(nodes.place[at("J1")], Some([1.5, -2.0]));
    // Chlorine in mg/L, of one node and of a range of ids.
    is(nodes.initial_quality[at("J1")], 0.5e-3);
    is(nodes.initial_quality[at("J3")], 0.8e-3);

    let tank = |id| net.tanks.node.iter().position(|node| *node == at(id) as u32).unwrap();
    let (round, curved) = (tank("T1"), tank("T2"));
    let tanks = &net.tanks;
    is(tanks.initial_level_m[round], 12.0 * FT);
    is(tanks.min_level_m[round], 2.0 * FT);
    is(tanks.max_level_m[round], 20.0 * FT);
    is(tanks.diameter_m[round], 50.0 * FT);
    is(tanks.min_volume_m3[round], std::f64::consts::FRAC_PI_4 * 2500.0 * 2.0 * CFS);
    assert_eq!((tanks.volume_curve[round], tanks.can_overflow[round]), (NONE, false));
    assert_eq!(tanks.mixing[round], Mixing::TwoCompartment(0.25));
    is(tanks.bulk_per_s[round], -0.3 / 86_400.0);
    assert!(tanks.can_overflow[curved]);
    assert_eq!(tanks.mixing[curved], Mixing::Lifo);
    let volumes = &net.curves[tanks.volume_curve[curved] as usize];
    assert_eq!(volumes.id, "volumes");
    is(volumes.points[1][0], 10.0 * FT);
    is(volumes.points[1][1], 5000.0 * CFS);
    is(tanks.min_volume_m3[curved], 1000.0 * CFS);
}

#[test]
fn demands_and_patterns() {
    let net = parsed(ALL).network;
    let demands = &net.demands;
    let of = |id| {
        let node = row(&net.nodes.id, id) as u32;
        let rows = (0..demands.node.len()).filter(|at| demands.node[*at] == node);
        let pattern = |at: usize| net.patterns.get(demands.pattern[at] as usize).map_or("", |of| of.id.as_str());
        rows.map(|at| (demands.base_m3ps[at], pattern(at))).collect::<Vec<_>>()
    };
    // Of its own line, with its pattern; and with the default one.
    let (j1, j2) = (of("J1"), of("J2"));
    assert_eq!(j1.len(), 1);
    is(j1[0].0, 100.0 * GPM);
    assert_eq!(j1[0].1, "day");
    // DEMANDS took the place of 999.
    assert_eq!(j2.len(), 2);
    is(j2[0].0, 30.0 * GPM);
    is(j2[1].0, -7.0 * GPM);
    assert_eq!((j2[0].1, j2[1].1), ("day", "heads"));
    assert_eq!(net.patterns[0].multipliers, [0.5, 1.0, 1.5, 2.0, 1.0, 0.25]);
    is(net.options.demand_multiplier, 1.1);
    assert!(of("T1").is_empty() && of("R 1").is_empty());
}

#[test]
fn links_of_all_sections() {
    let net = parsed(ALL).network;
    let (links, at) = (&net.links, |id| row(&net.links.id, id));
    let pipe = at("P1");
    is(links.length_m[pipe], 1000.0 * FT);
    is(links.diameter_m[pipe], FT);
    is(links.roughness[pipe], 120.0);
    is(links.minor_loss[pipe], 0.5);
    assert_eq!((links.kind[pipe], links.status[pipe]), (LinkKind::Pipe, LinkStatus::Open));
    assert_eq!(links.vertices[pipe], [[1.0, 1.0], [2.0, 2.5]]);
    assert_eq!(links.kind[at("P2")], LinkKind::CheckValve);
    assert_eq!(links.status[at("P3")], LinkStatus::Closed, "of its line");
    assert_eq!(links.status[at("P4")], LinkStatus::Closed, "of STATUS");
    is(links.bulk_per_s[at("P1")], -0.7 / 86_400.0);
    assert!(links.bulk_per_s[at("P2")].is_nan(), "the general one");
    is(links.wall_mps[at("P2")], -1.2 * FT / 86_400.0);

    let pump = |id| net.pumps.link.iter().position(|link| *link == at(id) as u32).unwrap();
    let odd = pump("~@Pump-1");
    let PumpLift::Curve(curve) = net.pumps.lift[odd] else { panic!("{:?}", net.pumps.lift[odd]) };
    is(net.curves[curve as usize].points[0][0], 600.0 * GPM);
    is(net.curves[curve as usize].points[0][1], 150.0 * FT);
    is(links.setting[at("~@Pump-1")], 1.2);
    assert_eq!(net.patterns[net.pumps.speed_pattern[odd] as usize].id, "heads");
    let efficiency = &net.curves[net.pumps.efficiency_curve[odd] as usize];
    is(efficiency.points[1][0], 600.0 * GPM);
    is(efficiency.points[1][1], 0.8);
    is(net.pumps.price_per_kwh[odd], 0.2);
    assert_eq!(net.pumps.lift[pump("U2")], PumpLift::Power(10.0 * 745.7));
    is(links.setting[at("U2")], 0.9);
    // 10 hp lift 1 cfs by 8.814 * 10 feet to EPANET.
    is(10.0 * 745.7 / WEIGHT_NPM3 / CFS, 88.14 * FT);
    // As in EPANET 1: H0 H1 Q1 H2 Q2.
    let PumpLift::Curve(curve) = net.pumps.lift[pump("U3")] else { panic!() };
    let points: Vec<f64> = net.curves[curve as usize].points.iter().flatten().copied().collect();
    for (value, expected) in points.iter().zip([0.0, 200.0 * FT, 500.0 * GPM, 150.0 * FT, 1000.0 * GPM, 80.0 * FT]) {
        is(*value, expected);
    }
    assert_eq!(links.status[at("U3")], LinkStatus::Closed);

    is(links.setting[at("V1")], 50.0 * PSI);
    assert_eq!((links.kind[at("V1")], links.status[at("V1")]), (LinkKind::Prv, LinkStatus::Active));
    is(links.diameter_m[at("V1")], 0.5 * FT);
    is(links.setting[at("V2")], 300.0 * GPM);
    is(links.setting[at("V3")], 2.5);
    is(links.minor_loss[at("V3")], 0.3);
    assert_eq!(links.status[at("V3")], LinkStatus::Open, "of STATUS");
    let losses = &net.curves[links.curve[at("V4")] as usize];
    is(losses.points[1][0], 100.0 * GPM);
    is(losses.points[1][1], 3.0 * FT);
    is(links.setting[at("V5")], 12.0 * PSI);
}

#[test]
fn controls() {
    let net = parsed(ALL).network;
    let (node, link) = (|id| row(&net.nodes.id, id) as u32, |id| row(&net.links.id, id) as u32);
    assert_eq!(net.controls.len(), 6);
    let level = |at: usize| match net.controls[at].trigger {
        Trigger::HeadAbove(of, head) | Trigger::HeadBelow(of, head) => (of, head),
        other => panic!("{other:?}"),
    };
    let (of, head) = level(0);
    assert_eq!((of, net.controls[0].action.link), (node("T1"), link("P4")));
    assert!(matches!(net.controls[0].trigger, Trigger::HeadAbove(..)));
    is(head, (200.0 + 19.0) * FT);
    let (of, head) = level(1);
    assert_eq!(of, node("J1"));
    is(head, 10.0 * FT + 30.0 * PSI);
    let action = net.controls[1].action;
    assert_eq!((action.link, action.status, action.setting), (link("~@Pump-1"), Some(LinkStatus::Open), Some(1.5)));
    assert_eq!(net.controls[2].trigger, Trigger::Time(5400));
    assert_eq!(net.controls[2].action.setting, Some(0.0), "closing a pump is speed 0");
    assert_eq!(net.controls[3].trigger, Trigger::TimeOfDay(13 * 3600 + 1800));
    is(net.controls[3].action.setting.unwrap(), 40.0 * PSI);
    assert_eq!(net.controls[4].trigger, Trigger::Time(50 * 3600));
    assert_eq!(net.controls[4].action.status, Some(LinkStatus::Closed));
    assert_eq!(net.controls[5].trigger, Trigger::TimeOfDay(0));
}

#[test]
fn rules() {
    let net = parsed(ALL).network;
    let (node, link) = (|id| row(&net.nodes.id, id) as u32, |id| row(&net.links.id, id) as u32);
    assert_eq!(net.rules.len(), 2);
    let rule = &net.rules[0];
    assert_eq!((rule.id.as_str(), rule.premises.len(), rule.then.len(), rule.otherwise.len()), ("first", 5, 2, 1));
    is(rule.priority, 5.0);
    let is_or: Vec<bool> = rule.premises.iter().map(|premise| premise.is_or).collect();
    assert_eq!(is_or, [false, false, true, false, false]);
    let relations: Vec<Relation> = rule.premises.iter().map(|premise| premise.relation).collect();
    let expected = [Relation::Above, Relation::AtLeast, Relation::Equal, Relation::Below, Relation::NotEqual];
    assert_eq!(relations, expected);
    let Subject::NodePressure(of, level) = rule.premises[0].subject else { panic!() };
    assert_eq!(of, node("T1"));
    is(level, 15.0 * FT);
    assert_eq!(rule.premises[1].subject, Subject::ClockTime(20 * 3600));
    assert_eq!(rule.premises[2].subject, Subject::LinkStatus(link("P1"), LinkStatus::Open));
    let Subject::NodePressure(of, pressure) = rule.premises[3].subject else { panic!() };
    assert_eq!(of, node("J1"));
    is(pressure, 20.0 * PSI);
    let Subject::LinkFlow(_, flow) = rule.premises[4].subject else { panic!() };
    is(flow, 40.0 * GPM);
    assert_eq!(rule.then[0].status, Some(LinkStatus::Closed));
    is(rule.then[1].setting.unwrap(), 55.0 * PSI);
    is(rule.otherwise[0].setting.unwrap(), 1.1);
    let second = &net.rules[1];
    let Subject::SystemDemand(demand) = second.premises[0].subject else { panic!() };
    is(demand, 500.0 * GPM);
    assert_eq!(second.premises[1].subject, Subject::FillTime(node("T1"), 2.5 * 3600.0));
    assert_eq!(second.premises[2].subject, Subject::Time(7260));
}

#[test]
fn options_times_energy_and_quality() {
    let file = parsed(ALL);
    let net = &file.network;
    let options = &net.options;
    assert_eq!(options.head_loss, HeadLoss::HazenWilliams);
    let DemandModel::PressureDriven { minimum_m, required_m, exponent } = options.demand_model else { panic!() };
    is(minimum_m, 5.0 * PSI);
    is(required_m, 20.0 * PSI);
    is(exponent, 0.6);
    is(options.specific_gravity, 1.0);
    is(options.viscosity_m2ps, 1.2 * 1.1e-5 * FT * FT);
    assert_eq!((options.trials, options.check_every, options.check_until), (50, 3, 9));
    is(options.accuracy, 1e-6);
    is(options.damp_limit, 0.01);
    is(options.head_error_m, 0.02 * FT);
    is(options.flow_change_m3ps, 0.5 * GPM);
    is(options.emitter_exponent, 0.6);
    assert_eq!(options.unbalanced, Unbalanced::Continue(10));
    let times = &net.times;
    assert_eq!((times.duration_s, times.hydraulic_step_s, times.quality_step_s), (86_400, 1800, 180));
    assert_eq!((times.pattern_step_s, times.pattern_start_s, times.rule_step_s), (7200, 3600, 60));
    assert_eq!((times.report_step_s, times.report_start_s, times.start_clock_s), (1800, 0, 21 * 3600));
    is(net.energy.efficiency, 0.7);
    is(net.energy.price_per_kwh, 0.1);
    is(net.energy.demand_charge_per_kw, 3.0);
    assert_eq!(net.patterns[net.energy.price_pattern as usize].id, "day");
    let quality = &net.quality;
    assert_eq!(quality.kind, QualityKind::Chemical);
    quality.orders.iter().for_each(|order| is(*order, 1.0));
    is(quality.bulk_per_s, -0.5 / 86_400.0);
    is(quality.wall, -FT / 86_400.0);
    is(quality.limit, 0.1e-3);
    is(quality.tolerance, 0.02e-3);
    is(quality.diffusivity_m2ps, 1.3e-8 * FT * FT);
    let kinds: Vec<_> = quality.sources.iter().map(|source| source.kind).collect();
    assert_eq!(kinds, [SourceKind::Concentration, SourceKind::Mass, SourceKind::Setpoint]);
    is(quality.sources[0].strength, 1e-3);
    is(quality.sources[1].strength, 200e-6 / 60.0);
    assert_eq!(net.patterns[quality.sources[1].pattern as usize].id, "day");
    for named in ["LABELS", "MAP", "REPORT", "TAGS", "BACKDROP", "MADE_UP", "spare is not used", "EPANET 1"] {
        assert!(file.notes.iter().any(|note| note.contains(named)), "{named}: {:#?}", file.notes);
    }
}

const SMALL: &str = "[JUNCTIONS]\nJ 1 2\n[RESERVOIRS]\nR 10\n[TANKS]\nT 1 2 1 3 4\n[PIPES]\nP R J 100 200 0.5\nQ J T 100 200 0.5\n\
    [VALVES]\nF J K 200 FCV 3\nV K L 200 PRV 4\n[PUMPS]\nU R J POWER 5\n[JUNCTIONS]\nK 0\nL 0\n[EMITTERS]\nJ 2\n";

#[test]
fn every_unit_of_flow() {
    let units = [
        ("CFS", FlowUnit::Cfs, 1.0),
        ("GPM", FlowUnit::Gpm, 448.831),
        ("MGD", FlowUnit::Mgd, 0.646_32),
        ("IMGD", FlowUnit::Imgd, 0.5382),
        ("AFD", FlowUnit::Afd, 1.9837),
        ("LPS", FlowUnit::Lps, 28.317),
        ("LPM", FlowUnit::Lpm, 1699.0),
        ("MLD", FlowUnit::Mld, 2.4466),
        ("CMH", FlowUnit::Cmh, 101.94),
        ("CMD", FlowUnit::Cmd, 2446.6),
    ];
    for (name, unit, per_cfs) in units {
        // The options stand at the end and in small letters.
        let text = format!("{SMALL}[OPTIONS]\nunits {}\nheadloss d-w\nviscosity 1e-6\n", name.to_lowercase());
        let file = parsed(&text);
        assert_eq!(file.flow_unit, unit);
        let net = &file.network;
        let (length, diameter, pressure, power) =
            if unit.is_us() { (FT, FT / 12.0, PSI, 745.7) } else { (1.0, 1e-3, 1.0, 1e3) };
        let flow = CFS / per_cfs;
        is(net.demands.base_m3ps[0], 2.0 * flow);
        is(net.nodes.elevation_m[0], length);
        is(net.links.length_m[0], 100.0 * length);
        is(net.links.diameter_m[0], 200.0 * diameter);
        is(net.links.roughness[0], 0.5e-3 * length);
        is(net.links.setting[row(&net.links.id, "F")], 3.0 * flow);
        is(net.links.setting[row(&net.links.id, "V")], 4.0 * pressure);
        is(net.nodes.emitter_m3ps[0], 2.0 * flow / pressure.sqrt());
        is(net.tanks.min_volume_m3[0], std::f64::consts::FRAC_PI_4 * 16.0 * length.powi(3));
        is(net.options.viscosity_m2ps, 1e-6 * length * length);
        assert_eq!(net.pumps.lift[0], PumpLift::Power(5.0 * power));
    }
}

#[test]
fn units_of_pressure_and_weight() {
    let setting = |options: &str| {
        let net = parsed(&format!("{SMALL}[OPTIONS]\n{options}\n")).network;
        net.links.setting[row(&net.links.id, "V")]
    };
    is(setting("UNITS LPS\nPRESSURE KPA"), 4.0 * FT / (6.895 * 0.4333));
    is(setting("UNITS LPS\nPRESSURE PSI"), 4.0);
    is(setting("UNITS GPM\nPRESSURE METERS"), 4.0 * PSI);
    is(setting("UNITS GPM\nSPECIFIC GRAVITY 0.8"), 4.0 * PSI / 0.8);
    is(setting("UNITS CMH\nSPECIFIC GRAVITY 0.8"), 4.0 / 0.8);
}

#[test]
fn reactions_of_other_orders() {
    let net = |more: &str| {
        let quality = "QUALITY Chlorine ug/L\nUNITS LPS\n[TIMES]\nDURATION 1\n";
        parsed(&format!("{SMALL}[OPTIONS]\n{quality}[REACTIONS]\n{more}\n")).network
    };
    // k of ug/L: 1e-6 kg/m3.
    let second = net("GLOBAL BULK -2\nORDER BULK 2\nORDER WALL 0\nGLOBAL WALL -3");
    is(second.quality.bulk_per_s, -2.0 / 86_400.0 / 1e-6);
    is(second.quality.wall, -3e-9 / 86_400.0);
    is(second.tanks.bulk_per_s[0], -2.0 / 86_400.0);
    let zeroth = net("GLOBAL BULK -2\nORDER BULK 0\nORDER TANK 0");
    is(zeroth.quality.bulk_per_s, -2e-6 / 86_400.0);
    assert!(zeroth.tanks.bulk_per_s[0].is_nan());
    let rough = net("ROUGHNESS CORRELATION -60\nWALL Q -1");
    is(rough.links.wall_mps[0], -60.0 / 0.5 / 86_400.0);
    is(rough.links.wall_mps[1], -1.0 / 86_400.0);
    let traced = parsed(&format!("{SMALL}[OPTIONS]\nQUALITY TRACE R\n[TIMES]\nDURATION 1\n[QUALITY]\nJ 40")).network;
    assert_eq!(traced.quality.kind, QualityKind::Trace(1));
    is(traced.nodes.initial_quality[0], 0.4);
    is(traced.quality.tolerance, 1e-4);
    let aged = parsed(&format!("{SMALL}[OPTIONS]\nQUALITY AGE\n[TIMES]\nDURATION 1\n[QUALITY]\nJ 2")).network;
    is(aged.nodes.initial_quality[0], 7200.0);
    is(aged.quality.tolerance, 36.0);
}

#[test]
fn what_is_wrong_is_said_with_its_line() {
    let cases = [
        ("[PIPES]\nX R J -5 200 100", "net.inp line 21: (id X) length = -5, expected a number > 0"),
        ("[PIPES]\nX R no 5 200 100", "net.inp line 21: (id X) node2 = no, expected the id of a node"),
        ("[PIPES]\nX R R 5 200 100", "net.inp line 21: (id X) node2 = R, expected another node than node1"),
        ("[PIPES]\nP R J 5 200 100", "net.inp line 21: (id P) id = P, expected an id that no other link has"),
        (
            "[PIPES]\nX R J 5 200",
            "net.inp line 21: (id X) 5 words, expected id, two nodes, length, diameter and roughness",
        ),
        ("[JUNCTIONS]\nJ 5", "net.inp line 21: (id J) id = J, expected an id that no other node has"),
        ("[JUNCTIONS]\nN 5 1 pat", "net.inp line 21: (id N) pattern = pat, expected the id of a pattern"),
        ("[JUNCTIONS]\nN five", "net.inp line 21: (id N) elevation = five, expected a number"),
        ("[PUMPS]\nX R J HEAD c", "net.inp line 21: (id X) HEAD = c, expected the id of a curve"),
        ("[PUMPS]\nX R J SPEED 1", "net.inp line 21: (id X) neither HEAD nor POWER, expected one of them"),
        (
            "[JUNCTIONS]\nN 0\n[VALVES]\nX R N 5 PRV 3",
            "net.inp line 23: (id X) nodes = R N, expected junctions: no PRV, PSV or FCV at a tank or reservoir",
        ),
        (
            "[VALVES]\nX J L 5 PRV 3",
            "net.inp line 21: (id X) nodes = J L, expected a Prv that does not share a node with valve V in this way",
        ),
        ("[VALVES]\nX J L 5 ABC 3", "net.inp line 21: (id X) type = ABC, expected PRV, PSV, PBV, FCV, TCV or GPV"),
        ("[TANKS]\nX 0 5 6 7 3", "net.inp line 21: (id X) minimum, initial, maximum level = 6, 5, 7, expected to rise"),
        (
            "[OPTIONS]\nHADLOSS H-W",
            "net.inp line 21: HADLOSS = H-W, expected an option of EPANET 2.2; did you mean HEADLOSS?",
        ),
        (
            "[OPTIONS]\nUNITS XYZ",
            "net.inp line 21: UNITS = XYZ, expected CFS, GPM, MGD, IMGD, AFD, LPS, LPM, MLD, CMH or CMD",
        ),
        (
            "[TIMES]\nDURATION soon",
            "net.inp line 21: DURATION = soon, expected a time such as 5, 90 MIN, 1:30 or 1:30 PM",
        ),
        ("[CONTROLS]\nLINK Z OPEN AT TIME 5", "net.inp line 21: (id LINK) link = Z, expected the id of a link"),
        (
            "[CURVES]\nc 2 3\nc 2 1\n[PUMPS]\nX R J HEAD c",
            "net.inp line 21: (id c) x of the curve's points do not rise, expected each > the last",
        ),
        (
            "[RULES]\nRULE 1\nTHEN PUMP U STATUS = OPEN",
            "net.inp line 22: (rule 1) THEN PUMP U STATUS = OPEN: is not where it can stand in a rule",
        ),
        (
            "[RULES]\nRULE 1\nIF NODE J FLOW > 1",
            "net.inp line 22: (rule 1) IF NODE J FLOW > 1: expected DEMAND, HEAD, LEVEL or PRESSURE; FILLTIME or DRAINTIME of a tank",
        ),
    ];
    assert_eq!(SMALL.lines().count(), 19);
    for (more, expected) in cases {
        assert_eq!(problems(&format!("{SMALL}{more}\n")), [expected]);
    }
    let rising = problems(&format!("{SMALL}[CURVES]\nc 0 1\nc 2 3\n[PUMPS]\nX R J HEAD c\n"));
    assert_eq!(rising, ["net.inp: (id X) HEAD = c, expected a curve with heads that fall as flow grows"]);
    assert_eq!(problems(""), ["net.inp: no node, expected [JUNCTIONS] and [RESERVOIRS] or [TANKS]"]);
    assert_eq!(problems("[JUNCTIONS]\nJ 1"), ["net.inp: no reservoir or tank, expected at least one"]);
    // All of them are collected.
    assert_eq!(problems(&format!("{SMALL}[PIPES]\nX R J -5 x 100\n[STATUS]\nno OPEN")).len(), 3);
    let alone = parsed(&format!("{SMALL}[JUNCTIONS]\nalone 0"));
    assert!(alone.notes.contains(&"node alone has no link".to_owned()));
}

#[test]
fn compressed_files_and_other_letters() {
    let folder = tempfile::tempdir().unwrap();
    let zipped = folder.path().join("all.inp.gz");
    let mut packer =
        flate2::write::GzEncoder::new(std::fs::File::create(&zipped).unwrap(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packer, ALL.as_bytes()).unwrap();
    packer.finish().unwrap();
    // As text: what is not given is NaN.
    let (read, expected) = (inp::read(&zipped).unwrap().network, parsed(ALL).network);
    assert!(format!("{read:?}") == format!("{expected:?}"));
    // Latin-1: two ids that differ in a letter beyond ASCII stay two.
    let latin = folder.path().join("latin.inp");
    let text = SMALL.replace("K ", "\u{e4} ").replace("L ", "\u{f6} ");
    let bytes: Vec<u8> = text.chars().map(|letter| letter as u8).collect();
    std::fs::write(&latin, bytes).unwrap();
    let network = inp::read(&latin).unwrap().network;
    assert!(network.nodes.id.contains(&"ä".to_owned()) && network.nodes.id.contains(&"ö".to_owned()));
    assert!(inp::read(&folder.path().join("none.inp")).unwrap_err().to_string().contains("none.inp"));
}

#[test]
fn files_of_the_shared_folder() {
    let mut read = 0;
    for folder in shared::folders("water") {
        let mut entries: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        entries.sort();
        for path in entries.iter().filter(|path| path.to_string_lossy().ends_with(".inp.gz")) {
            let file = inp::read(path).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
            let net = &file.network;
            println!(
                "{}: {} nodes, {} links, {} demands, {} controls",
                path.display(),
                net.nodes.id.len(),
                net.links.id.len(),
                net.demands.node.len(),
                net.controls.len()
            );
            assert_eq!(net.times.duration_s, 86_400);
            assert!(net.links.length_m.iter().all(|length| length.is_finite() && *length >= 0.0));
            read += 1;
        }
    }
    println!("{read} files");
}

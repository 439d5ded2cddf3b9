//! A water network over time without a city: from an INP file to tables.
//!
//! Files in the folder: `node` and `link`, a row for each node and link at each report, `tank`, `pump`, and `summary.json`,
//! which is removed first and written last, so that its presence says that the others are whole.
//!
//! A step that does not settle is flagged in the column `is_balanced`, counted, and the run goes on.

use crate::solved_folder::{keep_apart, make_ready, write_summary, write_table};
use serde_json::{Value as Json, json};
use std::path::{Path, PathBuf};
use urbis_city::geoparquet::TableWriter;
use urbis_core::{Problem, Result};
use urbis_utility::water::network::{DemandModel, LinkKind, NodeKind, Options, QualityKind};
use urbis_utility::water::quality::QualityRun;
use urbis_utility::water::{Simulation, inp};

/// How to solve a network.
#[derive(Clone, Debug)]
pub struct WaterOptions {
    /// The network (.inp, .inp.gz).
    pub network: PathBuf,
    /// Folder of the results; other files in it stay.
    pub out: PathBuf,
    /// Whether demands depend on pressure, in place of what the file says.
    pub is_pressure_driven: Option<bool>,
    /// Pressure below which nothing is delivered, in place of that of the file, metres.
    pub minimum_m: Option<f64>,
    /// Pressure from which all is delivered, in place of that of the file, metres; 20 where neither says it.
    pub required_m: Option<f64>,
    /// Length of the run in place of that of the file, seconds.
    pub duration_s: Option<u32>,
    /// Tables as CSV instead of Parquet.
    pub as_csv: bool,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct WaterSummary {
    /// What `summary.json` holds.
    pub json: Json,
    /// What the reader left out or assumed.
    pub notes: Vec<String>,
    /// Why the results are not what was asked for, if they are not: steps that did not settle.
    pub failure: Option<String>,
}

/// Columns of nodes and links, a row for each at each report.
#[derive(Default)]
struct Reports {
    node_time_s: Vec<u32>,
    head_m: Vec<f64>,
    pressure_m: Vec<f64>,
    demand_m3ps: Vec<f64>,
    served_m3ps: Vec<f64>,
    emitted_m3ps: Vec<f64>,
    is_supplied: Vec<bool>,
    link_time_s: Vec<u32>,
    flow_m3ps: Vec<f64>,
    velocity_mps: Vec<f64>,
    headloss_m: Vec<f64>,
    status: Vec<&'static str>,
    setting: Vec<f64>,
    tank_time_s: Vec<u32>,
    level_m: Vec<f64>,
    volume_m3: Vec<f64>,
    inflow_m3ps: Vec<f64>,
    is_balanced: Vec<bool>,
    node_quality: Vec<f64>,
    link_quality: Vec<f64>,
    reports: usize,
}

/// What the books may lack of what was moved.
const BOOKS: f64 = 1e-6;

/// The demand model that is asked for, with pressures of the file where nothing else is said.
fn demand_model(options: &WaterOptions, of: &Options) -> Result<DemandModel> {
    let is_driven = options.is_pressure_driven.unwrap_or(matches!(of.demand_model, DemandModel::PressureDriven { .. }));
    if !is_driven {
        return Ok(DemandModel::Fixed);
    }
    let [minimum_m, required_m, exponent] = match of.demand_model {
        DemandModel::PressureDriven { minimum_m, required_m, exponent } => [minimum_m, required_m, exponent],
        DemandModel::Fixed => of.stated_pressures.unwrap_or([0.0, 20.0, 0.5]),
    };
    let (minimum_m, required_m) = (options.minimum_m.unwrap_or(minimum_m), options.required_m.unwrap_or(required_m));
    if !(minimum_m >= 0.0 && required_m > minimum_m && required_m.is_finite()) {
        let what = format!("{required_m}, expected more than the minimum pressure {minimum_m}, metres");
        return Err(Problem::file(Path::new("required pressure"), what).into());
    }
    Ok(DemandModel::PressureDriven { minimum_m, required_m, exponent })
}

/// Solves, writes and sums up.
///
/// # Errors
/// A network that is not right, or a folder that cannot be written.
pub fn solve(options: &WaterOptions) -> Result<WaterSummary> {
    let inp::InpFile { mut network, notes, .. } = inp::read(&options.network)?;
    network.options.demand_model = demand_model(options, &network.options)?;
    if let Some(duration_s) = options.duration_s {
        network.times.duration_s = duration_s;
        if network.times.report_start_s > duration_s {
            network.times.report_start_s = 0;
        }
    }
    keep_apart(&options.network, &options.out)?;
    let duration_s = network.times.duration_s;
    let mut quality = QualityRun::new(&network);
    let mut run = Simulation::new(network)?;
    make_ready(&options.out)?;
    let mut reports = Reports::default();
    let (mut solves, mut trials, mut unbalanced, mut unsupplied) = (0_u32, 0_u32, Vec::new(), 0_usize);
    loop {
        let balance = run.solve();
        solves += 1;
        trials += balance.trials;
        if !balance.is_balanced {
            unbalanced.push(run.time_s);
        }
        unsupplied = unsupplied.max(run.hydraulics.is_supplied.iter().filter(|is_supplied| !**is_supplied).count());
        if run.is_report() || duration_s == 0 {
            reports.take(&run, &quality, balance.is_balanced);
        }
        if run.time_s >= duration_s {
            break;
        }
        let of = &run.hydraulics;
        let demands: Vec<f64> = of.served_m3ps.iter().zip(&of.emitted_m3ps).map(|(a, b)| a + b).collect();
        let (flows, volumes) = (of.flow_m3ps.clone(), run.volume_m3.clone());
        let gone_s = run.advance(duration_s - run.time_s);
        quality.advance(&flows, &volumes, &demands, f64::from(gone_s));
    }
    write(options, &run, &reports)?;
    let net = run.hydraulics.network();
    let count = |kind: NodeKind| net.nodes.kind.iter().filter(|of| **of == kind).count();
    let links = |is_it: fn(&LinkKind) -> bool| net.links.kind.iter().filter(|of| is_it(of)).count();
    let of = run.volumes;
    let lowest = reports.pressure_m.iter().zip(&reports.is_supplied).filter(|(_, is_supplied)| **is_supplied);
    let json = json!({
        "network": options.network.file_name().map(|name| name.to_string_lossy()),
        "junctions": count(NodeKind::Junction), "reservoirs": count(NodeKind::Reservoir), "tanks": count(NodeKind::Tank),
        "pipes": links(|kind| matches!(kind, LinkKind::Pipe | LinkKind::CheckValve)),
        "pumps": links(|kind| *kind == LinkKind::Pump),
        "valves": links(|kind| !matches!(kind, LinkKind::Pipe | LinkKind::CheckValve | LinkKind::Pump)),
        "duration_s": duration_s, "solves": solves, "trials": trials, "reports": reports.reports,
        "unbalanced_steps": unbalanced.len(), "unbalanced_at_s": unbalanced.iter().take(20).collect::<Vec<_>>(),
        "unsupplied_nodes_max": unsupplied,
        "asked_m3": of.asked_m3, "served_m3": of.served_m3, "unserved_m3": (of.asked_m3 - of.served_m3).max(0.0),
        "injected_m3": of.injected_m3,
        "emitted_m3": of.emitted_m3, "supplied_m3": of.supplied_m3, "stored_m3": of.stored_m3, "spilt_m3": of.spilt_m3,
        "residual_m3": run.residual_m3(),
        "pressure_m_min": lowest.map(|(pressure, _)| *pressure).fold(None, |least: Option<f64>, pressure| {
            Some(least.map_or(pressure, |least| least.min(pressure)))
        }),
        "pump_energy_kwh": run.pumps.iter().map(|of| of.energy_kwh).sum::<f64>(),
        "quality_ledger_error": quality.ledger().error(),
        "notes": notes,
    });
    write_summary(&options.out, &json)?;
    let moved_m3 = of.supplied_m3.abs() + of.served_m3 + of.stored_m3.abs();
    let failure = if let Some(first_s) = unbalanced.first() {
        Some(format!("{} of {solves} steps did not settle, the first at {first_s} s", unbalanced.len()))
    } else if run.residual_m3().abs() > BOOKS * moved_m3.max(1e-3) {
        Some(format!("the books of water do not close: {} of {moved_m3} m3", run.residual_m3()))
    } else {
        None
    };
    Ok(WaterSummary { json, notes, failure })
}

impl Reports {
    fn take(&mut self, run: &Simulation, quality: &QualityRun, is_balanced: bool) {
        let (of, net) = (&run.hydraulics, run.hydraulics.network());
        self.reports += 1;
        self.node_quality.extend_from_slice(quality.node_quality());
        self.link_quality.extend((0..net.links.id.len() as u32).map(|link| quality.link_quality(link)));
        for node in 0..net.nodes.id.len() {
            let (elevation_m, is_supplied) = (net.nodes.elevation_m[node], of.is_supplied[node]);
            let head_m = if is_supplied { of.head_m[node] } else { elevation_m };
            self.node_time_s.push(run.time_s);
            self.head_m.push(head_m);
            self.pressure_m.push(if net.nodes.kind[node] == NodeKind::Reservoir { 0.0 } else { head_m - elevation_m });
            let is_junction = net.nodes.kind[node] == NodeKind::Junction;
            self.demand_m3ps.push(if is_junction { of.demand_m3ps[node] } else { of.served_m3ps[node] });
            self.served_m3ps.push(of.served_m3ps[node]);
            self.emitted_m3ps.push(of.emitted_m3ps[node]);
            self.is_supplied.push(is_supplied);
            self.is_balanced.push(is_balanced);
        }
        for link in 0..net.links.id.len() {
            let (from, to) = (net.links.from[link] as usize, net.links.to[link] as usize);
            let (is_open, diameter_m) = (of.state[link].is_open(), net.links.diameter_m[link]);
            let flow_m3ps = if is_open { of.flow_m3ps[link] } else { 0.0 };
            let area_m2 = std::f64::consts::PI * diameter_m * diameter_m / 4.0;
            let are_supplied = of.is_supplied[from] && of.is_supplied[to];
            self.link_time_s.push(run.time_s);
            self.flow_m3ps.push(flow_m3ps);
            self.velocity_mps.push(if area_m2 > 0.0 { flow_m3ps.abs() / area_m2 } else { 0.0 });
            self.headloss_m.push(if are_supplied { of.head_m[from] - of.head_m[to] } else { f64::NAN });
            self.status.push(of.state[link].name());
            self.setting.push(of.setting[link]);
        }
        for tank in 0..net.tanks.node.len() {
            let node = net.tanks.node[tank] as usize;
            self.tank_time_s.push(run.time_s);
            self.level_m.push(of.head_m[node] - net.nodes.elevation_m[node]);
            self.volume_m3.push(run.volume_m3[tank]);
            self.inflow_m3ps.push(of.served_m3ps[node]);
        }
    }
}

fn write(options: &WaterOptions, run: &Simulation, reports: &Reports) -> Result<()> {
    let net = run.hydraulics.network();
    let put = |name: &str, table: TableWriter| write_table(&options.out, options.as_csv, name, table);
    let times = |ids: &[String]| ids.iter().cycle().take(ids.len() * reports.reports).cloned().collect::<Vec<String>>();
    let mut nodes = TableWriter::new("Nodes of a water network at each report");
    nodes.count("time_s", "s", "Time since the start.", &reports.node_time_s);
    nodes.text("node_id", "Node.", times(&net.nodes.id));
    nodes.number("head_m", "m", "Head; the elevation where no open link leads to a source.", &reports.head_m);
    nodes.number("pressure_m", "m", "Pressure at a junction, level of a tank.", &reports.pressure_m);
    nodes.number("demand_m3ps", "m3/s", "Demand; what flows into a tank or reservoir.", &reports.demand_m3ps);
    nodes.number("served_m3ps", "m3/s", "What is delivered of it.", &reports.served_m3ps);
    nodes.number("emitted_m3ps", "m3/s", "What an emitter loses.", &reports.emitted_m3ps);
    nodes.flag("is_supplied", "Whether an open link leads to a reservoir or tank.", &reports.is_supplied);
    nodes.flag("is_balanced", "Whether the step settled.", &reports.is_balanced);
    let quality = match net.quality.kind {
        QualityKind::None => None,
        QualityKind::Chemical => Some(("concentration_kgpm3", "kg/m3", "Concentration of the chemical.")),
        QualityKind::Age => Some(("age_s", "s", "Age of the water.")),
        QualityKind::Trace(_) => Some(("trace_share", "", "Share of the water that comes from the traced node.")),
    };
    if let Some((name, unit, why)) = quality {
        nodes.number(name, unit, why, &reports.node_quality);
    }
    put("node", nodes)?;
    let mut links = TableWriter::new("Links of a water network at each report");
    links.count("time_s", "s", "Time since the start.", &reports.link_time_s);
    links.text("link_id", "Link.", times(&net.links.id));
    links.number("flow_m3ps", "m3/s", "Flow from start to end node.", &reports.flow_m3ps);
    links.number("velocity_mps", "m/s", "Its speed; 0 of pumps.", &reports.velocity_mps);
    links.number("headloss_m", "m", "Head that it loses; negative where it gains.", &reports.headloss_m);
    links.text("status", "What it does.", reports.status.iter().copied());
    let why = "Speed of a pump, setting of a valve; absent of what is told to be open or closed.";
    links.number("setting", "", why, &reports.setting);
    if let Some((name, unit, why)) = quality {
        links.number(name, unit, &format!("{why} Mean of the link."), &reports.link_quality);
    }
    put("link", links)?;
    let mut tanks = TableWriter::new("Tanks of a water network at each report");
    let of_tanks: Vec<String> = net.tanks.node.iter().map(|&node| net.nodes.id[node as usize].clone()).collect();
    tanks.count("time_s", "s", "Time since the start.", &reports.tank_time_s);
    tanks.text("node_id", "Tank.", times(&of_tanks));
    tanks.number("level_m", "m", "Level above its bottom.", &reports.level_m);
    tanks.number("volume_m3", "m3", "Volume in it.", &reports.volume_m3);
    tanks.number("inflow_m3ps", "m3/s", "What flows into it.", &reports.inflow_m3ps);
    put("tank", tanks)?;
    let mut pumps = TableWriter::new("Pumps of a water network over the run");
    pumps.text("link_id", "Pump.", net.pumps.link.iter().map(|&link| net.links.id[link as usize].as_str()));
    let column = |of: fn(&urbis_utility::water::PumpEnergy) -> f64| run.pumps.iter().map(of).collect::<Vec<f64>>();
    pumps.number("energy_kwh", "kWh", "Energy drawn.", &column(|of| of.energy_kwh));
    pumps.number("power_w_max", "W", "Highest draw.", &column(|of| of.power_w_max));
    pumps.number("running_s", "s", "Time that it ran.", &column(|of| of.running_s));
    pumps.number("cost", "", "Paid for energy, in the money of the file.", &column(|of| of.cost));
    put("pump", pumps)
}

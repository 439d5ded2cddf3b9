//! Made-up gas and district heat of a city, from its package to tables that geographic programs open.
//!
//! Files in the folder: `node` and `link` (with geometry), `building`, `figures`, for heat also `plant`, and `summary.json`,
//! which is removed first and written last, so that its presence says that the others are whole. All of it is synthetic, and
//! the tables' descriptions and the summary say so.

use crate::plan_folder::{Beside, PlanOptions, PlanSummary, figure_table};
use crate::solved_folder::{make_ready, write_summary};
use geo::{LineString, Point};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use std::path::Path;
use urbis_city::geoparquet::TableWriter;
use urbis_core::{Problem, Result};
use urbis_utility::gas::GasFlow;
use urbis_utility::gas::synthetic::{
    GasFigures, GasLinkKind, SyntheticGas, SyntheticGasSettings, figures::PUBLISHED as GAS_PUBLISHED,
};
use urbis_utility::heat::synthetic::{
    HeatFigures, SyntheticHeat, SyntheticHeatSettings, figures::PUBLISHED as HEAT_PUBLISHED,
};
use urbis_utility::heat_profile::{HeatEstimate, HeatEstimateSettings, estimate_heat};
use urbis_utility::pipes::BAR;
use urbis_utility::pipes::network::Network;
use urbis_utility::pipes::synthetic::{FigureRow, PipeFacts, Published};

const MW: f64 = 1e6;

/// What a file of settings of `urbis gas plan` holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GasPlanSettings {
    /// Heat of buildings.
    pub estimate: HeatEstimateSettings,
    /// Useful heat for each unit of gas (upper heating value) that boilers burn, 0 to 1: an estimate for the mean of a stock.
    pub boiler_efficiency: f64,
    /// The network.
    pub network: SyntheticGasSettings,
}

impl Default for GasPlanSettings {
    fn default() -> Self {
        Self {
            estimate: HeatEstimateSettings::default(),
            boiler_efficiency: 0.85,
            network: SyntheticGasSettings::default(),
        }
    }
}

/// What a file of settings of `urbis heat plan` holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HeatPlanSettings {
    /// Heat of buildings.
    pub estimate: HeatEstimateSettings,
    /// The network.
    pub network: SyntheticHeatSettings,
}

/// Plans the gas network of a city at the heat estimated for its buildings, and solves it.
///
/// # Errors
/// A package or settings that cannot be read or make no plan; a folder that cannot be written.
pub fn plan_gas(options: &PlanOptions) -> Result<PlanSummary> {
    let (city, settings, projection) = options.read::<GasPlanSettings>()?;
    let efficiency = settings.boiler_efficiency;
    if !(efficiency > 0.0 && efficiency <= 1.2) {
        let place = options.settings.as_deref().unwrap_or(Path::new("settings"));
        let what = format!("boiler_efficiency = {efficiency}, expected above 0 to 1.2");
        return Err(Problem::file(place, what).into());
    }
    let HeatEstimate { mut peak_w, mut annual_kwh } = estimate_heat(&city, &settings.estimate)?;
    peak_w.iter_mut().chain(&mut annual_kwh).for_each(|of| *of /= efficiency);
    let of = SyntheticGas::plan(&city, &peak_w, &settings.network)?;
    let figures = GasFigures::new(&city, &of, Some(&annual_kwh))?;
    let mut flow = GasFlow::new(of.network.clone())?;
    flow.solve(&SyntheticGas::solver());
    make_ready(&options.out)?;
    let place = |[x_m, y_m]: [f64; 2]| projection.unproject(x_m, y_m);
    let network = &of.network;
    let mut nodes = node_table("Nodes of a synthetic gas network, at its peak", network);
    let gauge_bar: Vec<f64> = (0..network.nodes.len() as u32).map(|node| flow.gauge_pa(node) / BAR).collect();
    nodes.number("p_bar", "bar", "Pressure above the air there at peak.", &gauge_bar);
    nodes.geometry("Where it is.", &of.node_place.iter().map(|&at| place(at)).collect::<Vec<_>>())?;
    options.write("node", nodes)?;
    let kinds: Vec<&str> = of.kind.iter().map(|kind| kind.name()).collect();
    let pipe = |row: u32| of.pipes.pipes[row as usize].name.as_str();
    let mut links =
        pipe_table("Pipes and regulators of a synthetic gas network, at its peak", network, &kinds, &of.facts, &pipe);
    let states: Vec<_> = (0..of.kind.len()).map(|element| flow.element(element)).collect();
    let number = |of: &dyn Fn(&urbis_utility::gas::LinkState) -> f64| states.iter().map(of).collect::<Vec<f64>>();
    links.number("mdot_kgps", "kg/s", "Flow from the from to the to end at peak.", &number(&|of| of.mdot_kgps));
    links.number("velocity_mps", "m/s", "Velocity at the mean pressure.", &number(&|of| of.v_mean_mps));
    links.geometry("Where it lies.", &lines(&of.facts, &place))?;
    options.write("link", links)?;
    let mut buildings = TableWriter::new("Buildings and where a synthetic gas network supplies them");
    buildings.text("building_id", "Building; key of the layer buildings.", &city.buildings.id);
    let is_connected: Vec<bool> = of.building_draw.iter().map(|&draw| draw != SyntheticGas::NO_DRAW).collect();
    buildings.flag("is_connected", "Whether it takes gas.", &is_connected);
    let node_of =
        |&draw: &u32| network.draws.get(draw as usize).map_or("", |draw| &network.nodes.id[draw.node as usize]);
    buildings.text("node_id", "Node; empty without gas.", of.building_draw.iter().map(node_of));
    building_numbers(&mut buildings, &peak_w, &annual_kwh, &of.building_share);
    options.write("building", buildings)?;
    options.write("figures", beside(&figures.rows(), &GAS_PUBLISHED))?;
    let km = |kind: GasLinkKind| figures.length_m[kind as usize] / 1000.0;
    let json = json!({
        "city": city.manifest.name, "city_hash": city.manifest.content_hash, "synthetic": of.is_synthetic,
        "heating_value": "upper", "settings": settings,
        "buildings": figures.buildings, "connected_buildings": figures.connected,
        "supplied_buildings": figures.supplied, "customers": figures.customers,
        "gates": figures.gates, "regulators": figures.regulators, "nodes": network.nodes.len(),
        "links": network.links.len(),
        "length_km": {
            "medium_main": km(GasLinkKind::MediumMain), "low_main": km(GasLinkKind::LowMain),
            "service": km(GasLinkKind::Service),
        },
        "peak_mw": figures.peak_w / MW, "converged": figures.outcome.is_converged, "within_limits": of.is_within,
        "rounds": of.rounds, "fed_kgps": figures.fed_kgps, "drawn_kgps": figures.drawn_kgps,
        "figures": figure_json(&figures.rows()), "notes": of.notes,
    });
    write_summary(&options.out, &json)?;
    Ok(PlanSummary { json, figures: figures.to_string(), notes: of.notes })
}

/// Plans the district heat of a city at the heat estimated for its buildings, and solves it.
///
/// # Errors
/// A package or settings that cannot be read or make no plan; a folder that cannot be written.
pub fn plan_heat(options: &PlanOptions) -> Result<PlanSummary> {
    let (city, settings, projection) = options.read::<HeatPlanSettings>()?;
    let HeatEstimate { peak_w, annual_kwh } = estimate_heat(&city, &settings.estimate)?;
    let of = SyntheticHeat::plan(&city, &peak_w, &annual_kwh, &settings.network)?;
    let figures = HeatFigures::new(&city, &of, &annual_kwh, &settings.network)?;
    let (flow, _) = of.solved(&settings.network)?;
    make_ready(&options.out)?;
    let place = |[x_m, y_m]: [f64; 2]| projection.unproject(x_m, y_m);
    let network = &of.network;
    let rows = 0..network.nodes.len() as u32;
    let mut nodes = node_table("Nodes of synthetic district heat, at its peak", network);
    let gauge_bar: Vec<f64> = rows.clone().map(|node| flow.gauge_pa(node) / BAR).collect();
    nodes.number("p_bar", "bar", "Pressure above the air there at peak.", &gauge_bar);
    nodes.number("t_k", "K", "Temperature at peak.", &rows.map(|node| flow.t_k(node)).collect::<Vec<_>>());
    nodes.geometry("Where it is.", &of.node_place.iter().map(|&at| place(at)).collect::<Vec<_>>())?;
    options.write("node", nodes)?;
    let kinds: Vec<&str> = of.kind.iter().map(|kind| kind.name()).collect();
    let pipe = |row: u32| of.pipes.pipes[row as usize].name.as_str();
    let title = "Pipes, stations and plants of synthetic district heat, at its peak";
    let mut links = pipe_table(title, network, &kinds, &of.facts, &pipe);
    let states: Vec<_> = (0..of.kind.len()).map(|element| flow.element(element)).collect();
    let number = |of: &dyn Fn(&urbis_utility::heat::HeatLink) -> f64| states.iter().map(of).collect::<Vec<f64>>();
    links.number("mdot_kgps", "kg/s", "Flow from the from to the to end at peak.", &number(&|of| of.mdot_kgps));
    links.number("velocity_mps", "m/s", "Velocity.", &number(&|of| of.v_mps));
    links.number("t_from_k", "K", "Temperature at the from end.", &number(&|of| of.t_from_k));
    links.number("t_out_k", "K", "Temperature of the water that leaves.", &number(&|of| of.t_out_k));
    links.number("heat_loss_w", "W", "Heat lost to the ground.", &number(&|of| of.heat_loss_w));
    links.geometry("Where it lies.", &lines(&of.facts, &place))?;
    options.write("link", links)?;
    let mut plants = TableWriter::new("Plants of synthetic district heat");
    let ids = 0..of.plants.len() as u32;
    plants.count("plant_id", "", "Plant.", &ids.collect::<Vec<_>>());
    let id = |node: u32| network.nodes.id[node as usize].as_str();
    plants.text("node_id", "Node of its supply.", of.plants.iter().map(|plant| id(plant.node)));
    let buildings: Vec<u32> = of.plants.iter().map(|plant| plant.buildings).collect();
    plants.count("buildings", "", "Buildings behind it.", &buildings);
    let number = |get: &dyn Fn(&urbis_utility::heat::synthetic::PlantFacts) -> f64| {
        of.plants.iter().map(get).collect::<Vec<f64>>()
    };
    plants.number("peak_mw", "MW", "Peak of its customers together.", &number(&|plant| plant.peak_w / MW));
    let why = "Heat that it gives at that peak, losses included.";
    plants.number("capacity_mw", "MW", why, &number(&|plant| plant.capacity_w / MW));
    plants.number("lift_bar", "bar", "Lift of its pumps.", &number(&|plant| plant.lift_pa / BAR));
    plants.number("pump_kw", "kW", "Electricity of its pumps at peak.", &number(&|plant| plant.pump_w / 1000.0));
    plants.number("p_max_bar", "bar", "Highest pressure of its network.", &number(&|plant| plant.gauge_max_pa / BAR));
    plants.number("annual_mwh", "MWh", "Heat of a year of its customers.", &number(&|plant| plant.annual_kwh / 1000.0));
    plants.number("trench_m", "m", "Trench along streets and to buildings.", &number(&|plant| plant.trench_m));
    let at: Vec<Point> = of.plants.iter().map(|plant| place(of.node_place[plant.node as usize])).collect();
    plants.geometry("Where it stands.", &at)?;
    options.write("plant", plants)?;
    let mut buildings = TableWriter::new("Buildings and where synthetic district heat supplies them");
    buildings.text("building_id", "Building; key of the layer buildings.", &city.buildings.id);
    let is_connected: Vec<bool> =
        of.building_consumer.iter().map(|&consumer| consumer != SyntheticHeat::NO_CONSUMER).collect();
    buildings.flag("is_connected", "Whether it has district heat.", &is_connected);
    let station = |&consumer: &u32| network.consumers.get(consumer as usize).map(|consumer| consumer.link as usize);
    let node_of = |consumer: &u32| station(consumer).map_or("", |link| id(network.links.from[link]));
    buildings.text("node_id", "Node of its supply; empty without.", of.building_consumer.iter().map(node_of));
    let supply_k = |consumer: &u32| station(consumer).map_or(f64::NAN, |link| states[link].t_from_k);
    let supply_k: Vec<f64> = of.building_consumer.iter().map(supply_k).collect();
    buildings.number("t_supply_k", "K", "Temperature of its supply at peak; absent without.", &supply_k);
    building_numbers(&mut buildings, &peak_w, &annual_kwh, &of.building_share);
    options.write("building", buildings)?;
    options.write("figures", beside(&figures.rows(), &HEAT_PUBLISHED))?;
    let json = json!({
        "city": city.manifest.name, "city_hash": city.manifest.content_hash, "synthetic": of.is_synthetic,
        "settings": settings, "buildings": figures.buildings, "connected_buildings": figures.connected,
        "customers": figures.customers, "plants": figures.plants, "nodes": network.nodes.len(),
        "links": network.links.len(), "trench_km": (figures.trench_m[0] + figures.trench_m[1]) / 1000.0,
        "peak_mw": figures.peak_w / MW, "produced_mw": figures.produced_w / MW,
        "delivered_mw": figures.delivered_w / MW, "lost_mw": figures.lost_w / MW,
        "annual_gwh": figures.annual_kwh / 1e6, "lost_gwh": figures.lost_kwh() / 1e6,
        "converged": figures.outcome.is_converged, "within_limits": of.is_within, "rounds": of.rounds,
        "figures": figure_json(&figures.rows()), "notes": of.notes,
    });
    write_summary(&options.out, &json)?;
    Ok(PlanSummary { json, figures: figures.to_string(), notes: of.notes })
}

fn node_table(title: &str, network: &Network) -> TableWriter {
    let mut table = TableWriter::new(title);
    table.text("node_id", "Node.", &network.nodes.id);
    table.number("height_m", "m", "Height of the street there above the sea.", &network.nodes.height_m);
    table
}

fn pipe_table<'a>(
    title: &str,
    network: &Network,
    kinds: &[&str],
    facts: &PipeFacts,
    name: &dyn Fn(u32) -> &'a str,
) -> TableWriter {
    let links = &network.links;
    let id = |node: &u32| network.nodes.id[*node as usize].as_str();
    let mut table = TableWriter::new(title);
    table.count("link_id", "", "Link.", &(0..links.len() as u32).collect::<Vec<_>>());
    table.text("kind", "What it is.", kinds);
    table.text("from_node", "Node of the from end.", links.from.iter().map(id));
    table.text("to_node", "Node of the to end.", links.to.iter().map(id));
    let pipe = |&row: &u32| if row == PipeFacts::NO_PIPE { "" } else { name(row) };
    table.text("type", "Pipe, as catalogues call it; empty of what is none.", facts.pipe.iter().map(pipe));
    table.number("length_m", "m", "Length; 0 of what has none.", &links.length_m);
    table.number("diameter_m", "m", "Inner diameter.", &links.diameter_m);
    let design_mw: Vec<f64> = facts.design_w.iter().map(|w| w / MW).collect();
    table.number("design_mw", "MW", "What it is made for: the peak of what lies behind it.", &design_mw);
    table
}

/// Lines of elements; one without length has a place, and a line needs two.
fn lines(facts: &PipeFacts, place: &dyn Fn([f64; 2]) -> Point) -> Vec<LineString> {
    let line = |element: u32| {
        let corners = facts.line(element);
        let ends = [corners[0], corners[corners.len() - 1]];
        let corners = if corners.len() < 2 { &ends[..] } else { corners };
        corners.iter().map(|&at| place(at)).collect::<LineString>()
    };
    (0..facts.pipe.len() as u32).map(line).collect()
}

fn building_numbers(table: &mut TableWriter, peak_w: &[f64], annual_kwh: &[f64], share: &[f64]) {
    let peak_mw: Vec<f64> = peak_w.iter().map(|w| w / MW).collect();
    table.number("peak_mw", "MW", "Its own peak, as estimated.", &peak_mw);
    let annual_mwh: Vec<f64> = annual_kwh.iter().map(|kwh| kwh / 1000.0).collect();
    table.number("annual_mwh", "MWh", "Energy of a year, as estimated.", &annual_mwh);
    table.number("peak_share", "", "Share of its own peak in the peak of all; 0 where it is not connected.", share);
}

fn beside(rows: &[FigureRow], published: &[Published]) -> TableWriter {
    let published: Vec<Beside<'_>> = published.iter().map(|of| (of.figure, of.value, of.source, of.quality)).collect();
    let title = "Figures of a synthetic network beside published ones";
    figure_table(title, "this network", rows.iter().copied(), &published)
}

/// Figures by name with their unit.
fn figure_json(rows: &[FigureRow]) -> Json {
    let row = |&(name, unit, value): &FigureRow| json!({ "figure": name, "unit": unit, "value": value });
    Json::Array(rows.iter().map(row).collect())
}

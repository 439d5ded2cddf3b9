//! A made-up distribution grid of a city, from its package to tables that geographic programs open.
//!
//! Files in the folder: `bus`, `branch` (with geometry), `station`, `building`, `figures`, and `summary.json`, which is
//! removed first and written last, so that its presence says that the others are whole. All of it is synthetic, and the
//! tables' descriptions and the summary say so.

use crate::plan_folder::{Beside, PlanOptions, PlanSummary, figure_table, text_of};
use crate::power_run::MW;
use crate::solved_folder::make_ready;
use geo::{LineString, Point};
use serde_json::json;
use urbis_city::geoparquet::TableWriter;
use urbis_city::model::City;
use urbis_core::Result;
use urbis_core::files::write_whole;
use urbis_utility::power::synthetic::figures::REFERENCES;
use urbis_utility::power::synthetic::{
    BranchKind, Equipment, Figures, SyntheticGrid, SyntheticGridSettings, estimate_peaks_w,
};
use urbis_utility::power::{BusKind, Method, NewtonSettings, PowerFlow};

/// Plans the grid of a city at the peaks estimated for its buildings, and solves it.
///
/// # Errors
/// A package, settings or equipment that cannot be read or make no plan; a folder that cannot be written.
pub fn plan(options: &PlanOptions) -> Result<PlanSummary> {
    let (city, settings, projection) = options.read::<SyntheticGridSettings>()?;
    let equipment = match &options.catalogue {
        None => Equipment::shipped(),
        Some(path) => Equipment::from_toml(&text_of(path)?, path)?,
    };
    make_ready(&options.out)?;
    let peaks_w = estimate_peaks_w(&city, &equipment);
    let of = SyntheticGrid::plan(&city, &peaks_w, &settings, &equipment)?;
    let figures = Figures::new(&city, &of, &NewtonSettings::default())?;
    let mut flow = PowerFlow::new(of.grid.clone())?;
    let outcome = flow.solve(Method::Newton, &NewtonSettings::default());
    let place = |[x_m, y_m]: [f64; 2]| projection.unproject(x_m, y_m);
    options.write("bus", bus_table(&of, &flow, &place)?)?;
    options.write("branch", branch_table(&of, &flow, &equipment, &place)?)?;
    options.write("station", station_table(&of))?;
    options.write("building", building_table(&city, &of, &peaks_w))?;
    let published: Vec<Beside<'_>> =
        REFERENCES.iter().map(|of| (of.figure, of.value, of.source, of.quality.name())).collect();
    let title = "Figures of a synthetic distribution grid beside published ones";
    options.write("figures", figure_table(title, "this grid", figures.rows(), &published))?;
    let length_km = |kind: BranchKind| {
        let rows = of.branches.kind.iter().zip(&of.branches.length_m);
        rows.filter(|(of, _)| **of == kind).map(|(_, length_m)| length_m / 1000.0).sum::<f64>()
    };
    let solved = [&figures.system, &figures.local];
    let loading = solved.iter().flat_map(|of| of.loading_percent_max).fold(0.0, f64::max);
    let json = json!({
        "city": city.manifest.name, "city_hash": city.manifest.content_hash, "synthetic": of.is_synthetic,
        "settings": settings, "buildings": city.buildings.len(), "buses": of.grid.buses.len(),
        "branches": of.grid.branches.len(), "stations": of.stations.len(), "substations": of.substations.len(),
        "customers": figures.customers, "peak_mw": figures.peak_w / MW,
        "length_km": {
            "service_cable": length_km(BranchKind::ServiceCable), "lv_cable": length_km(BranchKind::LvCable),
            "mv_cable": length_km(BranchKind::MvCable), "mv_tie": length_km(BranchKind::MvTie),
        },
        "converged": outcome.is_converged && figures.local.outcome.is_converged && figures.idle.outcome.is_converged,
        "energised_buildings": figures.system.energised_buildings,
        "vm_min_pu": figures.system.vm_pu_min.min(figures.local.vm_pu_min),
        "vm_max_pu": figures.system.vm_pu_max.max(figures.idle.vm_pu_max),
        "loading_max_pct": loading,
        "losses_share_at_peak": figures.system.loss_share,
        "notes": of.notes,
    });
    write_whole(&options.out.join("summary.json"), format!("{json:#}\n").as_bytes())?;
    Ok(PlanSummary { json, figures: figures.to_string(), notes: of.notes })
}

fn bus_table(of: &SyntheticGrid, flow: &PowerFlow, place: &dyn Fn([f64; 2]) -> Point) -> Result<TableWriter> {
    let buses = &of.grid.buses;
    let mut table = TableWriter::new("Buses of a synthetic distribution grid, at its peak");
    table.text("bus_id", "Bus.", &buses.id);
    table.number("base_kv", "kV", "Nominal voltage.", &buses.base_v.iter().map(|v| v / 1000.0).collect::<Vec<_>>());
    table.flag(
        "is_source",
        "Whether the high-voltage grid holds it.",
        &buses.kind.iter().map(|kind| *kind == BusKind::Slack).collect::<Vec<_>>(),
    );
    let vm_pu: Vec<f64> = (0..buses.len() as u32).map(|bus| flow.voltage(bus).norm()).collect();
    table.number("vm_pu", "pu", "Voltage at the system's peak.", &vm_pu);
    table.geometry("Where it is.", &of.bus_place.iter().map(|&at| place(at)).collect::<Vec<_>>())?;
    Ok(table)
}

fn branch_table(
    of: &SyntheticGrid,
    flow: &PowerFlow,
    equipment: &Equipment,
    place: &dyn Fn([f64; 2]) -> Point,
) -> Result<TableWriter> {
    let (branches, facts) = (&of.grid.branches, &of.branches);
    let rows = || 0..branches.len() as u32;
    let id = |bus: &u32| of.grid.buses.id[*bus as usize].as_str();
    let mut table = TableWriter::new("Cables and transformers of a synthetic distribution grid, at its peak");
    table.count("branch_id", "", "Branch.", &rows().collect::<Vec<_>>());
    table.text("kind", "What it is.", facts.kind.iter().map(|kind| kind.name()));
    table.text("from_bus", "Bus of the from end.", branches.from.iter().map(id));
    table.text("to_bus", "Bus of the to end.", branches.to.iter().map(id));
    table.flag("is_closed", "Whether it is closed; ties are open.", &branches.is_in_service);
    let type_of = |row: u32| {
        let at = facts.equipment[row as usize] as usize;
        match facts.kind[row as usize] {
            BranchKind::StationTransformer | BranchKind::SubstationTransformer => &equipment.transformers[at].name,
            _ => &equipment.cables[at].name,
        }
    };
    table.text("type", "Cable or transformer, as catalogues call it.", rows().map(type_of));
    table.count("parallel", "", "How many side by side.", &facts.parallel);
    table.number("length_m", "m", "Length; 0 for transformers.", &facts.length_m);
    let ratings: Vec<f64> = branches.rating_va.iter().map(|va| va / MW).collect();
    table.number("rating_mva", "MVA", "What it may carry.", &ratings);
    let loading: Vec<f64> = rows().map(|row| flow.loading_percent(row)).collect();
    table.number("loading_pct", "percent", "Loading at the system's peak.", &loading);
    // A transformer has one place, and a line needs two.
    let line = |row: u32| {
        let corners = facts.line(row);
        let ends = [corners[0], corners[corners.len() - 1]];
        let corners = if corners.len() < 2 { &ends[..] } else { corners };
        corners.iter().map(|&at| place(at)).collect::<LineString>()
    };
    table.geometry("Where it lies.", &rows().map(line).collect::<Vec<_>>())?;
    Ok(table)
}

fn station_table(of: &SyntheticGrid) -> TableWriter {
    let id = |bus: u32| of.grid.buses.id[bus as usize].as_str();
    let stations = &of.stations;
    let mut table = TableWriter::new("Stations of a synthetic distribution grid");
    table.count("station_id", "", "Station.", &(0..stations.len() as u32).collect::<Vec<_>>());
    table.text("mv_bus", "Bus at medium voltage.", stations.iter().map(|station| id(station.mv_bus)));
    table.text("lv_bus", "Busbar at low voltage.", stations.iter().map(|station| id(station.lv_bus)));
    table.count(
        "substation_id",
        "",
        "Substation that feeds it.",
        &stations.iter().map(|of| of.substation).collect::<Vec<_>>(),
    );
    table.number(
        "rating_mva",
        "MVA",
        "Rated power of its transformers.",
        &stations.iter().map(|of| of.rated_va / MW).collect::<Vec<_>>(),
    );
    table.number(
        "peak_mw",
        "MW",
        "Peak of its customers together.",
        &stations.iter().map(|of| of.peak_w / MW).collect::<Vec<_>>(),
    );
    table.count(
        "customers",
        "",
        "Dwellings and other customers.",
        &stations.iter().map(|of| of.customers).collect::<Vec<_>>(),
    );
    table.flag(
        "is_private",
        "Whether it is that of one building.",
        &stations.iter().map(|of| of.is_private).collect::<Vec<_>>(),
    );
    table
}

fn building_table(city: &City, of: &SyntheticGrid, peaks_w: &[f64]) -> TableWriter {
    let mut table = TableWriter::new("Buildings and where a synthetic distribution grid supplies them");
    table.text("building_id", "Building; key of the layer buildings.", &city.buildings.id);
    table.text("bus_id", "Bus.", of.building_bus.iter().map(|&bus| of.grid.buses.id[bus as usize].as_str()));
    table.count("station_id", "", "Station.", &of.building_station);
    table.count("customers", "", "Dwellings and other customers.", &of.customers);
    table.number("peak_mw", "MW", "Its own peak.", &peaks_w.iter().map(|w| w / MW).collect::<Vec<_>>());
    table
}

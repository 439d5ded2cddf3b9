//! Assembles a city from the files of a recipe.
//!
//! Order: files and hashes; zones and projection; roads; points of interest; panel; buildings; rasters;
//! crosswalk; manifest. Each step is a module of its own; here they only meet, and what they find out is
//! noted for the manifest: figures, and gaps in sentences for people.
//!
//! Ignores: nothing of its own. The same city on any number of threads.

use crate::buildings::{self, LeftOut, Setting};
use crate::crosswalk::{self, averaged, carried, projected};
use crate::gateways::Gateways;
use crate::gmns::{self, GmnsOptions};
use crate::locate::ZoneLocator;
use crate::model::{
    BuildingUse, City, FloorsFrom, Links, Manifest, Modes, PanelRow, Quality, RoadClass, SIGNAL_GREEN_SHARE,
};
use crate::osm::OsmExtract;
use crate::package::{FORMAT_VERSION, FeedSource};
use crate::panel::{self, Places, latest};
use crate::projection::Projection;
use crate::recipe::{self, BuildingSource, Loaded, RasterKind};
use crate::roads::{self, RoadGraph, RoadInput};
use crate::sources::{Sources, gather};
use crate::synthetic::{self, Need};
use crate::vector::{Layer, Value};
use crate::zones::{self, ZonesRead};
use crate::{dwellings, pois, raster};
use geo::{BooleanOps, Coord, MapCoords, MultiPolygon, Point, Polygon};
use std::collections::BTreeMap;
use std::path::Path;
use urbis_core::chunks::{CHUNK_ROWS, map_chunks};
use urbis_core::{Problem, Problems, Result, ZoneIx};

/// A city being put together.
struct Site<'a> {
    loaded: &'a Loaded,
    sources: Sources,
    projection: Projection,
    zones_read: ZonesRead,
    zones_m: Vec<MultiPolygon>,
    /// Outline of the city in degrees and in metres.
    boundary: Option<MultiPolygon>,
    boundary_m: Option<MultiPolygon>,
}

/// Builds the city of a recipe in memory, and says where its timetables lie.
///
/// # Errors
/// Everything wrong with recipe or sources.
pub(crate) fn assemble(recipe: &Path, progress: &mut dyn FnMut(&str)) -> Result<(City, Vec<FeedSource>)> {
    let loaded = Loaded::read(recipe)?;
    progress("finding and hashing the sources");
    let sources = gather(&loaded, true)?;
    let feeds = loaded
        .recipe
        .feed
        .iter()
        .map(|feed| Ok(FeedSource { name: feed.name.clone(), path: sources.path(&feed.path)?.to_owned() }))
        .collect::<Result<Vec<_>>>()?;
    progress("reading zones");
    let site = site(&loaded, sources)?;
    let recipe = &loaded.recipe;
    let mut city = City { zones: zones::table(&site.zones_read, &site.zones_m), ..City::default() };
    let mut notes = Notes { gaps: recipe.known_gaps.clone(), ..Notes::default() };
    if !site.zones_read.repaired.is_empty() {
        notes.gap(format!("Outlines that crossed themselves were repaired: {}.", site.zones_read.repaired.join(", ")));
    }

    let extract = match &recipe.roads.osm {
        Some(written) => {
            progress("reading the OpenStreetMap extract");
            Some(OsmExtract::read(site.sources.path(written)?)?)
        }
        None => None,
    };
    progress("building the road graph");
    let graph = roads(&site, extract.as_ref())?;
    add_roads(&mut city, graph, &site, &mut notes);
    if let Some(extract) = &extract {
        progress("reading points of interest");
        city.pois = pois::from_osm(extract);
        if let Some(outline) = clip_of(&site) {
            pois::clip(&mut city.pois, outline, &site.projection);
        }
    }
    progress("reading the panel");
    add_panel(&mut city, &site)?;
    progress("placing buildings");
    add_buildings(&mut city, &site, extract.as_ref(), &mut notes)?;
    if !recipe.raster.is_empty() {
        progress("sampling rasters");
    }
    add_rasters(&mut city, &site, &mut notes)?;
    progress("weighing areas");
    add_overlays(&mut city, &site)?;
    city.manifest = manifest(&city, site, notes);
    Ok((city, feeds))
}

/// Findings for the manifest.
#[derive(Default)]
struct Notes {
    gaps: Vec<String>,
    figures: BTreeMap<String, f64>,
}

impl Notes {
    fn gap(&mut self, sentence: String) {
        self.gaps.push(sentence);
    }
    fn figure(&mut self, name: &str, value: f64) {
        // A ratio of nothing to nothing is no fact.
        if value.is_finite() {
            self.figures.insert(name.to_owned(), value);
        }
    }
}

fn site(loaded: &Loaded, sources: Sources) -> Result<Site<'_>> {
    let recipe = &loaded.recipe;
    let written = recipe.zones.path.as_ref().or(recipe.zones.points.as_ref()).map_or("", String::as_str);
    let zones_read = zones::read(sources.path(written)?, &recipe.zones, &loaded.path)?;
    let [west, south, east, north] = zones::bounds_deg(&zones_read.shape);
    let middle = Point::new((west + east) / 2.0, (south + north) / 2.0);
    let projection = if recipe.crs == "auto" {
        Projection::auto(middle.x(), middle.y())
    } else {
        let projection = Projection::from_code(&recipe.crs).map_err(|what| loaded.problem(&recipe.crs, what))?;
        projection.check_at(middle).map_err(|what| loaded.problem(&recipe.crs, what))?;
        projection
    };
    let zones_m = projected(&zones_read.shape, &projection);
    let boundary = match &recipe.boundary {
        None => None,
        Some(boundary) => Some(outline(&Layer::read(sources.path(&boundary.path)?, boundary.layer.as_deref())?)?),
    };
    let boundary_m = boundary.as_ref().and_then(|shape| projected(std::slice::from_ref(shape), &projection).pop());
    Ok(Site { loaded, sources, projection, zones_read, zones_m, boundary, boundary_m })
}

/// All polygons of a layer as one shape.
fn outline(layer: &Layer) -> Result<MultiPolygon> {
    let mut problems = Problems::new();
    let mut all = MultiPolygon::new(Vec::new());
    for row in 0..layer.features.len() {
        match layer.polygons(row) {
            Ok(polygons) => all = all.union(&polygons.shape),
            // Extracts carry the border's nodes and ways along.
            Err("a point" | "a line") => {}
            Err(what) => problems.push(layer.problem(row, None, "geometry", what, "a polygon with area")),
        }
    }
    if all.0.is_empty() && problems.is_empty() {
        problems.push(Problem::file(&layer.path, "no polygon, expected the city's outline"));
    }
    problems.or_else(all)
}

fn clip_of<'a>(site: &'a Site<'_>) -> Option<&'a MultiPolygon> {
    let clip = site.loaded.recipe.boundary.as_ref().is_some_and(|boundary| boundary.clip);
    site.boundary_m.as_ref().filter(|_| clip)
}

fn places<'a>(site: &'a Site<'_>) -> Places<'a> {
    Places { city: &site.loaded.recipe.name, zones: &site.zones_read.id }
}

/// The road graph of the recipe's extract or GMNS folder.
fn roads(site: &Site<'_>, extract: Option<&OsmExtract>) -> Result<RoadGraph> {
    let recipe = &site.loaded.recipe.roads;
    let (Some(written), Some(extract)) = (&recipe.osm, extract) else {
        let written = recipe.gmns.as_deref().unwrap_or_default();
        let options = GmnsOptions { keep_all: recipe.keep_disconnected };
        return gmns::read_with(site.sources.path(written)?, &site.projection, &recipe.rules, options);
    };
    let gateways = match &recipe.gateways {
        Some(rules) => Some(Gateways::read(site.sources.path(&rules.table)?, rules, &site.loaded.path)?),
        None => None,
    };
    roads::build(&RoadInput {
        path: site.sources.path(written)?,
        extract,
        projection: &site.projection,
        rules: &recipe.rules,
        clip: site.boundary.as_ref().filter(|_| recipe.clip),
        gateways: gateways.as_ref(),
    })
}

/// Puts the graph into the city and says where nodes and links lie.
fn add_roads(city: &mut City, graph: RoadGraph, site: &Site<'_>, notes: &mut Notes) {
    let report = graph.report;
    (city.nodes, city.links, city.turns) = (graph.nodes, graph.links, graph.turns);
    for (mode, of) in &report.modes {
        notes.figure(&format!("{mode}_connected_share"), of.connected_share);
        notes.figure(&format!("{mode}_km"), of.km_kept);
        if of.km_dropped >= 0.1 {
            let (dropped, parts) = (of.km_dropped, of.parts.saturating_sub(1));
            notes.gap(format!(
                "{dropped:.1} km of roads for mode {mode} are cut off from the rest, in {parts} parts, and left out."
            ));
        }
    }
    notes.figure("car_connected_share_without_gateways", report.car_connected_share_without_gateways);
    notes.figure("speed_tagged_share", report.speed_tagged_share);
    notes.figure("lanes_tagged_share", report.lanes_tagged_share);
    notes.figure("signals", report.signals as f64);
    if site.loaded.recipe.roads.osm.is_some() {
        notes.figure(SIGNAL_GREEN_SHARE, site.loaded.recipe.roads.rules.green_share);
    }
    notes.figure("gateways", report.gateways as f64);
    notes.figure("turn_restrictions", report.restrictions_used as f64);
    if report.gateways_unused > 0 {
        notes.gap(format!("{} gateways lead nowhere and are not used.", report.gateways_unused));
    }
    let skipped: usize = report.restrictions_skipped.values().sum();
    if skipped > 0 {
        notes.gap(format!("{skipped} turn restrictions have no effect (for other vehicles, at times, or cut off)."));
    }
    let zone_of = ZoneLocator::new(&site.zones_m);
    let nodes = &mut city.nodes;
    nodes.zone = map_chunks(nodes.len(), CHUNK_ROWS, |range| {
        range.map(|node| zone_of.at(nodes.x_m[node], nodes.y_m[node])).collect::<Vec<ZoneIx>>()
    })
    .concat();
    let links = &mut city.links;
    links.zone = map_chunks(links.len(), CHUNK_ROWS, |range| {
        let middle = |link: usize| {
            let (x, y) = middle_m(&links.line[link].0, &site.projection);
            zone_of.at(x, y)
        };
        range.map(middle).collect::<Vec<ZoneIx>>()
    })
    .concat();
}

/// The point half way along a line, in metres.
pub(crate) fn middle_m(line: &[Coord], projection: &Projection) -> (f64, f64) {
    let metres: Vec<(f64, f64)> = line.iter().map(|&at| projection.project(at.into())).collect();
    let length = |pair: &[(f64, f64)]| (pair[1].0 - pair[0].0).hypot(pair[1].1 - pair[0].1);
    let mut left_m = metres.windows(2).map(length).sum::<f64>() / 2.0;
    for pair in metres.windows(2) {
        let step_m = length(pair);
        if left_m <= step_m && step_m > 0.0 {
            let t = left_m / step_m;
            return (pair[0].0 + t * (pair[1].0 - pair[0].0), pair[0].1 + t * (pair[1].1 - pair[0].1));
        }
        left_m -= step_m;
    }
    metres.first().copied().unwrap_or((f64::NAN, f64::NAN))
}

/// Lane lengths by zone of the links that pass a test, metres.
fn lane_metres(links: &Links, zones: usize, counts: impl Fn(RoadClass) -> bool) -> Vec<f64> {
    let mut sums = vec![0.0; zones];
    for link in (0..links.len()).filter(|&link| links.modes[link].contains(Modes::CAR) && counts(links.class[link])) {
        if links.zone[link].is_some() {
            sums[links.zone[link].row()] += links.length_m[link] * f64::from(links.lanes[link]);
        }
    }
    sums
}

fn is_main(class: RoadClass) -> bool {
    matches!(class, RoadClass::Trunk | RoadClass::Primary | RoadClass::Secondary | RoadClass::Tertiary)
}

fn add_panel(city: &mut City, site: &Site<'_>) -> Result<()> {
    let recipe = &site.loaded.recipe.panel;
    let places = places(site);
    if let Some(written) = &recipe.path {
        city.panel = panel::read(site.sources.path(written)?, places)?;
    }
    for from in &recipe.from {
        let mut rows = match &from.path {
            None => panel::from_columns(from, &site.zones_read.layer, &site.zones_read.zone_of_row, places)?,
            Some(written) => {
                let layer = Layer::read(site.sources.path(written)?, from.layer.as_deref())?;
                let zone_of_row = zones_of_rows(&layer, from, site)?;
                panel::from_columns(from, &layer, &zone_of_row, places)?
            }
        };
        panel::drop_needless_totals(&city.panel, &mut rows, places.city);
        city.panel.extend(rows);
    }
    for of in &recipe.estimate {
        let main_roads = lane_metres(&city.links, city.zones.len(), is_main);
        let rows = panel::estimate(of, &city.panel, places, &main_roads, &site.loaded.path)?;
        city.panel.extend(rows);
    }
    Ok(())
}

/// The zone of each row of a table beside the zones' own.
fn zones_of_rows(layer: &Layer, from: &recipe::PanelFrom, site: &Site<'_>) -> Result<Vec<ZoneIx>> {
    let zones = &site.loaded.recipe.zones;
    let mut problems = Problems::new();
    let field_name = from.id_field.as_ref().unwrap_or(&zones.id_field);
    let field = layer.field(field_name, &mut problems);
    let mut found = Vec::with_capacity(layer.features.len());
    for (row, feature) in layer.features.iter().enumerate() {
        let value = field.and_then(|at| feature.values[at].as_ref()).map(Value::text).unwrap_or_default();
        let renamed = zones.ids.get(&value).unwrap_or(&value);
        let id = zones.merge.get(renamed).unwrap_or(renamed);
        let zone = site.zones_read.id.binary_search(id).map_or(ZoneIx::NONE, |row| ZoneIx(row as u32));
        if field.is_some() && !zone.is_some() {
            problems.push(layer.problem(row, None, field_name, &value, "the id of a zone"));
        }
        found.push(zone);
    }
    problems.or_else(found)
}

/// Figures of an indicator by zone: as published, else a share of what the city's figure leaves, by weight.
fn by_zone(city: &City, name: &str, indicator: &str, weights: &[f64]) -> Vec<f64> {
    let known: Vec<Option<f64>> =
        city.zones.id.iter().map(|zone| latest(&city.panel, zone, indicator).map(|row| row.value)).collect();
    let given: f64 = known.iter().flatten().sum();
    let rest = latest(&city.panel, name, indicator).map_or(0.0, |row| (row.value - given).max(0.0));
    let open: f64 = known.iter().zip(weights).filter(|(known, _)| known.is_none()).map(|(_, weight)| weight).sum();
    let share = |weight: f64| if open > 0.0 { rest * weight / open } else { 0.0 };
    known.iter().zip(weights).map(|(known, &weight)| known.unwrap_or_else(|| share(weight))).collect()
}

fn add_buildings(city: &mut City, site: &Site<'_>, extract: Option<&OsmExtract>, notes: &mut Notes) -> Result<()> {
    let recipe = &site.loaded.recipe.buildings;
    let name = &site.loaded.recipe.name;
    let mut unusable = 0;
    let outlines = match (recipe.source, &recipe.path, extract) {
        (BuildingSource::Osm, _, Some(extract)) => {
            let (outlines, left_out) = buildings::from_osm(extract, &pois::places(&city.pois));
            unusable = left_out;
            outlines
        }
        (BuildingSource::Vector, Some(written), _) => {
            let layer = Layer::read(site.sources.path(written)?, recipe.layer.as_deref())?;
            buildings::from_layer(&layer, recipe)?
        }
        _ => {
            let streets = lane_metres(&city.links, city.zones.len(), |class| class != RoadClass::External);
            let residents = by_zone(city, name, "residents", &streets);
            let jobs = by_zone(city, name, "jobs", &streets);
            let needs: Vec<Need> =
                residents.iter().zip(&jobs).map(|(&residents, &jobs)| Need { residents, jobs }).collect();
            pois::locate(&mut city.pois, &site.zones_m, &[], &site.projection);
            notes.gap("Buildings are synthetic: made up along streets for residents and jobs of each zone.".to_owned());
            synthetic::outlines(&needs, &site.zones_m, &city.links, &city.pois, recipe, &site.projection)
        }
    };
    let setting = Setting {
        zones: &city.zones,
        zones_m: &site.zones_m,
        nodes: &city.nodes,
        links: &city.links,
        clip_m: clip_of(site),
        projection: &site.projection,
    };
    let (table, left_out) = buildings::table(outlines, recipe, setting);
    city.buildings = table;
    if let Some(id) = duplicate_ids(&city.buildings.id) {
        let path = recipe.path.as_deref().unwrap_or_default();
        return Err(site.loaded.problem(path, format!("two buildings have the id {id}, expected unique ids")).into());
    }
    note_buildings(city, LeftOut { unusable, ..left_out }, notes);
    note_empty_zones(city, notes);
    let outcome = dwellings::spread(&city.buildings, &city.zones.id, &city.panel, name, recipe);
    city.buildings.dwellings = outcome.dwellings;
    if let Some(ratio) = outcome.rule_ratio {
        notes.figure("dwellings_rule_ratio", ratio);
    }
    if outcome.homeless > 0 {
        notes.gap(format!("{} published dwellings are in zones without a residential building.", outcome.homeless));
    }
    if !city.pois.is_empty() {
        let shapes_m = outlines_m(&city.buildings.shape, &site.projection);
        pois::locate(&mut city.pois, &site.zones_m, &shapes_m, &site.projection);
    }
    Ok(())
}

fn duplicate_ids(ids: &[String]) -> Option<&String> {
    let mut seen = std::collections::BTreeSet::new();
    ids.iter().find(|id| !seen.insert(*id))
}

fn outlines_m(shapes: &[Polygon], projection: &Projection) -> Vec<Polygon> {
    let metres = |at: Coord| {
        let (x, y) = projection.project(at.into());
        Coord { x, y }
    };
    map_chunks(shapes.len(), CHUNK_ROWS, |range| {
        shapes[range].iter().map(|shape| shape.map_coords(metres)).collect::<Vec<Polygon>>()
    })
    .concat()
}

fn note_buildings(city: &City, left_out: LeftOut, notes: &mut Notes) {
    let buildings = &city.buildings;
    let count = |from: FloorsFrom| buildings.floors_from.iter().filter(|&&f| f == from).count() as f64;
    let all = buildings.len() as f64;
    notes.figure("floor_area_m2", buildings.floor_area_m2.iter().sum());
    if count(FloorsFrom::Synthetic) > 0.0 {
        return;
    }
    notes.figure("buildings_floors_tagged_share", (count(FloorsFrom::Levels) + count(FloorsFrom::Height)) / all);
    notes.figure("buildings_left_out_outside", left_out.outside as f64);
    notes.figure("buildings_left_out_small", left_out.small as f64);
    notes.figure("buildings_left_out_unusable", left_out.unusable as f64);
    let by_rule = count(FloorsFrom::Rule);
    if by_rule > 0.0 {
        notes.gap(format!("{by_rule} of {all} buildings have their floors by rule, not by tag."));
    }
}

fn note_empty_zones(city: &City, notes: &mut Notes) {
    let mut lived_in = vec![false; city.zones.len()];
    for (zone, _) in
        city.buildings.zone.iter().zip(&city.buildings.purpose).filter(|(_, p)| **p == BuildingUse::Residential)
    {
        lived_in[zone.row()] = true;
    }
    let people = |zone: &str| latest(&city.panel, zone, "residents").is_some_and(|row| row.value > 0.0);
    let homeless: Vec<&str> =
        city.zones.id.iter().zip(&lived_in).filter(|(id, lived)| !**lived && people(id)).map(|(id, _)| &**id).collect();
    if !homeless.is_empty() {
        notes.gap(format!("Zones with residents but without residential buildings: {}.", homeless.join(", ")));
    }
}

fn add_rasters(city: &mut City, site: &Site<'_>, notes: &mut Notes) -> Result<()> {
    let period = site.loaded.recipe.valid_period.split('/').next().unwrap_or_default();
    for of in &site.loaded.recipe.raster {
        let path = site.sources.path(&of.path)?;
        let grid = raster::read(path, of.band)?;
        let weights = crosswalk::from_raster(&grid, &site.zones_m, &site.projection);
        if weights.is_empty() {
            let what =
                format!("no cell of band {} with data lies in a zone: wrong reference system or place?", of.band);
            return Err(Problem::file(path, what).into());
        }
        let zones = city.zones.len();
        let unit = of.unit.clone().unwrap_or_default();
        let (indicator, unit, values, total) = match of.kind {
            RasterKind::Elevation => {
                city.nodes.elevation_m = grid.sample(&city.nodes.point);
                let at: Vec<Point> = (0..city.buildings.len())
                    .map(|row| site.projection.unproject(city.buildings.x_m[row], city.buildings.y_m[row]))
                    .collect();
                city.buildings.elevation_m = grid.sample(&at);
                let unknown = city.nodes.elevation_m.iter().filter(|v| v.is_nan()).count();
                if unknown > 0 {
                    notes.gap(format!("{unknown} of {} nodes lie outside the elevation raster.", city.nodes.len()));
                }
                ("elevation_mean".to_owned(), "m".to_owned(), averaged(&weights, &grid.values, zones), None)
            }
            RasterKind::Density => (of.name.clone(), unit, averaged(&weights, &grid.values, zones), None),
            RasterKind::Count => {
                let sums = carried(&weights, &grid.values, zones);
                let total: f64 = sums.iter().sum();
                let all: f64 = grid.values.iter().filter(|v| !v.is_nan()).sum();
                notes.figure(&format!("raster_{}_inside_share", of.name), total / all);
                (of.name.clone(), unit, sums, Some(total))
            }
        };
        if of.kind != RasterKind::Elevation {
            let cell = |cell: u32| format!("{},{}", cell as usize / grid.columns, cell as usize % grid.columns);
            city.crosswalk.extend(crosswalk::rows(&weights, &of.name, cell, "zones", &city.zones.id));
        }
        let row = |zone_id: &str, value: f64| PanelRow {
            zone_id: zone_id.to_owned(),
            period: of.period.clone().unwrap_or_else(|| period.to_owned()),
            indicator: indicator.clone(),
            value,
            unit: unit.clone(),
            source: format!("raster {}", of.name),
            quality: Quality::Estimate,
        };
        let known = city.zones.id.iter().zip(&values).filter(|(_, value)| !value.is_nan());
        city.panel.extend(known.map(|(zone, &value)| row(zone, value)));
        city.panel.extend(total.map(|total| row(&site.loaded.recipe.name, total)));
    }
    Ok(())
}

fn add_overlays(city: &mut City, site: &Site<'_>) -> Result<()> {
    for of in &site.loaded.recipe.overlay {
        let layer = Layer::read(site.sources.path(&of.path)?, of.layer.as_deref())?;
        let mut problems = Problems::new();
        let field = layer.field(&of.id_field, &mut problems);
        let (mut ids, mut shapes) = (Vec::new(), Vec::new());
        for (row, feature) in layer.features.iter().enumerate() {
            let id = field.and_then(|at| feature.values[at].as_ref()).map(Value::text).unwrap_or_default();
            match layer.polygons(row) {
                Ok(polygons) => shapes.push(polygons.shape),
                Err(what) => problems.push(layer.problem(row, Some(&id), "geometry", what, "a polygon with area")),
            }
            ids.push(id);
        }
        if let Some(id) = duplicate_ids(&ids) {
            problems.push(Problem::file(&layer.path, format!("two rows have the id `{id}`, expected unique ids")));
        }
        problems.or_else(())?;
        let shapes_m = projected(&shapes, &site.projection);
        let name_of = |ids: &[String]| {
            let ids = ids.to_vec();
            move |row: u32| ids[row as usize].clone()
        };
        let there = crosswalk::from_shapes(&shapes_m, &site.zones_m);
        city.crosswalk.extend(crosswalk::rows(&there, &of.name, name_of(&ids), "zones", &city.zones.id));
        let back = crosswalk::from_shapes(&site.zones_m, &shapes_m);
        city.crosswalk.extend(crosswalk::rows(&back, "zones", name_of(&city.zones.id), &of.name, &ids));
    }
    Ok(())
}

fn manifest(city: &City, site: Site<'_>, notes: Notes) -> Manifest {
    let recipe = &site.loaded.recipe;
    let [mut west, mut south, mut east, mut north] = zones::bounds_deg(&city.zones.shape);
    for (point, _) in city.nodes.point.iter().zip(&city.nodes.external).filter(|(_, external)| !**external) {
        (west, south) = (west.min(point.x()), south.min(point.y()));
        (east, north) = (east.max(point.x()), north.max(point.y()));
    }
    let counts = crate::package_read::counts(city).map(|(table, rows)| (table.to_owned(), rows));
    Manifest {
        format_version: FORMAT_VERSION,
        name: recipe.name.clone(),
        title: recipe.title.clone(),
        crs: site.projection.code().to_owned(),
        valid_period: recipe.valid_period.clone(),
        bbox_deg: [west, south, east, north],
        sources: site.sources.list,
        counts: counts.into_iter().collect(),
        known_gaps: notes.gaps,
        figures: notes.figures,
        content_hash: site.sources.content_hash,
    }
}

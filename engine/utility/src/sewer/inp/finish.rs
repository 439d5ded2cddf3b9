//! What follows from whole tables: heights from elevations, slopes and conveyance of conduits, which end is up, depths of
//! manholes, and whether the network suits its routing.
//!
//! Source: Reference Manual Vol. II, chapters 2 and 3; changes that SWMM makes with a warning are notes here.

use super::super::kinematic::order_of_links;
use super::super::momentum::friction_factor;
use super::super::network::{ForceMain, LinkKind, Method, NodeKind, PumpCurve, Sewer};
use super::super::units::{FOOT_M, GRAVITY_MPS2, MANNING};
use super::lines::Reader;

/// Least drop of a conduit, 0.001 ft.
const LEAST_DROP_M: f64 = 0.001 * FOOT_M;

/// Steps that suit the time simulated.
fn steps(reader: &mut Reader<'_>, sewer: &mut Sewer) {
    let of = &mut sewer.options;
    if of.report_step_s > of.duration_s && of.duration_s >= 1.0 {
        reader.notes.push(format!("REPORT_STEP is longer than the simulation and was lowered to {} s", of.duration_s));
        of.report_step_s = of.duration_s;
    }
    for (name, step_s) in [("REPORT_STEP", &mut of.report_step_s), ("RULE_STEP", &mut of.rule_step_s)] {
        if *step_s > 0.0 && *step_s < 1.0 {
            reader.notes.push(format!("{name} is below a second and was raised to it"));
            *step_s = 1.0;
        }
    }
}

/// Finishes tables and checks the network.
pub(super) fn finish(reader: &mut Reader<'_>, sewer: &mut Sewer) {
    steps(reader, sewer);
    for link in 0..sewer.links.id.len() {
        heights(reader, sewer, link);
        match sewer.links.kind[link] {
            LinkKind::Conduit(row) => conduit(reader, sewer, link, row as usize),
            LinkKind::Orifice(row) => {
                let full = sewer.links.section[link].y_full_m;
                let length = 2.0 * sewer.options.routing_step_s * (GRAVITY_MPS2 * full).sqrt();
                sewer.orifices[row as usize].length_m = length.max(200.0 * FOOT_M);
            }
            _ => {}
        }
        raise_crest(reader, sewer, link);
        deepen(sewer, link);
    }
    for node in 0..sewer.nodes.id.len() {
        let nodes = &sewer.nodes;
        if nodes.initial_depth_m[node] > nodes.full_depth_m[node] + nodes.surcharge_depth_m[node] + 1e-9 {
            let (id, depth) = (nodes.id[node].clone(), nodes.initial_depth_m[node]);
            let most = nodes.full_depth_m[node];
            node_problem(reader, node, format_args!("{id}: initial depth = {depth} m, expected at most {most} m"));
        }
    }
    match sewer.options.method {
        Method::Dynamic => check_any(reader, sewer),
        _ => check_tree(reader, sewer),
    }
}

fn node_problem(reader: &mut Reader<'_>, node: usize, what: impl std::fmt::Display) {
    let line = reader.node_line.get(node).copied().unwrap_or(1);
    reader.problem_at(line, format_args!("node {what}"));
}

fn link_problem(reader: &mut Reader<'_>, link: usize, what: impl std::fmt::Display) {
    let line = reader.link_line.get(link).copied().unwrap_or(1);
    reader.problem_at(line, format_args!("link {what}"));
}

/// Offsets as heights over the nodes' bottoms, none below them.
fn heights(reader: &mut Reader<'_>, sewer: &mut Sewer, link: usize) {
    let is_conduit = matches!(sewer.links.kind[link], LinkKind::Conduit(_));
    if matches!(sewer.links.kind[link], LinkKind::Pump(_)) {
        return;
    }
    let ends = [sewer.links.from[link], sewer.links.to[link]];
    let given = [sewer.links.offset_from_m[link], sewer.links.offset_to_m[link]];
    let mut height = [0, 1].map(|end: usize| match (reader.is_by_elevation, given[end].is_finite()) {
        (true, true) => given[end] - sewer.nodes.invert_m[ends[end] as usize],
        (true, false) => 0.0,
        (false, _) => given[end],
    });
    if !is_conduit {
        height[1] = height[0];
    }
    for (end, height) in height.iter_mut().enumerate() {
        if *height < -LEAST_DROP_M && (end == 0 || is_conduit) {
            let id = &sewer.links.id[link];
            reader.notes.push(format!("link {id}: an offset is below its node's bottom and was raised to it"));
        }
        *height = height.max(0.0);
    }
    (sewer.links.offset_from_m[link], sewer.links.offset_to_m[link]) = (height[0], height[1]);
}

fn conduit(reader: &mut Reader<'_>, sewer: &mut Sewer, link: usize, row: usize) {
    let is_dynamic = sewer.options.method == Method::Dynamic;
    let bottom = |node: u32, offset: f64| sewer.nodes.invert_m[node as usize] + offset;
    let from = bottom(sewer.links.from[link], sewer.links.offset_from_m[link]);
    let to = bottom(sewer.links.to[link], sewer.links.offset_to_m[link]);
    let length = sewer.conduits.length_m[row];
    let drop = (from - to).abs().max(LEAST_DROP_M);
    let id = sewer.links.id[link].clone();
    if (from - to).abs() < LEAST_DROP_M {
        reader.notes.push(format!("conduit {id}: is level and was given a drop of {LEAST_DROP_M} m"));
    }
    let mut slope = if drop >= length {
        reader.notes.push(format!("conduit {id}: drops more than it is long"));
        drop / length
    } else {
        drop / (length * length - drop * drop).sqrt()
    };
    let mut is_up = from < to;
    if slope < sewer.options.min_slope {
        reader.notes.push(format!("conduit {id}: its slope was raised to MIN_SLOPE"));
        slope = sewer.options.min_slope;
        is_up &= is_dynamic;
    }
    if is_up && is_dynamic {
        turn(sewer, link, row);
        is_up = false;
    }
    if is_up {
        link_problem(reader, link, format_args!("{id}: leads up, expected down, or FLOW_ROUTING DYNWAVE"));
    }
    let section = sewer.links.section[link];
    let mut roughness = sewer.conduits.roughness[row];
    let main = sewer.conduits.force_main[row];
    if is_dynamic && !main.is_nan() {
        roughness = manning_of_force_main(sewer.options.force_main, main, section.y_full_m, slope);
    }
    let mut of_slope = slope;
    if is_dynamic && sewer.options.lengthening_step_s > 0.0 {
        let full =
            if section.is_open() { section.a_full_m2 / section.width(section.y_full_m) } else { section.y_full_m };
        let velocity = MANNING / roughness * section.s_full * slope.sqrt() / section.a_full_m2;
        let step = sewer.options.routing_step_s.min(sewer.options.lengthening_step_s);
        let longer = (((GRAVITY_MPS2 * full).sqrt() + velocity) * step / length).max(1.0);
        sewer.conduits.wave_length_m[row] = length * longer;
        of_slope /= longer;
        roughness /= longer.sqrt();
    }
    let to = &mut sewer.conduits;
    to.slope[row] = slope;
    to.friction[row] = GRAVITY_MPS2 * (roughness / MANNING).powi(2);
    to.beta[row] = MANNING * of_slope.sqrt() / roughness;
    to.full_flow_m3ps[row] = section.s_full * to.beta[row];
}

/// Manning's n with the same flow as a force main's own formula when full and turbulent.
fn manning_of_force_main(formula: ForceMain, value: f64, diameter_m: f64, slope: f64) -> f64 {
    let feet = diameter_m / FOOT_M;
    match formula {
        ForceMain::HazenWilliams => 1.067 / value * (feet / slope).powf(0.04),
        ForceMain::DarcyWeisbach => {
            (friction_factor(value, diameter_m / 4.0, 1e12) / 185.0).sqrt() * feet.powf(1.0 / 6.0)
        }
    }
}

/// Swaps ends, so that a conduit leads down.
fn turn(sewer: &mut Sewer, link: usize, row: usize) {
    let links = &mut sewer.links;
    std::mem::swap(&mut links.from[link], &mut links.to[link]);
    std::mem::swap(&mut links.offset_from_m[link], &mut links.offset_to_m[link]);
    std::mem::swap(&mut sewer.conduits.loss_in[row], &mut sewer.conduits.loss_out[row]);
    links.is_reversed[link] = true;
    links.initial_flow_m3ps[link] = -links.initial_flow_m3ps[link];
}

/// In dynamic waves a regulator is not below the bottom of the node it leads to.
fn raise_crest(reader: &mut Reader<'_>, sewer: &mut Sewer, link: usize) {
    let is_regulator = matches!(sewer.links.kind[link], LinkKind::Orifice(_) | LinkKind::Weir(_) | LinkKind::Outlet(_));
    let invert = |node: u32| sewer.nodes.invert_m[node as usize];
    let (from, to) = (invert(sewer.links.from[link]), invert(sewer.links.to[link]));
    if is_regulator && from + sewer.links.offset_from_m[link] < to {
        let id = &sewer.links.id[link];
        if sewer.options.method == Method::Dynamic {
            reader.notes.push(format!("link {id}: its crest is below the node it leads to and was raised to it"));
            sewer.links.offset_from_m[link] = to - from;
        } else {
            reader.notes.push(format!("link {id}: its crest is below the node it leads to"));
        }
    }
}

/// Manholes are at least as deep as the tops of their conduits.
fn deepen(sewer: &mut Sewer, link: usize) {
    let kind = sewer.links.kind[link];
    let height = match kind {
        LinkKind::Pump(_) => return,
        LinkKind::Orifice(row) if sewer.orifices[row as usize].is_bottom => return,
        LinkKind::Outlet(_) => 0.0,
        _ => sewer.links.section[link].y_full_m,
    };
    let (from, to) = (sewer.links.from[link] as usize, sewer.links.to[link] as usize);
    let ends = [(from, sewer.links.offset_from_m[link]), (to, sewer.links.offset_to_m[link])];
    let count = if matches!(kind, LinkKind::Conduit(_)) { 2 } else { 1 };
    for (node, offset) in ends.into_iter().take(count) {
        if !sewer.is_storage(node) || sewer.nodes.surcharge_depth_m[node] > 0.0 {
            sewer.nodes.full_depth_m[node] = sewer.nodes.full_depth_m[node].max(offset + height);
        }
    }
}

/// Steady flow and kinematic waves need a tree.
fn check_tree(reader: &mut Reader<'_>, sewer: &Sewer) {
    let mut out = vec![0_u32; sewer.nodes.id.len()];
    sewer.links.from.iter().for_each(|&node| out[node as usize] += 1);
    for (node, &count) in out.iter().enumerate() {
        let id = &sewer.nodes.id[node];
        match sewer.nodes.kind[node] {
            NodeKind::Outfall(_) if count > 0 => {
                node_problem(reader, node, format_args!("{id}: is an outfall that a link leaves, expected none"));
            }
            NodeKind::Divider(row) => {
                let link = sewer.dividers[row as usize].link as usize;
                let is_own = sewer.links.from.get(link).is_some_and(|&from| from as usize == node);
                if count > 2 || !is_own {
                    let what = "is a divider, expected two links that leave it, one of them the diverted one";
                    node_problem(reader, node, format_args!("{id}: {what}"));
                }
            }
            NodeKind::Junction if count > 1 => {
                let what = format!("{count} links leave it, expected one, or FLOW_ROUTING DYNWAVE");
                node_problem(reader, node, format_args!("{id}: {what}"));
            }
            _ => {}
        }
    }
    for link in 0..sewer.links.id.len() {
        let is_regulator =
            matches!(sewer.links.kind[link], LinkKind::Orifice(_) | LinkKind::Weir(_) | LinkKind::Outlet(_));
        if is_regulator && !sewer.is_storage(sewer.links.from[link] as usize) {
            let id = &sewer.links.id[link];
            link_problem(reader, link, format_args!("{id}: leaves no storage unit, expected one, or DYNWAVE"));
        }
    }
    if let Err(on_loops) = order_of_links(sewer)
        && let Some(&first) = on_loops.first()
    {
        let names: Vec<&str> = on_loops.iter().take(5).map(|&link| sewer.links.id[link as usize].as_str()).collect();
        let what = format!("is on or below a loop with {}, expected a tree, or DYNWAVE", names.join(", "));
        link_problem(reader, first as usize, format_args!("{}: {what}", names[0]));
    }
}

/// Dynamic waves need an outfall, and one link at each.
fn check_any(reader: &mut Reader<'_>, sewer: &Sewer) {
    let mut links = vec![0_u32; sewer.nodes.id.len()];
    let mut out = vec![0_u32; sewer.nodes.id.len()];
    for link in 0..sewer.links.id.len() {
        links[sewer.links.from[link] as usize] += 1;
        links[sewer.links.to[link] as usize] += 1;
        out[sewer.links.from[link] as usize] += 1;
    }
    let mut has_outfall = false;
    for (node, &count) in links.iter().enumerate() {
        if !sewer.is_outfall(node) {
            continue;
        }
        has_outfall = true;
        if count > 1 {
            let id = &sewer.nodes.id[node];
            node_problem(reader, node, format_args!("{id}: is an outfall with {count} links, expected one"));
        }
    }
    if !has_outfall && !sewer.links.id.is_empty() {
        reader.problem_at(1, "there is no outfall, expected one in [OUTFALLS]");
    }
    for link in 0..sewer.links.id.len() {
        let LinkKind::Pump(row) = sewer.links.kind[link] else { continue };
        let is_ideal = sewer.pumps[row as usize].curve == PumpCurve::Ideal;
        if is_ideal && out[sewer.links.from[link] as usize] > 1 {
            let id = &sewer.links.id[link];
            link_problem(reader, link, format_args!("{id}: is an ideal pump beside other links, expected it alone"));
        }
    }
}

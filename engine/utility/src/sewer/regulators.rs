//! Flow through pumps, orifices, weirs and links with a rating curve, as it follows from heads; gates; levels at outfalls.
//!
//! Source: Reference Manual Vol. II, chapter 6. With steady flow and kinematic waves the head behind a regulator is the
//! bottom of the basin before it. Contract: a link changes its own row of the state only; levels at outfalls theirs.

use super::network::{
    LinkKind, Method, NodeKind, Orifice, Outlet, Pump, PumpCurve, Rating, Sewer, Stage, Weir, WeirForm,
};
use super::section::{Section, Shape};
use super::state::{FlowClass, State, normal_depth};
use super::units::{DRY_AREA_M2, DRY_DEPTH_M, FOOT3_M3, GRAVITY_MPS2};

/// Flow below which a divider's overflow is none, 1e-5 cfs.
const NO_FLOW_M3PS: f64 = 1e-5 * FOOT3_M3;
/// Villemonte's exponent for submerged weirs.
const VILLEMONTE: f64 = 0.385;

/// Whether a gate is shut against a flow of a sign.
pub(crate) fn is_gate_shut(sewer: &Sewer, link: usize, flow: f64) -> bool {
    let in_file = if sewer.links.is_reversed[link] { -flow } else { flow };
    if sewer.links.has_flap_gate[link] && in_file < 0.0 {
        return true;
    }
    let node = if flow < 0.0 { sewer.links.to[link] } else { sewer.links.from[link] };
    let is_flow = flow.abs() > 0.0;
    match sewer.nodes.kind[node as usize] {
        NodeKind::Outfall(row) => is_flow && sewer.outfalls[row as usize].has_flap_gate,
        _ => false,
    }
}

/// Level at the outfall that a link leads to, from the flow in the link.
pub(crate) fn set_outfall_depth(sewer: &Sewer, state: &mut State, link: usize) {
    let (from, to) = (sewer.links.from[link] as usize, sewer.links.to[link] as usize);
    let (node, row, offset) = match (sewer.nodes.kind[to], sewer.nodes.kind[from]) {
        (NodeKind::Outfall(row), _) => (to, row, sewer.links.offset_to_m[link]),
        (_, NodeKind::Outfall(row)) => (from, row, sewer.links.offset_from_m[link]),
        _ => return,
    };
    let (mut normal, mut critical) = (0.0, 0.0);
    if let Some(conduit) = sewer.conduit_of(link) {
        let flow = (state.links.flow_m3ps[link] / sewer.conduits.barrels[conduit]).abs();
        normal = normal_depth(sewer, conduit, flow);
        critical = sewer.links.section[link].critical_depth(flow);
    }
    let lower = normal.min(critical);
    let invert = sewer.nodes.invert_m[node];
    state.nodes.depth_m[node] = match sewer.outfalls[row as usize].stage {
        // Water falls free from a conduit that ends above the bottom.
        Stage::Free | Stage::Normal if offset > 0.0 => 0.0,
        Stage::Free => lower,
        Stage::Normal => normal,
        Stage::Fixed(stage) if lower + offset + invert < stage => stage - invert,
        Stage::Fixed(stage) if offset > 0.0 && stage < invert + offset => (stage - invert).max(0.0),
        Stage::Fixed(_) => offset + lower,
    };
}

/// Heads on both sides of a regulator, the higher first, and the direction of flow.
fn heads(sewer: &Sewer, state: &State, link: usize) -> (f64, f64, f64, f64) {
    let (from, to) = (sewer.links.from[link] as usize, sewer.links.to[link] as usize);
    let first = state.nodes.depth_m[from] + sewer.nodes.invert_m[from];
    let other = match sewer.options.method {
        Method::Dynamic => state.nodes.depth_m[to] + sewer.nodes.invert_m[to],
        _ => sewer.nodes.invert_m[from],
    };
    if first >= other {
        (first, other, 1.0, state.nodes.depth_m[from])
    } else {
        (other, first, -1.0, state.nodes.depth_m[to])
    }
}

/// Flow that enters a link, m3/s; negative where it flows back.
pub(crate) fn inflow(sewer: &Sewer, state: &mut State, link: usize) -> f64 {
    if state.links.setting[link] <= 0.0 && !matches!(sewer.links.kind[link], LinkKind::Pump(_)) {
        return 0.0;
    }
    match sewer.links.kind[link] {
        LinkKind::Conduit(row) => {
            let flow = conduit_inflow(sewer, state, link, row as usize);
            let limit = sewer.links.flow_limit_m3ps[link];
            if limit > 0.0 { flow.min(limit) } else { flow }
        }
        LinkKind::Pump(row) => pump(sewer, state, link, &sewer.pumps[row as usize]),
        LinkKind::Orifice(row) => orifice(sewer, state, link, &sewer.orifices[row as usize]),
        LinkKind::Weir(row) => weir(sewer, state, link, &sewer.weirs[row as usize]),
        LinkKind::Outlet(row) => outlet(sewer, state, link, &sewer.outlets[row as usize]),
    }
}

/// What a node gives to a conduit where flow is not by momentum.
fn conduit_inflow(sewer: &Sewer, state: &State, link: usize, row: usize) -> f64 {
    let node = sewer.links.from[link] as usize;
    let comes = state.nodes.inflow_m3ps[node] + state.nodes.overflow_m3ps[node];
    match sewer.nodes.kind[node] {
        NodeKind::Storage(_) => {
            let depth = state.nodes.depth_m[node] - sewer.links.offset_from_m[link];
            let section = &sewer.links.section[link];
            if depth <= 0.0 {
                0.0
            } else if depth >= section.y_full_m {
                sewer.conduits.full_flow_m3ps[row]
            } else {
                sewer.conduits.beta[row] * section.factor(section.area(depth))
            }
        }
        NodeKind::Divider(at) => {
            use super::network::Split;
            let divider = &sewer.dividers[at as usize];
            let is_diverted = divider.link == link as u32;
            let diverted = match &divider.split {
                Split::Overflow => {
                    let left = if is_diverted { comes - state.nodes.outflow_m3ps[node] } else { comes };
                    return if left < NO_FLOW_M3PS { 0.0 } else { left };
                }
                Split::Cutoff(from) => (comes - from).max(0.0),
                Split::Curve(table) => table.at(comes),
                Split::Weir { from_m3ps, full_m3ps } if comes > *from_m3ps => {
                    let share = (comes - from_m3ps) / (full_m3ps - from_m3ps);
                    full_m3ps * if share > 1.0 { share.sqrt() } else { share.powf(1.5) }
                }
                Split::Weir { .. } => 0.0,
            };
            let diverted = diverted.min(comes);
            if is_diverted { diverted } else { comes - diverted }
        }
        _ => comes,
    }
}

fn pump(sewer: &Sewer, state: &mut State, link: usize, of: &Pump) -> f64 {
    state.links.setting[link] = state.links.target[link];
    let setting = state.links.setting[link];
    state.links.class[link] = FlowClass::Subcritical;
    if setting <= 0.0 {
        return 0.0;
    }
    let (from, to) = (sewer.links.from[link] as usize, sewer.links.to[link] as usize);
    let head = |node: usize| state.nodes.depth_m[node] + sewer.nodes.invert_m[node];
    let flow = match &of.curve {
        PumpCurve::Ideal => state.nodes.inflow_m3ps[from] + state.nodes.overflow_m3ps[from],
        PumpCurve::Volume(table) => table.step(state.nodes.volume_m3[from]),
        PumpCurve::DepthSteps(table) => table.step(state.nodes.depth_m[from]),
        PumpCurve::Head(table) | PumpCurve::Speed(table) => {
            let speed = if matches!(of.curve, PumpCurve::Speed(_)) { setting } else { 1.0 };
            let lift = ((head(to) - head(from)) / (speed * speed)).max(0.0);
            let (flow, slope) = (table.at(lift), table.slope(lift));
            state.links.slope_m2ps[link] = -slope / speed;
            flow
        }
        PumpCurve::Depth(table) => {
            let depth = state.nodes.depth_m[from];
            state.links.slope_m2ps[link] = table.slope(depth);
            table.at(depth)
        }
    };
    flow.max(0.0) * setting
}

/// Loss of head at a gate by ARMCO's formula, m.
fn gate_loss(velocity: f64, head: f64) -> f64 {
    4.0 / GRAVITY_MPS2 * velocity * velocity * (-1.15 * velocity * FEET_ROOT / head.sqrt()).exp()
}
/// The formula's exponent holds for ft/s over the root of ft.
const FEET_ROOT: f64 = 1.811_308_2;

fn close(state: &mut State, link: usize, surface_m2: f64) -> f64 {
    state.links.depth_m[link] = 0.0;
    state.links.class[link] = FlowClass::Dry;
    state.links.slope_m2ps[link] = 0.0;
    (state.links.surface_from_m2[link], state.links.surface_to_m2[link]) = (surface_m2, surface_m2);
    0.0
}

fn class_of(crest: f64, low: f64, direction: f64) -> FlowClass {
    match (crest > low, direction > 0.0) {
        (false, _) => FlowClass::Subcritical,
        (true, true) => FlowClass::DownCritical,
        (true, false) => FlowClass::UpCritical,
    }
}

fn orifice(sewer: &Sewer, state: &mut State, link: usize, of: &Orifice) -> f64 {
    let section = &sewer.links.section[link];
    let (high, low, direction, depth) = heads(sewer, state, link);
    let crest = sewer.nodes.invert_m[sewer.links.from[link] as usize] + sewer.links.offset_from_m[link];
    let opening = state.links.setting[link] * section.y_full_m;
    // Head at which it stops being a weir, and the coefficient there.
    let (critical, weir_head) = if of.is_bottom {
        let width = section.w_max_m;
        let hydraulic = match section.shape {
            Shape::Circular => opening / 4.0,
            _ => opening * width / (2.0 * (opening + width)),
        };
        let critical = of.coefficient / 0.414 * hydraulic;
        (critical, critical)
    } else {
        (opening, 0.5 * opening)
    };
    let (head, filled) = if of.is_bottom {
        let head = if high < crest { 0.0 } else { high - low.max(crest) };
        (head, (head / critical).min(1.0))
    } else {
        let (crown, middle) = (crest + opening, crest + 0.5 * opening);
        let filled = if high < crown && crown > crest { (high - crest) / (crown - crest) } else { 1.0 };
        let head = if filled < 1.0 { high - crest } else { high - low.max(middle) };
        (head, filled)
    };
    if head <= DRY_DEPTH_M || depth <= DRY_DEPTH_M || is_gate_shut(sewer, link, direction) {
        return close(state, link, 0.5 * DRY_DEPTH_M * of.length_m);
    }
    state.links.class[link] = class_of(crest, low, direction);
    let area = section.area(opening);
    let through = if of.is_bottom { opening } else { opening * filled };
    state.links.depth_m[link] = through;
    let surface = 0.5 * if of.is_bottom { area } else { section.width(through) * of.length_m };
    (state.links.surface_from_m2[link], state.links.surface_to_m2[link]) = (surface, surface);
    let full = of.coefficient * area * (2.0 * GRAVITY_MPS2).sqrt();
    let flow_at = |head: f64, filled: f64| {
        if head <= 0.0 || filled <= 0.0 {
            (0.0, 0.0)
        } else if filled < 1.0 {
            let flow = full * weir_head.sqrt() * filled.powf(1.5);
            (flow, 1.5 * flow / (filled * critical))
        } else {
            let flow = full * head.sqrt();
            (flow, 0.5 * flow / head)
        }
    };
    let (mut flow, mut slope) = flow_at(head, filled);
    if sewer.links.has_flap_gate[link] && area > 0.0 {
        let loss = gate_loss(flow / area, head);
        (flow, slope) = if filled < 1.0 {
            flow_at(head, (filled - loss / critical).max(0.0))
        } else {
            flow_at((head - loss).max(0.0), filled)
        };
    }
    state.links.slope_m2ps[link] = slope;
    if filled < 1.0 && low > crest {
        flow *= (1.0 - ((low - crest) / (high - crest)).powf(1.5)).powf(VILLEMONTE);
    }
    direction * flow
}

/// Flow over the middle and the ends of a weir, and how it changes with head.
fn over_weir(of: &Weir, section: &Section, setting: f64, head: f64, direction: f64) -> (f64, f64, f64) {
    if head <= 0.0 {
        return (0.0, 0.0, 0.0);
    }
    let contracted = (section.w_max_m - 0.1 * of.end_contractions * head).max(0.0);
    let form = if of.form == WeirForm::VNotch && setting < 1.0 { WeirForm::Trapezoidal } else { of.form };
    let (middle, ends, power) = match form {
        WeirForm::Transverse => (of.coefficient * contracted * head.powf(1.5), 0.0, 1.5),
        WeirForm::SideFlow if direction < 0.0 => (of.coefficient * contracted * head.powf(1.5), 0.0, 1.5),
        WeirForm::SideFlow => (of.coefficient * contracted.powf(0.83) * head.powf(1.67), 0.0, 1.67),
        WeirForm::VNotch => (of.coefficient * of.slope * head.powf(2.5), 0.0, 2.5),
        WeirForm::Trapezoidal => {
            let width = section.width((1.0 - setting) * section.y_full_m);
            let ends = of.end_coefficient * of.slope * head.powf(2.5);
            (of.coefficient * width * head.powf(1.5), ends, 1.5)
        }
    };
    let slope = if head < DRY_DEPTH_M { 0.0 } else { (power * middle + 2.5 * ends) / head };
    (middle, ends, slope)
}

fn weir(sewer: &Sewer, state: &mut State, link: usize, of: &Weir) -> f64 {
    let section = &sewer.links.section[link];
    let setting = state.links.setting[link];
    let (high, low, direction, _) = heads(sewer, state, link);
    let bottom = sewer.nodes.invert_m[sewer.links.from[link] as usize] + sewer.links.offset_from_m[link];
    let (crest, crown) = (bottom + (1.0 - setting) * section.y_full_m, bottom + section.y_full_m);
    let head = high - crest;
    if head <= DRY_DEPTH_M || crest >= crown || is_gate_shut(sewer, link, direction) {
        return close(state, link, 0.0);
    }
    (state.links.surface_from_m2[link], state.links.surface_to_m2[link]) = (0.0, 0.0);
    state.links.class[link] = class_of(crest, low, direction);
    let open_area = |above: f64| {
        let from = (1.0 - setting) * section.y_full_m;
        section.area((from + above).min(section.y_full_m)) - section.area(from)
    };
    let has_gate = sewer.links.has_flap_gate[link];
    if high >= crown && of.can_surcharge {
        let height = crown - crest;
        let (middle, ends, _) = over_weir(of, section, setting, setting * section.y_full_m, direction);
        let coefficient = (middle + ends) / (0.5 * setting * section.y_full_m).sqrt();
        let mut head = high - low.max(0.5 * (crest + crown));
        if has_gate {
            let area = open_area(height);
            let loss = if area > 0.0 { gate_loss(coefficient * head.sqrt() / area, height) } else { 0.0 };
            head = (head - loss).max(0.0);
        }
        let flow = coefficient * head.max(0.0).sqrt();
        state.links.slope_m2ps[link] = if head > 0.0 { 0.5 * flow / head } else { 0.0 };
        state.links.depth_m[link] = height;
        return direction * flow;
    }
    let mut head = head.min(crown - crest);
    let (mut middle, mut ends, mut slope) = over_weir(of, section, setting, head, direction);
    if has_gate {
        let area = open_area(head);
        if area > DRY_AREA_M2 {
            head = (head - gate_loss((middle + ends) / area, head)).max(0.0);
            (middle, ends, slope) = over_weir(of, section, setting, head, direction);
        }
    }
    state.links.slope_m2ps[link] = slope;
    if low > crest {
        let ratio = (low - crest) / (high - crest);
        let power = match of.form {
            WeirForm::Transverse | WeirForm::Trapezoidal => 1.5,
            WeirForm::SideFlow => 5.0 / 3.0,
            WeirForm::VNotch => 2.5,
        };
        middle *= (1.0 - ratio.powf(power)).max(0.0).powf(VILLEMONTE);
        ends *= (1.0 - ratio.powf(2.5)).max(0.0).powf(VILLEMONTE);
    }
    state.links.depth_m[link] = (high - crest).min(section.y_full_m);
    direction * (middle + ends)
}

fn outlet(sewer: &Sewer, state: &mut State, link: usize, of: &Outlet) -> f64 {
    let (high, low, direction, depth) = heads(sewer, state, link);
    let crest = sewer.nodes.invert_m[sewer.links.from[link] as usize] + sewer.links.offset_from_m[link];
    let is_by_head = of.is_by_head && sewer.options.method == Method::Dynamic;
    let head = high - if is_by_head { low.max(crest) } else { crest };
    (state.links.surface_from_m2[link], state.links.surface_to_m2[link]) = (0.0, 0.0);
    if head <= DRY_DEPTH_M || depth <= DRY_DEPTH_M || is_gate_shut(sewer, link, direction) {
        return close(state, link, 0.0);
    }
    state.links.depth_m[link] = head;
    state.links.class[link] = FlowClass::Subcritical;
    let flow = match &of.rating {
        Rating::Power { coefficient, exponent } => coefficient * head.powf(*exponent),
        Rating::Curve(table) => table.at(head),
    };
    direction * state.links.setting[link] * flow
}

/// Brings a link nearer to the setting that is wanted.
pub(crate) fn move_setting(sewer: &Sewer, state: &mut State, link: usize, step_s: f64) {
    let (target, now) = (state.links.target[link], state.links.setting[link]);
    state.links.setting[link] = match sewer.links.kind[link] {
        LinkKind::Orifice(row) if sewer.orifices[row as usize].opening_time_s > 0.0 => {
            let step = step_s / sewer.orifices[row as usize].opening_time_s;
            if step + 0.001 >= (target - now).abs() { target } else { now + step * (target - now).signum() }
        }
        _ => target,
    };
}

/// A pump starts and stops by the depth before it.
pub(crate) fn switch_pumps(sewer: &Sewer, state: &mut State) {
    for link in 0..sewer.links.id.len() {
        let LinkKind::Pump(row) = sewer.links.kind[link] else { continue };
        let of = &sewer.pumps[row as usize];
        let depth = state.nodes.depth_m[sewer.links.from[link] as usize];
        let setting = state.links.setting[link];
        state.links.target[link] = setting;
        if of.stop_depth_m > 0.0 && setting > 0.0 && depth < of.stop_depth_m {
            state.links.target[link] = 0.0;
        }
        if of.start_depth_m > 0.0 && setting <= 0.0 && depth > of.start_depth_m {
            state.links.target[link] = 1.0;
        }
    }
}

//! Flow in one conduit from the heads at its ends: the momentum equation of dynamic waves in finite differences.
//!
//! q = (q0 - dt g A (h2 - h1) / L + inertia) / (1 + friction + losses), with area and radius weighted upstream as flow
//! nears critical, inertia damped likewise, and flow limited to normal flow where the surface is gentler than the
//! bottom or flow is supercritical. Ends that fall free are at the lower of critical and normal depth.
//! Source: Reference Manual Vol. II, chapter 3. Contract: a conduit changes its own rows of the state only.

use super::network::{Damping, ForceMain, NormalFlow, Sewer};
use super::regulators::is_gate_shut;
use super::section::Section;
use super::state::{FlowClass, State, normal_depth};
use super::units::{DRY_AREA_M2, DRY_DEPTH_M, DRY_FLOW_M3PS, FOOT_M, FOOT3_M3, GRAVITY_MPS2};

/// Velocity taken at most, 50 ft/s.
const MOST_VELOCITY_MPS: f64 = 50.0 * FOOT_M;
/// Share of a full pipe's depth from which its width counts as there, where nodes are surcharged as in EXTRAN.
const EXTRAN_CROWN: f64 = 0.96;
/// The same where full pipes have a slot.
const SLOT_CROWN: f64 = 0.985_257;
/// Flow that is left where flow turns, 0.001 cfs.
const TURNING_M3PS: f64 = 0.001 * FOOT3_M3;
/// Kinematic viscosity of water, 1.1e-5 ft2/s.
const VISCOSITY_M2PS: f64 = 1.1e-5 * FOOT_M * FOOT_M;
/// Hazen-Williams in m and s: 1.318 ft^0.37/s.
const HAZEN_WILLIAMS: f64 = 0.849_185;

/// A conduit's opening as dynamic waves see it.
struct Opening<'a> {
    section: &'a Section,
    has_slot: bool,
}

impl Opening<'_> {
    fn slot_m(&self, depth: f64) -> f64 {
        let share = depth / self.section.y_full_m;
        if !self.has_slot || self.section.is_open() || share < SLOT_CROWN {
            0.0
        } else if share > 1.78 {
            0.01 * self.section.w_max_m
        } else {
            // Sjoberg's formula.
            self.section.w_max_m * 0.5423 * (-share.powf(2.4)).exp()
        }
    }
    fn width(&self, depth: f64) -> f64 {
        let slot = self.slot_m(depth);
        if slot > 0.0 {
            return slot;
        }
        let crown = if self.has_slot { SLOT_CROWN } else { EXTRAN_CROWN } * self.section.y_full_m;
        self.section.width(if self.section.is_open() { depth } else { depth.min(crown) })
    }
    fn area(&self, depth: f64) -> f64 {
        if depth >= self.section.y_full_m {
            return self.section.a_full_m2 + (depth - self.section.y_full_m) * self.slot_m(depth);
        }
        self.section.area(depth)
    }
}

/// What the ends of a conduit say of the flow in it.
struct Ends {
    head: [f64; 2],
    depth: [f64; 2],
    class: FlowClass,
    surface: [f64; 2],
}

/// Froude number of a velocity at a depth; 0 in a full closed conduit.
fn froude(section: &Section, velocity: f64, depth: f64) -> f64 {
    if depth <= DRY_DEPTH_M || (!section.is_open() && section.y_full_m - depth <= DRY_DEPTH_M) {
        return 0.0;
    }
    let width = section.width(depth);
    if width <= 0.0 { 0.0 } else { velocity.abs() / (GRAVITY_MPS2 * section.area(depth) / width).sqrt() }
}

/// Finds the flow of a conduit in an iteration of a step.
pub(crate) fn find_flow(sewer: &Sewer, state: &mut State, row: usize, trial: u32, omega: f64, step_s: f64) {
    let of = &sewer.conduits;
    let link = of.link[row] as usize;
    let section = &sewer.links.section[link];
    let opening = Opening { section, has_slot: sewer.options.has_slot };
    let (barrels, length, true_length) = (of.barrels[row], of.wave_length_m[row], of.length_m[row]);
    let (from, to) = (sewer.links.from[link] as usize, sewer.links.to[link] as usize);
    let old_flow = state.links.old_flow_m3ps[link] / barrels;
    let last = state.conduits.flow_in_m3ps[row];
    (state.conduits.evaporation_m3ps[row], state.conduits.seepage_m3ps[row]) = (0.0, 0.0);
    let ends = ends(sewer, state, row, &opening, last, length);
    let ([h1, h2], [y1, y2]) = (ends.head, ends.depth);
    state.links.class[link] = ends.class;
    (state.links.surface_from_m2[link], state.links.surface_to_m2[link]) = (ends.surface[0], ends.surface[1]);
    let middle = 0.5 * (y1 + y2);
    let (a1, a2, area) = (opening.area(y1), opening.area(y2), opening.area(middle));
    let (r1, radius) = (section.radius(y1), section.radius(middle));
    let is_full = y1 >= section.y_full_m && y2 >= section.y_full_m;
    let is_dry = matches!(ends.class, FlowClass::Dry | FlowClass::UpDry | FlowClass::DownDry);
    if is_dry || state.links.setting[link] <= 0.0 || area <= DRY_AREA_M2 {
        let mean = 0.5 * (a1 + a2);
        state.conduits.area_in_m2[row] = mean;
        (state.conduits.flow_in_m3ps[row], state.conduits.flow_out_m3ps[row]) = (0.0, 0.0);
        state.links.slope_m2ps[link] = GRAVITY_MPS2 * step_s * area / length * barrels;
        state.links.froude[link] = 0.0;
        state.links.depth_m[link] = middle.min(section.y_full_m);
        state.links.volume_m3[link] = mean * true_length * barrels;
        state.links.flow_m3ps[link] = 0.0;
        return;
    }
    let velocity = (last / area).clamp(-MOST_VELOCITY_MPS, MOST_VELOCITY_MPS);
    let number = froude(section, velocity, middle);
    state.links.froude[link] = number;
    if ends.class == FlowClass::Subcritical && number > 1.0 {
        state.links.class[link] = FlowClass::Supercritical;
    }
    let gentle = (2.0 * (1.0 - number)).clamp(0.0, 1.0);
    let upstream = if !is_full && last > 0.0 && h1 >= h2 { gentle } else { 1.0 };
    let (weighted_area, weighted_radius) = (a1 + (area - a1) * upstream, r1 + (radius - r1) * upstream);
    let inertia = match sewer.options.damping {
        _ if is_full && !section.is_open() => 0.0,
        Damping::None => 1.0,
        Damping::Partial => gentle,
        Damping::Full => 0.0,
    };
    let is_force_main = !of.force_main[row].is_nan() && is_full;
    let friction = if is_force_main {
        step_s * force_main_friction(sewer, row, velocity.abs(), radius)
    } else {
        step_s * of.friction[row] / weighted_radius.powf(4.0 / 3.0) * velocity.abs()
    };
    let slope = step_s * GRAVITY_MPS2 * weighted_area * (h2 - h1) / length;
    let old_area = state.conduits.area_out_m2[row].max(DRY_AREA_M2);
    let change = 2.0 * velocity * (area - old_area) * inertia;
    let carried = step_s * velocity * velocity * (a2 - a1) / length * inertia;
    let loss = |coefficient: f64, area: f64| if area > DRY_AREA_M2 { coefficient * last.abs() / area } else { 0.0 };
    let losses = loss(of.loss_in[row], a1) + loss(of.loss_out[row], a2) + loss(of.loss_along[row], area);
    let losses = losses / 2.0 / length * step_s;
    let most_lost = state.links.volume_m3[link] / step_s;
    let lost = state.lose_from_conduit(sewer, row, most_lost) * 2.5 * step_s * velocity / true_length;
    let denominator = 1.0 + friction + losses;
    let mut flow = (old_flow - slope + change + carried + lost) / denominator;
    state.links.slope_m2ps[link] = GRAVITY_MPS2 * step_s * weighted_area / length * barrels / denominator;
    let is_wet = matches!(state.links.class[link], FlowClass::Subcritical | FlowClass::Supercritical);
    if flow > 0.0 && sewer.options.normal_flow != NormalFlow::Neither && y1 < section.y_full_m && is_wet {
        flow = limit_to_normal(sewer, row, flow, [y1, y2], a1, r1);
    }
    if trial > 0 {
        flow = (1.0 - omega) * last + omega * flow;
        if flow * last < 0.0 {
            flow = TURNING_M3PS * flow.signum();
        }
    }
    let limit = sewer.links.flow_limit_m3ps[link];
    if limit > 0.0 {
        flow = flow.clamp(-limit, limit);
    }
    if is_gate_shut(sewer, link, flow) {
        flow = 0.0;
    }
    // Nothing flows out of a dry node.
    if flow > DRY_FLOW_M3PS && state.nodes.depth_m[from] <= DRY_DEPTH_M {
        flow = DRY_FLOW_M3PS;
    }
    if flow < -DRY_FLOW_M3PS && state.nodes.depth_m[to] <= DRY_DEPTH_M {
        flow = -DRY_FLOW_M3PS;
    }
    state.conduits.area_in_m2[row] = area;
    (state.conduits.flow_in_m3ps[row], state.conduits.flow_out_m3ps[row]) = (flow, flow);
    state.links.depth_m[link] = middle.min(section.y_full_m);
    state.links.volume_m3[link] = 0.5 * (a1 + a2) * true_length * barrels;
    state.links.flow_m3ps[link] = flow * barrels;
}

/// Heads and depths at both ends, the class of flow, and the surface that each end adds to its node.
fn ends(sewer: &Sewer, state: &State, row: usize, opening: &Opening<'_>, flow: f64, length: f64) -> Ends {
    let link = sewer.conduits.link[row] as usize;
    let nodes = [sewer.links.from[link] as usize, sewer.links.to[link] as usize];
    let offset = [sewer.links.offset_from_m[link], sewer.links.offset_to_m[link]];
    let full = opening.section.y_full_m;
    let bottom = [0, 1].map(|end| sewer.nodes.invert_m[nodes[end]] + offset[end]);
    let mut head =
        [0, 1].map(|end| (state.nodes.depth_m[nodes[end]] + sewer.nodes.invert_m[nodes[end]]).max(bottom[end]));
    let mut depth = [0, 1].map(|end| {
        let depth = (head[end] - bottom[end]).max(DRY_DEPTH_M);
        if opening.has_slot { depth } else { depth.min(full) }
    });
    // An outfall's level counts as its bottom.
    let fall = [0, 1].map(|end| match sewer.is_outfall(nodes[end]) {
        true => (offset[end] - state.nodes.depth_m[nodes[end]]).max(0.0),
        false => offset[end],
    });
    let mut class = FlowClass::Subcritical;
    let mut share = 1.0;
    let mut lowest = 0.5 * (depth[0] + depth[1]);
    let levels = || {
        let normal = normal_depth(sewer, row, flow);
        (normal, opening.section.critical_depth(flow))
    };
    let is_full = depth[0] >= full && depth[1] >= full;
    match (depth[0] > DRY_DEPTH_M, depth[1] > DRY_DEPTH_M) {
        _ if is_full => {}
        (true, true) if flow < 0.0 => {
            if fall[0] > 0.0 {
                let (normal, critical) = levels();
                lowest = normal.min(critical);
                if depth[0] < lowest {
                    class = FlowClass::UpCritical;
                }
            }
        }
        (true, true) => {
            if fall[1] > 0.0 {
                let (normal, critical) = levels();
                let highest = normal.max(critical);
                lowest = normal.min(critical);
                if depth[1] < lowest {
                    class = FlowClass::DownCritical;
                } else if depth[1] < highest {
                    let between = highest - lowest;
                    share = if between < DRY_DEPTH_M { 0.0 } else { (highest - depth[1]) / between };
                }
            }
        }
        (false, false) => class = FlowClass::Dry,
        (false, true) if head[1] < bottom[0] => class = FlowClass::UpDry,
        (false, true) => {
            if fall[0] > 0.0 {
                let (normal, critical) = levels();
                (lowest, class) = (normal.min(critical), FlowClass::UpCritical);
            }
        }
        (true, false) if head[0] < bottom[1] => class = FlowClass::DownDry,
        (true, false) => {
            if fall[1] > 0.0 {
                let (normal, critical) = levels();
                (lowest, class) = (normal.min(critical), FlowClass::DownCritical);
            }
        }
    }
    match class {
        FlowClass::UpCritical => {
            depth[0] = lowest.max(DRY_DEPTH_M);
            head[0] = bottom[0] + depth[0];
        }
        FlowClass::DownCritical => {
            depth[1] = lowest.max(DRY_DEPTH_M);
            head[1] = bottom[1] + depth[1];
        }
        FlowClass::UpDry => depth[0] = DRY_DEPTH_M,
        FlowClass::DownDry => depth[1] = DRY_DEPTH_M,
        _ => {}
    }
    let width = |depth: f64| opening.width(depth);
    let half = |end: usize| (width(depth[end]) + width((0.5 * (depth[0] + depth[1])).max(DRY_DEPTH_M))) * length / 4.0;
    let surface = match class {
        FlowClass::UpCritical => [0.0, 2.0 * half(1)],
        FlowClass::DownCritical => [2.0 * half(0), 0.0],
        FlowClass::UpDry => [if offset[0] <= 0.0 { half(0) } else { 0.0 }, half(1)],
        FlowClass::DownDry => [half(0), if offset[1] <= 0.0 { half(1) } else { 0.0 }],
        FlowClass::Dry => [0.5 * DRY_DEPTH_M * length; 2],
        _ => [half(0), half(1) * share],
    };
    Ends { head, depth, class, surface }
}

/// Normal flow of the depth upstream, where that is less and the surface or the Froude number asks for it.
fn limit_to_normal(sewer: &Sewer, row: usize, flow: f64, depth: [f64; 2], area: f64, radius: f64) -> f64 {
    let link = sewer.conduits.link[row] as usize;
    let (from, to) = (sewer.links.from[link] as usize, sewer.links.to[link] as usize);
    let has_outfall = sewer.is_outfall(from) || sewer.is_outfall(to);
    let limits = sewer.options.normal_flow;
    let by_slope = matches!(limits, NormalFlow::Slope | NormalFlow::Both) || has_outfall;
    let by_froude = matches!(limits, NormalFlow::Froude | NormalFlow::Both) && !has_outfall;
    let is_gentle = by_slope && depth[0] < depth[1];
    let is_wet = depth[0] > DRY_DEPTH_M && depth[1] > DRY_DEPTH_M;
    let is_fast = by_froude && is_wet && froude(&sewer.links.section[link], flow / area, depth[0]) >= 1.0;
    if is_gentle || is_fast {
        return flow.min(sewer.conduits.beta[row] * area * radius.powf(2.0 / 3.0));
    }
    flow
}

/// Friction of a full force main over velocity, 1/s, lengthened as it may be.
fn force_main_friction(sewer: &Sewer, row: usize, velocity: f64, radius: f64) -> f64 {
    let of = &sewer.conduits;
    let (roughness, longer) = (of.force_main[row], of.wave_length_m[row] / of.length_m[row]);
    match sewer.options.force_main {
        ForceMain::HazenWilliams => {
            let conveyance = HAZEN_WILLIAMS * roughness * longer.powf(0.54);
            GRAVITY_MPS2 / conveyance.powf(1.852) * velocity.powf(0.852) / radius.powf(1.1667)
        }
        ForceMain::DarcyWeisbach => {
            let reynolds = 4.0 * radius * velocity / VISCOSITY_M2PS;
            friction_factor(roughness, radius, reynolds) / (8.0 * longer) * velocity / radius
        }
    }
}

/// Darcy-Weisbach's factor by Swamee and Jain, laminar below a Reynolds number of 2000.
pub(crate) fn friction_factor(roughness_m: f64, radius_m: f64, reynolds: f64) -> f64 {
    let turbulent = |reynolds: f64| {
        let smooth = if reynolds < 1e10 { 5.74 / reynolds.powf(0.9) } else { 0.0 };
        0.25 / (roughness_m / 3.7 / (4.0 * radius_m) + smooth).log10().powi(2)
    };
    let reynolds = reynolds.max(10.0);
    if reynolds <= 2000.0 {
        64.0 / reynolds
    } else if reynolds < 4000.0 {
        0.032 + (turbulent(4000.0) - 0.032) * (reynolds - 2000.0) / 2000.0
    } else {
        turbulent(reynolds)
    }
}

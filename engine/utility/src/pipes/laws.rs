//! What holds between the pressures at the ends of a link and its flow, in the potential `phi`: the absolute pressure
//! of a liquid, its square for a gas. With heights `z`, densities `rho` and `F(m)` of [`super::friction`]:
//!
//! ```text
//! liquid  p_a - p_b + lift + rho g (z_a - z_b) = F(m) / (2 rho A^2)
//! gas     p_a^2 - p_b^2 + (p_a + p_b) rho g (z_a - z_b) = F(m) Z(p_m) T_m p_n / (T_n rho_n A^2)
//!         (p_a + lift + rho g (z_a - z_b))^2 = p_b^2      pumps and compressors
//! ```
//!
//! `rho` is the mean of the densities at both ends, `T_m` of the temperatures, `p_m` the mean pressure along the pipe.
//! Weight and compressibility follow the pressures of the step before, which keeps the matrix symmetric; at the end of
//! the iteration both are those of the solution.
//!
//! Contract: pure functions, no allocation.

use super::fluid::{mean_pressure_pa, polynomial};
use super::friction::{Bore, FrictionLaw};
use super::network::{LinkKind, Network};
use super::{BAR, GRAVITY_MPS2, NORM_PRESSURE_PA, NORM_T_K};

/// State at the ends of a link: potentials, absolute pressures, Pa, temperatures, K, flow, kg/s.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ends {
    pub(super) phi_from: f64,
    pub(super) phi_to: f64,
    pub(super) p_from_pa: f64,
    pub(super) p_to_pa: f64,
    pub(super) t_from_k: f64,
    pub(super) t_to_k: f64,
    pub(super) mdot_kgps: f64,
}

/// A law at a state: `residual = phi_from - phi_to + ... - loss`, with its slopes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Law {
    pub(super) residual: f64,
    /// By the potential of the from end; 1 of resistances.
    pub(super) by_from: f64,
    /// By the potential of the to end; -1 of resistances.
    pub(super) by_to: f64,
    /// By flow.
    pub(super) by_flow: f64,
    pub(super) lambda: f64,
    pub(super) reynolds: f64,
}

/// Density of what is in a link, kg/m3: the mean of both ends.
pub(super) fn density_kgpm3(network: &Network, ends: &Ends) -> f64 {
    let fluid = &network.fluid;
    let (a, b) = if fluid.is_gas {
        (fluid.real_density_kgpm3(ends.p_from_pa, ends.t_from_k), fluid.real_density_kgpm3(ends.p_to_pa, ends.t_to_k))
    } else {
        (fluid.density_kgpm3.at(ends.t_from_k), fluid.density_kgpm3.at(ends.t_to_k))
    };
    0.5 * (a + b)
}

/// Whether a link has friction or fittings, so that its flow follows from pressures.
pub(super) fn is_resistive(network: &Network, link: usize) -> bool {
    let (length, loss) = (network.links.length_m[link], network.links.loss[link]);
    network.links.kind[link] == LinkKind::Resistance && (length > 0.0 || loss > 0.0)
}

/// The law of a link that has one of its own; of a given flow and of a regulator there is none.
pub(super) fn law(network: &Network, link: usize, friction: FrictionLaw, ends: &Ends) -> Law {
    let (links, fluid) = (&network.links, &network.fluid);
    let (a, b) = (ends.p_from_pa, ends.p_to_pa);
    let rho = density_kgpm3(network, ends);
    let (from, to) = (links.from[link] as usize, links.to[link] as usize);
    let weight_pa = rho * GRAVITY_MPS2 * (network.nodes.height_m[from] - network.nodes.height_m[to]);
    let (lift_pa, lift_by_p, lift_by_flow) = lift(network, link, ends);
    let driving_pa = lift_pa + weight_pa;
    let is_fitting = links.kind[link] == LinkKind::Resistance;
    let mut law = if !fluid.is_gas {
        let residual = ends.phi_from - ends.phi_to + driving_pa;
        Law { residual, by_from: 1.0 + lift_by_p, by_to: -1.0, by_flow: lift_by_flow, ..Law::default() }
    } else if is_fitting {
        let residual = ends.phi_from - ends.phi_to + (a + b) * driving_pa;
        Law { residual, by_from: 1.0, by_to: -1.0, by_flow: 0.0, ..Law::default() }
    } else {
        // (p_a + lift)^2 - p_b^2, which is linear in potentials where the lift is a share of p_a.
        let lifted = 1.0 + driving_pa / a;
        let residual = lifted * lifted * ends.phi_from - ends.phi_to;
        let by_from = lifted * (1.0 + lift_by_p);
        Law { residual, by_from, by_to: -1.0, by_flow: 2.0 * a * lifted * lift_by_flow, ..Law::default() }
    };
    if is_fitting {
        let t_k = 0.5 * (ends.t_from_k + ends.t_to_k);
        let bore = Bore {
            length_m: links.length_m[link],
            diameter_m: links.diameter_m[link],
            roughness_m: links.roughness_m[link],
            loss: links.loss[link],
            viscosity_pas: fluid.viscosity_pas.at(t_k),
            is_gas: fluid.is_gas,
        };
        let area2 = bore.area_m2() * bore.area_m2();
        let by_term = if fluid.is_gas {
            let z = fluid.compressibility(mean_pressure_pa(a, b));
            NORM_PRESSURE_PA * z * t_k / (NORM_T_K * fluid.norm_density_kgpm3() * area2)
        } else {
            1.0 / (2.0 * rho * area2)
        };
        let loss = bore.loss(friction, ends.mdot_kgps);
        law.residual -= by_term * loss.term;
        law.by_flow -= by_term * loss.slope;
        (law.lambda, law.reynolds) = (loss.lambda, loss.reynolds);
    }
    law
}

/// Pressure that a link adds, Pa, and its slopes by the pressure of the from end and by flow.
pub(super) fn lift(network: &Network, link: usize, ends: &Ends) -> (f64, f64, f64) {
    match network.links.kind[link] {
        LinkKind::Lift(pa) => (pa, 0.0, 0.0),
        LinkKind::Ratio(ratio) if ends.mdot_kgps >= 0.0 => ((ratio - 1.0) * ends.p_from_pa, ratio - 1.0, 0.0),
        LinkKind::Pump(row) => {
            let Some(curve) = network.curves.get(row as usize) else { return (0.0, 0.0, 0.0) };
            // As pandapipes: flow at the inlet, from the density of the norm state.
            let norm = network.fluid.norm_factor(ends.p_from_pa, ends.t_from_k);
            let m3ph_by_flow = 3600.0 * norm / network.fluid.norm_density_kgpm3();
            let m3ph = ends.mdot_kgps * m3ph_by_flow;
            let bar = polynomial(curve, m3ph.max(0.0));
            if m3ph < 0.0 || bar <= 0.0 {
                return (0.0, 0.0, 0.0);
            }
            let degree = curve.len().saturating_sub(1);
            let slope =
                curve.iter().take(degree).enumerate().fold(0.0, |sum, (nth, c)| sum * m3ph + c * (degree - nth) as f64);
            (bar * BAR, 0.0, slope * m3ph_by_flow * BAR)
        }
        _ => (0.0, 0.0, 0.0),
    }
}

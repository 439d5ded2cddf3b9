//! Water on its way through a pipe: plugs that enter at one end, cool on the way and leave at the other in the order
//! in which they came.
//!
//! What enters within a step enters evenly; each bit of it cools by `dT/dt = -(T - T_g) / tau` from when it enters until it
//! leaves, with `tau = M cp / (U pi d_o L)` and `M` the water that the pipe holds. So the excess over the ground along a
//! plug is an exponential of position, which cutting, cooling and leaving keep; every mean below is exact, whatever the
//! length of steps. A pipe keeps a limited number of plugs: beyond it the two neighbours that differ least become one
//! exponential. A change of the ground's temperature makes plugs even. Both keep the heat.
//!
//! Ignored: mixing and conduction along the pipe, heat in its wall. Contract: no allocation after [`Plugs::new`].

use crate::snapshot::Snapshot;
use std::collections::VecDeque;

/// A plug: `excess exp(rate u)` kelvin above the ground, `u` from 0 at the end that leaves first to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Plug {
    mass_kg: f64,
    excess_k: f64,
    rate: f64,
}

/// Mean of `exp(z u)` for `u` from 0 to 1.
fn mean_exp(z: f64) -> f64 {
    if z.abs() < 1e-12 { 1.0 + 0.5 * z } else { z.exp_m1() / z }
}

impl Plug {
    /// Mass times excess, kg K.
    fn heat_kgk(&self) -> f64 {
        self.mass_kg * self.excess_k * mean_exp(self.rate)
    }
    /// Mass times excess of a plug that leaves after `ahead_kg` of `mass_kg`, kg K: a bit at the mass `x` from the outlet
    /// leaves at the share `x / mass_kg` of the step and has cooled until then.
    fn leaving_kgk(&self, kappa: f64, ahead_kg: f64, mass_kg: f64) -> f64 {
        let cooled = kappa * self.mass_kg / mass_kg;
        self.mass_kg * self.excess_k * (-kappa * ahead_kg / mass_kg).exp() * mean_exp(self.rate - cooled)
    }
    /// Excess at the end that leaves last, K.
    fn tail_k(&self) -> f64 {
        self.excess_k * self.rate.exp()
    }
    fn turned(self) -> Self {
        Self { excess_k: self.tail_k(), rate: -self.rate, ..self }
    }
}

/// What a step brings out of a pipe.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Passed {
    /// Mean temperature of what left, K; of the pipe's outlet where nothing left.
    pub out_k: f64,
    /// Lost to the ground: mass times temperature, kg K.
    pub lost_kgk: f64,
}

/// The plugs of a pipe.
#[derive(Clone, Debug, PartialEq)]
pub struct Plugs {
    /// In the order in which they leave.
    plugs: VecDeque<Plug>,
    most: usize,
    ground_k: f64,
    /// Share of excess lost, `exp(-loss_per_s t)`.
    loss_per_s: f64,
    is_turned: bool,
}

impl Plugs {
    /// A pipe that holds `mass_kg` of water of heat capacity `cp` and loses `loss_wpk` for each kelvin above `ground_k`,
    /// filled with water from `t_in_k` at the inlet to `t_out_k` at the outlet, in at most `most` plugs (2 at least).
    #[must_use]
    pub fn new(mass_kg: f64, loss_wpk: f64, cp: f64, ground_k: f64, [t_in_k, t_out_k]: [f64; 2], most: usize) -> Self {
        let most = most.max(2);
        let mut plugs = VecDeque::with_capacity(most + 1);
        let (head, tail) = (t_out_k - ground_k, t_in_k - ground_k);
        let rate = if head * tail > 0.0 { (tail / head).ln() } else { 0.0 };
        let excess_k = if rate.abs() > 0.0 { head } else { 0.5 * (head + tail) };
        plugs.push_back(Plug { mass_kg, excess_k, rate });
        let loss_per_s = if mass_kg > 0.0 { loss_wpk / (mass_kg * cp) } else { 0.0 };
        Self { plugs, most, ground_k, loss_per_s, is_turned: false }
    }
    /// Mass times temperature above `zero_k` of what the pipe holds, kg K.
    #[must_use]
    pub fn heat_kgk(&self, zero_k: f64) -> f64 {
        self.plugs.iter().map(|plug| plug.heat_kgk() + plug.mass_kg * (self.ground_k - zero_k)).sum()
    }
    /// Water held, kg.
    #[must_use]
    pub fn mass_kg(&self) -> f64 {
        self.plugs.iter().map(|plug| plug.mass_kg).sum()
    }
    /// Number of plugs.
    #[must_use]
    pub fn len(&self) -> usize {
        self.plugs.len()
    }
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.plugs.is_empty()
    }
    /// Temperature at the end that leaves first, K.
    #[must_use]
    pub fn outlet_k(&self) -> f64 {
        self.ground_k + self.plugs.front().map_or(0.0, |plug| plug.excess_k)
    }
    /// Whether `mass_kg` passes without any of what enters with it.
    #[must_use]
    pub fn holds(&self, mass_kg: f64) -> bool {
        self.mass_kg() >= mass_kg
    }
    /// The same with flow against the direction of the pipe to begin with.
    #[must_use]
    pub fn flowing_back(mut self, is_back: bool) -> Self {
        self.is_turned = is_back;
        self
    }
    /// The water within and its temperatures; see [`Snapshot`].
    pub fn snapshot(&mut self, of: &mut Snapshot) {
        of.number(&mut self.ground_k);
        of.flag(&mut self.is_turned);
        let count = of.count(self.plugs.len());
        if of.is_reader() {
            self.plugs.clear();
            self.plugs.resize(count, Plug { mass_kg: 0.0, excess_k: 0.0, rate: 0.0 });
        }
        for plug in &mut self.plugs {
            of.number(&mut plug.mass_kg);
            of.number(&mut plug.excess_k);
            of.number(&mut plug.rate);
        }
    }
    /// Another temperature of the ground, K; plugs become even.
    pub fn set_ground(&mut self, ground_k: f64) {
        if (ground_k - self.ground_k).abs() <= 0.0 {
            return;
        }
        for plug in &mut self.plugs {
            plug.excess_k = plug.excess_k * mean_exp(plug.rate) + self.ground_k - ground_k;
            plug.rate = 0.0;
        }
        self.ground_k = ground_k;
    }
    fn turn(&mut self, is_back: bool) {
        if is_back != self.is_turned {
            self.is_turned = is_back;
            self.plugs.make_contiguous().reverse();
            self.plugs.iter_mut().for_each(|plug| *plug = plug.turned());
        }
    }
    /// Mean temperature of what [`Plugs::pass`] of as much would let out, K; it must hold that much.
    pub fn peek(&mut self, mass_kg: f64, is_back: bool, seconds: f64) -> f64 {
        self.turn(is_back);
        let kappa = self.loss_per_s * seconds;
        let (mut out_kgk, mut left_kg) = (0.0, 0.0);
        for plug in &self.plugs {
            let mass = plug.mass_kg.min(mass_kg - left_kg);
            if mass <= 0.0 {
                break;
            }
            let part = Plug { mass_kg: mass, rate: plug.rate * mass / plug.mass_kg, ..*plug };
            out_kgk += part.leaving_kgk(kappa, left_kg, mass_kg);
            left_kg += mass;
        }
        self.ground_k + out_kgk / mass_kg
    }
    /// Lets `mass_kg` enter at `t_in_k` and as much leave, evenly over `seconds`; `is_back`: against the direction of the
    /// pipe.
    pub fn pass(&mut self, mass_kg: f64, t_in_k: f64, is_back: bool, seconds: f64) -> Passed {
        let kappa = self.loss_per_s * seconds;
        if mass_kg > 0.0 {
            self.turn(is_back);
        }
        let (mut out_kgk, mut lost_kgk, mut left_kg) = (0.0, 0.0, 0.0);
        while mass_kg - left_kg > 0.0 {
            let Some(plug) = self.plugs.front_mut() else { break };
            let mass = plug.mass_kg.min(mass_kg - left_kg);
            let share = mass / plug.mass_kg;
            let part = Plug { mass_kg: mass, rate: plug.rate * share, ..*plug };
            let out = part.leaving_kgk(kappa, left_kg, mass_kg);
            (out_kgk, lost_kgk) = (out_kgk + out, lost_kgk + part.heat_kgk() - out);
            left_kg += mass;
            if share >= 1.0 {
                self.plugs.pop_front();
            } else {
                plug.excess_k *= part.rate.exp();
                plug.rate *= 1.0 - share;
                plug.mass_kg -= mass;
            }
        }
        // What stays cools all the time.
        let kept = (-kappa).exp();
        for plug in &mut self.plugs {
            lost_kgk += plug.heat_kgk() * -(-kappa).exp_m1();
            plug.excess_k *= kept;
        }
        if mass_kg <= 0.0 {
            return Passed { out_k: self.outlet_k(), lost_kgk };
        }
        let in_k = t_in_k - self.ground_k;
        // What enters and leaves within the step has the time that the pipe's content takes to pass.
        let through_kg = mass_kg - left_kg;
        let through = through_kg * in_k;
        out_kgk += through * (-kappa * left_kg / mass_kg).exp();
        lost_kgk += through * -(-kappa * left_kg / mass_kg).exp_m1();
        // What enters and stays: the first of it has cooled since its time, the last not at all.
        let cooled = kappa * left_kg / mass_kg;
        let entered = Plug { mass_kg: left_kg, excess_k: in_k * (-cooled).exp(), rate: cooled };
        lost_kgk += left_kg * in_k - entered.heat_kgk();
        if left_kg > 0.0 {
            self.plugs.push_back(entered);
        }
        if self.plugs.len() > self.most {
            self.merge();
        }
        Passed { out_k: self.ground_k + out_kgk / mass_kg, lost_kgk }
    }
    /// Makes one plug of the two neighbours that differ least.
    fn merge(&mut self) {
        let (mut least, mut place) = (f64::INFINITY, 0);
        for at in 0..self.plugs.len() - 1 {
            let (a, b) = (&self.plugs[at], &self.plugs[at + 1]);
            let mass_kg = a.mass_kg.min(b.mass_kg);
            let bend = (a.rate / a.mass_kg - b.rate / b.mass_kg).abs() * mass_kg * a.excess_k.abs();
            let apart = mass_kg * ((a.tail_k() - b.excess_k).abs() + bend);
            if apart < least {
                (least, place) = (apart, at);
            }
        }
        let (a, b) = (self.plugs[place], self.plugs[place + 1]);
        let (head_k, tail_k, mass_kg) = (a.excess_k, b.tail_k(), a.mass_kg + b.mass_kg);
        // From the head of the first to the tail of the second, scaled so that no heat is lost.
        let rate = if head_k * tail_k > 0.0 { (tail_k / head_k).ln() } else { 0.0 };
        let excess_k = (a.heat_kgk() + b.heat_kgk()) / (mass_kg * mean_exp(rate));
        self.plugs[place] = Plug { mass_kg, excess_k, rate };
        self.plugs.remove(place + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CP: f64 = 4190.0;

    /// Steps of any length keep the exact steady outlet, exp(-U pi d L / (m cp)).
    #[test]
    fn steady_flow_is_exact() {
        let (mass, loss_wpk, ground_k, m) = (800.0, 90.0, 280.0, 0.7);
        for seconds in [60.0, 300.0, 777.0, 3600.0, 40_000.0] {
            let mut plugs = Plugs::new(mass, loss_wpk, CP, ground_k, [300.0; 2], 20);
            let mut passed = Passed::default();
            for _ in 0..(40_000.0 / seconds) as u32 + 5 {
                passed = plugs.pass(m * seconds, 350.0, false, seconds);
            }
            let expected = ground_k + 70.0 * (-loss_wpk / (m * CP)).exp();
            assert!((passed.out_k - expected).abs() < 1e-9, "{seconds}: {} {expected}", passed.out_k);
            assert!((passed.lost_kgk - m * seconds * (350.0 - expected)).abs() < 1e-6);
        }
    }

    #[test]
    fn a_front_arrives_when_the_water_does() {
        let mut plugs = Plugs::new(1000.0, 0.0, CP, 280.0, [300.0; 2], 100);
        let out: Vec<f64> = (0..6).map(|_| plugs.pass(300.0, 350.0, false, 60.0).out_k).collect();
        // 1000 kg are ahead: three steps of old water, then 100 of 300 kg, then all new.
        assert!(out[..3].iter().all(|t_k| (t_k - 300.0).abs() < 1e-9), "{out:?}");
        assert!((out[3] - (100.0 * 300.0 + 200.0 * 350.0) / 300.0).abs() < 1e-9 && (out[4] - 350.0).abs() < 1e-9);
        // Turned round, it comes back as it went in.
        assert!((plugs.pass(900.0, 310.0, true, 60.0).out_k - 350.0).abs() < 1e-9);
    }

    #[test]
    fn heat_is_kept_whatever_happens() {
        let mut rng = urbis_core::rng::Rng::new(3, 0, 0, 0);
        let mut plugs = Plugs::new(500.0, 20.0, CP, 281.0, [340.0, 330.0], 6);
        for step in 0..2000 {
            let before = plugs.heat_kgk(273.15);
            let mass = if step % 7 == 0 { 0.0 } else { 900.0 * rng.uniform() * rng.uniform() };
            let t_in_k = 300.0 + 60.0 * rng.uniform();
            if step % 50 == 0 {
                plugs.set_ground(275.0 + 15.0 * rng.uniform());
            }
            let passed = plugs.pass(mass, t_in_k, rng.uniform() < 0.2, 900.0);
            let gained = mass * (t_in_k - passed.out_k) - passed.lost_kgk;
            assert!((plugs.heat_kgk(273.15) - before - gained).abs() < 1e-8, "step {step}");
            assert!((plugs.mass_kg() - 500.0).abs() < 1e-9 && plugs.len() <= 6);
        }
    }
}

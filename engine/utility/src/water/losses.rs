//! Head loss of a link by its flow, as the line that Newton's method puts through it: with loss `h(q)` and its slope
//! `h'(q)`, the next flow is `q - y + p (h_from - h_to)` for `p = 1/h'` and `y = h/h'`.
//!
//! | link | loss |
//! | --- | --- |
//! | pipe, Hazen-Williams | `4.727 L q^1.852 / (C^1.852 d^4.871)` in feet and cubic feet per second |
//! | pipe, Darcy-Weisbach | `f L/d v^2/2g`; f of Swamee and Jain, laminar below Re 2000, Dunlop's cubic up to 4000 |
//! | pipe, Chezy-Manning | `(4 n / (1.49 pi d^2))^2 (d/4)^-1.333 L q^2`, likewise |
//! | fittings, open valves, TCV | `0.02517 K q^2 / d^4`, likewise |
//! | pump | `-w^2 (h0 - r (q/w)^n)`, straight between points, or `-r/q` of a power, 500 m at most |
//! | GPV | straight between points |
//!
//! Where the slope would vanish with the flow, the loss is a straight line through zero of the slope [`SLOPE_MIN`].
//! Coefficients are those of EPANET's manual, made SI without rounding.
//!
//! Source: L. A. Rossman et al., EPANET 2.2 User Manual, EPA/600/R-20/133, chapter 12. Contract: pure functions.

use super::network::{Curve, HeadLoss, LinkKind, NONE, Network, PumpLift};
use std::f64::consts::PI;
use std::path::Path;
use urbis_core::{Problem, Problems, Result};

/// Metres of a foot.
pub(crate) const FOOT_M: f64 = 0.3048;
/// Cubic metres of a cubic foot.
pub(crate) const CUBIC_FOOT_M3: f64 = FOOT_M * FOOT_M * FOOT_M;
/// Slope in metres per m3/s of what is given in feet per cubic foot a second.
const SLOPE: f64 = FOOT_M / CUBIC_FOOT_M3;
/// Slope of what lets a fixed flow through.
pub(crate) const STEEP_SLOPE: f64 = 1e8 * SLOPE;
/// Least slope, of open valves without losses too, metres per m3/s. A tenth of a millimetre at a cubic metre a second is
/// nothing, and rounding of heads moves flows by less than 1e-8 m3/s; EPANET's slopes are 10 to 100 times smaller.
pub(crate) const SLOPE_MIN: f64 = 1e-4;
/// Highest lift of a pump that is known by its power alone: against a closed end the formula would lift without bound.
const LIFT_MAX_M: f64 = 500.0;
/// Gravity of EPANET's formulas, feet per second squared.
const GRAVITY_FTPS2: f64 = 32.2;
/// Watts of a horsepower.
const HORSEPOWER_W: f64 = 745.7;

/// The line through a loss: `p` conductance, m2/s; `y` flow that it adds, m3/s.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Line {
    pub(crate) p: f64,
    pub(crate) y: f64,
}

impl Line {
    fn of(loss_m: f64, slope: f64) -> Self {
        Self { p: 1.0 / slope, y: loss_m / slope }
    }
    /// Of what is closed: nothing flows, whatever the heads.
    pub(crate) fn closed(flow_m3ps: f64) -> Self {
        Self { p: 0.0, y: flow_m3ps }
    }
}

/// What a pump lifts at its nominal speed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Lift {
    /// `r` of `h = r/q`, m4/s.
    Power(f64),
    /// `h0 - r q^n`.
    Function { h0_m: f64, r: f64, n: f64 },
    /// Straight between points of curve.
    Points(u32),
}

/// Losses of the links of a network; columns by link.
#[derive(Clone, Debug, Default)]
pub(crate) struct Losses {
    formula: HeadLoss,
    exponent: f64,
    /// Of pipes: loss over flow to the exponent; with Darcy-Weisbach over `f q^2`.
    resistance: Vec<f64>,
    /// Loss of fittings and open valves over the square of flow.
    minor: Vec<f64>,
    /// Relative roughness over 3.7 and viscosity times diameter; Darcy-Weisbach alone.
    rough: Vec<f64>,
    viscous: Vec<f64>,
    /// Of pumps.
    pub(crate) lift: Vec<Lift>,
    /// Flow that pumps are made for, m3/s.
    pub(crate) design_m3ps: Vec<f64>,
    /// Row of the pump that a link is.
    pub(crate) pump: Vec<u32>,
}

/// Loss of fittings: `K` of a diameter.
pub(crate) fn minor_loss(k: f64, diameter_m: f64) -> f64 {
    0.02517 * k / (diameter_m / FOOT_M).powi(4) * FOOT_M / (CUBIC_FOOT_M3 * CUBIC_FOOT_M3)
}

impl Losses {
    /// # Errors
    /// Curves of pumps that no lift can be made of.
    pub(crate) fn new(net: &Network) -> Result<Self> {
        let of = &net.links;
        let mut this = Self {
            formula: net.options.head_loss,
            exponent: if net.options.head_loss == HeadLoss::HazenWilliams { 1.852 } else { 2.0 },
            pump: vec![NONE; of.id.len()],
            ..Self::default()
        };
        for link in 0..of.id.len() {
            let is_pipe = matches!(of.kind[link], LinkKind::Pipe | LinkKind::CheckValve);
            let (l, d, c) = (of.length_m[link] / FOOT_M, of.diameter_m[link] / FOOT_M, of.roughness[link]);
            let area = PI * d * d / 4.0;
            let feet = match this.formula {
                _ if !is_pipe => 0.0,
                HeadLoss::HazenWilliams => 4.727 * l / c.powf(1.852) / d.powf(4.871),
                HeadLoss::DarcyWeisbach => l / (2.0 * GRAVITY_FTPS2 * d * area * area),
                HeadLoss::ChezyManning => (4.0 * c / (1.49 * PI * d * d)).powi(2) * (d / 4.0).powf(-1.333) * l,
            };
            this.resistance.push(feet * FOOT_M / CUBIC_FOOT_M3.powf(this.exponent));
            let k = if of.kind[link] == LinkKind::Pump { 0.0 } else { of.minor_loss[link] };
            this.minor.push(if k > 0.0 { minor_loss(k, of.diameter_m[link]) } else { 0.0 });
            this.rough.push(if is_pipe { of.roughness[link] / (3.7 * of.diameter_m[link]) } else { 0.0 });
            this.viscous.push(net.options.viscosity_m2ps * of.diameter_m[link]);
        }
        let mut problems = Problems::new();
        for pump in 0..net.pumps.link.len() {
            let link = net.pumps.link[pump] as usize;
            this.pump[link] = pump as u32;
            let (lift, design) = match net.pumps.lift[pump] {
                // EPANET takes 8.814 feet and cubic feet per second for a horsepower.
                PumpLift::Power(w) => (Lift::Power(8.814 * w / HORSEPOWER_W * FOOT_M * CUBIC_FOOT_M3), CUBIC_FOOT_M3),
                PumpLift::Curve(curve) => match lift_of(curve, &net.curves[curve as usize]) {
                    Ok(lift) => lift,
                    Err(what) => {
                        let (id, curve) = (&net.links.id[link], &net.curves[curve as usize].id);
                        let place = Path::new("pump curves");
                        problems.push(Problem::value(place, pump + 1, Some(id), "curve", curve, what));
                        continue;
                    }
                },
            };
            this.lift.push(lift);
            this.design_m3ps.push(design);
        }
        problems.or_else(this)
    }
    /// Of an open pipe at a flow.
    pub(crate) fn pipe(&self, link: usize, flow: f64) -> Line {
        let (r, minor, q) = (self.resistance[link], self.minor[link], flow.abs());
        if self.formula == HeadLoss::DarcyWeisbach {
            return self.darcy_weisbach(link, flow);
        }
        let slope = self.exponent * r * power(q, self.exponent - 1.0);
        let (mut loss, mut slope) =
            if slope < SLOPE_MIN { (SLOPE_MIN * q, SLOPE_MIN) } else { (slope * q / self.exponent, slope) };
        if minor > 0.0 {
            loss += minor * q * q;
            slope += 2.0 * minor * q;
        }
        Line::of(loss.copysign(flow), slope)
    }
    fn darcy_weisbach(&self, link: usize, flow: f64) -> Line {
        let (r, minor, q, viscous) = (self.resistance[link], self.minor[link], flow.abs(), self.viscous[link]);
        // Reynolds number = 4 q / (pi viscosity d).
        if q <= 500.0 * PI * viscous {
            let laminar = 16.0 * PI * viscous * r;
            return Line::of(flow * (laminar + minor * q), laminar + 2.0 * minor * q);
        }
        let (f, df) = friction(q, self.rough[link], viscous);
        let all = f * r + minor;
        Line::of(all * q * flow, 2.0 * all * q + df * r * q * q)
    }
    /// Of an open valve.
    pub(crate) fn valve(&self, minor: f64, flow: f64) -> Line {
        if minor <= 0.0 {
            return Line { p: 1.0 / SLOPE_MIN, y: flow };
        }
        let slope = 2.0 * minor * flow.abs();
        if slope < SLOPE_MIN { Line { p: 1.0 / SLOPE_MIN, y: flow } } else { Line { p: 1.0 / slope, y: flow / 2.0 } }
    }
    /// Loss of an open valve over the square of flow.
    pub(crate) fn minor(&self, link: usize) -> f64 {
        self.minor[link]
    }
    /// Of a running pump at a speed above zero.
    pub(crate) fn pump(&self, pump: usize, speed: f64, flow: f64, curves: &[Curve]) -> Line {
        let q = flow.abs().max(1e-6 * CUBIC_FOOT_M3);
        match self.lift[pump] {
            Lift::Power(r) if r <= LIFT_MAX_M * q => Line::of(-r / q, (r / q / q).max(SLOPE_MIN)),
            Lift::Power(_) => Line::of(-LIFT_MAX_M + SLOPE_MIN * flow, SLOPE_MIN),
            Lift::Function { h0_m, r, n } => {
                let (h0, r) = (speed * speed * h0_m, r * speed.powf(2.0 - n));
                let slope = n * r * q.powf(n - 1.0);
                if slope < SLOPE_MIN {
                    return Line::of(-h0 + SLOPE_MIN * flow, SLOPE_MIN);
                }
                Line::of(-h0 + slope * flow / n, slope)
            }
            Lift::Points(curve) => {
                let (at_zero, slope) = segment(&curves[curve as usize].points, q / speed);
                let (h0, r) = (speed * speed * at_zero, speed * -slope);
                let r = r.max(SLOPE_MIN);
                Line::of(-h0 + r * flow, r)
            }
        }
    }
    /// Highest lift of a pump at a speed, metres; none by power.
    pub(crate) fn lift_max_m(&self, pump: usize, speed: f64, curves: &[Curve]) -> f64 {
        let at_nominal = match self.lift[pump] {
            Lift::Power(_) => return f64::INFINITY,
            Lift::Function { h0_m, .. } => h0_m,
            Lift::Points(curve) => curves[curve as usize].points[0][1],
        };
        speed * speed * at_nominal
    }
    /// Of a GPV by its curve.
    pub(crate) fn by_curve(&self, curve: &Curve, flow: f64) -> Line {
        let (at_zero, slope) = segment(&curve.points, flow.abs());
        let slope = slope.max(SLOPE_MIN);
        Line::of((at_zero + slope * flow.abs()).copysign(flow), slope)
    }
}

/// `q^e` for the exponents of friction.
fn power(q: f64, exponent: f64) -> f64 {
    if exponent >= 1.0 { q } else { q.powf(exponent) }
}

/// Friction factor and its derivative by flow: Swamee and Jain, and Dunlop's cubic between laminar and turbulent flow.
fn friction(q: f64, rough: f64, viscous: f64) -> (f64, f64) {
    const LOG: f64 = -0.868_588_963_806_503_7; // -2 / ln 10
    let w = q / viscous;
    let reynolds = 4.0 * w / PI;
    if reynolds >= 4000.0 {
        let y1 = 5.74 / reynolds.powf(0.9);
        let y2 = rough + y1;
        let y3 = LOG * y2.ln();
        let f = 1.0 / (y3 * y3);
        return (f, 1.8 * f * y1 * LOG / y2 / y3 / q);
    }
    let y2 = rough + 5.74 / 4000.0_f64.powf(0.9);
    let y3 = LOG * y2.ln();
    let fa = 1.0 / (y3 * y3);
    // Slope of f at Re = 4000 in units of Re/2000.
    let fb = (2.0 + 2.0 * 0.9 * LOG * 5.74 / 4000.0_f64.powf(0.9) / (y2 * y3)) * fa;
    let r = reynolds / 2000.0;
    let x1 = 7.0 * fa - fb;
    let x2 = 0.128 - 17.0 * fa + 2.5 * fb;
    let x3 = -0.128 + 13.0 * fa - 2.0 * fb;
    let x4 = 0.032 - 3.0 * fa + 0.5 * fb;
    let f = x1 + r * (x2 + r * (x3 + r * x4));
    let df = (x2 + r * (2.0 * x3 + r * 3.0 * x4)) * r / q;
    (f, df)
}

/// Value at zero and slope of the piece of a curve that a value lies in; the last piece goes on.
fn segment(points: &[[f64; 2]], x: f64) -> (f64, f64) {
    match points {
        [] => (0.0, 0.0),
        [only] => (0.0, if only[0] > 0.0 { only[1] / only[0] } else { 0.0 }),
        _ => {
            let k = points.partition_point(|point| point[0] <= x).clamp(1, points.len() - 1);
            let ([x1, y1], [x2, y2]) = (points[k - 1], points[k]);
            let slope = (y2 - y1) / (x2 - x1);
            (y1 - slope * x1, slope)
        }
    }
}

/// What a pump's curve makes it lift, and the flow that it is made for.
fn lift_of(row: u32, curve: &Curve) -> std::result::Result<(Lift, f64), &'static str> {
    let points = &curve.points;
    let function = |h0: f64, [q1, h1]: [f64; 2], [q2, h2]: [f64; 2]| {
        let n = ((h0 - h2) / (h0 - h1)).ln() / (q2 / q1).ln();
        let r = (h0 - h1) / q1.powf(n);
        let is_good = h0 > h1 && h1 > h2 && h2 >= 0.0 && q2 > q1 && q1 > 0.0 && n > 0.0 && n <= 20.0;
        is_good.then_some((Lift::Function { h0_m: h0, r, n }, q1)).ok_or("heads that fall ever faster with flow")
    };
    match points[..] {
        // As EPANET rounds 4/3.
        [[q, h]] => function(1.333_34 * h, [q, h], [2.0 * q, 0.0]),
        [[q0, h0], one, two] if q0 <= 0.0 => function(h0, one, two),
        [[first, _], .., [last, _]] if points.windows(2).all(|two| two[1][1] < two[0][1] && two[1][0] > two[0][0]) => {
            Ok((Lift::Points(row), 0.5 * (first + last)))
        }
        _ => Err("a point, or points whose heads fall with flow"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Slopes are those of losses.
    #[test]
    fn friction_is_smooth() {
        for (rough, viscous) in [(1e-6, 1e-7), (1e-3, 3e-7)] {
            let flow_of = |reynolds: f64| reynolds * PI * viscous / 4.0;
            for reynolds in [2000.1, 2500.0, 3999.9, 4000.1, 1e5, 1e7] {
                let q = flow_of(reynolds);
                let (_, slope) = friction(q, rough, viscous);
                let h = 1e-6 * q;
                let measured = (friction(q + h, rough, viscous).0 - friction(q - h, rough, viscous).0) / (2.0 * h);
                let is_at_edge = (reynolds - 4000.0).abs() < 1.0;
                assert!(
                    is_at_edge || (slope - measured).abs() < 1e-5 * measured.abs(),
                    "{reynolds}: {slope} {measured}"
                );
            }
            let edge = |of: f64| {
                (
                    friction(flow_of(of * (1.0 - 1e-9)), rough, viscous).0,
                    friction(flow_of(of * (1.0 + 1e-9)), rough, viscous).0,
                )
            };
            let (below, above) = edge(4000.0);
            assert!((below - above).abs() < 1e-5 * above, "{below} {above}");
            // 64/Re where laminar flow ends.
            assert!((friction(flow_of(2000.0), rough, viscous).0 - 0.032).abs() < 1e-9);
        }
    }

    #[test]
    fn lifts_go_through_their_points() {
        let curve = |points: &[[f64; 2]]| Curve { id: "c".into(), points: points.to_vec() };
        let three = curve(&[[0.0, 100.0], [0.05, 80.0], [0.1, 30.0]]);
        let losses = Losses { lift: vec![lift_of(0, &three).unwrap().0], ..Losses::default() };
        for [q, h] in &three.points[1..] {
            let line = losses.pump(0, 1.0, *q, &[]);
            assert!((line.y / line.p + h).abs() < 1e-9, "{line:?}");
            // At half speed a quarter of the lift at half the flow.
            let half = losses.pump(0, 0.5, 0.5 * q, &[]);
            assert!((half.y / half.p + 0.25 * h).abs() < 1e-9, "{half:?}");
        }
        assert!(lift_of(0, &curve(&[[0.0, 10.0], [1.0, 11.0], [2.0, 5.0]])).is_err());
        assert!(lift_of(0, &curve(&[])).is_err());
    }
}

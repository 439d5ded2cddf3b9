use super::*;
use std::cell::RefCell;

/// A junction of point queues, one for each group, asked by the controller only when it wants to be.
struct Yard {
    controller: Controller,
    /// Vehicles/s in green.
    saturation: f64,
    queues: Vec<u32>,
    last_arrival: Vec<Option<Time>>,
    /// Fraction of a vehicle that has arrived, and of one that may leave.
    arriving: Vec<f64>,
    leaving: Vec<f64>,
    green_ticks: Vec<u32>,
    served: Vec<u32>,
    decisions: u32,
    wake: Time,
}

impl Yard {
    fn new(controller: Controller, saturation: f64) -> Self {
        let groups = controller.groups() as usize;
        Self {
            controller,
            saturation,
            queues: vec![0; groups],
            last_arrival: vec![None; groups],
            arriving: vec![0.0; groups],
            leaving: vec![0.0; groups],
            green_ticks: vec![0; groups],
            served: vec![0; groups],
            decisions: 0,
            wake: NEVER,
        }
    }
    /// Runs ticks `from..until` with these arrivals, vehicles/s; the largest queue on the way.
    fn run(&mut self, ticks: std::ops::Range<u32>, arrivals: &[f64]) -> u32 {
        let mut longest = 0;
        for tick in ticks {
            let now = tick * TICK;
            let mut call = now >= self.wake;
            for (group, rate) in arrivals.iter().enumerate() {
                self.arriving[group] += rate;
                while self.arriving[group] >= 1.0 {
                    self.arriving[group] -= 1.0;
                    self.queues[group] += 1;
                    self.last_arrival[group] = Some(now);
                    call |= !self.controller.next_green(group as u32, now).contains(now);
                }
            }
            if call {
                self.ask(now);
            }
            let mut lit = Vec::new();
            for group in 0..self.queues.len() {
                if !self.controller.next_green(group as u32, now).contains(now) {
                    self.leaving[group] = 0.0;
                    continue;
                }
                lit.push(group);
                self.green_ticks[group] += 1;
                self.leaving[group] = (self.leaving[group] + self.saturation).min(1.0);
                if self.queues[group] > 0 && self.leaving[group] >= 1.0 {
                    self.leaving[group] -= 1.0;
                    self.queues[group] -= 1;
                    self.served[group] += 1;
                }
            }
            assert!(lit.len() <= 1, "groups {lit:?} are green at once");
            longest = longest.max(self.queues.iter().sum());
        }
        longest
    }
    fn ask(&mut self, now: Time) {
        let (queues, last) = (RefCell::new(&self.queues), RefCell::new(&self.last_arrival));
        let view = View {
            waiting: &|group| queues.borrow()[group as usize],
            last_arrival: &|group| last.borrow()[group as usize],
            bound: &|into, _| f64::from(queues.borrow().get(into.row()).copied().unwrap_or(0)),
        };
        self.decisions += 1;
        let decision = self.controller.decide(now, &view);
        assert!(decision.wake > now);
        self.wake = decision.wake;
    }
}

fn stage(group: u32) -> Stage {
    Stage { groups: vec![group], lost: 4 * TICK, green_min: 7 * TICK }
}

fn actuated(groups: u32) -> Controller {
    let of = |group| ActuatedStage { stage: stage(group), green_max: 40 * TICK, gap: 3 * TICK };
    Controller::Actuated(Actuated::new(groups, (0..groups).map(of).collect()).unwrap())
}

fn max_pressure(groups: u32, red_s_max: f64) -> Controller {
    let movement = |group| Movement {
        group,
        into: CarLinkIx(group),
        out: CarLinkIx(100 + group),
        saturation_vps: 0.5,
        downstream: Vec::new(),
    };
    let movements = (0..groups).map(movement).collect();
    let stages = (0..groups).map(stage).collect();
    Controller::MaxPressure(MaxPressure::new(groups, stages, movements, 5.0, 0.1, red_s_max).unwrap())
}

#[test]
fn whoever_alone_wants_green_has_all_of_it() {
    for (controller, wanted) in [(actuated(4), 2), (max_pressure(4, 120.0), 2), (actuated(2), 1)] {
        let mut yard = Yard::new(controller, 0.5);
        let mut arrivals = vec![0.0; yard.queues.len()];
        arrivals[wanted] = 0.45;
        yard.run(0..60, &arrivals);
        let before = (yard.green_ticks[wanted], yard.decisions);
        let longest = yard.run(60..3660, &arrivals);
        assert_eq!((yard.green_ticks[wanted] - before.0, yard.decisions - before.1), (3600, 0));
        assert!(longest <= 10, "{longest}");
    }
}

#[test]
fn a_controller_nobody_meets_sleeps() {
    for controller in [actuated(3), max_pressure(3, 60.0)] {
        let mut yard = Yard::new(controller, 0.5);
        yard.run(0..100_000, &[0.0; 3]);
        assert_eq!((yard.decisions, yard.wake), (0, NEVER));
        assert_eq!(yard.green_ticks, [100_000, 0, 0]);
    }
}

#[test]
fn greens_keep_to_their_bounds() {
    // Both overloaded: max-out each time, 40 s of green and 4 s lost.
    let mut yard = Yard::new(actuated(2), 0.5);
    yard.run(0..8800, &[0.6, 0.6]);
    for group in 0..2 {
        assert!(yard.green_ticks[group].abs_diff(4000) <= 50, "{:?}", yard.green_ticks);
    }
    // Light and even demand: gaps end greens early, at least 7 s each.
    let mut light = Yard::new(actuated(2), 0.5);
    light.run(0..8800, &[0.05, 0.05]);
    assert!(light.decisions > 300 && light.queues.iter().all(|&queue| queue <= 2));
}

#[test]
fn actuation_beats_equal_splits_under_uneven_demand() {
    let demand = [0.34, 0.05];
    let stages: Vec<_> =
        (0..2).map(|g| super::super::PlanStage { green: 26 * TICK, lost: 4 * TICK, groups: vec![g] }).collect();
    let fixed = Controller::Plan(SignalPlan::from_stages(2, 0, &stages).unwrap());
    let mut fixed = Yard::new(fixed, 0.5);
    let mut by_arrivals = Yard::new(actuated(2), 0.5);
    let (fixed_longest, longest) = (fixed.run(0..7200, &demand), by_arrivals.run(0..7200, &demand));
    assert!(longest < 40 && fixed_longest > 500, "{longest} {fixed_longest}");
}

#[test]
fn max_pressure_is_stable_where_equal_splits_are_not() {
    // 0.36 + 0.06 of 0.5 vehicles/s: 84 % of the junction, but 72 % to one group. Equal splits give each at
    // most half of it, whatever the cycle.
    for demand in [[0.36, 0.06], [0.06, 0.36], [0.21, 0.21]] {
        let mut yard = Yard::new(max_pressure(2, 300.0), 0.5);
        let first = yard.run(0..20_000, &demand);
        let later = yard.run(20_000..60_000, &demand);
        assert!(later <= first.max(60) + 10, "{demand:?}: {first} then {later}");
        assert!(later < 300);
    }
    let stages: Vec<_> =
        (0..2).map(|g| super::super::PlanStage { green: 56 * TICK, lost: 4 * TICK, groups: vec![g] }).collect();
    let fixed = Controller::Plan(SignalPlan::from_stages(2, 0, &stages).unwrap());
    let mut yard = Yard::new(fixed, 0.5);
    let first = yard.run(0..20_000, &[0.36, 0.06]);
    let later = yard.run(20_000..60_000, &[0.36, 0.06]);
    assert!(later > 2 * first);
}

#[test]
fn nobody_waits_longer_than_the_limit() {
    let mut yard = Yard::new(max_pressure(3, 90.0), 0.5);
    yard.queues[1] = 1;
    yard.ask(0);
    yard.run(0..400, &[0.6, 0.0, 0.0]);
    assert_eq!(yard.served[1], 1);
    let mut patient = Yard::new(max_pressure(3, 100_000.0), 0.5);
    patient.run(0..60, &[0.6, 0.0, 0.0]);
    patient.queues[1] = 1;
    patient.ask(60 * TICK);
    patient.run(60..400, &[0.6, 0.0, 0.0]);
    assert_eq!(patient.served[1], 0);
}

#[test]
fn pressure_is_varaiyas() {
    let movement = |group, into, out, shares: &[(u32, f64)]| Movement {
        group,
        into: CarLinkIx(into),
        out: CarLinkIx(out),
        saturation_vps: 0.5,
        downstream: shares.iter().map(|&(out, share)| Downstream { out: CarLinkIx(out), share }).collect(),
    };
    let movements = vec![
        movement(0, 0, 10, &[(20, 0.25), (21, 0.75)]),
        movement(0, 0, 11, &[]),
        movement(1, 1, 10, &[(20, 0.25), (21, 0.75)]),
    ];
    let control = MaxPressure::new(2, vec![stage(0), stage(1)], movements, 5.0, 0.0, 60.0).unwrap();
    let bound = |into: CarLinkIx, out: CarLinkIx| match (into.0, out.0) {
        (0, 10) => 8.0,
        (0, 11) => 3.0,
        (1, 10) => 2.0,
        (10, 20) => 4.0,
        (10, 21) => 6.0,
        _ => 0.0,
    };
    let view = View { waiting: &|_| 0, last_arrival: &|_| None, bound: &bound };
    // 0.5 (8 - 5.5) + 0.5 * 3; the other is negative and counts nothing.
    assert_eq!(control.pressures(&view), [2.75, 0.0]);
}

#[test]
fn faulty_controllers_are_named() {
    assert!(Actuated::new(2, Vec::new()).is_err());
    let of = |stage| ActuatedStage { stage, green_max: 40 * TICK, gap: 3 * TICK };
    assert!(Actuated::new(1, vec![of(stage(0)), of(stage(1))]).is_err());
    assert!(MaxPressure::new(1, vec![stage(0)], Vec::new(), f64::NAN, 0.1, 60.0).is_err());
    let lost = Movement { group: 3, into: CarLinkIx(0), out: CarLinkIx(1), saturation_vps: -1.0, downstream: vec![] };
    let urbis_core::Error::Input(problems) =
        MaxPressure::new(1, vec![stage(0)], vec![lost], 5.0, 0.1, 60.0).unwrap_err()
    else {
        panic!()
    };
    assert_eq!(problems.len(), 2);
}

#[test]
fn groups_of_both_stages_stay_green_through_a_change() {
    let of = |groups: &[u32]| ActuatedStage {
        stage: Stage { groups: groups.to_vec(), ..stage(0) },
        green_max: 40 * TICK,
        gap: 3 * TICK,
    };
    let mut control = Controller::Actuated(Actuated::new(3, vec![of(&[0, 1]), of(&[1, 2])]).unwrap());
    let view = View { waiting: &|group| u32::from(group == 2), last_arrival: &|_| None, bound: &|_, _| 0.0 };
    let now = 100 * TICK;
    assert_eq!(control.decide(now, &view), Decision { wake: 111 * TICK, changed: true });
    assert_eq!(control.next_green(0, now), Window::NONE);
    assert_eq!(control.next_green(1, now), Window { from: now, until: 111 * TICK });
    assert_eq!(control.next_green(2, now), Window { from: 104 * TICK, until: 111 * TICK });
}

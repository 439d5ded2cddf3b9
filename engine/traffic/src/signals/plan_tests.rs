use super::*;
use proptest::prelude::*;

fn stage(green_s: u32, lost_s: u32, groups: &[u32]) -> PlanStage {
    PlanStage { green: green_s * TICK, lost: lost_s * TICK, groups: groups.to_vec() }
}

#[test]
fn two_stages() {
    let plan = SignalPlan::from_stages(3, 5 * TICK, &[stage(20, 5, &[0]), stage(30, 5, &[1])]).unwrap();
    assert_eq!((plan.cycle(), plan.offset(), plan.groups()), (60 * TICK, 5 * TICK, 3));
    let green = |group, from_s: u32, until_s: u32, at_s: u32| {
        let window = Window { from: from_s * TICK, until: until_s * TICK };
        assert_eq!(plan.next_green(group, at_s * TICK), window, "{group} {at_s}");
    };
    green(0, 5, 25, 0);
    green(0, 5, 25, 5);
    green(0, 24, 25, 24);
    green(0, 65, 85, 25);
    green(1, 30, 60, 10);
    green(1, 90, 120, 60);
    // Before the offset the plan runs as well.
    green(1, 30, 60, 0);
    assert!(!plan.is_green(1, 4 * TICK) && plan.is_green(0, 5 * TICK));
    assert_eq!(plan.next_green(2, 0), Window::NONE);
    assert_eq!(plan.next_green(9, 0), Window::NONE);
    assert!((plan.green_share(1) - 0.5).abs() < 1e-12);
    assert!(plan.check_conflicts(&[(0, 1)]).is_ok());
    assert!(plan.check_conflicts(&[(0, 3)]).is_err());
}

/// Vehicles one by one, as a kernel moves them: each passes when the light is green and a headway after the
/// one before. With vehicles cut into ever smaller pieces the mean delay tends to the uniform delay.
#[test]
fn single_vehicles_wait_the_uniform_delay() {
    for (cycle_s, green_s, saturation, flow) in [(60, 30, 0.8, 0.3), (90, 30, 0.6, 0.15), (40, 25, 1.0, 0.5)] {
        // Begins with red, so that whole cycles are seen.
        let offset = (cycle_s - green_s) * TICK;
        let plan = SignalPlan::from_stages(1, offset, &[stage(green_s, cycle_s - green_s, &[0])]).unwrap();
        let exact_s = crate::signals::timing::uniform_delay_s(f64::from(cycle_s), f64::from(green_s), saturation, flow);
        for pieces in [1.0, 4.0, 16.0, 64.0, 256.0] {
            let vehicles = (3600.0 * flow * pieces) as u32;
            let (mut gate_s, mut delay_s) = (0.0_f64, 0.0);
            for vehicle in 0..vehicles {
                let arrival_s = f64::from(vehicle) / (flow * pieces);
                // Down: rounding up would put the last of a green into the red.
                let free = (arrival_s.max(gate_s) * f64::from(TICK)) as Time;
                let leaves_s = crate::time::to_seconds(plan.next_green(0, free).from).max(arrival_s).max(gate_s);
                gate_s = leaves_s + 1.0 / (saturation * pieces);
                delay_s += leaves_s - arrival_s;
            }
            let error_s = (delay_s / f64::from(vehicles) - exact_s).abs();
            // Whole vehicles are less than one off the fluid curves, at arrival and at departure.
            assert!(error_s <= 1.0 / (flow * pieces) + 0.002, "{pieces}: {error_s} off {exact_s} s");
        }
    }
}

#[test]
fn groups_of_neighbouring_stages_stay_green() {
    let stages = [stage(20, 5, &[0, 2]), stage(30, 5, &[1, 2]), stage(10, 0, &[2, 0])];
    let plan = SignalPlan::from_stages(3, 0, &stages).unwrap();
    // The last stage goes over into the first: one green of 30 s.
    assert_eq!(plan.windows(0), [(60 * TICK, 90 * TICK)]);
    assert_eq!(plan.next_green(2, 123), Window { from: 123, until: NEVER });
    assert_eq!(plan.common_green(0, 2), Some(0));
    let urbis_core::Error::Input(problems) = plan.check_conflicts(&[(0, 1), (1, 2)]).unwrap_err() else { panic!() };
    assert_eq!(
        problems.listed()[0].to_string(),
        "signal plan: groups 1 and 2 conflict, and both are green 25 s into the cycle"
    );
}

#[test]
fn the_end_of_time_is_never() {
    let plan = SignalPlan::from_stages(1, 0, &[stage(20, 40, &[0])]).unwrap();
    let late = plan.next_green(0, NEVER - 30 * TICK);
    assert!(late.from >= NEVER - 30 * TICK && late.until >= late.from);
    assert!(plan.next_green(0, NEVER - 1).until == NEVER);
}

#[test]
fn bad_plans_are_named() {
    assert!(SignalPlan::from_stages(1, 0, &[]).is_err());
    assert!(SignalPlan::from_stages(1, 0, &[stage(0, 0, &[0])]).is_err());
    assert!(SignalPlan::from_stages(1, 0, &[stage(3601, 0, &[0])]).is_err());
    assert!(SignalPlan::from_stages(1, 0, &[stage(10, 0, &[1])]).is_err());
    assert!(SignalPlan::from_stages(1, 0, &[PlanStage { green: NEVER, lost: NEVER, groups: vec![0] }]).is_err());
    assert!(SignalPlan::from_windows(10, 0, vec![vec![(10, 12)]], &[]).is_err());
    assert!(SignalPlan::from_windows(10, 0, vec![vec![(5, 4)]], &[]).is_err());
    assert!(SignalPlan::from_windows(10, 0, vec![vec![(0, 5)], vec![(4, 6)]], &[(0, 1)]).is_err());
}

/// Any windows on a short cycle, in thousandths of a second rather than seconds so that brute force can look
/// at every one of them.
fn any_windows() -> impl Strategy<Value = (Time, Time, Vec<(Time, Time)>)> {
    (1_u32..60).prop_flat_map(|cycle| {
        let window = (0..cycle, 0..=cycle).prop_map(|(start, length)| (start, start + length));
        (Just(cycle), 0_u32..200, proptest::collection::vec(window, 0..5))
    })
}

proptest! {
    #[test]
    fn next_green_is_what_brute_force_finds((cycle, offset, windows) in any_windows(), at in 0_u32..1000) {
        let plan = SignalPlan::from_windows(cycle, offset, vec![windows.clone()], &[]).unwrap();
        let green = |time: Time| {
            let phase = (time + 200 * cycle - offset) % cycle;
            windows.iter().any(|&(start, end)| {
                (start <= phase && phase < end) || (start <= phase + cycle && phase + cycle < end)
            })
        };
        let from = (at..at + cycle).find(|&time| green(time));
        let expected = from.map_or(Window::NONE, |from| {
            Window { from, until: (from..from + 2 * cycle).find(|&time| !green(time)).unwrap_or(NEVER) }
        });
        prop_assert_eq!(plan.next_green(0, at), expected);
        prop_assert_eq!(plan.is_green(0, at), green(at));
        let per_cycle = (0..cycle).filter(|&time| green(time)).count() as u32;
        prop_assert_eq!(plan.green(0), per_cycle);
    }

    #[test]
    fn common_green_is_what_brute_force_finds((cycle, _, a) in any_windows(), (_, _, b) in any_windows()) {
        let b: Vec<_> = b.into_iter().map(|(start, end)| (start % cycle, start % cycle + (end - start) % cycle)).collect();
        let plan = SignalPlan::from_windows(cycle, 0, vec![a, b], &[]).unwrap();
        let both = (0..cycle).find(|&time| plan.is_green(0, time) && plan.is_green(1, time));
        prop_assert_eq!(plan.common_green(0, 1), both);
        prop_assert_eq!(plan.check_conflicts(&[(0, 1)]).is_err(), both.is_some());
    }

    #[test]
    fn stages_without_common_groups_never_meet(
        times in proptest::collection::vec((0_u32..40, 0_u32..6), 2..6), offset in 0_u32..100_000
    ) {
        let stages: Vec<PlanStage> = (0..).zip(&times).map(|(nth, &(green, lost))| stage(green, lost, &[nth])).collect();
        prop_assume!(times.iter().any(|&(green, _)| green > 0));
        let groups = stages.len() as u32;
        let plan = SignalPlan::from_stages(groups, offset, &stages).unwrap();
        let pairs: Vec<(u32, u32)> = (0..groups).flat_map(|a| (a + 1..groups).map(move |b| (a, b))).collect();
        prop_assert!(plan.check_conflicts(&pairs).is_ok());
        for (group, stage) in (0..).zip(&stages) {
            prop_assert_eq!(plan.green(group), stage.green);
        }
    }
}

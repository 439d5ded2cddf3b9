use super::*;
use proptest::prelude::*;

const EXACT: Clearance = Clearance { lost_s: 0.0, gain_s: 0.0 };
const PLANS: &str = "timing_plan_id,controller_id,time_day,cycle_length\n\
    p1,c1,01111100_0600_0900,60\np2,c1,,\n";
/// Two rings, two barriers: left turns (1, 5) before throughs (2, 6), then the side street (4, 8).
const PHASES: &str = "timing_phase_id,timing_plan_id,signal_phase_num,min_green,max_green,extension,clearance,ring,barrier,position\n\
    a1,p1,1,8,,,4,1,1,1\na2,p1,2,20,,,4,1,1,2\na4,p1,4,20,,,4,1,2,1\n\
    a5,p1,5,12,,,4,2,1,1\na6,p1,6,10,,,4,2,1,2\na8,p1,8,20,,,4,2,2,1\n\
    b1,p2,1,5,30,3,4,1,1,1\nb2,p2,2,5,20,3,4,1,2,1\n";
const MOVEMENTS: &str = "signal_phase_mvmt_id,timing_phase_id,mvmt_id,link_id,protection\n\
    1,a1,m1,,protected\n2,a2,m2,,\n3,a2,m3,,permitted\n4,a4,,x9,\n";
const COORDINATION: &str = "coordination_id,timing_plan_id,controller_id,coord_phase,coord_ref_to,offset\n\
    1,p1,c1,2,begin_of_green,30\n";

fn tables(texts: [&[u8]; 4]) -> Result<GmnsTables> {
    let of = |name: &str, text: &[u8]| Table::from_bytes(Path::new(name), text);
    Ok(GmnsTables {
        plans: of("signal_timing_plan.csv", texts[0])?,
        phases: of("signal_timing_phase.csv", texts[1])?,
        movements: Some(of("signal_phase_mvmt.csv", texts[2])?),
        coordination: Some(of("signal_coordination.csv", texts[3])?),
    })
}

fn parsed(texts: [&str; 4], clearance: Clearance) -> Result<Vec<GmnsController>> {
    controllers(tables(texts.map(str::as_bytes))?, clearance)
}

const ALL: [&str; 4] = [PLANS, PHASES, MOVEMENTS, COORDINATION];

fn span(from_s: u32, until_s: u32) -> (Time, Time) {
    (from_s * TICK, until_s * TICK)
}

#[test]
fn rings_and_barriers_become_windows() {
    let found = parsed(ALL, EXACT).unwrap();
    assert_eq!((found.len(), found[0].controller_id.as_str(), found[0].plans.len()), (1, "c1", 2));
    let first = &found[0].plans[0];
    let numbers: Vec<u32> = first.phases.iter().map(|phase| phase.number).collect();
    assert_eq!(numbers, [1, 2, 4, 5, 6, 8]);
    // Ring 1: 8+4, 20+4, then 20+4 = 60 s. Ring 2 needs 30 s before the barrier at 36 s: the 6 s left are
    // shared in proportion to need (12 and 10).
    let plan = &first.plan;
    assert_eq!(plan.cycle(), 60 * TICK);
    assert_eq!((plan.windows(0), plan.windows(1)), (&[span(0, 8)][..], &[span(12, 32)][..]));
    assert_eq!((plan.windows(2), plan.windows(5)), (&[span(36, 56)][..], &[span(36, 56)][..]));
    let (left, through) = (plan.windows(3)[0], plan.windows(4)[0]);
    assert_eq!((left.0, through.1, through.0 - left.1), (0, 32 * TICK, 4 * TICK));
    assert!(left.1 > 12 * TICK && through.1 - through.0 > 10 * TICK);
    // Phase 2 begins 12 s into the cycle, and at second 30.
    assert_eq!(plan.next_green(1, 0).from, 30 * TICK);
    assert_eq!(first.phases[1].movements, ["m2", "m3"]);
    assert_eq!(first.phases[2].links, ["x9"]);
    let day = first.time_of_day.unwrap();
    assert_eq!((day.days[0], day.days[1], day.from_s, day.until_s), (false, true, 6 * 3600, 9 * 3600));
    assert!(first.actuated.is_none());
    // Without a cycle: what phases want, one ring, extensions.
    let second = &found[0].plans[1];
    assert_eq!((second.plan.cycle(), second.plan.windows(0)), (58 * TICK, &[span(0, 30)][..]));
    assert!(second.actuated.is_some() && second.time_of_day.is_none());
}

#[test]
fn effective_greens_and_short_cycles() {
    let found = parsed(ALL, Clearance::default()).unwrap();
    assert_eq!(found[0].plans[0].plan.windows(1), [span(14, 34)]);
    // 34 s: both get what they need, 9 s each, and the rest in proportion to what they want beyond, 25 and 15.
    let plans = PLANS.replace("p2,c1,,", "p2,c1,,34");
    let found = parsed([&plans, PHASES, MOVEMENTS, COORDINATION], EXACT).unwrap();
    assert_eq!(found[0].plans[1].plan.windows(0), [span(0, 15)]);
    assert_eq!(found[0].plans[1].plan.windows(1), [span(19, 30)]);
}

#[test]
fn faults_are_named() {
    let said = |texts: [&str; 4]| match parsed(texts, EXACT) {
        Err(urbis_core::Error::Input(problems)) => {
            problems.listed().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
        }
        other => panic!("{other:?}"),
    };
    let [plans, phases, movements, coordination] = ALL;
    let short = plans.replace(",60\n", ",20\n");
    assert!(said([&short, phases, movements, coordination]).contains("cycle_length = 20, expected at least 60 s"));
    let lost = phases.replace("b1,p2", "b1,p7").replace("a2,p1,2,20", "a2,p1,2,-3");
    let all = said([plans, &lost, movements, coordination]);
    assert!(all.contains("signal_timing_phase.csv row 7 (id b1): timing_plan_id = p7"), "{all}");
    assert!(all.contains("row 2 (id a2): min_green = -3"), "{all}");
    assert!(said([plans, phases, &movements.replace("a4", "a9"), coordination]).contains("timing_phase_id = a9"));
    assert!(said([&plans.replace("_0900", "_0960"), phases, movements, coordination]).contains("time_day"));
    assert!(said([plans, phases, movements, &coordination.replace("begin_of_green", "dawn")]).contains("dawn"));
    let row = "b9,p2,9,5,,,4,1,9,1\n";
    let many = phases.to_owned() + &(0..40).map(|n| row.replace("b9", &format!("n{n}"))).collect::<String>();
    assert!(said([plans, &many, movements, coordination]).contains("42 phases"));
    let none = plans.replace("p2,", "p3,c1,,\np2,");
    assert!(said([&none, phases, movements, coordination]).contains("timing_plan_id = p3, expected one with phases"));
    assert!(
        said([plans, &phases.replace(",20,,,4,1,1,2", ",,,,4,1,1,2"), movements, coordination]).contains("(blank)")
    );
}

#[test]
fn folders_without_signals_are_fine() {
    let folder = tempfile::tempdir().unwrap();
    assert!(read(folder.path(), EXACT).unwrap().is_none());
    std::fs::write(folder.path().join("signal_timing_plan.csv"), PLANS).unwrap();
    assert!(read(folder.path(), EXACT).is_err());
    std::fs::write(folder.path().join("signal_timing_phase.csv"), PHASES).unwrap();
    assert_eq!(read(folder.path(), EXACT).unwrap().unwrap()[0].plans.len(), 2);
}

proptest! {
    /// Bytes changed, dropped or cut off anywhere: controllers or problems, never a panic.
    #[test]
    fn damaged_tables_never_panic(which in 0_usize..4, changes in proptest::collection::vec((any::<u16>(), 0_u8..3, any::<u8>()), 1..6)) {
        let mut texts: Vec<Vec<u8>> = ALL.iter().map(|text| text.as_bytes().to_vec()).collect();
        for (at, how, byte) in changes {
            let text = &mut texts[which];
            let at = at as usize % text.len().max(1);
            match how {
                0 if at < text.len() => text[at] = byte,
                1 if at < text.len() => { text.remove(at); }
                2 => text.truncate(at),
                _ => text.push(b"0123456789,\n.-"[byte as usize % 14]),
            }
        }
        if let Ok(tables) = tables([&texts[0], &texts[1], &texts[2], &texts[3]])
            && let Ok(found) = controllers(tables, Clearance::default())
        {
            for plan in found.iter().flat_map(|controller| &controller.plans) {
                prop_assert!(plan.plan.cycle() > 0 && plan.phases.len() == plan.plan.groups() as usize);
            }
        }
    }

    /// Any phases of two rings that fit: conflict-free, every phase at least what it needs, barriers kept.
    #[test]
    fn any_rings_keep_needs_and_barriers(
        rows in proptest::collection::vec((1_i64..3, 1_i64..4, 1_u32..30, 0_u32..30, 0_u32..6), 1..9), spare in 0_u32..40
    ) {
        let phases: Vec<Timed> = {
            let mut all: Vec<Timed> = rows.iter().enumerate().map(|(nth, &(ring, barrier, need, more, clearance))| Timed {
                phase: GmnsPhase::default(),
                order: (ring, barrier, 1, nth),
                need: need * TICK,
                want: (need + more) * TICK,
                clearance: clearance * TICK,
                extension: None,
            }).collect();
            all.sort_by_key(|timed| timed.order);
            all
        };
        let need = match greens(&phases, Some(1)) { Err(need) => need, Ok(_) => 1 };
        let cycle = need + spare * TICK;
        let found = greens(&phases, Some(cycle)).unwrap();
        for (timed, &(start, green)) in phases.iter().zip(&found.0) {
            prop_assert!(green >= timed.need && start + green + timed.clearance <= cycle);
        }
        prop_assert!(plan(&phases, &found, None, Clearance::default()).is_ok());
    }
}

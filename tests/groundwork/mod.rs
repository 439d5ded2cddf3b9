//! What runs stand on before their policies: settled without them, the same whether it is made or taken from others.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use urbis::{RunOptions, Simulation};
use urbis_population::plans::Mode;
use urbis_population::{LongTerm, Planner, Plans};
use urbis_tests::{EVERY_DAY, bus_line, hash_of_hashes, hashes, installed, read_table, scenario_in};

const TOWN: &str = "scenarios/town/baseline.toml";
/// Shares that constants are fitted to, so that there is something to settle.
const SHARES: &str = "[population.target_mode_shares]\ncar = 20\ntransit = 15\nbicycle = 15\nwalk = 50\n";
const SLOW: &str = "[[policy]]\nname = \"slow\"\nkind = \"speed_limit\"\nspeed_kmh = 5\n";
const HOME: &str = "[[policy]]\nname = \"home\"\nkind = \"telework\"\nshare = 0.9\n";
const PRICE: &str =
    "[[policy]]\nname = \"price\"\nkind = \"road_price\"\nbasis = \"per_km\"\nprices = [{ amount = 3.0 }]\n";

fn long_term(simulation: &Simulation) -> &LongTerm {
    &simulation.world().resource::<Planner>().long_term
}

fn share_of(simulation: &Simulation, mode: Mode) -> f64 {
    let plans = simulation.world().resource::<Plans>();
    plans.mode.iter().filter(|of| **of == mode).count() as f64 / plans.len() as f64
}

/// Names of files of common work, without those of locks.
fn names(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| !name.starts_with('.')).collect();
    names.sort();
    names
}

#[test]
fn policies_move_people_but_not_what_they_have_settled() {
    let place = tempfile::tempdir().unwrap();
    let feed = bus_line(place.path(), EVERY_DAY);
    let line = format!("[transit]\nfeeds = [{feed:?}]\ndate = \"2024-06-11\"\n");
    let often = "[[policy]]\nname = \"often\"\nkind = \"transit_frequency\"\nfactor = 0.1\n";
    let plain = installed(place.path(), TOWN, &format!("{SHARES}{line}"), 1, None);
    assert!(long_term(&plain).mode_share_error < 0.01 && long_term(&plain).workplace.len() == 2000);
    for (policy, mode) in [(SLOW, Mode::Car), (often, Mode::Transit), (PRICE, Mode::Car)] {
        let changed = installed(place.path(), TOWN, &format!("{SHARES}{line}{policy}"), 1, None);
        assert!(long_term(&changed) == long_term(&plain), "{policy}");
        let [before, after] = [&plain, &changed].map(|simulation| share_of(simulation, mode));
        println!("{}: {before:.3} -> {after:.3} of all trips", mode.name());
        // Had constants been fitted under the policy, its mode would have kept its share.
        assert!(after < 0.8 * before, "{policy}");
    }
    let at_home = installed(place.path(), TOWN, &format!("{SHARES}{line}{HOME}"), 1, None);
    assert!(long_term(&at_home) == long_term(&plain));
    assert!(at_home.world().resource::<Plans>().len() < plain.world().resource::<Plans>().len());
}

#[test]
fn what_is_taken_from_others_changes_nothing() {
    let place = tempfile::tempdir().unwrap();
    let common = place.path().join("common");
    let days = "[population.feedback]\nwarm_up = 2\niterations = 1\n[period]\nstart = \"2024-06-11T05:00:00\"\nduration_h = 5\n";
    let run = |patch: &str, out: &str, threads: usize, seed: u64, common: Option<&Path>| {
        let folder = place.path().join(patch.len().to_string());
        std::fs::create_dir_all(&folder).unwrap();
        let scenario = scenario_in(&folder, TOWN, &format!("{SHARES}{days}{patch}"));
        let out = place.path().join(out);
        let options = RunOptions {
            out: out.clone(),
            threads: Some(threads),
            seed: Some(seed),
            common: common.map(Path::to_owned),
        };
        let mut days = Vec::new();
        let mut hear = |progress: urbis::Progress<'_>| {
            if let urbis::Progress::Phase(text) = progress
                && text.starts_with("before policies")
            {
                days.push(text.to_owned());
            }
        };
        urbis::run(&scenario, &options, &mut hear, &AtomicBool::new(false)).unwrap();
        (hash_of_hashes(&hashes(&out)), days.len())
    };
    let mut alone: BTreeMap<&str, String> = BTreeMap::new();
    for (at, patch) in ["", SLOW, PRICE, HOME].into_iter().enumerate() {
        let (hash, days) = run(patch, &format!("alone{at}"), 1, 1, None);
        assert!((1..=2).contains(&days), "{days} days before policies");
        // The first run leaves its groundwork, those with policies take it; on any number of threads.
        let (of_shared, days) = run(patch, &format!("shared{at}"), 1 + at, 1, Some(&common));
        assert_eq!((of_shared == hash, days > 0), (true, at == 0), "{patch}");
        alone.insert(patch, hash);
    }
    assert_eq!(alone.values().collect::<std::collections::BTreeSet<_>>().len(), 4, "policies have effects");
    let one_seed = names(&common);
    assert_eq!(one_seed.len(), 3, "{one_seed:?}");
    // Another seed has people of its own, in the same city.
    run("", "other", 2, 2, Some(&common));
    let kinds = names(&common).iter().map(|name| name.split_once("-").unwrap().0.to_owned()).collect::<Vec<_>>();
    assert_eq!(kinds, ["long", "long", "skims", "times", "times"]);
    // What is spoilt is made again.
    for name in names(&common) {
        std::fs::write(common.join(name), "spoilt").unwrap();
    }
    assert!(run(SLOW, "again", 2, 1, Some(&common)).0 == alone[SLOW]);
}

#[test]
fn people_start_from_what_they_learned() {
    let place = tempfile::tempdir().unwrap();
    let change = |feedback: &str, name: &str| {
        let folder = place.path().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let patch = format!("[population.feedback]\n{feedback}\n[period]\nduration_h = 7\n");
        let scenario = scenario_in(&folder, "scenarios/monaco/baseline.toml", &patch);
        let out = folder.join("out");
        urbis_tests::run(&scenario, &out, 2, None).unwrap();
        let rounds = read_table(&out.join("feedback/scenario=test/seed=1/part-0.parquet"));
        rounds[0]["car_time_change_percent"].parse::<f64>().unwrap()
    };
    let [cold, warm] = [change("iterations = 1", "cold"), change("iterations = 1\nwarm_up = 4", "warm")];
    println!("the first day with policies changes car times by {cold:.2} % cold, {warm:.2} % after four days");
    assert!(warm < 0.5 * cold);
}

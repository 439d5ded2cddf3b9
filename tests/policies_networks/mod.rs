//! Policies on buildings, their devices and the networks that serve them: each moves what it is for by the size that a
//! closed form says, larger shares keep those of smaller ones, a share of nothing changes nothing, and what makes no sense
//! is refused with its place.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use urbis::RunSummary;
use urbis_tests::{hashes, installed, number, read_table, root, run, scenario_in, told_of};
use urbis_utility::gas::city::CityGas;
use urbis_utility::heat::city::CityHeat;

const TOWN: &str = "scenarios/town/baseline.toml";
const WINTER: &str = "[period]\nstart = \"2024-01-16T03:00:00\"\n[weather.climate]\nmean_c = 10.0\n";
const MILD: &str = "[weather.climate]\nmean_c = 10.0\n";
const GAS: &str = "[gas]\nsource = \"synthetic\"\nshare = 1.0\n";
const LEAKY: &str = "[water]\nsource = \"synthetic\"\nleakage_share = 0.2\ndemand_by_pressure = \"never\"\n";

type Row = BTreeMap<String, String>;

struct Arm {
    out: PathBuf,
    summary: RunSummary,
    _place: tempfile::TempDir,
}

impl Arm {
    fn table(&self, name: &str) -> Vec<Row> {
        read_table(&self.out.join(name).join("scenario=test/seed=1/part-0.parquet"))
    }
    fn kpi(&self, name: &str) -> f64 {
        let kpi = self.summary.kpis.iter().find(|kpi| kpi.indicator == name);
        kpi.unwrap_or_else(|| panic!("no indicator {name}")).value
    }
    /// Energy of each building over the day, Wh.
    fn building_wh(&self) -> BTreeMap<String, f64> {
        let mut sums = BTreeMap::new();
        for row in self.table("building_load") {
            *sums.entry(row["building_id"].clone()).or_insert(0.0) += number(&row, "energy_wh");
        }
        sums
    }
    /// Energy of all buildings in an hour of the day, Wh; the town's hour in summer.
    fn wh_between(&self, hours: std::ops::Range<f64>) -> f64 {
        let hour = |row: &Row| (number(row, "time") / 3.6e6 + 2.0) % 24.0;
        self.table("building_load")
            .iter()
            .filter(|row| hours.contains(&hour(row)))
            .map(|row| number(row, "energy_wh"))
            .sum()
    }
    fn kwh(&self) -> f64 {
        self.building_wh().values().sum::<f64>() / 1000.0
    }
}

fn arm(patch: &str) -> Arm {
    let place = tempfile::tempdir().unwrap();
    let scenario = scenario_in(place.path(), TOWN, patch);
    let out = place.path().join("out");
    let summary = run(&scenario, &out, 2, None).unwrap_or_else(|error| panic!("{patch}: {}", told_of(&error)));
    Arm { out, summary, _place: place }
}

fn policy(kind: &str, keys: &str) -> String {
    format!("[[policy]]\nname = \"{kind}\"\nkind = \"{kind}\"\n{keys}\n")
}

/// The policies that a shipped scenario adds to its base.
fn shipped(name: &str) -> String {
    let text = std::fs::read_to_string(root().join("scenarios/town").join(name)).unwrap();
    text[text.find("[[policy]]").unwrap()..].to_owned()
}

#[track_caller]
fn near(found: f64, expected: f64, share: f64, what: &str) {
    println!("{what}: {found:.4}, expected {expected:.4}");
    assert!((found - expected).abs() <= share * expected.abs(), "{what}: {found}, expected {expected}");
}

/// Every table of both runs is the same.
#[track_caller]
fn same(one: &Arm, other: &Arm, what: &str) {
    for table in ["trips", "building_load", "zone_load", "kpis"] {
        let drop_ids = |arm: &Arm| {
            let mut rows = arm.table(table);
            rows.iter_mut().for_each(|row| drop(row.remove("run_id")));
            rows
        };
        assert!(drop_ids(one) == drop_ids(other), "{what}: table {table} differs");
    }
}

#[test]
fn roofs_are_nested_and_add_up_over_areas() {
    let pv = |keys: &str| arm(&format!("{MILD}{}", policy("rooftop_pv", keys)));
    let plain = arm(MILD);
    same(&plain, &pv("share = 0.0"), "a share of nothing");
    let (some, more) = (pv("share = 0.3"), pv("share = 0.6"));
    // As the settings draw them, whose shares a policy does not add to.
    let uses = "residential office retail hotel industrial education health civic parking other";
    let shares: Vec<String> = uses.split(' ').map(|of| format!("{of} = 0.3")).collect();
    let settings = format!("[power.devices.pv.share]\n{}\n", shares.join("\n"));
    same(&some, &arm(&format!("{MILD}{settings}")), "a policy and settings of the same share");
    same(
        &some,
        &arm(&format!("{MILD}{settings}{}", policy("rooftop_pv", "share = 0.2"))),
        "a policy of a smaller share",
    );
    let before = plain.building_wh();
    let roofs = |arm: &Arm| -> Vec<String> {
        let now = arm.building_wh();
        now.into_iter().filter(|(id, wh)| *wh < before[id] - 1e-6).map(|(id, _)| id).collect()
    };
    let (few, many) = (roofs(&some), roofs(&more));
    near(few.len() as f64 / before.len() as f64, 0.3, 0.15, "share of buildings with modules");
    near(many.len() as f64 / before.len() as f64, 0.6, 0.15, "share of buildings with modules");
    assert!(few.iter().all(|id| many.contains(id)));
    let generated = |keys: &str| pv(keys).kpi("photovoltaics");
    let [east, west] =
        ["east", "west"].map(|zone| generated(&format!("share = 0.3\narea = {{ zones = [\"{zone}\"] }}")));
    near(east + west, some.kpi("photovoltaics"), 1e-9, "east and west, MWh");
    assert!(east > 0.0 && west > 0.0);
    let twice = generated("share = 0.3\nmodule_w_per_m2 = 400.0");
    near(twice, 2.0 * some.kpi("photovoltaics"), 1e-6, "modules of twice the rating, MWh");
    let homes = generated("share = 0.3\nuses = [\"residential\"]");
    assert!(homes < some.kpi("photovoltaics") && homes > 0.0);
    // What is generated is not drawn.
    near(plain.kwh() - some.kwh(), 1000.0 * some.kpi("photovoltaics"), 1e-6, "less drawn, kWh");
}

#[test]
fn batteries_keep_what_roofs_have_left() {
    let with = |keys: &str| arm(&format!("{MILD}{}{}", policy("rooftop_pv", "share = 0.5"), policy("battery", keys)));
    let (none, some) = (with("share = 0.0"), with("share = 1.0"));
    same(&none, &arm(&format!("{MILD}{}", policy("rooftop_pv", "share = 0.5"))), "a share of nothing");
    let (charged, given) = (some.kpi("batteries_charged"), some.kpi("batteries_discharged"));
    println!("charged {charged:.3} MWh, given {given:.3}");
    assert!(charged > 0.0 && given > 0.0);
    // Both ways lose five percent; what is left in store at the end has not been given.
    assert!(given <= 0.95 * 0.95 * charged + 1e-9);
    let large = with("share = 1.0\nkwh_per_dwelling = 14.0\nwh_per_m2 = 20.0").kpi("batteries_charged");
    assert!(large > charged, "twice the store: {large}");
    assert!((none.kpi("photovoltaics") - some.kpi("photovoltaics")).abs() < 1e-9);
}

#[test]
fn heat_pumps_take_the_place_of_what_was_there() {
    let electric = |share: f64| format!("{WINTER}[power.heating]\nelectric_share = {share}\n");
    let pumps = |share: f64| policy("heat_pumps", &format!("share = {share}"));
    let (plain, none) = (arm(&electric(1.0)), arm(&electric(0.0)));
    same(&plain, &arm(&format!("{}{}", electric(1.0), pumps(0.0))), "a share of nothing");
    // Everywhere: resistance is gone, whatever it was before.
    let (all, only) =
        (arm(&format!("{}{}", electric(1.0), pumps(1.0))), arm(&format!("{}{}", electric(0.0), pumps(1.0))));
    near(all.kwh(), only.kwh(), 1e-9, "heat pumps in the place of resistance, kWh");
    near(only.kwh() - none.kwh(), 1000.0 * only.kpi("heat_pumps"), 1e-6, "drawn by pumps, kWh");
    println!("resistance {:.0} kWh, pumps {:.0} kWh", plain.kwh() - none.kwh(), only.kwh() - none.kwh());
    assert!(all.kwh() < plain.kwh());
}

#[test]
fn heat_pumps_leave_gas_and_bring_hot_water() {
    let with = |share: f64| arm(&format!("{WINTER}{GAS}{}", policy("heat_pumps", &format!("share = {share}"))));
    let (plain, half, all) = (arm(&format!("{WINTER}{GAS}")), with(0.5), with(1.0));
    let gas = |arm: &Arm| arm.kpi("gas_served");
    println!(
        "gas {:.1} -> {:.1} -> {:.1}; heat pumps {:.3} MWh",
        gas(&plain),
        gas(&half),
        gas(&all),
        all.kpi("heat_pumps")
    );
    assert!(gas(&all).abs() < 1e-9 * gas(&plain), "nobody draws gas");
    assert!((0.3..0.7).contains(&(gas(&half) / gas(&plain))));
    assert!(all.kpi("person_hours_without_gas").abs() < 1e-9 && all.kpi("gas_steps_not_solved").abs() < 1e-9);
    // In summer pumps make hot water alone, and only where gas made it before.
    let summer =
        |patch: &str| arm(&format!("[weather.climate]\nmean_c = 25.0\n{patch}{}", policy("heat_pumps", "share = 1.0")));
    let (rooms, both) = (summer(""), summer(GAS));
    println!("in summer {:.4} MWh for rooms, {:.4} with hot water", rooms.kpi("heat_pumps"), both.kpi("heat_pumps"));
    assert!(both.kpi("heat_pumps") > rooms.kpi("heat_pumps"));
}

/// Whoever joins leaves gas, and heat brings what gas brought: both together are asked for the same. A larger share keeps those of a smaller
/// one, and who has district heat without the policy keeps it.
#[test]
fn district_heat_is_laid_to_those_who_join() {
    let heat =
        "[heat]\nsource = \"synthetic\"\n[heat.synthetic]\nlinear_density_kwhpm_min = 1300.0\ncluster_kwh_min = 1e5\n";
    let of = |share: Option<f64>, more: &str| {
        let place = tempfile::tempdir().unwrap();
        let block = share.map_or(String::new(), |share| policy("district_heat", &format!("share = {share}{more}")));
        let mut simulation = installed(place.path(), TOWN, &format!("{WINTER}{GAS}{heat}{block}"), 1, None);
        for _ in 0..1800 {
            assert!(simulation.step().unwrap());
        }
        let (gas, heat) = (simulation.world().resource::<CityGas>(), simulation.world().resource::<CityHeat>());
        let on =
            |is_on: &dyn Fn(usize) -> bool| (0..gas.asked_w.len()).filter(|&row| is_on(row)).collect::<BTreeSet<_>>();
        let asked_w = gas.asked_w.iter().sum::<f64>() + heat.asked_w.iter().sum::<f64>();
        let served = (0..gas.asked_w.len()).all(|row| !heat.is_connected(row) || heat.served_share[row] > 0.9);
        (on(&|row| gas.is_connected(row)), on(&|row| heat.is_connected(row)), asked_w, served)
    };
    let (gas, heat, asked_w, _) = of(None, "");
    println!("{} buildings on gas, {} on district heat", gas.len(), heat.len());
    assert!(!gas.is_empty() && gas.is_disjoint(&heat));
    let none = of(Some(0.0), "");
    assert!(none.0 == gas && none.1 == heat && (none.2 - asked_w).abs() < 1e-12 * asked_w);
    let mut before = heat;
    for share in [0.2, 0.5, 1.0] {
        let (left, joined, both_w, is_served) = of(Some(share), "");
        let new = joined.len() - joined.intersection(&before).count();
        println!("share {share}: {} on district heat, {} on gas", joined.len(), left.len());
        assert!(joined.is_superset(&before) && new > 0 && left.is_disjoint(&joined));
        assert!(left.union(&joined).eq(gas.union(&before)), "nobody is left without heat");
        near(both_w, asked_w, 1e-9 * asked_w, "asked of gas and heat, W");
        assert!(is_served);
        before = joined;
    }
    assert!(of(Some(1.0), "").0.is_empty(), "all have left gas");
    let (east, ..) = of(Some(1.0), "\narea = { zones = [\"east\"] }");
    assert!(!east.is_empty() && east.len() < gas.len());
}

#[test]
fn better_walls_save_their_share() {
    let electric = |share: f64| format!("{WINTER}[power.heating]\nelectric_share = {share}\n");
    let walls = |keys: &str| arm(&format!("{}{}", electric(1.0), policy("retrofit", keys)));
    let (none, plain) = (arm(&electric(0.0)), arm(&electric(1.0)));
    same(&plain, &walls("share = 0.0\nsaving = 0.5"), "a share of nothing");
    same(&plain, &walls("share = 1.0\nsaving = 0.0"), "a saving of nothing");
    let heat = |arm: &Arm| arm.kwh() - none.kwh();
    near(heat(&walls("share = 1.0\nsaving = 0.4")) / heat(&plain), 0.6, 1e-9, "left of electric heat");
    let [east, west] = ["east", "west"]
        .map(|zone| heat(&walls(&format!("share = 0.5\nsaving = 0.4\narea = {{ zones = [\"{zone}\"] }}"))));
    let both = heat(&walls("share = 0.5\nsaving = 0.4"));
    near(heat(&plain) - both, 2.0 * heat(&plain) - east - west, 1e-9, "saved in east and west, kWh");
    // Gas: rooms and hot water, of which walls save the first.
    let gas = |saving: f64| {
        arm(&format!("{WINTER}{GAS}{}", policy("retrofit", &format!("share = 1.0\nsaving = {saving}"))))
            .kpi("gas_served")
    };
    let [all, some, half] = [0.0, 0.25, 0.5].map(gas);
    near(all - half, 2.0 * (all - some), 1e-6, "gas saved");
    assert!(half > 0.5 * all, "hot water is not saved");
}

#[test]
fn electric_cars_charge_where_points_are_and_when_it_is_cheap() {
    let cars = |keys: &str| policy("ev_share", keys);
    let tariff = policy("tariff", "per_kwh = 0.3\nwindows = [{ from_hour = 0, to_hour = 5, per_kwh = 0.1 }]");
    let plain = arm("");
    let half = arm(&cars("share = 0.5\nchargers = { home = 1.0 }"));
    let settings = "[coupling]\nelectric_car_share = 0.5\n[power.devices.charger.share]\nresidential = 1.0\n";
    same(&half, &arm(settings), "a policy and settings of the same share");
    let all = arm(&cars("share = 1.0\nchargers = { home = 1.0 }"));
    let charged = |arm: &Arm| arm.kpi("cars_charged");
    println!("charged {:.3} MWh of half of the cars, {:.3} of all", charged(&half), charged(&all));
    assert!((1.4..2.8).contains(&(charged(&all) / charged(&half))));
    near(all.kwh() - plain.kwh(), 1000.0 * charged(&all), 1e-6, "drawn by cars, kWh");
    let east = arm(&cars("share = 1.0\nchargers = { home = 1.0 }\narea = { zones = [\"east\"] }"));
    assert!(charged(&east) > 0.0 && charged(&east) < charged(&all));
    let work = arm(&cars("share = 1.0\nchargers = { home = 1.0, work = 1.0 }"));
    let morning = |arm: &Arm| arm.wh_between(6.0..12.0) - plain.wh_between(6.0..12.0);
    println!("in the morning {:.0} Wh at home, {:.0} with points at work", morning(&all), morning(&work));
    assert!(morning(&work) > 1.2 * morning(&all), "cars charge where they stand");
    // Smart: as the settings have it, and away from the dear evening.
    let smart = |keys: &str| {
        format!("{}{tariff}{}", cars("share = 1.0\nchargers = { home = 1.0 }"), policy("smart_charging", keys))
    };
    let by_price = arm(&smart("control = \"price\""));
    let settings = "[coupling]\nelectric_car_share = 1.0\n[power.devices.charger]\ncontrol = \"price\"\n\
                    share = { residential = 1.0 }\n[power.devices.tariff]\nper_kwh = 0.3\n\
                    windows = [{ from_hour = 0, to_hour = 5, per_kwh = 0.1 }]\n";
    same(&by_price, &arm(settings), "a policy and settings of one control and tariff");
    same(&all, &arm(&smart("control = \"price\"\nshare = 0.0")), "prices that nobody looks at");
    let evening = |arm: &Arm| arm.wh_between(17.0..24.0) - plain.wh_between(17.0..24.0);
    let some = arm(&smart("control = \"price\"\nshare = 0.5"));
    println!("evening {:.0} -> {:.0} -> {:.0} Wh", evening(&all), evening(&some), evening(&by_price));
    assert!(evening(&by_price) < 0.5 * evening(&all));
    assert!(evening(&some) < evening(&all) && evening(&some) > evening(&by_price));
}

#[test]
fn leaks_and_pressures_follow_their_laws() {
    let plain = arm(LEAKY);
    let with = |kind: &str, keys: &str| arm(&format!("{LEAKY}{}", policy(kind, keys)));
    let lost = |arm: &Arm| -> f64 {
        let rows = arm.table("utility_balance");
        rows.iter().filter(|row| row["utility"] == "water").map(|row| number(row, "lost")).sum()
    };
    let none = arm("[water]\nsource = \"synthetic\"\ndemand_by_pressure = \"never\"\n");
    assert!(lost(&none).abs() < 1e-9 && lost(&plain) > 0.0);
    same(&plain, &with("leak_reduction", "factor = 1.0"), "all that leaks is left");
    let half = with("leak_reduction", "factor = 0.5");
    near(lost(&half) / lost(&plain), 0.5, 0.03, "left of leaks");
    assert!(lost(&with("leak_reduction", "factor = 0.0")).abs() < 1e-9);
    let [east, west] = ["east", "west"]
        .map(|zone| lost(&with("leak_reduction", &format!("factor = 0.5\narea = {{ zones = [\"{zone}\"] }}"))));
    near(2.0 * lost(&plain) - east - west, lost(&plain) - lost(&half), 0.05, "saved in east and west, m3");
    // Ten metres off every head: pressures fall by as much, and leaks in proportion to pressure.
    let lower = |metres: f64| with("pressure_management", &format!("lower_m = {metres}"));
    same(&plain, &lower(0.0), "nothing taken off");
    let (five, ten) = (lower(5.0), lower(10.0));
    let pressure = |arm: &Arm| {
        let rows = arm.table("water_node");
        let of: Vec<f64> = rows.iter().filter_map(|row| row["pressure_m"].parse().ok()).collect();
        of.iter().sum::<f64>() / of.len() as f64
    };
    println!("pressure {:.2}, {:.2}, {:.2} m", pressure(&plain), pressure(&five), pressure(&ten));
    let drop = |arm: &Arm| pressure(&plain) - pressure(arm);
    near(drop(&ten), 10.0, 0.1, "pressure taken off, m");
    let saved = |arm: &Arm| lost(&plain) - lost(arm);
    near(saved(&ten) / saved(&five), drop(&ten) / drop(&five), 0.03, "saved by twice as much");
    near(saved(&ten) / lost(&plain), drop(&ten) / pressure(&plain), 0.1, "saved by the pressure taken off");
    assert!(lost(&ten) < lost(&five));
}

#[test]
fn people_draw_less_of_dearer_water() {
    let water = "[water]\nsource = \"synthetic\"\ndemand_by_pressure = \"never\"\n";
    let plain = arm(water);
    let with = |keys: &str| arm(&format!("{water}{}", policy("water_tariff", keys)));
    same(&plain, &with("price_change = 0.0"), "the same price");
    let served = |arm: &Arm| arm.kpi("water_served");
    near(served(&with("price_change = 0.5")) / served(&plain), 1.5_f64.powf(-0.35), 1e-6, "left of draws");
    near(
        served(&with("price_change = 1.0\nelasticity = -0.5")) / served(&plain),
        0.5_f64.sqrt(),
        1e-6,
        "left of draws",
    );
    let homes = served(&with("price_change = 0.5\nuses = [\"residential\"]"));
    assert!(homes < served(&plain) && homes > served(&with("price_change = 0.5")));
}

#[test]
fn shipped_scenarios_are_the_same_on_any_number_of_threads() {
    for name in ["heat_transition.toml", "ev_roll_out.toml", "water_saving.toml"] {
        let place = tempfile::tempdir().unwrap();
        let scenario = scenario_in(place.path(), &format!("scenarios/town/{name}"), "[population]\ncar_share = 0.5\n");
        let of = |threads: usize| {
            let out = place.path().join(format!("out-{threads}"));
            run(&scenario, &out, threads, None).unwrap_or_else(|error| panic!("{name}: {}", told_of(&error)));
            hashes(&out)
        };
        assert!(of(1) == of(3), "{name}");
        assert!(shipped(name).contains("cost = "), "{name} says what it costs");
    }
}

/// What is said of a scenario, in one text.
fn refusal(place: &Path, patch: &str) -> String {
    let scenario = scenario_in(place, TOWN, patch);
    let error = run(&scenario, &place.join("out"), 1, None).expect_err(patch);
    assert!(!place.join("out/_SUCCESS").exists());
    told_of(&error)
}

#[test]
fn what_makes_no_sense_is_refused_with_its_place() {
    let place = tempfile::tempdir().unwrap();
    let block = |kind: &str, keys: &str| policy(kind, keys);
    let links = "area = { roads = [\"Row 3\"] }";
    let cases = [
        (block("rooftop_pv", "share = 1.5"), vec!["line 6", "<= 1"]),
        (block("rooftop_pv", "share = 0.5\nuses = [\"homes\"]"), vec!["line 7", "residential"]),
        (block("rooftop_pv", "share = 0.5\nfrom = \"07:00\""), vec!["line 7", "day and night"]),
        (block("rooftop_pv", "share = 0.5\nstart_date = \"2024-06-12\""), vec!["line 7", "within the period"]),
        (block("rooftop_pv", &format!("share = 0.5\n{links}")), vec!["line 7", "no building"]),
        (block("battery", "share = 0.5"), vec!["only_with_pv", "no roof carries modules", "rooftop_pv"]),
        (block("heat_pumps", "share = 0.5"), vec!["no weather", "climate"]),
        (block("retrofit", "share = 0.5\nsaving = 0.99"), vec!["line 7", "<= 0.95"]),
        (block("retrofit", "share = 0.5\nsaving = 0.5"), vec!["no weather"]),
        (block("ev_share", "share = 0.5"), vec!["line 6", "nobody can charge"]),
        (block("ev_share", "share = 0.5\nchargers = { house = 1.0 }"), vec!["line 7", "unknown key"]),
        (block("smart_charging", "control = \"price\""), vec!["nobody charges a car"]),
        (
            block("smart_charging", "control = \"price\"")
                + &block("ev_share", "share = 0.5\nchargers = { home = 1.0 }"),
            vec!["line 6", "no prices"],
        ),
        (block("tariff", "per_kwh = 0.3"), vec!["nobody looks at prices"]),
        (block("tariff", "per_kwh = 0.3\narea = { zones = [\"east\"] }"), vec!["line 7", "whole city"]),
        (block("tariff", "hourly_per_kwh = [0.3]"), vec!["line 6", "24"]),
        (block("leak_reduction", "factor = 0.5"), vec!["no water network"]),
        (
            format!("[water]\nsource = \"synthetic\"\n{}", block("leak_reduction", "factor = 0.5")),
            vec!["line 7", "leakage_share"],
        ),
        (
            format!("{LEAKY}{}", block("pressure_management", "lower_m = 5.0\narea = { zones = [\"east\"] }")),
            vec!["line 11", "no reducing valve"],
        ),
        (block("water_tariff", "price_change = 0.5"), vec!["nobody draws water"]),
        (block("water_tariff", "price_change = 0.5\nelasticity = 0.5"), vec!["line 7", "<= 0"]),
    ];
    for (patch, expected) in cases {
        let said = refusal(place.path(), &patch);
        println!("{}", said.trim());
        for word in expected {
            assert!(said.contains(word), "{patch}: expected {word:?} in {said}");
        }
    }
}

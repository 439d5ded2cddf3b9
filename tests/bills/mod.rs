//! What buildings pay: quantities times prices, hour by hour where a tariff holds, by zone and use; nothing without prices.

use std::collections::BTreeMap;
use urbis_tests::{Ran, number, told_of};

const TOWN: &str = "scenarios/town/baseline.toml";
const NETWORKS: &str = "scenarios/town/networks.toml";
const PRICES: &str =
    "[bills]\nelectricity_per_kwh = 0.25\nwater_per_m3 = 4.0\ngas_per_kwh = 0.1\nheat_per_kwh = 0.12\n";

type Row = BTreeMap<String, String>;

fn ran(base: &str, patch: &str) -> Ran {
    Ran::of(base, patch, 2).unwrap_or_else(|error| panic!("{patch}: {}", told_of(&error)))
}

fn bills(of: &Ran, utility: &str) -> Vec<Row> {
    of.table("bills").into_iter().filter(|row| row["utility"] == utility).collect()
}

fn sum(rows: &[Row], column: &str) -> f64 {
    rows.iter().map(|row| number(row, column)).sum()
}

#[track_caller]
fn near(found: f64, expected: f64, within: f64, what: &str) {
    println!("{what}: {found:.4}, expected {expected:.4}");
    assert!((found - expected).abs() <= within, "{what}: {found}, expected {expected}");
}

#[test]
fn what_networks_bring_is_paid_at_its_price() {
    let (of, plain) = (ran(NETWORKS, PRICES), ran(NETWORKS, ""));
    let buildings = of
        .table("building_load")
        .iter()
        .map(|row| row["building_id"].clone())
        .collect::<std::collections::BTreeSet<_>>();
    // A building owes at most half of a ten-thousandth.
    let rounding = 0.5e-4 * buildings.len() as f64;
    let electricity = bills(&of, "electricity");
    let kwh = sum(&of.table("building_load"), "energy_wh") / 1000.0;
    near(sum(&electricity, "quantity"), kwh, 1e-9 * kwh, "electricity, kWh");
    near(sum(&electricity, "amount"), 0.25 * kwh, rounding, "bill of electricity");
    near(of.kpi("bills_electricity").unwrap(), sum(&electricity, "amount"), 1e-6, "its indicator");
    for zone in electricity.iter().map(|row| &row["zone_id"]) {
        let is_here =
            |row: &&Row| row["zone_id"] == *zone && row.get("sector").is_none_or(|sector| sector != "lighting");
        let paid: f64 = electricity.iter().filter(is_here).map(|row| number(row, "amount")).sum();
        let wh: f64 = of.table("zone_load").iter().filter(is_here).map(|row| number(row, "energy_wh")).sum();
        near(paid, 0.25 * wh / 1000.0, rounding, zone);
    }
    let balance = of.table("utility_balance");
    let water: Vec<Row> = balance.iter().filter(|row| row["utility"] == "water").cloned().collect();
    let m3 = sum(&water, "served");
    near(sum(&bills(&of, "water"), "quantity"), m3, 1e-6 * m3, "water, m3");
    near(sum(&bills(&of, "water"), "amount"), 4.0 * m3, rounding + 1e-6 * m3, "bill of water");
    let gas = bills(&of, "gas");
    assert!(sum(&gas, "quantity") > 0.0 && bills(&of, "heat").iter().all(|row| row["unit"] == "kWh"));
    near(sum(&gas, "amount"), 0.1 * sum(&gas, "quantity"), rounding, "bill of gas");
    // Bills change nothing else, and there are none without prices.
    assert!(!plain.out.join("bills").exists() && plain.kpi("bills_water").is_none());
    for table in ["building_load", "water_node", "gas_link", "trips", "energy_balance"] {
        assert_eq!(of.table(table), plain.table(table), "{table}");
    }
}

/// With a tariff and roofs that feed in, step by step.
#[test]
fn a_tariff_is_paid_by_the_hour_and_what_is_fed_in_is_paid_back() {
    let tariff = "[[policy]]\nname = \"nights\"\nkind = \"tariff\"\nper_kwh = 0.3\nwindows = [{ from_hour = 22, to_hour = 6, per_kwh = 0.1 }]\n";
    let roofs = "[power.devices.pv]\nshare = { residential = 1.0 }\n[weather.climate]\nmean_c = 15.0\n";
    let every_step = "[output.tables.building_load]\nevery_s = 900\n";
    let of = ran(TOWN, &format!("{tariff}{roofs}{every_step}[bills]\nfeed_in_per_kwh = 0.08\n"));
    let loads = of.table("building_load");
    // The town's clocks are two hours ahead in June.
    let price = |row: &Row| match ((number(row, "time") / 3.6e6 + 2.0) % 24.0, number(row, "energy_wh")) {
        (_, wh) if wh < 0.0 => 0.08,
        (hour, _) if !(6.0..22.0).contains(&hour) => 0.1,
        _ => 0.3,
    };
    let owed: f64 = loads.iter().map(|row| price(row) * number(row, "energy_wh") / 1000.0).sum();
    let fed_in = -loads.iter().map(|row| number(row, "energy_wh").min(0.0)).sum::<f64>() / 1000.0;
    println!("{fed_in:.1} kWh are fed in");
    assert!(fed_in > 100.0);
    near(sum(&bills(&of, "electricity"), "amount"), owed, 0.5e-4 * loads.len() as f64 / 96.0, "bill of electricity");
}

#[test]
fn dearer_water_is_paid_where_its_policy_holds() {
    let policy = "[[policy]]\nname = \"dear\"\nkind = \"water_tariff\"\nprice_change = 0.2\nuses = [\"residential\"]\n";
    let water = "[water]\nsource = \"synthetic\"\n[bills]\nwater_per_m3 = 4.0\n";
    let of = ran(TOWN, &format!("{water}{policy}"));
    let (mut homes, mut others) = (0, 0);
    for row in bills(&of, "water").iter().filter(|row| number(row, "quantity") > 1.0) {
        let is_home = row["purpose"] == "residential";
        *(if is_home { &mut homes } else { &mut others }) += 1;
        let price = number(row, "amount") / number(row, "quantity");
        assert!((price - if is_home { 4.8 } else { 4.0 }).abs() < 0.01, "{row:?}");
    }
    assert!(homes > 0 && others > 0);
}

#[test]
fn prices_that_make_no_sense_are_refused() {
    let told = told_of(&Ran::of(TOWN, "[bills]\nwater_per_m3 = -1.0\n", 2).err().unwrap());
    assert!(told.contains("bills.water_per_m3") && told.contains("expected 0 to 1e6"), "{told}");
}

//! Taps and switched shunts: against pandapower 3.5.6 (`DiscreteTapControl`) and power-grid-model, by hand, and what they must never do.

mod common;

use common::references;
use std::path::Path;
use urbis_utility::power::control::{
    ControlOutcome, ControlSettings, ControlTables, Controls, SwitchedShunt, TapChanger,
};
use urbis_utility::power::elements::End;
use urbis_utility::power::grid::{Branch, Bus, Load, Shunt};
use urbis_utility::power::{Grid, Method, NewtonSettings, PowerFlow, pandapower, pgm};

const MW: f64 = 1e6;

fn controlled(flow: &mut PowerFlow, tables: ControlTables) -> (Controls, ControlOutcome) {
    let mut controls = Controls::new(flow, tables, ControlSettings::default()).unwrap();
    let outcome = controls.solve(flow, Method::Newton, &NewtonSettings::default());
    (controls, outcome)
}

fn vm(flow: &PowerFlow, bus: u32) -> f64 {
    flow.voltage(bus).norm()
}

#[test]
fn tap_control_of_mv_oberrhein_as_pandapower() {
    let Some(reference) = references().into_iter().find(|reference| reference.name == "mv_oberrhein") else { return };
    let net = pandapower::read(&reference.folder.join("net.json.gz")).unwrap();
    let bus = |id: &str| net.grid.buses.id.iter().position(|other| other == id).unwrap() as u32;
    // Limits, taps of transformers 114 and 142, voltages of buses 39 and 319, sum of all voltages.
    let cases = [
        (1.03, 1.05, [-3, -4], [1.0314138890572202, 1.0464060749820658], 181.56148224599337),
        (0.97, 0.985, [0, 0], [0.9823991069038563, 0.9789249029871293], 170.4962951184784),
    ];
    for (low, high, positions, voltages, sum) in cases {
        let mut tables = ControlTables::default();
        for range in &net.tap_ranges {
            let to = net.grid.branches.to[range.branch as usize];
            tables.taps.push(TapChanger::of_range(range, End::To, to, 0.5 * (low + high), high - low));
        }
        let mut flow = PowerFlow::new(net.grid.clone()).unwrap();
        let (controls, outcome) = controlled(&mut flow, tables);
        assert!(outcome.is_settled, "{outcome:?}");
        assert_eq!(controls.tables().taps.position, positions);
        for (id, expected) in ["39", "319"].iter().zip(voltages) {
            assert!((vm(&flow, bus(id)) - expected).abs() < 1e-9, "{id}: {}", vm(&flow, bus(id)));
        }
        // Open ends of lines are buses here and none there.
        let is_of_net = |bus: &u32| flow.grid().buses.id[*bus as usize].parse::<u32>().is_ok();
        let of_all: f64 = (0..flow.grid().buses.len() as u32).filter(is_of_net).map(|bus| vm(&flow, bus)).sum();
        assert!((of_all - sum).abs() < 1e-8, "{of_all}");
    }
}

/// A net of pandapower: 110 kV, a transformer with taps at its low-voltage side, a line and a load at 20 kV.
fn net(side: &str, position: i32) -> String {
    let frame = |columns: &str, rows: &str| {
        let columns: Vec<String> = columns.split(' ').map(|column| format!("\"{column}\"")).collect();
        let index: Vec<String> = (0..rows.matches('[').count()).map(|row| row.to_string()).collect();
        let split =
            format!("{{\"columns\":[{}],\"index\":[{}],\"data\":[{rows}]}}", columns.join(","), index.join(","));
        let split = split.replace('"', "\\\"");
        format!(
            "{{\"_module\":\"pandas.core.frame\",\"_class\":\"DataFrame\",\"_object\":\"{split}\",\"orient\":\"split\"}}"
        )
    };
    let bus = frame("vn_kv", "[110.0],[20.0],[20.0]");
    let source = frame("bus vm_pu", "[0,1.0]");
    let load = frame("bus p_mw q_mvar", "[2,15.0,5.0]");
    let line = frame("from_bus to_bus length_km r_ohm_per_km x_ohm_per_km c_nf_per_km", "[1,2,5.0,0.2,0.35,10.0]");
    let columns = "hv_bus lv_bus sn_mva vn_hv_kv vn_lv_kv vkr_percent vk_percent pfe_kw i0_percent shift_degree tap_side \
                   tap_neutral tap_min tap_max tap_step_percent tap_pos tap_changer_type";
    let row = format!("[0,1,25.0,112.0,21.0,0.4,10.0,20.0,0.1,150.0,\"{side}\",0,-9,9,1.5,{position},\"Ratio\"]");
    let trafo = frame(columns, &row);
    format!(
        "{{\"_module\":\"pandapower.auxiliary\",\"_class\":\"pandapowerNet\",\"_object\":{{\"bus\":{bus},\"line\":{line},\
         \"load\":{load},\"trafo\":{trafo},\"ext_grid\":{source},\"f_hz\":50.0,\"sn_mva\":1.0,\"format_version\":\"3.0.0\"}}}}"
    )
}

#[test]
fn taps_at_the_low_voltage_side_as_pandapower() {
    let read = pandapower::parse(Path::new("net.json"), &net("lv", 2)).unwrap();
    let mut tables = ControlTables::default();
    tables.taps.push(TapChanger::of_range(&read.tap_ranges[0], End::To, 1, 1.01, 0.02));
    let mut flow = PowerFlow::new(read.grid).unwrap();
    let (controls, outcome) = controlled(&mut flow, tables);
    assert!(outcome.is_settled && outcome.tap_moves == 1 && outcome.rounds == 2, "{outcome:?}");
    assert_eq!(controls.tables().taps.position, [1]);
    for (bus, expected) in [1.0, 1.0137931915576195, 0.9497447196431635].into_iter().enumerate() {
        assert!((vm(&flow, bus as u32) - expected).abs() < 1e-9, "{bus}: {}", vm(&flow, bus as u32));
    }
}

#[test]
fn a_moved_tap_is_the_branch_that_the_reader_makes() {
    for side in ["hv", "lv"] {
        let at = |position| pandapower::parse(Path::new("net.json"), &net(side, position)).unwrap();
        let first = at(-4);
        let range = first.tap_ranges[0];
        assert_eq!((range.position, range.min, range.max, range.neutral), (-4, -9, 9, 0));
        let tap = TapChanger::of_range(&range, End::To, 1, 1.0, 0.02);
        for position in [-9, 0, 7] {
            let (expected, moved) = (at(position).grid.branches.row(1), first.grid.branches.row(1));
            let moved = tap.moved(&moved, -4, position);
            for (a, b) in moved.admittances().iter().zip(expected.admittances()) {
                assert!((a - b).norm() < 1e-12 * b.norm(), "{side} {position}: {moved:?} {expected:?}");
            }
        }
    }
}

#[test]
fn regulators_of_power_grid_model() {
    let text = r#"{"version": "1.0", "type": "input", "is_batch": false, "attributes": {}, "data": {
      "node": [{"id": 1, "u_rated": 10e3}, {"id": 2, "u_rated": 400}],
      "source": [{"id": 3, "node": 1, "status": 1, "u_ref": 1.0}],
      "sym_load": [{"id": 4, "node": 2, "status": 1, "type": 0, "p_specified": 200e3, "q_specified": 50e3}],
      "transformer": [{"id": 5, "from_node": 1, "to_node": 2, "from_status": 1, "to_status": 1, "u1": 10e3, "u2": 400,
        "sn": 4e5, "uk": 0.06, "pk": 5e3, "i0": 0.003, "p0": 600, "winding_from": 2, "winding_to": 1, "clock": 5,
        "tap_side": 0, "tap_pos": 0, "tap_nom": 0, "tap_min": 5, "tap_max": -5, "tap_size": 250}],
      "transformer_tap_regulator": [{"id": 6, "regulated_object": 5, "status": 1, "control_side": 1, "u_set": 410,
        "u_band": 12}]}}"#;
    let read = pgm::parse(Path::new("g.json"), text, pgm::FREQUENCY_HZ).unwrap();
    let (range, regulator) = (read.tap_ranges[0], read.tap_regulators[0]);
    assert_eq!((range.min, range.max, range.end, regulator.side, regulator.bus), (-5, 5, End::From, End::To, 1));
    // Positions run downwards, so that each lowers the winding's voltage.
    assert!((range.step_pu + 0.025).abs() < 1e-15 && (regulator.vm_set_pu - 1.025).abs() < 1e-12);
    let mut tables = ControlTables::default();
    tables.taps.push(TapChanger::of_regulator(&read.tap_ranges, &regulator).unwrap());
    let mut flow = PowerFlow::new(read.grid).unwrap();
    let (controls, outcome) = controlled(&mut flow, tables);
    assert!(outcome.is_settled && (vm(&flow, 1) - 1.025).abs() <= 0.015, "{outcome:?}");
    // power-grid-model 1.12.110, tap_changing_strategy any_valid_tap, error_tolerance 1e-12.
    assert_eq!(controls.tables().taps.position, [1]);
    assert!((vm(&flow, 1) - 1.011750531592619).abs() < 1e-10, "{}", vm(&flow, 1));
}

/// A stiff source, a transformer of reactance 0.1, another one or a line behind it, and a load, on 10 MVA.
fn feeder(load_w: f64) -> Grid {
    let mut grid = Grid::new(10.0 * MW);
    grid.buses.push(Bus::slack("source", 110e3, 1.0));
    grid.buses.push(Bus::pq("busbar", 20e3));
    grid.buses.push(Bus::pq("end", 20e3));
    grid.branches.push(Branch::series(0, 1, 0.0, 0.1));
    grid.branches.push(Branch::series(1, 2, 0.02, 0.05));
    let (current_share, impedance_share) = (0.0, 0.0);
    let (p_w, q_var) = (load_w, 0.3 * load_w);
    grid.loads.push(Load { bus: 2, p_w, q_var, current_share, impedance_share, is_in_service: true });
    grid
}

fn tap(branch: u32, bus: u32, vm_set_pu: f64, deadband_pu: f64) -> TapChanger {
    TapChanger {
        branch,
        end: End::From,
        side: End::To,
        bus,
        neutral: 0,
        min: -8,
        max: 8,
        position: 0,
        step_pu: 0.0125,
        step_rad: 0.0,
        vm_set_pu,
        deadband_pu,
        delay_rounds: 0,
        is_in_service: true,
    }
}

#[test]
fn a_band_narrower_than_a_step_ends_at_the_nearer_position() {
    let mut flow = PowerFlow::new(feeder(6.0 * MW)).unwrap();
    let mut tables = ControlTables::default();
    tables.taps.push(tap(0, 1, 1.0, 1e-4));
    let (controls, outcome) = controlled(&mut flow, tables);
    assert!(!outcome.is_settled && outcome.hunting == 1 && outcome.rounds < 20, "{outcome:?}");
    let off = (vm(&flow, 1) - 1.0).abs();
    let position = controls.tables().taps.position[0];
    for other in [position - 1, position + 1] {
        flow.set_tap(0, 1.0 + 0.0125 * f64::from(other), 0.0);
        assert!(flow.solve(Method::Newton, &NewtonSettings::default()).is_converged);
        assert!((vm(&flow, 1) - 1.0).abs() > off, "{other} is nearer than {position}");
    }
}

#[test]
fn it_stops_at_the_end_of_its_range() {
    let mut flow = PowerFlow::new(feeder(6.0 * MW)).unwrap();
    let mut tables = ControlTables::default();
    tables.taps.push(TapChanger { min: -2, ..tap(0, 2, 1.1, 0.02) });
    let (controls, outcome) = controlled(&mut flow, tables);
    assert!(outcome.is_settled && outcome.at_end == 1 && outcome.tap_moves == 2, "{outcome:?}");
    assert_eq!(controls.tables().taps.position, [-2]);
    assert!(vm(&flow, 2) < 1.09);
}

#[test]
fn the_one_with_a_delay_waits_for_the_other() {
    // Both would be satisfied by the first one alone.
    let moves = |delay_rounds| {
        let mut flow = PowerFlow::new(feeder(6.0 * MW)).unwrap();
        let mut tables = ControlTables::default();
        tables.taps.push(tap(0, 1, 1.03, 0.02));
        tables.taps.push(TapChanger { delay_rounds, ..tap(1, 2, 1.01, 0.03) });
        let (controls, outcome) = controlled(&mut flow, tables);
        assert!(outcome.is_settled, "{outcome:?}");
        controls.tables().taps.position.clone()
    };
    let (at_once, late) = (moves(0), moves(5));
    assert!(at_once[1] != 0 && late[1] == 0 && late[0] < 0, "{at_once:?} {late:?}");
}

#[test]
fn capacitors_and_reactors_switch_with_hysteresis() {
    // A reactance of 0.1 on 10 MVA to a source of 1: the block of 1 Mvar lifts the voltage by about 0.01.
    let mut grid = feeder(0.0);
    grid.shunts.push(Shunt { bus: 1, p_w: 0.0, q_var: 0.0, is_in_service: false });
    let bank = |block_q_var: f64, vm_on_pu, vm_off_pu| SwitchedShunt {
        shunt: 0,
        bus: 1,
        block_p_w: 0.0,
        block_q_var,
        blocks_max: 4,
        blocks: 0,
        vm_on_pu,
        vm_off_pu,
        delay_rounds: 0,
        is_in_service: true,
    };
    // Of V = 1 / (1 - 0.01 n), n = 2 is the first above 1.015; it stays up to 1.025.
    let mut tables = ControlTables::default();
    tables.shunts.push(bank(1.0 * MW, 1.015, 1.025));
    let mut flow = PowerFlow::new(grid.clone()).unwrap();
    let (mut controls, outcome) = controlled(&mut flow, tables);
    assert!(outcome.is_settled && outcome.shunt_moves == 2, "{outcome:?}");
    assert_eq!(controls.tables().shunts.blocks, [2]);
    assert!((vm(&flow, 1) - 1.0 / 0.98).abs() < 1e-9, "{}", vm(&flow, 1));
    assert!(flow.grid().shunts.is_in_service[0] && (flow.grid().shunts.q_var[0] - 2.0 * MW).abs() < 1e-9);
    // The source rises so that the voltage is above the band: 1.01 / 0.98 = 1.0306, 1.01 / 0.99 = 1.0202.
    let mut up = grid.clone();
    up.buses.vm_pu[0] = 1.01;
    let mut tables = controls.tables().clone();
    tables.shunts.blocks = vec![2];
    let mut flow = PowerFlow::new(up).unwrap();
    (controls, _) = controlled(&mut flow, tables);
    assert_eq!(controls.tables().shunts.blocks, [1]);
    assert!((vm(&flow, 1) - 1.01 / 0.99).abs() < 1e-9);
    // Reactors: on above 0.985, off below 0.97. 1 / 1.02 = 0.980.
    let mut tables = ControlTables::default();
    tables.shunts.push(bank(-MW, 0.985, 0.97));
    let mut flow = PowerFlow::new(grid).unwrap();
    (controls, _) = controlled(&mut flow, tables);
    assert_eq!(controls.tables().shunts.blocks, [2]);
    assert!((vm(&flow, 1) - 1.0 / 1.02).abs() < 1e-9);
}

#[test]
fn what_is_wrong_is_named() {
    let flow = PowerFlow::new(feeder(1.0 * MW)).unwrap();
    let mut tables = ControlTables::default();
    tables.taps.push(TapChanger { bus: 9, position: 11, ..tap(0, 1, 1.0, 0.02) });
    tables.taps.push(TapChanger { step_rad: std::f64::consts::FRAC_PI_2, ..tap(0, 1, f64::NAN, 0.0) });
    tables.taps.push(TapChanger { step_pu: 0.2, ..tap(7, 1, 1.0, 0.02) });
    let error = format!("{:?}", Controls::new(&flow, tables, ControlSettings::default()).unwrap_err());
    for part in [
        "taps row 1: bus = 9",
        "position = 11, expected -8..8",
        "taps row 2: step_pu",
        "vm_set_pu = NaN",
        "deadband_pu = 0",
        "taps row 3: branch = 7, expected the row of a branch",
        "taps row 3: step_pu = 0.2",
        "taps row 2: row = Branch(0), expected another than row 1 has",
    ] {
        assert!(error.contains(part), "no `{part}` in {error}");
    }
}

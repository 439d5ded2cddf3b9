//! Rows of networks: the electric grid, and pipes.

use urbis_output::{
    BillsRow, BranchStateRow, BusStateRow, EnergyBalanceRow, GasLinkRow, GasNodeRow, HeatLinkRow, HeatNodeRow,
    NetworkElementRow, OutagesRow, ResultsWriter, ServiceRow, SewerNodeRow, SubstationLoadRow, TankRow, TimeMs,
    UtilityBalanceRow, WaterLinkRow, WaterNodeRow,
};

/// A row in each table of the electric grid.
pub(crate) fn grid_rows(writer: &mut ResultsWriter, time: TimeMs) {
    let (interval_s, bus_id) = (900.0, "substation/0/hv");
    writer
        .bus_state(&BusStateRow {
            time,
            interval_s,
            bus_id,
            base_kv: 110.0,
            vm_pu: Some(1.0),
            va_deg: Some(0.0),
            vm_min_pu: Some(0.98),
            vm_max_pu: None,
            unsupplied_s: 0.0,
        })
        .unwrap();
    writer
        .branch_state(&BranchStateRow {
            time,
            interval_s,
            branch_id: "0",
            kind: "mv_cable",
            from_bus: bus_id,
            to_bus: bus_id,
            is_closed: true,
            p_from_w: Some(1000.0),
            q_from_var: Some(100.0),
            p_to_w: Some(-990.0),
            q_to_var: Some(-95.0),
            loading_percent: Some(12.5),
            loading_max_percent: Some(14.0),
        })
        .unwrap();
    writer
        .substation_load(&SubstationLoadRow {
            time,
            interval_s,
            substation_id: bus_id,
            p_w: 1000.0,
            q_var: 100.0,
            p_max_w: 1100.0,
            loading_percent: None,
            energy_wh: 250.0,
        })
        .unwrap();
    writer
        .energy_balance(&EnergyBalanceRow {
            time,
            interval_s,
            grid: "synthetic",
            demand_wh: 240.0,
            received_wh: 240.0,
            shed_wh: 0.0,
            imported_wh: 250.0,
            generated_wh: 0.0,
            served_wh: 240.0,
            stored_wh: 0.0,
            lost_wh: 10.0,
            residual_wh: 0.0,
            unconverged_steps: 0,
        })
        .unwrap();
    writer
        .outages(&OutagesRow {
            outage_id: 0,
            cause: "fault of branch 3",
            start_time: time,
            end_time: Some(time),
            customers: 12,
            duration_s: 600.0,
            customer_minutes: 120.0,
        })
        .unwrap();
    let ends = Some(bus_id);
    writer
        .network_element(&NetworkElementRow {
            utility: "electricity",
            kind: "mv_cable",
            element_id: "0",
            is_link: true,
            from_node: ends,
            to_node: ends,
            wkt: None,
        })
        .unwrap();
    writer
        .bills(&BillsRow {
            zone_id: "z1",
            purpose: "residential",
            utility: "electricity",
            unit: "kWh",
            quantity: 250.0,
            amount: 62.5,
        })
        .unwrap();
}

/// A row in each table of the networks of pipes.
pub(crate) fn pipe_rows(writer: &mut ResultsWriter, time: TimeMs) {
    let (interval_s, node_id, link_id) = (900.0, "n1", "pipe 1");
    writer
        .water_node(&WaterNodeRow {
            time,
            interval_s,
            node_id,
            head_m: Some(60.0),
            pressure_m: Some(40.0),
            pressure_min_m: None,
            demand_m3ps: 0.001,
            served_m3ps: 0.001,
            unsupplied_s: 0.0,
        })
        .unwrap();
    let (from_node, to_node, name) = (node_id, node_id, "");
    writer
        .water_link(&WaterLinkRow {
            time,
            interval_s,
            link_id,
            kind: "pipe",
            from_node,
            to_node,
            flow_m3ps: 0.002,
            velocity_max_mps: 0.5,
            headloss_m: Some(0.25),
            status: "open",
        })
        .unwrap();
    writer
        .tank(&TankRow { time, interval_s, tank_id: node_id, level_m: 3.0, volume_m3: 120.0, inflow_m3ps: -0.001 })
        .unwrap();
    writer
        .gas_node(&GasNodeRow {
            time,
            interval_s,
            node_id,
            pressure_pa: Some(151_325.0),
            gauge_pa: Some(50_000.0),
            gauge_min_pa: None,
            unsupplied_s: 0.0,
        })
        .unwrap();
    writer
        .gas_link(&GasLinkRow {
            time,
            interval_s,
            link_id,
            name,
            from_node,
            to_node,
            mdot_kgps: 0.01,
            velocity_max_mps: 4.0,
            linepack_kg: 0.5,
        })
        .unwrap();
    writer
        .heat_node(&HeatNodeRow {
            time,
            interval_s,
            node_id,
            pressure_pa: None,
            temp_c: Some(85.0),
            temp_min_c: Some(84.5),
            unsupplied_s: 0.0,
        })
        .unwrap();
    writer
        .heat_link(&HeatLinkRow {
            time,
            interval_s,
            link_id,
            name,
            from_node,
            to_node,
            mdot_kgps: 1.5,
            velocity_mps: 0.75,
            temp_from_c: Some(85.0),
            temp_to_c: None,
        })
        .unwrap();
    writer
        .sewer_node(&SewerNodeRow {
            time,
            interval_s,
            node_id,
            depth_max_m: 0.25,
            head_max_m: 10.25,
            inflow_max_m3ps: 0.05,
            flooded_m3: 0.0,
            outfall_m3: 40.0,
        })
        .unwrap();
    let (zone_id, utility) = ("z", "water");
    writer
        .service(&ServiceRow {
            time,
            interval_s,
            zone_id,
            utility,
            persons: 4.0,
            unserved_persons: 1.0,
            unserved_person_h: 0.25,
        })
        .unwrap();
    writer
        .utility_balance(&UtilityBalanceRow {
            time,
            interval_s,
            utility,
            network: "synthetic",
            unit: "m3",
            asked: 2.0,
            supplied: 2.5,
            served: 2.0,
            lost: 0.25,
            stored: 0.25,
            residual: 0.0,
            failed_steps: 0,
        })
        .unwrap();
}

use super::*;
use proptest::prelude::*;

/// A frame as pandapower writes it: columns, index, rows.
fn frame(columns: &str, index: &str, rows: &str) -> String {
    let split = format!("{{\"columns\":[{columns}],\"index\":[{index}],\"data\":[{rows}]}}");
    format!(
        "{{\"_module\":\"pandas.core.frame\",\"_class\":\"DataFrame\",\"_object\":{},\"orient\":\"split\"}}",
        serde_json::to_string(&split).unwrap()
    )
}

/// A source, a line and a load.
fn net(bus: &str, line: &str, load: &str, source: &str) -> String {
    let bus = frame("\"name\",\"vn_kv\",\"in_service\"", "0,1", bus);
    let line = frame(
        "\"name\",\"from_bus\",\"to_bus\",\"length_km\",\"r_ohm_per_km\",\"x_ohm_per_km\",\"c_nf_per_km\",\"g_us_per_km\",\"max_i_ka\",\"df\",\"parallel\",\"in_service\"",
        "4",
        line,
    );
    let load = frame("\"name\",\"bus\",\"p_mw\",\"q_mvar\",\"scaling\",\"in_service\"", "7", load);
    let source = frame("\"name\",\"bus\",\"vm_pu\",\"va_degree\",\"in_service\"", "0", source);
    format!(
        "{{\"_module\":\"pandapower.auxiliary\",\"_class\":\"pandapowerNet\",\"_object\":{{\"bus\":{bus},\"line\":{line},\"load\":{load},\"ext_grid\":{source},\"f_hz\":50.0,\"sn_mva\":1.0,\"format_version\":\"3.0.0\"}}}}"
    )
}

const BUS: &str = "[\"a\",20.0,true],[\"b\",20.0,true]";
const LINE: &str = "[\"cable\",0,1,2.0,0.2,0.1,0.0,0.0,0.3,1.0,1,true]";
const LOAD: &str = "[\"town\",1,1.0,0.0,1.0,true]";
const SOURCE: &str = "[\"grid\",0,1.0,0.0,true]";

fn problems(text: &str) -> String {
    format!("{:?}", parse(Path::new("net.json"), text).unwrap_err())
}

#[test]
fn a_net_of_two_buses() {
    let read = parse(Path::new("net.json"), &net(BUS, LINE, LOAD, SOURCE)).unwrap();
    assert_eq!((read.grid.buses.len(), read.grid.branches.len(), read.grid.loads.len()), (2, 1, 1));
    // 0.4 and 0.2 ohms on 20 kV and 1 MVA, which is 400 ohms.
    let branch = read.grid.branches.row(0);
    assert!((branch.r_pu - 1e-3).abs() < 1e-15 && (branch.x_pu - 5e-4).abs() < 1e-15, "{branch:?}");
    assert_eq!(read.element("line", "4").unwrap().branch(), Some(0));
}

#[test]
fn what_is_wrong_is_named() {
    let cases = [
        (net(BUS, LINE, LOAD, "[\"grid\",9,1.0,0.0,true]"), "ext_grid", "9"),
        (net(BUS, LINE, LOAD, "[\"grid\",0,1.0,0.0,false]"), "no element in service gives the voltage", ""),
        (net("[\"a\",20.0,true],[\"b\",-1.0,true]", LINE, LOAD, SOURCE), "vn_kv", "-1"),
        (net(BUS, "[\"cable\",0,5,2.0,0.2,0.1,0.0,0.0,0.3,1.0,1,true]", LOAD, SOURCE), "to_bus", "5"),
        (net(BUS, "[\"cable\",0,1,-2.0,0.2,0.1,0.0,0.0,0.3,1.0,1,true]", LOAD, SOURCE), "length_km", "-2"),
        (net(BUS, LINE, "[\"town\",1,null,0.0,1.0,true]", SOURCE), "p_mw", ""),
        (net(BUS, LINE, "[\"town\",1,\"much\",0.0,1.0,true]", SOURCE), "p_mw", "much"),
        ("{".to_owned(), "", ""),
        ("{\"_class\":\"other\"}".to_owned(), "expected pandapowerNet", ""),
    ];
    for (text, what, value) in cases {
        let said = problems(&text);
        assert!(said.contains("net.json") && said.contains(what) && said.contains(value), "{what}: {said}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn spoilt_nets_do_not_panic(at in 0.0..1.0_f64, byte in 32_u8..127, cut in any::<bool>()) {
        let whole = net(BUS, LINE, LOAD, SOURCE);
        let place = (at * whole.len() as f64) as usize;
        let mut bytes = whole.into_bytes();
        bytes[place] = byte;
        if cut {
            bytes.truncate(place);
        }
        let _ = parse(Path::new("net.json"), &String::from_utf8(bytes).unwrap());
    }
}

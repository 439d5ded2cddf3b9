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

/// The net with one more table, which has one row of index 0.
fn with_table(name: &str, columns: &str, row: &str) -> String {
    let table = frame(columns, "0", row);
    net(BUS, LINE, LOAD, SOURCE).replacen("\"bus\":", &format!("\"{name}\":{table},\"bus\":"), 1)
}

#[test]
fn tables_that_do_not_fit() {
    let whole = net(BUS, LINE, LOAD, SOURCE);
    let doubled = whole.replacen("\\\"index\\\":[0,1]", "\\\"index\\\":[1,1]", 1);
    assert!(problems(&doubled).contains("bus row 2: index = 1, expected an index that row 1 does not have already"));
    let short = whole.replacen("\\\"b\\\",20.0,true", "\\\"b\\\",20.0", 1);
    assert!(problems(&short).contains("bus row 2 (id 1): cells = 2, expected 3"));
    let misnamed = whole.replacen("length_km", "lenght_km", 1);
    assert!(problems(&misnamed).contains("line: column `length_km` is missing"));
    let not_a_number = whole.replacen("20.0,true", "NaN,true", 1);
    assert!(problems(&not_a_number).contains("bus row 1 (id 0): vn_kv = null, expected > 0"));
    assert!(problems(&whole[..whole.len() / 2]).contains("not whole JSON: EOF"));
    assert!(problems(&whole.replacen("pandapowerNet", "pandapipesNet", 1)).contains("pandapipesNet"));
    let columns = "\"bus\",\"element\",\"et\",\"closed\"";
    let switch = |row: &str| problems(&with_table("switch", columns, row));
    assert!(switch("[0,9,\"l\",true]").contains("element = 9, expected the index of a row of table line"));
    assert!(switch("[0,4,\"q\",true]").contains("et = q, expected one of b, l, t, t3"));
    assert!(switch("[5,4,\"l\",true]").contains("switch row 1 (id 0): bus = 5"));
    assert!(problems(&with_table("svc", "\"bus\"", "[0]")).contains("svc: 1 elements of this kind, expected none"));
    let generator = with_table("gen", "\"bus\",\"p_mw\",\"vm_pu\"", "[0,1.0,1.02]");
    assert!(problems(&generator).contains("vm_pu = 1.02 at bus 0, expected 1 as at bus 0"));
    let impedance = "\"from_bus\",\"to_bus\",\"sn_mva\",\"rft_pu\",\"xft_pu\",\"rtf_pu\",\"xtf_pu\"";
    let apart = with_table("impedance", impedance, "[0,1,1,0.1,0.1,0.2,0.1]");
    assert!(problems(&apart).contains("rtf_pu = 0.2, expected 0.1 as from the other end"));
}

#[test]
fn what_is_left_out_is_named() {
    let read = parse(Path::new("net.json"), &with_table("my_table", "\"value\"", "[1]")).unwrap();
    assert_eq!(read.notes, ["tables left out, with their rows: my_table (1)"]);
    assert!(parse(Path::new("net.json"), &with_table("res_bus", "\"vm_pu\"", "[1]")).unwrap().notes.is_empty());
}

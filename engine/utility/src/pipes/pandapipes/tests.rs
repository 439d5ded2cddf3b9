//! Refusals by name, older columns, what notes tell.

use super::*;
use crate::pipes::network::LinkKind;
use serde_json::json;
use urbis_core::Error;

fn frame(columns: &[&str], rows: Value) -> Value {
    let rows = rows.as_array().cloned().unwrap_or_default();
    let index: Vec<usize> = (0..rows.len()).collect();
    let split = json!({ "columns": columns, "index": index, "data": rows });
    json!({ "_module": "pandas.core.frame", "_class": "DataFrame", "_object": split.to_string(), "orient": "split" })
}

fn fluid(is_gas: bool) -> Value {
    let constant =
        |value: f64| json!({ "_class": "FluidPropertyConstant", "_object": json!({ "value": value }).to_string() });
    let line = json!({ "_class": "FluidPropertyLinear", "_object": "{\"slope\": -0.0022, \"offset\": 1.0}" });
    let of = json!({
        "name": "made up", "is_gas": is_gas,
        "all_properties": {
            "density": constant(if is_gas { 0.8 } else { 990.0 }), "viscosity": constant(1e-5),
            "heat_capacity": constant(4200.0), "compressibility": line,
        },
    });
    json!({ "_class": "Fluid", "_object": of.to_string() })
}

fn small(is_gas: bool) -> Value {
    let junctions = json!([["a", 5.0, 300.0, 0.0, true], ["b", 5.0, 300.0, 10.0, true], ["c", 5.0, 300.0, 10.0, true]]);
    let pipes = json!([[0, 1, 0.5, 100.0, 0.1, 0.0, 2, true], [1, 2, 0.5, 100.0, 0.1, 0.0, 1, true]]);
    let columns = [
        "from_junction",
        "to_junction",
        "length_km",
        "inner_diameter_mm",
        "k_mm",
        "loss_coefficient",
        "sections",
        "in_service",
    ];
    json!({
        "_module": "pandapipes.pandapipes_net", "_class": "pandapipesNet",
        "_object": {
            "fluid": fluid(is_gas), "version": "0.16.0",
            "junction": frame(&["name", "pn_bar", "tfluid_k", "height_m", "in_service"], junctions),
            "pipe": frame(&columns, pipes),
            "ext_grid": frame(&["junction", "p_bar", "t_k", "in_service", "type"], json!([[0, 5.0, 310.0, true, "pt"]])),
            "sink": frame(&["junction", "mdot_kg_per_s", "scaling", "in_service"], json!([[2, 0.1, 2.0, true], [2, 9.0, 1.0, false]])),
        },
    })
}

fn read_value(value: &Value) -> Result<PipeNet> {
    parse(Path::new("net.json"), &value.to_string())
}

/// Problems of a net, one a line.
fn problems(value: &Value) -> String {
    match read_value(value) {
        Err(Error::Input(problems)) => problems.listed().iter().map(|of| format!("{of}\n")).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_small_net_row_by_row() {
    let net = read_value(&small(true)).unwrap();
    let network = &net.network;
    assert_eq!((network.nodes.len(), network.links.len(), network.elements.len()), (4, 3, 2));
    assert_eq!(network.nodes.id, ["0", "1", "2", "pipe 0 section 1"]);
    assert_eq!((network.links.from.as_slice(), network.links.to.as_slice()), (&[0, 3, 1][..], &[3, 1, 2][..]));
    assert!((network.nodes.height_m[3] - 5.0).abs() < 1e-12 && (network.links.length_m[0] - 250.0).abs() < 1e-12);
    let drawn: Vec<f64> = network.draws.iter().map(|of| of.mdot_kgps).collect();
    assert_eq!(drawn, [0.2, 0.0]);
    // Bar above the air become pascal above vacuum.
    assert!((network.feeds[0].pressure_pa.unwrap() - 601_325.0).abs() < 1e-6);
    assert!(net.notes.is_empty(), "{:?}", net.notes);
}

#[test]
fn every_problem_is_named() {
    let mut net = small(true);
    let columns = ["from_junction", "to_junction", "length_km", "inner_diameter_mm", "k_mm", "sections", "in_service"];
    net["_object"]["pipe"] = frame(
        &columns,
        json!([
            [0, 7, 0.5, 100.0, 0.1, 1, true],
            [0, 1, -1.0, 0.0, 0.1, 1, true],
            [1, 1, 1.0, 100.0, 0.1, 1, true],
            [1, 2, 1.0, 100.0, 0.0, 0, "yes"]
        ]),
    );
    net["_object"]["ext_grid"] =
        frame(&["junction", "p_bar", "t_k", "type"], json!([[0, -3.0, null, "x"], [1, null, 1.0, "p"]]));
    let found = problems(&net);
    let expected = [
        "pipe row 1 (id 0): to_junction = 7, expected the index of a row of table junction",
        "pipe row 2 (id 1): inner_diameter_mm = 0.0, expected > 0",
        "pipe row 2 (id 1): length_km = -1.0, expected >= 0 and at most 40000",
        "pipe row 3 (id 2): to_junction = 1, expected another junction than the first",
        "pipe row 4 (id 3): k_mm = 0, expected > 0 in a network of gas",
        "pipe row 4 (id 3): in_service = \"yes\", expected true or false",
        "pipe row 4 (id 3): sections = 0, expected a number from 1, at most 100000 in the net",
        "ext_grid row 1 (id 0): type = x, expected p, t or pt",
        "ext_grid row 2 (id 1): p_bar = null, expected a pressure above vacuum, bar",
    ];
    let expected: String = expected.iter().map(|line| format!("net.json/{line}\n")).collect();
    assert_eq!(found, expected);
}

#[test]
fn what_is_not_understood_is_refused_or_told() {
    let mut net = small(false);
    net["_object"]["p2g"] = frame(&["junction", "in_service"], json!([[1, true], [1, false]]));
    assert!(problems(&net).contains("1 elements of a kind that is not understood"), "{}", problems(&net));
    net["_object"]["p2g"] = frame(&["junction", "in_service"], json!([[1, false]]));
    net["_object"]["station"] = frame(&["name"], json!([["x"]]));
    net["_object"]["res_pipe"] = frame(&["p"], json!([[1.0]]));
    net["_object"]["extra"] = json!({ "a": 1 });
    let notes = read_value(&net).unwrap().notes;
    assert_eq!(notes, ["tables left out, with their rows: p2g (1), station (1)", "members left out: extra"]);
    // Friction is asked, and no other options.
    net["_object"]["user_pf_options"] = json!({ "friction_model": "colebrook", "mode": "all", "iter": 3 });
    assert_eq!(read_value(&net).unwrap().options.friction, FrictionLaw::PrandtlColebrook);
    net["_object"]["user_pf_options"] = json!({ "friction_model": "hazen", "ambient_temperature": -3 });
    let found = problems(&net);
    assert!(found.contains("friction_model = \"hazen\"") && found.contains("ambient_temperature = -3"), "{found}");
}

#[test]
fn fluids_and_pressures_must_be_there() {
    let mut net = small(true);
    net["_object"]["ext_grid"] = frame(&["junction", "p_bar", "t_k", "type"], json!([[0, 5.0, 300.0, "t"]]));
    assert!(problems(&net).contains("no element in service gives a pressure"));
    net["_object"]["fluid"] = Value::Null;
    assert!(problems(&net).contains("is missing, expected a fluid"));
    net["_object"]["fluid"] = json!({ "_class": "Fluid", "_object": "{\"name\": \"x\", \"is_gas\": true, \"all_properties\": {\"density\": {\"_class\": \"Odd\", \"_object\": \"{}\"}}}" });
    let found = problems(&net);
    assert!(
        found.contains("density = ")
            && found.contains("no property `viscosity`")
            && found.contains("no property `compressibility`"),
        "{found}"
    );
    assert!(parse(Path::new("x"), "{\"_class\": \"pandapowerNet\"}").is_err());
}

#[test]
fn columns_of_older_versions() {
    let mut net = small(false);
    let columns = ["from_junction", "to_junction", "length_km", "diameter_m", "k_mm", "alpha_w_per_m2k", "in_service"];
    net["_object"]["pipe"] = frame(&columns, json!([[0, 1, 0.5, 0.1, 0.1, 3.0, true]]));
    net["_object"]["valve"] =
        frame(&["from_junction", "to_junction", "diameter_m", "opened"], json!([[1, 2, 0.05, false]]));
    let network = read_value(&net).unwrap().network;
    assert!((network.links.diameter_m[0] - 0.1).abs() < 1e-15 && (network.links.u_wpm2k[0] - 3.0).abs() < 1e-15);
    assert!(!network.links.is_in_service[1] && (network.links.diameter_m[1] - 0.05).abs() < 1e-15);
}

#[test]
fn consumers_need_two_values_that_say_something() {
    let mut net = small(false);
    let columns =
        ["from_junction", "to_junction", "qext_w", "controlled_mdot_kg_per_s", "deltat_k", "treturn_k", "in_service"];
    let rows = json!([
        [1, 2, 1e3, null, null, null, true],
        [1, 2, null, null, 20.0, 300.0, true],
        [1, 2, 1e3, null, 0.0, null, true]
    ]);
    net["_object"]["heat_consumer"] = frame(&columns, rows);
    let found = problems(&net);
    assert!(
        found.contains("1 values given") && found.contains("2 values given") && found.contains("deltat_k = 0"),
        "{found}"
    );
}

#[test]
fn valves_at_pipes_and_pumps_of_curves() {
    let mut net = small(false);
    net["_object"]["valve"] = frame(
        &["junction", "element", "et", "inner_diameter_mm", "opened", "loss_coefficient"],
        json!([[1, 0, "pi", 80.0, true, 0.0], [1, 0, "pi", 80.0, true, 0.0]]),
    );
    net["_object"]["pump"] = frame(
        &["from_junction", "to_junction", "std_type", "in_service"],
        json!([[0, 2, "P9", true], [0, 2, "none", false]]),
    );
    let curve = json!({ "name": "P9", "reg_par": { "_class": "array", "_object": [{ "_class": "float64", "_object": -0.1 }, 6.0] } });
    net["_object"]["std_types"] =
        json!({ "pump": { "P9": { "_class": "PumpStdType", "_object": curve.to_string() } } });
    let network = read_value(&net).unwrap().network;
    assert_eq!(network.links.to[1], 4); // the pipe's end has a node of its own
    assert_eq!((network.links.from[3], network.links.to[3], network.links.to[4]), (1, 4, 4));
    assert_eq!((network.links.kind[5], network.curves.as_slice()), (LinkKind::Pump(0), &[vec![-0.1, 6.0]][..]));
    net["_object"]["valve"] = frame(
        &["junction", "element", "et", "inner_diameter_mm", "opened"],
        json!([[2, 0, "pi", 80.0, true], [2, 5, "pi", 80.0, true], [1, 2, "xx", 80.0, true]]),
    );
    let found = problems(&net);
    assert!(
        found.contains("element = 0, expected the index of a row of table pipe") && found.contains("et = xx"),
        "{found}"
    );
}

//! Where the buses and branches of a solved grid lie, as a geometry column of its tables.
//!
//! There is one where the case gives every bus a place in longitude and latitude; a branch is drawn as its own shape, or
//! straight from bus to bus where that is missing or no shape in degrees. Ignored: other reference systems, as a case
//! does not say which it is of; metres are told from degrees by their size.

use geo::{Geometry, LineString, Point};
use urbis_city::geoparquet::{GEOMETRY, TableWriter};
use urbis_city::shape;
use urbis_core::Result;
use urbis_utility::power::case::Case;

/// Shapes of all buses and branches, in degrees.
#[derive(Debug)]
pub(crate) struct Places {
    pub(crate) buses: Vec<Geometry>,
    pub(crate) branches: Vec<Geometry>,
}

/// The shapes of a case, if it has them all, and what there is to tell about them.
pub(crate) fn places(case: &Case) -> (Option<Places>, Option<String>) {
    let points: Vec<Option<Geometry>> =
        case.bus_place.iter().map(|place| place.map(|[x, y]| Point::new(x, y).into())).collect();
    let first = |is_wrong: &dyn Fn(&Option<Geometry>) -> bool| points.iter().position(is_wrong);
    let told = |what: String| (None, Some(format!("no geometry in the tables: {what}")));
    if points.iter().all(Option::is_none) {
        return (None, None);
    }
    let id = |bus: usize| &case.grid.buses.id[bus];
    if let Some(bus) = first(&|point| point.is_none()) {
        let rest = points.iter().filter(|point| point.is_none()).count();
        return told(format!("bus {} has no place ({rest} of {})", id(bus), points.len()));
    }
    if let Some(bus) = first(&|point| point.as_ref().is_some_and(|point| !shape::is_in_degrees(point))) {
        let [x, y] = case.bus_place[bus].unwrap_or_default();
        return told(format!("bus {} at {x}, {y} is not at a longitude and latitude in degrees", id(bus)));
    }
    let (mut branches, mut straight) = (Vec::new(), 0);
    for (row, wkt) in case.branch_wkt.iter().enumerate() {
        let own = shape::of_wkt(wkt).filter(shape::is_in_degrees);
        straight += usize::from(own.is_none() && !wkt.is_empty());
        let (from, to) = (case.grid.branches.from[row] as usize, case.grid.branches.to[row] as usize);
        let ends = || [from, to].iter().filter_map(|&bus| case.bus_place[bus]).collect::<LineString>();
        branches.push(own.unwrap_or_else(|| ends().into()));
    }
    let note = (straight > 0)
        .then(|| format!("{straight} branches are drawn straight, as their geometry is no WKT in degrees"));
    (Some(Places { buses: points.into_iter().flatten().collect(), branches }), note)
}

/// Adds the column: WKB in Parquet, WKT in CSV.
pub(crate) fn push(table: &mut TableWriter, shapes: &[Geometry], as_csv: bool) -> Result<()> {
    let what = "Where it lies.";
    if as_csv {
        table.text(GEOMETRY, what, shapes.iter().map(shape::to_wkt));
        return Ok(());
    }
    table.geometry(what, shapes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::power_controls::ControlOptions;
    use crate::power_run::{PowerOptions, solve};
    use std::path::Path;
    use urbis_city::table::Table;
    use urbis_utility::power::{Method, Start};

    const BUS: &str = "bus_id,base_kv,kind,x_coord,y_coord\na,0.4,slack,7.5,48.25\nb,0.4,,7.25,-48.5\nc,0.4,,7,48\n";
    const LINE: &str = "line_id,from_bus_id,to_bus_id,r_ohm,x_ohm,geometry\n\
        1,a,b,0.1,0.1,\"LINESTRING(7.5 48.25,8 48,7.25 -48.5)\"\n2,b,c,0.1,0.1,\n";

    /// Solves a grid and returns the geometry of its buses and branches, and the notes.
    fn solved(place: &Path, bus: &str, line: &str, as_csv: bool) -> ([Option<Vec<String>>; 2], Vec<String>) {
        let (case, out) = (place.join("grid"), place.join("out"));
        std::fs::create_dir_all(&case).unwrap();
        std::fs::write(case.join("bus.csv"), bus).unwrap();
        std::fs::write(case.join("line.csv"), line).unwrap();
        std::fs::write(case.join("load.csv"), "load_id,bus_id,p_kw,q_kvar\n1,c,1,0\n").unwrap();
        let (method, start) = (Method::Newton, Start::Flat);
        let options = PowerOptions {
            case,
            out: out.clone(),
            method,
            start,
            tolerance_pu: 1e-10,
            max_iterations: 30,
            threads: Some(1),
            as_csv,
        };
        let notes = solve(&options, &ControlOptions::default()).unwrap().notes;
        let shapes = ["bus", "branch"].map(|name| {
            let table = Table::find_any(&out, name).unwrap().unwrap();
            let column = table.optional(GEOMETRY)?;
            Some(table.rows().map(|row| row.text(column).to_owned()).collect())
        });
        (shapes, notes)
    }

    #[test]
    fn shapes_are_those_of_the_case() {
        for as_csv in [false, true] {
            let place = tempfile::tempdir().unwrap();
            let ([buses, branches], notes) = solved(place.path(), BUS, LINE, as_csv);
            assert_eq!(buses.unwrap(), ["POINT(7.5 48.25)", "POINT(7.25 -48.5)", "POINT(7 48)"]);
            let expected = ["LINESTRING(7.5 48.25,8 48,7.25 -48.5)", "LINESTRING(7.25 -48.5,7 48)"];
            assert_eq!(branches.unwrap(), expected);
            assert!(notes.is_empty(), "{notes:?}");
        }
    }

    #[test]
    fn what_is_not_in_degrees_is_told() {
        let place = tempfile::tempdir().unwrap();
        let told = |bus: &str, line: &str| solved(place.path(), bus, line, false);
        let (shapes, notes) = told(&BUS.replace("7,48\n", "3400000,48\n"), LINE);
        assert_eq!(shapes, [None, None]);
        assert!(notes[0].contains("bus c at 3400000, 48 is not at a longitude and latitude"), "{notes:?}");
        let (shapes, notes) = told(&BUS.replace("7,48\n", ",\n"), LINE);
        assert_eq!((shapes, notes[0].contains("bus c has no place (1 of 3)")), ([None, None], true), "{notes:?}");
        let ([_, branches], notes) = told(BUS, &LINE.replace("LINESTRING", "LINE"));
        assert_eq!(branches.unwrap()[0], "LINESTRING(7.5 48.25,7.25 -48.5)");
        assert!(notes[0].starts_with("1 branches are drawn straight"), "{notes:?}");
        let none = "bus_id,base_kv,kind\na,0.4,slack\nb,0.4,\nc,0.4,\n";
        assert_eq!(told(none, LINE), ([None, None], Vec::new()));
    }

    #[test]
    fn results_are_not_written_over_the_grid() {
        let place = tempfile::tempdir().unwrap();
        solved(place.path(), BUS, LINE, false);
        let case = place.path().join("grid");
        let options = PowerOptions {
            out: case.join("../grid"),
            case,
            method: Method::Newton,
            start: Start::Flat,
            tolerance_pu: 1e-10,
            max_iterations: 30,
            threads: Some(1),
            as_csv: false,
        };
        assert!(
            solve(&options, &ControlOptions::default())
                .is_err_and(|error| format!("{error:?}").contains("another folder than that of the input"))
        );
    }
}

//! Open Matrix (OMX 0.2, github.com/osPlanning/omx): an HDF5 file with square matrices in group `data` and names of the
//! zones in group `lookup`. HDF5 is read by `hdf5-reader`, without libhdf5.
//!
//! Zones are called as the lookup says, or 1, 2, 3, ... where there is none. Cells that are not finite are no trips, as
//! OMX uses them for missing values, and counted; negative ones are errors.
//! Ignores: attributes. Contract: a pure function of the file; never a panic.

use super::Demand;
use crate::names::Names;
use hdf5_reader::group::Group;
use hdf5_reader::{Dataset, Hdf5File, OpenOptions};
use std::path::Path;
use urbis_core::diagnostics::did_you_mean;
use urbis_core::{Error, Problem, Problems, Result};

/// Greatest number of zones: more would not fit the memory as a full matrix.
const ZONES_MAX: usize = 40_000;
/// Largest part of the file that is held as one piece, bytes.
const PIECE_BYTES_MAX: usize = 1 << 30;

/// Which parts of the file are meant, where there are several.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OmxOptions {
    /// Name of the matrix; `None` where there is one only.
    pub matrix: Option<String>,
    /// Name of the lookup with the zones; `None` where there is one at most.
    pub lookup: Option<String>,
}

/// Reads a matrix of an OMX file.
///
/// # Errors
/// [`Error::Read`] when the file cannot be read; [`Error::Input`] when it is not OMX, has no matrix or lookup of the name
/// (or several, and none is named), the matrix is not square, or cells are negative.
pub fn read_omx(path: &Path, options: &OmxOptions) -> Result<Demand> {
    let bytes = std::fs::read(path).map_err(|source| Error::read(path, source))?;
    from_bytes(path, bytes, options)
}

fn from_bytes(path: &Path, bytes: Vec<u8>, options: &OmxOptions) -> Result<Demand> {
    let fault =
        |why: hdf5_reader::error::Error| Problem::file(path, format!("not an HDF5 file that can be read: {why}"));
    // A broken header must not fill the memory: deflate packs at most about a thousandfold.
    let most = bytes.len().saturating_mul(1100).clamp(1 << 28, 1 << 34);
    let limits = OpenOptions::default().with_max_chunk_bytes(PIECE_BYTES_MAX).with_max_read_bytes(most);
    let file = Hdf5File::from_vec_with_options(bytes, limits).map_err(fault)?;
    let root = file.root_group().map_err(fault)?;
    let data = root.group("data").map_err(|_| Problem::file(path, "has no group `data`; an OMX file has one"))?;
    let matrices = data.datasets().map_err(fault)?;
    let matrix = chosen(path, "matrix", &matrices, options.matrix.as_deref())?
        .ok_or_else(|| Problem::file(path, "group `data` holds no matrix"))?;
    let zones = match matrix.shape() {
        &[rows, columns] if rows == columns && rows > 0 && rows as usize <= ZONES_MAX => rows as usize,
        shape => {
            let what =
                format!("matrix `{}` has the shape {shape:?}, expected as many rows as columns", name_of(matrix));
            return Err(Problem::file(path, what).into());
        }
    };
    let ids = zone_ids(path, &root, options, zones)?;
    let cells = numbers(matrix).map_err(|why| Problem::file(path, format!("matrix `{}`: {why}", name_of(matrix))))?;
    let mut names = Names::default();
    let mut problems = Problems::new();
    for (row, id) in ids.iter().enumerate() {
        if names.insert(id) as usize != row {
            problems.push(Problem::value(path, row + 1, None, "zone", id, "a name that occurs once"));
            return problems.or_else(Demand::default());
        }
    }
    let mut missing = 0_u64;
    let mut kept = Vec::new();
    for (at, &trips) in cells.iter().enumerate() {
        let (origin, destination) = (at / zones, at % zones);
        if trips < 0.0 {
            let field = format!("trips to {}", ids[destination]);
            problems.push(Problem::value(path, origin + 1, Some(&ids[origin]), &field, trips, ">= 0"));
        } else if !trips.is_finite() {
            missing += 1;
        } else if trips > 0.0 {
            kept.push((origin as u32, destination as u32, trips));
        }
    }
    problems.or_else(())?;
    let mut demand = Demand::from_cells(names, kept);
    demand.notes.push(format!("matrix `{}`", name_of(matrix)));
    if missing > 0 {
        demand.notes.push(format!("{missing} cells are not finite and count as no trips"));
    }
    Ok(demand)
}

/// Last part of the name of a dataset.
fn name_of(dataset: &Dataset) -> &str {
    dataset.name().rsplit('/').next().unwrap_or_default()
}

/// The dataset of a name, or the only one.
fn chosen<'a>(path: &Path, what: &str, all: &'a [Dataset], name: Option<&str>) -> Result<Option<&'a Dataset>> {
    let names = || all.iter().map(name_of).collect::<Vec<_>>();
    if let Some(name) = name {
        let found = all.iter().find(|dataset| name_of(dataset) == name);
        return found.map(Some).ok_or_else(|| {
            let problem =
                Problem::file(path, format!("has no {what} `{name}`, expected one of {}", names().join(", ")));
            let near = did_you_mean(name, names()).map(|near| format!("did you mean `{near}`?"));
            Error::from(if let Some(near) = near { problem.with_help(near) } else { problem })
        });
    }
    if all.len() > 1 {
        let what_is = format!("has several of what is called {what}: {}", names().join(", "));
        return Err(Problem::file(path, what_is).with_help("name the one that is meant").into());
    }
    Ok(all.first())
}

fn zone_ids(path: &Path, root: &Group, options: &OmxOptions, zones: usize) -> Result<Vec<String>> {
    let group = root.group("lookup").or_else(|_| root.group("lookups"));
    let all = group.and_then(|group| group.datasets()).unwrap_or_default();
    let Some(lookup) = chosen(path, "lookup", &all, options.lookup.as_deref())? else {
        return Ok((1..=zones).map(|zone| zone.to_string()).collect());
    };
    let text = || lookup.read_strings().map_err(|why| why.to_string());
    let whole = |numbers: Vec<f64>| numbers.iter().map(ToString::to_string).collect::<Vec<_>>();
    let ids: Result<Vec<String>, String> = numbers(lookup).map(whole).or_else(|_| text());
    let ids = ids.map_err(|why| Problem::file(path, format!("lookup `{}`: {why}", name_of(lookup))))?;
    if ids.len() != zones {
        let what = format!("lookup `{}` has {} names, expected {zones}", name_of(lookup), ids.len());
        return Err(Problem::file(path, what).into());
    }
    Ok(ids.into_iter().map(|id| id.trim_end_matches('\0').trim().to_owned()).collect())
}

/// All values of a dataset of any kind of number, row by row.
fn numbers(dataset: &Dataset) -> Result<Vec<f64>, String> {
    use hdf5_reader::Datatype;
    fn values<T: hdf5_reader::H5Type + Copy>(dataset: &Dataset, to: impl Fn(T) -> f64) -> Result<Vec<f64>, String> {
        let array = dataset.read_array::<T>().map_err(|why| why.to_string())?;
        Ok(array.iter().map(|&value| to(value)).collect())
    }
    match dataset.dtype() {
        Datatype::FloatingPoint { size: 4, .. } => values(dataset, |value: f32| f64::from(value)),
        Datatype::FloatingPoint { size: 8, .. } => values(dataset, |value: f64| value),
        Datatype::FixedPoint { size: 1, signed: true, .. } => values(dataset, |value: i8| f64::from(value)),
        Datatype::FixedPoint { size: 2, signed: true, .. } => values(dataset, |value: i16| f64::from(value)),
        Datatype::FixedPoint { size: 4, signed: true, .. } => values(dataset, |value: i32| f64::from(value)),
        Datatype::FixedPoint { size: 8, signed: true, .. } => values(dataset, |value: i64| value as f64),
        Datatype::FixedPoint { size: 1, signed: false, .. } => values(dataset, |value: u8| f64::from(value)),
        Datatype::FixedPoint { size: 2, signed: false, .. } => values(dataset, |value: u16| f64::from(value)),
        Datatype::FixedPoint { size: 4, signed: false, .. } => values(dataset, |value: u32| f64::from(value)),
        Datatype::FixedPoint { size: 8, signed: false, .. } => values(dataset, |value: u64| value as f64),
        _ => Err("holds no numbers".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::fuzz;

    const OPENMATRIX: &[u8] = include_bytes!("../../tests/data/openmatrix.omx");
    const H5PY: &[u8] = include_bytes!("../../tests/data/h5py.omx");

    fn read(bytes: &[u8], matrix: Option<&str>) -> Result<Demand> {
        let options = OmxOptions { matrix: matrix.map(str::to_owned), lookup: None };
        from_bytes(Path::new("t.omx"), bytes.to_vec(), &options)
    }

    #[test]
    fn as_openmatrix_writes_it() {
        let demand = read(OPENMATRIX, Some("AM")).unwrap();
        assert_eq!(demand.zones, ["101", "205", "7"]);
        assert_eq!((demand.origin, demand.destination), (vec![0, 0, 1, 1, 2, 2], vec![1, 2, 0, 2, 0, 2]));
        assert_eq!(demand.trips, [2.5, 1.0, 0.25, 4.0, 3.0, 0.75]);
        let trucks = read(OPENMATRIX, Some("trucks")).unwrap();
        assert!((trucks.total() - 1.15).abs() < 1e-6);
        for (name, words) in
            [(None, "several of what is called matrix: AM, trucks"), (Some("truck"), "did you mean `trucks`?")]
        {
            let Err(Error::Input(problems)) = read(OPENMATRIX, name) else { panic!() };
            let problem = &problems.listed()[0];
            assert!(format!("{problem} {:?}", problem.help_text()).contains(words), "{problem}");
        }
    }

    #[test]
    fn chunks_compression_and_names() {
        let demand = read(H5PY, None).unwrap();
        assert_eq!((demand.zones.len(), demand.zones[39].as_str(), demand.total()), (40, "z39", 6513.0));
        let cell = |o, d| (0..demand.trips.len()).find(|&i| (demand.origin[i], demand.destination[i]) == (o, d));
        assert_eq!((cell(3, 5).map(|i| demand.trips[i]), cell(39, 0).map(|i| demand.trips[i])), (Some(5.0), Some(5.0)));
    }

    #[test]
    fn other_files() {
        assert!(read(b"no", None).is_err());
        assert!(read(&OPENMATRIX[..OPENMATRIX.len() / 2], Some("AM")).is_err());
    }

    proptest::proptest! {
        #[test]
        fn never_panics(changes in fuzz::changes(), other: bool) {
            let (valid, name) = if other { (H5PY, None) } else { (OPENMATRIX, Some("AM")) };
            proptest::prop_assert!(fuzz::answered(read(&fuzz::changed(valid, &changes), name)));
        }
    }
}

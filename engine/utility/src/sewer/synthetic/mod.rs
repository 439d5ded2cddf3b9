//! A made-up sewer for a city without data of its own: manholes and pipes along the streets that lead every building's
//! water by gravity to a treatment plant or a receiving water, with pumps where gravity does not do. It is plausible, not
//! true; [`SyntheticSewer::is_synthetic`] says so wherever it is carried.
//!
//! Steps:
//!
//! 1. `crate::streets`: where sewers may lie, and where buildings meet them.
//! 2. `tree` which way water goes: with the terrain, to the lowest place of each stretch.
//! 3. `ground` what rains where: half of each street, and the plots of buildings.
//! 4. `design` sizes and depths for the rational method with the design rain of [`storm`].
//! 5. `assemble` an input file of SWMM, which the reader of such files turns into the network.
//! 6. The network is run through the design storm; where it floods, pipes are enlarged, until it does not.
//!
//! The outfall of a combined sewer has a basin from which a throttle leads to the plant, and a weir to the receiving water.
//! [`figures`] sets lengths beside published ones.
//!
//! Ignored: house connections, loops (a street whose ends drain apart has a sewer at both ends only), drops in steep
//! streets, mains under pressure (a pump lifts on the spot), several catchments that follow real plants, water that runs
//! on the street from manhole to manhole, infiltration of groundwater. What is sealed is estimated from streets and
//! buildings, not seen.
//!
//! Contract: a pure function of its inputs without random numbers; ties go to the lower row; the same sewer on any number
//! of threads. Time is near linear in buildings and streets.

pub mod figures;
pub mod settings;
pub mod storm;

mod assemble;
mod design;
mod ground;
mod tree;
mod trial;

pub use design::DN_MM;
pub use figures::{Figure, REFERENCES};
pub use ground::estimate_dry_m3ps;
pub use settings::{Routing, SewerKind, SyntheticSewerSettings};

use super::Sewer;
use crate::power::settings::refusing;
use crate::streets::Streets;
use crate::streets::paths::NONE;
use design::{Designed, design};
use std::path::Path;
use tree::Trees;
use trial::{Storm, StormRunoff};
use urbis_city::model::City;
use urbis_core::{Problem, Problems, Result};

/// Rounds in which pipes are enlarged.
const ROUNDS_MAX: u32 = 12;
/// By how much a pipe is enlarged in a round.
const ENLARGED: f64 = 1.15;
/// Time after a storm that is looked at, s.
const AFTER_S: f64 = 7200.0;
/// Water that comes up through a manhole and is none, m3.
const DRY_M3: f64 = 0.01;
/// Most sewage of a building, m3/s.
const DRY_M3PS_MAX: f64 = 100.0;

/// What a link is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PipeKind {
    /// A pipe along a street.
    Sewer,
    /// From the last manhole to the works.
    Outlet,
    /// From a wet well to the manhole above it.
    Pump,
    /// From the basin to the treatment plant.
    Throttle,
    /// From the basin to the receiving water.
    Overflow,
}

urbis_core::named!(PipeKind {
    Sewer = "sewer",
    Outlet = "outlet",
    Pump = "pump",
    Throttle = "throttle",
    Overflow = "overflow",
});

/// What stands behind each row of links; columns by link.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PipeFacts {
    /// What it is.
    pub kind: Vec<PipeKind>,
    /// Diameter, mm; 0 for what is no pipe.
    pub dn_mm: Vec<u32>,
    /// Pipes side by side.
    pub barrels: Vec<u32>,
    /// Length, metres; 0 for what is no pipe.
    pub length_m: Vec<f64>,
    /// Slope; 0 for what is no pipe.
    pub slope: Vec<f64>,
    /// Flow that it is made for, m3/s.
    pub design_m3ps: Vec<f64>,
    /// Where the corners of each link begin in `corners`; one longer than links.
    pub corner_start: Vec<u32>,
    /// Easting, northing of lines, metres in the city's reference system.
    pub corners: Vec<[f64; 2]>,
}

impl PipeFacts {
    /// Line of a link from its first node, metres; a single place for pumps and the like.
    #[must_use]
    pub fn line(&self, link: usize) -> &[[f64; 2]] {
        &self.corners[self.corner_start[link] as usize..self.corner_start[link + 1] as usize]
    }
}

/// What came of a storm.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StormCheck {
    /// Its return period, years.
    pub return_period_y: f64,
    /// Its rain, mm.
    pub rain_mm: f64,
    /// Nodes at which water came up.
    pub flooded_nodes: u32,
    /// Water that came up, m3.
    pub flooded_m3: f64,
    /// Gap of the books.
    pub gap: f64,
}

/// See the module.
#[derive(Clone, Debug, PartialEq)]
pub struct SyntheticSewer {
    /// Always true: a made-up sewer, to be named as such wherever it is shown.
    pub is_synthetic: bool,
    /// The network, with its design storm as its rain.
    pub sewer: Sewer,
    /// The same as an input file of SWMM.
    pub inp: String,
    /// Node of each building.
    pub building_node: Vec<u32>,
    /// Easting, northing of each node, metres in the city's reference system.
    pub node_place: Vec<[f64; 2]>,
    /// Height of the ground at each node, metres.
    pub ground_m: Vec<f64>,
    /// What links stand for.
    pub pipes: PipeFacts,
    /// Area that drains into the sewer, and the sealed part of it, m2.
    pub area_m2: f64,
    /// Sealed part.
    pub sealed_m2: f64,
    /// Longest time of concentration, s.
    pub concentration_s: f64,
    /// The design storm, and that of ten times its return period.
    pub checks: [StormCheck; 2],
    /// What did not come out as planned, in sentences for people.
    pub notes: Vec<String>,
}

impl SyntheticSewer {
    /// Plans the sewer of a city for the mean sewage of each building, m3/s; shape: buildings. A city without buildings has
    /// an empty network.
    ///
    /// # Errors
    /// [`urbis_core::Error::Input`] with every setting or building that makes no plan, or where there is no street along
    /// which sewers could lie.
    pub fn plan(city: &City, dry_m3ps: &[f64], settings: &SyntheticSewerSettings) -> Result<Self> {
        check(city, dry_m3ps, settings)?;
        let streets = match city.buildings.is_empty() {
            true => Streets::default(),
            false => Streets::new(city, settings.streets()).ok_or_else(|| {
                Problem::file(Path::new("links"), "no street between nodes with coordinates, so nowhere to lay sewers")
            })?,
        };
        let trees = Trees::new(&streets, settings);
        let own = ground::own(city, &streets, &trees, dry_m3ps, settings);
        let mut enlarged = vec![1.0; streets.place.len()];
        let (mut round, mut runoff) = (0, None);
        let (mut of, designed) = loop {
            let designed = design(&trees, &streets.height_m, &own, &enlarged, settings);
            let mut of = assemble::assemble(&streets, &trees, &own, &designed, settings)?;
            if !settings.has_rain() || trees.order.is_empty() {
                break (of, designed);
            }
            // After the rain and the longest way down nothing rises any more; the last round looks on for two hours.
            let storm = Storm { return_period_y: settings.return_period_y, after_s: AFTER_S };
            let runoff = runoff.get_or_insert_with(|| StormRunoff::new(&of.sewer.sewer, settings, storm));
            let sewage = (dry_m3ps, &streets.joint[..]);
            let mut flooded = of.try_runoff(settings, runoff, designed.longest_s.min(AFTER_S), sewage);
            if round == ROUNDS_MAX || flooded.iter().all(|&volume_m3| volume_m3 <= DRY_M3) {
                flooded = of.run_storm(settings, storm, sewage, 0);
            }
            let mut floods = false;
            for (&vertex, &volume_m3) in of.vertex.iter().zip(&flooded) {
                // The works are not enlarged.
                if volume_m3 > DRY_M3 && vertex != NONE {
                    enlarged[vertex as usize] *= ENLARGED;
                    floods = true;
                }
            }
            round += 1;
            if !floods || round > ROUNDS_MAX {
                let storm = Storm { return_period_y: 10.0 * settings.return_period_y, after_s: AFTER_S };
                of.run_storm(settings, storm, sewage, 1);
                break (of, designed);
            }
        };
        of.sewer.concentration_s = designed.longest_s;
        let mut sewer = of.sewer;
        sewer.building_node = streets.joint.iter().map(|&vertex| of.node_of_vertex[vertex as usize]).collect();
        notes(&mut sewer, &streets, &designed, round, settings);
        Ok(sewer)
    }
}

/// A sewer whose rows are known by vertex.
struct Assembled {
    sewer: SyntheticSewer,
    /// Node of each vertex, [`NONE`] where there is none.
    node_of_vertex: Vec<u32>,
    /// Vertex of each node, [`NONE`] for the works.
    vertex: Vec<u32>,
}

fn notes(
    of: &mut SyntheticSewer,
    streets: &Streets,
    designed: &Designed,
    round: u32,
    settings: &SyntheticSewerSettings,
) {
    if of.building_node.is_empty() {
        return;
    }
    let mut notes = Vec::new();
    if !streets.has_heights {
        notes.push("the city knows no heights: sewers lie as if it were flat".to_owned());
    }
    if !streets.joinings_m.is_empty() {
        let all_m: f64 = streets.joinings_m.iter().sum();
        notes.push(format!("{} stretches are joined by straight pipes, {all_m:.0} m in all", streets.joinings_m.len()));
    }
    if streets.supplied.len() > 1 {
        notes.push(format!("{} stretches of streets have outfalls of their own", streets.supplied.len()));
    }
    let wells = designed.well_m.iter().filter(|well| well.is_finite()).count();
    if wells > 0 {
        notes.push(format!("{wells} pumps lift where a sewer would lie deeper than {} m", settings.depth_m_max));
    }
    let many = designed.barrels.iter().filter(|&&barrels| barrels > 1).count();
    if many > 0 {
        notes.push(format!("{many} pipes are several side by side: one of {} mm does not do", DN_MM[DN_MM.len() - 1]));
    }
    if of.checks[0].flooded_nodes > 0 {
        let StormCheck { flooded_nodes, flooded_m3, .. } = of.checks[0];
        notes.push(format!(
            "{flooded_nodes} nodes still flood with {flooded_m3:.1} m3 in the design storm after {round} rounds"
        ));
    }
    notes.append(&mut of.notes);
    of.notes = notes;
}

fn check(city: &City, dry_m3ps: &[f64], settings: &SyntheticSewerSettings) -> Result<()> {
    refusing("synthetic sewer", |tell| settings.check(tell))?;
    let mut problems = Problems::new();
    let (table, place) = (&city.buildings, Path::new("buildings"));
    if dry_m3ps.len() != table.len() {
        let what = format!("{} flows of sewage, expected {}, one for each building", dry_m3ps.len(), table.len());
        problems.push(Problem::file(place, what));
        return problems.or_else(());
    }
    for (row, &m3ps) in dry_m3ps.iter().enumerate() {
        let id = Some(table.id[row].as_str());
        if !(0.0..=DRY_M3PS_MAX).contains(&m3ps) {
            let expected = format!("0 to {DRY_M3PS_MAX}");
            problems.push(Problem::value(place, row + 1, id, "dry_m3ps", m3ps, expected));
        }
        for (field, value) in [("x_m", table.x_m[row]), ("y_m", table.y_m[row])] {
            if !value.is_finite() {
                problems.push(Problem::value(place, row + 1, id, field, value, "a finite number"));
            }
        }
    }
    problems.or_else(())
}

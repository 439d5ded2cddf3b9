//! Puts a plan in tables: buses, branches, loads and what each stands for. Order: substations with their transformers,
//! stations with theirs, rings, trees, buildings.
//!
//! Taps: that of a substation brings its busbar at peak nearest to the wanted voltage, from an estimate of the drop over
//! its transformers, which cables' charging makes smaller. That of a station brings the mean of its busbar's voltages at
//! peak, its own drop aside, and without load nearest to the wanted one, as both ends of the range matter.

use super::areas::Basis;
use super::{BranchFacts, BranchKind, Planned, Source, Station, Substation, SyntheticGrid, TransformerRole};
use super::{Installed, Laid};
use crate::power::grid::{Branch, Bus, Grid, Load};
use crate::streets::Streets;
use crate::streets::paths::NONE;
use urbis_city::model::City;

/// Power of one per unit, VA.
const BASE_VA: f64 = 1e6;
/// Service cables longer than this are counted in a note, metres.
const LONG_SERVICE_M: f64 = 200.0;

/// Without anything.
pub(super) fn empty() -> SyntheticGrid {
    SyntheticGrid {
        is_synthetic: true,
        grid: Grid::new(BASE_VA),
        building_bus: Vec::new(),
        building_load: Vec::new(),
        building_station: Vec::new(),
        local_peak_w: Vec::new(),
        customers: Vec::new(),
        bus_place: Vec::new(),
        branches: BranchFacts { corner_start: vec![0], ..BranchFacts::default() },
        stations: Vec::new(),
        substations: Vec::new(),
        notes: Vec::new(),
    }
}

struct Writer<'a> {
    basis: &'a Basis<'a>,
    streets: &'a Streets,
    /// Estimated voltage of each substation's busbar at peak and without load, per unit.
    busbar_pu: Vec<[f64; 2]>,
    out: SyntheticGrid,
}

impl Writer<'_> {
    fn bus(&mut self, bus: Bus, place: [f64; 2]) -> u32 {
        self.out.bus_place.push(place);
        self.out.grid.buses.push(bus)
    }
    fn branch(&mut self, branch: Branch, kind: BranchKind, of: (u32, u32), length_m: f64, line: &[[f64; 2]]) -> u32 {
        let facts = &mut self.out.branches;
        facts.kind.push(kind);
        facts.length_m.push(length_m);
        facts.equipment.push(of.0);
        facts.parallel.push(of.1);
        facts.ring.push(BranchFacts::NO_RING);
        facts.corners.extend_from_slice(line);
        facts.corner_start.push(facts.corners.len() as u32);
        self.out.grid.branches.push(branch)
    }
    fn cable(&mut self, ends: (u32, u32), kind: BranchKind, laid: Laid, length_m: f64, line: &[[f64; 2]]) -> u32 {
        let settings = self.basis.settings;
        let is_mv = matches!(kind, BranchKind::MvCable | BranchKind::MvTie);
        let base_v = if is_mv { settings.mv_base_v } else { settings.lv_base_v };
        let is_open = kind == BranchKind::MvTie;
        let branch = self.basis.equipment.line(ends, laid, length_m, base_v, BASE_VA);
        let branch = Branch { is_in_service: !is_open, can_close: is_open, ..branch };
        self.branch(branch, kind, (laid.cable, laid.parallel), length_m, line)
    }
    fn transformer(&mut self, ends: (u32, u32), kind: BranchKind, of: Installed, tap: i32, place: [f64; 2]) -> u32 {
        let branch = self.basis.equipment.branch(ends, of, tap, BASE_VA);
        self.branch(branch, kind, (of.transformer, of.parallel), 0.0, &[place])
    }
}

/// The tap whose voltage is nearest to the wanted one, the smaller of equal ones.
fn nearest_tap(steps: u32, step_percent: f64, wanted_pu: f64, at_ratio: impl Fn(f64) -> f64) -> i32 {
    let off = |tap: i32| (at_ratio(1.0 - f64::from(tap) * step_percent / 100.0) - wanted_pu).abs();
    let mut best = 0;
    for size in 1..=steps as i32 {
        for tap in [size, -size] {
            if off(tap) < off(best) {
                best = tap;
            }
        }
    }
    best
}

/// The grid of a plan.
pub(super) fn assemble(city: &City, basis: &Basis<'_>, streets: &Streets, planned: &Planned) -> SyntheticGrid {
    let buildings = city.buildings.len();
    let out = SyntheticGrid {
        building_bus: vec![NONE; buildings],
        building_load: (0..buildings as u32).collect(),
        building_station: vec![NONE; buildings],
        local_peak_w: vec![0.0; buildings],
        customers: basis.demand.customers.clone(),
        ..empty()
    };
    let mut writer = Writer { basis, streets, busbar_pu: Vec::new(), out };
    writer.substations(planned);
    writer.stations(city, planned);
    writer.rings(planned);
    writer.trees(city, planned);
    writer.loads(planned);
    writer.notes(planned);
    writer.out
}

impl Writer<'_> {
    fn substations(&mut self, planned: &Planned) {
        let (settings, equipment) = (self.basis.settings, self.basis.equipment);
        let mut charging_var = vec![0.0; planned.supplies.len()];
        for ring in &planned.rings {
            let length_m: f64 = ring.legs.iter().map(|leg| leg.length_m).sum();
            charging_var[ring.supply as usize] +=
                equipment.charging_s(ring.laid, length_m) * settings.mv_base_v.powi(2);
        }
        for (row, supply) in planned.supplies.iter().enumerate() {
            let place = self.streets.place[supply.vertex as usize];
            let hv = Bus::slack(format!("substation/{row}/hv"), settings.hv_base_v, settings.hv_pu);
            let hv_bus = self.bus(hv, place);
            let mv_bus = self.bus(Bus::pq(format!("substation/{row}/mv"), settings.mv_base_v), place);
            let peak_w = supply.sums.peak_w(self.basis.demand.g);
            let needed_va = peak_w / settings.power_factor / settings.substation_loading_max;
            let Some(firm) = equipment.transformer(TransformerRole::HvMv, needed_va) else { continue };
            let of = &equipment.transformers[firm.transformer as usize];
            let count = firm.parallel + 1;
            let (z, r) = (of.short_circuit_percent / 100.0, of.short_circuit_resistive_percent / 100.0);
            let x = (z * z - r * r).max(0.0).sqrt();
            let of_rated = 1.0 / (of.rated_va * f64::from(count));
            let p = peak_w * of_rated;
            let charging = charging_var[row] * of_rated;
            let drop_pu = r * p + x * (p * settings.tan_phi() - charging);
            let at_ratio = |ratio: f64| settings.hv_pu / ratio - drop_pu;
            let tap = nearest_tap(of.tap_steps, of.tap_step_percent, settings.mv_busbar_pu, at_ratio);
            let set_pu = settings.hv_pu / (1.0 - f64::from(tap) * of.tap_step_percent / 100.0);
            self.busbar_pu.push([set_pu - drop_pu, set_pu + x * charging]);
            let unit = Installed { parallel: 1, ..firm };
            let kind = BranchKind::SubstationTransformer;
            let units = (0..count).map(|_| self.transformer((hv_bus, mv_bus), kind, unit, tap, place));
            let branches = units.collect();
            self.out.substations.push(Substation { hv_bus, mv_bus, branches, peak_w });
        }
    }
    fn stations(&mut self, city: &City, planned: &Planned) {
        let (settings, equipment) = (self.basis.settings, self.basis.equipment);
        let mut fed_by = vec![(NONE, 0.0); planned.stops.len()];
        for ring in &planned.rings {
            for (&stop, &drop_pu) in ring.stops.iter().zip(&ring.drop_pu) {
                fed_by[stop as usize] = (ring.supply, drop_pu);
            }
        }
        for (row, (stop, source)) in planned.stops.iter().zip(&planned.sources).enumerate() {
            let place = self.streets.place[stop.vertex as usize];
            let mv_bus = self.bus(Bus::pq(format!("station/{row}/mv"), settings.mv_base_v), place);
            let (lv_id, lv_place) = match *source {
                Source::Area(_) => (format!("station/{row}/lv"), place),
                Source::Building(building) => {
                    let table = &city.buildings;
                    let building = building as usize;
                    (format!("building/{}", table.id[building]), [table.x_m[building], table.y_m[building]])
                }
            };
            let lv_bus = self.bus(Bus::pq(lv_id, settings.lv_base_v), lv_place);
            let peak_w = stop.sums.peak_w(self.basis.demand.g);
            let needed_va = peak_w / settings.power_factor / settings.transformer_loading_max;
            let Some(installed) = equipment.transformer(TransformerRole::MvLv, needed_va) else { continue };
            let of = &equipment.transformers[installed.transformer as usize];
            let (substation, drop_pu) = fed_by[row];
            let [peak_pu, idle_pu] = self.busbar_pu[substation as usize];
            let at_ratio = |ratio: f64| 0.5 * (peak_pu - drop_pu + idle_pu) / ratio;
            let tap = nearest_tap(of.tap_steps, of.tap_step_percent, settings.lv_busbar_pu, at_ratio);
            let kind = BranchKind::StationTransformer;
            let branch = self.transformer((mv_bus, lv_bus), kind, installed, tap, place);
            let rated_va = self.out.grid.branches.rating_va[branch as usize];
            let is_private = matches!(source, Source::Building(_));
            let customers = 0;
            self.out.stations.push(Station {
                mv_bus,
                lv_bus,
                branch,
                substation,
                rated_va,
                peak_w,
                customers,
                is_private,
            });
        }
    }
    fn rings(&mut self, planned: &Planned) {
        for (number, ring) in planned.rings.iter().enumerate() {
            let supply = &planned.supplies[ring.supply as usize];
            let busbar = self.out.substations[ring.supply as usize].mv_bus;
            let (mut bus, mut vertex) = (busbar, supply.vertex);
            for (row, leg) in ring.legs.iter().enumerate() {
                let (next, to) = ring.stops.get(row).map_or((busbar, supply.vertex), |&stop| {
                    (self.out.stations[stop as usize].mv_bus, planned.stops[stop as usize].vertex)
                });
                let line = self.streets.line(vertex, &leg.way);
                let kind = if row == ring.open_leg { BranchKind::MvTie } else { BranchKind::MvCable };
                let branch = self.cable((bus, next), kind, ring.laid, leg.length_m, &line);
                self.out.branches.ring[branch as usize] = number as u32;
                (bus, vertex) = (next, to);
            }
        }
    }
    fn trees(&mut self, city: &City, planned: &Planned) {
        let settings = self.basis.settings;
        let ladder = self.basis.equipment.ladder(super::CableRole::LvMain, settings);
        let table = &city.buildings;
        for (station, source) in planned.sources.iter().enumerate() {
            let area = match *source {
                Source::Building(building) => {
                    self.connect(building, station, self.out.stations[station].lv_bus, planned);
                    continue;
                }
                Source::Area(area) => &planned.areas[area as usize],
            };
            let mut bus_of = Vec::with_capacity(area.joints.len());
            for joint in &area.joints {
                let place = self.streets.place[joint.vertex as usize];
                let bus = if joint.before == NONE {
                    self.out.stations[station].lv_bus
                } else {
                    let before = bus_of[joint.before as usize];
                    let bus = self.bus(Bus::pq(format!("joint/{}", joint.vertex), settings.lv_base_v), place);
                    let from = area.joints[joint.before as usize].vertex;
                    let line = self.streets.line(from, &joint.way);
                    self.cable((before, bus), BranchKind::LvCable, ladder[joint.rung], joint.length_m, &line);
                    bus
                };
                bus_of.push(bus);
                for &building in self.basis.buildings(joint.vertex) {
                    let row = building as usize;
                    let at = [table.x_m[row], table.y_m[row]];
                    let own = self.bus(Bus::pq(format!("building/{}", table.id[row]), settings.lv_base_v), at);
                    let (laid, length_m) = (self.basis.service[row], self.basis.service_m[row]);
                    self.cable((bus, own), BranchKind::ServiceCable, laid, length_m, &[place, at]);
                    self.connect(building, station, own, planned);
                }
            }
        }
    }
    fn connect(&mut self, building: u32, station: usize, bus: u32, planned: &Planned) {
        let row = building as usize;
        self.out.building_bus[row] = bus;
        self.out.building_station[row] = station as u32;
        let demand = self.basis.demand;
        self.out.local_peak_w[row] = demand.sums[row].part_w(&planned.stops[station].sums, demand.g);
        self.out.stations[station].customers += demand.customers[row];
    }
    fn loads(&mut self, planned: &Planned) {
        let demand = self.basis.demand;
        for row in 0..self.out.building_bus.len() {
            let station = &self.out.stations[self.out.building_station[row] as usize];
            let whole = &planned.supplies[station.substation as usize].sums;
            let p_w = demand.sums[row].part_w(whole, demand.g);
            self.out.grid.loads.push(Load {
                bus: self.out.building_bus[row],
                p_w,
                q_var: p_w * self.basis.settings.tan_phi(),
                current_share: 0.0,
                impedance_share: 0.0,
                is_in_service: true,
            });
        }
    }
    fn notes(&mut self, planned: &Planned) {
        let mut notes = Vec::new();
        let joinings = &self.streets.joinings_m;
        if !joinings.is_empty() {
            let sum_m: f64 = joinings.iter().sum();
            notes.push(format!(
                "{} stretches of streets that do not meet are joined by straight cables, {sum_m:.0} m in all.",
                joinings.len()
            ));
        }
        if self.streets.supplied.len() > 1 {
            let apart = self.streets.supplied.len() - 1;
            notes.push(format!("{apart} stretches of streets too far from the rest have substations of their own."));
        }
        let (lengths, facts) = (&self.basis.service_m, &self.out.branches);
        let is_service = facts.kind.iter().filter(|&&kind| kind == BranchKind::ServiceCable).count();
        let long = lengths.iter().filter(|&&length_m| length_m > LONG_SERVICE_M).count();
        if long > 0 {
            notes.push(format!("{long} of {is_service} service cables are longer than {LONG_SERVICE_M} m."));
        }
        let areas = planned.areas.iter().filter(|area| !area.is_within).count();
        if areas > 0 {
            notes.push(format!("{areas} stations of a single joint exceed a limit of load, way or voltage drop."));
        }
        let rings = planned.rings.iter().filter(|ring| !ring.is_within).count();
        if rings > 0 {
            notes.push(format!("{rings} rings exceed a limit of load or voltage drop with the most cables allowed."));
        }
        self.out.notes = notes;
    }
}

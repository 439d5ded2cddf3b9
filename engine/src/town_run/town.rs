//! The coupled step.
//!
//! 1. What fails at the start of the step is out, and so are plants without electricity **in this step**, once 2 is done. Where
//!    that is another set than before, the network is made anew.
//! 2. Electricity is solved: loads by profile, and the heaters that stand in for gas and heat that were missing **in the step
//!    before**.
//! 3. Houses without electricity take no gas and no heat; plants without electricity stand still. Gas, heat and water are
//!    solved side by side: nothing of one acts on another within a step.
//! 4. What houses with electricity lack of gas and heat becomes load of the next step.
//!
//! The circle electricity -> heat -> electricity is cut between 4 and 2: heaters follow a step later than the shortfall. The
//! chain electricity -> gas, heat, water is not cut.
//!
//! Contract: the same bits on any number of threads, as networks are solved side by side and each on its own.

use super::books::{Account, Totals};
use super::checkpoint::hash_of_inputs;
use super::elements::{Named, Out};
use super::gas::{self, GasPart};
use super::heat::HeatPart;
use super::houses::{Houses, darken, read_profile, shares};
use super::power::PowerPart;
use super::settings::{Couplings, NetworkName, Profile, TownSettings};
use super::water::WaterPart;
use std::path::{Path, PathBuf};
use urbis_core::{Problem, Problems, Result};
use urbis_utility::snapshot::Snapshot;

/// Networks in the order in which everything of them is told.
pub const NETWORKS: [NetworkName; 4] = [NetworkName::Power, NetworkName::Gas, NetworkName::Heat, NetworkName::Water];

/// A failure by rows.
#[derive(Clone, Debug)]
struct Outage {
    from_s: u32,
    to_s: u32,
    out: Vec<Out>,
}

/// Where a plant's electricity comes from.
#[derive(Clone, Copy, Debug)]
enum Socket {
    Bus(u32),
    Load(u32),
}

/// A plant that needs electricity, by rows.
#[derive(Clone, Debug)]
struct Need {
    socket: Socket,
    out: Vec<Out>,
}

/// A town in its time.
#[derive(Clone, Debug)]
pub struct Town {
    /// What its file says.
    pub settings: TownSettings,
    /// SHA-256 of its file and all that it names.
    pub inputs_hash: String,
    pub(crate) power: Option<PowerPart>,
    pub(crate) gas: Option<GasPart>,
    pub(crate) heat: Option<HeatPart>,
    pub(crate) water: Option<WaterPart>,
    houses: Houses,
    /// Loads that share each sink, and each consumer.
    shares: [Vec<f64>; 2],
    /// Factors by step, of each network.
    factors: [Vec<f64>; 4],
    outages: [Vec<Outage>; 4],
    needs: [Vec<Need>; 4],
    /// What is out, of each network, sorted.
    out: [Vec<Out>; 4],
    is_lit: Vec<bool>,
    dark_gas: Vec<bool>,
    dark_heat: Vec<bool>,
    /// What heaters draw, watts. Shape: loads.
    heaters_w: Vec<f64>,
    /// What became of each network in the last step.
    pub(crate) accounts: [Option<Account>; 4],
    totals: [Totals; 4],
    step: u32,
}

impl Town {
    /// Reads a town and all that it names; the networks are those of its start.
    ///
    /// # Errors
    /// Files that cannot be read, and what is wrong in them.
    pub fn read(path: &Path) -> Result<Self> {
        let (settings, text) = TownSettings::read(path)?;
        let inputs_hash = hash_of_inputs(&settings, &text)?;
        let (steps, step_s) = (settings.steps(), settings.step_s);
        let factors_of = |profile: Option<&Profile>| match profile {
            None => Ok(Vec::new()),
            Some(Profile::Constant(factor)) => Ok(vec![*factor; steps as usize]),
            Some(Profile::File(file)) => read_profile(file, steps, step_s),
        };
        let factors = [
            factors_of(settings.power.as_ref().map(|of| &of.profile))?,
            factors_of(settings.gas.as_ref().map(|of| &of.profile))?,
            factors_of(settings.heat.as_ref().map(|of| &of.profile))?,
            factors_of(settings.water.as_ref().map(|of| &of.profile))?,
        ];
        let power = settings.power.as_ref().map(PowerPart::new).transpose()?;
        let gas = settings.gas.as_ref().map(GasPart::new).transpose()?;
        let first = factors[2].first().copied().unwrap_or(1.0);
        let heat = settings.heat.as_ref().map(|of| HeatPart::new(of, first, step_s)).transpose()?;
        let water = settings.water.as_ref().map(WaterPart::new).transpose()?;
        let houses = match &settings.links {
            Some(of) => Houses::read(of, power.as_ref(), gas.as_ref(), heat.as_ref())?,
            None => Houses::default(),
        };
        let loads = power.as_ref().map_or(0, |of| of.case.grid.loads.len());
        let draws = gas.as_ref().map_or(0, |of| of.base().draws.len());
        let consumers = heat.as_ref().map_or(0, |of| of.base().consumers.len());
        let mut this = Self {
            shares: [shares(&houses.gas, draws), shares(&houses.heat, consumers)],
            is_lit: vec![true; loads],
            dark_gas: vec![false; draws],
            dark_heat: vec![false; consumers],
            heaters_w: vec![0.0; loads],
            outages: Default::default(),
            needs: Default::default(),
            out: Default::default(),
            accounts: [None; 4],
            totals: [Totals::default(); 4],
            step: 0,
            settings,
            inputs_hash,
            power,
            gas,
            heat,
            water,
            houses,
            factors,
        };
        this.find_elements(path)?;
        Ok(this)
    }
    /// Rows of what fails and of what needs electricity.
    fn find_elements(&mut self, path: &Path) -> Result<()> {
        let mut problems = Problems::new();
        for of in &self.settings.failure {
            let (Some(from_s), Some(to_s)) = (of.from.seconds(), of.to.seconds()) else { continue };
            match self.rows(path, of.network, &of.element) {
                Ok(out) => self.outages[of.network as usize].push(Outage { from_s, to_s, out }),
                Err(problem) => problems.push(*problem),
            }
        }
        for of in &self.settings.plant {
            let socket = self.socket(path, &of.needs_power_at);
            let out = self.rows(path, of.network, &of.element);
            match (socket, out) {
                (Ok(socket), Ok(out)) => self.needs[of.network as usize].push(Need { socket, out }),
                (socket, out) => socket.err().into_iter().chain(out.err()).for_each(|problem| problems.push(*problem)),
            }
        }
        problems.or_else(())
    }
    fn rows(&self, path: &Path, network: NetworkName, name: &str) -> Result<Vec<Out>, Box<Problem>> {
        let (named, names): (Named, Box<dyn FnOnce() -> Vec<String> + '_>) = match network {
            NetworkName::Power => {
                let of = self.power.as_ref();
                (
                    of.map_or_else(Named::default, |of| of.named(name)),
                    Box::new(move || of.map_or_else(Vec::new, PowerPart::names)),
                )
            }
            NetworkName::Gas => {
                let of = self.gas.as_ref().map(GasPart::base);
                (
                    of.map_or_else(Named::default, |of| gas::named(of, name)),
                    Box::new(move || of.map_or_else(Vec::new, gas::names)),
                )
            }
            NetworkName::Heat => {
                let of = self.heat.as_ref().map(HeatPart::base);
                (
                    of.map_or_else(Named::default, |of| gas::named(of, name)),
                    Box::new(move || of.map_or_else(Vec::new, gas::names)),
                )
            }
            NetworkName::Water => {
                let of = self.water.as_ref();
                (
                    of.map_or_else(Named::default, |of| of.named(name)),
                    Box::new(move || of.map_or_else(Vec::new, WaterPart::names)),
                )
            }
        };
        named.rows(path, network, name, names)
    }
    fn socket(&self, path: &Path, name: &str) -> Result<Socket, Box<Problem>> {
        let power = self.power.as_ref();
        let load = power.and_then(|of| of.case.load_id.iter().position(|id| id == name));
        if let Some(load) = load {
            return Ok(Socket::Load(load as u32));
        }
        let bus = name.strip_prefix("bus ").and_then(|id| power?.case.grid.buses.id.iter().position(|of| of == id));
        match bus {
            Some(bus) => Ok(Socket::Bus(bus as u32)),
            None => {
                let what = format!("needs_power_at = `{name}`, expected a bus (`bus ID`) or load of the grid");
                Err(Box::new(Problem::file(path, what)))
            }
        }
    }
    /// Seconds since the start at which the next step begins.
    #[must_use]
    pub fn time_s(&self) -> u32 {
        self.step * self.settings.step_s
    }
    /// The next step.
    #[must_use]
    pub fn next_step(&self) -> u32 {
        self.step
    }
    /// Whether all steps are done.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.step >= self.settings.steps()
    }
    /// The electric grid.
    #[must_use]
    pub fn power(&self) -> Option<&PowerPart> {
        self.power.as_ref()
    }
    /// The gas network.
    #[must_use]
    pub fn gas(&self) -> Option<&GasPart> {
        self.gas.as_ref()
    }
    /// The network of heat.
    #[must_use]
    pub fn heat(&self) -> Option<&HeatPart> {
        self.heat.as_ref()
    }
    /// The water network.
    #[must_use]
    pub fn water(&self) -> Option<&WaterPart> {
        self.water.as_ref()
    }
    /// Houses.
    #[must_use]
    pub fn houses(&self) -> &Houses {
        &self.houses
    }
    /// What became of a network in the last step.
    #[must_use]
    pub fn account(&self, network: NetworkName) -> Option<&Account> {
        self.accounts[network as usize].as_ref()
    }
    /// Sums of a network over the steps so far; `None` of one that the town does not have.
    #[must_use]
    pub fn totals(&self, network: NetworkName) -> Option<&Totals> {
        self.has(network).then(|| &self.totals[network as usize])
    }
    /// Electric heaters that stand in for missing gas and heat in the next step, watts. Shape: loads.
    #[must_use]
    pub fn heaters_w(&self) -> &[f64] {
        &self.heaters_w
    }
    fn has(&self, network: NetworkName) -> bool {
        match network {
            NetworkName::Power => self.power.is_some(),
            NetworkName::Gas => self.gas.is_some(),
            NetworkName::Heat => self.heat.is_some(),
            NetworkName::Water => self.water.is_some(),
        }
    }
    /// What readers left out, by file.
    #[must_use]
    pub fn notes(&self) -> Vec<(PathBuf, String)> {
        let of = &self.settings;
        let power = of.power.as_ref().zip(self.power.as_ref()).map(|(of, part)| (&of.net, &part.case.notes));
        let gas = of.gas.as_ref().zip(self.gas.as_ref()).map(|(of, part)| (&of.net, &part.notes));
        let heat = of.heat.as_ref().zip(self.heat.as_ref()).map(|(of, part)| (&of.net, &part.notes));
        let water = of.water.as_ref().zip(self.water.as_ref()).map(|(of, part)| (&of.net, &part.notes));
        let all = [power, gas, heat, water].into_iter().flatten();
        all.flat_map(|(file, notes)| notes.iter().map(|note| (file.clone(), note.clone()))).collect()
    }

    /// Goes one step.
    ///
    /// # Errors
    /// A ledger that does not close.
    pub fn step(&mut self) -> Result<()> {
        let at = self.step as usize;
        let (step_s, seconds) = (self.settings.step_s, f64::from(self.settings.step_s));
        let couplings = self.settings.couplings;
        self.put_out(NetworkName::Power)?;
        if let Some(power) = &mut self.power {
            self.accounts[0] = Some(power.step(self.factors[0][at], &self.heaters_w, seconds));
            let lit = (0..self.is_lit.len() as u32).map(|load| power.is_lit(load));
            self.is_lit.iter_mut().zip(lit).for_each(|(is_lit, lit)| *is_lit = lit);
        }
        if couplings.dark_gas {
            darken(&self.houses.gas, &self.is_lit, &mut self.dark_gas);
        }
        if couplings.dark_heat {
            darken(&self.houses.heat, &self.is_lit, &mut self.dark_heat);
        }
        for network in [NetworkName::Gas, NetworkName::Heat, NetworkName::Water] {
            self.put_out(network)?;
        }
        let (dark_gas, dark_heat, factors) = (&self.dark_gas, &self.dark_heat, &self.factors);
        let (gas, heat, water) = (&mut self.gas, &mut self.heat, &mut self.water);
        let (of_gas, (of_heat, of_water)) = rayon::join(
            || gas.as_mut().map(|of| of.step(factors[1][at], dark_gas, seconds)),
            || {
                rayon::join(
                    || heat.as_mut().map(|of| of.step(factors[2][at], dark_heat, seconds)),
                    || water.as_mut().map(|of| of.step(factors[3][at], step_s)),
                )
            },
        );
        (self.accounts[1], self.accounts[2], self.accounts[3]) = (of_gas, of_heat, of_water);
        self.heat_by_electricity(&couplings, seconds);
        for network in NETWORKS {
            if let Some(account) = &self.accounts[network as usize] {
                account.check(network, self.step)?;
                self.totals[network as usize].add(account, self.step * step_s, seconds);
            }
        }
        self.step += 1;
        Ok(())
    }
    /// Puts out what fails in this step, and plants without electricity.
    fn put_out(&mut self, network: NetworkName) -> Result<()> {
        let (at, time_s) = (network as usize, self.time_s());
        let failed = self.outages[at].iter().filter(|of| (of.from_s..of.to_s).contains(&time_s));
        let mut out: Vec<Out> = failed.flat_map(|of| of.out.iter().copied()).collect();
        if let Some(power) = self.power.as_ref().filter(|_| self.settings.couplings.dark_plants) {
            let is_lit = |socket: Socket| match socket {
                Socket::Bus(bus) => power.flow().is_energised(bus),
                Socket::Load(load) => power.is_lit(load),
            };
            let still = self.needs[at].iter().filter(|need| !is_lit(need.socket));
            out.extend(still.flat_map(|need| need.out.iter().copied()));
        }
        out.sort_unstable();
        out.dedup();
        if out == self.out[at] {
            return Ok(());
        }
        self.out[at] = out;
        self.remake(network)
    }
    /// Makes a network as it is with what is out.
    fn remake(&mut self, network: NetworkName) -> Result<()> {
        let out = &self.out[network as usize];
        match network {
            NetworkName::Power => self.power.as_mut().map_or(Ok(()), |of| of.set_out(out)),
            NetworkName::Gas => self.gas.as_mut().map_or(Ok(()), |of| of.set_out(out)),
            NetworkName::Heat => self.heat.as_mut().map_or(Ok(()), |of| of.set_out(out)),
            NetworkName::Water => {
                if let Some(of) = &mut self.water {
                    of.set_out(out);
                }
                Ok(())
            }
        }
    }
    /// What heaters draw in the next step.
    fn heat_by_electricity(&mut self, couplings: &Couplings, seconds: f64) {
        self.heaters_w.fill(0.0);
        let share = couplings.electric_backup_share;
        if !couplings.electric_backup || share <= 0.0 {
            return;
        }
        if let (Some(gas), Some(of)) = (&self.gas, &self.settings.gas) {
            let jpkg = of.heating_value_mjpkg * 1e6 * of.boiler_efficiency;
            for &(load, sink) in self.houses.gas.iter().filter(|(load, _)| self.is_lit[*load as usize]) {
                let missing_w = gas.missing_kgps(sink) * jpkg / self.shares[0][sink as usize];
                self.heaters_w[load as usize] += share * missing_w;
            }
        }
        if let Some(heat) = &self.heat {
            for &(load, consumer) in self.houses.heat.iter().filter(|(load, _)| self.is_lit[*load as usize]) {
                let missing_w = heat.missing_w(consumer, seconds) / self.shares[1][consumer as usize];
                self.heaters_w[load as usize] += share * missing_w;
            }
        }
    }
    /// All that the rest of the run depends on beside the inputs: clock, sums, what is out, states of networks.
    pub(crate) fn snapshot(&mut self, of: &mut Snapshot) -> Result<()> {
        of.whole(&mut self.step);
        of.flags(&mut self.is_lit);
        of.flags(&mut self.dark_gas);
        of.flags(&mut self.dark_heat);
        of.numbers(&mut self.heaters_w);
        self.totals.iter_mut().for_each(|totals| totals.snapshot(of));
        for network in NETWORKS {
            let mut out = std::mem::take(&mut self.out[network as usize]);
            let count = of.count(out.len());
            out.resize(count, Out::Node(0));
            out.iter_mut().for_each(|out| snapshot_of_out(out, of));
            let is_known = out.iter().all(|out| self.is_row(network, *out));
            if of.is_reader() && (!of.is_good() || !is_known) {
                return Ok(());
            }
            let is_other = of.is_reader() && !out.is_empty();
            self.out[network as usize] = out;
            if is_other {
                self.remake(network)?;
            }
        }
        if let Some(part) = &mut self.power {
            part.snapshot(of);
        }
        if let Some(part) = &mut self.gas {
            part.snapshot(of);
        }
        if let Some(part) = &mut self.heat {
            part.snapshot(of);
        }
        if let Some(part) = &mut self.water {
            part.snapshot(of);
        }
        Ok(())
    }
    /// Whether a row is one of a failure or plant of this town.
    fn is_row(&self, network: NetworkName, out: Out) -> bool {
        let at = network as usize;
        self.outages[at].iter().any(|of| of.out.contains(&out)) || self.needs[at].iter().any(|of| of.out.contains(&out))
    }
}

fn snapshot_of_out(out: &mut Out, of: &mut Snapshot) {
    let (mut kind, mut row) = match *out {
        Out::Node(row) => (0, row),
        Out::Link(row) => (1, row),
        Out::Feed(row) => (2, row),
    };
    of.whole(&mut kind);
    of.whole(&mut row);
    *out = match kind {
        0 => Out::Node(row),
        1 => Out::Link(row),
        _ => Out::Feed(row),
    };
}

//! What runs of networks of pipes ([`crate::gas_run`], [`crate::heat_run`]) share: options, files, tables of the file's
//! elements. The folder of results is `solved_folder`'s.

use crate::solved_folder::{keep_apart, make_ready, write_summary, write_table};
use serde_json::Value as Json;
use std::path::PathBuf;
use urbis_city::geoparquet::TableWriter;
use urbis_core::Result;
use urbis_utility::pipes::friction::FrictionLaw;
use urbis_utility::pipes::network::{Element, Network};
use urbis_utility::pipes::pandapipes::{self, PipeNet};
use urbis_utility::pipes::solver::HydraulicSettings;

/// How to solve a network of pipes.
#[derive(Clone, Debug)]
pub struct PipeOptions {
    /// The net, as pandapipes writes it.
    pub net: PathBuf,
    /// Folder of the results; other files in it stay.
    pub out: PathBuf,
    /// Law of friction; that of the net where absent.
    pub friction: Option<FrictionLaw>,
    /// Steps after which a solve is given up.
    pub max_iterations: u32,
    /// Tables as CSV instead of Parquet.
    pub as_csv: bool,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct PipeSummary {
    /// What `summary.json` holds.
    pub json: Json,
    /// What the reader left out or took another way.
    pub notes: Vec<String>,
    /// Why the results are not what was asked for, if they are not.
    pub failure: Option<String>,
}

impl PipeOptions {
    /// Reads the net and makes the folder ready.
    ///
    /// # Errors
    /// A net that is not right, results that would go to the folder that is read, a folder that cannot be written.
    pub(crate) fn ready(&self) -> Result<PipeNet> {
        let net = pandapipes::read(&self.net)?;
        keep_apart(&self.net, &self.out)?;
        make_ready(&self.out)?;
        Ok(net)
    }
    pub(crate) fn settings(&self, net: &PipeNet) -> HydraulicSettings {
        let friction = self.friction.unwrap_or(net.options.friction);
        HydraulicSettings { friction, iterations: self.max_iterations, ..HydraulicSettings::default() }
    }
    pub(crate) fn write(&self, name: &str, table: TableWriter) -> Result<()> {
        write_table(&self.out, self.as_csv, name, table)
    }
    pub(crate) fn finish(&self, json: Json, notes: Vec<String>, failure: Option<String>) -> Result<PipeSummary> {
        write_summary(&self.out, &json)?;
        Ok(PipeSummary { json, notes, failure })
    }
}

/// Rows of nodes that are junctions of the file.
pub(crate) fn junctions(network: &Network) -> Vec<u32> {
    let nodes = &network.nodes;
    (0..nodes.len()).filter(|&node| nodes.is_junction[node]).map(|node| node as u32).collect()
}

/// A table of the file's elements with their ids and ends.
pub(crate) fn link_table(title: &str, network: &Network) -> TableWriter {
    let of = &network.elements;
    let name = |node: u32| network.nodes.id[node as usize].as_str();
    let from = |of: &Element| name(network.links.from[of.links().start]);
    let to = |of: &Element| name(network.links.to[of.links().end - 1]);
    let mut table = TableWriter::new(title);
    table.text("link_id", "Table and index of the net.", of.iter().map(|of| format!("{} {}", of.table, of.id)));
    table.text("from_node", "Junction of the from end.", of.iter().map(from));
    table.text("to_node", "Junction of the to end; of a valve at a pipe, the end of the pipe.", of.iter().map(to));
    let is_open: Vec<bool> = of.iter().map(|of| network.is_open(of.links().start)).collect();
    table.flag("is_open", "Whether it is in service and open.", &is_open);
    table
}

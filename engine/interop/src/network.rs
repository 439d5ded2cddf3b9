//! A road network as a file describes it.

use urbis_traffic::NetworkColumns;

/// A road network in SI units, with the names that its users know. Rows of nodes and links are those of
/// `columns`, in the order of the file.
#[derive(Clone, Debug, Default)]
pub struct RoadNetwork {
    /// What the traffic engine is made from.
    pub columns: NetworkColumns,
    /// Outside id of each node.
    pub node_id: Vec<String>,
    /// Outside id of each link.
    pub link_id: Vec<String>,
    /// Lanes of each link, at least 1.
    pub lanes: Vec<f32>,
    /// Money to use each link; empty means none.
    pub toll: Vec<f64>,
    /// Nodes with traffic lights; empty means none.
    pub at_signals: Vec<bool>,
    /// What was assumed or left out, in sentences for people.
    pub notes: Vec<String>,
}

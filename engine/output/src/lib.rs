//! Results of a run: Arrow batches streamed into Hive-partitioned Parquet, the layers beside them, the
//! marker that vouches for them, the ledgers, and the run manifest as a row.
//!
//! `writer` takes rows -> `tables` declares them -> `cells` turns them into columns -> `table_file`
//! streams them -> `staging` puts them into place -> `marker` lists them. `ledger` and `machine` are
//! pure helpers of those who record.

pub mod audit;
pub mod cells;
pub mod kpis;
mod kpis_checkup;
mod kpis_travel;
pub mod ledger;
pub mod machine;
pub mod marker;
mod place_names;
pub mod record;
pub mod record_bills;
pub mod record_emergency;
pub mod record_evacuation;
pub mod record_events;
pub mod record_exposure;
pub mod record_grid;
pub mod record_network;
pub mod record_people;
pub mod record_pipes;
pub mod record_policies;
pub mod record_synthesis;
pub mod record_traffic;
pub mod staging;
pub mod stopwatch;
mod table_file;
pub mod tables;
pub mod writer;

pub use cells::TimeMs;
pub use marker::Marker;
pub use staging::{Staging, sweep_leftovers};
pub use table_file::ROW_GROUP_ROWS;
pub use tables::{
    AccessibilityRow, ActivitiesRow, ActivityPresenceRow, BillsRow, BranchStateRow, BuildingLoadRow, BusStateRow,
    CrossingsRow, EmergencyCallRow, EnergyBalanceRow, EvacuationRow, EventsRow, ExposureRow, FeedbackRow, GasLinkRow,
    GasNodeRow, GridlockRow, HeatLinkRow, HeatNodeRow, HouseholdsRow, Kpi, KpisRow, LedgersRow, LegsRow, LinkStateRow,
    NetworkElementRow, OdRow, OutagesRow, ParkingRow, PaymentsRow, PersonsRow, PresenceRow, RunsRow, SCHEMA_VERSION,
    ServiceRow, SewerNodeRow, SignalsRow, SkimsRow, SubstationLoadRow, Table, TankRow, ToursRow, TransitLoadRow,
    TripsRow, UtilityBalanceRow, WaterLinkRow, WaterNodeRow, ZoneLoadRow,
};
pub use writer::{Committed, ResultsWriter, RunEnd, RunFacts, URBIS_VERSION};

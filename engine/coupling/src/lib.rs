//! The only place where domains meet: every flow from one domain to another is a system here, in the
//! step's `Exchange` or `Feedback` set, so a reader finds all of them in one folder.
//!
//! | from | to | file |
//! | --- | --- | --- |
//! | people's trip starts | traffic's departures, simple modes | [`demand`] |
//! | traffic's and simple modes' trip ends | people's presence | [`arrivals`] |
//! | cars that leave and arrive | parking, and back to the ends of trips | [`parking`] |
//! | those who change between car and public transport | the other part of their trip | [`park_and_ride`] |
//! | presence in buildings, date and weather | electricity demand | [`building_load`] |
//! | presence, hour and weather | water, heat and gas that buildings draw | [`piped_loads`] |
//! | floods of the sewer | speed on streets | [`floods`] |
//! | what networks bring, presence | people without service | [`services`] |
//! | weather, prices, the grid, cars that arrive | devices behind meters | [`devices`] |
//! | times on roads and paths | people's plans | [`skims`] |
//! | decisions: prices, closures, lanes | roads, people's choices, and money back | [`policy`] |
//! | journeys of people | passengers of public transport, and back; roads' delays to buses | [`transit`] |
//! | ways on paths | walks to, from and between stops | `stop_walks` |

pub mod arrivals;
pub mod building_load;
pub mod demand;
pub mod devices;
pub mod floods;
pub mod park_and_ride;
pub mod parking;
pub mod piped_loads;
pub mod policy;
pub mod services;
pub mod settings;
pub mod skims;
mod stop_walks;
pub mod transit;

pub use arrivals::end_trips;
pub use building_load::{ask_for_power, switch_grid};
pub use demand::dispatch_trips;
pub use devices::{ElectricCars, plug_in_cars, run_devices};
pub use floods::{Floods, flood_streets};
pub use park_and_ride::{Changes, change_vehicles, go_on};
pub use parking::{CityParking, ParkingSupply, leave_spaces, search_spaces};
pub use piped_loads::ask_of_pipes;
pub use policy::Policy;
pub use policy::state::{Policies, charge_drivers, switch_policies};
pub use services::{Services, count_service};
pub use settings::CouplingSettings;
pub use transit::{CityTransit, advance_transit, delay_buses};

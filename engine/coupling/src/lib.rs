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
//! | presence, times on roads, calls that others put in | emergency units and how long they take | [`emergency`] |
//! | what networks bring, presence | people without service | [`services`] |
//! | dark buildings | traffic lights, pumps, heating plants, compressors | [`powered`], [`dark_signals`], [`stopped_pumps`] |
//! | dark stops | trains, trams, trolleybuses | [`stopped_rail`] |
//! | pumps of the water network | electricity demand | [`pump_load`] |
//! | gas and heat that do not come | electricity demand | [`emergency_heating`] |
//! | traffic's noise and exhaust | people where they are | [`exposure`] |
//! | events | roads, networks, machines | [`event`] |
//! | gatherings | people's trips, outside their plans | [`gathering`] |
//! | orders to leave | people's trips, outside their plans | [`evacuation`] |
//! | traffic's travel times, people without service | repair crews, and networks that they repair | [`crews`] |
//! | weather, prices, the grid, cars that arrive | devices behind meters | [`devices`] |
//! | times on roads and paths | people's plans | [`skims`] |
//! | what networks bring to buildings, tariffs | money | [`bills`] |
//! | decisions: prices, closures, lanes | roads, people's choices, and money back | [`policy`] |
//! | journeys of people | passengers of public transport, and back; roads' delays to buses | [`transit`] |
//! | ways on paths | walks to, from and between stops | `stop_walks` |
//! | all networks, beforehand | who needs whom, what fails with what | [`cascade`] |

pub mod arrivals;
pub mod bills;
pub mod building_load;
pub mod cascade;
pub mod crews;
pub mod dark_signals;
pub mod demand;
pub mod devices;
pub mod emergency;
pub mod emergency_heating;
pub mod evacuation;
pub mod event;
pub mod exposure;
pub mod fire_water;
pub mod floods;
pub mod gathering;
pub mod park_and_ride;
pub mod parking;
pub mod piped_loads;
pub mod policy;
pub mod powered;
pub mod pump_load;
pub mod services;
pub mod settings;
pub mod skims;
mod stop_walks;
pub mod stopped_pumps;
pub mod stopped_rail;
pub mod transit;

pub use arrivals::end_trips;
pub use bills::{BillSettings, Bills, bill_buildings};
pub use building_load::{ask_for_power, switch_grid};
pub use crews::{Crews, RepairSettings, send_crews};
pub use dark_signals::darken_signals;
pub use demand::dispatch_trips;
pub use devices::{ElectricCars, plug_in_cars, run_devices};
pub use emergency::settings::EmergencySettings;
pub use emergency::{CallPlace, Emergency, EmergencyCalls, answer_calls};
pub use emergency_heating::{Heaters, plug_in_heaters};
pub use evacuation::{Evacuations, end_evacuations, evacuate};
pub use event::Event;
pub use event::state::{Incidents, happen};
pub use exposure::{Exposure, expose_people};
pub use fire_water::{FireWater, draw_fire_water};
pub use floods::{Floods, flood_streets};
pub use gathering::{Gatherings, gather};
pub use park_and_ride::{Changes, change_vehicles, go_on};
pub use parking::{CityParking, ParkingSupply, leave_spaces, search_spaces};
pub use piped_loads::ask_of_pipes;
pub use policy::Policy;
pub use policy::state::{Policies, charge_drivers, switch_policies};
pub use powered::{Machines, run_machines};
pub use pump_load::ask_for_pumps;
pub use services::{Services, count_service};
pub use settings::CouplingSettings;
pub use stopped_pumps::stop_pumps;
pub use stopped_rail::hold_trains;
pub use transit::{CityTransit, advance_transit, delay_buses};

//! SUMO: networks (`net.xml`) and demand (`rou.xml`, `trips.xml`), compressed or not.

mod network;
mod routes;

pub use network::{SumoNetwork, SumoPhase, SumoSignal, read_network};
pub use routes::{RouteOptions, SumoTrips, read_routes};

/// Times as SUMO writes them: seconds, or `[dd:]hh:mm:ss`.
fn time_s(text: &str) -> Option<f64> {
    let text = text.trim();
    let number = |part: &str| part.parse::<f64>().ok().filter(|number| number.is_finite());
    let parts: Vec<&str> = text.split(':').collect();
    match parts[..] {
        [seconds] => number(seconds),
        [hours, minutes, seconds] => Some(3600.0 * number(hours)? + 60.0 * number(minutes)? + number(seconds)?),
        [days, hours, minutes, seconds] => {
            let hours = 24.0 * number(days)? + number(hours)?;
            Some(3600.0 * hours + 60.0 * number(minutes)? + number(seconds)?)
        }
        _ => None,
    }
}

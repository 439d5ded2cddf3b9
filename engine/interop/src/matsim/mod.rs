//! MATSim: network and plans XML (.gz) read, plans simulated in its queue model, events XML (.gz) written.

mod events;
mod network;
mod plans;
mod prepare;
mod simulate;

pub use events::{Event, EventKind, EventNames, EventWriter, write_events};
pub use network::read_network;
pub use plans::{Activity, Leg, MatsimPlans, PlanTrips, read_plans};
pub use prepare::{PrepareSettings, prepare};
pub use simulate::{PlansRun, simulate_plans};

/// A time of day as MATSim writes it: `hh:mm:ss`, `hh:mm`, `hh:mm:ss.s` or seconds; hours beyond 24 are the next day.
/// `None` for `undefined` and what is no time.
fn time_s(text: &str) -> Option<f64> {
    let text = text.trim();
    let (sign, digits) = text.strip_prefix('-').map_or((1.0, text), |rest| (-1.0, rest));
    let mut parts = digits.split(':');
    let numbers = [parts.next(), parts.next(), parts.next()];
    if parts.next().is_some() {
        return None;
    }
    let number = |part: &str| {
        let plain = part.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        part.parse::<f64>().ok().filter(|number| plain && number.is_finite())
    };
    match numbers {
        [Some(seconds), None, None] => Some(sign * number(seconds)?),
        [Some(hours), Some(minutes), seconds] => {
            let seconds = seconds.map_or(Some(0.0), number)?;
            Some(sign * (3600.0 * number(hours)? + 60.0 * number(minutes)? + seconds))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::time_s;

    #[test]
    fn times() {
        assert_eq!(time_s("06:00:00"), Some(21_600.0));
        assert_eq!(time_s("27:30"), Some(99_000.0));
        assert_eq!(time_s(" 00:00:01.5 "), Some(1.5));
        assert_eq!(time_s("3600"), Some(3600.0));
        assert_eq!(time_s("-00:10:00"), Some(-600.0));
        for none in ["undefined", "", ":", "a:b", "1:2:3:4", "-Infinity", "inf", "1e400:00", "--1"] {
            assert_eq!(time_s(none), None, "{none}");
        }
    }
}

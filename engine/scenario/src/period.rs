//! The simulated period in the units of the clock. The time zone database travels with the program, so
//! a period means the same on every machine.

use crate::settings::PeriodSettings;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use urbis_core::diagnostics::did_you_mean;
use urbis_core::{Clock, Tick};

/// A period in the units of the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Start, Unix time in milliseconds UTC.
    pub start_utc_ms: i64,
    /// Local time minus UTC at the start, seconds.
    pub local_offset_s: i32,
    /// Length in ticks of one second.
    pub ticks: Tick,
}

impl Timing {
    /// A clock at the start of the period; the periods of the domains are still every tick.
    #[must_use]
    pub fn clock(&self) -> Clock {
        Clock::new(self.start_utc_ms, self.local_offset_s, self.ticks)
    }
}

/// What is wrong with one key of a period.
pub(crate) struct PeriodFault {
    pub(crate) key: &'static str,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

impl PeriodSettings {
    /// The period in the units of the clock; every fault of it at once.
    pub(crate) fn timing(&self) -> Result<Timing, Vec<PeriodFault>> {
        let mut faults = Vec::new();
        let zone = TimeZone::get(&self.time_zone).map_err(|_| faults.push(self.unknown_zone()));
        let start = self.parsed_start().map_err(|fault| faults.push(fault));
        let ticks = self.duration_h.checked_mul(3600).filter(|ticks| *ticks > 0);
        if ticks.is_none() {
            faults.push(PeriodFault {
                key: "duration_h",
                message: format!("`period.duration_h` = {}, expected >= 1 and <= 1100", self.duration_h),
                help: None,
            });
        }
        let (Ok(zone), Ok(start), Some(ticks)) = (zone, start, ticks) else { return Err(faults) };
        let offset = match zone.to_ambiguous_timestamp(start).offset() {
            AmbiguousOffset::Unambiguous { offset } => offset,
            AmbiguousOffset::Fold { before, .. } => before,
            AmbiguousOffset::Gap { .. } => {
                let message = format!("`period.start` = \"{}\" never happens in {}", self.start, self.time_zone);
                let help = Some("clocks are put forward over it; start an hour earlier or later".to_owned());
                return Err(vec![PeriodFault { key: "start", message, help }]);
            }
        };
        match offset.to_timestamp(start) {
            Ok(start) => Ok(Timing { start_utc_ms: start.as_millisecond(), local_offset_s: offset.seconds(), ticks }),
            Err(_) => Err(vec![self.bad_start()]),
        }
    }

    fn parsed_start(&self) -> Result<DateTime, PeriodFault> {
        if self.start.parse::<jiff::Timestamp>().is_ok() || self.start.contains('[') {
            return Err(PeriodFault {
                key: "start",
                message: format!("`period.start` = \"{}\" has an offset, expected local time without one", self.start),
                help: Some("write the local time and name the zone in `period.time_zone`".to_owned()),
            });
        }
        let start: DateTime = self.start.parse().map_err(|_| self.bad_start())?;
        if !self.start.contains(['T', 't', ' ']) || start.subsec_nanosecond() != 0 {
            return Err(self.bad_start());
        }
        Ok(start)
    }

    fn bad_start(&self) -> PeriodFault {
        PeriodFault {
            key: "start",
            message: format!("`period.start` = {:?}, expected a local date and time", self.start),
            help: Some("write it as \"2024-06-11T03:00:00\"".to_owned()),
        }
    }

    fn unknown_zone(&self) -> PeriodFault {
        let known: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
        let help = match did_you_mean(&self.time_zone, known.iter().map(String::as_str)) {
            Some(meant) => format!("did you mean \"{meant}\"?"),
            None => "use an IANA name such as \"Europe/Monaco\"".to_owned(),
        };
        PeriodFault {
            key: "time_zone",
            message: format!("`period.time_zone` = {:?} is not a known time zone", self.time_zone),
            help: Some(help),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn period(start: &str, time_zone: &str, duration_h: u32) -> PeriodSettings {
        PeriodSettings { start: start.to_owned(), time_zone: time_zone.to_owned(), duration_h }
    }
    fn keys(period: &PeriodSettings) -> Vec<&'static str> {
        period.timing().map_or_else(|faults| faults.iter().map(|fault| fault.key).collect(), |_| Vec::new())
    }

    #[test]
    fn known_answers() {
        let monaco = period("2024-06-11T03:00:00", "Europe/Monaco", 24).timing().unwrap_or_else(|_| panic!("valid"));
        // date -u -d '2024-06-11T01:00:00Z' +%s
        assert_eq!(monaco, Timing { start_utc_ms: 1_718_067_600_000, local_offset_s: 7200, ticks: 86_400 });
        assert_eq!(monaco.clock().local_second_of_day(0), 3 * 3600);
        let chile = period("2024-06-11T00:00:00", "America/Santiago", 1).timing().unwrap_or_else(|_| panic!("valid"));
        assert_eq!(chile.local_offset_s, -4 * 3600);
    }

    #[test]
    fn clock_changes() {
        assert_eq!(keys(&period("2024-03-31T02:30:00", "Europe/Monaco", 1)), ["start"]);
        let fold = period("2024-10-27T02:30:00", "Europe/Monaco", 1).timing().unwrap_or_else(|_| panic!("valid"));
        assert_eq!(fold.local_offset_s, 7200, "the first of the two");
    }

    #[test]
    fn all_faults_at_once() {
        assert_eq!(keys(&period("yesterday", "Europe/Monacco", 0)), ["time_zone", "start", "duration_h"]);
        for start in ["2024-06-11", "2024-06-11T03:00:00Z", "2024-06-11T03:00:00+02:00", "2024-06-11T03:00:00.5", ""] {
            assert_eq!(keys(&period(start, "UTC", 1)), ["start"], "{start}");
        }
        assert_eq!(keys(&period("9999-12-31T23:59:59", "America/Santiago", 1)), ["start"]);
        assert_eq!(keys(&period("2024-06-11T03:00:00", "UTC", u32::MAX)), ["duration_h"]);
    }
}

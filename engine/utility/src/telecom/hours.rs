//! Persons connected, added up by zone and hour of the period.
//!
//! Counts are person-seconds in whole numbers, so that sums are exact and persons = connected + unconnected holds to the
//! last one. A step belongs to the hour in which it begins. Contract: sequential; memory grows where a new hour begins.

use super::Telecom;

/// Person-seconds by hour and zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectedHours {
    zones: usize,
    /// Person-seconds. Shape: hours x zones.
    pub persons_s: Vec<u64>,
    /// Of them connected. Same shape.
    pub connected_s: Vec<u64>,
}

impl ConnectedHours {
    /// None yet.
    #[must_use]
    pub fn new(zones: usize) -> Self {
        Self { zones, persons_s: Vec::new(), connected_s: Vec::new() }
    }
    /// Hours that there are.
    #[must_use]
    pub fn hours(&self) -> usize {
        self.persons_s.len() / self.zones.max(1)
    }
    /// Adds the last step of the layer, which began in this hour of the period and was so long.
    pub fn add(&mut self, hour: usize, telecom: &Telecom, step_s: u32) {
        let cells = (hour + 1) * self.zones;
        if self.persons_s.len() < cells {
            self.persons_s.resize(cells, 0);
            self.connected_s.resize(cells, 0);
        }
        let seconds = u64::from(step_s);
        let counts = telecom.zone_persons.iter().zip(&telecom.zone_connected);
        for (zone, (&persons, &connected)) in counts.enumerate().take(self.zones) {
            self.persons_s[hour * self.zones + zone] += persons * seconds;
            self.connected_s[hour * self.zones + zone] += connected * seconds;
        }
    }
    /// Share connected in an hour and zone; nothing where nobody was, or out of the period.
    #[must_use]
    pub fn share(&self, hour: usize, zone: usize) -> Option<f64> {
        let cell = (zone < self.zones).then_some(hour * self.zones + zone)?;
        let (persons_s, connected_s) = (*self.persons_s.get(cell)?, *self.connected_s.get(cell)?);
        (persons_s > 0).then(|| connected_s as f64 / persons_s as f64)
    }
    /// Person-seconds without connection in all zones and hours.
    #[must_use]
    pub fn unconnected_s(&self) -> u64 {
        self.persons_s.iter().zip(&self.connected_s).map(|(persons_s, connected_s)| persons_s - connected_s).sum()
    }
}

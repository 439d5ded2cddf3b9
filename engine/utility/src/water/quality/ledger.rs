//! The account of mass of a run of quality.

/// Where mass went since the start: kg of a chemical, m3 s of an age, m3 of a trace.
///
/// `initial + added + unbalanced = stored + drawn + reacted`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Ledger {
    /// In pipes and tanks at the start.
    pub initial: f64,
    /// From sources, reservoirs and what flows in at nodes.
    pub added: f64,
    /// In pipes and tanks now.
    pub stored: f64,
    /// With demands, into reservoirs, and over the brim of tanks.
    pub drawn: f64,
    /// Gone by reactions; negative where they make more, as ages do.
    pub reacted: f64,
    /// With volumes by which the flows given do not balance at nodes: none where they do.
    pub unbalanced: f64,
}

impl Ledger {
    /// How far the account is from closing, over its largest entry.
    #[must_use]
    pub fn error(&self) -> f64 {
        let rest = self.initial + self.added + self.unbalanced - self.stored - self.drawn - self.reacted;
        let entries = [self.initial, self.added, self.stored, self.drawn, self.reacted, self.unbalanced];
        let largest = entries.iter().fold(0.0_f64, |largest, entry| largest.max(entry.abs()));
        if largest > 0.0 { rest.abs() / largest } else { 0.0 }
    }
}

//! Figures of a synthetic sewer beside published ones.

use super::super::network::NodeKind;
use super::{PipeKind, SyntheticSewer};

/// A published figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reference {
    /// Figure of [`SyntheticSewer::figures`].
    pub figure: &'static str,
    /// Its value.
    pub value: f64,
    /// Whose it is, and who says so.
    pub source: &'static str,
    /// How far to trust it: `sourced`, `recalled` or `estimate`.
    pub quality: &'static str,
}

/// Published figures.
pub const REFERENCES: [Reference; 6] = [
    Reference {
        figure: "sewer_m_per_dwelling",
        value: 14.0,
        source: "Germany: about 600,000 km of public sewers of all kinds (Destatis) over 42 million dwellings",
        quality: "recalled",
    },
    Reference {
        figure: "sewer_m_per_dwelling",
        value: 5.8,
        source: "Germany: about 245,000 km of combined sewers (Destatis) over 42 million dwellings",
        quality: "recalled",
    },
    Reference {
        figure: "depth_mean_m",
        value: 2.5,
        source: "usual depth of street sewers in Central Europe, 2 to 3 m and more in cities",
        quality: "recalled",
    },
    Reference {
        figure: "dn_400_share",
        value: 0.65,
        source: "share of German sewers up to DN 400 (surveys of the DWA, about two thirds)",
        quality: "recalled",
    },
    Reference {
        figure: "basin_m3_per_sealed_ha",
        value: 25.0,
        source: "specific volume of stormwater basins of combined sewers, 20 to 30 (DWA-A 128)",
        quality: "recalled",
    },
    Reference {
        figure: "design_lps_per_sealed_ha",
        value: 110.0,
        source: "rain of 15 minutes once a year in Central Germany, which outfalls of small catchments are near",
        quality: "recalled",
    },
];

/// A figure of a sewer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figure {
    /// What it is.
    pub name: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// Its value.
    pub value: f64,
}

impl SyntheticSewer {
    /// Figures of the sewer of a city with so many dwellings. Those over nothing are left out.
    #[must_use]
    pub fn figures(&self, dwellings: u64) -> Vec<Figure> {
        let of = &self.pipes;
        let is_pipe = |row: &usize| matches!(of.kind[*row], PipeKind::Sewer | PipeKind::Outlet);
        let pipes = || (0..of.kind.len()).filter(is_pipe);
        let length_m: f64 = pipes().map(|row| of.length_m[row]).sum();
        let small_m: f64 = pipes().filter(|&row| of.dn_mm[row] <= 400).map(|row| of.length_m[row]).sum();
        let sealed_ha = self.sealed_m2 / 1e4;
        let manholes = self.sewer.nodes.kind.iter().filter(|kind| matches!(kind, NodeKind::Junction));
        let count = manholes.count();
        let depth_m =
            self.sewer.nodes.invert_m[..count].iter().zip(&self.ground_m).map(|(bottom, ground)| ground - bottom);
        let pumps = of.kind.iter().filter(|kind| **kind == PipeKind::Pump).count();
        let at_outfalls = (0..of.kind.len()).filter(|&row| of.kind[row] == PipeKind::Outlet);
        let design_m3ps: f64 = at_outfalls.map(|row| of.design_m3ps[row]).sum();
        let basins = of.kind.iter().enumerate().filter(|(_, kind)| **kind == PipeKind::Overflow);
        let basin_m3: f64 = basins
            .map(|(link, _)| {
                let node = self.sewer.links.from[link] as usize;
                self.sewer.storage_of(node).map_or(0.0, |basin| basin.volume(self.sewer.links.offset_from_m[link]))
            })
            .sum();
        let rows = [
            ("sewer_km", "km", length_m / 1000.0, 1.0),
            ("sewer_m_per_dwelling", "m", length_m, dwellings as f64),
            ("sewer_m_per_sealed_ha", "m", length_m, sealed_ha),
            ("dn_400_share", "", small_m, length_m),
            ("depth_mean_m", "m", depth_m.clone().sum(), count as f64),
            ("depth_max_m", "m", depth_m.fold(0.0, f64::max), 1.0),
            ("pumps_per_100_km", "", pumps as f64, length_m / 1e5),
            ("sealed_share", "", self.sealed_m2, self.area_m2),
            ("design_lps_per_sealed_ha", "l/(s ha)", 1000.0 * design_m3ps, sealed_ha),
            ("basin_m3_per_sealed_ha", "m3/ha", basin_m3, sealed_ha),
        ];
        let told = rows.into_iter().filter(|row| row.3 > 0.0);
        told.map(|(name, unit, value, over)| Figure { name, unit, value: value / over }).collect()
    }
}

//! Sections of a file by name, and what becomes of each.

/// Sections that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Options,
    Evaporation,
    RainGages,
    Subcatchments,
    Subareas,
    Infiltration,
    Junctions,
    Outfalls,
    Storage,
    Dividers,
    Conduits,
    CrossSections,
    Losses,
    Pumps,
    Orifices,
    Weirs,
    Outlets,
    Inflows,
    DryWeather,
    Patterns,
    TimeSeries,
    Curves,
    Controls,
    Coordinates,
    Polygons,
    /// Kept for what other parts of the file say of it.
    Snow,
    Groundwater,
    Rdii,
    Files,
    /// Does not move water.
    Still,
    /// Moves water, and is not understood.
    Moving,
    /// No section of SWMM.
    Unknown,
}

/// A section's name from its beginning, as SWMM tells sections apart.
const SECTIONS: [(&str, Kind); 56] = [
    ("TITLE", Kind::Still),
    ("OPTION", Kind::Options),
    ("FILE", Kind::Files),
    ("EVAP", Kind::Evaporation),
    ("RAINGAGE", Kind::RainGages),
    ("TEMPERATURE", Kind::Still),
    ("ADJUSTMENT", Kind::Moving),
    ("SUBCATCHMENT", Kind::Subcatchments),
    ("SUBAREA", Kind::Subareas),
    ("INFIL", Kind::Infiltration),
    ("AQUIFER", Kind::Still),
    ("GROUNDWATER", Kind::Groundwater),
    ("GWF", Kind::Groundwater),
    ("SNOW", Kind::Snow),
    ("JUNC", Kind::Junctions),
    ("OUTFALL", Kind::Outfalls),
    ("STORAGE", Kind::Storage),
    ("DIVIDER", Kind::Dividers),
    ("CONDUIT", Kind::Conduits),
    ("PUMP", Kind::Pumps),
    ("ORIF", Kind::Orifices),
    ("WEIR", Kind::Weirs),
    ("OUTLET", Kind::Outlets),
    ("XSECT", Kind::CrossSections),
    ("TRANSECT", Kind::Still),
    ("STREET", Kind::Still),
    ("INLET_USAGE", Kind::Moving),
    ("INLET", Kind::Still),
    ("LOSS", Kind::Losses),
    ("CONTROL", Kind::Controls),
    ("POLLUT", Kind::Still),
    ("LANDUSE", Kind::Still),
    ("BUILDUP", Kind::Still),
    ("WASHOFF", Kind::Still),
    ("COVERAGE", Kind::Still),
    ("LOADING", Kind::Still),
    ("TREATMENT", Kind::Still),
    ("INFLOW", Kind::Inflows),
    ("DWF", Kind::DryWeather),
    ("HYDROGRAPH", Kind::Still),
    ("RDII", Kind::Rdii),
    ("PATTERN", Kind::Patterns),
    ("TIMESERIES", Kind::TimeSeries),
    ("CURVE", Kind::Curves),
    ("REPORT", Kind::Still),
    ("MAP", Kind::Still),
    ("COORDINATE", Kind::Coordinates),
    ("VERTICES", Kind::Still),
    ("POLYGON", Kind::Polygons),
    ("SYMBOL", Kind::Still),
    ("LABEL", Kind::Still),
    ("BACKDROP", Kind::Still),
    ("TAG", Kind::Still),
    ("PROFILE", Kind::Still),
    ("LID_CONTROL", Kind::Still),
    ("LID_USAGE", Kind::Moving),
];

/// The section of a name.
pub(super) fn section_kind(name: &str) -> Kind {
    let begins = |stem: &str| name.get(..stem.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(stem));
    SECTIONS.iter().find(|(stem, _)| begins(stem)).map_or(Kind::Unknown, |&(_, kind)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_by_their_beginning() {
        assert_eq!(section_kind("Polygons"), Kind::Polygons);
        assert_eq!(section_kind("inlet_usage"), Kind::Moving);
        assert_eq!(section_kind("INLETS"), Kind::Still);
        assert_eq!(section_kind("é"), Kind::Unknown);
    }
}

//! Traffic and transport.

use super::Direction::{Higher, Lower, Target, TargetEight};
use super::Group::Traffic;
use super::LimitQuality::{Judgement, Recalled, Sourced};
use super::{Definition, Rule, define};

pub(super) const TRAFFIC: [Definition; 20] = [
    define(
        1,
        "travel_time_index",
        "Travel time index",
        Traffic,
        "ratio",
        Lower,
        "vehicle hours of the peaks (7 to 9 and 17 to 19) over those of the same ways at free speed",
    )
    .coded("EC: I: T: 5A")
    .limited(
        "",
        Rule::AtMost { good: 1.5, watch: 2.5 },
        Sourced,
        "U4SSC KPIs Verification Manual, ITU 2022, page 82",
    ),
    define(
        2,
        "planning_time_index",
        "Planning time index (reliability)",
        Traffic,
        "ratio",
        Lower,
        "95th percentile, over seeds and days, of the vehicle hours of the peaks over those at free speed",
    ),
    define(
        3,
        "mean_commute_time",
        "Average commute time (one way)",
        Traffic,
        "min",
        Lower,
        "sum of the times of residents' trips from home to work over their number",
    )
    .limited(
        "",
        Rule::AtMost { good: 30.0, watch: 45.0 },
        Judgement,
        "half an hour one way is the time budget of Marchetti 1994; 45 min is what China's city examination counts",
    ),
    define(
        4,
        "commutes_under_5_km",
        "Share of commutes under 5 km",
        Traffic,
        "%",
        Higher,
        "100 x residents' trips from home to work shorter than 5 km over all of them",
    ),
    define(
        5,
        "commutes_under_45_min",
        "Share of commutes under 45 min",
        Traffic,
        "%",
        Higher,
        "100 x residents' trips from home to work of at most 45 min over all of them",
    )
    .limited(
        "",
        Rule::AtLeast { good: 80.0, watch: 70.0 },
        Recalled,
        "China's transport plan to 2025: 80 % within 45 min in large cities; watch is a judgement",
    ),
    define(
        6,
        "peak_speed",
        "Peak mean motor vehicle speed, built-up area",
        Traffic,
        "km/h",
        Higher,
        "vehicle kilometres of the peaks over vehicle hours of the peaks",
    ),
    define(
        7,
        "vehicle_km_per_capita",
        "Vehicle-km travelled per capita",
        Traffic,
        "km/person/day",
        Lower,
        "vehicle kilometres of a day over residents",
    ),
    define(
        8,
        "delay_per_capita",
        "Vehicle-hours of delay per capita",
        Traffic,
        "h/person/day",
        Lower,
        "vehicle hours of a day lost against free speed over residents",
    ),
    define(
        9,
        "mode_share",
        "Mode share (walk, bike, PT, car, other)",
        Traffic,
        "%",
        Target,
        "100 x residents' trips by a means over all their trips",
    )
    .limited(
        "green",
        Rule::AtLeast { good: 70.0, watch: 50.0 },
        Recalled,
        "China's green travel plan 2019 to 2022: 70 % on foot, by bicycle and by public transport; watch is a judgement",
    ),
    define(
        10,
        "transit_trips_per_capita",
        "Annual PT trips per capita",
        Traffic,
        "trips/person/yr",
        Higher,
        "boardings of a day times days of a year over residents",
    ),
    define(
        11,
        "transit_network_length",
        "PT network length per 100k",
        Traffic,
        "km/100k",
        Higher,
        "length of the routes of public transport over residents x 100,000",
    ),
    define(
        12,
        "transit_stop_coverage",
        "PT convenience: population within 0.5 km of a stop",
        Traffic,
        "%",
        Higher,
        "100 x residents of buildings within 0.5 km of a stop over residents",
    )
    .coded("EC: I: T: 2A")
    .limited(
        "",
        Rule::AtLeast { good: 90.0, watch: 70.0 },
        Judgement,
        "SDG 11.2 asks for access for all without a figure",
    ),
    define(
        13,
        "commuters_near_rail",
        "Commuters covered by rail stations (800 m)",
        Traffic,
        "%",
        Higher,
        "100 x residents whose home and place of work lie within 800 m of a station over those who go to work",
    ),
    define(
        14,
        "transit_crowding",
        "PT crowding: passenger-km above seated capacity",
        Traffic,
        "%",
        Lower,
        "100 x passenger kilometres of those who find no seat over all passenger kilometres",
    ),
    define(
        15,
        "cycle_network_length",
        "Bicycle network per 100k",
        Traffic,
        "km/100k",
        Higher,
        "length of paths for bicycles without cars over residents x 100,000",
    ),
    define(
        16,
        "road_density",
        "Road network density",
        Traffic,
        "km/km2",
        TargetEight,
        "length of streets, both directions once, over built-up area",
    )
    .limited(
        "",
        Rule::AtLeast { good: 8.0, watch: 6.0 },
        Recalled,
        "China's guideline on urban planning of 2016: 8 km/km2; UN-Habitat's Five Principles ask for 18; watch is a judgement",
    ),
    define(
        17,
        "adaptive_signals",
        "Adaptive signal share",
        Traffic,
        "%",
        Higher,
        "100 x junctions whose lights follow traffic over junctions with simulated lights",
    )
    .coded("EC: ICT: T: 3A"),
    define(
        18,
        "streets_monitored",
        "Major streets monitored",
        Traffic,
        "%",
        Higher,
        "100 x length of main streets with sensors over length of main streets",
    )
    .coded("EC: ICT: T: 2C"),
    define(
        19,
        "low_carbon_vehicles",
        "Low-carbon vehicle share",
        Traffic,
        "%",
        Higher,
        "100 x electric, plug-in and hydrogen vehicles over vehicles",
    ),
    define(
        20,
        "road_deaths",
        "Road fatalities per 100k (risk model)",
        Traffic,
        "deaths/100k/yr",
        Lower,
        "sum over road classes of deaths per vehicle kilometre times vehicle kilometres of a year, over residents x 100,000",
    )
    .coded("SC: SH: SA: 9C")
    .limited(
        "",
        Rule::AtMost { good: 5.0, watch: 15.0 },
        Recalled,
        "about the means of the European Union (46 per million, 2023) and of the world (15 per 100,000, WHO 2023)",
    ),
];

//! Population, access and equity.

use super::Direction::{Higher, Info, Lower, NearOne, Progressive, Range};
use super::Group::People;
use super::LimitQuality::{Judgement, Recalled};
use super::{Definition, Rule, define};

pub(super) const PEOPLE: [Definition; 13] = [
    define(
        21,
        "jobs_reachable",
        "Jobs reachable in 30/45/60 min by mode",
        People,
        "jobs (and % of all)",
        Higher,
        "jobs within so many minutes in the morning peak, mean over zones weighted by residents",
    ),
    define(
        22,
        "population_density",
        "Population density of built-up area",
        People,
        "persons/km2",
        Range,
        "residents over built-up area: squares of 200 m that hold the middle of a building",
    )
    .limited(
        "",
        Rule::Within { good: [15_000.0, 30_000.0], watch: [7500.0, 50_000.0] },
        Judgement,
        "UN-Habitat's Five Principles ask for at least 15,000; the other ends are round figures",
    ),
    define(
        23,
        "day_night_ratio",
        "Daytime/night population ratio",
        People,
        "ratio",
        Info,
        "people in the city at 14:00 over residents",
    ),
    define(
        24,
        "jobs_housing_ratio",
        "Jobs/housing ratio",
        People,
        "ratio",
        NearOne,
        "jobs over dwellings",
    )
    .limited(
        "",
        Rule::Within { good: [0.75, 1.25], watch: [0.5, 1.5] },
        Recalled,
        "Margolis 1957, as told by Cervero 1989: balanced from 0.75 to 1.25; watch is a judgement",
    ),
    define(
        25,
        "services_in_15_min",
        "Basic service proximity (15-min)",
        People,
        "%",
        Higher,
        "100 x residents with a school, a doctor, a shop and a park within 15 min on foot (1.2 km of paths) over residents",
    )
    .limited(
        "",
        Rule::AtLeast { good: 80.0, watch: 60.0 },
        Judgement,
        "no public standard is known; round figures",
    ),
    define(
        26,
        "green_access",
        "Green area accessibility",
        People,
        "%",
        Higher,
        "100 x residents within 0.3 km of a park of at least 0.5 ha over residents",
    )
    .limited(
        "",
        Rule::AtLeast { good: 80.0, watch: 60.0 },
        Recalled,
        "China's standard of garden cities: 80 % within reach of a park; watch is a judgement",
    ),
    define(
        27,
        "green_area",
        "Green area per 100k",
        People,
        "ha/100k",
        Higher,
        "green area over residents x 100,000",
    ),
    define(
        28,
        "access_gini",
        "Gini of accessibility",
        People,
        "0-1",
        Lower,
        "Gini coefficient of the jobs that residents reach",
    ),
    define(
        29,
        "access_palma",
        "Palma ratio of accessibility",
        People,
        "ratio",
        NearOne,
        "mean jobs that the tenth with the highest incomes reaches over that of the four tenths with the lowest",
    ),
    define(
        30,
        "benefit_by_income",
        "User benefit by income quintile (TAG A4.2)",
        People,
        "money/person",
        Progressive,
        "benefit of a year by the rule of half for each person of an income class; share of benefit over share of persons",
    ),
    define(
        31,
        "income_gini",
        "Income Gini (synthetic population)",
        People,
        "0-1",
        Lower,
        "Gini coefficient of household incomes, each household once",
    )
    .limited(
        "",
        Rule::AtMost { good: 0.4, watch: 0.5 },
        Recalled,
        "UN-Habitat, State of the World's Cities 2010/2011: alert line 0.4, high to 0.5",
    ),
    define(
        32,
        "transport_cost_burden",
        "Transport cost burden",
        People,
        "% of income",
        Lower,
        "100 x fares, cost of driving, tolls and parking of a year over income, by income class",
    )
    .limited(
        "",
        Rule::AtMost { good: 15.0, watch: 20.0 },
        Recalled,
        "Housing and Transportation Affordability Index: at most 15 %; watch is a judgement",
    ),
    define(
        33,
        "crowd_exposure",
        "Population exposed to crowding >4 persons/m2",
        People,
        "person-h",
        Lower,
        "person hours in places with more than 4 persons/m2",
    ),
];

//! What policies cost and who pays, as the resolved scenario in table `runs` says.

use serde::Deserialize;

/// What a policy costs.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct PolicyCost {
    /// Name of the policy.
    #[serde(skip)]
    pub policy: String,
    /// To build it.
    pub capital: f64,
    /// To run it for a year.
    pub operation_per_year: f64,
    /// How long what is built lasts, years; 0 for as long as is looked at.
    pub life_years: f64,
    /// Who pays; the city where it is not said.
    pub payer: String,
}

#[derive(Deserialize)]
struct Scenario {
    #[serde(default)]
    policy: Vec<Policy>,
}

#[derive(Deserialize)]
struct Policy {
    name: String,
    #[serde(default)]
    cost: Option<PolicyCost>,
}

/// Costs of the policies of a resolved scenario, those without costs left out.
pub(crate) fn costs(scenario_toml: &str) -> Vec<PolicyCost> {
    let policies = toml::from_str::<Scenario>(scenario_toml).map_or_else(|_| Vec::new(), |scenario| scenario.policy);
    policies
        .into_iter()
        .filter_map(|policy| {
            let mut cost = policy.cost?;
            cost.policy = policy.name;
            if cost.payer.is_empty() {
                "city".clone_into(&mut cost.payer);
            }
            Some(cost)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_stand_in_the_scenario() {
        let found = costs(
            "name = \"a\"\n[[policy]]\nname = \"free\"\nkind = \"closure\"\n[[policy]]\nname = \"gates\"\nkind = \"road_price\"\n\
             [policy.cost]\ncapital = 5.0\noperation_per_year = 1.5\nlife_years = 10.0\npayer = \"state\"\n\
             [[policy]]\nname = \"signs\"\nkind = \"speed_limit\"\ncost = { capital = 1.0 }\n",
        );
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].policy.as_str(), found[0].payer.as_str(), found[0].capital), ("gates", "state", 5.0));
        assert_eq!(
            (found[1].policy.as_str(), found[1].payer.as_str(), found[1].operation_per_year),
            ("signs", "city", 0.0)
        );
        assert!(costs("").is_empty());
    }
}

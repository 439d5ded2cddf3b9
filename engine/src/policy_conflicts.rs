//! Policies that contradict each other on one road at one time, or on one junction or building, found before a run.
//!
//! | both on a link for cars, both at a time | why not |
//! | --- | --- |
//! | two `road_price`, or one beside `[traffic.tolls]`, for one class | which of them is due? Say one policy with the sum |
//! | two `speed_limit` | which of them holds? |
//! | `closure` and `lanes` | there are no lanes to take from a closed road |
//! | two `signals` on a junction with lights, two `smart_charging` on a building, unless both say the same | which of them holds? |
//!
//! Two of them are at one time where both windows of the day overlap and both spans of dates do. A price per kilometre and a
//! cordon meet on a link that enters the cordon. Policies on different roads, classes, hours or dates may stand beside each
//! other. Contract: pure.

use urbis_city::model::{City, Modes, NodeControl};
use urbis_core::{Problems, Result};
use urbis_coupling::policy::area::InArea;
use urbis_coupling::policy::{DAY, Policy, PolicyKind, PriceBasis, PriceClass, window};
use urbis_scenario::Loaded;

/// A span of days and a window of the day.
type Time = ((i64, i64), (u32, u32));

fn at_one_time(a: Time, b: Time) -> bool {
    a.0.0 <= b.0.1 && b.0.0 <= a.0.1 && a.1.0 < b.1.1 && b.1.0 < a.1.1
}

/// A policy, with where and when it holds.
struct Standing<'a> {
    row: usize,
    policy: &'a Policy,
    area: &'a InArea,
    days: (i64, i64),
}

impl Standing<'_> {
    fn time(&self) -> Time {
        (self.days, self.policy.window())
    }
    /// Whether a price is due on a link.
    fn is_charged(&self, city: &City, link: usize) -> bool {
        match &self.policy.kind {
            PolicyKind::RoadPrice { basis: PriceBasis::Cordon, .. } => self.area.enters(city, link),
            PolicyKind::RoadPrice { .. } => self.is_in(link),
            _ => false,
        }
    }
    fn is_in(&self, link: usize) -> bool {
        self.area.links.get(link).copied().unwrap_or(false)
    }
    /// Classes that pay, with their windows.
    fn prices(&self) -> Vec<(Vec<PriceClass>, Time)> {
        let PolicyKind::RoadPrice { prices, .. } = &self.policy.kind else { return Vec::new() };
        let around = self.policy.window();
        let of = prices.iter().filter(|price| price.amount > 0.0).map(|price| {
            let all = || vec![PriceClass::Car, PriceClass::Van];
            let classes = if price.classes.is_empty() { all() } else { price.classes.clone() };
            (classes, (self.days, window(price.from.as_deref(), price.to.as_deref(), around).unwrap_or(around)))
        });
        of.collect()
    }
    /// Why it cannot stand beside an earlier one, with the key that says so and the first link, junction or building of both.
    fn contradicts(&self, city: &City, other: &Self) -> Option<(&'static str, String)> {
        use PolicyKind::{Signals, SmartCharging};
        let name = &other.policy.name;
        let of_link =
            |(key, link, what): (&'static str, usize, String)| (key, format!("link `{}`: {what}", city.links.id[link]));
        let meet = at_one_time(self.time(), other.time());
        match (&self.policy.kind, &other.policy.kind) {
            (Signals { control }, Signals { control: of_other }) if meet && control != of_other => {
                let has_lights = |node: &usize| city.nodes.control[*node] == NodeControl::Signal;
                let node = both(&self.area.nodes, &other.area.nodes).find(has_lights)?;
                Some(("control", format!("node `{}`: policy `{name}` controls it otherwise", city.nodes.id[node])))
            }
            (SmartCharging { control, .. }, SmartCharging { control: of_other, .. }) if meet && control != of_other => {
                let building = both(&self.area.buildings, &other.area.buildings).next()?;
                let id = &city.buildings.id[building];
                Some(("control", format!("building `{id}`: policy `{name}` charges there otherwise")))
            }
            _ => self.contradicts_on_road(city, other).map(of_link),
        }
    }
    fn contradicts_on_road(&self, city: &City, other: &Self) -> Option<(&'static str, usize, String)> {
        use PolicyKind::{Closure, Lanes, RoadPrice, SpeedLimit};
        let name = &other.policy.name;
        let first = |is_on: &dyn Fn(usize) -> bool| {
            (0..city.links.len()).find(|&link| city.links.modes[link].contains(Modes::CAR) && is_on(link))
        };
        let both_in = || first(&|link| self.is_in(link) && other.is_in(link));
        match (&self.policy.kind, &other.policy.kind) {
            (RoadPrice { .. }, RoadPrice { .. }) => {
                let (mine, others) = (self.prices(), other.prices());
                let meets = mine.iter().any(|(classes, time)| {
                    let is_same = |(of, at): &(Vec<PriceClass>, Time)| {
                        at_one_time(*time, *at) && classes.iter().any(|class| of.contains(class))
                    };
                    others.iter().any(is_same)
                });
                let link = first(&|link| self.is_charged(city, link) && other.is_charged(city, link));
                let what = format!("policy `{name}` charges it too at the same time, for the same class");
                link.filter(|_| meets).map(|link| ("prices", link, what))
            }
            (SpeedLimit { .. }, SpeedLimit { .. }) if at_one_time(self.time(), other.time()) => both_in()
                .map(|link| ("speed_kmh", link, format!("policy `{name}` has a limit for it at the same time"))),
            (Closure, Lanes { .. }) if at_one_time(self.time(), other.time()) => {
                both_in().map(|link| ("area", link, format!("policy `{name}` takes lanes of what it closes")))
            }
            (Lanes { .. }, Closure) if at_one_time(self.time(), other.time()) => {
                both_in().map(|link| ("area", link, format!("policy `{name}` closes it at the same time")))
            }
            _ => None,
        }
    }
}

/// Rows that two areas share.
fn both<'a>(one: &'a [bool], other: &'a [bool]) -> impl Iterator<Item = usize> + 'a {
    (0..one.len().min(other.len())).filter(|&row| one[row] && other[row])
}

/// Looks for policies that contradict each other.
///
/// # Errors
/// Each policy that contradicts an earlier one, or a toll, with its place and the first link of both.
pub(crate) fn check(loaded: &Loaded, city: &City, areas: &[InArea]) -> Result<()> {
    let mut problems = Problems::new();
    let all: Vec<Standing<'_>> = loaded
        .scenario
        .policy
        .iter()
        .zip(areas)
        .enumerate()
        .map(|(row, (policy, area))| Standing { row, policy, area, days: loaded.policy_days(policy) })
        .collect();
    let tolls = &loaded.scenario.traffic.tolls;
    let always: Time = ((0, i64::MAX), DAY);
    for (nth, of) in all.iter().enumerate() {
        let found = all[..nth].iter().find_map(|other| of.contradicts(city, other));
        if let Some((key, what)) = found {
            problems.push(loaded.policy_problem(of.row, key, &what));
        }
        let has_toll = |link: &usize| tolls.get(&city.links.id[*link]).is_some_and(|toll| *toll > 0.0);
        let is_due = of.prices().iter().any(|(_, time)| at_one_time(*time, always));
        let mut links = (0..city.links.len()).filter(|&link| is_due && of.is_charged(city, link));
        if let Some(link) = links.find(has_toll) {
            let what = format!("link `{}`: `[traffic.tolls]` charges it too, all day and for all", city.links.id[link]);
            problems.push(loaded.policy_problem(of.row, "prices", &what));
        }
    }
    problems.or_else(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_that_meet() {
        let of = |days, hours: (u32, u32)| (days, (hours.0 * 3600, hours.1 * 3600));
        let morning = of((0, 3), (7, 9));
        assert!(at_one_time(morning, of((3, 5), (8, 10))));
        // The next hour, or the next day.
        assert!(!at_one_time(morning, of((0, 3), (9, 10))) && !at_one_time(morning, of((4, 5), (7, 9))));
        assert!(at_one_time(morning, (((i64::MIN), i64::MAX), DAY)));
    }
}

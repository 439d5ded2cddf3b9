//! Signals without power: every approach stops and goes in turn, as at an all-way stop.
//!
//! Highway Capacity Manual 2010, chapter 20: the headway between departures of a lane depends on who else
//! stands at the junction (geometry group 1; figures recalled, not from the manual at hand):
//!
//! | case | who else stands there | headway, s |
//! | --- | --- | --- |
//! | 1 | nobody | 3.9 |
//! | 2 | the opposite approach | 4.7 |
//! | 3 | one crossing approach | 5.8 |
//! | 4 | two others, one of them crossing | 7.0 |
//! | 5 | the opposite and both crossing approaches | 9.6 |
//!
//! With the share of time `x = flow x headway / lanes` that each approach is occupied, the mean headway of
//! an approach is that of the cases weighted by their probability, and its capacity `lanes / headway`; the
//! occupancies are the fixed point of that. More than two crossing approaches count as two.
//!
//! Ignored: turns, lorries, the longer headways of wide junctions (HCM groups 2 to 6). Contract: pure.

/// Headways of the five cases, seconds.
pub const HEADWAY_S: [f64; 5] = [3.9, 4.7, 5.8, 7.0, 9.6];

/// An approach of a junction without lights.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DarkApproach {
    /// Lanes, at least 1.
    pub lanes: f64,
    /// Rows of the approaches opposite to it.
    pub opposite: Vec<usize>,
    /// Rows of the approaches that cross its way.
    pub crossing: Vec<usize>,
}

/// Mean headway of a lane, seconds, when the others stand there with these probabilities.
#[must_use]
pub fn headway_s(opposite: impl IntoIterator<Item = f64>, crossing: impl IntoIterator<Item = f64>) -> f64 {
    let facing = 1.0 - opposite.into_iter().map(|p| 1.0 - p.clamp(0.0, 1.0)).product::<f64>();
    // Probabilities of none, one, two or more crossing approaches.
    let mut count = [1.0, 0.0, 0.0];
    for p in crossing {
        let p = p.clamp(0.0, 1.0);
        count = [count[0] * (1.0 - p), count[1] * (1.0 - p) + count[0] * p, count[2] + count[1] * p];
    }
    let [one, two, three, four, five] = HEADWAY_S;
    let alone = count[0] * one + count[1] * three + count[2] * four;
    let faced = count[0] * two + count[1] * four + count[2] * five;
    (1.0 - facing) * alone + facing * faced
}

/// Capacity of each approach, vehicles/s. `flow_vps` is what arrives at each; without it everybody always
/// waits, which is the least an approach passes.
#[must_use]
pub fn capacities_vps(approaches: &[DarkApproach], flow_vps: Option<&[f64]>) -> Vec<f64> {
    let occupied = |rows: &[usize], x: &[f64]| rows.iter().filter_map(|&row| x.get(row).copied()).collect::<Vec<_>>();
    let capacity = |approach: &DarkApproach, x: &[f64]| {
        approach.lanes.max(1.0) / headway_s(occupied(&approach.opposite, x), occupied(&approach.crossing, x))
    };
    let Some(flow_vps) = flow_vps else {
        let x = vec![1.0; approaches.len()];
        return approaches.iter().map(|approach| capacity(approach, &x)).collect();
    };
    // Headways grow with occupancies, so from an empty junction both rise to the least fixed point.
    let mut x = vec![0.0; approaches.len()];
    for _ in 0..200 {
        let next: Vec<f64> = approaches
            .iter()
            .enumerate()
            .map(|(row, approach)| {
                let flow = flow_vps.get(row).copied().filter(|flow| *flow > 0.0).unwrap_or(0.0);
                (flow / capacity(approach, &x)).min(1.0)
            })
            .collect();
        let moved = next.iter().zip(&x).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        x = next;
        if moved < 1e-12 {
            break;
        }
    }
    approaches.iter().map(|approach| capacity(approach, &x)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crossroads(lanes: f64) -> Vec<DarkApproach> {
        let of = |row: usize| DarkApproach {
            lanes,
            opposite: vec![(row + 2) % 4],
            crossing: vec![(row + 1) % 4, (row + 3) % 4],
        };
        (0..4).map(of).collect()
    }

    #[test]
    fn the_cases_of_the_manual() {
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} {b}");
        close(headway_s([], []), 3.9);
        close(headway_s([1.0], []), 4.7);
        close(headway_s([1.0], [0.0, 0.0]), 4.7);
        close(headway_s([0.0], [1.0, 0.0]), 5.8);
        close(headway_s([0.0], [1.0, 1.0]), 7.0);
        close(headway_s([1.0], [0.0, 1.0]), 7.0);
        close(headway_s([1.0], [1.0, 1.0]), 9.6);
        close(headway_s([0.5], []), 4.3);
        // All four busy half the time: binomial weights over the eight states.
        close(headway_s([0.5], [0.5, 0.5]), (3.9 + 4.7 + 2.0 * 5.8 + 3.0 * 7.0 + 9.6) / 8.0);
    }

    #[test]
    fn capacity_lies_between_alone_and_crowded() {
        for lanes in [1.0, 2.0] {
            let all = crossroads(lanes);
            let full = capacities_vps(&all, None);
            assert!(full.iter().all(|c| (c - lanes / 9.6).abs() < 1e-12));
            let empty = capacities_vps(&all, Some(&[0.0; 4]));
            assert!(empty.iter().all(|c| (c - lanes / 3.9).abs() < 1e-12));
            let mut before = empty;
            for flow in [0.02, 0.05, 0.08, 0.1, 0.2] {
                let now = capacities_vps(&all, Some(&[flow * lanes; 4]));
                assert!(now.iter().zip(&before).all(|(now, before)| now <= before));
                // The occupancy it rests on is its own.
                let x = (flow * lanes / now[0]).min(1.0);
                assert!((lanes / now[0] - headway_s([x], [x, x])).abs() < 1e-6);
                before = now;
            }
            assert!(before.iter().zip(&full).all(|(a, b)| (a - b).abs() < 1e-9));
        }
    }

    #[test]
    fn an_approach_alone_is_not_slowed_by_empty_streets() {
        let capacity = capacities_vps(&crossroads(1.0), Some(&[0.2, 0.0, 0.0, f64::NAN]));
        assert!((capacity[0] - 1.0 / 3.9).abs() < 1e-12);
        assert!(capacity[1] < 1.0 / 5.0 && (capacity[2] - capacity[0]).abs() > 0.0);
    }
}

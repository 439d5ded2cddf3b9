//! Money over years: present value, benefit-cost ratio, internal rate of return, payback. Year 0 is today; flows of a year
//! fall at its end.

/// Present value of yearly flows, the first of them today's, at a discount rate (0.03 for 3 %).
#[must_use]
pub fn present_value(flows: &[f64], rate: f64) -> f64 {
    flows.iter().rev().fold(0.0, |later, flow| flow + later / (1.0 + rate))
}

/// Present value of benefits over that of costs (both positive); none without costs.
#[must_use]
pub fn benefit_cost_ratio(benefits: &[f64], costs: &[f64], rate: f64) -> Option<f64> {
    let costs = present_value(costs, rate);
    (costs > 0.0).then(|| present_value(benefits, rate) / costs)
}

/// First year at whose end flows discounted so far sum up to 0 or more; none if they never do.
#[must_use]
pub fn payback_year(flows: &[f64], rate: f64) -> Option<u32> {
    let mut sum = 0.0;
    let mut factor = 1.0;
    for (year, flow) in flows.iter().enumerate() {
        sum += flow * factor;
        factor /= 1.0 + rate;
        if sum >= 0.0 {
            return u32::try_from(year).ok();
        }
    }
    None
}

/// Rate between -99 % and 1000 % at which flows are worth nothing today. None where they change their sign not exactly
/// once, because then there is none, or more than one.
#[must_use]
pub fn internal_rate_of_return(flows: &[f64]) -> Option<f64> {
    let signs: Vec<bool> = flows.iter().filter(|flow| **flow != 0.0).map(|flow| *flow > 0.0).collect();
    if signs.windows(2).filter(|pair| pair[0] != pair[1]).count() != 1 {
        return None;
    }
    let (mut low, mut high) = (-0.99_f64, 10.0_f64);
    let rises = present_value(flows, high) > 0.0;
    if (present_value(flows, low) > 0.0) == rises {
        return None;
    }
    for _ in 0..200 {
        let middle = low.midpoint(high);
        if (present_value(flows, middle) > 0.0) == rises { high = middle } else { low = middle }
    }
    Some(low.midpoint(high))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_by_hand() {
        let flows = [-100.0, 60.0, 60.0];
        assert!((present_value(&flows, 0.1) - (-100.0 + 60.0 / 1.1 + 60.0 / 1.21)).abs() < 1e-12);
        let ratio = benefit_cost_ratio(&[0.0, 60.0, 60.0], &[100.0], 0.1).unwrap();
        assert!((ratio - 1.041_322_314).abs() < 1e-8, "{ratio}");
        assert_eq!(benefit_cost_ratio(&[1.0], &[0.0], 0.1), None);
        // 100 = 60 / r + 60 / r^2 at r = 0.3 + sqrt(0.09 + 0.6).
        let rate = internal_rate_of_return(&flows).unwrap();
        assert!((rate - (0.3 + 0.69_f64.sqrt() - 1.0)).abs() < 1e-9, "{rate}");
        assert_eq!(internal_rate_of_return(&[1.0, 1.0]), None);
        assert_eq!(internal_rate_of_return(&[-1.0, 3.0, -1.0]), None);
        assert_eq!(payback_year(&flows, 0.1), Some(2));
        assert_eq!(payback_year(&flows, 0.0), Some(2));
        assert_eq!(payback_year(&[-100.0, 60.0, 50.0], 0.1), None);
    }
}

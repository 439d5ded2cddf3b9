//! Roads changed before a run: speed limits and lanes taken. Those with hours or dates change in the run (see
//! [`super::state`]).
//!
//! **Speed.** Of the triangular fundamental diagram (Newell 1993) of a link its jam density k and the speed of its
//! backward wave w stay; with the free speed v its capacity becomes `k v w / (v + w)`.
//! **Lanes.** Capacity and jam density fall in proportion; one lane for cars stays.
//!
//! Ignored: how well a limit is kept, turns that lanes are marked for. Contract: pure, sequential.

use urbis_city::model::{City, Modes};

fn is_for_cars(city: &City, link: usize) -> bool {
    city.links.modes[link].contains(Modes::CAR)
}

/// Whether a limit changes a link: one for cars that is faster, or slower where the limit `raises`.
#[must_use]
pub fn is_limited(city: &City, link: usize, speed_mps: f64, raises: bool) -> bool {
    let old_mps = city.links.speed_mps_free[link];
    is_for_cars(city, link) && (raises || old_mps > speed_mps) && old_mps.to_bits() != speed_mps.to_bits()
}

/// Lanes that stay for cars where some are taken; nothing where none can be.
#[must_use]
pub fn lanes_left(city: &City, link: usize, taken: u8) -> Option<u8> {
    let lanes = city.links.lanes[link];
    let left = lanes.saturating_sub(taken).max(1);
    (is_for_cars(city, link) && left < lanes).then_some(left)
}

/// Sets the free speed of links; those that are slower stay so unless it `raises`. How many changed.
pub fn limit_speed(city: &mut City, links: &[bool], speed_mps: f64, raises: bool) -> usize {
    let mut changed = 0;
    for link in (0..city.links.len()).filter(|&link| links[link]) {
        if !is_limited(city, link, speed_mps, raises) {
            continue;
        }
        let old_mps = city.links.speed_mps_free[link];
        let (capacity_vps, jam_vpm) = (city.links.capacity_vps[link], city.links.jam_density_vpm[link]);
        let jammed_vpm = jam_vpm - capacity_vps / old_mps;
        city.links.speed_mps_free[link] = speed_mps;
        if jammed_vpm > 0.0 {
            let wave_mps = capacity_vps / jammed_vpm;
            city.links.capacity_vps[link] = jam_vpm * speed_mps * wave_mps / (speed_mps + wave_mps);
        }
        changed += 1;
    }
    changed
}

/// Takes lanes from cars. By link, whether it lost any.
pub fn take_lanes(city: &mut City, links: &[bool], taken: u8) -> Vec<bool> {
    let mut has_lost = vec![false; city.links.len()];
    for link in (0..city.links.len()).filter(|&link| links[link]) {
        let Some(left) = lanes_left(city, link, taken) else { continue };
        let share = f64::from(left) / f64::from(city.links.lanes[link]);
        city.links.lanes[link] = left;
        city.links.capacity_vps[link] *= share;
        city.links.jam_density_vpm[link] *= share;
        has_lost[link] = true;
    }
    has_lost
}

#[cfg(test)]
mod tests {
    use super::*;

    fn road(lanes: u8) -> City {
        let mut city = City::default();
        city.links.id.push("a".to_owned());
        city.links.modes.push(Modes::CAR);
        city.links.lanes.push(lanes);
        city.links.speed_mps_free.push(15.0);
        city.links.jam_density_vpm.push(0.15 * f64::from(lanes));
        city.links.capacity_vps.push(0.5 * f64::from(lanes));
        city
    }

    #[test]
    fn a_limit_keeps_jam_and_wave() {
        let mut city = road(1);
        let wave = |city: &City| {
            city.links.capacity_vps[0] / (0.15 - city.links.capacity_vps[0] / city.links.speed_mps_free[0])
        };
        let before = wave(&city);
        assert_eq!(limit_speed(&mut city, &[true], 20.0, false), 0);
        assert_eq!(limit_speed(&mut city, &[true], 5.0, false), 1);
        assert!((wave(&city) - before).abs() < 1e-9 && city.links.capacity_vps[0] < 0.5);
        assert_eq!(limit_speed(&mut city, &[true], 15.0, true), 1);
        assert!((city.links.capacity_vps[0] - 0.5).abs() < 1e-9);
    }

    #[test]
    fn one_lane_stays() {
        let mut city = road(3);
        assert_eq!(take_lanes(&mut city, &[false], 1), [false]);
        assert_eq!(take_lanes(&mut city, &[true], 1), [true]);
        assert!((city.links.capacity_vps[0] - 1.0).abs() < 1e-12 && city.links.lanes[0] == 2);
        assert_eq!(take_lanes(&mut city, &[true], 8), [true]);
        assert_eq!(take_lanes(&mut city, &[true], 1), [false]);
        assert!((city.links.jam_density_vpm[0] - 0.15).abs() < 1e-12);
    }
}

//! Where vehicles were on links, as kinematic-wave theory says: points at which their speed changes.
//!
//! Newell (1993, 2002): a vehicle drives freely until it meets the backward wave of those ahead. With `u` the
//! free speed, `L` the length, `d = 1 / kj` the room of a standing vehicle and `tau = 1 / (kj w)` the time of
//! the wave over it, the `n`-th vehicle is at `L - k d` at
//! `max(entered + (L - k d) / u, left[n - k] + k tau)`.
//!
//! Ignored: that longer vehicles take more room, stops of buses. Contract: a pure function of the passages,
//! which come in order of leaving; rows by link, then vehicle, then time.

use urbis_core::{CarLinkIx, TripIx};
use urbis_traffic::time::to_seconds;
use urbis_traffic::{CarNetwork, LinkPassage, NetworkColumns};

/// A vehicle at a moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    pub(super) trip: TripIx,
    pub(super) link: CarLinkIx,
    pub(super) time_s: f64,
    /// From the start of the link.
    pub(super) along_m: f64,
}

/// Links with an end within `radius_m` of a node.
pub(super) fn links_around(columns: &NetworkColumns, node: u32, radius_m: f64) -> Vec<bool> {
    let (x, y) = (columns.x_m[node as usize], columns.y_m[node as usize]);
    let is_near = |&end: &u32| (columns.x_m[end as usize] - x).hypot(columns.y_m[end as usize] - y) <= radius_m;
    columns.from.iter().zip(&columns.to).map(|(from, to)| is_near(from) || is_near(to)).collect()
}

/// The points of all passages of the links marked.
pub(super) fn points(
    network: &CarNetwork,
    columns: &NetworkColumns,
    is_wanted: &[bool],
    passages: &[LinkPassage],
) -> Vec<Point> {
    let mut own: Vec<&LinkPassage> = passages.iter().filter(|passage| is_wanted[passage.link.row()]).collect();
    // Stable: passages of a link stay in order of leaving.
    own.sort_by_key(|passage| passage.link);
    let mut points = Vec::new();
    for of in own.chunk_by(|a, b| a.link == b.link) {
        let row = of[0].link.row();
        let (length_m, density) = (columns.length_m[row], columns.jam_density_vpm[row]);
        // The free time of the engine, so that both agree on who was held up.
        let free_s = to_seconds(network.free_time[row]);
        // q = u w kj / (u + w), so 1 / (kj w) = 1 / q - 1 / (kj u).
        let tau_s = (1.0 / network.capacity_vps[row] - free_s / (length_m * density)).max(0.0);
        for (nth, passage) in of.iter().enumerate() {
            let entered_s = to_seconds(passage.entered);
            let point = |time_s: f64, along_m: f64| Point { trip: passage.trip, link: passage.link, time_s, along_m };
            points.push(point(entered_s, 0.0));
            let mut held = Vec::new();
            for back in 1..=nth {
                let along_m = length_m - back as f64 / density;
                let wave_s = to_seconds(of[nth - back].left) + back as f64 * tau_s;
                let free_s = entered_s + free_s * along_m / length_m;
                if along_m <= 0.0 || wave_s <= free_s {
                    break;
                }
                held.push(point(wave_s, along_m));
            }
            points.extend(held.into_iter().rev());
            points.push(point(to_seconds(passage.left), length_m));
        }
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;
    use urbis_traffic::time::TICK;

    #[test]
    fn a_queue_starts_from_its_head() {
        // Free speed 10 m/s, 0.1 vehicles/m, capacity 0.5/s: the wave takes 1 s over the 10 m of a vehicle.
        let columns = NetworkColumns {
            x_m: vec![0.0, 200.0],
            y_m: vec![0.0, 0.0],
            from: vec![0],
            to: vec![1],
            length_m: vec![200.0],
            speed_mps_free: vec![10.0],
            capacity_vps: vec![0.5],
            jam_density_vpm: vec![0.1],
            ..NetworkColumns::default()
        };
        let network = CarNetwork::from_columns(columns.clone()).unwrap();
        let passage = |trip: u32, entered: u32, left: u32| LinkPassage {
            trip: TripIx(trip),
            link: CarLinkIx(0),
            entered: entered * TICK,
            left: left * TICK,
        };
        // A red of 20 s at the exit, then one every 2 s; the last comes when the queue has gone.
        let passages = [passage(0, 0, 40), passage(1, 2, 42), passage(2, 4, 44), passage(3, 60, 80)];
        assert_eq!(links_around(&columns, 1, 10.0), [true]);
        let points = points(&network, &columns, &[true], &passages);
        let of = |trip: u32| {
            points.iter().filter(|p| p.trip == TripIx(trip)).map(|p| (p.time_s, p.along_m)).collect::<Vec<_>>()
        };
        assert_eq!(of(0), [(0.0, 0.0), (40.0, 200.0)]);
        assert_eq!(of(1), [(2.0, 0.0), (41.0, 190.0), (42.0, 200.0)]);
        assert_eq!(of(2), [(4.0, 0.0), (42.0, 180.0), (43.0, 190.0), (44.0, 200.0)]);
        assert_eq!(of(3), [(60.0, 0.0), (80.0, 200.0)]);
    }
}

//! grid
use urbis_traffic::synthetic::{Grid, LinkKind};
use urbis_traffic::time::{tick_of, to_seconds};
use urbis_traffic::Engine;
use urbis_core::TripIx;

#[test]
fn grid() {
    for burst in [0, 1, 2, 4, 8] {
        for within in [5400.0, 5850.0] {
        let grid = Grid::new(11, LinkKind::STREET).unwrap();
        let trips = grid.staircase_trips(60_000, within, 1);
        let mut engine = Engine::new(&grid.network, burst).unwrap();
        let routes: Vec<_> = trips.iter().map(|t| engine.add_route(&t.route).unwrap()).collect();
        let (mut next, mut sum, mut sum_road, mut free, mut n, mut last) = (0, 0.0, 0.0, 0.0, 0, 0.0);
        for tick in 0..9000 {
            while next < trips.len() && tick_of(trips[next].depart) <= tick {
                engine.depart(TripIx(next as u32), routes[next], trips[next].depart);
                next += 1;
            }
            for a in engine.step() {
                sum += to_seconds(a.arrive - a.depart);
                sum_road += to_seconds(a.arrive - a.entered);
                free += to_seconds(a.free_time);
                n += 1;
                last = to_seconds(a.arrive);
            }
            if tick % 500 == 0 {
            let (counts, table) = engine.audit();
            assert_eq!(counts, engine.counts());
            assert!(counts.balances());
            assert_eq!(table, counts.on_road + counts.waiting);
            }
        }
        let n_ = n as f64;
        println!("burst {burst} within {within}: n {n} mean {:.1} road {:.1} free {:.1} last {last:.0} crossings {}", sum / n_, sum_road / n_, free / n_, engine.crossings());
        let mut busiest: Vec<f64> = vec![0.0; grid.network.links()];
        for t in &trips { for l in &t.route { busiest[l.row()] += 1.0 / within / 0.5; } }
        println!("busiest {:.3}", busiest.iter().cloned().fold(0.0, f64::max));
        }
    }
}

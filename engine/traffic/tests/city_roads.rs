//! Monaco's roads with joined links and lanes of their own: figures by links of the city add up.

use std::collections::BTreeMap;
use std::path::Path;
use urbis_city::model::City;
use urbis_core::rng::Rng;
use urbis_core::{LinkIx, NodeIx, TripIx};
use urbis_traffic::time::TICK;
use urbis_traffic::{CarNetwork, CityPassages, Engine, LinkStats, RoadShape, Router};

fn monaco() -> City {
    let recipe = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/monaco/city.toml");
    let out = tempfile::tempdir().unwrap();
    let package = out.path().join("monaco");
    urbis_city::build::build(&recipe, &package, &mut |_| ()).unwrap();
    urbis_city::package::read(&package).unwrap()
}

const ALL: RoadShape = RoadShape { joins_short: true, turn_pocket_m: Some(40.0), lane_groups: true, keeps_left: false };

#[test]
fn figures_by_links_of_the_city_add_up() {
    let city = monaco();
    let plain = CarNetwork::from_city(&city).unwrap();
    let mut rng = Rng::new(1, 0, 0, 0);
    let ends: Vec<NodeIx> = (0..60).map(|_| plain.city_node[rng.below(plain.nodes() as u32) as usize]).collect();
    let marked = city.links.turn_lanes.iter().filter(|text| !text.is_empty()).count();
    assert!(marked > 10, "{marked} links have marked lanes");
    let shapes = [
        ALL,
        RoadShape { joins_short: true, ..RoadShape::default() },
        RoadShape { lane_groups: true, ..RoadShape::default() },
        RoadShape { turn_pocket_m: Some(30.0), ..RoadShape::default() },
    ];
    for shape in shapes {
        let network = CarNetwork::from_city_shaped(&city, |_| 1.0, shape, &ends).unwrap();
        let reshaped = network.reshaped.as_ref().unwrap();
        assert_eq!(reshaped.merged().is_some_and(|merged| merged.links() < plain.links()), shape.joins_short);
        let split = reshaped.groups().map_or(0, |groups| groups.report.split);
        assert_eq!(split > 0, shape.lane_groups || shape.turn_pocket_m.is_some(), "{shape:?}");
        let mut engine = Engine::new(&network, 4).unwrap();
        engine.keep_passages();
        let router = Router::new(&network);
        let pairs: Vec<(u32, u32)> = (0..1500)
            .map(|_| [0, 1].map(|_| network.node_of(ends[rng.below(60) as usize]).unwrap()))
            .map(|[from, to]| (from, to))
            .collect();
        let routes = router.route_batch(&pairs);
        let mut driven: BTreeMap<u32, Vec<LinkIx>> = BTreeMap::new();
        for trip in 0..pairs.len() {
            let Some((links, _)) = routes.route(trip).filter(|(links, _)| !links.is_empty()) else { continue };
            let route = engine.add_route(links).unwrap();
            engine.depart(TripIx(trip as u32), route, trip as u32 * TICK / 2);
            driven.insert(trip as u32, network.city_links(links));
        }
        assert!(driven.len() > 1000);
        let (mut stats, mut passages) = (LinkStats::new(&engine), CityPassages::default());
        let (mut entered, mut left) = (vec![0_i64; plain.links()], vec![0_i64; plain.links()]);
        let mut passed: BTreeMap<u32, Vec<LinkIx>> = BTreeMap::new();
        let mut last_left: BTreeMap<u32, u32> = BTreeMap::new();
        for _ in 0..60 {
            for _ in 0..60 {
                engine.step();
                for (link, passage) in passages.by_city(&network, &engine.take_passages()) {
                    let trip = passage.trip.0;
                    assert!(passage.entered <= passage.left);
                    // A link is entered when the one before is left.
                    assert!(last_left.insert(trip, passage.left).is_none_or(|left| left == passage.entered));
                    passed.entry(trip).or_default().push(link);
                }
            }
            let raw = stats.take_interval(&engine);
            let of = network.by_city(&raw);
            assert_eq!(of.city_link, plain.city_link);
            assert_eq!(of.length_m, plain.length_m);
            for row in 0..plain.links() {
                entered[row] += i64::from(of.interval.entered[row]);
                left[row] += i64::from(of.interval.left[row]);
                assert_eq!(entered[row] - left[row], i64::from(of.interval.vehicles_end[row]), "{shape:?} {row}");
            }
            let sum = |of: &[f64]| of.iter().sum::<f64>();
            assert!((sum(&of.interval.travel_time_s_sum) - sum(&raw.travel_time_s_sum)).abs() < 1e-6);
            assert!((sum(&of.interval.vehicles_mean) - sum(&raw.vehicles_mean)).abs() < 1e-6);
            assert_eq!(of.interval.queue_end.iter().sum::<u32>(), raw.queue_end.iter().sum::<u32>());
        }
        assert_eq!(engine.counts().on_road + engine.counts().waiting, 0, "{shape:?}");
        assert_eq!(passed, driven);
        assert_eq!(left.iter().sum::<i64>() as usize, driven.values().map(Vec::len).sum::<usize>());
    }
    let same = CarNetwork::from_city_shaped(&city, |_| 1.0, RoadShape::default(), &ends).unwrap();
    assert!(same.reshaped.is_none() && same.from == plain.from && same.length_m == plain.length_m);
    let wrong = RoadShape { turn_pocket_m: Some(f64::NAN), ..RoadShape::default() };
    assert!(CarNetwork::from_city_shaped(&city, |_| 1.0, wrong, &ends).is_err());
}

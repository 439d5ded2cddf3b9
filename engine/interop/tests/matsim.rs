//! MATSim's files and its queue model against the events that MATSim's Rust port wrote for the equil example.

use std::path::{Path, PathBuf};
use urbis_interop::RoadNetwork;
use urbis_interop::matsim::{self, Event, EventKind, EventNames, MatsimPlans, PlansRun, PrepareSettings};
use urbis_traffic::queue_model::QueueSettings;

/// The reference inputs, where they are.
#[allow(clippy::print_stderr)] // a test that is skipped must say so
fn reference() -> Option<PathBuf> {
    let shared = std::env::var_os("URBIS_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let folder = shared.join("reference/traffic/matsim_equil");
    if !folder.is_dir() {
        eprintln!("skipped: no {}; set URBIS_SHARED", folder.display());
        return None;
    }
    Some(folder)
}

fn names<'a>(network: &'a RoadNetwork, plans: &'a MatsimPlans) -> EventNames<'a> {
    EventNames {
        links: &network.link_id,
        persons: &plans.persons,
        vehicles: &plans.vehicles,
        activities: &plans.activity_names,
        modes: &plans.modes,
    }
}

fn simulated(network: &RoadNetwork, plans: &MatsimPlans) -> (Vec<Event>, PlansRun) {
    let mut events = Vec::new();
    let run = matsim::simulate_plans(network, plans, "car", &QueueSettings::default(), |event| {
        events.push(event);
        Ok(())
    });
    (events, run.unwrap())
}

#[test]
fn equil_events_are_those_of_matsim() {
    let Some(folder) = reference() else { return };
    let network = matsim::read_network(&folder.join("equil-network.xml")).unwrap();
    let plans = matsim::read_plans(&folder.join("equil-1-plan.xml"), &network).unwrap();
    let ready = matsim::prepare(&network, &plans, &PrepareSettings::default());
    let (events, run) = simulated(&network, &ready);
    assert_eq!((run.driven, run.teleported, run.unfinished, run.crossings), (3, 6, 0, 7));
    let place = tempfile::tempdir().unwrap();
    let expected = std::fs::read_to_string(folder.join("expected_events.xml")).unwrap();
    let plain = place.path().join("events.xml");
    matsim::write_events(&plain, names(&network, &ready), events.iter().copied()).unwrap();
    let written = std::fs::read_to_string(&plain).unwrap();
    for (line, (ours, theirs)) in written.lines().zip(expected.lines()).enumerate() {
        assert_eq!(ours, theirs, "line {}", line + 1);
    }
    assert_eq!(written.lines().count(), expected.lines().count());
    let packed = place.path().join("events.xml.gz");
    matsim::write_events(&packed, names(&network, &ready), events).unwrap();
    let mut text = String::new();
    let file = std::fs::File::open(&packed).unwrap();
    std::io::Read::read_to_string(&mut flate2::read::MultiGzDecoder::new(file), &mut text).unwrap();
    assert_eq!(text, written);
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 2, "nothing unfinished is left");
}

#[test]
fn a_hundred_persons_leave_link_by_link_at_its_capacity() {
    let Some(folder) = reference() else { return };
    let network = matsim::read_network(&folder.join("equil-network.xml")).unwrap();
    let plans = matsim::read_plans(&folder.join("equil-plans.xml.gz"), &network).unwrap();
    assert_eq!(plans.persons.len(), 100);
    // As planned: all leave link 1 at six o'clock by link 6 and 15, whose capacity is 1000 an hour.
    let kept = PrepareSettings { access_egress: false, ..PrepareSettings::default() };
    let ready = matsim::prepare(&network, &plans, &kept);
    assert!(ready.route_links == plans.route_links);
    let (events, run) = simulated(&network, &ready);
    assert_eq!((run.driven, run.unfinished), (plans.legs.len() as u64, 0));
    let left = |name: &str| -> Vec<u32> {
        let row = network.link_id.iter().position(|id| id == name).unwrap() as u32;
        let is_it = |event: &&Event| matches!(event.kind, EventKind::LeftLink { link, .. } if link == row);
        events.iter().filter(is_it).map(|event| event.time_s).collect()
    };
    // 36,000 vehicles an hour are ten a second.
    let first = left("1");
    assert_eq!(first.len(), 100);
    assert!(first.windows(11).all(|window| window[10] > window[0]), "{first:?}");
    let mut through = 0;
    for link in 2..=10 {
        // One a second, after 359 s in the queue and one at the node.
        let times = left(&link.to_string());
        assert!(times.first().is_none_or(|&time| time >= first[0] + 360), "{times:?}");
        assert!(times.windows(2).all(|pair| pair[1] > pair[0]), "{link}: {times:?}");
        // 1000 an hour: every 3.6 s, told to the second.
        let times = left(&(link + 9).to_string());
        for (at, &time) in times.iter().enumerate() {
            assert!(f64::from(time - times[0]) >= 3.6 * at as f64 - 1.0 - 1e-9, "{link}: {times:?}");
        }
        through += times.len();
    }
    assert_eq!(through, 100);
    // The same whatever the number of threads (routes are found in parallel).
    let all = PrepareSettings::default();
    let runs: Vec<_> = [1, 2, 3, 8, 16]
        .map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| simulated(&network, &matsim::prepare(&network, &plans, &all)))
        })
        .into();
    assert!(runs.windows(2).all(|pair| pair[0] == pair[1]));
    assert!(runs[0].1.unfinished == 0);
    let trips = plans.trips(&network, "car");
    assert_eq!(trips.trips.depart_s.len(), plans.legs.len());
    assert_eq!(trips.trips.route_ends.len(), plans.legs.len());
    let earliest_s = trips.trips.depart_s.iter().copied().fold(f64::INFINITY, f64::min);
    assert!((earliest_s + 1.0 - f64::from(first[0])).abs() < 1e-9);
}

/// A network of one mode and another, with a turn that is longer than it looks.
const NETWORK: &str = r#"<network><nodes><node id="a" x="0" y="0"/><node id="b" x="100" y="0"/><node id="c" x="200" y="0"/>
<node id="d" x="200" y="100"/></nodes><links capperiod="01:00:00">
<link id="ab" from="a" to="b" length="100" freespeed="10" capacity="3600" permlanes="1" modes="car"/>
<link id="bc" from="b" to="c" length="100" freespeed="10" capacity="3600" permlanes="1" modes="car"/>
<link id="bd" from="b" to="d" length="150" freespeed="10" capacity="3600" permlanes="1" modes="car"/>
<link id="dc" from="d" to="c" length="100" freespeed="10" capacity="3600" permlanes="1" modes="car"/>
<link id="ca" from="c" to="a" length="250" freespeed="10" capacity="3600" permlanes="1" modes="car"/>
</links></network>"#;

fn read(text: &str, network: &RoadNetwork) -> urbis_core::Result<MatsimPlans> {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("plans.xml");
    std::fs::write(&path, text).unwrap();
    matsim::read_plans(&path, network)
}

fn small() -> RoadNetwork {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("network.xml");
    std::fs::write(&path, NETWORK).unwrap();
    matsim::read_network(&path).unwrap()
}

#[test]
fn three_versions_say_the_same() {
    let network = small();
    let v4 = r#"<!DOCTYPE plans SYSTEM "http://www.matsim.org/files/dtd/plans_v4.dtd"><plans><person id="p&lt;1"><plan>
<act type="h" link="ab" x="1" y="2" end_time="08:00"/><leg num="0" mode="car" dep_time="08:00" trav_time="00:01">
<route>b d c</route></leg><act type="w" link="ca" dur="00:10"/><leg mode="car"/><act type="h" link="ab"/>
</plan></person></plans>"#;
    let v5 = r#"<population><person id="p&lt;1"><plan selected="no"><act type="x" link="ab"/></plan><plan selected="yes">
<act type="h" link="ab" x="1" y="2" end_time="08:00:00" /><leg mode="car" dep_time="08:00" trav_time="00:01:00">
<route type="links">ab bd dc ca</route></leg><act type="w" link="ca" max_dur="00:10:00"/><leg mode="car"></leg><act type="h" link="ab"/>
</plan></person><person id="nobody"/></population>"#;
    let v6 = r#"<population><attributes><attribute name="x" class="c">y</attribute></attributes><person id="p&lt;1">
<attributes><attribute name="vehicles" class="x">{"car":"1"}</attribute></attributes><plan selected="yes">
<activity type="h" link="ab" x="1" y="2" end_time="08:00:00" ><attributes/></activity>
<leg mode="car" dep_time="08:00" trav_time="undefined"><attributes><attribute name="routingMode" class="java.lang.String">car</attribute></attributes>
<route type="links" start_link="ab" end_link="ca" trav_time="00:01:00">bd dc</route></leg>
<activity type="w" link="ca" max_dur="00:10:00" ></activity><leg mode="car"/><activity type="h" link="ab"/>
</plan><plan selected="no"><activity type="z"/></plan></person></population>"#;
    let all: Vec<MatsimPlans> = [v4, v5, v6].map(|text| read(text, &network).unwrap()).into();
    for plans in &all {
        assert_eq!(plans.persons, ["p<1"]);
        assert_eq!(plans.first_activity, [0, 3]);
        let links: Vec<&str> = plans.route_links.iter().map(|link| network.link_id[link.row()].as_str()).collect();
        assert_eq!(links[..4], ["ab", "bd", "dc", "ca"]);
        assert_eq!(
            (plans.legs[0].travel_s, plans.activities[0].end_s, plans.activities[1].duration_s),
            (60.0, 28_800.0, 600.0)
        );
        let trips = plans.trips(&network, "car").trips;
        assert_eq!(trips.depart_s, [28_800.0, 28_800.0 + 60.0 + 600.0]);
        assert_eq!((trips.from_node.as_slice(), trips.to_node.as_slice()), (&[1, 0][..], &[0, 1][..]));
    }
    assert!(all[1].notes[0].contains("1 persons have no plan"), "{:?}", all[1].notes);
}

#[test]
fn later_departures_wait_for_arrivals_of_every_kind() {
    let network = small();
    let text = r#"<population><person id="p"><plan selected="yes">
<activity type="h" link="ab" x="0" y="0" end_time="00:01:40"/><leg mode="pt" trav_time="00:00:30"/>
<activity type="w" link="bc" x="0" y="0" max_dur="00:00:10"/><leg mode="car"/>
<activity type="s" link="ca" x="0" y="0" end_time="00:00:20"/><leg mode="bike"/><activity type="h" link="ab"/></plan></person>
<person id="q"><plan><activity type="h" link="ab"/><leg mode="car"/><activity type="h" link="bc"/></plan></person></population>"#;
    let plans = read(text, &network).unwrap();
    let settings = PrepareSettings { access_egress: false, ..PrepareSettings::default() };
    let ready = matsim::prepare(&network, &plans, &settings);
    let (events, run) = simulated(&network, &ready);
    let of = |kind: &dyn Fn(&EventKind) -> bool| -> Vec<u32> {
        events.iter().filter(|event| kind(&event.kind)).map(|event| event.time_s).collect()
    };
    // pt from 100 to 130; work from 131 to 141; car over bc (over its node at 142) and ca (25 s) to 167; the shop
    // was to end at 20, so it ends when it starts; a bicycle of unknown time takes none.
    assert_eq!(of(&|kind| matches!(kind, EventKind::Departure { .. })), [100, 141, 168]);
    assert_eq!(of(&|kind| matches!(kind, EventKind::Arrival { .. })), [130, 167, 168]);
    assert_eq!((run.driven, run.teleported, run.without_time, run.unfinished), (1, 2, 1, 1));
}

#[test]
fn broken_plans_are_told() {
    let network = small();
    let with = |inner: &str| format!("<population><person id='p'><plan>{inner}</plan></person></population>");
    for (text, words) in [
        ("<network/>".to_owned(), "expected <population> or <plans>"),
        (with("<leg mode='car'/>"), "a leg without an activity before"),
        (with("<act link='ab'/><act link='ab'/>"), "two activities without a leg"),
        (with("<act link='ab'/><leg mode='car'/>"), "ends with a leg"),
        ("<population/>".to_owned(), "no person with a plan"),
        ("<population><person/></population>".to_owned(), "person without id"),
    ] {
        let Err(urbis_core::Error::Input(problems)) = read(&text, &network) else { panic!("{text}") };
        assert!(problems.listed()[0].to_string().contains(words), "{:?}", problems.listed());
    }
    let odd = with(
        "<act link='ab'/><leg mode='car'><route>ab dc</route></leg><act link='dc'/><leg mode='car'><route>no</route></leg><act link='nix'/>",
    );
    let plans = read(&odd, &network).unwrap();
    assert!(plans.route_links.is_empty());
    assert!(plans.notes.iter().any(|note| note.contains("1 routes have a gap")), "{:?}", plans.notes);
    assert!(
        plans
            .notes
            .iter()
            .any(|note| note.starts_with("2 names of links") && note.contains("link no in a route of person p"))
    );
    let ready = matsim::prepare(&network, &plans, &PrepareSettings::default());
    assert!(
        ready.notes.iter().any(|note| note == "1 car legs start or end on no link of the network"),
        "{:?}",
        ready.notes
    );
}

#[test]
fn almost_right_plans_never_panic() {
    use proptest::prelude::*;
    let network = small();
    let text = r#"<population><person id="p"><plan selected="yes"><activity type="h" link="ab" x="0" y="0" end_time="00:01:40"/>
<leg mode="car"><attributes><attribute name="routingMode" class="x">car</attribute></attributes><route type="links" start_link="ab" end_link="ca" trav_time="00:01:00" distance="5">ab bd dc ca</route></leg>
<activity type="w" link="ca" max_dur="00:10:00" ></activity><leg mode="walk" trav_time="00:01:00"/><activity type="h" link="ab"/></plan></person></population>"#;
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let odd = prop_oneof![
        Just("\""),
        Just("<"),
        Just("/>"),
        Just("-5"),
        Just("NaN"),
        Just("</leg>"),
        Just("99:99:99"),
        Just("")
    ];
    let changes = proptest::collection::vec((0..text.len(), 0..40_usize, odd), 1..5);
    runner
        .run(&changes, |changes| {
            let mut bytes = text.as_bytes().to_vec();
            for (at, n, insert) in changes {
                let start = at.min(bytes.len());
                let end = (start + n).min(bytes.len());
                bytes.splice(start..end, insert.bytes());
            }
            let text = String::from_utf8_lossy(&bytes).into_owned();
            if let Ok(plans) = read(&text, &network) {
                let _ = plans.trips(&network, "car");
                for settings in
                    [PrepareSettings::default(), PrepareSettings { access_egress: false, ..PrepareSettings::default() }]
                {
                    let (events, _) = simulated(&network, &matsim::prepare(&network, &plans, &settings));
                    prop_assert!(events.windows(2).all(|pair| pair[0].time_s <= pair[1].time_s));
                }
            }
            Ok(())
        })
        .unwrap();
}

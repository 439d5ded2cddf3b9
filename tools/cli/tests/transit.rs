//! `urbis transit` from outside: a small feed, what is said about it, and exit codes.

mod common;

use common::{folder, urbis};

const FEED: [(&str, &str); 6] = [
    ("agency.txt", "agency_name,agency_url,agency_timezone\nTown,http://town,Europe/Rome\n"),
    ("stops.txt", "stop_id,stop_name,stop_lat,stop_lon\nA,Alpha,45.0,7.0\nB,Beta,45.03,7.0\nC,Gamma,45.03,7.05\n"),
    ("routes.txt", "route_id,route_short_name,route_type\nR1,1,3\nR2,2,0\n"),
    ("calendar_dates.txt", "service_id,date,exception_type\nW,20260708,1\n"),
    ("trips.txt", "route_id,service_id,trip_id,trip_headsign\nR1,W,T1,Beta\nR2,W,T2,Gamma\nR9,W,T3,Nowhere\n"),
    (
        "stop_times.txt",
        "trip_id,arrival_time,departure_time,stop_id,stop_sequence\nT1,08:00:00,08:00:00,A,1\n\
         T1,08:10:00,08:10:00,B,2\nT2,08:15:00,08:15:00,B,1\nT2,08:25:00,08:25:00,C,2\n",
    ),
];

#[test]
fn feeds_are_checked() {
    let place = folder(&FEED);
    let ended = urbis(place.path(), &["transit", "check", "."]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    for words in [
        "2026-07-08 (a day within the calendars)",
        "3 stops, 2 routes, 2 patterns, 2 trips (1 bus, 1 tram), 4 stop times; time zone Europe/Rome",
        "trips.txt row 3 (id T3): route_id = R9, expected a route_id of routes.txt",
    ] {
        assert!(ended.stdout.contains(words), "{}", ended.stdout);
    }
    let ended = urbis(place.path(), &["transit", "check", ".", "--date", "2026-07-09"]);
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("has no trip on 2026-07-09; its calendars go from 2026-07-08 to 2026-07-08"));
    std::fs::remove_file(place.path().join("stops.txt")).unwrap();
    let ended = urbis(place.path(), &["transit", "check", "."]);
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("stops.txt: is not there"), "{}", ended.stderr);
}

#[test]
fn journeys_are_told() {
    let place = folder(&FEED);
    let route = |to, at| {
        let ends = ["--from", "45.001,7.0", "--to", to, "--at", at];
        urbis(place.path(), &[&["transit", "route", ".", "--date", "2026-07-08"], &ends[..]].concat())
    };
    let ended = route("45.03,7.051", "07:30");
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert_eq!(
        ended.stdout,
        "* 07:58 to 08:26  28 min: 20 riding, 3 on foot, 5 waiting; 2 rides; cost 97 min\n    \
         07:58  walk 2 min from the start to Alpha\n    \
         08:00  bus 1 towards Beta from Alpha, 1 stop, to Beta at 08:10\n    \
         08:15  tram 2 towards Gamma from Beta, 1 stop, to Gamma at 08:25\n    \
         08:25  walk 2 min from Gamma to the end\n"
    );
    assert!(ended.stderr.contains("warning: rows or trips of the feeds left out: 1;"));
    assert!(route("45.03,7.051", "08:30").stdout.starts_with("no journey"));
    let ended = route("45.5,7.0", "07:30");
    assert_eq!((ended.code, ended.stderr.contains("has no stop within 800 m of the end")), (2, true));
    assert_eq!(route("45.03", "07:30").code, 2);
    assert_eq!(route("45.03,7.0", "25:99").code, 2);
}

//! Every kind of defect has its own finding with file, row, id and value; broken bytes never make it panic.

mod common;

use common::{DATE, GOOD, below, changed, check_timetable, write};
use jiff::civil::date;
use std::io::Write;
use std::path::Path;
use urbis_core::diagnostics::ExitStatus;
use urbis_core::rng::Rng;
use urbis_transit::feed::{self, FeedRead};
use urbis_transit::report::{Defect, Severity};
use urbis_transit::timetable::{ALIGHT, BOARD, Capacities, RouteKind};
use urbis_transit::{StopIx, TransitTripIx};

fn read(folder: &Path) -> FeedRead {
    feed::read(&[folder.to_owned()], DATE, &Capacities::default())
}

/// The first example of a defect, without the folder.
fn example(read: &FeedRead, defect: Defect) -> String {
    let findings = read.report.findings();
    let found = findings.iter().find(|of| of.0 == defect);
    let Some((_, finding)) = found else { panic!("no {defect:?} among {findings:?}") };
    let text = finding.examples[0].to_string();
    let place = text.split(' ').next().unwrap();
    text[place.rfind('/').map_or(0, |at| at + 1)..].to_owned()
}

#[test]
fn a_good_feed_has_only_notes() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &GOOD);
    let of = read(folder.path());
    let found: Vec<(Defect, u64)> = of.report.findings().iter().map(|(defect, of)| (*defect, of.count)).collect();
    assert_eq!(found, [(Defect::Interpolated, 1)]);
    let (timetable, report) = of.into_result().unwrap();
    check_timetable(&timetable);
    assert_eq!((report.feeds[0].runs, timetable.trips_len(), timetable.stops_len()), (8, 8, 5));
    let kinds = &timetable.routes.kind;
    assert_eq!(kinds[..], [RouteKind::Bus, RouteKind::Tram]);
    assert_eq!(timetable.time_zone, "Europe/Rome");
    // B lies a third of the way from A to C: 8:03 of 8:00 to 8:09.
    let t1 = timetable.trips.id.iter().position(|id| &**id == "T1").unwrap();
    assert_eq!(timetable.arrivals_s(TransitTripIx(t1 as u32)), [28_800, 28_980, 29_340]);
    let stop = |id| timetable.stop_of(id).unwrap().row();
    assert_eq!(timetable.stops.station[stop("B")], timetable.stops.station[stop("B2")]);
    assert_eq!(timetable.stops.station[stop("A")], u32::MAX);
    let sides = (timetable.stops.x_m[stop("D")] - timetable.stops.x_m[stop("B")]).abs();
    assert!((sides - 1577.0).abs() < 5.0, "{sides}");
}

#[test]
fn each_defect_has_its_message() {
    let times = "stop_times.txt";
    for (table, from, to, defect, message) in [
        ("stops.txt", "A,Alpha", ",Alpha", Defect::BlankId, "stops.txt row 1: stop_id = (empty), expected a name"),
        (
            "stops.txt",
            "C,Gamma",
            "A,Gamma",
            Defect::DuplicateId,
            "stops.txt row 3 (id A): stop_id = A, expected a name not used before",
        ),
        (
            "stops.txt",
            "45.00,7.00,0",
            "x,7.00,0",
            Defect::StopWithoutPosition,
            "stops.txt row 1 (id A): stop_lat, stop_lon = nothing usable, expected degrees, not both 0",
        ),
        (
            "stops.txt",
            "0,S\nC",
            "0,Z\nC",
            Defect::StopUnknownParent,
            "stops.txt row 2 (id B): parent_station = Z, expected a stop_id",
        ),
        (
            "stops.txt",
            "A,Alpha,45.00,7.00,0,",
            "A,Alpha,45.00,7.00",
            Defect::ShortRow,
            "stops.txt row 1 (id A): fields = 4, expected 6",
        ),
        (
            "routes.txt",
            "One,3",
            "One,99",
            Defect::UnknownRouteType,
            "routes.txt row 1 (id R1): route_type = 99, expected 0 to 7, 11, 12 or an extended type",
        ),
        (
            "calendar.txt",
            "W,1,1",
            "W,1,2",
            Defect::BadCalendar,
            "calendar.txt row 1 (id W): tuesday = 2, expected 0 or 1",
        ),
        (
            "calendar.txt",
            "20261231",
            "20261331",
            Defect::BadCalendar,
            "calendar.txt row 1 (id W): end_date = 20261331, expected a date such as 20260731",
        ),
        (
            "calendar_dates.txt",
            "0709,2",
            "0709,3",
            Defect::BadCalendar,
            "calendar_dates.txt row 2 (id W): exception_type = 3, expected 1 (runs) or 2 (does not run)",
        ),
        (
            "trips.txt",
            "R1,X",
            "R9,X",
            Defect::TripUnknownRoute,
            "trips.txt row 2 (id T2): route_id = R9, expected a route_id of routes.txt",
        ),
        (
            "trips.txt",
            "R1,X",
            "R1,Y",
            Defect::TripUnknownService,
            "trips.txt row 2 (id T2): service_id = Y, expected a service_id of a calendar",
        ),
        (
            times,
            "T2,09:05",
            "T9,09:05",
            Defect::StopTimeUnknownTrip,
            "stop_times.txt row 5 (id T9): trip_id = T9, expected a trip_id of trips.txt",
        ),
        (
            times,
            "09:06:00,B",
            "09:06:00,Z",
            Defect::StopTimeUnknownStop,
            "stop_times.txt row 5 (id T2): stop_id = Z, expected a stop_id of stops.txt",
        ),
        (
            times,
            "09:06:00,B,2",
            "09:06:00,B,x",
            Defect::StopTimeBadSequence,
            "stop_times.txt row 5 (id T2): stop_sequence = x, expected a whole number of at least 0",
        ),
        (
            times,
            "09:06:00,B,2",
            "09:06:00,B,1",
            Defect::StopTimeDuplicate,
            "stop_times.txt row 5 (id T2): stop_sequence = 1, expected one that row 4 does not have",
        ),
        (
            times,
            "09:06:00,B",
            "09:06:00,S",
            Defect::StopTimeAtStation,
            "stop_times.txt row 5 (id T2): stop_id = S, expected a stop (location_type 0)",
        ),
        (
            times,
            "F1,00:04:00,00:04:00,D,2\n",
            "",
            Defect::TripTooShort,
            "trips.txt row 3 (id F1): usable stop times = 1, expected at least 2",
        ),
        (
            times,
            "T1,08:09:00,08:09:00",
            "T1,,",
            Defect::TripWithoutEndTimes,
            "stop_times.txt row 3 (id T1): arrival_time = (empty), expected times at the first and last stop of the trip",
        ),
        (
            times,
            "T2,09:10:00",
            "T2,09:05:30",
            Defect::TripDecreasing,
            "stop_times.txt row 6 (id T2): arrival_time = 09:05:30, expected at least 09:06:00",
        ),
        (
            times,
            "09:05:00,09:06:00",
            "09:05:00,09:04:00",
            Defect::TripDecreasing,
            "stop_times.txt row 5 (id T2): departure_time = 09:04:00, expected at least 09:05:00",
        ),
        (
            times,
            "T2,09:05:00",
            "T2,9h05",
            Defect::BadTime,
            "stop_times.txt row 5 (id T2): arrival_time = 9h05, expected a time such as 06:30:00 or 25:10:00",
        ),
        (
            "frequencies.txt",
            "F1,08",
            "F9,08",
            Defect::FrequencyUnknownTrip,
            "frequencies.txt row 1 (id F9): trip_id = F9, expected a trip_id of trips.txt",
        ),
        (
            "frequencies.txt",
            ",600,",
            ",0,",
            Defect::BadFrequency,
            "frequencies.txt row 1 (id F1): headway_secs = 0, expected whole seconds, at least 10",
        ),
        (
            "frequencies.txt",
            "09:00:00",
            "07:00:00",
            Defect::BadFrequency,
            "frequencies.txt row 1 (id F1): end_time = 07:00:00, expected a time after start_time",
        ),
        (
            "frequencies.txt",
            "600,1",
            "600,0",
            Defect::Headways,
            "frequencies.txt row 1 (id F1): exact_times = 0, expected 1 for a timetable; headways count as one",
        ),
        (
            "agency.txt",
            "Europe/Rome",
            "",
            Defect::TimeZoneUnknown,
            "agency.txt: gives no agency_timezone; times are taken for local ones",
        ),
        (
            "agency.txt",
            "Rome\n",
            "Rome\nb,Bus,http://b,Europe/Paris\n",
            Defect::TimeZoneDiffers,
            "agency.txt row 2 (id Bus): agency_timezone = Europe/Paris, expected Europe/Rome, as the agency before",
        ),
        (
            times,
            "stop_sequence",
            "stop_sequenze",
            Defect::MissingColumn,
            "stop_times.txt: has no column stop_sequence; its columns are trip_id, arrival_time, departure_time, stop_id, stop_sequenze",
        ),
    ] {
        let of = changed(table, from, to);
        assert_eq!(example(&of, defect), message);
        check_timetable(&of.timetable);
        assert_eq!(of.report.is_fatal(), defect.severity() == Severity::Fatal, "{defect:?}");
    }
}

#[test]
fn transfers_are_checked() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &GOOD);
    let text = "from_stop_id,to_stop_id,transfer_type,min_transfer_time,from_trip_id\nA,B,2,120,\nA,Z,0,,\nA,B,2,-5,\n\
        A,B,9,,\nA,B,4,,\nA,B,1,,T1\nS,S,2,90,\nA,C,3,,\n";
    std::fs::write(folder.path().join("transfers.txt"), text).unwrap();
    let of = read(folder.path());
    let counts = [Defect::TransferUnknownStop, Defect::BadTransfer, Defect::TransferNotModelled];
    assert_eq!(counts.map(|defect| of.report.count(defect)), [1, 2, 2]);
    assert!(
        example(&of, Defect::TransferUnknownStop)
            .ends_with("row 2 (id A): to_stop_id = Z, expected a stop_id of stops.txt")
    );
    // A to B, A to C, and the four pairs of the station's two stops.
    assert_eq!(of.timetable.transfers.len(), 6);
}

#[test]
fn whole_feeds_that_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let of = read(&folder.path().join("none.zip"));
    assert_eq!(of.report.count(Defect::Unreadable), 1);
    assert_eq!(of.into_result().unwrap_err().exit_status(), ExitStatus::BadInput);
    let text = folder.path().join("text.zip");
    std::fs::write(&text, "no archive").unwrap();
    assert!(read(&text).report.findings()[0].1.examples[0].to_string().contains("is no zip archive"));
    write(folder.path(), &GOOD);
    for name in ["stops.txt", "routes.txt", "trips.txt", "stop_times.txt"] {
        std::fs::rename(folder.path().join(name), folder.path().join("away")).unwrap();
        assert_eq!(
            example(&read(folder.path()), Defect::MissingTable),
            format!("{name}: is not there; every GTFS feed has it")
        );
        std::fs::rename(folder.path().join("away"), folder.path().join(name)).unwrap();
    }
    std::fs::remove_file(folder.path().join("calendar.txt")).unwrap();
    assert!(!read(folder.path()).report.is_fatal());
    std::fs::remove_file(folder.path().join("calendar_dates.txt")).unwrap();
    assert_eq!(read(folder.path()).report.count(Defect::MissingTable), 1);
    let nothing = feed::read(&[], DATE, &Capacities::default());
    assert_eq!(nothing.report.count(Defect::NoTrips), 1);
}

#[test]
fn dates_without_service_are_named_with_the_calendars() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &GOOD);
    let of = feed::read(&[folder.path().to_owned()], date(2030, 1, 1), &Capacities::default());
    let text = of.into_result().unwrap_err().to_string();
    assert!(text.contains("1 problem"), "{text}");
    let sunday = feed::read(&[folder.path().to_owned()], date(2026, 7, 12), &Capacities::default());
    let message = sunday.report.findings()[0].1.examples[0].to_string();
    assert!(
        message.ends_with("has no trip on 2026-07-12; its calendars go from 2026-01-01 to 2026-12-31"),
        "{message}"
    );
    assert_eq!(feed::typical_date(&[folder.path().to_owned()]), Some(date(2026, 1, 14)));
}

#[test]
fn several_feeds_keep_their_ids_apart_and_lie_in_archives() {
    let folder = tempfile::tempdir().unwrap();
    let archive = |name: &str, prefix: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut zip = zip::ZipWriter::new(std::fs::File::create(&path).unwrap());
        for (table, text) in GOOD {
            zip.start_file(format!("{prefix}{table}"), zip::write::SimpleFileOptions::default()).unwrap();
            // Not UTF-8, and with the mark of Windows.
            let bytes = text.replace("Beta,", "B\u{e9},").replace('\n', "\r\n");
            let bytes: Vec<u8> = bytes.chars().map(|of| of as u32 as u8).collect();
            zip.write_all(b"\xef\xbb\xbf").unwrap();
            zip.write_all(&bytes).unwrap();
        }
        zip.finish().unwrap();
        path
    };
    let feeds = [archive("a/bus.zip", ""), archive("b/bus.zip", "inner/")];
    let of = feed::read(&feeds, DATE, &Capacities::default());
    assert_eq!([Defect::NestedFolder, Defect::NotUtf8].map(|defect| of.report.count(defect)), [1, 2]);
    let (timetable, report) = of.into_result().unwrap();
    check_timetable(&timetable);
    assert_eq!([&report.feeds[0].name, &report.feeds[1].name], ["bus", "bus_2"]);
    assert_eq!((timetable.trips_len(), timetable.stops_len()), (16, 10));
    assert!(timetable.stop_of("bus:A").is_some() && timetable.stop_of("bus_2:A").is_some());
    assert_eq!(timetable.stops.name[timetable.stop_of("bus:B").unwrap().row()], "B\u{fffd}");
    let stations = &timetable.stops.station;
    let of = |id: &str| stations[timetable.stop_of(id).unwrap().row()];
    assert!(of("bus:B") == of("bus:B2") && of("bus:B") != of("bus_2:B"));
}

#[test]
fn trips_past_midnight_are_on_both_days() {
    let of = changed("stop_times.txt", "T1,08:09:00,08:09:00", "T1,25:00:00,25:00:00");
    // T1 runs on weekdays: today's until 25:00, and yesterday's after midnight has only its last stop.
    let of_t1 = |of: &FeedRead| of.timetable.trips.id.iter().filter(|id| &***id == "T1").count();
    assert_eq!(of_t1(&of), 1);
    let late =
        changed("stop_times.txt", "T1,,,B,2\nT1,08:09:00,08:09:00", "T1,23:59:00,24:10:00,B,2\nT1,25:00:00,25:00:00");
    assert_eq!(of_t1(&late), 2);
    let trips = &late.timetable.trips;
    let before = (0..trips.id.len()).find(|&row| trips.day[row] == -1).unwrap();
    let before = TransitTripIx(before as u32);
    assert_eq!(
        (late.timetable.arrivals_s(before), late.timetable.departures_s(before)),
        (vec![0, 3600], vec![600, 3600])
    );
    assert_eq!(late.timetable.trip_stops(before), [StopIx(1), StopIx(2)]);
    let pattern = trips.pattern[before.row()];
    assert_eq!(late.timetable.patterns.flags(pattern), [BOARD | ALIGHT; 2]);
}

/// Mutated feeds: any bytes lead to a timetable that holds together and to findings.
#[test]
fn broken_bytes_never_panic() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &GOOD);
    let path = folder.path().join("feed.zip");
    let mut zip = zip::ZipWriter::new(std::fs::File::create(&path).unwrap());
    for (table, text) in GOOD {
        zip.start_file(table, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap();
    let archive = std::fs::read(&path).unwrap();
    let mut kinds = std::collections::BTreeSet::new();
    for number in 0..1500 {
        let mut rng = Rng::new(4, number, 0, 0);
        let of = if number % 4 == 0 {
            let mut bytes = archive.clone();
            mutate(&mut rng, &mut bytes);
            std::fs::write(&path, bytes).unwrap();
            read(&path)
        } else {
            let (table, text) = GOOD[below(&mut rng, GOOD.len())];
            let mut bytes = text.as_bytes().to_vec();
            for _ in 0..1 + rng.below(4) {
                mutate(&mut rng, &mut bytes);
            }
            std::fs::write(folder.path().join(table), bytes).unwrap();
            let of = read(folder.path());
            std::fs::write(folder.path().join(table), text).unwrap();
            of
        };
        check_timetable(&of.timetable);
        kinds.extend(of.report.findings().iter().map(|of| of.0));
        assert!(of.report.is_fatal() || of.timetable.trips_len() > 0);
    }
    assert!(kinds.len() > 20, "{kinds:?}");
}

/// Changes, removes, doubles or swaps bytes, fields or rows.
fn mutate(rng: &mut Rng, bytes: &mut Vec<u8>) {
    if bytes.is_empty() {
        return;
    }
    let at = below(rng, bytes.len());
    match rng.below(6) {
        0 => bytes[at] = rng.below(256) as u8,
        1 => bytes.truncate(at),
        2 => drop(bytes.drain(at..(at + 1 + below(rng, 20)).min(bytes.len()))),
        3 => {
            let end = (at + 1 + below(rng, 40)).min(bytes.len());
            let part = bytes[at..end].to_vec();
            let to = below(rng, bytes.len());
            drop(bytes.splice(to..to, part));
        }
        4 => {
            // Digits make other times, numbers and ids.
            let digit = (at..bytes.len()).find(|&at| bytes[at].is_ascii_digit());
            digit.into_iter().for_each(|at| bytes[at] = b'0' + rng.below(10) as u8);
        }
        _ => {
            let mut rows: Vec<Vec<u8>> = bytes.split_inclusive(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect();
            let (a, b) = (below(rng, rows.len()), below(rng, rows.len()));
            rows.swap(a, b);
            *bytes = rows.concat();
        }
    }
}

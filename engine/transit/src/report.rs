//! What was found in feeds: per kind of defect a count and a few examples that name file, row, id, value and
//! expectation.
//!
//! Contract: kinds in the order of [`Defect`], examples in the order of the files, whatever the threads.

use std::collections::BTreeMap;
use urbis_core::{Problem, Problems};

/// Examples kept for each kind of defect; the rest are counted.
pub const EXAMPLES_KEPT: usize = 5;

/// What becomes of the thing that has a defect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Without it there is no timetable.
    Fatal,
    /// The row or trip is left out.
    Dropped,
    /// It is kept, with what the defect's sentence says in place of what is missing.
    Repaired,
    /// Nothing is wrong, but it is worth knowing.
    Note,
}

urbis_core::named!(Severity { Fatal = "fatal", Dropped = "dropped", Repaired = "repaired", Note = "note" });

/// Kinds of defects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Defect {
    /// A feed or table that cannot be read at all.
    Unreadable,
    /// A table that every feed must have.
    MissingTable,
    /// A column that a table must have.
    MissingColumn,
    /// Feeds or agencies in different time zones.
    TimeZoneDiffers,
    /// No feed has a trip on the date.
    NoTrips,
    /// A row without an id.
    BlankId,
    /// An id that an earlier row has.
    DuplicateId,
    /// A row of `calendar.txt` or `calendar_dates.txt` with a value that cannot be read.
    BadCalendar,
    /// A trip of a route that is not in `routes.txt`.
    TripUnknownRoute,
    /// A trip of a service that is in neither calendar.
    TripUnknownService,
    /// A stop time of a trip that is not in `trips.txt`.
    StopTimeUnknownTrip,
    /// A stop time at a stop that is not in `stops.txt`.
    StopTimeUnknownStop,
    /// A stop time whose `stop_sequence` is no whole number of at least 0.
    StopTimeBadSequence,
    /// A stop time with a `stop_sequence` that its trip has already.
    StopTimeDuplicate,
    /// A trip with fewer than two stops.
    TripTooShort,
    /// A trip whose first or last stop has no time.
    TripWithoutEndTimes,
    /// A trip whose times decrease.
    TripDecreasing,
    /// A row of `frequencies.txt` for a trip that is not in `trips.txt`.
    FrequencyUnknownTrip,
    /// A row of `frequencies.txt` with a bad time or headway.
    BadFrequency,
    /// A transfer from or to a stop that is not in `stops.txt`.
    TransferUnknownStop,
    /// A transfer whose type or time cannot be read.
    BadTransfer,
    /// A fare with a price, currency, number of transfers or duration that cannot be read.
    BadFare,
    /// A fare in another currency than those before.
    CurrencyDiffers,
    /// A fare of an agency that is not in `agency.txt`.
    FareUnknownAgency,
    /// A rule of a fare that is not in `fare_attributes.txt` or was left out.
    FareRuleUnknownFare,
    /// A rule of a fare for a route that is not in `routes.txt`.
    FareRuleUnknownRoute,
    /// A rule of a fare for a zone that no stop has.
    FareRuleUnknownZone,
    /// A time that cannot be read; it counts as missing and is interpolated.
    BadTime,
    /// A stop without a position; nobody can walk to it.
    StopWithoutPosition,
    /// A parent station that is not in `stops.txt`; the stop stands alone.
    StopUnknownParent,
    /// A vehicle that halts at a station, entrance or node instead of a stop; it counts as a stop.
    StopTimeAtStation,
    /// A route type that GTFS does not know; it counts as a bus.
    UnknownRouteType,
    /// A fare without an agency where there are several; it counts for all of them.
    FareWithoutAgency,
    /// A fare whose `payment_method` is unknown, which does not change its price.
    FareUnknownPayment,
    /// A row with fewer fields than the header; those missing count as empty.
    ShortRow,
    /// A table that is not UTF-8; strange bytes were replaced.
    NotUtf8,
    /// Tables that lie in a folder within the archive.
    NestedFolder,
    /// Stop times between timed stops, interpolated.
    Interpolated,
    /// A feed that has no trip on the date.
    NoServiceInFeed,
    /// No time zone, or one that is unknown.
    TimeZoneUnknown,
    /// Frequencies that are headways only; trips run at the headway from the start.
    Headways,
    /// Transfers between routes or trips, or seats kept; not modelled.
    TransferNotModelled,
    /// Fares of version 2, which are not read.
    FaresVersion2,
}

urbis_core::named!(Defect {
    Unreadable = "file cannot be read",
    MissingTable = "table is missing",
    MissingColumn = "column is missing",
    TimeZoneDiffers = "time zones differ",
    NoTrips = "no trip on the date",
    BlankId = "row without an id",
    DuplicateId = "id used twice",
    BadCalendar = "calendar row with a bad value",
    TripUnknownRoute = "trip of an unknown route",
    TripUnknownService = "trip of an unknown service",
    StopTimeUnknownTrip = "stop time of an unknown trip",
    StopTimeUnknownStop = "stop time at an unknown stop",
    StopTimeBadSequence = "stop time with a bad sequence",
    StopTimeDuplicate = "stop time with a sequence used twice",
    TripTooShort = "trip with fewer than two stops",
    TripWithoutEndTimes = "trip without a first or last time",
    TripDecreasing = "trip with decreasing times",
    FrequencyUnknownTrip = "frequency of an unknown trip",
    BadFrequency = "frequency with a bad value",
    TransferUnknownStop = "transfer at an unknown stop",
    BadTransfer = "transfer with a bad value",
    BadFare = "fare with a bad value",
    CurrencyDiffers = "fare in another currency",
    FareUnknownAgency = "fare of an unknown agency",
    FareRuleUnknownFare = "rule of an unknown fare",
    FareRuleUnknownRoute = "fare rule for an unknown route",
    FareRuleUnknownZone = "fare rule for an unknown zone",
    BadTime = "time that cannot be read",
    StopWithoutPosition = "stop without a position",
    StopUnknownParent = "stop of an unknown station",
    StopTimeAtStation = "stop time at a station or entrance",
    UnknownRouteType = "unknown route type",
    FareWithoutAgency = "fare without an agency",
    FareUnknownPayment = "fare with an unknown payment method",
    ShortRow = "row with too few fields",
    NotUtf8 = "table not in UTF-8",
    NestedFolder = "tables in a folder of the archive",
    Interpolated = "stop times interpolated",
    NoServiceInFeed = "feed without a trip on the date",
    TimeZoneUnknown = "time zone unknown",
    Headways = "headways taken as a timetable",
    TransferNotModelled = "transfer of a kind that is not modelled",
    FaresVersion2 = "fares of version 2 not read",
});

impl Defect {
    /// What becomes of the thing that has it.
    #[must_use]
    pub fn severity(self) -> Severity {
        use Defect as D;
        match self {
            D::Unreadable | D::MissingTable | D::MissingColumn | D::TimeZoneDiffers | D::NoTrips => Severity::Fatal,
            D::BadTime
            | D::StopWithoutPosition
            | D::StopUnknownParent
            | D::StopTimeAtStation
            | D::UnknownRouteType
            | D::FareWithoutAgency
            | D::FareUnknownPayment
            | D::ShortRow
            | D::NotUtf8
            | D::NestedFolder => Severity::Repaired,
            D::Interpolated
            | D::NoServiceInFeed
            | D::TimeZoneUnknown
            | D::Headways
            | D::TransferNotModelled
            | D::FaresVersion2 => Severity::Note,
            _ => Severity::Dropped,
        }
    }
}

/// One kind of defect in all feeds.
#[derive(Debug, Default)]
pub struct Finding {
    /// How often.
    pub count: u64,
    /// The first ones, at most [`EXAMPLES_KEPT`].
    pub examples: Vec<Problem>,
}

/// What a feed holds.
#[derive(Clone, Debug, Default)]
pub struct FeedSummary {
    /// Name: the file or folder without its ending, made unique.
    pub name: String,
    /// Names of the agencies.
    pub agencies: Vec<String>,
    /// Time zone of the agencies, empty when not given.
    pub time_zone: String,
    /// Rows of `stops.txt` that are kept, stations and entrances included.
    pub stops: usize,
    /// Rows of `routes.txt` that are kept.
    pub routes: usize,
    /// Rows of `trips.txt` that are kept.
    pub trips: usize,
    /// Fares that are kept.
    pub fares: usize,
    /// Runs on the date, those of frequencies one by one.
    pub runs: usize,
    /// First and last day of the calendars.
    pub days: Option<(jiff::civil::Date, jiff::civil::Date)>,
}

/// Everything found while reading feeds.
#[derive(Debug, Default)]
pub struct FeedReport {
    /// What each feed holds, in the order given.
    pub feeds: Vec<FeedSummary>,
    findings: BTreeMap<Defect, Finding>,
}

impl FeedReport {
    /// The kinds found, the gravest first.
    #[must_use]
    pub fn findings(&self) -> Vec<(Defect, &Finding)> {
        let mut all: Vec<(Defect, &Finding)> =
            self.findings.iter().map(|(defect, finding)| (*defect, finding)).collect();
        all.sort_by_key(|(defect, _)| (defect.severity(), *defect));
        all
    }

    /// How often a kind was found.
    #[must_use]
    pub fn count(&self, defect: Defect) -> u64 {
        self.findings.get(&defect).map_or(0, |finding| finding.count)
    }

    /// Whether there is no timetable.
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        self.findings.keys().any(|defect| defect.severity() == Severity::Fatal)
    }

    /// The fatal findings as problems.
    #[must_use]
    pub fn into_fatal(self) -> Problems {
        let mut problems = Problems::new();
        self.into_examples(|defect| defect.severity() == Severity::Fatal).for_each(|problem| problems.push(problem));
        problems
    }

    /// The examples of some kinds.
    pub fn into_examples(self, is_one: impl Fn(Defect) -> bool) -> impl Iterator<Item = Problem> {
        self.findings.into_iter().filter(move |(defect, _)| is_one(*defect)).flat_map(|(_, finding)| finding.examples)
    }

    pub(crate) fn add(&mut self, defect: Defect, problem: impl FnOnce() -> Problem) {
        let finding = self.findings.entry(defect).or_default();
        finding.count += 1;
        if finding.examples.len() < EXAMPLES_KEPT {
            finding.examples.push(problem());
        }
    }

    /// Counts more of a kind that has just been added.
    pub(crate) fn count_more(&mut self, defect: Defect, more: u64) {
        self.findings.entry(defect).or_default().count += more;
    }
}

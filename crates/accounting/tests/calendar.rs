//! Civil days, their hours and cuts, in zones where the clocks do odd things.
#![expect(clippy::unwrap_used, reason = "a test may fail")]

use accounting::calendar::{Calendar, CalendarError, CivilDay, Stretch, TimeClass, WEEKDAYS, all_days, zone};
use accounting::day::Day;
use jiff::civil::Weekday;
use proptest::prelude::*;
use std::collections::BTreeMap;

const HOUR_MS: i64 = 3_600_000;

/// Zones with changes at midnight, over midnight, of half an hour, of a whole day.
const ZONES: [&str; 12] = [
    "Europe/Zurich",
    "UTC",
    "America/St_Johns",
    "America/Toronto",
    "America/Sao_Paulo",
    "America/Havana",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Asia/Beirut",
    "Africa/Casablanca",
    "Pacific/Apia",
    "Pacific/Kwajalein",
];

fn zurich() -> Calendar {
    Calendar::standard("Europe/Zurich").unwrap()
}

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

fn stretch(days: &[Weekday], from_hour: u16, until_hour: u16) -> Stretch {
    Stretch { days: days.to_vec(), from_minute: from_hour * 60, until_minute: until_hour * 60 }
}

fn class(name: &str, stretches: Vec<Stretch>) -> TimeClass {
    TimeClass { name: name.to_owned(), stretches }
}

/// The hours of each cut of a day, with its class.
fn hours(civil: &CivilDay) -> Vec<(f64, u8)> {
    civil.cuts.iter().map(|cut| ((cut.until - cut.from) as f64 / HOUR_MS as f64, cut.class)).collect()
}

/// Refuses a day whose cuts or hours leave a gap or are empty.
fn check_tiling(calendar: &Calendar, civil: &CivilDay) {
    let cuts: Vec<_> = civil.cuts.iter().map(|cut| (cut.from, cut.until)).collect();
    let hours: Vec<_> = calendar.hours(civil).iter().map(|hour| (hour.from, hour.until)).collect();
    for pieces in [cuts, hours] {
        let mut reached = civil.start;
        for (from, until) in pieces {
            assert_eq!(from, reached, "{civil:?}");
            assert!(until > from, "{civil:?}");
            reached = until;
        }
        assert_eq!(reached, civil.end, "{civil:?}");
    }
}

#[test]
fn a_day_has_23_24_or_25_hours() {
    let calendar = zurich();
    let hours_of = |text| hours(&calendar.day(day(text)));
    assert_eq!(hours_of("2024-03-30"), [(8.0, 0), (11.0, 1), (5.0, 2)]);
    assert_eq!(hours_of("2024-03-31"), [(7.0, 0), (11.0, 1), (5.0, 2)]);
    assert_eq!(hours_of("2024-10-27"), [(9.0, 0), (11.0, 1), (5.0, 2)]);
    let wall =
        |text| calendar.hours(&calendar.day(day(text))).iter().map(|hour| hour.hour).collect::<Vec<_>>();
    assert_eq!(wall("2024-03-31")[..4], [0, 1, 3, 4]);
    assert_eq!(wall("2024-10-27")[..5], [0, 1, 2, 2, 3]);
    assert_eq!((wall("2024-03-31").len(), wall("2024-10-27").len()), (23, 25));
}

#[test]
fn a_class_border_that_is_jumped_over_lies_at_the_jump() {
    let borders =
        [class("early", vec![stretch(&all_days(), 0, 2)]), class("late", vec![stretch(&all_days(), 2, 24)])];
    let calendar = |from_minute, zone| {
        let mut classes = borders.to_vec();
        classes[0].stretches[0].until_minute = from_minute;
        classes[1].stretches[0].from_minute = from_minute;
        Calendar::new(zone, classes, &[], BTreeMap::new()).unwrap()
    };
    // 02:30 is not there on the first day: early ends at 02:00; on the second it comes twice, with early between.
    let half_past_two = calendar(150, "Europe/Zurich");
    assert_eq!(hours(&half_past_two.day(day("2024-03-31"))), [(2.0, 0), (21.0, 1)]);
    assert_eq!(hours(&half_past_two.day(day("2024-10-27"))), [(2.5, 0), (0.5, 1), (0.5, 0), (21.5, 1)]);
}

#[test]
fn a_class_can_wrap_midnight() {
    let night = class("night", vec![stretch(&all_days(), 22, 24), stretch(&all_days(), 0, 6)]);
    let calendar = Calendar::new(
        "Europe/Zurich",
        vec![night, class("day", vec![stretch(&all_days(), 6, 22)])],
        &[],
        BTreeMap::new(),
    )
    .unwrap();
    assert_eq!(hours(&calendar.day(day("2024-06-01"))), [(6.0, 0), (16.0, 1), (2.0, 0)]);
    assert_eq!((calendar.class_named("day"), calendar.class_named("prime")), (Some(1), None));
}

#[test]
fn weekends_can_have_classes_of_their_own() {
    let (week, weekend) = (&all_days()[..5], &all_days()[5..]);
    let classes = vec![
        class("prime", vec![stretch(week, 8, 18)]),
        class("off", vec![stretch(week, 0, 8), stretch(week, 18, 24), stretch(weekend, 0, 24)]),
    ];
    let calendar = Calendar::new("UTC", classes, week, BTreeMap::new()).unwrap();
    assert_eq!(hours(&calendar.day(day("2024-06-07"))), [(8.0, 1), (10.0, 0), (6.0, 1)]);
    assert_eq!(hours(&calendar.day(day("2024-06-08"))), [(24.0, 1)]);
}

#[test]
fn gaps_overlaps_and_wrong_names_are_refused() {
    let refused = |classes| Calendar::new("UTC", classes, &[], BTreeMap::new()).unwrap_err();
    let (first_days, all) = (&all_days()[..6], all_days());
    let gap = refused(vec![class("a", vec![stretch(first_days, 0, 24), stretch(&all_days()[6..], 0, 23)])]);
    assert_eq!(gap, CalendarError::Gap { day: "Sun", minute: "23:00".to_owned() });
    let overlap =
        refused(vec![class("a", vec![stretch(&all, 0, 9)]), class("b", vec![stretch(&all, 8, 24)])]);
    let (first, second) = ("a".to_owned(), "b".to_owned());
    assert_eq!(overlap, CalendarError::Overlap { day: "Mon", minute: "08:00".to_owned(), first, second });
    let twice = refused(vec![class("a", vec![stretch(&all, 0, 24)]), class("a", vec![])]);
    assert_eq!(twice, CalendarError::Name("a".to_owned()));
    assert_eq!(refused(vec![class("", vec![stretch(&all, 0, 24)])]), CalendarError::Name(String::new()));
    let many = (0..33).map(|nth| class(&nth.to_string(), vec![])).collect();
    assert_eq!(refused(many), CalendarError::TooMany(33));
    let zone = Calendar::standard("Europe/Winterthur").unwrap_err();
    assert_eq!(zone, CalendarError::UnknownZone("Europe/Winterthur".to_owned()));
}

#[test]
fn holidays_are_not_worked() {
    let holidays = BTreeMap::from([(day("2024-08-01"), "National Day".to_owned())]);
    let classes = zurich().classes().to_vec();
    let calendar = Calendar::new("Europe/Zurich", classes, &all_days()[..5], holidays).unwrap();
    let working = ["2024-07-31", "2024-08-01", "2024-08-02", "2024-08-03", "2024-08-04", "2024-08-05"]
        .map(|text| calendar.day(day(text)).working);
    assert_eq!(working, [true, false, true, false, false, true]);
    assert_ne!(calendar.fingerprint(), zurich().fingerprint());
}

#[test]
fn a_day_begins_where_the_clock_jumps_over_its_midnight() {
    // Toronto, 30 March 1919: from 23:30 straight to 00:30 of the 31st.
    let toronto = Calendar::standard("America/Toronto").unwrap();
    let (before, after) = (toronto.day(day("1919-03-30")), toronto.day(day("1919-03-31")));
    assert_eq!((before.end - before.start, after.end - after.start), (HOUR_MS * 47 / 2, HOUR_MS * 47 / 2));
    // Apia had no 30 December 2011.
    let apia = Calendar::standard("Pacific/Apia").unwrap();
    let left_out = apia.day(day("2011-12-30"));
    assert_eq!((left_out.end - left_out.start, left_out.cuts.len()), (0, 0));
    assert_eq!(apia.day_of(left_out.start), day("2011-12-31"));
}

#[test]
fn a_day_that_has_begun_goes_on_when_the_clock_is_set_back_over_its_midnight() {
    // St. John's, 4 November 2007: at 00:01 back to 23:01 of the 3rd.
    let calendar = Calendar::standard("America/St_Johns").unwrap();
    let (before, after) = (calendar.day(day("2007-11-03")), calendar.day(day("2007-11-04")));
    assert_eq!((before.end - before.start, after.end - after.start), (24 * HOUR_MS, 25 * HOUR_MS));
    check_tiling(&calendar, &after);
    assert_eq!(after.cuts[1].class, 2, "23:01 to 24:00 once more belong to the evening");
    assert_eq!(calendar.day_of(after.start + 10 * 60_000), day("2007-11-04"));
}

#[test]
fn days_are_read_and_written_as_dates() {
    for text in ["1970-01-01", "2000-02-29", "1900-03-01", "2024-12-31", "0001-01-01", "9999-12-31"] {
        assert_eq!(day(text).to_string(), text);
    }
    assert_eq!((day("1970-01-01"), day("2000-03-01"), day("1969-12-31")), (Day(0), Day(11_017), Day(-1)));
    for wrong in
        ["2023-02-29", "2024-1-01", "20240101", "2024-01-01T", "2024/01/01", "2024-W01-1", "", "2024-13-01"]
    {
        assert!(wrong.parse::<Day>().is_err(), "{wrong}");
    }
    assert_eq!(WEEKDAYS[day("2000-11-20").weekday_index()], "Mon");
}

proptest! {
    #[test]
    fn days_and_dates_agree(number in -719_000..2_900_000_i32) {
        let date = Day(number).date();
        let epoch = jiff::civil::date(1970, 1, 1);
        prop_assert_eq!(date, epoch.checked_add(jiff::Span::new().days(number)).unwrap());
        prop_assert_eq!(Day::from(date), Day(number));
        prop_assert_eq!(Day(number).weekday_index(), date.weekday().to_monday_zero_offset() as usize);
    }

    #[test]
    fn cuts_and_hours_tile_every_day_of_every_zone(zone in prop::sample::select(&ZONES[..]), number in -25_000..30_000_i32) {
        let calendar = Calendar::standard(zone).unwrap();
        let (civil, next) = (calendar.day(Day(number)), calendar.day(Day(number + 1)));
        prop_assert_eq!(civil.end, next.start);
        check_tiling(&calendar, &civil);
    }

    #[test]
    fn the_day_of_an_instant_holds_it(zone_name in prop::sample::select(&ZONES[..]), at in -2_000_000_000_000..2_500_000_000_000_i64) {
        let zone = zone(zone_name).unwrap();
        let found = Day::of(at, &zone);
        prop_assert!(found.start(&zone) <= at && at < found.next().start(&zone));
    }

    #[test]
    fn the_parts_of_a_session_add_up_to_it(
        zone in prop::sample::select(&ZONES[..]),
        from in -1_600_000_000_000..1_900_000_000_000_i64,
        length in 0..40 * 24 * HOUR_MS,
    ) {
        let calendar = Calendar::standard(zone).unwrap();
        let (until, mut parts_ms) = (from + length, 0);
        let (mut day, last) = (calendar.day_of(from), calendar.day_of(until));
        while day <= last {
            let cuts = calendar.day(day).cuts;
            parts_ms += cuts.iter().map(|cut| (until.min(cut.until) - from.max(cut.from)).max(0)).sum::<i64>();
            day = day.next();
        }
        prop_assert_eq!(parts_ms, length);
    }
}

#[test]
fn every_change_of_the_clocks_of_every_zone_is_tiled() {
    for name in ZONES {
        let calendar = Calendar::standard(name).unwrap();
        let from: jiff::Timestamp = "1900-01-01T00:00:00Z".parse().unwrap();
        let until: jiff::Timestamp = "2040-01-01T00:00:00Z".parse().unwrap();
        for change in calendar.zone().following(from).take_while(|change| change.timestamp() < until) {
            let at = change.timestamp().as_millisecond();
            let day = calendar.day_of(at);
            for day in [day.previous(), day, day.next()] {
                let civil = calendar.day(day);
                check_tiling(&calendar, &civil);
                assert_eq!(civil.end, calendar.day(day.next()).start, "{name} {day}");
            }
            for at in [at - HOUR_MS, at - 1, at, at + 1, at + HOUR_MS] {
                let civil = calendar.day(calendar.day_of(at));
                assert!(civil.start <= at && at < civil.end, "{name} {at} {civil:?}");
            }
        }
    }
}

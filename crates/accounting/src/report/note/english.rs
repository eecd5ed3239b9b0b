//! Notes in English.

use super::{Coverage, Differs, Hours, Lacking, Note, OfBill, OfRule, Totals, Watching, WorkingTime};
use crate::UnixMs;
use crate::calendar::WEEKDAYS;
use crate::report::allocation::Share;
use crate::report::decimal;
use crate::report::group::Key;
use jiff::tz::TimeZone;

/// A note in English; instants in a zone.
pub fn said(note: &Note, zone: &TimeZone) -> String {
    match note {
        Note::Zone(name) => format!("days, weeks and months are civil ones of {name}"),
        Note::WorkingDays { weekdays, holidays } => {
            let weekdays: Vec<_> = weekdays.iter().map(|&day| WEEKDAYS[usize::from(day) % 7]).collect();
            format!("working days only: {} but for {holidays} holidays", weekdays.join(" "))
        }
        Note::Only(key, wanted) => format!("{} {wanted} only", called(*key)),
        Note::Coverage(coverage) => of_coverage(coverage, zone),
        Note::AsOf(at) => format!("as of {}", shown(*at, zone, "%Y-%m-%d %H:%M:%S")),
        Note::OtherCalendar => {
            "the database's calendar is in force, the configuration has another: `seatledger rebuild` puts it in force"
                .to_owned()
        }
        Note::AddedUp => "by product or type the seats of all their features are added up; a package's session is left \
                          out where its holder has one of a component that starts in the same second"
            .to_owned(),
        Note::PackagesLeftOut => "by product: a package's session is left out where its holder has one of a component \
                                  that starts in the same second"
            .to_owned(),
        Note::NoSeatsOf(key) => {
            let name = key.name();
            let article = if name.starts_with('o') { "an" } else { "a" };
            format!("{article} {name} has no seats of its own: what is measured against them is empty")
        }
        Note::License(time) => a_license(time),
        Note::AppUsage(time) => format!("app_usage_percent: {}", a_license(time)),
        Note::StepsLeftOut(more) => {
            format!("more than {more} steps: those in which nothing happened are left out")
        }
        Note::Requests => "a request: denials of one person at one host no more than 15 minutes apart; delayed: a \
                           checkout, on any license server, no more than 15 minutes after its last one; denied: none"
            .to_owned(),
        Note::RefusedWithoutVersion => {
            "a refusal tells no version: by version only checkouts are requests".to_owned()
        }
        Note::IdleAsOf(day) => format!("idle as of {day}"),
        Note::UsedOnly => {
            "features that nobody in this scope used, and numbers of seats, are not shown".to_owned()
        }
        Note::LongOpen(features) => format!(
            "features of which a session is not known to have ended count as in use, whenever its last evidence was: \
             {features}"
        ),
        Note::Totals(totals) => of_totals(*totals),
        Note::Bill(bill) => of_bill(bill),
        Note::CountedFrom(day) => format!("days are counted from {day}"),
        Note::Within(days) => format!("only what expires within {days} days, or has expired"),
        Note::WithoutDate(unknown) => format!("without a known date, and not shown: {unknown}"),
        Note::Watching(watching) => of_watching(watching, zone),
        Note::Rule { rule, of } => format!("{rule}: {}", of_rule(*of)),
    }
}

/// What people call that by which a scope is narrowed.
fn called(key: Key) -> &'static str {
    match key {
        Key::Server => "license server",
        Key::TimeClass => "time class",
        other => other.name(),
    }
}

fn of_coverage(coverage: &Coverage, zone: &TimeZone) -> String {
    let (from, until, gaps, without_any) = match coverage {
        Coverage::Nothing => return "nothing was watched in this period".to_owned(),
        Coverage::InstantsOnly => {
            return "the license servers were seen only at single instants in this period, no time was watched"
                .to_owned();
        }
        Coverage::Watched { from, until, gaps, without_any } => (*from, *until, gaps, without_any),
    };
    let at = |at| shown(at, zone, "%Y-%m-%dT%H:%M:%S%:z");
    let sum: usize = gaps.iter().map(|(_, gaps)| gaps).sum();
    let mut text = format!("watched from {} until {}, gaps: {sum}", at(from), at(until));
    if sum > 0 {
        let each: Vec<_> = gaps.iter().map(|(name, gaps)| format!("{name} {gaps}")).collect();
        text += &format!(" ({})", each.join(", "));
    }
    if let Some(times) = without_any {
        text += &format!("; times without any of them: {times}");
    }
    text
}

fn a_license(time: &WorkingTime) -> String {
    let hours = match time.hours {
        Hours::Given(hours) => format!("{} hours per day", decimal(hours)),
        Hours::Prime => "the calendar's prime hours per day".to_owned(),
        Hours::AllClasses => "the calendar's hours of all time classes per day".to_owned(),
    };
    let days = match time.days {
        Some(days) => format!("{} days per month", decimal(days)),
        None => "the calendar's working days of the whole month, without holidays".to_owned(),
    };
    format!("a license is counted as {hours}, {days}")
}

fn of_totals(totals: Totals) -> String {
    match totals {
        Totals::Shown => {
            "rows without sessions and persons are imported totals: minutes that another system kept, apart \
                          from the sessions"
                .to_owned()
        }
        Totals::Without(key) => {
            format!("imported totals are left out: of them no {} is known", key.name())
        }
        Totals::NotIdle => "imported totals are not looked at: they know no sessions".to_owned(),
        Totals::NotBilled => "imported totals take no part".to_owned(),
    }
}

fn of_bill(bill: &OfBill) -> String {
    match bill {
        OfBill::By(share) => {
            let share = match share {
                Share::SeatSeconds => "seat seconds",
                Share::PersonSeconds => {
                    "person seconds, the time in which a person holds at least one seat of a feature"
                }
            };
            format!("split by {share}; rounded by largest remainder, equal ones in the order of the rows")
        }
        OfBill::Memberships => {
            "what persons belong to is as of the day of use; an empty cell: nothing".to_owned()
        }
        OfBill::One { bill, some, without_packages } => {
            let which = if *some { "all features that match" } else { "all features" };
            let packages = match without_packages {
                true => {
                    "; a package's session is left out where its holder has one of a component that starts in the same \
                     second"
                }
                false => "",
            };
            format!("the bill of {bill} is split by the time of {which}, added up{packages}")
        }
        OfBill::NoPrice { feature, price } => format!("{feature}: `{price}` is no price, it is left out"),
        OfBill::Priced { feature, price, seats, issued, bill } => {
            let which = if *issued { "issued" } else { "at the peak" };
            format!("{feature}: {price} · {seats} seats {which} = {bill}")
        }
        OfBill::Unpriced(features) => {
            format!("without a price in the catalog, and left out: {}", features.join(" "))
        }
        OfBill::Unused { feature, bill } => {
            let of = feature.as_ref().map_or(String::new(), |feature| format!("{feature}: "));
            format!("{of}nothing was used, {bill} is not split")
        }
    }
}

fn of_watching(watching: &Watching, zone: &TimeZone) -> String {
    match watching {
        Watching::Gap => {
            "gap: between the last line of a run and the next start nobody was watching".to_owned()
        }
        Watching::Between => {
            "between: no input has a line of that time, and none tells that the license server stopped \
                              or started in it: reports count it as watched"
                .to_owned()
        }
        Watching::Sources => {
            "sources of running services, last: from says since when the state is so, until when the \
                              service told it last; lines and restarts are those since its start"
                .to_owned()
        }
        Watching::Reconciled { server, polls, compared, equal, worst } => {
            let worst = worst.as_ref().map_or(String::new(), |worst| {
                let at = shown(worst.at, zone, "%Y-%m-%d %H:%M:%S");
                let Differs { feature, polled, logged, .. } = worst;
                format!("; they differ most in {feature} at {at}: {polled} polled, {logged} logged")
            });
            format!(
                "{server}: {polls} polls beside the log; {equal} of {compared} figures of seats in use agree{worst}"
            )
        }
    }
}

fn of_rule(of: OfRule) -> String {
    let why = match of {
        OfRule::Unknown { subjects, of } => {
            return format!("how it is now is not known of {subjects} of {of}: nobody heard of them lately");
        }
        OfRule::ServersForSources => {
            "here license servers stand for sources; `seatledger serve` looks at its own"
        }
        OfRule::Lacks(what) => match what {
            Lacking::CountedSeats => {
                "no feature that matches has seats that were counted, at a license server that was heard of"
            }
            Lacking::Log => "no feature that matches is at a license server with a log",
            Lacking::Expiry => "no license server has told of anything that matches and expires",
            Lacking::Server => "no license server matches",
            Lacking::Source => "no source matches",
        },
    };
    why.to_owned()
}

/// An instant of a zone, in a pattern.
fn shown(at: UnixMs, zone: &TimeZone, pattern: &str) -> String {
    let stamp = jiff::Timestamp::from_millisecond(at).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    stamp.to_zoned(zone.clone()).strftime(pattern).to_string()
}

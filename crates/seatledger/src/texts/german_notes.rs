//! German: notes on reports.

use super::german::TEXTS;
use crate::answers::civil;
use accounting::report::allocation::Share;
use accounting::report::decimal;
use accounting::report::group::Key;
use accounting::report::note::{
    Coverage, Differs, Hours, Lacking, Note, OfBill, OfRule, Totals, Watching, WorkingTime,
};
use jiff::tz::TimeZone;

/// When the session of a package does not count.
const PACKAGES: &str = "die Sitzung eines Pakets zählt nicht, wenn derselbe Benutzer in derselben Sekunde eine Sitzung einer \
                        seiner Komponenten begonnen hat";

/// A note in German; instants in a zone.
pub(super) fn said(note: &Note, zone: &TimeZone) -> String {
    match note {
        Note::Zone(name) => format!("Tage, Wochen und Monate gelten in der Zeitzone {name}"),
        Note::WorkingDays { weekdays, holidays } => {
            let weekdays: Vec<_> =
                weekdays.iter().map(|&day| TEXTS.weekdays[usize::from(day) % 7]).collect();
            let holidays = counted(*holidays, "Feiertag", "Feiertage");
            format!("Nur Arbeitstage: {}, ohne {holidays}", weekdays.join(" "))
        }
        Note::Only(key, wanted) => format!("Nur {} {wanted}", called(*key)),
        Note::Coverage(coverage) => of_coverage(coverage, zone),
        Note::AsOf(at) => format!("Stand {}", civil(*at, zone)),
        Note::OtherCalendar => {
            "In Kraft ist der Kalender des Buchs; die Konfiguration hat einen anderen, den `seatledger rebuild` in Kraft \
             setzt"
                .to_owned()
        }
        Note::AddedUp => {
            format!("Nach Produkt oder Typ sind die Plätze aller ihrer Features zusammengezählt; {PACKAGES}")
        }
        Note::PackagesLeftOut => format!("Nach Produkt: {PACKAGES}"),
        Note::NoSeatsOf(key) => {
            let key = called(*key);
            format!("Nach {key} gibt es keine eigenen Plätze: was an ihnen gemessen wird, ist leer")
        }
        Note::License(time) => format!("Eine Lizenz {}", counts_as(time)),
        Note::AppUsage(time) => {
            format!("{}: eine Lizenz {}", TEXTS.column("app_usage_percent"), counts_as(time))
        }
        Note::StepsLeftOut(more) => {
            format!("Mehr als {more} Schritte: die, in denen nichts geschah, sind weggelassen")
        }
        Note::Requests => "Eine Anfrage: Absagen einer Person an einem Rechner mit höchstens 15 Minuten Abstand; verzögert: \
                           höchstens 15 Minuten nach der letzten folgt ein Checkout, auf irgendeinem Lizenzserver; \
                           abgelehnt: keiner"
            .to_owned(),
        Note::RefusedWithoutVersion => {
            "Eine Absage nennt keine Version: nach Version zählen nur Checkouts als Anfragen".to_owned()
        }
        Note::IdleAsOf(day) => format!("Ungenutzt mit Stand {day}"),
        Note::UsedOnly => {
            "Nicht gezeigt sind Features, die niemand davon genutzt hat, und wie viele Plätze es gibt".to_owned()
        }
        Note::LongOpen(features) => format!(
            "Features mit einer Sitzung, von der kein Ende bekannt ist, gelten als benutzt, wie alt ihr letztes Zeugnis auch \
             ist: {features}"
        ),
        Note::Totals(totals) => of_totals(*totals),
        Note::Bill(bill) => of_bill(bill),
        Note::CountedFrom(day) => format!("Tage zählen ab {day}"),
        Note::Within(1) => "Nur, was innert eines Tages abläuft oder schon abgelaufen ist".to_owned(),
        Note::Within(days) => format!("Nur, was innert {days} Tagen abläuft oder schon abgelaufen ist"),
        Note::WithoutDate(unknown) => format!("Ohne bekanntes Datum und nicht gezeigt: {unknown}"),
        Note::Watching(watching) => of_watching(watching, zone),
        Note::Rule { rule, of } => format!("{rule}: {}", of_rule(*of)),
    }
}

/// A key as columns are headed.
fn called(key: Key) -> String {
    TEXTS.column(key.name())
}

fn counted(number: usize, one: &str, more: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { more })
}

fn of_coverage(coverage: &Coverage, zone: &TimeZone) -> String {
    let (from, until, gaps, without_any) = match coverage {
        Coverage::Nothing => return "In diesem Zeitraum war nichts beobachtet".to_owned(),
        Coverage::InstantsOnly => {
            return "Die Lizenzserver wurden in diesem Zeitraum nur zu einzelnen Zeitpunkten gesehen: keine Zeit war \
                    beobachtet"
                .to_owned();
        }
        Coverage::Watched { from, until, gaps, without_any } => (*from, *until, gaps, without_any),
    };
    let sum: usize = gaps.iter().map(|(_, gaps)| gaps).sum();
    let mut text = format!("Beobachtet von {} bis {}, Lücken: {sum}", civil(from, zone), civil(until, zone));
    if sum > 0 {
        let each: Vec<_> = gaps.iter().map(|(name, gaps)| format!("{name} {gaps}")).collect();
        text += &format!(" ({})", each.join(", "));
    }
    if let Some(times) = without_any {
        text += &format!("; Zeiten, in denen keiner beobachtet war: {times}");
    }
    text
}

fn counts_as(time: &WorkingTime) -> String {
    let hours = match time.hours {
        Hours::Given(hours) => format!("{} Stunden am Tag", decimal(hours)),
        Hours::Prime => "den Stunden der Zeitklasse prime am Tag".to_owned(),
        Hours::AllClasses => "den Stunden aller Zeitklassen am Tag".to_owned(),
    };
    let days = match time.days {
        Some(days) => format!("{} Tagen im Monat", decimal(days)),
        None => "den Arbeitstagen des ganzen Monats nach dem Kalender, ohne Feiertage".to_owned(),
    };
    format!("zählt mit {hours} und {days}")
}

fn of_totals(totals: Totals) -> String {
    match totals {
        Totals::Shown => "Zeilen ohne Sitzungen und Personen sind importierte Summen: Minuten, die ein anderes System geführt \
                          hat, neben den Sitzungen"
            .to_owned(),
        Totals::Without(key) => {
            format!("Importierte Summen sind weggelassen: nach {} sind sie nicht bekannt", called(key))
        }
        Totals::NotIdle => {
            "Importierte Summen sind nicht berücksichtigt: sie kennen keine Sitzungen".to_owned()
        }
        Totals::NotBilled => "Importierte Summen sind an der Verteilung nicht beteiligt".to_owned(),
    }
}

fn of_bill(bill: &OfBill) -> String {
    match bill {
        OfBill::By(share) => {
            let share = match share {
                Share::SeatSeconds => "Platzsekunden",
                Share::PersonSeconds => {
                    "Personensekunden, der Zeit, in der eine Person mindestens einen Platz eines Features hält"
                }
            };
            format!(
                "Verteilt nach {share}; gerundet nach dem grössten Rest, bei gleichem in der Reihenfolge der Zeilen"
            )
        }
        OfBill::Memberships => {
            "Wozu Personen gehören, gilt am Tag der Nutzung; eine leere Zelle: zu nichts".to_owned()
        }
        OfBill::One { bill, some, without_packages } => {
            let which = if *some { "passenden Features" } else { "Features" };
            let packages = if *without_packages { format!("; {PACKAGES}") } else { String::new() };
            format!(
                "Die Rechnung von {bill} ist nach der zusammengezählten Zeit aller {which} verteilt{packages}"
            )
        }
        OfBill::NoPrice { feature, price } => {
            format!("{feature}: `{price}` ist kein Preis, das Feature ist weggelassen")
        }
        OfBill::Priced { feature, price, seats, issued, bill } => {
            let which = if *issued { "vorhandene Plätze" } else { "Plätze der Spitze" };
            format!("{feature}: {price} · {seats} ({which}) = {bill}")
        }
        OfBill::Unpriced(features) => {
            format!("Ohne Preis im Katalog und weggelassen: {}", features.join(" "))
        }
        OfBill::Unused { feature: Some(feature), bill } => {
            format!("{feature}: niemand hat es genutzt, {bill} ist nicht verteilt")
        }
        OfBill::Unused { feature: None, bill } => {
            format!("Niemand hat etwas genutzt, {bill} ist nicht verteilt")
        }
    }
}

fn of_watching(watching: &Watching, zone: &TimeZone) -> String {
    match watching {
        Watching::Gap => {
            "gap: zwischen der letzten Zeile eines Laufs und dem nächsten Start hat niemand beobachtet"
                .to_owned()
        }
        Watching::Between => {
            "between: keine Quelle hat eine Zeile aus dieser Zeit, und keine sagt, dass der Lizenzserver \
                              darin angehalten hat oder gestartet ist: Berichte zählen sie als beobachtet"
                .to_owned()
        }
        Watching::Sources => {
            "Quellen laufender Dienste, zuletzt: «Von» sagt, seit wann der Zustand so ist, «Bis», wann der \
                              Dienst ihn zuletzt gesagt hat; Zeilen und Neustarts sind die seit seinem Start"
                .to_owned()
        }
        Watching::Reconciled { server, polls, compared, equal, worst } => {
            let worst = worst.as_ref().map_or(String::new(), |worst| {
                let Differs { feature, at, polled, logged } = worst;
                let at = civil(*at, zone);
                format!(
                    "; am meisten unterscheiden sie sich bei {feature} am {at}: {polled} abgefragt, {logged} im Log"
                )
            });
            let polls = counted(*polls as usize, "Abfrage", "Abfragen");
            format!(
                "{server}: {polls} neben dem Log; {equal} von {compared} Zahlen belegter Plätze stimmen überein{worst}"
            )
        }
    }
}

fn of_rule(of: OfRule) -> String {
    let why = match of {
        OfRule::Unknown { subjects, of } => {
            return format!(
                "bei {subjects} von {of} ist nicht bekannt, wie es jetzt steht: in letzter Zeit war nichts von ihnen zu hören"
            );
        }
        OfRule::ServersForSources => {
            "hier stehen Lizenzserver für Quellen; `seatledger serve` sieht seine eigenen an"
        }
        OfRule::Lacks(what) => match what {
            Lacking::CountedSeats => {
                "kein passendes Feature hat gezählte Plätze auf einem Lizenzserver, von dem zu hören war"
            }
            Lacking::Log => "kein passendes Feature ist auf einem Lizenzserver mit einem Log",
            Lacking::Expiry => "kein Lizenzserver hat etwas genannt, das passt und abläuft",
            Lacking::Server => "kein Lizenzserver passt",
            Lacking::Source => "keine Quelle passt",
        },
    };
    why.to_owned()
}

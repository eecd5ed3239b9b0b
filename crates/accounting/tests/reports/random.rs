//! Random small ledgers: a few days around a change of the clocks, of the month, of the week and of memberships, on
//! a grid of quarters of an hour.

use crate::books::Books;
use accounting::calendar::{Calendar, Stretch, TimeClass, all_days};
use accounting::capacity::Steps;
use accounting::day::Day;
use accounting::event::{DenialReason, Expires};
use accounting::feature_day::{Outcome, Request};
use accounting::ledger::{Expiry, Feature, Holder, Membership, Person, Server, Total};
use accounting::report::Scope;
use accounting::session::{Ended, Part};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The length of a tick.
pub(crate) const TICK_MS: i64 = 900_000;
/// 2024-03-29 00:00 in Zurich; on the 31st the day has 23 hours.
pub(crate) const START: i64 = 1_711_666_800_000;
/// Ticks in which something can happen: five days.
pub(crate) const TICKS: i64 = 5 * 96;
/// The classes: the night comes twice a day.
pub(crate) const CLASSES: [&str; 3] = ["night", "prime", "evening"];

/// The class of a minute of the day.
pub(crate) fn class_of_minute(minute: u16) -> usize {
    match minute {
        480..1080 => 1,
        1080..1320 => 2,
        _ => 0,
    }
}

fn calendar() -> Calendar {
    let stretch = |from: u16, until: u16| Stretch {
        days: all_days().to_vec(),
        from_minute: from * 60,
        until_minute: until * 60,
    };
    let class = |nth: usize, stretches| TimeClass { name: CLASSES[nth].to_owned(), stretches };
    let classes = vec![
        class(0, vec![stretch(0, 8), stretch(22, 24)]),
        class(1, vec![stretch(8, 18)]),
        class(2, vec![stretch(18, 22)]),
    ];
    let holidays = BTreeMap::from([("2024-04-01".parse().unwrap(), "Easter Monday".to_owned())]);
    Calendar::new("Europe/Zurich", classes, &all_days()[..6], holidays).unwrap()
}

fn names(books: &mut Books) {
    let feature = |code: &str, product: Option<&str>, components: &[u32]| Feature {
        code: code.to_owned(),
        product: product.map(str::to_owned),
        product_type: product.map(|_| "CAD".to_owned()),
        price: (code != "sim").then(|| if code == "cad" { "3.335" } else { "10" }.to_owned()),
        components: components.to_vec(),
        servers: vec![1, 2],
    };
    books.names.features.insert(1, feature("suite", Some("Suite"), &[2, 3]));
    books.names.features.insert(2, feature("cad", Some("CAD"), &[]));
    books.names.features.insert(3, feature("sim", None, &[]));
    let member = |from: Option<&str>, until: Option<&str>, organization: &str| Membership {
        from: from.map(|day| day.parse().unwrap()),
        until: until.map(|day| day.parse().unwrap()),
        organization: Some(organization.to_owned()),
        project: from.map(|_| "bridge".to_owned()),
    };
    let person = |name: &str, memberships| Person { name: name.to_owned(), memberships };
    let middle = Some("2024-03-31");
    books.names.persons = Arc::new(vec![
        person("anna", vec![member(None, middle, "north"), member(middle, None, "south")]),
        person("bob", vec![member(middle, Some("2024-04-01"), "north")]),
        person("carol", vec![]),
    ]);
    for (id, user, person, server) in
        [(1, "anna", 0, 1), (2, "ANNA", 0, 2), (3, "bob", 1, 1), (4, "carol", 2, 2), (5, "anna", 0, 2)]
    {
        let (user, host) = (user.to_owned(), format!("pc{}", id % 2));
        Arc::make_mut(&mut books.names.holders)
            .insert(id, Holder { server, user, host, person, ..Holder::default() });
    }
    books.names.versions.insert(1, "2.0".to_owned());
    books.names.versions.insert(2, "10.0".to_owned());
}

prop_compose! {
    fn session()(
        feature in 1..4_u32, from in 0..TICKS - 1, short in 0..20_i64, long in 0..300_i64, is_long in 0..5,
        holder in 1..6_u32, version in 0..3_u32, seats in 1..4_u32, open in any::<bool>(),
    ) -> (u32, Part) {
        let length = if is_long == 0 { long } else { short };
        let until = (from + length).min(TICKS);
        let ended = if open { Ended::Open } else { Ended::Checkin };
        let at = |tick| START + tick * TICK_MS;
        (feature, Part { from: at(from), until: at(until), holder, version, seats, ended })
    }
}

prop_compose! {
    fn request()(
        feature in 1..4_u32, tick in 0..TICKS, minute in prop::sample::select(vec![0, 1, 14]), holder in 1..6_u32,
        reason in prop::option::weighted(0.9, 0..3_i64),
    ) -> (u32, Request) {
        let denied = reason.and_then(DenialReason::from_code);
        let at = START + tick * TICK_MS + minute * 60_000;
        (feature, Request { at, holder, seats: 1, outcome: denied.map_or(Outcome::Queued, Outcome::Denied) })
    }
}

prop_compose! {
    fn total()(
        organization in prop::sample::select(vec!["north", "17"]), day in 19_810..19_817_i32, feature in 1..4_u32,
        version in 0..3_u32, minutes in 0..500_i64,
    ) -> Total {
        Total { organization: organization.to_owned(), day: Day(day), feature, version, minutes }
    }
}

prop_compose! {
    fn expiry()(
        server in 1..3_u32, vendor in 0..2_usize, feature in 1..4_u32, version in 0..2_usize,
        seats in prop::option::of(1..3_i64), day in 19_810..19_830_i32, kind in 0..5,
    ) -> Expiry {
        let expires = match kind {
            0 => Expires::Never,
            1 => Expires::Unknown,
            _ => Expires::On(Day(day)),
        };
        let (vendor, version) = (["", "acmed"][vendor].to_owned(), ["", "2.0"][version].to_owned());
        Expiry { server, vendor, feature, version, seats, expires, told_at: START }
    }
}

/// Disjoint ranges from pairs of ticks.
fn ranges(mut ticks: Vec<i64>) -> Vec<(i64, i64)> {
    ticks.sort_unstable();
    ticks.dedup();
    ticks.chunks_exact(2).map(|pair| (START + pair[0] * TICK_MS, START + pair[1] * TICK_MS)).collect()
}

prop_compose! {
    /// A ledger of up to 25 sessions and 20 requests; package and component often start together, and requests often
    /// come shortly before or after another one, or before a session.
    pub(crate) fn books()(
        mut sessions in prop::collection::vec(session(), 0..25),
        twins in prop::collection::vec(any::<bool>(), 25),
        mut requests in prop::collection::vec(request(), 0..20),
        near in prop::collection::vec((0..4, any::<prop::sample::Index>(), 0..3_i64), 20),
        watched in prop::collection::vec(prop::collection::vec(0..TICKS, 2..7), 2),
        capacity in prop::collection::vec((0..3_usize, 0..2_usize, 0..TICKS, prop::option::weighted(0.8, 1..9_i64)), 0..16),
        totals in prop::collection::vec(total(), 0..4),
        expiries in prop::collection::vec(expiry(), 0..6),
    ) -> Books {
        let mut books = Books::new(calendar());
        names(&mut books);
        (books.names.totals, books.names.expiries) = (totals, expiries);
        for nth in 1..sessions.len() {
            if twins[nth] {
                let (_, before) = sessions[nth - 1];
                let part = &mut sessions[nth].1;
                let length = part.until - part.from;
                (part.from, part.until, part.holder) = (before.from, before.from + length, before.holder);
            }
        }
        for nth in 1..requests.len() {
            let (how, which, ticks) = &near[nth];
            let (feature, before) = requests[nth - 1];
            let request = &mut requests[nth];
            let minutes = request.1.at.rem_euclid(TICK_MS);
            if *how == 0 && !sessions.is_empty() {
                let (feature, part) = sessions[which.index(sessions.len())];
                let at = (part.from - ticks * TICK_MS).max(START) + minutes;
                (request.0, request.1.at, request.1.holder) = (feature, at, part.holder);
            } else if *how < 3 {
                let at = (before.at + ticks * TICK_MS / 2 + minutes).min(START + TICKS * TICK_MS - 1);
                (request.0, request.1.at, request.1.holder) = (feature, at, before.holder);
            }
        }
        (books.sessions, books.requests) = (sessions, requests);
        for (nth, ticks) in watched.into_iter().enumerate() {
            let name = format!("{}@lic", 27_000 + nth);
            books.names.servers.insert(nth as u32 + 1, Server { name, watched: ranges(ticks) });
        }
        for feature in 0..3 {
            for server in 0..2 {
                let of_pool = capacity.iter().filter(|(f, s, ..)| (*f, *s) == (feature, server));
                let steps = of_pool.map(|(.., tick, seats)| (START + tick * TICK_MS, *seats)).collect();
                books.names.capacity.insert((feature as u32 + 1, server as u32 + 1), Steps::new(steps));
            }
        }
        books
    }
}

fn glob(text: Option<&'static str>) -> Option<globset::GlobMatcher> {
    text.map(|text| globset::Glob::new(text).unwrap().compile_matcher())
}

prop_compose! {
    /// Any scope of these ledgers, often everything.
    pub(crate) fn scope()(
        from in prop::option::weighted(0.3, 19_811..19_817_i32),
        until in prop::option::weighted(0.3, 19_811..19_817_i32),
        feature in prop::option::weighted(0.2, prop::sample::select(vec!["s*", "cad"])),
        server in prop::option::weighted(0.2, prop::sample::select(vec!["27000@lic", "none"])),
        person in prop::option::weighted(0.2, prop::sample::select(vec!["anna", "[bc]*"])),
        organization in prop::option::weighted(0.2, prop::sample::select(vec!["north", "*"])),
        class in prop::option::weighted(0.2, 0..3_u8),
        working_days_only in prop::bool::weighted(0.3),
    ) -> Scope {
        Scope {
            from: from.map(Day),
            until: until.map(Day),
            feature: glob(feature),
            server: server.map(str::to_owned),
            person: glob(person),
            organization: glob(organization),
            class,
            working_days_only,
        }
    }
}

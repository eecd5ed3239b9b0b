//! Heartbeats that a site takes in and tells a central service.

use crate::forward::{COMES, MOST, parts, post, site_of};
use crate::heartbeats::{MINUTE, NINE, beat, record, sessions};
use crate::ledger::Ledger;
use accounting::privacy::{Identity, Key, Privacy};
use store::forward::{Arrived, Forwarding, Inbox, Part, TakenPart};
use store::heartbeats::{BucketScope, Heartbeat};
use store::{Error, Store};

const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// The evening of that day.
const THEN: Arrived = Arrived { at: NINE + 10 * HOUR, after_gap: false };

fn buckets(ledger: &Ledger) -> Vec<String> {
    ledger.store().book_all_heartbeats().unwrap();
    ledger.query(
        "select b.from_at, b.until_at, case when b.slot > 0 then 1 else 0 end, f.code, v.version, h.user_name, h.host from heartbeat b
         join feature f on f.feature_id = b.feature_id join version v on v.version_id = b.version_id
         join holder h on h.holder_id = b.holder_id order by 1, 4, 6",
    )
}

/// Tells all that waits, as of a time; what became of each part.
fn tell(site: &Ledger, central: &mut Store, arrived: Arrived) -> Vec<TakenPart> {
    let (told, mut inbox) = (parts(site), Inbox::default());
    let ids: Vec<i64> = site.store().waiting_parts(u64::MAX).unwrap().iter().map(|part| part.id).collect();
    site.store().remove_parts(&ids).unwrap();
    told.iter().map(|part| inbox.take(central, part, arrived).unwrap()).collect()
}

pub(crate) fn heartbeats_of_a_site_are_buckets_of_the_central_ledger(ledger: &mut Ledger) {
    let (site, direct) = (site_of(ledger), Ledger::sqlite());
    let each = |user: &str, minute, feature: &str| Heartbeat {
        scope: BucketScope::PersonAndFeature,
        host: "ws-07".to_owned(),
        ..beat(user, minute, feature, "1")
    };
    let accepted = [beat("amara", 1, "a", "24"), beat("bela", 1, "b", "25"), beat("amara", 2, "b", "24")];
    let list = [each("chen", 4, "a"), each("chen", 4, "b"), beat("amara", 12, "a", "24")];
    for of in [&site, &direct] {
        let mut store = of.store();
        assert_eq!(store.accept_heartbeats(&accepted).unwrap(), Vec::<usize>::new());
        assert_eq!(record(&mut store, &list), 3);
    }
    let mut central = ledger.store();
    // A bucket that somebody has told here already is there once.
    assert_eq!(record(&mut central, &[beat("bela", 1, "b", "25"), beat("dana", 1, "b", "25")]), 2);
    record(&mut direct.store(), &[beat("dana", 1, "b", "25")]);
    let told = parts(&site);
    assert_eq!(tell(&site, &mut central, THEN), vec![TakenPart::Now; told.len()]);
    assert_eq!(buckets(ledger), buckets(&direct));
    let sorted = |mut sessions: Vec<String>| {
        sessions.sort();
        sessions
    };
    assert_eq!(sorted(sessions(ledger, 30)), sorted(sessions(&direct, 30)));
    assert_eq!(ledger.query("select name from input where format = 'site'"), ["basel: heartbeats"]);
    let mut inbox = Inbox::default();
    for part in &told {
        assert_eq!(inbox.take(&mut central, part, THEN).unwrap(), TakenPart::Before);
    }
    assert_eq!(buckets(ledger), buckets(&direct));
    ledger.balances();
    // None is told before its predecessor.
    record(&mut site.store(), &[beat("amara", 30, "a", "24")]);
    record(&mut site.store(), &[beat("amara", 40, "a", "24")]);
    let second = parts(&site).remove(1);
    let number = second.part - 1;
    assert_eq!(inbox.take(&mut central, &second, THEN).unwrap(), TakenPart::Awaits(number));
    // What a ledger does not forward is not told, and is missed.
    let nobody = Ledger::sqlite();
    record(&mut nobody.store(), &accepted);
    assert_eq!(parts(&nobody), []);
}

pub(crate) fn what_a_site_may_still_tell_is_not_sealed(ledger: &mut Ledger) {
    let site = site_of(ledger);
    let (mut at_site, mut central) = (site.store(), ledger.store());
    record(&mut at_site, &[beat("amara", 0, "a", "24")]);
    record(&mut central, &[beat("bela", 0, "a", "24")]);
    assert_eq!(tell(&site, &mut central, THEN), [TakenPart::Now]);
    // The way to the central service is cut for three days; the site goes on, and seals.
    record(&mut at_site, &[beat("amara", 10, "a", "24")]);
    assert_eq!(at_site.seal_heartbeats(NINE + 2 * DAY).unwrap(), 1);
    assert_eq!(central.seal_heartbeats(NINE + 2 * DAY).unwrap(), 0, "the site may still tell");
    let arrived = Arrived { at: NINE + 3 * DAY, after_gap: false };
    assert_eq!(tell(&site, &mut central, arrived), vec![TakenPart::Now; 2]);
    assert_eq!(sessions(ledger, 120).len(), 2, "adjacent buckets are one session");
    // What was closed at the site is complete.
    assert_eq!(central.seal_heartbeats(NINE + 3 * DAY).unwrap(), 2);
    assert_eq!(sessions(ledger, 120).len(), 2);
    // Nobody is waited for for ever. What comes then is told of, and not counted.
    record(&mut central, &[beat("bela", 3 * 24 * 60, "a", "24")]);
    record(&mut at_site, &[beat("amara", 3 * 24 * 60, "a", "24")]);
    assert_eq!(central.seal_heartbeats(NINE + 5 * DAY).unwrap(), 0);
    assert_eq!(central.seal_heartbeats(NINE + 17 * DAY).unwrap(), 1);
    let arrived = Arrived { at: NINE + 18 * DAY, after_gap: false };
    assert_eq!(tell(&site, &mut central, arrived), [TakenPart::Partly(1)]);
    ledger.balances();
}

pub(crate) fn of_persons_a_site_tells_what_it_keeps(ledger: &mut Ledger) {
    let site = site_of(ledger);
    let privacy =
        Privacy { identity: Identity::Pseudonymous, keys: vec![Key::new([7; 32])], smallest_group: None };
    let mut at_site = site.store();
    at_site.keep(privacy.clone()).unwrap();
    record(&mut at_site, &[Heartbeat { host: "ws-07".to_owned(), ..beat("amara", 0, "a", "24") }]);
    let body = at_site.waiting_parts(u64::MAX).unwrap().remove(0).body;
    assert!(body.contains("\"heartbeats\"") && !body.contains("amara") && !body.contains("ws-07"), "{body}");
    drop(at_site);
    assert_eq!(post(&site, &mut ledger.store()), [TakenPart::Now]);
    assert_eq!(buckets(ledger), buckets(&site));
    // Who is forgotten at the site leaves it with no part that waits.
    let named = site_of(ledger);
    let mut store = named.store();
    store.accept_heartbeats(&[beat("amara", 20, "a", "24"), beat("bela", 20, "a", "24")]).unwrap();
    let forgotten = store.forget_person("corp\\amara").unwrap();
    assert_eq!(forgotten.holders, 1);
    let bodies: String = store.waiting_parts(u64::MAX).unwrap().into_iter().map(|part| part.body).collect();
    assert!(
        bodies.contains("bela") && bodies.contains(&forgotten.name) && !bodies.contains("amara"),
        "{bodies}"
    );
    // A ledger that keeps organizations alone takes nobody's name.
    let organizations = Ledger::sqlite();
    let mut store = organizations.store();
    store.keep(Privacy { identity: Identity::Organization, ..privacy }).unwrap();
    let taken = Inbox::default().take(&mut store, &parts(&named)[0], THEN);
    assert!(matches!(taken, Err(Error::Private(_))), "{taken:?}");
}

pub(crate) fn heartbeats_that_are_not_right_are_refused(ledger: &mut Ledger) {
    let mut central = ledger.store();
    let part = |heartbeats: &str| -> Part {
        let text = format!(
            r#"{{"site":"5e","name":"basel","input":1,"part":1,"source":"heartbeats","counts":[0,0,0,0,0],"heartbeats":{heartbeats}}}"#
        );
        serde_json::from_str(&text).unwrap()
    };
    let lists = r#""closed_at":0,"features":["a"],"versions":["1"],"persons":[["amara","ws"]]"#;
    let beats = |row: &str| part(&format!("{{{lists},\"buckets\":[{row}]}}"));
    let mut inbox = Inbox::default();
    let mut take = |part: &Part| inbox.take(&mut central, part, COMES).unwrap();
    for wrong in [
        "[1,0,0,0,600000,false]",
        "[0,1,0,0,600000,false]",
        "[0,0,1,0,600000,false]",
        "[0,0,0,600000,600000,false]",
        "[0,0,0,0,86400001,false]",
        "[0,0,0,-9223372036854775808,0,false]",
    ] {
        assert!(matches!(take(&beats(wrong)), TakenPart::Refused(_)), "{wrong}");
    }
    let long = "x".repeat(1001);
    for (from, to) in [("amara", ""), ("amara", long.as_str()), ("\"a\"", "\"\"")] {
        let text = serde_json::to_string(&beats("[0,0,0,0,600000,false]")).unwrap().replace(from, to);
        assert!(matches!(take(&serde_json::from_str(&text).unwrap()), TakenPart::Refused(_)), "{from}");
    }
    let both = Part { takes_out: true, ..beats("[0,0,0,0,600000,false]") };
    assert!(matches!(take(&both), TakenPart::Refused(_)));
    // A day to come is none of them.
    let ahead =
        format!("[0,0,0,{},{},false],[0,0,0,0,600000,true]", COMES.at + 2 * DAY, COMES.at + 2 * DAY + 1);
    assert_eq!(take(&beats(&ahead)), TakenPart::Partly(1));
    assert_eq!(buckets(ledger), ["0|600000|1|a|1|amara|ws"]);
}

pub(crate) fn nobody_is_accepted_where_no_more_parts_may_wait(_: &mut Ledger) {
    let site = Ledger::sqlite();
    let of = |most_bytes| Forwarding { site: "5e".to_owned(), name: "basel".to_owned(), most_bytes };
    let mut store = site.store();
    store.set_forwarding(Some(&of(1))).unwrap();
    store.accept_heartbeats(&[beat("amara", 0, "a", "24")]).unwrap();
    store.book_all_heartbeats().unwrap();
    let refused = store.accept_heartbeats(&[beat("amara", 10, "a", "24")]);
    assert!(matches!(refused, Err(Error::Behind { parts: 1, .. })), "{refused:?}");
    let refused = store.record_heartbeats(&[beat("amara", 10, "a", "24")]);
    assert!(matches!(refused, Err(Error::Behind { parts: 1, .. })), "{refused:?}");
    store.set_forwarding(Some(&of(MOST))).unwrap();
    assert_eq!(record(&mut store, &[beat("amara", 10, "a", "24")]), 1);
}

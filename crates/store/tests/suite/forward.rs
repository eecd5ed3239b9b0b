//! What a site tells a central service, part by part.

use crate::ledger::Ledger;
use crate::log::{Process, Said, What, a_week, at, two_days};
use accounting::privacy::{Identity, Key, Privacy};
use std::collections::BTreeMap;
use store::forward::{Arrived, Forwarding, Inbox, Parked, Part, TakenPart};
use store::{Error, Store};

pub(crate) const MOST: u64 = 1 << 20;
/// A year after all that logs here tell, 2026-01-01.
pub(crate) const COMES: Arrived = Arrived { at: 1_767_225_600_000, after_gap: false };
const AFTER_GAP: Arrived = Arrived { after_gap: true, ..COMES };

/// A ledger of a site, beside the central one of a test.
pub(crate) fn site_of(_: &Ledger) -> Ledger {
    let site = Ledger::sqlite();
    forwards(&site, MOST);
    site
}

fn forwards(site: &Ledger, most_bytes: u64) {
    let wish = Forwarding { site: "5e".to_owned(), name: "basel".to_owned(), most_bytes };
    assert!(site.store().set_forwarding(Some(&wish)).unwrap());
    assert!(site.store().forwards().unwrap());
}

/// The parts that wait at a site.
pub(crate) fn parts(site: &Ledger) -> Vec<Part> {
    let mut store = site.store();
    let waiting = store.waiting_parts(u64::MAX).unwrap();
    let bytes: usize = waiting.iter().map(|part| part.body.len()).sum();
    let told = store.waiting().unwrap();
    assert_eq!((told.parts, told.bytes), (waiting.len() as u64, bytes as u64));
    assert_eq!(told.oldest_at.is_some(), !waiting.is_empty());
    waiting.iter().map(|part| serde_json::from_str(&part.body).unwrap()).collect()
}

/// Posts all that waits at a site, as a sender does; what became of each part.
pub(crate) fn post(site: &Ledger, central: &mut Store) -> Vec<TakenPart> {
    let mut inbox = Inbox::default();
    let taken = parts(site).iter().map(|part| inbox.take(central, part, COMES).unwrap()).collect();
    let mut store = site.store();
    let ids: Vec<i64> = store.waiting_parts(u64::MAX).unwrap().iter().map(|part| part.id).collect();
    store.remove_parts(&ids).unwrap();
    assert_eq!(store.waiting().unwrap(), store::forward::Waiting::default());
    taken
}

/// What a ledger holds that does not depend on how it came in, with capacity and coverage.
fn held(ledger: &Ledger) -> (Vec<String>, Vec<String>) {
    ledger.balances();
    let mut rows = ledger.rows();
    for sql in [
        "select vendor, run, from_at, until_at, begins_run, polled from span",
        "select reason, lines, first_line, sample from quarantine",
        "select lines, events, notes, noise, unrecognized from input",
        "select f.code, c.from_at, c.seats_issued from capacity c join feature f on f.feature_id = c.feature_id",
        "select name, format, pairing, time_zone from server",
    ] {
        let mut of_table = ledger.query(sql);
        of_table.sort();
        rows.extend(of_table);
    }
    (rows, ledger.books())
}

pub(crate) fn what_a_site_tells_gives_the_books_of_reading_it(ledger: &mut Ledger) {
    let (site, direct) = (site_of(ledger), Ledger::sqlite());
    let (mut at_site, mut here) = (site.process(), direct.process());
    let mut central = ledger.store();
    for (name, said) in a_week() {
        let halves: Vec<_> = said.chunks(said.len().div_ceil(2)).collect();
        at_site.read_parts(&mut site.store(), name, &halves);
        here.read_parts(&mut direct.store(), name, &halves);
        let taken = post(&site, &mut central);
        assert_eq!(taken, vec![TakenPart::Now; halves.len()]);
    }
    assert_eq!(held(ledger), held(&direct));
    assert_eq!(held(ledger), held(&site));
    let mut names = ledger.query("select name from input");
    names.sort();
    assert_eq!(names, ["basel: first", "basel: second", "basel: third"]);
}

pub(crate) fn parts_come_once_and_in_order(ledger: &mut Ledger) {
    let site = site_of(ledger);
    let said = two_days();
    let thirds: Vec<_> = said.chunks(said.len().div_ceil(3)).collect();
    site.process().read_parts(&mut site.store(), "log", &thirds);
    let parts = parts(&site);
    assert_eq!(parts.iter().map(|part| part.part).collect::<Vec<_>>(), [1, 2, 3]);
    let mut central = ledger.store();
    let mut inbox = Inbox::default();
    let mut take = |part: usize| inbox.take(&mut central, &parts[part], COMES).unwrap();
    assert_eq!(take(1), TakenPart::Awaits(1));
    assert_eq!(take(0), TakenPart::Now);
    assert_eq!(take(0), TakenPart::Before);
    assert_eq!(take(2), TakenPart::Awaits(2));
    assert_eq!(take(1), TakenPart::Now);
    // Another process, to which the answer got lost.
    let again = Inbox::default().take(&mut ledger.store(), &parts[1], COMES).unwrap();
    assert_eq!(again, TakenPart::Before);
    assert_eq!(inbox.take(&mut central, &parts[2], COMES).unwrap(), TakenPart::Now);
    assert_eq!(held(ledger), held(&site));
    // Who has lost a part says so.
    let late = Part { part: 9, ..Part::default() };
    let late = Part { site: "5e".to_owned(), input: parts[0].input, ..late };
    assert_eq!(inbox.take(&mut central, &late, COMES).unwrap(), TakenPart::Awaits(4));
    assert_eq!(inbox.take(&mut central, &late, AFTER_GAP).unwrap(), TakenPart::Now);
    assert_eq!(inbox.take(&mut central, &parts[2], AFTER_GAP).unwrap(), TakenPart::Before);
}

pub(crate) fn an_input_read_anew_at_a_site_is_read_anew_everywhere(ledger: &mut Ledger) {
    let site = site_of(ledger);
    let mut central = ledger.store();
    let wrong = [at(5.0, "v", What::Out("solver", "amara", 1)), at(6.0, "v", What::In("solver", "amara", 1))];
    site.process().read(&mut site.store(), "log", &wrong);
    let id: u32 = site.query("select input_id from input")[0].parse().unwrap();
    post(&site, &mut central);
    let mut process = site.process();
    process.intake.take_out(&mut site.store(), id).unwrap();
    process.read(&mut site.store(), "log", &two_days());
    let out = parts(&site);
    assert!(out[0].takes_out && out[0].part == 2 && !out[1].takes_out);
    assert_eq!(post(&site, &mut central), [TakenPart::Now, TakenPart::Now]);
    assert_eq!(held(ledger), held(&site));
    // What is taken out already is not taken out again.
    let mut again = Inbox::default();
    assert_eq!(again.take(&mut central, &out[0], COMES).unwrap(), TakenPart::Before);
    let unknown = Part { input: 77, ..out[0].clone() };
    assert_eq!(again.take(&mut central, &unknown, COMES).unwrap(), TakenPart::Now);
    assert_eq!(held(ledger).1, held(&site).1);
}

pub(crate) fn under_a_pseudonym_no_name_leaves_a_site(ledger: &mut Ledger) {
    let site = site_of(ledger);
    let key = |byte| Privacy {
        identity: Identity::Pseudonymous,
        keys: vec![Key::new([byte; 32])],
        ..Privacy::default()
    };
    let mut store = site.store();
    store.keep(key(7)).unwrap();
    for (name, said) in a_week() {
        site.process().read(&mut store, name, &said);
    }
    let bodies: String = store.waiting_parts(u64::MAX).unwrap().into_iter().map(|part| part.body).collect();
    for name in ["amara", "bela", "chidi", "dana", "\"ws\"", "bla"] {
        assert!(!bodies.contains(name), "{name} is in what is posted");
    }
    // What is hidden already stays as it is, whatever is kept at the central service, and under whatever key.
    let mut central = ledger.store();
    central.keep(key(8)).unwrap();
    post(&site, &mut central);
    assert_eq!(held(ledger), held(&site));
    let users = "select distinct user_name from holder where user_name like 'p-%'";
    assert_eq!(ledger.query(users).len(), 4);
}

pub(crate) fn nothing_more_is_taken_in_than_may_wait(ledger: &mut Ledger) {
    forwards(ledger, 10);
    let said = two_days();
    let (first, second) = said.split_at(5);
    let mut process = ledger.process();
    let batch = process.batch(0, first, &mut BTreeMap::default());
    process.commit(&mut ledger.store(), "log", 1, &[batch]).unwrap();
    let batch = process.batch(0, second, &mut BTreeMap::default());
    let full = process.commit(&mut ledger.store(), "log", 2, std::slice::from_ref(&batch));
    assert!(matches!(full, Err(Error::Behind { parts: 1, .. })), "{full:?}");
    assert_eq!(ledger.query("select position from input"), ["1"]);
    let mut store = ledger.store();
    let waiting = store.waiting_parts(0).unwrap();
    assert_eq!(waiting.len(), 1, "one at least");
    store.remove_parts(&[waiting[0].id]).unwrap();
    store.remove_parts(&[waiting[0].id]).unwrap();
    process.commit(&mut store, "log", 2, &[batch]).unwrap();
    assert_eq!(store.waiting_parts(0).unwrap()[0].id, waiting[0].id + 1, "no number is given twice");
    // Who forwards no more waits for nobody.
    assert!(store.set_forwarding(None).unwrap());
    assert!(!store.set_forwarding(None).unwrap());
    let more = process.batch(0, &[at(50.0, "v", What::Lives)], &mut BTreeMap::default());
    process.commit(&mut store, "log", 3, &[more]).unwrap();
    assert_eq!(store.waiting().unwrap().parts, 1, "what waits stays");
    // What was read meanwhile is missed: the next part does not follow the last that was told.
    forwards(ledger, MOST);
    let more = process.batch(0, &[at(51.0, "v", What::Lives)], &mut BTreeMap::default());
    process.commit(&mut store, "log", 4, &[more]).unwrap();
    let numbers: Vec<u64> = parts(ledger).iter().map(|part| part.part).collect();
    assert_eq!(numbers, [2, 4]);
}

pub(crate) fn parts_that_are_not_right_are_refused(ledger: &mut Ledger) {
    let site = site_of(ledger);
    site.process().read(&mut site.store(), "log", &two_days());
    let right = site.store().waiting_parts(u64::MAX).unwrap().remove(0).body;
    let mut central = ledger.store();
    let mut inbox = Inbox::default();
    let too_long = format!("\"hash\":\"{}", "0".repeat(64));
    let year_12000 = "316522512000000";
    for (what, with) in [
        ("\"features\":[\"solver\",\"mesher\"]", "\"features\":[\"solver\"]"),
        ("\"part\":1", "\"part\":0"),
        ("\"hash\":\"", "\"hash\":\"\\u0000"),
        ("\"hash\":\"", &too_long),
        ("1740988800000", year_12000),
        ("1740988800000", "-99000000000000"),
        ("\"breaks\":[[0", "\"breaks\":[[7"),
    ] {
        let wrong = right.replace(what, with);
        assert_ne!(right, wrong, "{what} is not in {right}");
        let wrong: Part = serde_json::from_str(&wrong).unwrap();
        let taken = inbox.take(&mut central, &wrong, COMES).unwrap();
        assert!(matches!(taken, TakenPart::Refused(_)), "{what}: {taken:?}");
    }
    assert_eq!(ledger.query("select count(*) from input"), ["0"]);
    let invented = right.replace("\"features\":[\"solver\",\"mesher\"]", "\"features\":[\"invented\"]");
    let invented: Part = serde_json::from_str(&invented).unwrap();
    assert!(matches!(inbox.take(&mut central, &invented, COMES).unwrap(), TakenPart::Refused(_)));
    let right: Part = serde_json::from_str(&right).unwrap();
    assert_eq!(inbox.take(&mut central, &right, COMES).unwrap(), TakenPart::Now);
    assert_eq!(held(ledger), held(&site));
    let known = ledger.query("select count(*) from feature where code = 'invented'");
    assert_eq!(known, ["0"], "what a refused part names is forgotten");
}

pub(crate) fn what_lies_ahead_is_quarantined_and_the_past_is_taken(ledger: &mut Ledger) {
    let (site, right) = (site_of(ledger), Ledger::sqlite());
    let since_monday = |at: f64| at - 483_600.0;
    // A dead battery east of UTC; a clock that jumps for a while; a day ahead, less and more; a counter that ran over.
    let before_1970 = [at(since_monday(-2.0), "v", What::Lives)];
    let jumps = |holder, hour| {
        [at(hour, "v", What::Out("solver", holder, 1)), at(hour + 1.0, "v", What::In("solver", holder, 1))]
    };
    let coming = (COMES.at - 1_740_960_000_000) as f64 / 3_600_000.0;
    let within = [jumps("amara", 5.0), jumps("bela", coming + 22.5)].concat();
    let beyond = [jumps("chidi", coming + 23.5), jumps("dana", since_monday(2_700_000.0))].concat();
    for (input, said) in [("old", &before_1970[..]), ("log", &[&within[..], &beyond].concat())] {
        site.process().read(&mut site.store(), input, said);
    }
    right.process().read(&mut right.store(), "old", &before_1970);
    let end = at(coming + 23.5, "v", What::Out("solver", "chidi", 1));
    right.process().read(&mut right.store(), "log", &[&within[..], &[end]].concat());
    assert_eq!(post(&site, &mut ledger.store()), [TakenPart::Now, TakenPart::Now]);
    ledger.balances();
    assert_eq!((ledger.rows(), ledger.books()), (right.rows(), right.books()));
    let kept_out = ledger.query("select shape, reason, lines, sample from quarantine");
    assert_eq!(
        kept_out,
        ["(told by a site)|of a day to come: is the clock there right?|3|2026-01-02T00:30:00Z"]
    );
    let until = |of: &Ledger| of.query("select max(until_at) from span");
    assert_eq!(until(ledger), until(&right), "what lies ahead is no evidence of life");
}

pub(crate) fn a_refused_part_parks_its_input_alone(ledger: &mut Ledger) {
    let site = site_of(ledger);
    for (name, said) in a_week() {
        let halves: Vec<_> = said.chunks(said.len().div_ceil(2)).collect();
        site.process().read_parts(&mut site.store(), name, &halves);
    }
    let mut store = site.store();
    let ids = |store: &mut Store| -> Vec<i64> {
        store.waiting_parts(u64::MAX).unwrap().iter().map(|part| part.id).collect()
    };
    let all = ids(&mut store);
    store.park(all[0], "no\0thing", true).unwrap();
    let parked = store.parked().unwrap();
    let [Parked { source, reason, diverged: true }] = parked.as_slice() else { panic!("{parked:?}") };
    assert_eq!((source.as_str(), reason.as_str()), (a_week()[0].0, "no\u{fffd}thing"));
    let of_others = ids(&mut store);
    assert_eq!(of_others, all[2..], "the other inputs go on");
    assert_eq!(store.waiting().unwrap().parts, all.len() as u64, "they wait all the same");
    store.unpark().unwrap();
    assert_eq!((ids(&mut store), store.parked().unwrap()), (all.clone(), Vec::new()));
    // Read anew: what was refused is out of the way, here and at the central service, which has half of it.
    let mut central = ledger.store();
    let first = parts(&site).remove(0);
    assert_eq!(Inbox::default().take(&mut central, &first, COMES).unwrap(), TakenPart::Now);
    store.remove_parts(&all[..1]).unwrap();
    store.park(all[1], "nothing", false).unwrap();
    let (name, said) = a_week().remove(0);
    let input = site.query(&format!("select input_id from input where name = '{name}'"))[0].parse().unwrap();
    let mut process = site.process();
    process.intake.take_out(&mut store, input).unwrap();
    process.read(&mut store, name, &said);
    assert_eq!(store.parked().unwrap(), []);
    let left = parts(&site);
    assert_eq!(left.len(), of_others.len() + 2);
    assert_eq!(post(&site, &mut central), vec![TakenPart::Now; left.len()]);
    assert_eq!(held(ledger).1, held(&site).1);
}

pub(crate) fn who_is_forgotten_at_a_site_leaves_it_with_no_part(ledger: &mut Ledger) {
    let site = site_of(ledger);
    for (name, said) in a_week() {
        let halves: Vec<_> = said.chunks(said.len().div_ceil(2)).collect();
        site.process().read_parts(&mut site.store(), name, &halves);
    }
    let mut store = site.store();
    let bodies = |store: &mut Store| -> String {
        store.waiting_parts(u64::MAX).unwrap().into_iter().map(|part| part.body).collect()
    };
    let sample = "\"OUT: x Amara@ws\"";
    site.sql(&format!("update forward_part set body = replace(body, '\"bla\"', '{sample}')"));
    assert!(bodies(&mut store).contains(sample) && bodies(&mut store).contains("\"amara\""));
    let refused = store.change_privacy(&Privacy::default());
    assert!(matches!(refused, Err(Error::Private(_))), "they tell of persons as before: {refused:?}");
    let done = store.forget_person("amara").unwrap();
    let left = bodies(&mut store).to_lowercase();
    assert!(!left.contains("amara") && left.contains(&done.name) && left.contains("\"bela\""), "{left}");
    let mut central = ledger.store();
    assert!(post(&site, &mut central).iter().all(|taken| *taken == TakenPart::Now));
    assert_eq!(held(ledger).1, held(&site).1);
    store.change_privacy(&Privacy::default()).unwrap();
}

/// Lets a site read an input further.
fn read_on(site: &Ledger, process: &mut Process, position: u64, said: &[Said]) {
    let batch = process.batch(0, said, &mut BTreeMap::default());
    process.commit(&mut site.store(), "log", position, &[batch]).unwrap();
}

/// Two ledgers of one site that have read the same first half of a log, with what reads them on, and the other half.
fn copies<'l>(one: &'l Ledger, other: &'l Ledger) -> ([(&'l Ledger, Process); 2], Vec<Said>) {
    let said = two_days();
    let (first, second) = said.split_at(said.len() / 2);
    let read = |site: &'l Ledger| {
        let mut process = site.process();
        process.intake.begin(None);
        read_on(site, &mut process, 1, first);
        (site, process)
    };
    ([read(one), read(other)], second.to_vec())
}

fn imported(said: &[Said]) -> Vec<String> {
    let direct = Ledger::sqlite();
    direct.process().read(&mut direct.store(), "log", said);
    direct.balances();
    direct.rows()
}

pub(crate) fn a_site_that_was_set_back_is_noticed_and_goes_on_as_another_one(ledger: &mut Ledger) {
    let (as_it_was, set_back) = (site_of(ledger), site_of(ledger));
    let ([(_, mut was), (_, mut back)], second) = copies(&as_it_was, &set_back);
    let (some, more) = second.split_at(second.len() / 2);
    read_on(&as_it_was, &mut was, 2, some);
    read_on(&as_it_was, &mut was, 3, more);
    let mut central = ledger.store();
    assert_eq!(post(&as_it_was, &mut central), vec![TakenPart::Now; 3]);
    // Set back to after the first commit, it reads the rest once more, and cuts it otherwise.
    assert_eq!(post(&set_back, &mut central), [TakenPart::Before], "what was told before is the same");
    read_on(&set_back, &mut back, 2, &second);
    let again = parts(&set_back).remove(0);
    let mut inbox = Inbox::default();
    assert_eq!(inbox.take(&mut central, &again, COMES).unwrap(), TakenPart::Diverged);
    assert_eq!(inbox.take(&mut central, &again, AFTER_GAP).unwrap(), TakenPart::Diverged);
    let mut store = set_back.store();
    let id = store.waiting_parts(0).unwrap()[0].id;
    store.park(id, "another one", true).unwrap();
    assert_eq!(store.forward_anew("6f").unwrap(), 1);
    assert_eq!(store.parked().unwrap(), []);
    store.remove_parts(&[id]).unwrap();
    let anew = parts(&set_back);
    assert_eq!((anew.len(), anew[0].part, anew[0].site.as_str()), (1, 1, "6f"), "no number is given twice");
    assert_eq!(post(&set_back, &mut central), [TakenPart::Now]);
    ledger.balances();
    assert_eq!(ledger.rows(), imported(&two_days()));
    // Of what lies too far back nothing is known; of what was taken before there were hashes it is believed.
    let of_the_first = "where input_id = (select min(input_id) from input)";
    ledger.sql(&format!("delete from site_part {of_the_first} and part = 1"));
    let first = Part { part: 1, ..again.clone() };
    assert_eq!(inbox.take(&mut central, &first, COMES).unwrap(), TakenPart::Diverged);
    ledger.sql(&format!("update site_part set hash = '' {of_the_first} and part = 2"));
    let taken =
        [1, 2, 3].map(|part| inbox.take(&mut central, &Part { part, ..again.clone() }, COMES).unwrap());
    assert_eq!(taken, [TakenPart::Before, TakenPart::Before, TakenPart::Diverged]);
}

pub(crate) fn a_copy_of_a_site_is_noticed_and_goes_on_as_another_one(ledger: &mut Ledger) {
    // The central service is the other one here: a site's own statements run on both databases.
    let central = Ledger::sqlite();
    let original = site_of(ledger);
    forwards(ledger, MOST);
    let ([(_, mut one), (_, mut other)], second) = copies(&original, ledger);
    assert_eq!(post(&original, &mut central.store()), [TakenPart::Now]);
    assert_eq!(post(ledger, &mut central.store()), [TakenPart::Before]);
    let (some, more) = second.split_at(second.len() / 2);
    read_on(&original, &mut one, 2, &second);
    read_on(ledger, &mut other, 2, some);
    read_on(ledger, &mut other, 3, more);
    let mut inbox = Inbox::default();
    let mut take = |part: &Part| inbox.take(&mut central.store(), part, COMES).unwrap();
    let (of_original, of_copy) = (parts(&original), parts(ledger));
    assert_eq!(take(&of_original[0]), TakenPart::Now);
    assert_eq!([take(&of_copy[0]), take(&of_original[0])], [TakenPart::Diverged, TakenPart::Before]);
    assert_eq!(ledger.store().forward_anew("6f").unwrap(), 2);
    let anew = parts(ledger);
    assert_eq!(anew.iter().map(|part| part.part).collect::<Vec<_>>(), [1, 2]);
    assert_eq!([take(&anew[0]), take(&anew[1])], [TakenPart::Now, TakenPart::Now]);
    central.balances();
    assert_eq!(central.rows(), imported(&two_days()));
    // What is read from now on has numbers behind these, also of inputs that had nothing waiting.
    read_on(ledger, &mut other, 4, &[at(60.0, "v", What::Lives)]);
    assert_eq!(parts(ledger)[2].part, 3);
    assert_eq!(take(&parts(ledger)[2]), TakenPart::Now);
    let nobody = Ledger::sqlite().store().forward_anew("70");
    assert!(matches!(nobody, Err(Error::NotFound(_))), "{nobody:?}");
}

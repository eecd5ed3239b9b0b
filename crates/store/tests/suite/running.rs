//! Runs that are told as states, and events that count once by what their senders call them.

use crate::ledger::Ledger;
use crate::log::{HOUR, MONDAY, Process};
use accounting::UnixMs;
use store::intake::{Batch, UsedEvent};
use store::{Error, Store};

/// Until which hour a run of eight o'clock is known, and until when more is awaited of it.
type State = (i64, Option<i64>);

fn tell(store: &mut Store, name: &str, states: &[State]) {
    let mut process = Process::default();
    let daemon = process.daemon("");
    let feature = process.interner.feature("solver");
    let holder = process.interner.holder(daemon, "chen", "ws-12", "", "");
    let instant = |hour: i64| MONDAY + hour * HOUR;
    let used = states.iter().map(|(until, awaited)| UsedEvent {
        feature,
        holder,
        handle: 1,
        from: instant(8),
        until: instant(*until),
        awaited_until: awaited.map(instant),
        seats: 1,
        version: 0,
    });
    let mut batch = Batch { used: used.collect(), handles: vec!["a1".into()], ..Batch::default() };
    batch.names = process.interner.news();
    process.intake.begin(None);
    process.commit(store, name, 1, &[batch]).unwrap();
}

/// What is told of the sessions, and of those that are open, to who asks at an hour.
fn seen(store: &mut Store, hour: i64) -> [Vec<String>; 2] {
    store.tell_time(MONDAY + hour * HOUR);
    [false, true].map(|open_only| {
        let mut lines = Vec::new();
        let read = store.read(|reader| {
            let features: Vec<_> = reader.names().features.keys().copied().collect();
            for feature in features {
                reader.sessions(feature, (UnixMs::MIN, UnixMs::MAX), open_only, &mut |row| {
                    let hour = |at: UnixMs| (at - MONDAY) / HOUR;
                    let ended = row.part.ended.as_str();
                    lines.push(format!("{}..{} {ended}", hour(row.part.from), hour(row.part.until)));
                    Ok(())
                })?;
            }
            reader.history((UnixMs::MIN, UnixMs::MAX), &mut |row| {
                lines.extend((!open_only).then(|| row.action.to_owned()));
                Ok(())
            })
        });
        read.unwrap();
        lines
    })
}

pub(crate) fn a_run_is_open_while_more_is_awaited_of_it(ledger: &mut Ledger) {
    let mut store = ledger.store();
    tell(&mut store, "a", &[(8, Some(10)), (9, Some(11))]);
    assert_eq!(seen(&mut store, 10), [vec!["8..9 open", "grant"], vec!["8..9 open"]]);
    assert_eq!(store.seats_in_use().unwrap()["solver"], 1);
    assert_eq!(seen(&mut store, 11), [vec!["8..9 heartbeats_ceased", "grant", "heartbeats_ceased"], vec![]]);
    assert_eq!(store.seats_in_use().unwrap()["solver"], 0);
    // It was only the way that was long.
    tell(&mut store, "b", &[(12, Some(14))]);
    assert_eq!(seen(&mut store, 13), [vec!["8..12 open", "grant"], vec!["8..12 open"]]);
    tell(&mut store, "c", &[(13, None)]);
    assert_eq!(seen(&mut store, 13), [vec!["8..13 checkin", "grant", "checkin"], vec![]]);
    drop(store);
    ledger.balances();
}

pub(crate) fn states_in_any_order_give_the_same_books(ledger: &mut Ledger) {
    let states: [State; 4] = [(8, Some(10)), (9, Some(11)), (10, Some(12)), (10, None)];
    let mut store = ledger.store();
    for (nth, order) in [[3, 0, 1, 2], [2, 3, 0, 1], [3, 2, 1, 0], [0, 1, 2, 3]].iter().enumerate() {
        for (place, state) in order.iter().enumerate() {
            tell(&mut store, &format!("{nth}-{place}"), &[states[*state], states[*state]]);
            if order[..=place].contains(&3) {
                assert_eq!(seen(&mut store, 10)[0], ["8..10 checkin", "grant", "checkin"], "{order:?}");
            }
        }
    }
    drop(store);
    ledger.balances();
}

pub(crate) fn an_event_is_taken_in_once(ledger: &mut Ledger) {
    let mut store = ledger.store();
    let batch = |ids: &[&str]| Batch {
        taken: ids.iter().map(|id| ((*id).to_owned(), MONDAY)).collect(),
        ..Batch::default()
    };
    let mut process = ledger.process();
    process.intake.begin(None);
    process.commit(&mut store, "a", 1, &[batch(&["x", "y"])]).unwrap();
    let again = process.commit(&mut store, "a", 2, &[batch(&["z", "y"])]);
    assert!(matches!(again, Err(Error::Conflict)), "{again:?}");
    let known = store.taken(["x", "y", "z"].into_iter()).unwrap();
    assert_eq!(known.iter().collect::<Vec<_>>(), ["x", "y"], "nothing of a refused batch is noted");
}

pub(crate) fn what_a_service_tells_of_its_sources_is_there_until_it_tells_otherwise(ledger: &mut Ledger) {
    use store::sources::SourceTold;
    let told = |name: &str, restarts| SourceTold {
        key: name.to_owned(),
        name: name.to_owned(),
        restarts,
        ..SourceTold::default()
    };
    let mut store = ledger.store();
    let seen = |store: &mut Store| {
        let row =
            |row: store::sources::SourceTellings| (row.told.name, row.host, row.told_at, row.told.restarts);
        let rows = |told: Vec<_>| told.into_iter().map(row).collect::<Vec<_>>();
        store.read(|reader| Ok(rows(reader.sources_told()?))).unwrap()
    };
    store.tell_sources("one", 1_000, &[told("b", 0), told("a", 0)]).unwrap();
    store.tell_sources("two", 2_000, &[told("a", 5)]).unwrap();
    store.tell_sources("one", 3_000, &[told("b", 1)]).unwrap();
    let row = |name: &str, host: &str, at, restarts| (name.to_owned(), host.to_owned(), at, restarts);
    assert_eq!(seen(&mut store), [row("a", "two", 2_000, 5), row("b", "one", 3_000, 1)]);
    // What was taken out of the configuration is not told of for ever.
    store.tell_sources("one", 8 * 86_400_000, &[told("b", 1)]).unwrap();
    assert_eq!(seen(&mut store), [row("b", "one", 8 * 86_400_000, 1)]);
}

pub(crate) fn what_a_site_tells_of_its_sources_stands_beside_and_has_an_end(ledger: &mut Ledger) {
    use store::sources::{SiteSource, SiteSources, SourceTellings, SourceTold};
    let one = |name: &str| SiteSource {
        host: "h".to_owned(),
        told_ms_ago: 400,
        told: SourceTold { key: name.to_owned(), name: name.to_owned(), ..SourceTold::default() },
    };
    let of = |site: &str, collector: &str, names: &[&str]| SiteSources {
        site: site.to_owned(),
        collector: collector.to_owned(),
        sources: names.iter().map(|name| one(name)).collect(),
    };
    let mut store = ledger.store();
    let of_sites = |store: &mut Store| -> Vec<SourceTellings> {
        store.read(|reader| Ok(reader.sources_of_sites()?.into_iter().collect())).unwrap()
    };
    let seen = |store: &mut Store| -> Vec<String> {
        store.read(|reader| Ok(reader.sources_told()?.iter().map(SourceTellings::called).collect())).unwrap()
    };
    store.tell_sources("one", 1_000, &[one("a").told]).unwrap();
    store.tell_sources_of_site(2_000, &of("basel", "1", &["a", "b"])).unwrap();
    store.tell_sources_of_site(2_000, &of("basel", "2", &["c"])).unwrap();
    store.tell_sources_of_site(2_000, &of("zug", "3", &["a"])).unwrap();
    assert_eq!(seen(&mut store), ["a", "basel: a", "basel: b", "basel: c", "zug: a"]);
    store.tell_sources_of_site(3_000, &of("basel", "1", &["b"])).unwrap();
    assert_eq!(seen(&mut store), ["a", "basel: b", "basel: c", "zug: a"]);
    let told = of_sites(&mut store);
    assert_eq!(
        (told[0].told_at, told[0].is_silent(152_600), told[0].is_silent(152_601)),
        (2_600, false, true)
    );
    assert_eq!(store.own_sources_told().unwrap().len(), 1);
    // A ledger that goes on as another one tells of the same sources: they stand there once.
    store.tell_sources_of_site(3_500, &of("basel", "anew", &["b"])).unwrap();
    assert_eq!(seen(&mut store), ["a", "basel: b", "basel: c", "zug: a"]);
    // However many collectors a site seems to have: the latest are kept.
    for (at, collector) in [(4_000, "4"), (5_000, "5")] {
        let many: Vec<String> = (0..600).map(|nth| format!("{collector} {nth:03}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        store.tell_sources_of_site(at, &of("basel", collector, &many)).unwrap();
    }
    let told = of_sites(&mut store);
    let of_basel = told.iter().filter(|told| told.site == "basel");
    assert_eq!(of_basel.clone().count(), 1_000);
    assert_eq!(of_basel.filter(|told| told.told_at == 4_600).count(), 600);
    assert!(seen(&mut store).contains(&"zug: a".to_owned()));
    // What nobody tells of any more goes.
    store.tell_sources_of_site(8 * 86_400_000, &of("zug", "3", &[])).unwrap();
    assert_eq!(seen(&mut store), Vec::<String>::new());
}

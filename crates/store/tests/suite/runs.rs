//! Sessions in runs, where those are kept that came together.

use crate::ledger::Ledger;
use crate::log::{self, Said, What, at};
use store::Store;

/// Sessions of two features over a week, each of half an hour, the last one open.
fn many() -> Vec<Said> {
    let mut said = Vec::new();
    for nth in 0..300 {
        let (hour, feature) = (f64::from(nth) * 0.5, ["solver", "mesher"][nth as usize % 2]);
        let seats = 1 + nth % 3;
        said.push(at(hour, "v", What::Out(feature, "amara", seats as u32)));
        said.push(at(hour + 0.5, "v", What::In(feature, "amara", seats as u32)));
    }
    said.sort_by_key(|line| line.at);
    said.push(at(150.6, "v", What::Out("solver", "bela", 1)));
    said
}

fn counts(ledger: &Ledger) -> [String; 2] {
    ["session_run", "session_by_key"]
        .map(|table| ledger.query(&format!("select count(*) from {table}"))[0].clone())
}

fn rows_of(ledger: &Ledger, inputs: &[(&str, &[Said])]) -> Vec<String> {
    for (name, said) in inputs {
        ledger.process().read(&mut ledger.store(), name, said);
    }
    ledger.balances();
    ledger.rows()
}

/// Ledgers in which sessions that came together lie in runs.
fn in_runs() -> [Ledger; 2] {
    [Ledger::sqlite_in_runs(), Ledger::postgres_in_runs()]
}

#[test]
fn sessions_that_came_together_are_few_rows_of_their_table() {
    let rows = Ledger::sqlite();
    let said = many();
    let expected = rows_of(&rows, &[("log", &said)]);
    let sessions = |ledger: &Ledger| {
        let status = ledger.store().status().unwrap();
        status.rows.into_iter().find(|(table, _)| *table == "session").map(|(_, count)| count)
    };
    assert_eq!(sessions(&rows), Some(301));
    for runs in in_runs() {
        assert_eq!(rows_of(&runs, &[("log", &said)]), expected);
        // 150 sessions of each feature, 64 a run; the open one is a row.
        assert_eq!(counts(&runs), ["6", "1"]);
        assert_eq!(sessions(&runs), Some(301));
    }
}

#[test]
fn a_line_that_comes_late_makes_rows_of_the_runs_that_it_touches() {
    let said = many();
    // It ends what another line had ended half an hour later.
    let late = [at(40.2, "v", What::In("solver", "amara", 1)), at(40.3, "v", What::Out("solver", "cleo", 1))];
    let inputs: [(&str, &[Said]); 2] = [("log", &said), ("late", &late)];
    let expected = rows_of(&Ledger::sqlite(), &inputs);
    for runs in in_runs() {
        assert_eq!(rows_of(&runs, &inputs), expected);
        let [left, of_rows] = counts(&runs);
        assert!(["4", "5"].contains(&left.as_str()), "{left} runs and {of_rows} rows");
    }
}

#[test]
fn what_is_too_old_goes_out_of_runs_that_reach_over_the_day() {
    let said = many();
    let removed = |ledger: &Ledger| {
        rows_of(ledger, &[("log", &said)]);
        let removed = ledger.store().remove_facts_before("2025-03-06".parse().unwrap()).unwrap();
        ledger.balances();
        let starts = "select count(*) from session where until_at <= 1741219200000";
        assert_eq!(ledger.query(starts), ["0"]);
        (removed.sessions, ledger.rows())
    };
    let expected = removed(&Ledger::sqlite());
    assert_eq!(expected.0, 144);
    for runs in in_runs() {
        assert_eq!(removed(&runs), expected);
    }
}

#[test]
fn a_session_that_is_there_twice_is_found() {
    for ledger in in_runs() {
        rows_of(&ledger, &[("log", &many())]);
        let one = "insert into session_by_key select * from session where seats = 3 order by from_at limit 1";
        ledger.sql(one);
        ledger.store().rebuild().unwrap();
        ledger.derive();
        let difference = ledger.verify().difference.expect("verify finds it");
        assert_eq!(
            (difference.day.as_deref(), difference.what.as_str()),
            (Some("2025-03-03"), "a session is there twice")
        );
    }
}

/// By them readers find runs: who asks for a day would miss a session that lies outside of them.
#[test]
fn wrong_bounds_of_a_run_are_told() {
    for wrong in ["until_at = until_at - 1", "last_at = last_at + 1"] {
        let ledger = Ledger::sqlite_in_runs();
        rows_of(&ledger, &[("log", &many())]);
        ledger.sql(&format!("update session_run set {wrong}"));
        let told = ledger.store().verify(&mut |_, _| {}).err().map(|error| error.to_string());
        assert!(told.as_ref().is_some_and(|told| told.contains("bounds of a run")), "{told:?}");
    }
}

/// Whatever is asked for of more runs than are read at a time, with rows between them, it comes once and in order.
#[test]
fn of_very_many_runs_each_session_comes_once_and_in_order() {
    let mut said = Vec::new();
    for nth in 0..1_000_u32 {
        // Some hold for long, so that runs reach over each other; each batch makes two or three.
        let (begin, long) = (f64::from(nth) * 0.1, [0.05, 30.0, 0.2][nth as usize % 3]);
        let user = ["amara", "bela", "cleo", "dora", "emil"][nth as usize % 5];
        said.push(at(begin, "v", What::Out("solver", user, 1)));
        said.push(at(begin + long, "v", What::In("solver", user, 1)));
    }
    said.sort_by_key(|line| line.at);
    let dumps = [Ledger::sqlite(), Ledger::sqlite_in_runs()].map(|ledger| {
        let parts: Vec<&[Said]> = said.chunks(10).collect();
        ledger.process().read_parts(&mut ledger.store(), "log", &parts);
        ledger.balances();
        (ledger.rows(), ledger.books())
    });
    assert_eq!(dumps[0], dumps[1]);
}

#[test]
fn a_backup_has_the_sessions_of_runs() {
    for ledger in in_runs() {
        rows_of(&ledger, &[("log", &many())]);
        let file = ledger.directory.path().join("copy.db");
        ledger.store().backup(&file).unwrap();
        let copy = rusqlite::Connection::open(&file).unwrap();
        let count = |sql: &str| copy.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(count("select count(*) from session"), 301);
        let seat_ms = "select sum((until_at - from_at) * seats) from session";
        assert_eq!(ledger.query(seat_ms), [count(seat_ms).to_string()]);
    }
}

/// Makes a ledger what it was before the migration that brought runs.
fn without_runs(ledger: &Ledger) {
    ledger.sql(
        "do $$
         declare
             line text := pg_get_viewdef('syslog_line');
             uso text := pg_get_viewdef('uso_diario');
         begin
             drop view syslog_line; drop view uso_diario; drop view session; drop table session_run;
             alter table session_by_key rename to session;
             execute 'create view syslog_line as ' || line;
             execute 'create view uso_diario as ' || uso;
         end $$",
    );
    ledger.sql("update setting set value = '22' where name = 'schema_version'");
}

#[test]
fn a_file_of_the_schema_before_runs_keeps_its_sessions_and_views() {
    let ledger = Ledger::sqlite();
    for (name, said) in log::a_week() {
        ledger.process().read(&mut ledger.store(), name, &said);
    }
    ledger.balances();
    let (rows, usage) = (ledger.rows(), ledger.query("select * from uso_diario"));
    ledger.sql(
        "drop view session; drop view session_in_run; drop table session_run; drop table session_place;
         pragma legacy_alter_table = on; alter table session_by_key rename to session;
         update setting set value = '23' where name = 'schema_version';
         create view theirs as select count(*) as sessions from session",
    );
    let before = ledger.query("select * from theirs");
    drop(ledger.store());
    assert_eq!(ledger.query("select * from theirs"), before);
    ledger.balances();
    assert_eq!(ledger.rows(), rows);
    assert_eq!(ledger.query("select * from uso_diario"), usage);
    // What comes now goes into runs, which their view shows too.
    let later: Vec<Said> =
        many().into_iter().map(|line| Said { at: line.at + 30 * 86_400_000, ..line }).collect();
    ledger.process().read(&mut ledger.store(), "later", &later);
    assert!(counts(&ledger)[0] != "0", "{:?}", counts(&ledger));
    let sessions = |text: &[String]| text[0].parse::<u32>().unwrap();
    assert_eq!(sessions(&ledger.query("select * from theirs")), sessions(&before) + 301);
    ledger.balances();
}

#[test]
fn a_ledger_of_the_schema_before_runs_keeps_its_sessions() {
    let ledger = Ledger::postgres();
    for (name, said) in log::a_week() {
        ledger.process().read(&mut ledger.store(), name, &said);
    }
    ledger.balances();
    let rows = ledger.rows();
    without_runs(&ledger);
    ledger.sql("create view theirs as select count(*) from uso_diario; grant select on session to public");
    ledger.balances();
    assert_eq!(ledger.rows(), rows);
    assert_eq!(ledger.query("select * from theirs"), ["0"], "no wrapper told of any");
    let who = "select count(*) from pg_class c, aclexplode(c.relacl) a
               where c.oid = cast('session' as regclass) and a.grantee = 0 and a.privilege_type = 'SELECT'";
    assert_eq!(ledger.query(who), ["1"], "who might read sessions may");
}

#[test]
fn a_view_of_somebody_else_over_sessions_is_named_before_they_move() {
    let ledger = Ledger::postgres();
    drop(ledger.store());
    without_runs(&ledger);
    ledger.sql("create view my_usage as select feature_id, count(*) from session group by feature_id");
    let refused = Store::create(ledger.place()).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(refused.contains("my_usage"), "{refused}");
    ledger.sql("drop view my_usage");
    ledger.balances();
}

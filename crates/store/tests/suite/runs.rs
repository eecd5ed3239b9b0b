//! Sessions in runs, as PostgreSQL keeps those that came together.

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

#[test]
fn sessions_that_came_together_are_few_rows_of_their_table() {
    let (rows, runs) = (Ledger::sqlite(), Ledger::postgres_in_runs());
    let said = many();
    assert_eq!(rows_of(&runs, &[("log", &said)]), rows_of(&rows, &[("log", &said)]));
    // 150 sessions of each feature, 64 a run; the open one is a row.
    assert_eq!(counts(&runs), ["6", "1"]);
    let sessions = |ledger: &Ledger| {
        let status = ledger.store().status().unwrap();
        status.rows.into_iter().find(|(table, _)| *table == "session").map(|(_, count)| count)
    };
    assert_eq!((sessions(&runs), sessions(&rows)), (Some(301), Some(301)));
}

#[test]
fn a_line_that_comes_late_makes_rows_of_the_runs_that_it_touches() {
    let (rows, runs) = (Ledger::sqlite(), Ledger::postgres_in_runs());
    let said = many();
    // It ends what another line had ended half an hour later.
    let late = [at(40.2, "v", What::In("solver", "amara", 1)), at(40.3, "v", What::Out("solver", "cleo", 1))];
    let inputs: [(&str, &[Said]); 2] = [("log", &said), ("late", &late)];
    assert_eq!(rows_of(&runs, &inputs), rows_of(&rows, &inputs));
    let [left, of_rows] = counts(&runs);
    assert!(["4", "5"].contains(&left.as_str()), "{left} runs and {of_rows} rows");
}

#[test]
fn what_is_too_old_goes_out_of_runs_that_reach_over_the_day() {
    let (rows, runs) = (Ledger::sqlite(), Ledger::postgres_in_runs());
    let said = many();
    let removed = [&rows, &runs].map(|ledger| {
        rows_of(ledger, &[("log", &said)]);
        let removed = ledger.store().remove_facts_before("2025-03-06".parse().unwrap()).unwrap();
        ledger.balances();
        (removed.sessions, ledger.rows())
    });
    assert_eq!(removed[0].0, 144);
    assert_eq!(removed[0], removed[1]);
    let starts = "select count(*) from session where until_at <= 1741219200000";
    assert_eq!(runs.query(starts), ["0"]);
}

#[test]
fn a_session_that_is_there_twice_is_found() {
    let ledger = Ledger::postgres_in_runs();
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

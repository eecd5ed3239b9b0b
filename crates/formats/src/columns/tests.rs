use super::*;
use accounting::day::Day;
use expect_test::{Expect, expect};
use jiff::tz::TimeZone;

fn named(written: Written) -> &'static Named {
    let columns = [
        (Column::Feature, "Product"),
        (Column::User, "login"),
        (Column::Host, "machine"),
        (Column::Seats, "n"),
        (Column::Since, "since"),
        (Column::Issued, "total"),
        (Column::InUse, "used"),
        (Column::Expires, "ends"),
    ];
    Box::leak(Box::new(Named::new(written, columns.map(|(of, name)| (of, name.to_owned())).to_vec())))
}

fn setting(at: UnixMs) -> Setting {
    let zone = TimeZone::get("Europe/Zurich").unwrap();
    Setting { polled_at: Some(at), ..Setting::new(zone, Day(0)) }
}

const AT: UnixMs = 1_715_767_200_000;

fn check(written: Written, text: &str, expected: &Expect) {
    let mut parser = named(written).parser(&setting(AT));
    let said: Vec<String> = text
        .lines()
        .flat_map(|line| match parser.line(line.as_bytes()).line {
            Line::Unrecognized(reason) => vec![format!("? {reason}")],
            Line::Noise => vec![".".to_owned()],
            line => line.events().iter().map(said).collect(),
        })
        .collect();
    expected.assert_eq(&(said.join("\n") + "\n"));
}

fn said(event: &Event<'_>) -> String {
    match &event.what {
        What::Shown { claim, since } => {
            let Claim { feature, user, host, seats, .. } = claim;
            format!("{feature}: {seats} by {user} on {host} since {}", (since - AT) / 1000)
        }
        What::Seats { feature, seats } => format!("{feature}: {seats:?}"),
        What::Expiry(expiry) => format!("{}: {:?} {:?}", expiry.feature, expiry.seats, expiry.expires),
        other => format!("{other:?}"),
    }
}

#[test]
fn a_table() {
    check(
        Written::Csv,
        "made by a tool\n\
         total;machine;LOGIN;product;n;since;used;ends;other\n\
         5;ws-07;amara;solver;2;2024-05-15 11:59;3;2025-01-31;x\n\
         5;ws-08;badru;solver;;1715767199;3;2025-01-31;x\n\
         unlimited;;;mesher;;;0;never;\n\
         ;;;;;;;;\n\
         5;ws-08;badru;solver;x;;;;\n\
         5;ws-08;badru;viewer;1;yesterday;;;\n",
        &expect![[r"
            ? line before a header with the columns that are configured
            Polled { answered: true }
            solver: Issued(Some(5))
            solver: InUse(3)
            solver: Some(5) On(Day(20119))
            solver: 2 by amara on ws-07 since -60
            solver: 1 by badru on ws-08 since -1
            mesher: Issued(None)
            mesher: InUse(0)
            mesher: None Never
            ? row without a feature
            ? row with seats that are no number
            ? row with a start that cannot be read
        "]],
    );
}

#[test]
fn objects() {
    let text = r#"{"result": {"rows": [
        {"Product": "solver", "login": "amara", "machine": "ws-07", "n": 2, "total": 5, "more": [1]},
        {"Product": "solver", "login": null, "total": 5}
    ]}}"#;
    let rows = json_rows(text.as_bytes(), "result.rows").unwrap();
    check(
        Written::Json,
        std::str::from_utf8(&rows).unwrap(),
        &expect![[r"
            Polled { answered: true }
            solver: Issued(Some(5))
            solver: 2 by amara on ws-07 since 0
        "]],
    );
    assert_eq!(json_rows(b"[]", "").unwrap(), b"[]\n");
    assert_eq!(json_rows(b"{\"a\":1}\n{\"a\":2}", "").unwrap(), b"[]\n{\"a\":1}\n{\"a\":2}\n");
    for (broken, path) in
        [("[{\"a\":1},{\"a\"", ""), ("", ""), ("[1]", ""), ("{\"rows\":{}}", "rows"), ("{}{}", "x")]
    {
        assert!(json_rows(broken.as_bytes(), path).is_err(), "{broken}");
    }
}

#[test]
fn who_has_no_start_holds_since_the_first_answer() {
    let format = named(Written::Csv);
    let text: &[&[u8]] = &[b"product,login,machine,n,since,total,used,ends", b"solver,amara,ws-07,1,,,,"];
    let since = |parser: &mut Box<dyn Parser>| {
        let all = text.iter().map(|line| parser.line(line)).last().unwrap();
        match all.line.events() {
            [Event { what: What::Shown { since, .. }, .. }] => *since,
            other => panic!("{other:?}"),
        }
    };
    let mut first = format.parser(&setting(AT));
    assert_eq!(since(&mut first), AT);
    let mut second = format.next_answer(&setting(AT + 5_000), &first.state()).unwrap();
    assert_eq!(since(&mut second), AT);
    let resumed = format.resume(&setting(AT + 5_000), &second.state()).unwrap();
    assert_eq!(resumed.state(), second.state());
    assert_eq!(since(&mut format.parser(&setting(AT + 9_000))), AT + 9_000);
}

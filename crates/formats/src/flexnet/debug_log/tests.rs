//! One-line cases: what a single line says to a parser that knows nothing yet.

use super::DebugLog;
use crate::line::{Fit, Format, Line, Note, Setting};
use accounting::day::Day;
use accounting::event::What;
use expect_test::{Expect, expect};

fn setting() -> Setting {
    Setting::new(jiff::tz::TimeZone::UTC, Day(0))
}

fn check(line: &str, expected: &Expect) {
    let mut parser = DebugLog.parser(&setting());
    let read = parser.line(line.as_bytes());
    let said = match read.line {
        Line::Noise => "noise".to_owned(),
        Line::Unrecognized(reason) => format!("unrecognized: {reason}"),
        Line::Note(Note::State) => "note".to_owned(),
        Line::Note(note) => format!("{note:?}"),
        Line::Events(events) => format!("{events:?}"),
        Line::Event { event, .. } => match event.what {
            What::Checkout(claim) => format!("{} out {}@{}", claim.feature, claim.user, claim.host),
            What::Checkin(claim, reason) => {
                format!("{} in {}@{} {reason:?}", claim.feature, claim.user, claim.host)
            }
            other => format!("{other:?}"),
        },
    };
    expected.assert_eq(&format!("{} {}: {said}", read.at.map_or(-1, |at| at / 1000), read.process));
}

#[test]
fn events() {
    check(" 0:00:09 (vend) OUT: \"f\" u@h  ", &expect!["9 vend: f out u@h"]);
    check("0:00:09 (vend) OUT: \"f 1\" u@h", &expect!["9 vend: f 1 out u@h"]);
    check("00:00:09 (vend)  IN:  \"f\"  u v@h  (INACTIVE)\r", &expect!["9 vend: f in u v@h TimedOut"]);
    check("00:00:09 (vend) IN: \"f\" u@h  (LOST)", &expect!["9 vend: f in u@h Returned"]);
}

#[test]
fn known_shapes_without_an_event() {
    check("00:00:09 (vend)", &expect!["9 vend: noise"]);
    check("00:00:09 (vend) Outdated: x", &expect!["9 vend: noise"]);
    check("00:00:09 (lmgrd) TIMESTAMP 1/1/1970", &expect!["9 lmgrd: note"]);
    check("00:00:09 (lmgrd) TIMESTAMP soon", &expect!["9 lmgrd: noise"]);
    check("", &expect!["-1 : noise"]);
    check("Shut down FlexNet vend license server system on machine lic1", &expect!["-1 : noise"]);
}

#[test]
fn no_known_shape() {
    check("\u{1}\u{2}\u{3}", &expect!["-1 : unrecognized: no shape that a license server prints"]);
    check("hello world", &expect!["-1 : unrecognized: no shape that a license server prints"]);
    check("  indented words", &expect!["-1 : unrecognized: no shape that a license server prints"]);
}

#[test]
fn lists_without_a_time_follow_lines_with_one() {
    let mut parser = DebugLog.parser(&setting());
    parser.line(b"00:00:09 (vend) Server started on h for:\ta b");
    for line in ["\tc\td_2", " vend  other  ", "=====", "lmgrd_1  | ", "Feb 18 10:03:36 h lmgrd[1]: "] {
        assert_eq!(parser.line(line.as_bytes()).line, Line::Noise, "{line}");
    }
    for line in ["some words", " a: b", "Feb 18 10:03:36 h sshd[1]: words"] {
        assert!(matches!(parser.line(line.as_bytes()).line, Line::Unrecognized(_)), "{line}");
    }
}

#[test]
fn fits() {
    assert_eq!(DebugLog.fits(b"10:00:00 (v) OUT: \"f\" u@h\n"), Fit::Yes);
    assert_eq!(DebugLog.fits(b"10:00:00 (v) x\n10:00:00 (v) x\n10:00:00 (v) x\n"), Fit::Yes);
    assert_eq!(DebugLog.fits(b"10:00:00 (v) x\n"), Fit::Maybe);
    assert_eq!(DebugLog.fits(b"05/11 15:17 (demo) OUT: analytics v2.09 by jdoe@win2008\n"), Fit::No);
    assert_eq!(DebugLog.fits(b""), Fit::No);
}

#[test]
fn a_damaged_state_is_refused() {
    assert!(DebugLog.resume(&setting(), "{").is_err());
}

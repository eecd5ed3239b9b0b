//! One line at a time.

use super::ServerLog;
use crate::line::{Format, Line, Note, Setting};
use accounting::day::Day;
use accounting::event::{Claim, DenialReason, What};
use jiff::tz::TimeZone;

const HEAD: &str = "2025/07/15 02:31:21:836 ";

/// What a line comes to, in short.
fn read(line: &str) -> String {
    let mut parser = ServerLog.parser(&Setting::new(TimeZone::UTC, Day(0)));
    let line = format!("{HEAD}{line}");
    let said = |claim: &Claim<'_>| {
        let Claim { feature, version, user, host, handle, seats, .. } = claim;
        let (version, handle) = (version.as_deref().unwrap_or("-"), handle.as_deref().unwrap_or("-"));
        format!("{seats} {feature} {version} {user} {host} {handle}")
    };
    match parser.line(line.as_bytes()).line {
        Line::Event { event, .. } => match &event.what {
            What::Checkout(claim) => format!("out {}", said(claim)),
            What::Checkin(claim, reason) => format!("in {} {reason:?}", said(claim)),
            What::Denial(claim, refusal) => format!("denied {} {:?}", said(claim), refusal.reason),
            other => format!("{other:?}"),
        },
        Line::Unrecognized(reason) => reason.to_owned(),
        other => format!("{other:?}"),
    }
}

fn usage(action: &str, fields: &str) -> String {
    read(&format!("I USGTRACING  {action}!!{fields}"))
}

#[test]
fn usage_on_premises_and_in_the_cloud() {
    let end = "Makers!Token!40!STD!ws-07 (A1-0a.4)!10.0.0.7!amara!AMARA@SITE.S-1!C:\\cad.exe!5.34!ALC";
    assert_eq!(usage("Grant", &format!("CAD!28F0!{end}")), "out 40 CAD 5.34 amara ws-07 28F0");
    assert_eq!(usage("TimeOut", &format!("CAD!R11!28F0!{end}")), "in 40 CAD 5.34 amara ws-07 28F0 TimedOut");
    assert_eq!(usage("Detachment", &format!("CAD!R11!!{end}")), "in 40 CAD 5.34 amara ws-07 - Detached");
    assert_eq!(usage("OfflineExtraction", &format!("CAD!28F0!{end}")), "out 40 CAD 5.34 amara ws-07 28F0");
    assert_eq!(usage("Restitution", &format!("CAD!28F0!{end}")), "in 40 CAD 5.34 amara ws-07 28F0 Returned");
}

#[test]
fn a_path_may_hold_what_divides_the_fields() {
    let line = "CAD!28F0!Makers!Token!2!STD!ws-07 (A1)!10.0.0.7!amara!id!C:\\a!b\\cad!.exe!5.34!ALC";
    assert_eq!(usage("Grant", line), "out 2 CAD 5.34 amara ws-07 28F0");
    assert_eq!(usage("Grant", &line.replace("28F0!", "R11!28F0!")), "out 2 CAD 5.34 amara ws-07 28F0");
}

#[test]
fn broken_usage() {
    let good = "CAD!28F0!Makers!Token!1!STD!ws-07 (A1)!10.0.0.7!amara!id!cad.exe!5.34!ALC";
    assert!(usage("Grant", good).starts_with("out"));
    assert_eq!(usage("Refund", good), "usage line with an action that is not known");
    assert_eq!(usage("Grant", &good[..40]), "usage line with too few fields");
    assert_eq!(usage("Grant", &good.replace("!1!", "!0!")), "usage line without seats");
    assert_eq!(
        usage("Grant", &good.replace("!1!", "!one!")),
        "usage line whose count of seats is not where it should be"
    );
    assert_eq!(usage("Grant", &good.replace("CAD!", "!")), "usage line without a feature");
    assert_eq!(read("I USGTRACING  Grant"), "usage line without fields");
}

#[test]
fn denials() {
    let client = "( from client ws-07 (A1-0a.4)/10.0.0.7|amara|AMARA@SITE.S-1|C:\\cad.exe )";
    for (reason, class) in [
        ("no more available license", DenialReason::Capacity),
        ("user amara not authorized", DenialReason::OptionsFile),
        ("no license enrolled", DenialReason::Unsupported),
        ("something else", DenialReason::Other),
    ] {
        let expected = format!("denied 1 CAD - amara ws-07 - {class:?}");
        for feature in ["CAD", "CAD [(R11)]", "CAD(R11)"] {
            assert_eq!(read(&format!("W LICENSESERV {feature} not granted, {reason} {client}")), expected);
        }
    }
    assert_eq!(read("W LICENSESERV CAD not granted, no more"), "denial without a client");
    assert_eq!(read("W LICENSESERV CAD not granted ( from client ws-07 )"), "denial without a user");
    assert_eq!(read("W LICENSESERV user amara not authorized"), "denial without a feature");
    assert_eq!(read("W LICENSESERV port in use"), "Noise");
}

#[test]
fn each_start_is_told_once() {
    let mut parser = ServerLog.parser(&Setting::new(TimeZone::UTC, Day(0)));
    let mut told = String::new();
    for text in [
        "STARTSERVER Server version 6.1 built on x",
        "STARTSERVER Standalone mode",
        "LICENSESERV Licensing service started",
        "STARTSERVER Server ready",
        "STARTSERVER Server version 6.1 built on x",
        "LICENSESERV Licensing service started",
        "ADMINSERVER Administration connection started",
        "STOPSERVER  License server stopped",
        "LICENSESERV Licensing service started",
    ] {
        told.push(match parser.line(format!("{HEAD}I {text}").as_bytes()).line {
            Line::Note(Note::Restarted) => 'R',
            Line::Note(_) => 'n',
            Line::Noise => '.',
            _ => '?',
        });
    }
    assert_eq!(told, "RnnnRn.nR");
}

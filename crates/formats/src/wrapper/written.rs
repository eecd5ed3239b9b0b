//! Records as wrapper scripts have `logger` write them.

use super::record::TAG;
use crate::events::{Record, Told};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Facility `user`, severity `notice`: what `logger` says if nobody says otherwise.
const PRIORITY: &str = "<13>";

/// The line for the machine's own syslog, which adds the host; `None` of what is no record of a wrapper script.
pub fn syslog_line(told: &Told, zone: &TimeZone) -> Option<String> {
    let (verb, record) = match told {
        Told::Start(record) => ("START", record),
        Told::Stop(record) => ("STOP", record),
        Told::Run { .. } => return None,
    };
    let Record { at, feature, user, pid, .. } = record;
    let at = Timestamp::from_millisecond(at.0).ok()?.to_zoned(zone.clone());
    let tag = String::from_utf8_lossy(TAG);
    let (header, stamp) = (at.strftime("%b %e %H:%M:%S"), at.strftime("%Y%m%d-%H%M"));
    Some(format!("{PRIORITY}{header} {tag}: {feature} {verb} {stamp} {user} PID: {pid}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::Instant;
    use crate::line::{Format as _, Setting};
    use accounting::day::Day;
    use expect_test::expect;

    #[test]
    fn what_is_written_is_read() {
        let record = Record {
            id: "1".to_owned(),
            at: Instant(974_702_860_000),
            feature: "app1".to_owned(),
            user: "fiore".to_owned(),
            host: "wks12".to_owned(),
            pid: 599,
        };
        let line = syslog_line(&Told::Stop(record), &TimeZone::UTC).unwrap();
        expect!["<13>Nov 20 06:47:40 LIC_ACC: app1 STOP 20001120-0647 fiore PID: 599"].assert_eq(&line);
        // A syslog daemon puts the host in.
        let line = line.replace(" LIC_ACC", " wks12 LIC_ACC");
        let mut parser = super::super::Wrapper.parser(&Setting::new(TimeZone::UTC, Day(0)));
        let read = parser.line(line.as_bytes());
        let event = &read.line.events()[0];
        assert_eq!(event.at, 974_702_820_000, "a stamp is to the minute");
        assert!(matches!(&event.what, accounting::event::What::Checkin(claim, _) if claim.host == "wks12"));
    }
}

//! DSLS server logs, RLM report logs and wrapper records of one [`Traffic`], as their servers print them.

use crate::traffic::{Crowd, Event, Traffic};
use jiff::civil::{Date, DateTime, Time};
use jiff::{SignedDuration, ToSpan};
use std::io::{self, Write};

/// A kind of log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A DSLS license server's log, on premises.
    Dsls,
    /// An RLM report log in its standard form.
    Rlm,
    /// `START` and `STOP` records of wrapper scripts, from syslog.
    Wrapper,
}

/// When a log is long enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// So many bytes, to within a line.
    Bytes(u64),
    /// So many starts and ends.
    Events(u64),
}

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// Bytes of the log.
    pub bytes: u64,
    /// Lines of the log.
    pub lines: u64,
    /// Starts of sessions.
    pub starts: u64,
    /// Ends of sessions.
    pub ends: u64,
}

/// Monday 2024-01-01.
const FIRST_DAY: Date = Date::constant(2024, 1, 1);

/// Writes a log: the same bytes on every machine.
pub fn write(kind: Kind, crowd: Crowd, until: Until, out: &mut impl Write) -> io::Result<Written> {
    let mut log = Log { out, written: Written::default() };
    let mut day = match kind {
        Kind::Dsls => log.dsls_head().map(|()| 0),
        Kind::Rlm => log.rlm_head(&crowd).map(|()| 0),
        Kind::Wrapper => Ok(0),
    }?;
    for event in Traffic::new(crowd) {
        let Written { bytes, starts, ends, .. } = log.written;
        let full = match until {
            Until::Bytes(most) => bytes >= most,
            Until::Events(most) => starts + ends >= most,
        };
        if full {
            break;
        }
        let at = FIRST_DAY.to_datetime(Time::midnight()) + SignedDuration::from_millis(event.at as i64);
        match kind {
            Kind::Dsls => log.dsls(at, &event)?,
            Kind::Rlm => {
                while day < event.at / 86_400_000 {
                    day += 1;
                    let date = (FIRST_DAY + (day as i64).days()).strftime("%m/%d/%Y");
                    log.line(&format!("{date} 00:00"))?;
                }
                log.rlm(at, &event)?;
            }
            Kind::Wrapper => log.wrapper(at, &event)?,
        }
        *(if event.ends { &mut log.written.ends } else { &mut log.written.starts }) += 1;
    }
    Ok(log.written)
}

struct Log<'a, W: Write> {
    out: &'a mut W,
    written: Written,
}

impl<W: Write> Log<'_, W> {
    fn line(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(text.as_bytes())?;
        self.out.write_all(b"\n")?;
        self.written.bytes += text.len() as u64 + 1;
        self.written.lines += 1;
        Ok(())
    }

    fn dsls_head(&mut self) -> io::Result<()> {
        self.line("2024/01/01 00:00:02:017 I INITSERVER  Starting license server version 6.427.7 on lic3.bench.example")?;
        self.line("2024/01/01 00:00:03:120 I LICENSESERV Licensing service started")
    }

    fn dsls(&mut self, at: DateTime, event: &Event) -> io::Result<()> {
        let Event { ends, session, user, feature, .. } = *event;
        let action = match ends {
            false => "Grant",
            true if session % 16 == 7 => "TimeOut",
            true => "Detachment",
        };
        let (hardware, address) = (0x41CE_18F7_5006_0000 + user, 0x0A0A_0000 + user);
        let id = 0x2800_0197_D997_0000_u64 + session;
        self.line(&format!(
            "{}:{:03} I USGTRACING  {action}!!F{feature:02}!{id:016X}!Dassault Systemes V5!ConcurrentUser!1!STD!\
             PC-{user:04} ({hardware:016X}-{address:08x}.4)!10.10.{}.{}!user{user}!USER{user}@BENCH.EXAMPLE.S-1-5-21-7-\
             {user}.{address:08X}.4.GAF-{hardware:016X}!C:\\Program Files\\B34\\win_b64\\code\\bin\\CNEXT.exe!5.34!ALC",
            at.strftime("%Y/%m/%d %H:%M:%S"),
            at.millisecond(),
            user / 256 % 256,
            user % 256,
        ))
    }

    fn rlm_head(&mut self, crowd: &Crowd) -> io::Result<()> {
        self.line("RLM Report Log Format 0, version 14.1")?;
        self.line("ISV: bench, RLM version 14.1 BL2")?;
        self.line("START lic2 01/01/2024 00:00:00")?;
        for feature in 0..crowd.features {
            self.line(&format!(
                "PRODUCT f{feature} 5.0 {} {} 0 10 \"\" \"\" \"bench\" \"\" \"\" \"\" 3 0 0 0",
                feature + 1,
                crowd.users * 4
            ))?;
        }
        self.line("01/01/2024 00:00")
    }

    fn rlm(&mut self, at: DateTime, event: &Event) -> io::Result<()> {
        let Event { ends, session, user, feature, in_use, .. } = *event;
        // Handles come again, but not while the session before is open.
        let (handle, stamp) = (session % 0x10_0000 + 1, at.strftime("%m/%d %H:%M:%S"));
        let (pool, pid) = (feature + 1, session % 30_000 + 1_000);
        let text = if ends {
            format!("IN 1 f{feature} 5.0 user{user} ws-{user:04} \"\" 1 {in_use} 0 {handle:x} {stamp}")
        } else {
            format!(
                "OUT f{feature} 5.0 {pool} user{user} ws-{user:04} \"\" 1 {in_use} 0 {handle:x} {handle:x} {pid:x} \
                 \"\" \"\" \"\" {stamp}"
            )
        };
        self.line(&text)
    }

    fn wrapper(&mut self, at: DateTime, event: &Event) -> io::Result<()> {
        let Event { ends, session, user, feature, .. } = *event;
        let word = if ends { "STOP" } else { "START" };
        let (head, stamp) = (at.strftime("%b %e %H:%M:%S"), at.strftime("%Y%m%d-%H%M"));
        let pid = session % 4_000_000 + 300;
        self.line(&format!("{head} ws{user:04} LIC_ACC: app{feature} {word} {stamp} user{user} PID: {pid}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(kind: Kind, until: Until) -> (String, Written) {
        let mut bytes = Vec::new();
        let written = write(kind, Crowd::default(), until, &mut bytes).unwrap();
        (String::from_utf8(bytes).unwrap(), written)
    }

    #[test]
    fn logs_have_their_length_and_the_same_bytes_each_time() {
        for kind in [Kind::Dsls, Kind::Rlm, Kind::Wrapper] {
            let (text, written) = log(kind, Until::Events(30_000));
            assert_eq!((written.starts + written.ends, written.bytes), (30_000, text.len() as u64));
            assert_eq!(written.lines, text.lines().count() as u64);
            assert_eq!(text, log(kind, Until::Events(30_000)).0);
            let bytes = log(kind, Until::Bytes(500_000)).1.bytes;
            assert!((500_000..500_400).contains(&bytes), "{bytes}");
        }
    }

    #[test]
    fn lines_are_as_their_servers_print_them() {
        let last = |kind| log(kind, Until::Events(1)).0.lines().last().unwrap().to_owned();
        let dsls = last(Kind::Dsls);
        assert_eq!(dsls.matches('!').count(), 14, "{dsls}");
        assert!(dsls.starts_with("2024/01/01 00:01:00:000 I USGTRACING  Grant!!F"), "{dsls}");
        assert!(
            last(Kind::Rlm).ends_with(" 1 1 0 1 1 3e8 \"\" \"\" \"\" 01/01 00:01:00"),
            "{}",
            last(Kind::Rlm)
        );
        let wrapper = last(Kind::Wrapper);
        assert!(wrapper.starts_with("Jan  1 00:01:00 ws"), "{wrapper}");
        assert!(wrapper.contains(" START 20240101-0001 user"), "{wrapper}");
    }
}

//! Stretches of the week: `Mon-Fri 08:00-19:00`.

use accounting::calendar::{Stretch, WEEKDAYS, all_days};
use jiff::civil::Weekday;

const DAY: u16 = 24 * 60;

/// A weekday by its name, `Mon` or `Monday`, whatever the case.
pub(super) fn weekday(text: &str) -> Result<Weekday, String> {
    const FULL: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
    let text = text.trim();
    let index = WEEKDAYS.iter().chain(&FULL).position(|name| name.eq_ignore_ascii_case(text));
    index
        .map(|index| all_days()[index % 7])
        .ok_or_else(|| format!("`{text}` is no day of the week: write one of {}", WEEKDAYS.join(", ")))
}

/// The stretches of a text: one, or two where it goes on past midnight.
pub(crate) fn stretches(text: &str) -> Result<Vec<Stretch>, String> {
    let shape = |why: &str| {
        format!(
            "`{text}` {why}: write days and times such as \"Mon-Fri 08:00-19:00\", or only times for every day"
        )
    };
    let text = text.trim();
    // Everything before the first digit names the days.
    let Some(first_digit) = text.find(|letter: char| letter.is_ascii_digit()) else {
        return Err(shape("has no times"));
    };
    let (days, times) = text.split_at(first_digit);
    let days = if days.trim().is_empty() { all_days().to_vec() } else { weekdays(days)? };
    let Some((from, until)) = times.split_once(['-', '–']) else { return Err(shape("has no end")) };
    let (from, until) = (minute(from)?, minute(until)?);
    if from == until || from == DAY {
        return Err(format!("`{text}` is no time at all: the whole day is 00:00-24:00"));
    }
    Ok(match until {
        until if from < until => vec![Stretch { days, from_minute: from, until_minute: until }],
        0 => vec![Stretch { days, from_minute: from, until_minute: DAY }],
        until => {
            let next = days.iter().map(|day| day.next()).collect();
            vec![
                Stretch { days, from_minute: from, until_minute: DAY },
                Stretch { days: next, from_minute: 0, until_minute: until },
            ]
        }
    })
}

/// A stretch as it is written: `Mon-Fri 08:00-19:00`, without days where it lies on all of them.
pub(crate) fn written(stretch: &Stretch) -> String {
    let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
    let times = format!("{}-{}", clock(stretch.from_minute), clock(stretch.until_minute));
    match written_days(&stretch.days) {
        days if days.is_empty() => times,
        days => format!("{days} {times}"),
    }
}

/// Days as they are written: `Mon-Wed,Sun`; nothing where they are all there are.
pub(crate) fn written_days(days: &[Weekday]) -> String {
    let there: Vec<bool> = all_days().iter().map(|day| days.contains(day)).collect();
    if there.iter().all(|there| *there) {
        return String::new();
    }
    let mut texts = Vec::new();
    let mut day = 0;
    while day < there.len() {
        let length = there[day..].iter().take_while(|there| **there).count();
        match length {
            0 => {}
            1 => texts.push(WEEKDAYS[day].to_owned()),
            2 => texts.extend([WEEKDAYS[day], WEEKDAYS[day + 1]].map(str::to_owned)),
            _ => texts.push(format!("{}-{}", WEEKDAYS[day], WEEKDAYS[day + length - 1])),
        }
        day += length.max(1);
    }
    texts.join(",")
}

/// The days of `Mon,Wed-Fri`.
fn weekdays(text: &str) -> Result<Vec<Weekday>, String> {
    let mut days = Vec::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (first, last) = part.split_once(['-', '–']).unwrap_or((part, part));
        let last = weekday(last)?;
        let mut day = weekday(first)?;
        loop {
            if !days.contains(&day) {
                days.push(day);
            }
            if day == last {
                break;
            }
            day = day.next();
        }
    }
    Ok(days)
}

/// The minute of the day of `08:00`.
fn minute(text: &str) -> Result<u16, String> {
    let text = text.trim();
    let wrong = || format!("`{text}` is no time of the day: write HH:MM, from 00:00 to 24:00");
    let (hour, minute) = text.split_once(':').ok_or_else(wrong)?;
    let digits = |text: &str, least: usize| {
        let right = (least..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        right.then(|| text.parse::<u16>().ok()).flatten()
    };
    match (digits(hour, 1), digits(minute, 2)) {
        (Some(hour), Some(minute)) if minute < 60 && hour * 60 + minute <= DAY => Ok(hour * 60 + minute),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::stretches;

    /// `Mon,Tue 480-1140` of each stretch.
    fn check(text: &str) -> Vec<String> {
        let stretches = stretches(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let shown = |stretch: accounting::calendar::Stretch| {
            let days = stretch.days.iter().map(|day| day.to_monday_one_offset().to_string());
            format!("{} {}-{}", days.collect::<String>(), stretch.from_minute, stretch.until_minute)
        };
        stretches.into_iter().map(shown).collect()
    }

    #[test]
    fn stretches_have_days_and_times() {
        assert_eq!(check("Mon-Fri 08:00-19:00"), ["12345 480-1140"]);
        assert_eq!(check("08:00-19:00"), ["1234567 480-1140"]);
        assert_eq!(check(" sat,Sunday 00:00 - 24:00 "), ["67 0-1440"]);
        assert_eq!(check("Sat-Mon,Wed 8:30–9:00"), ["6713 510-540"]);
        assert_eq!(check("Tue,Mon-Fri 8:00-9:00"), ["21345 480-540"]);
    }

    #[test]
    fn stretches_past_midnight_go_on_the_day_after() {
        assert_eq!(check("19:00-08:00"), ["1234567 1140-1440", "2345671 0-480"]);
        assert_eq!(check("Sun 22:00-06:00"), ["7 1320-1440", "1 0-360"]);
        assert_eq!(check("Fri 19:00-00:00"), ["5 1140-1440"]);
    }

    #[test]
    fn what_is_written_is_read_again() {
        for text in ["Mon-Fri 08:00-19:00", "08:00-19:00", "Mon-Wed,Sat,Sun 00:00-24:00", "Tue 23:59-24:00"] {
            let read = stretches(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(read.iter().map(super::written).collect::<Vec<_>>(), [text]);
        }
    }

    #[test]
    fn what_is_no_stretch_is_told_why() {
        let error = |text| stretches(text).expect_err(text);
        assert_eq!(
            error("Mox 08:00-19:00"),
            "`Mox` is no day of the week: write one of Mon, Tue, Wed, Thu, Fri, Sat, Sun"
        );
        assert_eq!(error("08:00-25:00"), "`25:00` is no time of the day: write HH:MM, from 00:00 to 24:00");
        assert_eq!(error("8-19"), "`8` is no time of the day: write HH:MM, from 00:00 to 24:00");
        assert_eq!(error("08:00-08:00"), "`08:00-08:00` is no time at all: the whole day is 00:00-24:00");
        assert!(error("Mon-Fri").starts_with("`Mon-Fri` has no times: write days and times such as"));
        assert!(error("Mon 08:00").starts_with("`Mon 08:00` has no end: write"));
    }
}

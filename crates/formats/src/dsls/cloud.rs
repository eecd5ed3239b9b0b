//! The answer of the cloud's console to `GetLogs`: one JSON object with the log's lines, the newest first.

use super::stamp;
use memchr::memmem;
use serde::Deserialize;
use std::borrow::Cow;

/// The line that says in which zone the lines behind it are written.
pub(super) const ZONE: &str = "serverTimeZone: ";

/// An answer that is no log.
#[derive(Debug, thiserror::Error)]
#[error("an answer of a license server's cloud console that cannot be read: {0}")]
pub struct CloudAnswerError(#[from] serde_json::Error);

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    result: Rows<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rows<'a> {
    #[serde(borrow)]
    rows: Vec<Row<'a>>,
    server_time_zone: Option<String>,
}

/// A line; serde borrows it only where it is said so.
#[derive(Deserialize)]
struct Row<'a>(#[serde(borrow)] Cow<'a, str>);

/// Whether the beginning of an input is such an answer.
pub fn is_cloud_answer(head: &[u8]) -> bool {
    let head = crate::text::bare(head).trim_ascii_start();
    head.first() == Some(&b'{')
        && memmem::find(head, b"\"result\"").is_some()
        && memmem::find(head, b"\"rows\"").is_some()
}

/// The answer as the lines of a server log, each with its line ending, in the order in which they were written: of
/// equal times those come first that stand last in the answer. A first line tells the zone where the answer does.
pub fn cloud_answer(answer: &[u8]) -> Result<Vec<u8>, CloudAnswerError> {
    let answer: Answer<'_> = serde_json::from_slice(crate::text::bare(answer))?;
    let Rows { mut rows, server_time_zone } = answer.result;
    let time = |row: &Row<'_>| row.0.get(..stamp::LENGTH).unwrap_or_default().to_owned();
    let newest_first = match (rows.first(), rows.last()) {
        (Some(first), Some(last)) => time(first) >= time(last),
        _ => false,
    };
    if newest_first {
        rows.reverse();
    }
    let mut lines = Vec::new();
    if let Some(zone) = server_time_zone {
        lines.extend_from_slice(ZONE.as_bytes());
        push_line(&mut lines, &zone);
    }
    for row in rows {
        push_line(&mut lines, &row.0);
    }
    Ok(lines)
}

/// A row is one line, whatever it holds.
fn push_line(lines: &mut Vec<u8>, row: &str) {
    lines.extend(row.trim_end().bytes().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { byte }));
    lines.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(answer: &str) -> String {
        assert!(is_cloud_answer(answer.as_bytes()));
        String::from_utf8(cloud_answer(answer.as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn the_newest_line_comes_last_and_equal_times_keep_their_order() {
        let answer = r#"{"result":{"rows":["2025/07/15 02:31:22:000 I ENROLL      c","2025/07/15 02:31:21:836 I ENROLL      b \\ \"x\"",
            "2025/07/15 02:31:21:836 I ENROLL      a"],"firstDate":1,"lastDate":2,"serverTimeZone":"UTC"}}"#;
        assert_eq!(
            lines(answer),
            "serverTimeZone: UTC\n2025/07/15 02:31:21:836 I ENROLL      a\n\
             2025/07/15 02:31:21:836 I ENROLL      b \\ \"x\"\n2025/07/15 02:31:22:000 I ENROLL      c\n"
        );
    }

    #[test]
    fn an_answer_that_is_in_order_stays_so() {
        let answer = "\u{feff}{ \"result\" : {\"firstDate\":1, \"rows\":[\"2025/07/15 02:31:21:836 I a\",\"2025/07/15 02:31:22:000 I b\\nc\"]}}";
        assert_eq!(lines(answer), "2025/07/15 02:31:21:836 I a\n2025/07/15 02:31:22:000 I b c\n");
        assert_eq!(lines(r#"{"result":{"rows":[]}}"#), "");
    }

    #[test]
    fn other_json_is_none() {
        assert!(!is_cloud_answer(br#"{"MESSAGE":"rows"}"#));
        assert!(!is_cloud_answer(br#"["result","rows"]"#));
        assert!(cloud_answer(br#"{"result":{"rows":[1]}}"#).is_err());
        assert!(cloud_answer(br#"{"result":{"rows":["2025/07"#).is_err());
    }
}

//! Files as Python's `configparser` reads them: sections, keys whatever their case, `=` or `:`, lines that go on.

use super::document::Wrong;

/// A key with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    /// The section, as written.
    pub(super) section: String,
    /// The key, in lower case.
    pub(super) key: String,
    /// The value, on one line.
    pub(super) value: String,
}

/// The items of a text, in its order; of a key given twice the last counts.
pub(super) fn items(text: &str) -> Result<Vec<Item>, Wrong> {
    let mut items: Vec<Item> = Vec::new();
    let (mut section, mut at, mut goes_on) = (None::<String>, 0, false);
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            goes_on = goes_on && !trimmed.is_empty();
            continue;
        }
        if goes_on
            && line.starts_with([' ', '\t'])
            && let Some(last) = items.last_mut()
        {
            last.value.push(' ');
            last.value.push_str(trimmed);
            continue;
        }
        goes_on = false;
        if let Some(name) = trimmed.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = Some(name.trim().to_owned());
            continue;
        }
        let Some((key, value)) = trimmed.split_once(['=', ':']) else {
            return Err(Wrong::new(start, "this is neither [a section] nor a key with its value".to_owned()));
        };
        let Some(section) = &section else {
            return Err(Wrong::new(start, "this key stands before any [section]".to_owned()));
        };
        let item = Item {
            section: section.clone(),
            key: key.trim().to_lowercase(),
            // Twice, because one alone begins a placeholder.
            value: value.trim().replace("%%", "%"),
        };
        items.retain(|other| (&other.section, &other.key) != (&item.section, &item.key));
        items.push(item);
        goes_on = true;
    }
    Ok(items)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_another_program_is_read_as_that_one_reads_it() {
        let text = "; a comment\n[ELK]\nURL = http://elk\n  # within\n  /logs\nverify_ssl: No\n\n[Tables]\r\nx=50%% a = b\r\nx = y\n";
        let found: Vec<String> = items(text)
            .expect(text)
            .into_iter()
            .map(|item| format!("{}.{}={}", item.section, item.key, item.value))
            .collect();
        assert_eq!(found, ["ELK.url=http://elk /logs", "ELK.verify_ssl=No", "Tables.x=y"]);
        assert_eq!(items("[a]\nx=50%% a = b").expect("an item")[0].value, "50% a = b");
    }

    #[test]
    fn what_is_no_such_file_is_refused_with_its_line() {
        let line = |text: &str| {
            let wrong = items(text).expect_err(text);
            (wrong.line(text), wrong.message)
        };
        assert_eq!(line("[a]\nb=1\n\nword\n").0, 4);
        assert_eq!(line("\nb=1\n"), (2, "this key stands before any [section]".to_owned()));
    }
}

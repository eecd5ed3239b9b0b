//! The first look at a server log: its first dated line.

use super::stamp::{self, Stamps};
use super::{is_start, without_prompt};
use crate::line::{Survey, Surveyor};
use crate::text::bare;

/// Looks for the first dated line.
#[derive(Debug, Default)]
pub(super) struct Look {
    lines: u64,
    found: Survey,
}

impl Surveyor for Look {
    fn line(&mut self, line: &[u8]) -> bool {
        self.lines += 1;
        let Some(entry) = stamp::cut(without_prompt(bare(line)), &mut Stamps::default()) else { return true };
        self.found = Survey {
            first_day: Some(entry.stamp.day),
            first_second: Some(entry.stamp.milli / 1000),
            first_dated_line: Some(self.lines),
            begins_with_start: is_start(&entry),
            ..Survey::default()
        };
        false
    }

    fn finish(self: Box<Self>) -> Survey {
        self.found
    }
}

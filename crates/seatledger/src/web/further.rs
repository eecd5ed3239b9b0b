//! Where the further rows of a report begin. A page is asked for rows behind others, and the report may have been computed anew
//! since those were shown: the address says which rows they were, so that none is shown twice or left out unnoticed.

use accounting::report::{Cell, Report};
use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::str::FromStr;

/// A place in a report, behind its first rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Further {
    /// How many rows.
    rows: usize,
    /// Which ones: a hash of what they are about and of their order, not of their figures, which go on moving.
    which: u64,
}

impl Further {
    /// The place behind so many rows of a report, or behind all where there are not so many.
    pub(super) fn behind(report: &Report, rows: usize) -> Self {
        let rows = rows.min(report.rows.len());
        let mut hasher = DefaultHasher::new();
        for row in report.rows.iter().take(rows) {
            for (column, cell) in report.columns.iter().zip(row).filter(|(column, _)| !column.number) {
                match cell {
                    Cell::Text(text) => text.hash(&mut hasher),
                    Cell::Instant(at) if column.name == "from" => at.hash(&mut hasher),
                    _ => hasher.write_u8(0),
                }
            }
        }
        Self { rows, which: hasher.finish() }
    }

    /// How many rows are before it in a report; `None` where the report begins with other ones by now.
    pub(super) fn place_in(self, report: &Report) -> Option<usize> {
        (Self::behind(report, self.rows) == self).then_some(self.rows)
    }
}

impl fmt::Display for Further {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{:016x}", self.rows, self.which)
    }
}

impl FromStr for Further {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.split_once('.').and_then(|(rows, which)| {
            Some(Self { rows: rows.parse().ok()?, which: u64::from_str_radix(which, 16).ok()? })
        });
        parts.ok_or("behind: no place in a report; follow a link of the page")
    }
}

#[cfg(test)]
mod tests {
    use super::Further;
    use accounting::report::{Cell, Column, Report};

    /// A report of months and persons, with their minutes.
    fn report(rows: &[(&str, &str, i64)]) -> Report {
        let columns = vec![Column::text("month"), Column::text("person"), Column::number("usage_minutes")];
        let text = |text: &str| if text.is_empty() { Cell::Empty } else { Cell::Text(text.to_owned()) };
        let row = |(month, person, minutes): &(&str, &str, i64)| {
            vec![text(month), text(person), Cell::Int(*minutes)]
        };
        Report { name: "usage", columns, rows: rows.iter().map(row).collect(), notes: Vec::new() }
    }

    #[test]
    fn a_place_is_behind_the_same_rows_whatever_their_figures_are() {
        let before = report(&[("01", "amara", 1), ("01", "bela", 2), ("02", "amara", 3)]);
        let told: Further = Further::behind(&before, 2).to_string().parse().unwrap();
        assert_eq!(told.place_in(&before), Some(2));
        let grown = report(&[("01", "amara", 9), ("01", "bela", 2), ("02", "", 3), ("02", "amara", 3)]);
        assert_eq!(told.place_in(&grown), Some(2), "figures, and rows behind them");
        for other in [
            &[("01", "amara", 1), ("01", "amy", 5), ("01", "bela", 2)][..],
            &[("01", "bela", 2), ("01", "amara", 1), ("02", "amara", 3)],
            &[("01", "amara", 1), ("01", "", 2), ("02", "amara", 3)],
            &[("01", "amarab", 1), ("01", "ela", 2)],
            &[("01", "amara", 1)],
            &[],
        ] {
            assert_eq!(told.place_in(&report(other)), None, "{other:?}");
        }
        assert_eq!(Further::behind(&before, 9), Further::behind(&before, 3));
    }

    #[test]
    fn a_place_that_no_page_told_is_refused() {
        for wrong in ["", "100", "100.", ".1f", "-1.1f", "100.xyz", "100.11112222333344445"] {
            assert!(wrong.parse::<Further>().is_err(), "{wrong}");
        }
    }
}

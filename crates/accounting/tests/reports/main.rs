//! Reports against the worked examples of the domain page and against slow, obvious references.
#![expect(clippy::unwrap_used, reason = "a test may fail")]
#![expect(clippy::needless_raw_string_hashes, reason = "expect-test writes them so")]
#![expect(clippy::format_push_string, reason = "a reference is slow and obvious")]

mod bills;
mod books;
mod curves;
mod edges;
mod groups;
mod morning;
mod packages;
mod random;
mod reference;
mod refused;
mod totals;
mod unused;
mod worked_example;

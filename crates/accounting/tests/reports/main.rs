//! Reports against the worked examples of the domain page and against slow, obvious references.
#![expect(clippy::unwrap_used, reason = "a test may fail")]

mod books;
mod packages;
mod random;
mod reference;
mod worked_example;

//! Reports against the worked examples of the domain page and against slow, obvious references.

mod books;
mod packages;
mod random;
mod reference;
mod worked_example;

//! The compiled program from outside, as people and scripts use it.

mod article;
mod bad_inputs;
mod commands;
mod databases;
mod desk;
mod flexnet;
mod kills;
mod same_books;

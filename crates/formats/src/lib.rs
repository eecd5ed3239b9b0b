//! The vocabulary of others: text in, events out. Pure: no clock, no file, no socket.

pub mod line;

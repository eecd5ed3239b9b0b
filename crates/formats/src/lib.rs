//! The vocabulary of others: text in, events out. Pure: no clock, no file, no socket.

mod answer;
mod civil;
pub mod columns;
mod csv_log;
pub mod dsls;
mod dsls_usage;
pub mod events;
pub mod flexnet;
mod history_db;
mod iso;
pub mod line;
mod lmx;
mod ls_dyna;
mod olicense;
mod registry;
pub mod rlm;
mod separated;
pub mod tables;
mod text;
mod told_zone;
mod wall_clock;
pub mod wrapper;

pub use csv_log::{CsvFile, CsvLog};
pub use registry::{all, detect, named};
pub use told_zone::told_zone;

/// The longest line, in bytes without its ending, that a parser is given: what is longer, the caller cuts here and
/// counts. Parsers take linear time on any length.
pub const MAX_LINE: usize = 1 << 20;

//! `FlexNet` Publisher (formerly `FLEXlm`): the debug log, what lmstat prints, and how to tell a report log.

mod debug_log;
mod lmstat;
pub mod report_log;

pub use debug_log::DebugLog;
pub use lmstat::{Lmstat, csv_log};

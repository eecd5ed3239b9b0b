//! `FlexNet` Publisher (formerly `FLEXlm`): the debug log, and how to tell a report log.

mod debug_log;
pub mod report_log;

pub use debug_log::DebugLog;

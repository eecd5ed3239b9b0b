//! RLM: what the servers of software vendors (ISVs) write about the use of their products.

mod dates;
mod debug_log;
mod denial;
mod isv;
mod report_log;
mod rlmstat;

pub use debug_log::DebugLog;
pub use report_log::ReportLog;
pub use rlmstat::Rlmstat;

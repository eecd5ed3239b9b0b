//! The formats that exist, in one list.

use crate::line::{Fit, Format};

/// Every format, in the order in which `--format-help` lists them.
pub fn all() -> &'static [&'static dyn Format] {
    &[
        &crate::flexnet::DebugLog,
        &crate::flexnet::Lmstat,
        &crate::CsvLog,
        &crate::dsls::ServerLog,
        &crate::dsls_usage::LicenseUsage,
        &crate::history_db::HistoryDb,
        &crate::rlm::ReportLog,
        &crate::rlm::DebugLog,
        &crate::rlm::Rlmstat,
        &crate::lmx::Licstat,
        &crate::ls_dyna::Qrun,
        &crate::olicense::Olixtool,
        &crate::wrapper::Wrapper,
        &crate::events::RunStates,
        &crate::tables::SyslogLine,
        &crate::tables::UsoDiario,
        &crate::tables::UsageTable,
    ]
}

/// The format of a name, as `--format` takes it.
pub fn named(name: &str) -> Option<&'static dyn Format> {
    all().iter().copied().find(|format| format.name() == name)
}

/// The format that the beginning of an input fits best: one that says [`Fit::Yes`], else one that says
/// [`Fit::Maybe`]; of equals the first of the list.
pub fn detect(head: &[u8]) -> Option<&'static dyn Format> {
    let fitting = |wanted| all().iter().copied().find(|format| format.fits(head) == wanted);
    fitting(Fit::Yes).or_else(|| fitting(Fit::Maybe))
}

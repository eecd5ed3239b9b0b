//! What `seatledger check` finds.

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Grade {
    /// As it should be.
    Well,
    /// It works, but somebody should look at it.
    Doubtful,
    /// It does not work.
    Bad,
}

/// Something that was found, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) grade: Grade,
    /// What was found.
    pub(crate) what: String,
    /// What to do; empty where there is nothing to do.
    pub(crate) remedy: String,
}

impl Finding {
    pub(crate) fn well(what: impl Into<String>) -> Self {
        Self { grade: Grade::Well, what: what.into(), remedy: String::new() }
    }

    pub(crate) fn doubtful(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { grade: Grade::Doubtful, what: what.into(), remedy: remedy.into() }
    }

    pub(crate) fn bad(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { grade: Grade::Bad, what: what.into(), remedy: remedy.into() }
    }
}

//! Sources that run as long as the service does: each on a thread of its own, so that none is stopped by another.
//!
//! A [`Source`] is run by the [`Supervisor`], which starts it again when it fails. What it needs of the world around it
//! is at its [`Post`]: a door to the ledger, the signal to stop, the log, and its [`Status`], which others read.

mod checking;
mod claims;
mod connections;
mod finding;
mod hands;
mod post;
mod process;
mod signal;
mod status;
mod supervisor;
#[cfg(test)]
mod tests;

pub(crate) use checking::check;
pub(crate) use finding::{Finding, Grade};
pub(crate) use post::Post;
pub(crate) use status::{About, State, Told};
pub(crate) use supervisor::{Board, Supervisor};

/// Something that is taken in live.
pub(crate) trait Source: Send {
    /// Takes in until [`Post::stopping`]. Each call begins anew, at what the ledger holds: the one before it may have
    /// failed, or panicked, anywhere.
    fn run(&mut self, post: &Post) -> anyhow::Result<()>;

    /// Which processes on the same ledger take in the same where they have the same configuration: one of them does.
    fn reach(&self) -> Reach {
        Reach::All
    }

    /// Tries once whether it could be taken in, and explains what it finds. It writes nothing.
    fn check(&mut self, post: &Post) -> Vec<Finding>;
}

/// What hinders a source, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trouble {
    pub(crate) why: String,
    pub(crate) remedy: String,
}

impl Trouble {
    pub(crate) fn new(why: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { why: why.into(), remedy: remedy.into() }
    }

    /// What an error says; its remedy where somewhere in it is a trouble that names one.
    pub(crate) fn of(error: &anyhow::Error) -> Self {
        match error.downcast_ref::<Self>() {
            Some(trouble) => trouble.clone(),
            None => Self::new(format!("{error:#}"), "it is tried again by itself"),
        }
    }
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}: {}", self.why, self.remedy)
    }
}

impl std::error::Error for Trouble {}

/// Who takes in the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Nobody else.
    Process,
    /// Who runs on the same machine.
    Machine,
    All,
}

/// A source and what people call it.
pub(crate) struct Named {
    pub(crate) about: About,
    pub(crate) source: Box<dyn Source>,
}

impl Named {
    /// By what all processes know it, where one of them takes it in.
    fn claim(&self) -> Option<String> {
        let About { kind, name, .. } = &self.about;
        match self.source.reach() {
            Reach::Process => None,
            Reach::Machine => Some(format!("{kind} {name} on {}", process::host())),
            Reach::All => Some(format!("{kind} {name}")),
        }
    }
}

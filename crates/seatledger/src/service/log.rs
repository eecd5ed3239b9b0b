//! What the service tells those who run it. No names of persons.

use std::io::Write;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// All is well.
    Info,
    /// Something is not as it should be; the service goes on.
    Warn,
    /// Something could not be done.
    Error,
}

/// Tells it, in one line.
pub(crate) fn tell(level: Level, message: &str) {
    let level = match level {
        Level::Info => "INFO",
        Level::Warn => "WARN",
        Level::Error => "ERROR",
    };
    // Nobody can be told that nobody can be told.
    let _ = writeln!(std::io::stderr().lock(), "{level} {}", message.replace(['\n', '\r'], " "));
}

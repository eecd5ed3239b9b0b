//! Where bytes come from. Import of a file and following a live one share everything behind the bytes.

mod answers;
pub(crate) mod collector;
pub(crate) mod configured;
mod follow;
pub(crate) mod forward;
mod handles;
pub(crate) mod import;
pub(crate) mod live;
pub(crate) mod poll;
mod recorded;
pub(crate) mod resume;
mod shape;
pub(crate) mod stream;
mod syslog;

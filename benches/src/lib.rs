//! Benchmark programs: what is compared with what stands in the README.

pub mod flexnet_log;
pub mod flexnet_server;
pub mod other_logs;
pub mod parse_limit;
pub mod random;
pub mod session_rows;
pub mod traffic;

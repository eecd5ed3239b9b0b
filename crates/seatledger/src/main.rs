//! Seatledger: who used which licensed software, when, and for how long.

mod alerts;
mod answers;
mod api;
mod cli;
mod clock;
mod config;
mod demo;
mod gate;
mod keys;
mod oplog;
mod render;
mod secrets;
mod service;
mod sheets;
mod sources;
mod texts;
mod trust;
mod web;
mod wrap;

/// Names and keys are many small texts: measured beside the C library's allocator in docs/performance.md.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    cli::run()
}

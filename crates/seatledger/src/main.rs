//! Seatledger: who used which licensed software, when, and for how long.

mod cli;
mod clock;
mod config;
mod demo;
mod sources;

fn main() -> std::process::ExitCode {
    cli::run()
}

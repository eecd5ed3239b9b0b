//! The compiled program from outside, as people and scripts use it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod alerts;
mod api;
mod article;
mod bad_inputs;
mod calendars;
mod claims;
mod commands;
mod counts;
mod databases;
mod demo;
mod desk;
mod dsls;
mod files;
mod flexnet;
mod following;
mod forwarding;
mod kills;
mod kills_live;
mod listening;
mod load;
mod old_service;
mod outages;
mod pages;
mod pings;
mod polling;
mod privacy;
mod races;
mod rlm;
mod same_books;
mod settings;
mod site_heartbeats;
mod site_sources;
mod snapshots;
mod syslog;
mod wrappers;

//! One binary.

#[cfg_attr(not(test), expect(dead_code, reason = "the demo command, which calls it, is not written yet"))]
mod demo;

fn main() {}

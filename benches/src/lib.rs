//! Benchmark programs: what is compared with what stands in the README.

//! Pseudo-random numbers that are the same everywhere: splitmix64 (Steele, Lea, Flood 2014).

#[derive(Debug, Clone)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        let mut random = Self(seed);
        Self(random.bits()) // neighbouring seeds give unrelated sequences
    }

    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from `from` up to, but not including, `until`.
    pub(super) fn between(&mut self, from: i64, until: i64) -> i64 {
        from + ((u128::from(self.bits()) * (until - from) as u128) >> 64) as i64
    }

    /// True in `percent` of 100 cases.
    pub(super) fn percent(&mut self, percent: i64) -> bool {
        self.between(0, 100) < percent
    }

    /// A length between 2^`from` and 2^`until`, every doubling equally likely.
    pub(super) fn octaves(&mut self, from: i64, until: i64) -> i64 {
        let octave = self.between(from, until);
        (1 << octave) + self.between(0, 1 << octave)
    }

    pub(super) fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.between(0, all.len() as i64) as usize]
    }
}

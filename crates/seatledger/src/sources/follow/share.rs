//! Whether a path leads to a network share: there it means the same to other machines.

use std::path::Path;

/// The numbers by which Linux tells file systems that several machines have in common: NFS, SMB (three of them), AFS, Ceph,
/// Lustre, three of clusters, 9P, and FUSE, behind which mostly is one.
const SHARED: [u64; 12] = [
    0x6969,
    0x517b,
    0xff53_4d42,
    0xfe53_4d42,
    0x5346_414f,
    0x00c3_6400,
    0x0bd0_0bd0,
    0x4750_4653,
    0x1983_0326,
    0x7461_636f,
    0x0102_1997,
    0x6573_5546,
];

/// Whether a path, or the nearest directory of it that there is, lies on a network share.
pub(super) fn holds(path: &Path) -> bool {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let found = path.ancestors().find_map(|path| rustix::fs::statfs(path).ok());
    // What is not a number of 32 bits is none of these.
    found.is_some_and(|of| SHARED.contains(&(of.f_type as u64 & 0xffff_ffff)))
}

#[cfg(test)]
mod tests {
    use super::holds;

    #[test]
    fn what_is_here_is_on_no_share_also_where_it_is_not_there_yet() {
        let place = tempfile::tempdir().expect("a place");
        assert!(!holds(place.path()));
        assert!(!holds(&place.path().join("logs/that/come/later.log")));
    }
}

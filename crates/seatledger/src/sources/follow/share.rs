//! On what kind of file system a path lies: on a network share it means the same to other machines, and what they write is
//! not noticed.

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

/// Those that tell of nearly everything that is written there: ext2 to ext4, XFS, Btrfs, F2FS, ZFS and tmpfs. What lies above
/// others, as overlayfs does, is silent about more.
const TELLING: [u64; 6] = [0xef53, 0x5846_5342, 0x9123_683e, 0xf2f5_2010, 0x2fc1_2fc1, 0x0102_1994];

/// Whether a path, or the nearest directory of it that there is, lies on a network share.
pub(super) fn holds(path: &Path) -> bool {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let found = path.ancestors().find_map(file_system);
    found.is_some_and(|of| SHARED.contains(&of))
}

/// Whether a directory lies where notices of changes miss hardly anything.
pub(super) fn tells_changes(directory: &Path) -> bool {
    file_system(directory).is_some_and(|of| TELLING.contains(&of))
}

/// What file system there is at a path; what is not a number of 32 bits is none that is known here.
fn file_system(path: &Path) -> Option<u64> {
    rustix::fs::statfs(path).ok().map(|of| of.f_type as u64 & 0xffff_ffff)
}

#[cfg(test)]
mod tests {
    use super::{holds, tells_changes};
    use std::path::Path;

    #[test]
    fn what_is_here_is_on_no_share_also_where_it_is_not_there_yet() {
        let place = tempfile::tempdir().expect("a place");
        assert!(!holds(place.path()));
        assert!(!holds(&place.path().join("logs/that/come/later.log")));
        assert!(!tells_changes(Path::new("/proc")), "nothing of it is noticed");
    }
}

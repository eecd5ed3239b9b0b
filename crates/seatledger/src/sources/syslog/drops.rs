//! What the kernel dropped because nobody fetched it in time, as `/proc/net/udp` tells.

use std::net::UdpSocket;
use std::os::unix::fs::MetadataExt as _;

/// How many datagrams a socket has lost since it was opened; none where the system does not tell.
pub(super) fn of_socket(socket: &UdpSocket) -> Option<u64> {
    use std::os::fd::AsRawFd as _;
    let inode = std::fs::metadata(format!("/proc/self/fd/{}", socket.as_raw_fd())).ok()?.ino();
    let table = if socket.local_addr().ok()?.is_ipv4() { "/proc/net/udp" } else { "/proc/net/udp6" };
    of_table(&std::fs::read_to_string(table).ok()?, inode)
}

/// The drops of a socket: the last column of the row whose tenth is its inode.
fn of_table(table: &str, inode: u64) -> Option<u64> {
    let inode = inode.to_string();
    table.lines().skip(1).find_map(|row| {
        let columns: Vec<&str> = row.split_whitespace().collect();
        (columns.get(9) == Some(&inode.as_str())).then(|| columns.last()?.parse().ok())?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_row_of_the_socket_tells() {
        let table = "\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
 2221: 0100007F:158A 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 41 2 0000000000000000 7
 2222: 0100007F:158A 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 42 2 0000000000000000 1250";
        assert_eq!([41, 42, 43].map(|inode| of_table(table, inode)), [Some(7), Some(1250), None]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_socket_that_nobody_reads_loses() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        assert_eq!(of_socket(&socket), Some(0));
        let to = socket.local_addr().unwrap();
        let from = UdpSocket::bind("127.0.0.1:0").unwrap();
        let full = vec![0_u8; 60_000];
        for _ in 0..2_000 {
            from.send_to(&full, to).unwrap();
        }
        let lost = of_socket(&socket).unwrap();
        assert!(lost > 0 && lost < 2_000, "{lost}");
    }
}

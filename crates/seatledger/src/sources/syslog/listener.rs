//! The sockets: each has a thread that fetches what arrives and does nothing else.

use super::frame::{Frames, LONGEST};
use super::{LOOK, drops};
use crate::clock;
use crate::config::Listen;
use crate::sources::live::{Post, Trouble};
use accounting::UnixMs;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::sockopt::{
    set_socket_recv_buffer_size, set_socket_recv_buffer_size_force, socket_recv_buffer_size,
};
use std::io::{self, Read as _};
use std::net::{IpAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::SyncSender;
use std::time::Duration;

/// How much of a burst the kernel shall keep, in bytes: some 50 000 datagrams of a record each.
const BUFFER: usize = 64 << 20;
/// How many connections there are at once; who comes then is turned away.
const CONNECTIONS: usize = 512;
/// A connection over which nothing came for so long is closed.
const QUIET: Duration = Duration::from_hours(2);

/// A message, the address that sent it, and when it came.
#[derive(Debug)]
pub(super) struct Arrived {
    pub(super) message: Vec<u8>,
    pub(super) from: String,
    pub(super) at: UnixMs,
}

/// An address that is listened on.
pub(super) struct Door {
    socket: Socket,
    /// What the kernel has dropped, as it was told last.
    dropped: AtomicU64,
}

enum Socket {
    Udp(UdpSocket),
    Tcp(TcpListener),
}

impl Door {
    pub(super) fn open(listen: &Listen) -> Result<Self, Trouble> {
        let opened = match listen {
            Listen::Udp(address) => udp(address).map(Socket::Udp),
            Listen::Tcp(address) => TcpListener::bind(address).map(Socket::Tcp),
        };
        let socket = opened.map_err(|error| {
            let remedy = match error.kind() {
                io::ErrorKind::AddrInUse => "another program listens there: stop it, or choose another port",
                io::ErrorKind::PermissionDenied => {
                    "choose a port above 1023, or give the service CAP_NET_BIND_SERVICE"
                }
                _ => "look at the address: it must be one of this machine",
            };
            Trouble::new(format!("{listen} cannot be listened on: {error}"), remedy)
        })?;
        Ok(Self { socket, dropped: AtomicU64::new(0) })
    }

    /// How large its buffer should be, and is, where it is much smaller.
    pub(super) fn small_buffer(&self) -> Option<(usize, usize)> {
        let Socket::Udp(socket) = &self.socket else { return None };
        let got = socket_recv_buffer_size(socket).unwrap_or(0);
        (got < BUFFER).then_some((BUFFER, got))
    }

    /// How many messages the kernel has dropped since this was asked last.
    pub(super) fn newly_dropped(&self) -> u64 {
        let Socket::Udp(socket) = &self.socket else { return 0 };
        let now = drops::of_socket(socket).unwrap_or(0);
        now.saturating_sub(self.dropped.swap(now, Ordering::Relaxed))
    }

    /// Fetches until the service stops, or nobody takes what is fetched.
    pub(super) fn run(&self, post: &Post, to: &SyncSender<Arrived>) {
        match &self.socket {
            Socket::Udp(socket) => fetch(socket, post, to),
            Socket::Tcp(listener) => accept(listener, post, to),
        }
    }
}

fn udp(address: &str) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind(address)?;
    // Beyond the limit of the system only who may administrate the network; else as much as there is.
    if set_socket_recv_buffer_size_force(&socket, BUFFER).is_err() {
        let _ = set_socket_recv_buffer_size(&socket, BUFFER);
    }
    socket.set_read_timeout(Some(LOOK))?;
    Ok(socket)
}

fn fetch(socket: &UdpSocket, post: &Post, to: &SyncSender<Arrived>) {
    let mut buffer = vec![0; LONGEST];
    while !post.stopping() {
        match socket.recv_from(&mut buffer) {
            Ok((length, from)) => {
                if !send(&buffer[..length], from.ip(), to) {
                    return;
                }
            }
            Err(error) if is_a_pause(&error) => {}
            // An answer to something else that went wrong on the way; the socket is as good as before.
            Err(_) => {
                if !post.pause(LOOK) {
                    return;
                }
            }
        }
    }
}

fn is_a_pause(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted)
}

/// Hands a message on, as one line; false where nobody takes it.
fn send(message: &[u8], from: IpAddr, to: &SyncSender<Arrived>) -> bool {
    let end = message.iter().rposition(|byte| !matches!(byte, b'\n' | b'\r' | 0)).map_or(0, |last| last + 1);
    let mut message = message[..end].to_vec();
    if message.is_empty() {
        return true;
    }
    message.iter_mut().filter(|byte| matches!(byte, b'\n' | b'\r' | 0)).for_each(|byte| *byte = b' ');
    to.send(Arrived { message, from: from.to_canonical().to_string(), at: clock::now() }).is_ok()
}

fn accept(listener: &TcpListener, post: &Post, to: &SyncSender<Arrived>) {
    let open = AtomicUsize::new(0);
    let timeout = Timespec { tv_sec: 0, tv_nsec: LOOK.subsec_nanos().into() };
    std::thread::scope(|scope| {
        while !post.stopping() {
            let mut ready = [PollFd::new(listener, PollFlags::IN)];
            if !matches!(poll(&mut ready, Some(&timeout)), Ok(1..)) {
                continue;
            }
            let Ok((connection, from)) = listener.accept() else {
                // Too many files, perhaps: others may be closed by then.
                if post.pause(LOOK) {
                    continue;
                }
                return;
            };
            if open.fetch_add(1, Ordering::Relaxed) >= CONNECTIONS {
                open.fetch_sub(1, Ordering::Relaxed);
                continue;
            }
            let open = &open;
            let reading =
                std::thread::Builder::new().name("syslog-tcp".to_owned()).spawn_scoped(scope, move || {
                    read(connection, from.ip(), post, to);
                    open.fetch_sub(1, Ordering::Relaxed);
                });
            if reading.is_err() {
                open.fetch_sub(1, Ordering::Relaxed);
            }
        }
    });
}

/// Reads a connection to its end. What it sent stays with it where the service stops: the sender sends it again.
fn read(mut connection: TcpStream, from: IpAddr, post: &Post, to: &SyncSender<Arrived>) {
    if connection.set_nonblocking(false).and_then(|()| connection.set_read_timeout(Some(LOOK))).is_err() {
        return;
    }
    let mut frames = Frames::default();
    let mut buffer = vec![0; LONGEST];
    let (mut heard, mut goes_on) = (std::time::Instant::now(), true);
    while goes_on && !post.stopping() && heard.elapsed() < QUIET {
        match connection.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => {
                heard = std::time::Instant::now();
                frames.take(&buffer[..length], &mut |message| goes_on &= send(message, from, to));
            }
            Err(error) if is_a_pause(&error) => {}
            Err(_) => break,
        }
    }
    frames.end(&mut |message| {
        send(message, from, to);
    });
}

//! The sockets on which the service listens.

use super::connection::Connections;
use super::{App, tls};
use crate::config::TlsConfig;
use anyhow::Context;
use axum::Router;
use listenfd::ListenFd;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// Where the service listens if nobody says where.
const DEFAULT: &str = "127.0.0.1:8088";
/// The pause after a connection could not be accepted: mostly there are too many open files.
const PAUSE: Duration = Duration::from_millis(100);

/// Where to listen: the option, else `PORT` with the configuration's address, else the configuration's.
pub(crate) fn address(
    option: Option<&str>,
    port: Option<&str>,
    configured: Option<&str>,
) -> Result<String, String> {
    let wrong =
        |text: &str| format!("`{text}` is no address to listen on: write ADDRESS:PORT, such as {DEFAULT}");
    if let Some(text) = option {
        let port = text.rsplit_once(':').map_or(text, |(_, port)| port);
        port.parse::<u16>().map_err(|_| wrong(text))?;
        return Ok(match text.rsplit_once(':') {
            None => format!("127.0.0.1:{text}"),
            Some(("", port)) => format!("0.0.0.0:{port}"),
            Some(_) => text.to_owned(),
        });
    }
    let configured = configured.unwrap_or(DEFAULT);
    let Some(port) = port.filter(|port| !port.is_empty()) else { return Ok(configured.to_owned()) };
    port.parse::<u16>().map_err(|_| format!("PORT={port} is no port: write a number from 0 to 65535"))?;
    let (host, _) = configured.rsplit_once(':').unwrap_or((configured, ""));
    Ok(format!("{host}:{port}"))
}

/// What is listened on.
pub(crate) struct Door {
    listeners: Vec<TcpListener>,
    acceptor: Option<TlsAcceptor>,
    max_connections: usize,
}

impl Door {
    /// Opens the sockets: those that systemd hands over, else one at the address.
    pub(crate) fn open(
        address: &str,
        tls: Option<&TlsConfig>,
        max_connections: usize,
    ) -> anyhow::Result<Self> {
        let acceptor = tls.map(tls::acceptor).transpose()?;
        let mut sockets = handed_over()?;
        if sockets.is_empty() {
            let bound = std::net::TcpListener::bind(&resolved(address)?[..]);
            sockets.push(bound.with_context(|| {
                format!("cannot listen on {address}: choose another with --listen, PORT or [http] listen")
            })?);
        }
        let listener = |socket: std::net::TcpListener| {
            socket.set_nonblocking(true)?;
            TcpListener::from_std(socket)
        };
        let listeners = sockets.into_iter().map(listener).collect::<Result<_, _>>()?;
        Ok(Self { listeners, acceptor, max_connections })
    }

    /// The addresses, for people.
    pub(crate) fn addresses(&self) -> Vec<String> {
        let scheme = if self.acceptor.is_some() { "https" } else { "http" };
        self.local().map(|address| format!("{scheme}://{address}")).collect()
    }

    /// Whether only this machine can reach it.
    pub(crate) fn is_local(&self) -> bool {
        self.local().all(|address| address.ip().to_canonical().is_loopback())
    }

    fn local(&self) -> impl Iterator<Item = SocketAddr> {
        self.listeners.iter().filter_map(|listener| listener.local_addr().ok())
    }

    /// Accepts connections until it is told to stop; what comes back is done when the last of them has ended.
    pub(crate) fn serve(
        self,
        app: Arc<App>,
        router: Router,
        stopping: &watch::Receiver<bool>,
    ) -> JoinHandle<()> {
        let places = Arc::new(Semaphore::new(self.max_connections));
        let connections = Connections::new(app, router, self.acceptor, stopping.clone());
        let accepting: Vec<JoinHandle<()>> = self
            .listeners
            .into_iter()
            .map(|listener| {
                let (connections, places) = (connections.clone(), Arc::clone(&places));
                tokio::spawn(accept(listener, connections, places, stopping.clone()))
            })
            .collect();
        tokio::spawn(async move {
            for listener in accepting {
                let _ = listener.await;
            }
            let _ = places.acquire_many(self.max_connections as u32).await;
        })
    }
}

/// Accepts until it is told to stop, and then what has come in by then.
async fn accept(
    listener: TcpListener,
    connections: Connections,
    places: Arc<Semaphore>,
    mut stopping: watch::Receiver<bool>,
) {
    let mut is_short = false;
    loop {
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await.ok();
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            biased;
            _ = stopping.wait_for(|stop| *stop) => break,
            next = next => next,
        };
        match (place, accepted) {
            (Some(place), Ok((stream, peer))) => {
                is_short = false;
                begin(&connections, stream, peer, place);
            }
            (_, Err(error)) => {
                if !std::mem::replace(&mut is_short, true) {
                    connections.log().warn("a connection could not be accepted", &[("error", &error)]);
                }
                tokio::time::sleep(PAUSE).await;
            }
            (None, _) => break,
        }
    }
    while let (Ok(place), Ok(Ok((stream, peer)))) = (
        Arc::clone(&places).try_acquire_owned(),
        tokio::time::timeout(Duration::ZERO, listener.accept()).await,
    ) {
        begin(&connections, stream, peer, place);
    }
}

fn begin(connections: &Connections, stream: TcpStream, peer: SocketAddr, place: OwnedSemaphorePermit) {
    let connections = connections.clone();
    tokio::spawn(async move {
        connections.serve(stream, peer.ip()).await;
        drop(place);
    });
}

fn resolved(address: &str) -> anyhow::Result<Vec<SocketAddr>> {
    let addresses =
        address.to_socket_addrs().with_context(|| format!("cannot find the address {address}"))?;
    Ok(addresses.collect())
}

/// The sockets that systemd opened for us.
fn handed_over() -> anyhow::Result<Vec<std::net::TcpListener>> {
    let mut handed = ListenFd::from_env();
    let mut sockets = Vec::new();
    for nth in 0..handed.len() {
        let socket = handed.take_tcp_listener(nth).context("systemd handed over what is no TCP socket")?;
        sockets.extend(socket);
    }
    Ok(sockets)
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn the_option_wins_over_port_and_that_over_the_configuration() {
        let cases = [
            (None, None, None, "127.0.0.1:8088"),
            (None, None, Some("0.0.0.0:80"), "0.0.0.0:80"),
            (None, Some("90"), Some("[::1]:80"), "[::1]:90"),
            (None, Some("90"), None, "127.0.0.1:90"),
            (None, Some(""), None, "127.0.0.1:8088"),
            (Some("10.0.0.1:70"), Some("90"), Some("0.0.0.0:80"), "10.0.0.1:70"),
            (Some("70"), None, None, "127.0.0.1:70"),
            (Some(":70"), None, None, "0.0.0.0:70"),
        ];
        for (option, port, configured, expected) in cases {
            assert_eq!(address(option, port, configured).as_deref(), Ok(expected));
        }
        assert!(address(Some("localhost"), None, None).is_err());
        assert!(address(None, Some("http"), None).is_err());
    }
}

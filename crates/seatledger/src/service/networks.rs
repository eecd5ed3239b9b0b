//! Where a request comes from, and whether a ping from there is taken.

use hyper::HeaderMap;
use ipnet::IpNet;
use rustc_hash::FxHashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

/// The networks of the configuration.
#[derive(Debug)]
pub(crate) struct Networks {
    trusted_proxies: Vec<IpNet>,
    of_pings: Vec<IpNet>,
}

impl Networks {
    /// Proxies whose word is taken, and networks from where pings are: all where there is none.
    pub(crate) fn new(trusted_proxies: Vec<IpNet>, of_pings: Vec<IpNet>) -> Self {
        Self { trusted_proxies, of_pings }
    }

    /// The address of the client: the peer's, or what trusted proxies say that it is.
    pub(crate) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        if self.trusted_proxies.is_empty() {
            return client;
        }
        let hops = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
        let hops: Vec<&str> = hops.flat_map(|value| value.split(',')).collect();
        for hop in hops.iter().rev() {
            if !holds(&self.trusted_proxies, client) {
                break;
            }
            let Ok(before) = hop.trim().parse::<IpAddr>() else { break };
            client = before.to_canonical();
        }
        client
    }

    /// Whether pings of a client are taken.
    pub(crate) fn may_ping(&self, client: IpAddr) -> bool {
        self.of_pings.is_empty() || holds(&self.of_pings, client)
    }
}

fn holds(networks: &[IpNet], address: IpAddr) -> bool {
    networks.iter().any(|network| network.contains(&address))
}

/// How many addresses are counted; who comes when there are so many is let through.
const MOST_ADDRESSES: usize = 100_000;

/// At most so many pings of an address in a minute.
#[derive(Debug)]
pub(crate) struct Rate {
    most: u32,
    minute: Mutex<Minute>,
}

#[derive(Debug, Default)]
struct Minute {
    nth: i64,
    pings: FxHashMap<IpAddr, u32>,
}

impl Rate {
    /// At most so many.
    pub(crate) fn new(most: u32) -> Self {
        Self { most, minute: Mutex::default() }
    }

    /// Counts a ping; whether it is within the limit.
    pub(crate) fn admits(&self, client: IpAddr, now: accounting::UnixMs) -> bool {
        let mut minute = self.minute.lock().unwrap_or_else(PoisonError::into_inner);
        let nth = now.div_euclid(60_000);
        if minute.nth != nth {
            *minute = Minute { nth, pings: FxHashMap::default() };
        }
        if minute.pings.len() >= MOST_ADDRESSES && !minute.pings.contains_key(&client) {
            return true;
        }
        let pings = minute.pings.entry(client).or_default();
        *pings = pings.saturating_add(1);
        *pings <= self.most
    }
}

#[cfg(test)]
mod tests {
    use super::{Networks, Rate};
    use hyper::HeaderMap;

    fn client(trusted: &[&str], peer: &str, forwarded: &[&'static str]) -> String {
        let trusted = trusted.iter().map(|network| network.parse().unwrap()).collect();
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        Networks::new(trusted, Vec::new()).client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn only_trusted_proxies_say_who_the_client_is() {
        let trusted = ["10.0.0.0/24"];
        assert_eq!(client(&[], "10.0.0.1", &["192.0.2.1"]), "10.0.0.1");
        assert_eq!(client(&trusted, "192.0.2.9", &["192.0.2.1"]), "192.0.2.9");
        assert_eq!(client(&trusted, "10.0.0.1", &["192.0.2.1"]), "192.0.2.1");
        assert_eq!(client(&trusted, "::ffff:10.0.0.1", &["192.0.2.1"]), "192.0.2.1");
        // What the client itself claims stands before what the proxy says.
        assert_eq!(client(&trusted, "10.0.0.1", &["127.0.0.1, 192.0.2.1", "10.0.0.2"]), "192.0.2.1");
        assert_eq!(client(&trusted, "10.0.0.1", &["nonsense"]), "10.0.0.1");
        assert_eq!(client(&trusted, "10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn pings_are_taken_from_the_networks_that_are_named() {
        let networks = Networks::new(Vec::new(), vec!["10.1.0.0/16".parse().unwrap()]);
        assert!(networks.may_ping("10.1.2.3".parse().unwrap()));
        assert!(!networks.may_ping("10.2.2.3".parse().unwrap()));
        assert!(!networks.may_ping("::1".parse().unwrap()));
    }

    #[test]
    fn an_address_has_so_many_pings_a_minute() {
        let rate = Rate::new(2);
        let (one, other) = ("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap());
        assert!(rate.admits(one, 0) && rate.admits(one, 59_999) && !rate.admits(one, 59_999));
        assert!(rate.admits(other, 59_999) && rate.admits(one, 60_000));
    }
}

//! The license server's name, as far as the lines have told it.

use crate::text::{number, text, trim, word};
use memchr::memmem;
use serde::{Deserialize, Serialize};

/// The parts of `PORT@HOST`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Server {
    host: Option<String>,
    port: Option<u32>,
    /// Whether the host is the one that lmgrd printed.
    by_lmgrd: bool,
    announced: Option<String>,
}

/// The longest host name that is believed.
const HOST: usize = 255;

impl Server {
    /// Takes a line of lmgrd; the name, where it is new.
    pub(super) fn lmgrd(&mut self, message: &[u8]) -> Option<String> {
        if let Some(port) = message.strip_prefix(b"lmgrd tcp-port ") {
            self.port = number(trim(port)).filter(|port| (1..65_536).contains(port)).or(self.port);
        } else {
            let host = started_on(message)?;
            if self.host.as_deref() != Some(&host) {
                self.port = None;
                self.host = Some(host);
            }
            self.by_lmgrd = true;
        }
        self.announce()
    }

    /// Takes a vendor daemon's `Server started on HOST for:`; the name, where it is new.
    pub(super) fn vendor(&mut self, message: &[u8]) -> Option<String> {
        let host = host(message.strip_prefix(b"Server started on ")?)?;
        if self.by_lmgrd {
            return None;
        }
        self.host = Some(host);
        self.announce()
    }

    /// The name, as far as it is known.
    pub(super) fn name(&self) -> Option<String> {
        let host = self.host.as_deref()?;
        Some(self.port.map_or_else(|| host.to_owned(), |port| format!("{port}@{host}")))
    }

    /// Whether nothing more can be learnt.
    pub(super) fn is_complete(&self) -> bool {
        self.by_lmgrd && self.port.is_some()
    }

    fn announce(&mut self) -> Option<String> {
        let name = self.name()?;
        if self.announced.as_ref() == Some(&name) {
            return None;
        }
        self.announced = Some(name.clone());
        Some(name)
    }
}

/// The host of `FlexNet Licensing (v11.19 build 1 x64) started on lic1 (linux) (9/1/2025)`.
fn started_on(message: &[u8]) -> Option<String> {
    const ON: &[u8] = b" started on ";
    if !is_banner_name(message) {
        return None;
    }
    host(&message[memmem::find(message, ON)? + ON.len()..])
}

/// Whether lmgrd says here what it is and where it runs.
pub(super) fn is_started_on(message: &[u8]) -> bool {
    started_on(message).is_some()
}

fn is_banner_name(message: &[u8]) -> bool {
    let names: [&[u8]; 3] = [b"FlexNet ", b"FLEXnet ", b"FLEXlm "];
    names.iter().any(|name| message.starts_with(name))
}

fn host(rest: &[u8]) -> Option<String> {
    let (host, _) = word(rest);
    (!host.is_empty() && host.len() <= HOST).then(|| text(host).into_owned())
}

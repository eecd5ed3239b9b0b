//! The address of a PostgreSQL database: what the driver takes of it, and how the connection is secured.

use crate::Error;
use percent_encoding::percent_decode_str;
use postgres::config::SslMode;
use postgres::{Client, Config, NoTls};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio_postgres_rustls::MakeRustlsConnect;

/// How long a server may take to answer, where the address does not say (`connect_timeout`).
const PATIENCE: Duration = Duration::from_secs(10);
/// What the driver does not know of an address's parameters.
const OURS: [&str; 2] = ["sslmode", "sslrootcert"];

/// An address, taken apart.
pub(crate) struct Address {
    /// What the driver takes.
    pub(crate) config: Config,
    /// Whose certificates are trusted, where the connection is encrypted.
    authorities: Option<PathBuf>,
}

impl Address {
    /// Takes a URL apart. `sslmode` says whether the connection is encrypted; where it
    /// is, the server's certificate and name are always checked, against the authorities of `sslrootcert`.
    pub(crate) fn of(url: &str) -> Result<Self, Error> {
        let (address, parameters) = url.split_once('?').unwrap_or((url, ""));
        let (ours, theirs): (Vec<&str>, Vec<&str>) = parameters
            .split('&')
            .filter(|pair| !pair.is_empty())
            .partition(|pair| pair.split_once('=').is_some_and(|(name, _)| OURS.contains(&name)));
        let get = |name: &str| {
            let value = ours.iter().filter_map(|pair| pair.split_once('=')).find(|(of, _)| *of == name)?.1;
            Some(percent_decode_str(value).decode_utf8_lossy().into_owned())
        };
        let mut config: Config = match theirs.is_empty() {
            true => address.parse()?,
            false => format!("{address}?{}", theirs.join("&")).parse()?,
        };
        config.application_name("seatledger");
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(PATIENCE);
        }
        let is_encrypted = match get("sslmode").as_deref() {
            None | Some("disable") => false,
            Some(mode @ ("allow" | "prefer")) => {
                return Err(Error::Insecure(format!(
                    "sslmode={mode} leaves it to the server whether what is sent can be read on the way: write \
                     sslmode=verify-full&sslrootcert=FILE, or sslmode=disable"
                )));
            }
            Some("require" | "verify-ca" | "verify-full") => true,
            Some(mode) => {
                return Err(Error::Insecure(format!(
                    "sslmode={mode} is none of disable, require, verify-ca, verify-full"
                )));
            }
        };
        config.ssl_mode(if is_encrypted { SslMode::Require } else { SslMode::Disable });
        let authorities = get("sslrootcert").filter(|_| is_encrypted).map(PathBuf::from);
        if is_encrypted && authorities.is_none() {
            return Err(Error::Insecure(
                "an encrypted connection needs to know whom to trust: add &sslrootcert=FILE with the certificate of the \
                 authority (for public ones the system's, such as /etc/ssl/certs/ca-certificates.crt)"
                    .to_owned(),
            ));
        }
        Ok(Self { config, authorities })
    }

    /// Connects.
    pub(super) fn connect(&self) -> Result<Client, Error> {
        let connected = match &self.authorities {
            Some(file) => self.config.connect(MakeRustlsConnect::new(trusting(file)?)),
            None => self.config.connect(NoTls),
        };
        connected.map_err(|error| match Error::from(error) {
            Error::Gone(text) => Error::Unreachable(text),
            other => other,
        })
    }
}

/// What encrypts connections to servers whose certificates the authorities of a file have signed.
fn trusting(file: &Path) -> Result<ClientConfig, Error> {
    let wrong =
        |error: &dyn std::fmt::Display| Error::Insecure(format!("sslrootcert={}: {error}", file.display()));
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).map_err(|error| wrong(&error))? {
        roots.add(certificate.map_err(|error| wrong(&error))?).map_err(|error| wrong(&error))?;
    }
    if roots.is_empty() {
        return Err(wrong(&"no certificate is in it (PEM)"));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Ok(builder.map_err(|error| wrong(&error))?.with_root_certificates(roots).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::Address;
    use postgres::config::SslMode;

    fn wrong(url: &str) -> String {
        Address::of(url).err().unwrap().to_string()
    }

    #[test]
    fn an_address_says_how_the_connection_is_secured() {
        let of = |url: &str| Address::of(url).map_err(|error| error.to_string()).unwrap();
        let plain = of("postgres://me@books/ledger?options=-csearch_path%3Dx");
        assert_eq!((plain.config.get_ssl_mode(), &plain.authorities), (SslMode::Disable, &None));
        assert_eq!(plain.config.get_options(), Some("-csearch_path=x"));
        let secured =
            of("postgres://me@books/ledger?sslmode=verify-full&connect_timeout=3&sslrootcert=/a%20b/ca.pem");
        assert_eq!(secured.config.get_ssl_mode(), SslMode::Require);
        assert_eq!(secured.authorities.as_deref(), Some(std::path::Path::new("/a b/ca.pem")));
        assert_eq!(secured.config.get_connect_timeout().map(std::time::Duration::as_secs), Some(3));
        assert_eq!(secured.config.get_dbname(), Some("ledger"));
    }

    #[test]
    fn what_would_not_be_safe_is_refused() {
        assert!(wrong("postgres://books/ledger?sslmode=require").contains("add &sslrootcert=FILE"));
        assert!(wrong("postgres://books/ledger?sslmode=on").contains("verify-full"));
        assert!(wrong("postgres://books/ledger?sslmode=prefer").contains("sslmode=disable"));
        let nowhere =
            Address::of("postgres://books/ledger?sslmode=require&sslrootcert=/nowhere.pem").unwrap();
        let error = nowhere.connect().err().unwrap().to_string();
        assert!(error.contains("sslrootcert=/nowhere.pem"), "{error}");
    }
}

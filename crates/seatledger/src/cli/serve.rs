//! `seatledger serve`

use super::{Done, Global, default_zone, warn, wrong_usage};
use crate::alerts::Ways;
use crate::config::Config;
use crate::service::{self, Settings};
use crate::sources::configured::{Servers, sources};
use crate::sources::forward;
use crate::{keys, oplog, secrets};
use clap::Args;
use store::Store;
use store::forward::Forwarding;

/// Take heartbeats over HTTP (`/ping`) and follow sources until SIGTERM or SIGINT; any number of processes may serve one database
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  seatledger serve                            on 127.0.0.1:8088, into ./seatledger.db
  seatledger serve --listen 0.0.0.0:8088      for all of the network
  PORT=9000 seatledger serve --db postgres://seatledger@db/seatledger
  curl -i 'http://127.0.0.1:8088/ping?username=ann&domainname=corp&appcode=1&version=24.1'
  curl http://127.0.0.1:8088/health

[http], [login.openid], [heartbeats], [[source]] and [forward] of seatledger.toml say the rest: docs/service.md,
docs/openid.md, docs/sources.md.")]
pub(crate) struct Serve {
    /// Where to listen; wins over PORT, that over the configuration's [http] listen [default: 127.0.0.1:8088]
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
}

impl Serve {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<Done> {
        let configured = global.config()?;
        let port = std::env::var("PORT").ok();
        let listen =
            service::address(self.listen.as_deref(), port.as_deref(), configured.http.listen.as_deref())
                .map_err(wrong_usage)?;
        let (mut store, config) = global.create()?;
        let (zone, calendar_file) = (store.calendar()?.zone().clone(), config.calendar_file());
        let log = oplog::Settings::of(&config, &global.place(&config)?);
        set_forwarding(&mut store, &config)?;
        let sources = sources(&config, &Servers::of(&config, default_zone(&config)));
        let alerts = Ways::new(config.alerts, keys::privacy(&config.privacy)?);
        service::run(Settings {
            store,
            sources,
            zone,
            calendar_file,
            listen,
            http: config.http,
            openid: config.openid,
            heartbeats: config.heartbeats,
            retention: config.privacy.retention,
            alerts,
            log,
        })?;
        Ok(Done::Well)
    }
}

/// Whether what is taken in is told to a central service, for all processes on this ledger.
fn set_forwarding(store: &mut Store, config: &Config) -> anyhow::Result<()> {
    let wish = match &config.forward {
        Some(forward) => Some(Forwarding {
            site: secrets::new_mark()?,
            name: forward::site(forward),
            most_bytes: forward.most_bytes,
        }),
        None => None,
    };
    let is_news = store.set_forwarding(wish.as_ref())?;
    if is_news && wish.is_none() {
        let parts = store.waiting()?.parts;
        warn(&format!(
            "without [forward] nothing more is told to the central service; {parts} parts that it has not taken stay"
        ));
    }
    Ok(())
}

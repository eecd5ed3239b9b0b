//! The measurement service: heartbeats over HTTP, for any number of processes on one database.
//!
//! A request that asks for a ping goes from `connection` straight to `pings`; all others to the router of `pages`. A heartbeat
//! is queued for the one `writer`, which commits what has queued up, and answered when it is durable.

mod alert_metrics;
mod alerting;
mod background;
mod booking;
mod buckets;
mod connection;
mod counted;
mod health;
mod listener;
mod metrics;
mod mounted;
mod networks;
mod pages;
mod parts;
mod path;
mod ping;
mod pings;
mod receiver;
mod source_metrics;
mod telling;
mod tls;
mod writer;

pub(crate) use listener::address;

use crate::alerts::Ways;
use crate::api;
use crate::clock;
use crate::config::{HeartbeatsConfig, HttpConfig, OpenIdConfig, PingScope, Retention};
use crate::gate::Gate;
use crate::gate::openid::OpenId;
use crate::oplog::{self, OpLog};
use crate::sources::live::{Board, Named, Supervisor};
use crate::web;
use alerting::Alerting;
use anyhow::Context;
use buckets::Buckets;
use counted::Counted;
use health::Health;
use jiff::tz::TimeZone;
use listener::Door;
use metrics::Metrics;
use networks::{Networks, Rate};
use parts::Parts;
use receiver::Receiver;
use sd_notify::NotifyState;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;
use store::Store;
use store::heartbeats::BucketScope;
use telling::Telling;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{oneshot, watch};
use writer::{Beside, Writer};

/// How long requests that have begun may take to end when the service stops.
const GRACE: Duration = Duration::from_secs(20);
/// How long the log may take to send what waits.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// What the service is made of.
pub(crate) struct Settings {
    /// A connection to the database that may write.
    pub(crate) store: Store,
    /// What is taken in live.
    pub(crate) sources: Vec<Named>,
    /// The zone whose civil time is cut in buckets.
    pub(crate) zone: TimeZone,
    /// The configuration of which the calendar wins over the ledger's.
    pub(crate) calendar_file: Option<String>,
    /// `ADDRESS:PORT`, unless systemd hands over sockets.
    pub(crate) listen: String,
    pub(crate) http: HttpConfig,
    /// Where people log in besides.
    pub(crate) openid: Option<OpenIdConfig>,
    pub(crate) heartbeats: HeartbeatsConfig,
    pub(crate) retention: Retention,
    /// Who is told what, when.
    pub(crate) alerts: Ways,
    pub(crate) log: oplog::Settings,
}

/// What every request may ask for.
pub(crate) struct App {
    pub(crate) writer: Writer,
    pub(crate) receiver: Receiver,
    /// What sites tell.
    pub(crate) parts: Parts,
    pub(crate) counted: Arc<Counted>,
    pub(crate) buckets: Buckets,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) health: Arc<Health>,
    pub(crate) networks: Networks,
    pub(crate) rate: Option<Rate>,
    pub(crate) scope: BucketScope,
    pub(crate) unknown_version: String,
    pub(crate) base_path: Vec<String>,
    /// Who may ask for what is not open to everybody.
    pub(crate) gate: Gate,
    /// How the sources are.
    pub(crate) board: Board,
    /// What becomes of alerts.
    pub(crate) alerts: Arc<Ways>,
    pub(crate) log: OpLog,
}

/// Serves until it is told to stop.
pub(crate) fn run(settings: Settings) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let log = OpLog::start(&settings.log)?;
    let served = runtime.block_on(serve(settings, log.clone()));
    // What is not sent by then is counted nowhere any more: the process ends.
    log.close(LAST_WORDS);
    served
}

async fn serve(settings: Settings, log: OpLog) -> anyhow::Result<()> {
    let Settings {
        mut store,
        sources,
        zone,
        calendar_file,
        listen,
        http,
        openid,
        heartbeats,
        retention,
        alerts,
        ..
    } = settings;
    let door = Door::open(&listen, http.tls.as_ref(), http.max_connections)?;
    let opener = store.opener();
    // Who tells of a proxy has one: then others reach the loopback address, too.
    let is_local = door.is_local() && http.trusted_proxies.is_empty() && http.base_path.is_empty();
    let is_open = is_local && openid.is_none();
    let has_admins = openid.as_ref().is_some_and(OpenIdConfig::has_admins);
    let is_secure = http.tls.is_some() || openid.as_ref().is_some_and(OpenIdConfig::is_secure);
    let gate = Gate::new(opener.clone(), is_local, is_secure, openid.map(OpenId::new).transpose()?)?;
    let first_admin = if is_open || has_admins { None } else { api::offer_first_admin(&mut store)? };
    let (counted, metrics, health) =
        (Arc::new(Counted::new()), Arc::new(Metrics::new()), Arc::new(Health::default()));
    let beside = Beside {
        counted: Arc::clone(&counted),
        metrics: Arc::clone(&metrics),
        health: Arc::clone(&health),
        log: log.clone(),
    };
    let (writer, thread) = Writer::start(opener.clone(), store, beside)?;
    let receiver = Receiver::start(opener.clone(), log.clone())?;
    let parts = Parts::start(opener.clone(), log.clone())?;
    let supervisor = Supervisor::start(sources, opener.clone(), &log)?;
    let alerts = Arc::new(alerts);
    let alerting = Alerting::start(&alerts, opener.clone(), supervisor.board(), Arc::clone(&health), &log)?;
    let (alerting, sending) = alerting.unzip();
    let app = Arc::new(App {
        writer,
        receiver,
        parts,
        counted,
        buckets: Buckets::new(zone.clone(), heartbeats.interval),
        metrics,
        health,
        networks: Networks::new(http.trusted_proxies, http.ping_networks),
        rate: http.pings_per_minute.map(Rate::new),
        scope: match http.ping_scope {
            PingScope::Person => BucketScope::Person,
            PingScope::PersonAndFeature => BucketScope::PersonAndFeature,
        },
        unknown_version: heartbeats.unknown_version,
        base_path: http.base_path,
        gate: gate.clone(),
        board: supervisor.board(),
        alerts,
        log: log.clone(),
    });
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let (gone, mut writer_gone) = oneshot::channel();
    let thread = tokio::task::spawn_blocking(move || {
        let ended = thread.join();
        let _ = gone.send(());
        ended
    });
    let (stop, stopping) = watch::channel(false);
    let addresses = door.addresses();
    let base = app.base_path.iter().fold(String::new(), |base, segment| base + "/" + segment);
    let around: Arc<dyn api::Around> = app.clone();
    let (complaining, board) = (Arc::clone(&around), app.board.clone());
    let dashboard = web::Settings {
        opener: opener.clone(),
        gate: gate.clone(),
        base: base.clone(),
        is_secure,
        complain: Arc::new(move |message| complaining.complain(message)),
        sources: Arc::new(move || board.told().into_iter().map(mounted::shown).collect()),
        calendar_file,
    };
    let mounted = api::Settings { opener: opener.clone(), gate, zone, interval: heartbeats.interval, around };
    let router = pages::router(Arc::clone(&app), api::router(mounted), dashboard);
    let doors = door.serve(Arc::clone(&app), router, &stopping);
    let telling = Telling::new(app.board.clone(), opener.clone()).run(stopping.clone());
    let telling = tokio::spawn(telling);
    let background = tokio::spawn(background::run(Arc::clone(&app), opener, retention, alerting, stopping));
    if let Some(secret) = first_admin {
        tell_first_admin(&first_admin_link(&addresses, &base, &secret));
    }
    log.info(&format!("listening on {}", addresses.join(", ")), &[]);
    let _ = sd_notify::notify(&[NotifyState::Ready]);

    let lost = tokio::select! {
        _ = terminate.recv() => false,
        _ = interrupt.recv() => false,
        _ = &mut writer_gone => true,
    };

    log.info("stopping: what was accepted is finished", &[]);
    let _ = sd_notify::notify(&[NotifyState::Stopping]);
    let _ = stop.send(true);
    let sources = tokio::task::spawn_blocking(move || supervisor.stop(GRACE));
    if tokio::time::timeout(GRACE, doors).await.is_err() {
        log.warn("some connections did not end in time: they are cut off", &[]);
    }
    if !matches!(sources.await, Ok(true)) {
        log.warn(
            "some sources did not end in time: what they were doing is done again at the next start",
            &[],
        );
    }
    if let Ok(Some(mut telling)) = telling.await {
        let _ = tokio::task::spawn_blocking(move || telling.tell()).await;
    }
    let _ = background.await;
    if let Some(sending) = sending {
        let is_over = tokio::task::spawn_blocking(move || sending.end(LAST_WORDS)).await;
        if !matches!(is_over, Ok(true)) {
            log.info("a message about an alert is under way: the next process sends it again", &[]);
        }
    }
    if let Ok(receipt) = app.writer.watch(clock::now()).await {
        let _ = receipt.durable().await;
    }
    app.writer.stop().await;
    let ended = thread.await.context("the writer's end was not seen")?;
    anyhow::ensure!(!lost && ended.is_ok(), "the writer ended by itself: this is a fault of the program");
    log.info("stopped", &[]);
    Ok(())
}

/// Nobody could log in: how somebody can. It is a secret: of all that is told only standard error gets it, which under
/// systemd is the journal, and no operational log.
fn tell_first_admin(link: &str) {
    // Where nobody can be told there is still the command.
    let _ = writeln!(
        std::io::stderr().lock(),
        "seatledger: there is no user yet, and nobody can log in: make the first admin with `seatledger user add NAME \
         --role admin`, or within a day, in a browser, at {link}"
    );
}

/// Where the first admin is made. An address that stands for all of the machine is written as HOST.
fn first_admin_link(addresses: &[String], base: &str, secret: &str) -> String {
    let address = addresses.first().map_or("http://HOST", String::as_str);
    let address = address.replace("//0.0.0.0", "//HOST").replace("//[::]", "//HOST");
    format!("{address}{base}/first-admin?secret={secret}")
}

#[cfg(test)]
mod tests {
    use super::first_admin_link;

    #[test]
    fn the_link_of_the_first_admin_says_where_to_go() {
        let link = |address: &str, base: &str| first_admin_link(&[address.to_owned()], base, "first_0a");
        assert_eq!(link("http://192.0.2.7:8088", ""), "http://192.0.2.7:8088/first-admin?secret=first_0a");
        assert_eq!(
            link("https://0.0.0.0:443", "/seats"),
            "https://HOST:443/seats/first-admin?secret=first_0a"
        );
        assert_eq!(link("http://[::]:8088", ""), "http://HOST:8088/first-admin?secret=first_0a");
    }
}

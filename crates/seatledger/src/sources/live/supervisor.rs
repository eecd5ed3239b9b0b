//! What starts sources, keeps them going, and ends them.

use super::claims::Claims;
use super::connections::{Access, Connections};
use super::hands::Hands;
use super::post::Post;
use super::signal::Signal;
use super::status::{State, Status, Told};
use super::{Named, Source, Trouble};
use crate::clock;
use crate::oplog::OpLog;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};
use store::Opener;

/// From so many sources on memory is not taken in huge pages.
const MANY: usize = 32;
/// The pauses before a source that failed is started again: the first, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(1));
/// So long it may take to tell others that the sources are theirs.
const LAST_WORDS: Duration = Duration::from_secs(3);
/// Who ran so long has not failed at once: the next pause is the first again.
const WENT_WELL: Duration = Duration::from_mins(5);

/// How all sources are, for whoever asks.
#[derive(Debug, Clone, Default)]
pub(crate) struct Board(Arc<[Arc<Status>]>);

impl Board {
    /// How they are now, in the order of the configuration.
    pub(crate) fn told(&self) -> Vec<Told> {
        let now = clock::now();
        self.0.iter().map(|status| status.told(now)).collect()
    }
}

/// The running sources.
pub(crate) struct Supervisor {
    signal: Arc<Signal>,
    board: Board,
    claims: Arc<Claims>,
    connections: Arc<Connections>,
    /// Never gets anything; it is closed when the last source has ended.
    ended: Receiver<()>,
}

impl Supervisor {
    /// Starts each source on a thread of its own.
    pub(crate) fn start(sources: Vec<Named>, opener: Opener, log: &OpLog) -> std::io::Result<Self> {
        Self::start_with(PAUSES, sources, opener, log)
    }

    /// With other pauses before a source that failed is started again.
    pub(super) fn start_with(
        pauses: (Duration, Duration),
        sources: Vec<Named>,
        opener: Opener,
        log: &OpLog,
    ) -> std::io::Result<Self> {
        if sources.len() >= MANY {
            do_without_huge_pages();
        }
        let signal = Arc::new(Signal::default());
        let connections = Arc::new(Connections::new(opener, Access::Writing));
        let hands = Hands::start()?;
        let claims = Arc::new(Claims::new(sources.iter().filter_map(Named::claim).collect()));
        let (ends, ended) = channel();
        let mut statuses = Vec::with_capacity(sources.len());
        for named in sources {
            let claim = named.claim();
            let Named { about, source } = named;
            let status = Arc::new(Status::new(about, claim.clone()));
            let claim = claim.map(|source| (source, Arc::clone(&claims)));
            statuses.push(Arc::clone(&status));
            let (connections, signal) = (Arc::clone(&connections), Arc::clone(&signal));
            let hands = hands.clone();
            let post = Post { status, connections, signal, hands, claim, log: log.clone() };
            let ends = ends.clone();
            std::thread::Builder::new()
                .name("source".to_owned())
                .spawn(move || keep(source, &post, pauses, &ends))?;
        }
        if claims.are_any() {
            let (claims, connections, signal) =
                (Arc::clone(&claims), Arc::clone(&connections), Arc::clone(&signal));
            std::thread::Builder::new()
                .name("claims".to_owned())
                .spawn(move || claims.keep(&connections, &signal))?;
        }
        Ok(Self { signal, board: Board(statuses.into()), claims, connections, ended })
    }

    /// How the sources are.
    pub(crate) fn board(&self) -> Board {
        self.board.clone()
    }

    /// Tells all of them to stop, and waits until they have, at most so long; whether all have.
    pub(crate) fn stop(self, within: Duration) -> bool {
        self.signal.give();
        self.claims.wake();
        let ended = matches!(self.ended.recv_timeout(within), Err(RecvTimeoutError::Disconnected));
        if ended && self.claims.are_any() {
            let Self { claims, connections, .. } = self;
            let (done, released) = channel::<()>();
            let release = move || {
                claims.release(&connections);
                drop(done);
            };
            if std::thread::Builder::new().spawn(release).is_ok() {
                // Where the ledger does not answer others see by themselves that nobody has the sources any more.
                let _ = released.recv_timeout(LAST_WORDS);
            }
        }
        ended
    }
}

/// Each thread takes memory for itself in pieces of which it uses a little. In huge pages all of it is there (measured with
/// 200 polled license servers: 315 MB, else 130).
fn do_without_huge_pages() {
    #[cfg(target_os = "linux")]
    {
        // Where it is not allowed it costs memory, and nothing else.
        let _ = rustix::thread::disable_transparent_huge_pages(true);
    }
}

/// Runs a source, again and again, until the service stops. Its sender is dropped when it has.
fn keep(mut source: Box<dyn Source>, post: &Post, pauses: (Duration, Duration), _ends: &Sender<()>) {
    let mut pause = pauses.0;
    while post.claimed() {
        let begun = Instant::now();
        // What a panic leaves behind in a source is not looked at: each run begins anew.
        let ended = catch_unwind(AssertUnwindSafe(|| source.run(post)));
        if post.signal.is_given() {
            break;
        }
        if post.has_lost() {
            post.waiting("another process takes it in");
            continue;
        }
        let trouble = match ended {
            Ok(Err(error)) => Trouble::of(&error),
            Ok(Ok(())) => fault("it ended by itself"),
            Err(panic) => fault(&format!("it failed unexpectedly ({})", told(panic.as_ref()))),
        };
        if begun.elapsed() > WENT_WELL {
            pause = pauses.0;
        }
        post.set(State::Down(trouble));
        post.status.restarted();
        if post.signal.wait(pause) {
            break;
        }
        pause = (pause * 2).min(pauses.1);
    }
    post.set(State::Stopped);
}

fn fault(what: &str) -> Trouble {
    Trouble::new(what, "this is a fault of the program: please report it; it is started again by itself")
}

/// What a panic says.
fn told(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no reason told")
}

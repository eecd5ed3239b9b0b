//! Progress bars, on terminals only.

use crate::sources::import::{Committed, FileSummary, Watch};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

fn bar(length: u64, template: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr_with_hz(10));
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.set_style(style.progress_chars("█▉▊▋▌▍▎▏ "));
    bar
}

/// A bar for work that tells how far it is.
pub(crate) struct Bar {
    bar: ProgressBar,
}

impl Bar {
    pub(crate) fn new(what: &str) -> Self {
        let bar = bar(0, "{msg:24} [{bar:30}] {pos}/{len}");
        bar.set_message(what.to_owned());
        Self { bar }
    }

    /// Work that is `done` of `total`.
    pub(crate) fn step(&self, done: u64, total: u64) {
        self.bar.set_length(total);
        self.bar.set_position(done);
    }

    pub(crate) fn done(&self) {
        self.bar.finish_and_clear();
    }
}

/// A bar for each file that is read.
#[derive(Default)]
pub(crate) struct Files {
    current: Option<(ProgressBar, Arc<AtomicU64>)>,
}

impl Watch for Files {
    fn begins(&mut self, path: &str, size: u64, seen: Arc<AtomicU64>) {
        let bar = bar(size, "{msg:30!} [{bar:24}] {bytes}/{total_bytes} {bytes_per_sec} {eta}");
        let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
        bar.set_message(name.to_owned());
        bar.enable_steady_tick(Duration::from_millis(200));
        self.current = Some((bar, seen));
    }

    fn committed(&mut self, _: &Committed) -> bool {
        if let Some((bar, seen)) = &self.current {
            bar.set_position(seen.load(Ordering::Relaxed));
        }
        true
    }

    fn ends(&mut self, _: &FileSummary) {
        if let Some((bar, _)) = self.current.take() {
            bar.finish_and_clear();
        }
    }
}

//! The few threads that do for all sources what takes memory. Each thread keeps some of what it has used for itself: of
//! hundreds that do the same now and then each would keep as much as one.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

/// How many there are: as many as there are connections to the ledger.
const HANDS: usize = super::connections::CONNECTIONS;

type Job = Box<dyn FnOnce() + Send>;

/// They end with the last of those who give them work. Where there are none, everybody works alone.
#[derive(Clone, Default)]
pub(super) struct Hands(Option<Sender<Job>>);

impl Hands {
    pub(super) fn start() -> std::io::Result<Self> {
        let (give, jobs) = channel::<Job>();
        let jobs = Arc::new(Mutex::new(jobs));
        for _ in 0..HANDS {
            let jobs = Arc::clone(&jobs);
            std::thread::Builder::new().name("hand".to_owned()).spawn(move || work_off(&jobs))?;
        }
        Ok(Self(Some(give)))
    }

    /// Lets one of them do it, and waits until it is done. A panic is the caller's.
    pub(super) fn lend<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let Some(hands) = &self.0 else { return work() };
        let (give, done) = channel();
        let job = move || {
            // Who gave the work goes on with what panicked, or begins anew.
            let _ = give.send(catch_unwind(AssertUnwindSafe(work)));
        };
        if let Err(returned) = hands.send(Box::new(job)) {
            (returned.0)();
        }
        match done.recv() {
            Ok(Ok(done)) => done,
            Ok(Err(panic)) => resume_unwind(panic),
            Err(gone) => resume_unwind(Box::new(gone.to_string())),
        }
    }
}

fn work_off(jobs: &Mutex<Receiver<Job>>) {
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match job {
            Ok(job) => job(),
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Hands;
    use std::collections::BTreeSet;

    #[test]
    fn many_are_served_by_few() {
        let hands = Hands::start().expect("threads");
        let asked: Vec<_> = (0..50)
            .map(|nth| {
                let hands = hands.clone();
                std::thread::spawn(move || hands.lend(move || (nth, std::thread::current().id())))
            })
            .collect();
        let served: Vec<_> = asked.into_iter().map(|asked| asked.join().expect("an answer")).collect();
        assert_eq!(served.iter().map(|(nth, _)| nth).sum::<i32>(), 49 * 25);
        let by: BTreeSet<String> = served.iter().map(|(_, by)| format!("{by:?}")).collect();
        assert!(by.len() <= super::HANDS, "{by:?}");
    }

    #[test]
    fn a_panic_is_that_of_who_gave_the_work() {
        let hands = Hands::start().expect("threads");
        for _ in 0..5 {
            let theirs = hands.clone();
            let failed = std::thread::spawn(move || theirs.lend(|| panic!("on purpose"))).join();
            assert_eq!(failed.expect_err("it failed").downcast_ref(), Some(&"on purpose"));
        }
        assert_eq!(hands.lend(|| 7), 7);
    }
}

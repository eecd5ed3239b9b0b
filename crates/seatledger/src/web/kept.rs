//! Answers that were computed already: several who ask the same at once, or soon after, get the same one.

use super::Web;
use super::asker::{Asker, Refusal};
use crate::answers::Sight;
use rustc_hash::FxHashMap;
use std::any::Any;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use store::Store;

/// For how long an answer is given to whoever asks, at least.
const FRESH: Duration = Duration::from_secs(1);
/// How much longer than it took it is given: so one question, however many ask it, costs a sixth of a core at most, and what
/// is kept is bounded by what can be computed in that time.
const REST: u32 = 5;

/// Whose figures, and what was asked.
type Question = (Option<String>, String);
/// The answer, once there is one; whoever computes it holds the lock.
type Place = Arc<tokio::sync::Mutex<Option<Answered>>>;

struct Answered {
    answer: Arc<dyn Any + Send + Sync>,
    until: Instant,
}

/// Answers by their questions.
#[derive(Default)]
pub(super) struct Kept(Mutex<FxHashMap<Question, Place>>);

impl Kept {
    /// Lets all of them go.
    pub(super) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn place(&self, question: Question) -> Place {
        let now = Instant::now();
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_wanted = |place: &Place| {
            let is_fresh = |kept: &Option<Answered>| kept.as_ref().is_some_and(|kept| now < kept.until);
            Arc::strong_count(place) > 1 || place.try_lock().is_ok_and(|kept| is_fresh(&kept))
        };
        places.retain(|_, place| is_wanted(place));
        Arc::clone(places.entry(question).or_default())
    }
}

impl Web {
    /// Asks the ledger a question: `work` must be told by the question and by what the asker may see.
    pub(super) async fn kept<T: Send + Sync + 'static>(
        &self,
        asker: &Asker,
        question: String,
        work: impl FnOnce(&mut Store) -> anyhow::Result<T> + Send + 'static,
    ) -> Result<Arc<T>, Refusal> {
        let whose = match &asker.sight {
            Sight::Everything => None,
            Sight::Organization(organization) => Some(organization.clone()),
        };
        let place = self.kept.place((whose, question));
        let mut kept = place.lock().await;
        let fresh = kept.as_ref().filter(|kept| Instant::now() < kept.until);
        if let Some(answer) = fresh.and_then(|kept| Arc::clone(&kept.answer).downcast().ok()) {
            return Ok(answer);
        }
        let timed = move |store: &mut Store| {
            let began = Instant::now();
            work(store).map(|answer| (answer, began.elapsed()))
        };
        let (answer, took) = self.ask(asker, timed).await?;
        let answer = Arc::new(answer);
        let until = Instant::now() + FRESH.max(took * REST);
        *kept = Some(Answered { answer: Arc::clone(&answer) as Arc<dyn Any + Send + Sync>, until });
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::{Answered, Kept};
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    #[test]
    fn what_is_old_is_let_go() {
        let kept = Kept::default();
        let question = |text: &str| (None, text.to_owned());
        let keep = |text: &str, until: Instant| {
            let place = kept.place(question(text));
            *place.try_lock().unwrap() = Some(Answered { answer: Arc::new(1), until });
        };
        keep("old", Instant::now());
        keep("fresh", Instant::now() + Duration::from_hours(1));
        let in_use = kept.place(question("in use"));
        let mine = kept.place((Some("Plant".to_owned()), "fresh".to_owned()));
        assert!(mine.try_lock().unwrap().is_none(), "what others may see is kept apart");
        let mut left: Vec<String> = kept.0.lock().unwrap().keys().map(|(_, text)| text.clone()).collect();
        left.sort();
        assert_eq!(left, ["fresh", "fresh", "in use"]);
        drop(in_use);
        kept.clear();
        assert!(kept.0.lock().unwrap().is_empty());
    }
}

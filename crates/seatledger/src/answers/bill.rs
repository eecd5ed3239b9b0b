//! The bill that the report `allocation` splits.

use accounting::report::allocation::{Options, Share};
use accounting::report::group::Key;
use accounting::report::money::Cents;
use clap::Args;

/// What is split, and how.
#[derive(Debug, Clone, Args)]
pub(crate) struct Bill {
    /// The bill that `allocation` splits, such as 1200.50 [default: one a feature, from the catalog's prices]
    #[arg(long, value_name = "AMOUNT")]
    cost: Option<Cents>,
    /// What the amounts of `allocation` are in, such as EUR: only shown
    #[arg(long, value_name = "CURRENCY")]
    currency: Option<String>,
    /// By what `allocation` splits: seat-seconds or person-seconds [default: seat-seconds]
    #[arg(long, value_name = "SHARE")]
    share: Option<Share>,
}

impl Bill {
    /// Whether any of it is asked for.
    pub(crate) fn is_given(&self) -> bool {
        self.cost.is_some() || self.currency.is_some() || self.share.is_some()
    }

    /// What was asked, by the options' names.
    pub(crate) fn told(&self) -> [(&'static str, Option<String>); 3] {
        let share = |share: Share| match share {
            Share::SeatSeconds => "seat-seconds",
            Share::PersonSeconds => "person-seconds",
        };
        [
            ("cost", self.cost.map(|cost| cost.to_string())),
            ("currency", self.currency.clone()),
            ("share", self.share.map(|given| share(given).to_owned())),
        ]
    }

    pub(crate) fn options(&self, by: Vec<Key>) -> Options {
        Options {
            by,
            share: self.share.unwrap_or_default(),
            cost: self.cost,
            currency: self.currency.clone(),
        }
    }
}

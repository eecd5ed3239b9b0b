//! The filters of listings, and those of reports, which besides cut time.

use super::{OutOfSight, Sight, wrong_usage};
use accounting::calendar::Calendar;
use accounting::day::Day;
use accounting::report::Scope;
use anyhow::Context as _;
use clap::Args;
use globset::{GlobBuilder, GlobMatcher};
use store::Store;

/// What a listing is about: whole sessions, single events.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Filters {
    /// First day, YYYY-MM-DD [default: the ledger's first]
    #[arg(long, value_name = "DAY")]
    from: Option<Day>,
    /// The day after the last (exclusive), YYYY-MM-DD [default: the ledger's last, today included]
    #[arg(long, value_name = "DAY")]
    until: Option<Day>,
    /// Features whose code matches, such as 'hfss*'
    #[arg(long, value_name = "GLOB")]
    feature: Option<String>,
    /// One license server, such as 27000@lic1
    #[arg(long, value_name = "NAME")]
    server: Option<String>,
    /// Persons whose name matches
    #[arg(long, value_name = "GLOB")]
    person: Option<String>,
    /// Organizations whose name matches
    #[arg(long, value_name = "GLOB")]
    organization: Option<String>,
}

/// What a report is about, and which of the time.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ReportFilters {
    #[command(flatten)]
    filters: Filters,
    /// One time class of the calendar, such as prime
    #[arg(long, value_name = "NAME")]
    time_class: Option<String>,
    /// All days, or the calendar's working days [default: all; for the report `ranking` working]
    #[arg(long, value_enum, value_name = "DAYS")]
    days: Option<Days>,
}

/// Which days count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Days {
    /// All days.
    All,
    /// The calendar's working days.
    Working,
}

impl Filters {
    /// What was asked, by the options' names; whoever may see one organization only has asked for that.
    pub(crate) fn told(&self, sight: &Sight) -> Vec<(String, String)> {
        let own = match sight {
            Sight::Everything => None,
            Sight::Organization(own) => Some(own.clone()),
        };
        [
            ("from", self.from.map(|day| day.to_string())),
            ("until", self.until.map(|day| day.to_string())),
            ("feature", self.feature.clone()),
            ("server", self.server.clone()),
            ("person", self.person.clone()),
            ("organization", own.or_else(|| self.organization.clone())),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect()
    }

    /// Refuses a license server of which the ledger knows nothing: an empty answer would read as no use. Which ones there
    /// are is told to who may see everything.
    fn refuse_unknown_server(&self, store: &mut Store, sight: &Sight) -> anyhow::Result<()> {
        let Some(wanted) = &self.server else { return Ok(()) };
        let known = store.server_names()?;
        if known.contains(wanted) {
            return Ok(());
        }
        if *sight != Sight::Everything {
            return Err(wrong_usage(format!("no license server `{wanted}`")));
        }
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        Err(wrong_usage(format!("no license server `{wanted}`: the ledger knows {known}")))
    }

    /// The scope that they describe in a ledger, narrowed to what the asker may see: all time of it.
    pub(crate) fn scope(&self, store: &mut Store, sight: &Sight) -> anyhow::Result<Scope> {
        self.refuse_unknown_server(store, sight)?;
        if let (Some(from), Some(until)) = (self.from, self.until)
            && from >= until
        {
            return Err(wrong_usage(format!(
                "--from {from} is not before --until {until}: the last day is the one before --until"
            )));
        }
        Ok(Scope {
            from: self.from,
            until: self.until,
            feature: self.feature.as_deref().map(|text| glob(text, "--feature")).transpose()?,
            server: self.server.clone(),
            person: self.person.as_deref().map(|text| glob(text, "--person")).transpose()?,
            organization: self.organization(sight)?,
            class: None,
            working_days_only: false,
        })
    }

    /// The organizations asked for, of those that the asker may see.
    fn organization(&self, sight: &Sight) -> anyhow::Result<Option<GlobMatcher>> {
        match (sight, self.organization.as_deref()) {
            (Sight::Everything, asked) => asked.map(|text| glob(text, "--organization")).transpose(),
            (Sight::Organization(own), Some(other)) if own != other => Err(OutOfSight(format!(
                "you may see the figures of {own} only: leave the organization out, or name that one"
            ))
            .into()),
            (Sight::Organization(own), _) => {
                let exactly = GlobBuilder::new(&globset::escape(own)).backslash_escape(false).build();
                Ok(Some(exactly.context("an organization's name")?.compile_matcher()))
            }
        }
    }
}

impl ReportFilters {
    /// What was asked, by the options' names; whoever may see one organization only has asked for that.
    pub(crate) fn told(&self, sight: &Sight) -> Vec<(String, String)> {
        let days = |days: Days| if days == Days::Working { "working" } else { "all" };
        let own = [
            ("time-class", self.time_class.clone()),
            ("days", self.days.map(|given| days(given).to_owned())),
        ];
        let own = own.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        self.filters.told(sight).into_iter().chain(own).collect()
    }

    /// Refuses what says nothing of things that expire, whoever uses them and whenever.
    pub(crate) fn refuse_all_but_names(&self) -> anyhow::Result<()> {
        let Filters { from, until, person, organization, .. } = &self.filters;
        let cuts = self.time_class.is_some() || self.days.is_some();
        let period = from.is_some() || until.is_some();
        if cuts || period || person.is_some() || organization.is_some() {
            return Err(wrong_usage("expiry takes --feature, --server and --within only"));
        }
        Ok(())
    }

    /// Refuses what says nothing of what was watched.
    pub(crate) fn refuse_all_but_period_and_server(&self) -> anyhow::Result<()> {
        let Filters { feature, person, organization, .. } = &self.filters;
        let cuts = self.time_class.is_some() || self.days.is_some();
        if cuts || feature.is_some() || person.is_some() || organization.is_some() {
            return Err(wrong_usage("coverage takes --from, --until and --server only"));
        }
        Ok(())
    }

    /// Refuses other days than working days.
    pub(crate) fn refuse_all_days(&self) -> anyhow::Result<()> {
        if self.days == Some(Days::All) {
            return Err(wrong_usage("average-licenses counts working days only: leave --days out"));
        }
        Ok(())
    }

    /// As [`Filters::scope`], with the time that counts; of days that nobody chose `default_days`.
    pub(crate) fn scope(
        &self,
        store: &mut Store,
        calendar: &Calendar,
        default_days: Days,
        sight: &Sight,
    ) -> anyhow::Result<Scope> {
        let class = match &self.time_class {
            None => None,
            Some(name) => {
                let known = || calendar.classes().iter().map(|class| class.name.as_str()).collect::<Vec<_>>();
                Some(calendar.class_named(name).ok_or_else(|| {
                    wrong_usage(format!("no time class `{name}`: the calendar has {}", known().join(", ")))
                })?)
            }
        };
        let working_days_only = self.days.unwrap_or(default_days) == Days::Working;
        Ok(Scope { class, working_days_only, ..self.filters.scope(store, sight)? })
    }
}

fn glob(text: &str, option: &str) -> anyhow::Result<GlobMatcher> {
    match GlobBuilder::new(text).case_insensitive(true).backslash_escape(false).build() {
        Ok(glob) => Ok(glob.compile_matcher()),
        Err(error) => Err(wrong_usage(format!("{option} `{text}` is no pattern: {}", error.kind()))),
    }
}

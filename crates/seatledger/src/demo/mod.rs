//! The demo: a year (2025) of an invented company, written as its servers would have written it.
//!
//! Everything follows from fixed seeds, so that it is the same bytes on every machine. What is in the year:
//! CAD on `27000@lic1`, where a package and a component go out in the same second; simulation and mathematics on
//! `1055@lic2`, with parallel jobs on a cluster by night; shifts, holidays and vacations; a feature bought far too
//! large (Navisworks), one far too small, with storms of denials (the Signal Processing Toolbox), and people who
//! leave programs open over night; a crash of lic1 on 23 September, restarts of lic2 on 12 March and 30 June; both
//! changes of the clocks; people who come, go, and move to another organization.

mod catalog;
mod clock;
mod company;
mod flexnet;
mod habits;
mod live;
mod lmstat;
mod random;
mod server_text;
mod wrapper;

#[cfg(test)]
mod parsed;
#[cfg(test)]
mod tests;

pub(crate) use live::{Live, play};

use clock::WallClock;
use jiff::civil::Date;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Where the year is written, in the directory where the demo is run.
pub(crate) const DIRECTORY: &str = "seatledger-demo";

/// A file of the demo: its name within the directory, and its text.
#[derive(Debug, PartialEq, Eq)]
struct Page {
    name: String,
    text: Vec<u8>,
}

/// What the license servers' logs hold, counted by feature: a package and its component are two.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// `OUT:` lines.
    pub(crate) checkouts: u64,
    /// `IN:` lines.
    pub(crate) checkins: u64,
    /// `DENIED:` lines.
    pub(crate) denials: u64,
    /// Sessions that ended with their server, without a line of their own.
    pub(crate) lost: u64,
    /// Sessions open at the end of the year.
    pub(crate) open: u64,
}

/// What was written, and where. The paths lie within the directory given.
#[derive(Debug)]
pub(crate) struct Written {
    /// The FlexNet debug logs, a file a server and month: the server's name (`27000@lic1`) and the files in order.
    pub(crate) flexnet: Vec<(String, Vec<PathBuf>)>,
    /// The answers of these servers to weekly polls, a file each: the server's name and the files in order.
    pub(crate) polls: Vec<(String, Vec<PathBuf>)>,
    /// What the servers write while the year is served.
    pub(crate) live: Vec<Live>,
    /// The wrapper records, a file a host.
    pub(crate) wrapper: Vec<PathBuf>,
    /// The directory of persons, to import with `directory import`.
    pub(crate) directory: PathBuf,
    /// The catalog of products, to import with `catalog import`.
    pub(crate) catalog: PathBuf,
    /// The configuration: zone, calendar and servers.
    pub(crate) config: PathBuf,
    /// Bytes of all files.
    pub(crate) bytes: u64,
    /// What the FlexNet logs hold.
    #[cfg_attr(not(test), expect(dead_code, reason = "what the tests compare the parsers with"))]
    pub(crate) counts: Counts,
    /// START and STOP records of the wrappers.
    #[cfg_attr(not(test), expect(dead_code, reason = "what the tests compare the parsers with"))]
    pub(crate) wrapper_records: u64,
}

/// Writes the year into a directory, which is made where it does not exist. Files of the same names are replaced.
pub(crate) fn write_year(directory: &Path) -> io::Result<Written> {
    let year = Year::new()?;
    let mut bytes = 0;
    let mut save = |page: &Page| {
        let path = directory.join(&page.name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        bytes += page.text.len() as u64;
        fs::write(&path, &page.text).map(|()| path)
    };
    let mut save_all = |pages: &[Page]| pages.iter().map(&mut save).collect::<io::Result<Vec<_>>>();
    let mut flexnet = Vec::new();
    for (server, pages) in &year.flexnet {
        flexnet.push((server.clone(), save_all(pages)?));
    }
    let mut polls = Vec::new();
    for (server, pages) in &year.polls {
        polls.push((server.clone(), save_all(pages)?));
    }
    let wrapper = save_all(&year.wrapper)?;
    let [directory, catalog, config] = [save(&year.directory)?, save(&year.catalog)?, save(&year.config)?];
    let Year { counts, wrapper_records, live, .. } = year;
    Ok(Written { flexnet, polls, live, wrapper, directory, catalog, config, bytes, counts, wrapper_records })
}

/// The year's texts.
#[derive(Debug, PartialEq, Eq)]
struct Year {
    flexnet: Vec<(String, Vec<Page>)>,
    polls: Vec<(String, Vec<Page>)>,
    live: Vec<Live>,
    wrapper: Vec<Page>,
    directory: Page,
    catalog: Page,
    config: Page,
    counts: Counts,
    wrapper_records: u64,
}

impl Year {
    fn new() -> io::Result<Self> {
        let clock = WallClock::new()?;
        let staff = company::staff();
        let wishes = habits::wishes(&staff, &clock);
        let mut counts = Counts::default();
        let (mut flexnet, mut polls, mut live) = (Vec::new(), Vec::new(), Vec::new());
        for machine in &server_text::MACHINES {
            let records = flexnet::year(machine, &wishes, &clock);
            counts = counts.plus(records.counts);
            flexnet.push((machine.address(), records.log));
            polls.push((machine.address(), records.polls));
            live.push(records.live);
        }
        let (wrapper, wrapper_records) = wrapper::year(&habits::runs(&staff, &clock), &clock);
        let page = |name: &str, text: String| Page { name: name.to_owned(), text: text.into_bytes() };
        Ok(Self {
            flexnet,
            polls,
            live,
            wrapper,
            directory: page("directory.csv", company::directory_csv(&staff)),
            catalog: page("catalog.csv", catalog::catalog_csv()),
            config: page("seatledger.toml", config_toml()),
            counts,
            wrapper_records,
        })
    }
}

impl Counts {
    fn plus(self, other: Self) -> Self {
        Self {
            checkouts: self.checkouts + other.checkouts,
            checkins: self.checkins + other.checkins,
            denials: self.denials + other.denials,
            lost: self.lost + other.lost,
            open: self.open + other.open,
        }
    }
}

/// The configuration that fits: the zone, the working days and holidays, the servers.
fn config_toml() -> String {
    let holidays = company::HOLIDAYS.iter().map(|(day, name)| format!("\"{day}\" = \"{name}\"\n"));
    let servers = server_text::MACHINES.iter().map(|machine| {
        let (server, zone, host) = (machine.address(), company::ZONE, machine.name);
        format!(
            "\n[[server]]\nname = \"{server}\"\ntimezone = \"{zone}\"\n\n\
             [[source]]\nkind = \"follow\"\nserver = \"{server}\"\n\
             directory = \"flexnet/{host}\"\npattern = \"debug-*.log\"\n"
        )
    });
    let head = format!(
        "# Brühlberg Engineering AG, Winterthur (an invented company).\n\
         db = \"sqlite:seatledger.db\"\n\
         timezone = \"{}\"\n\n\
         [calendar]\n\
         working_days = [\"Mon\", \"Tue\", \"Wed\", \"Thu\", \"Fri\"]\n\n\
         [calendar.holidays]\n",
        company::ZONE
    );
    std::iter::once(head).chain(holidays).chain(servers).collect()
}

/// `m/d/yyyy`, as lmgrd prints dates whatever the locale.
fn us_date(day: Date) -> String {
    format!("{}/{}/{}", day.month(), day.day(), day.year())
}

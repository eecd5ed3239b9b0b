//! Files that grow, rotate, are cut off, packed and deleted at random, while they are followed, against a tiny model: which
//! lines were written and not taken away before anybody could read them.

use super::following::Following;
use super::look::{Files, Looker};
use crate::config::Followed;
use crate::sources::configured::Servers;
use crate::sources::import::{Committed, FileSummary, Watch, Wish};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, SystemTime};
use store::{Place, Store};

/// Something that happens to the files, or to who follows them.
#[derive(Debug, Clone, Copy)]
enum Happens {
    /// So many lines are written.
    Lines(u8),
    /// A line is begun, and written so far; what is written next ends it.
    Begun(u8),
    /// The file gets another name, and the next line makes a new one; it begins with a date, or not.
    Renamed(bool),
    /// The file is copied, and cut off.
    Copied,
    /// The program that writes it begins the next file, of whatever name.
    NextName,
    /// All that was written is read; then the file is cut off.
    CutOff,
    /// All that was written is read; then the file is deleted.
    Deleted,
    /// The oldest file that was rotated away is packed.
    Packed,
    /// Who follows stops, and begins anew with what the ledger holds.
    Restarted,
    /// Who follows looks, and reads.
    Looked,
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        6 => (1_u8..12).prop_map(Happens::Lines),
        2 => (0_u8..60).prop_map(Happens::Begun),
        2 => any::<bool>().prop_map(Happens::Renamed),
        2 => Just(Happens::Copied),
        2 => Just(Happens::NextName),
        1 => Just(Happens::CutOff),
        1 => Just(Happens::Deleted),
        2 => Just(Happens::Packed),
        2 => Just(Happens::Restarted),
        6 => Just(Happens::Looked),
    ]
}

/// Nobody watches.
struct Quiet;

impl Watch for Quiet {
    fn begins(&mut self, _: &str, _: u64, _: Arc<AtomicU64>) {}

    fn committed(&mut self, _: &Committed) -> bool {
        true
    }

    fn ends(&mut self, _: &FileSummary) {}
}

/// Sessions by user: from when until when, where they have ended, in seconds since the first day.
type Sessions = BTreeMap<String, (i64, Option<i64>)>;

const DAY: i64 = 86_400;
/// 2025-03-03.
const FIRST_DAY: i64 = 1_740_960_000;

/// The program that writes logs, and what it knows that it has written.
struct Writer {
    directory: PathBuf,
    one_file: bool,
    current: PathBuf,
    /// Files that were rotated away.
    rotated: Vec<PathBuf>,
    files: u32,
    now: i64,
    next_user: u32,
    out: Vec<String>,
    /// The rest of a line that was begun.
    rest: String,
    sessions: Sessions,
    /// Times that a file was touched: each touch is seen in its modification time.
    touched: u64,
}

impl Writer {
    fn new(directory: &Path, one_file: bool) -> Self {
        let current = directory.join("debug.log");
        let mut writer = Self {
            directory: directory.to_owned(),
            one_file,
            current,
            rotated: Vec::new(),
            files: 0,
            now: 7 * 3600,
            next_user: 0,
            out: Vec::new(),
            rest: String::new(),
            sessions: Sessions::new(),
            touched: 0,
        };
        let started =
            "FlexNet Licensing (v11.19.5.0 build 285457 x64_lsb) started on lic1 (linux) (3/3/2025)";
        writer.write(&format!("{} (lmgrd) {started}\n", writer.clock()));
        writer
    }

    fn clock(&self) -> String {
        let second = self.now % DAY;
        format!("{:2}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
    }

    fn write(&mut self, text: &str) {
        let text = std::mem::take(&mut self.rest) + text;
        let mut file = OpenOptions::new().create(true).append(true).open(&self.current).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        self.touch(&self.current.clone());
    }

    fn touch(&mut self, path: &Path) {
        self.touched += 1;
        let at =
            SystemTime::UNIX_EPOCH + Duration::from_secs(FIRST_DAY as u64 + 40 * DAY as u64 + self.touched);
        File::options().append(true).open(path).unwrap().set_modified(at).unwrap();
    }

    /// A line with the date, never the same twice.
    fn date(&mut self) -> String {
        self.now += 1;
        format!("{} (lmgrd) TIMESTAMP 3/{}/2025\n", self.clock(), 3 + self.now / DAY)
    }

    /// The next line of the log: somebody takes a seat or gives one back.
    fn line(&mut self) -> String {
        let before = self.now / DAY;
        self.now += 1 + i64::from(self.next_user * 7919 % 1500);
        let mut line = if self.now / DAY > before { self.date() } else { String::new() };
        let clock = self.clock();
        if self.out.len() > 3 {
            let user = self.out.remove(0);
            line += &format!("{clock} (acmed) IN: \"solver\" {user}@h-{user}  \n");
            self.sessions.get_mut(&user).unwrap().1 = Some(self.now);
        } else {
            let user = format!("user{}", self.next_user);
            self.next_user += 1;
            line += &format!("{clock} (acmed) OUT: \"solver\" {user}@h-{user}  \n");
            self.sessions.insert(user.clone(), (self.now, None));
            self.out.push(user);
        }
        line
    }

    fn begin_line(&mut self, at_most: usize) {
        let line = self.line();
        let at = at_most.min(line.len() - 1);
        self.write(&line[..at]);
        self.rest = line[at..].to_owned();
    }

    fn end_line(&mut self) {
        if !self.rest.is_empty() {
            self.write("");
        }
    }

    /// A name for what is rotated away: it is followed, too, where a pattern is.
    fn rotated_name(&mut self) -> PathBuf {
        self.files += 1;
        PathBuf::from(format!("{}.{}", self.current.display(), 1000 - self.files))
    }

    fn happens(&mut self, what: Happens) {
        match what {
            Happens::Lines(lines) => {
                let text: String = (0..lines).map(|_| self.line()).collect();
                self.write(&text);
            }
            Happens::Begun(at) => {
                self.end_line();
                if std::fs::metadata(&self.current).unwrap().len() == 0 {
                    // A file that holds nothing but the beginning of a line is nothing to anybody.
                    let line = self.line();
                    self.write(&line);
                }
                self.begin_line(usize::from(at));
            }
            Happens::Renamed(dated) => {
                let name = self.rotated_name();
                std::fs::rename(&self.current, &name).unwrap();
                self.rotated.push(name);
                let dated = dated && self.rest.is_empty();
                let line = if dated { self.date() } else { self.line() };
                self.write(&line);
            }
            Happens::Copied => {
                let name = self.rotated_name();
                std::fs::copy(&self.current, &name).unwrap();
                self.touch(&name);
                self.rotated.push(name);
                self.cut_off();
            }
            Happens::NextName if !self.one_file => {
                self.end_line();
                self.files += 1;
                self.current = self.directory.join(format!("{}-debug.log", 1000 - self.files));
                let line = self.date();
                self.write(&line);
            }
            Happens::CutOff => self.cut_off(),
            Happens::Deleted => {
                std::fs::remove_file(&self.current).unwrap();
                let line = self.date();
                self.write(&line);
            }
            Happens::Packed if !self.rotated.is_empty() => {
                let path = self.rotated.remove(0);
                let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                packed.write_all(&std::fs::read(&path).unwrap()).unwrap();
                let modified = std::fs::metadata(&path).unwrap().modified().unwrap();
                let mut file = File::create(format!("{}.gz", path.display())).unwrap();
                file.write_all(&packed.finish().unwrap()).unwrap();
                file.set_modified(modified).unwrap();
                std::fs::remove_file(&path).unwrap();
            }
            Happens::NextName | Happens::Packed | Happens::Restarted | Happens::Looked => {}
        }
    }

    fn cut_off(&mut self) {
        OpenOptions::new().write(true).open(&self.current).unwrap().set_len(0).unwrap();
        self.touch(&self.current.clone());
    }
}

fn sessions(store: &mut Store) -> Sessions {
    let mut found = Sessions::new();
    store
        .read(|reader| {
            let names = reader.names();
            for feature in names.features.keys() {
                reader.sessions(*feature, (i64::MIN, i64::MAX), false, &mut |row| {
                    let user = names.holders[&row.part.holder].user.clone();
                    let second = |at: i64| at / 1000 - FIRST_DAY;
                    let is_open = row.part.ended == accounting::session::Ended::Open;
                    let until = (!is_open).then(|| second(row.part.until));
                    assert!(found.insert(user, (second(row.part.from), until)).is_none(), "somebody twice");
                    Ok(())
                })?;
            }
            Ok(())
        })
        .unwrap();
    found
}

fn wish() -> Wish {
    let servers = Servers { default_zone: "UTC".to_owned(), ..Servers::default() };
    Wish { servers, ..Wish::default() }
}

/// Follows while all that happens; then all must be as the model has it.
fn follow(one_file: bool, happenings: &[Happens]) {
    let directory = tempfile::tempdir().unwrap();
    let followed = if one_file {
        Followed::File(directory.path().join("debug.log"))
    } else {
        Followed::Matching { directory: directory.path().to_owned(), pattern: "*debug.log*".to_owned() }
    };
    let mut writer = Writer::new(directory.path(), one_file);
    let mut store = Store::create(&Place::Sqlite(":memory:".into())).unwrap();
    let wish = wish();
    let mut left =
        happenings.iter().chain([&Happens::Lines(1), &Happens::Looked, &Happens::Looked]).copied().peekable();
    while left.peek().is_some() {
        let mut looker = Looker::new(Files::new(&followed).unwrap());
        let mut following = Following::new(&mut store, &wish).impatient();
        let mut look = || {
            let (looks, restless) = looker.look().unwrap();
            let looks = looks.clone();
            following.round(looker.files(), (&looks, restless), &mut Quiet).unwrap();
        };
        look();
        for happens in left.by_ref() {
            match happens {
                Happens::Restarted => break,
                Happens::CutOff => {
                    writer.end_line();
                    look();
                    writer.happens(happens);
                }
                Happens::Deleted => {
                    writer.end_line();
                    look();
                    writer.happens(happens);
                    look();
                }
                Happens::Looked => look(),
                happens => writer.happens(happens),
            }
        }
    }
    assert_eq!(sessions(&mut store), writer.sessions);
}

/// The rest of a line that was begun in a file of a new name, which was copied and cut off: alone it is nothing, and it is
/// there for one look only.
#[test]
fn the_rest_of_a_line_whose_beginning_comes_in_the_same_look_is_read_before_it_is_cut_off() {
    let story = [Happens::NextName, Happens::Begun(2), Happens::Copied, Happens::CutOff];
    follow(false, &story);
    follow(false, &[&story[..], &[Happens::Lines(1)]].concat());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn a_file_is_followed_whatever_happens_to_it(
        story in proptest::collection::vec(happens(), 1..24),
    ) {
        follow(true, &story);
    }

    #[test]
    fn the_files_of_a_directory_are_followed_whatever_happens_to_them(
        story in proptest::collection::vec(happens(), 1..24),
    ) {
        follow(false, &story);
    }
}

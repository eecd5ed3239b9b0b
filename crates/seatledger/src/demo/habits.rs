//! What the people of the company do all year: who starts what, when, and for how long.

use super::catalog::Program;
use super::clock::WallClock;
use super::company::{Person, Unit};
use super::random::Random;
use jiff::ToSpan;
use jiff::civil::{Date, Weekday, date};

/// The year of the demo, half-open.
pub(super) const YEAR: (Date, Date) = (date(2025, 1, 1), date(2026, 1, 1));

/// The days after it that go by while the year is served, half-open.
pub(super) const LIVE: (Date, Date) = (date(2026, 1, 13), date(2026, 1, 31));

/// A program that a person wants to run.
#[derive(Debug, Clone)]
pub(super) struct Wish {
    pub(super) at: i64,
    pub(super) until: i64,
    pub(super) person: usize,
    /// `user@host` as the server will print it.
    pub(super) holder: String,
    pub(super) program: Program,
    /// The release before.
    pub(super) old: bool,
    /// Seats of the parallel feature.
    pub(super) cores: i64,
    /// Seconds between tries, and how many, where there is no seat.
    pub(super) patience: (i64, u32),
    /// The server takes the seat back at the end, because nobody touches the program.
    pub(super) idle: bool,
}

/// A tool run under the wrapper.
#[derive(Debug, Clone)]
pub(super) struct Run {
    pub(super) at: i64,
    pub(super) until: i64,
    pub(super) login: String,
    pub(super) tool: &'static str,
}

/// The programs of a unit: starts in a hundred working days, and which of its people (every n-th).
fn programs(unit: Unit) -> &'static [(Program, i64, u64)] {
    match unit {
        Unit::Mechanical => {
            &[(Program::Inventor, 310, 1), (Program::AutoCad, 60, 3), (Program::Mechanical, 15, 6)]
        }
        Unit::Plant => &[(Program::AutoCad, 280, 1), (Program::Revit, 130, 2), (Program::Civil3d, 160, 3)],
        Unit::Structures => {
            &[(Program::Mechanical, 230, 1), (Program::Matlab, 40, 2), (Program::Inventor, 40, 4)]
        }
        Unit::Fluids => &[(Program::Cfd, 250, 1), (Program::Matlab, 60, 2)],
        Unit::Electrical => {
            &[(Program::AutoCad, 220, 1), (Program::Matlab, 90, 3), (Program::Simulink, 110, 3)]
        }
        Unit::TestLab => {
            &[(Program::Matlab, 230, 1), (Program::SignalToolbox, 130, 1), (Program::Simulink, 60, 4)]
        }
    }
}

/// The days of the year.
pub(super) fn days() -> impl Iterator<Item = Date> {
    YEAR.0.series(1.day()).take_while(|day| *day < YEAR.1)
}

/// All that is wanted of the license servers in the year and in the days after it, in order of time.
pub(super) fn wishes(staff: &[Person], clock: &WallClock) -> Vec<Wish> {
    let mut wishes = Vec::new();
    for (nth, person) in staff.iter().enumerate() {
        let mut random = Random::new(0xa000 + person.number);
        for day in YEAR.0.series(1.day()).take_while(|day| *day < LIVE.1).filter(|day| person.works_on(*day))
        {
            let mut day =
                Workday { midnight: clock.midnight(day), date: day, person, nth, random: &mut random };
            day.programs(&mut wishes);
            day.night_jobs(&mut wishes);
        }
    }
    navisworks(staff, clock, &mut wishes);
    wishes.sort_by_key(|wish| (wish.at, wish.person));
    wishes
}

/// One working day of one person.
struct Workday<'a> {
    midnight: i64,
    date: Date,
    person: &'a Person,
    nth: usize,
    random: &'a mut Random,
}

impl Workday<'_> {
    fn programs(&mut self, wishes: &mut Vec<Wish>) {
        let (begin, end) = (self.person.hours.0 * 60, self.person.hours.1 * 60);
        for (program, per_hundred, every) in programs(self.person.unit_on(self.date)) {
            if !self.person.number.is_multiple_of(*every) {
                continue;
            }
            let starts = per_hundred / 100 + i64::from(self.random.percent(per_hundred % 100));
            for _ in 0..starts {
                let at = self.midnight + self.random.between(begin, end - 600);
                let until =
                    (at + self.random.octaves(8, 14)).min(self.midnight + end + self.random.between(0, 900));
                let mut wish = self.wish(*program, at, until);
                if self.person.forgetful && self.random.percent(9) {
                    self.forget(&mut wish);
                }
                wishes.push(wish);
            }
        }
    }

    fn wish(&mut self, program: Program, at: i64, until: i64) -> Wish {
        let patience = match program {
            Program::SignalToolbox => (self.random.between(8, 20), self.random.between(5, 60) as u32),
            Program::SolverJob | Program::FluidJob => (600, 30),
            _ => (self.random.between(60, 400), 3),
        };
        let user = match self.person.number % 9 {
            4 => capitalized(&self.person.login),
            _ => self.person.login.clone(),
        };
        Wish {
            at,
            until,
            person: self.nth,
            holder: format!("{user}@{}", self.person.workstation),
            program,
            old: self.person.number.is_multiple_of(5),
            cores: 1,
            patience,
            idle: self.random.percent(2),
        }
    }

    /// The program stays open until the next morning, over a weekend until Monday; on some the server gives up.
    fn forget(&mut self, wish: &mut Wish) {
        let nights = if self.date.weekday() == Weekday::Friday { 3 } else { 1 };
        let morning = self.midnight + nights * 86_400 + self.person.hours.0 * 60;
        wish.until = morning + self.random.between(300, 5_400);
        wish.idle = self.random.percent(10);
    }

    /// Jobs on the cluster: sent off in the evening, done in the night or over the weekend.
    fn night_jobs(&mut self, wishes: &mut Vec<Wish>) {
        let (program, percent) = match self.person.unit_on(self.date) {
            Unit::Structures => (Program::SolverJob, 55),
            Unit::Fluids => (Program::FluidJob, 60),
            _ => return,
        };
        if !self.random.percent(percent) {
            return;
        }
        let weekend = self.date.weekday() == Weekday::Friday && self.random.percent(50);
        let (from, until) = if weekend { (15, 18) } else { (13, 16) };
        let at = self.midnight + self.random.between(16 * 3_600, 21 * 3_600);
        let length = self.random.octaves(from, until) / 4 * if weekend { 3 } else { 4 };
        let mut wish = self.wish(program, at, at + length);
        wish.holder =
            format!("{}@node{:02}.calc.bruehlberg.example", self.person.login, self.random.between(1, 25));
        wish.cores = 4 << self.random.between(0, 4);
        wish.idle = false;
        wishes.push(wish);
    }
}

/// The one person who opens Navisworks, on three days of the year.
fn navisworks(staff: &[Person], clock: &WallClock, wishes: &mut Vec<Wish>) {
    let Some((nth, person)) = staff.iter().enumerate().find(|(_, person)| person.unit == Unit::Plant) else {
        return;
    };
    let mut random = Random::new(0xa0a0);
    for day in days().filter(|day| person.works_on(*day) && day.day() == 12 && day.month() % 3 == 2) {
        let mut day = Workday { midnight: clock.midnight(day), date: day, person, nth, random: &mut random };
        let at = day.midnight + 10 * 3_600;
        let wish = day.wish(Program::Navisworks, at, at + 2_700);
        wishes.push(wish);
    }
}

/// The runs of tools without a license server: by day at the screen, at night as jobs.
pub(super) fn runs(staff: &[Person], clock: &WallClock) -> Vec<Run> {
    let mut runs = Vec::new();
    for person in staff {
        let mut random = Random::new(0xc000 + person.number);
        for day in days().filter(|day| person.works_on(*day)) {
            let midnight = clock.midnight(day);
            let (tools, count): (&[&'static str], i64) = match person.unit_on(day) {
                Unit::Structures => (&["gmsh", "paraview", "calculix"], 3),
                Unit::Fluids => (&["gmsh", "paraview", "paraview", "openfoam"], 5),
                Unit::TestLab => (&["octave"], 3),
                _ => continue,
            };
            for _ in 0..random.between(0, count + 1) {
                let tool = *random.pick(tools);
                let job = matches!(tool, "calculix" | "openfoam");
                let (begin, end) = if job { (16 * 60, 21 * 60) } else { person.hours };
                let at = midnight + random.between(begin * 60, end * 60);
                let length = if job { random.octaves(11, 16) } else { random.octaves(5, 13) };
                runs.push(Run { at, until: at + length, login: person.login.clone(), tool });
            }
        }
    }
    runs.sort_by(|a, b| (a.at, &a.login).cmp(&(b.at, &b.login)));
    runs
}

fn capitalized(login: &str) -> String {
    let mut characters = login.chars();
    characters.next().map_or(String::new(), |first| first.to_uppercase().chain(characters).collect())
}

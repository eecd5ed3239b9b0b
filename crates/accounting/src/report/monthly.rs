//! Sums by month and feature, and by any keys before them.

use super::bins::Head;
use super::group::Key;
use super::lens::Lens;
use super::note::Note;
use super::packages::Packages;
use super::tally::{Sums, Tally};
use super::{Cell, Column};
use crate::feature_day::DayView;
use crate::session::FeatureId;

/// Sums by month and feature, and by any keys before them: by product or type instead of the feature.
#[derive(Debug)]
pub(crate) struct Monthly<'a> {
    tally: Tally<'a>,
    packages: Option<Packages>,
    /// The keys in the order of the columns,
    columns: Vec<Key>,
    /// and in that of the rows.
    order: Vec<Key>,
    not_ranked: usize,
}

impl<'a> Monthly<'a> {
    /// An empty one, with rows by what is not ranked, then by what is.
    pub(crate) fn new(lens: Lens<'a>, by: &[Key], ranked: fn(Key) -> bool) -> Self {
        let heads = Head::list(by, &[Head::Key(Key::Month), Head::Key(Key::Feature)]);
        let columns: Vec<Key> = heads
            .iter()
            .filter_map(|head| if let Head::Key(key) = head { Some(*key) } else { None })
            .collect();
        let (last, mut order): (Vec<Key>, Vec<Key>) = columns.iter().partition(|key| ranked(**key));
        let not_ranked = order.len();
        order.extend(last);
        let by_product = !columns.contains(&Key::Feature);
        let packages = by_product.then(|| Packages::new(lens.names, &lens.features()));
        Self { tally: Tally::new(lens, order.clone()), packages, columns, order, not_ranked }
    }

    pub(crate) fn features(&self) -> Vec<FeatureId> {
        let mut features = self.tally.lens.features();
        features.extend(self.packages.iter().flat_map(Packages::components));
        features.sort_unstable();
        features.dedup();
        features
    }

    /// Whether features can be given to several.
    pub(crate) fn can_share(&self) -> bool {
        self.packages.is_none()
    }

    /// Takes in what another one was given of other features.
    pub(crate) fn join(&mut self, other: Self) {
        self.tally.join(other.tally);
    }

    pub(crate) fn day(&mut self, view: &DayView<'_>) {
        let lens = &self.tally.lens;
        let (day, counts) = (view.civil.day, lens.counts_day(view.civil));
        let held = self.packages.as_mut().is_some_and(|packages| {
            packages.take(view, |part| counts && lens.counted(part.holder, day).is_some())
        });
        if !held {
            self.tally.day(view);
        }
    }

    pub(crate) fn lens(&self) -> &Lens<'a> {
        &self.tally.lens
    }

    pub(crate) fn notes(&self) -> Vec<Note> {
        let mut notes = self.lens().notes();
        notes.extend(self.packages.as_ref().map(|_| Note::AddedUp));
        notes
    }

    /// The columns of the keys, and what puts cells in their order.
    pub(crate) fn columns(&self) -> (Vec<Column>, Arrange) {
        let columns = self.columns.iter().map(|key| Column::text(key.name())).collect();
        let place = |key: &Key| self.order.iter().position(|other| other == key).unwrap_or_default();
        (columns, Arrange(self.columns.iter().map(place).collect()))
    }

    /// How many of the sums' cells are not ranked: they come first.
    pub(crate) fn not_ranked(&self) -> usize {
        self.not_ranked
    }

    /// Where a key stands in the cells of the sums.
    pub(crate) fn place(&self, key: Key) -> usize {
        self.order.iter().position(|other| *other == key).unwrap_or_default()
    }

    /// The sums, ascending by what is not ranked, then by what is.
    pub(crate) fn finish(self) -> Vec<Sums> {
        let Self { mut tally, packages, .. } = self;
        for (feature, day, parts) in packages.into_iter().flat_map(Packages::release) {
            let civil = tally.civil(day);
            tally.day(&DayView { feature, civil: &civil, parts: &parts, requests: &[] });
        }
        tally.finish()
    }
}

/// The places of the columns' cells among those of sums.
#[derive(Debug)]
pub(crate) struct Arrange(Vec<usize>);

impl Arrange {
    /// Cells of sums in the order of the columns.
    pub(crate) fn cells(&self, cells: &[Cell]) -> Vec<Cell> {
        self.0.iter().map(|&place| cells[place].clone()).collect()
    }
}

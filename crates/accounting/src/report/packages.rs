//! One use that a vendor writes twice: packages and their components (domain.md §2).

use crate::UnixMs;
use crate::day::Day;
use crate::feature_day::DayView;
use crate::ledger::Names;
use crate::session::{FeatureId, HolderId, Part};
use rustc_hash::{FxHashMap, FxHashSet};

/// Holds the sessions of packages back until those of their components have been seen.
#[derive(Debug, Default)]
pub(crate) struct Packages {
    /// The components of each package.
    components: FxHashMap<FeatureId, Vec<FeatureId>>,
    is_component: FxHashSet<FeatureId>,
    /// The component sessions seen: component, holder, second of their start.
    starts: FxHashSet<(FeatureId, HolderId, i64)>,
    held: Vec<(FeatureId, Day, Vec<Part>)>,
}

impl Packages {
    /// The packages among these features.
    pub(crate) fn new(names: &Names, features: &[FeatureId]) -> Self {
        let mut packages = Self::default();
        for &id in features {
            let all = names.features.get(&id).map_or(&[][..], |feature| &feature.components);
            let components: Vec<_> = all.iter().copied().filter(|component| *component != id).collect();
            if !components.is_empty() {
                packages.is_component.extend(&components);
                packages.components.insert(id, components);
            }
        }
        packages
    }

    /// The features that are components of some package.
    pub(crate) fn components(&self) -> impl Iterator<Item = FeatureId> {
        self.is_component.iter().copied()
    }

    /// Looks at a feature day; `true` where it is a package's: then it is held back, as far as `counts` says.
    pub(crate) fn take(&mut self, view: &DayView<'_>, counts: impl Fn(&Part) -> bool) -> bool {
        if self.is_component.contains(&view.feature) {
            let starts = view.parts.iter().map(|part| (view.feature, part.holder, second(part.from)));
            self.starts.extend(starts);
        }
        let package = self.components.contains_key(&view.feature);
        if package {
            let parts: Vec<_> = view.parts.iter().copied().filter(|part| counts(part)).collect();
            self.held.push((view.feature, view.civil.day, parts));
        }
        package
    }

    /// The package days held back, without the sessions of which the same holder has a session of a component
    /// that starts in the same second.
    pub(crate) fn release(self) -> impl Iterator<Item = (FeatureId, Day, Vec<Part>)> {
        let Self { components, starts, held, .. } = self;
        held.into_iter().map(move |(package, day, mut parts)| {
            let components = &components[&package];
            parts.retain(|part| {
                let start = |component: &FeatureId| (*component, part.holder, second(part.from));
                !components.iter().any(|component| starts.contains(&start(component)))
            });
            (package, day, parts)
        })
    }
}

fn second(at: UnixMs) -> i64 {
    at.div_euclid(1000)
}

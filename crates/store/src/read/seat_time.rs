//! Seat time alone: of days that are stored it is a figure, and their sessions are not read.

use super::Reader;
use crate::Error;
use accounting::calendar::TimeClass;
use accounting::day::Day;
use accounting::feature_day::{DayView, seat_ms};
use accounting::report::SeatTime;
use accounting::session::FeatureId;
use serde::de::{DeserializeSeed, Error as _, MapAccess, Visitor};
use std::borrow::Cow;
use std::collections::BTreeSet;

impl Reader<'_> {
    /// Gives the seat time of a feature's days `[from, until)`; days that are dirty or unsettled come first, computed.
    pub(super) fn seat_time(
        &mut self,
        feature: FeatureId,
        (from, until): (Day, Day),
        to: &mut dyn SeatTime,
    ) -> Result<(), Error> {
        let params = [feature.into(), from.to_string().into(), until.to_string().into()];
        let marked = self.marked_days(&params)?;
        let classes = self.context.calendar.classes().to_vec();
        self.context.compute(self.backend, feature, &marked, &mut |context, day| {
            let civil = context.civil(day.day);
            let view = DayView { feature, civil, parts: &day.parts, requests: &[] };
            to.add(feature, civil, &seat_ms(&view, classes.len()));
            Ok(())
        })?;
        let marked: BTreeSet<Day> = marked.into_iter().collect();
        let mut by_class = vec![0; classes.len()];
        let context = &mut self.context;
        let sql = "select day, seat_ms from feature_day
                   where feature_id = $1 and day >= $2 and day < $3 order by day";
        self.backend.query(sql, &params, &mut |row| {
            let damaged = || Error::Corrupt(format!("the figures of a day of feature {feature}"));
            let day: Day = row.with_text(0, str::parse)?.map_err(|_| damaged())?;
            if !marked.contains(&day) {
                row.with_text(1, |text| read_by_class(text, &classes, &mut by_class))?
                    .map_err(|_| damaged())?;
                to.add(feature, context.civil(day), &by_class);
            }
            Ok(())
        })
    }
}

/// Reads what [`crate::derive::Context::row`] wrote: an object with a number for each time class.
fn read_by_class(text: &str, classes: &[TimeClass], values: &mut [i64]) -> serde_json::Result<()> {
    values.fill(0);
    let mut of_json = serde_json::Deserializer::from_str(text);
    ByClass { classes, values }.deserialize(&mut of_json)?;
    of_json.end()
}

/// A name that is copied only where its text has escapes.
#[derive(serde::Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

struct ByClass<'a> {
    classes: &'a [TimeClass],
    values: &'a mut [i64],
}

impl<'de> DeserializeSeed<'de> for ByClass<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ByClass<'_> {
    type Value = ();

    fn expecting(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str("milliseconds by time class")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        while let Some((Name(name), ms)) = map.next_entry::<Name<'de>, i64>()? {
            let class = self.classes.iter().position(|class| class.name == name);
            let class = class.ok_or_else(|| M::Error::custom("a class that the calendar does not know"))?;
            self.values[class] = ms;
        }
        Ok(())
    }
}

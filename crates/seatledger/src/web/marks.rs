//! Small drawings in a line of text: bars and sparklines, whole without scripts.

use crate::answers::Shortness;
use maud::{Markup, html};
use std::fmt::Write as _;

/// A bar of seats in use out of those issued.
pub(super) fn bar(share: f64, shortness: Shortness) -> Markup {
    let width = format!("{:.2}", share.clamp(0.0, 1.0) * 100.0);
    html! {
        svg.bar viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true" data-short=(word(shortness)) {
            rect.track width="100" height="10" {}
            rect.fill width=(width) height="10" {}
        }
    }
}

pub(super) fn word(shortness: Shortness) -> &'static str {
    match shortness {
        Shortness::Full => "full",
        Shortness::Nearly => "nearly",
        Shortness::Fine => "fine",
    }
}

/// A step line, with gaps where nothing is known; `top` is the value of the upper edge.
pub(super) fn spark(values: &[Option<f64>], top: f64, label: &str) -> Markup {
    const HIGH: f64 = 20.0;
    let top = values.iter().flatten().copied().fold(top, f64::max);
    let scale = if top > 0.0 { (HIGH - 2.0) / top } else { 0.0 };
    let (mut line, mut area) = (String::new(), String::new());
    let mut open = false;
    for (nth, value) in values.iter().enumerate() {
        let Some(value) = value else {
            if std::mem::take(&mut open) {
                let _ = write!(area, "V{HIGH}Z");
            }
            continue;
        };
        let y = HIGH - 1.0 - value * scale;
        if open {
            let _ = write!(line, "V{y:.1}h1");
            let _ = write!(area, "V{y:.1}h1");
        } else {
            let _ = write!(line, "M{nth} {y:.1}h1");
            let _ = write!(area, "M{nth} {HIGH}V{y:.1}h1");
        }
        open = true;
    }
    if open {
        let _ = write!(area, "V{HIGH}Z");
    }
    html! {
        svg.spark viewBox={ "0 0 " (values.len().max(1)) " 20" } preserveAspectRatio="none" role="img" aria-label=(label) {
            path.area d=(area) {}
            path.line d=(line) vector-effect="non-scaling-stroke" {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::spark;

    #[test]
    fn a_sparkline_has_gaps_where_nothing_is_known() {
        let drawn = spark(&[Some(0.0), Some(2.0), None, Some(1.0)], 2.0, "in use").into_string();
        assert!(drawn.contains("M0 19.0h1V1.0h1M3 10.0h1"), "{drawn}");
        assert!(drawn.contains("M0 20V19.0h1V1.0h1V20ZM3 20V10.0h1V20Z"), "{drawn}");
    }
}

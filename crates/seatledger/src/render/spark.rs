//! Figures drawn with block characters.

const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const EIGHTHS: [char; 7] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/// A line of columns, one for each number, from nothing to the greatest of them; what is no number stays blank.
pub(crate) fn sparkline(numbers: &[f64]) -> String {
    let greatest = numbers.iter().copied().filter(|number| number.is_finite()).fold(0.0, f64::max);
    let column = |&number: &f64| match number {
        number if !number.is_finite() => ' ',
        number if number <= 0.0 || greatest <= 0.0 => HEIGHTS[0],
        number => HEIGHTS[(number / greatest * 7.0).round() as usize],
    };
    numbers.iter().map(column).collect()
}

/// The shade of a share of the greatest number: none where nothing is known, a dot for nothing.
pub(super) fn shade(share: f64) -> char {
    match share {
        share if share.is_nan() => ' ',
        share if share <= 0.0 => '·',
        share if share <= 0.25 => '░',
        share if share <= 0.5 => '▒',
        share if share <= 0.75 => '▓',
        _ => '█',
    }
}

/// A bar of at most `width` characters; a share above nothing is never invisible.
pub(super) fn bar(share: f64, width: usize) -> String {
    if share.is_nan() || share <= 0.0 {
        return String::new();
    }
    let eighths = ((share.min(1.0) * width as f64 * 8.0).round() as usize).max(1).min(width * 8);
    let mut bar = "█".repeat(eighths / 8);
    bar.extend((eighths % 8).checked_sub(1).map(|nth| EIGHTHS[nth]));
    bar
}

#[cfg(test)]
mod tests {
    use super::{bar, shade, sparkline};

    #[test]
    fn sparklines_reach_from_nothing_to_the_greatest() {
        assert_eq!(sparkline(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]), "▁▂▃▄▅▆▇█");
        assert_eq!(sparkline(&[0.0, 0.0]), "▁▁");
        assert_eq!(sparkline(&[-3.0, f64::NAN, 1e9, f64::INFINITY]), "▁ █ ");
        assert_eq!(sparkline(&[]), "");
    }

    #[test]
    fn shades_grow_by_quarters() {
        let shades: String = [f64::NAN, 0.0, 1e-9, 0.25, 0.3, 0.6, 0.9, 1.0].map(shade).iter().collect();
        assert_eq!(shades, " ·░░▒▓██");
    }

    #[test]
    fn bars_grow_by_eighths() {
        assert_eq!([0.0, -1.0, f64::NAN].map(|share| bar(share, 4)), ["", "", ""]);
        assert_eq!(bar(1e-9, 4), "▏");
        assert_eq!(bar(0.5, 3), "█▌");
        assert_eq!(bar(31.0 / 32.0, 4), "███▉");
        assert_eq!([1.0, 7.0].map(|share| bar(share, 4)), ["████", "████"]);
        assert_eq!(bar(1.0, 0), "");
    }
}

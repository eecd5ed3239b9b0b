//! How wide and how colourful a table may be.

use std::io::IsTerminal;

/// The colours of lines and bars, as Okabe and Ito chose them for people who see colours differently.
pub(super) const PALETTE: [&str; 8] =
    ["#1f5f99", "#d55e00", "#009e73", "#cc79a7", "#b07d00", "#56b4e9", "#6b5b95", "#7a7a7a"];

/// What the place can show to which a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Look {
    /// Characters in a line.
    pub(crate) width: usize,
    /// Whether it understands colours.
    pub(crate) color: bool,
    /// Whether bars of block characters are drawn.
    pub(crate) bars: bool,
}

/// The width where nobody says one.
const WIDTH: usize = 100;

impl Look {
    /// The look of standard output: colours and bars only on a terminal that shows UTF-8, where `NO_COLOR` is not set;
    /// `SEATLEDGER_BARS=1` draws bars anywhere.
    pub(crate) fn of_stdout() -> Self {
        let out = std::io::stdout();
        let width = terminal_size::terminal_size_of(&out).map(|(width, _)| usize::from(width.0));
        Self::of(out.is_terminal(), width, |name| std::env::var(name).unwrap_or_default())
    }

    fn of(terminal: bool, width: Option<usize>, variable: impl Fn(&str) -> String) -> Self {
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].map(&variable);
        let locale = locale.into_iter().find(|name| !name.is_empty()).unwrap_or_default().to_lowercase();
        let utf8 = cfg!(windows) || locale.contains("utf-8") || locale.contains("utf8");
        let lively = terminal && utf8 && variable("NO_COLOR").is_empty() && variable("TERM") != "dumb";
        // A terminal without a size says 0.
        let told = width.filter(|&width| width > 0).or_else(|| variable("COLUMNS").parse().ok());
        Self {
            width: told.filter(|&width| terminal && width > 0).unwrap_or(WIDTH),
            color: lively,
            bars: lively || variable("SEATLEDGER_BARS") == "1",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Look;

    fn look(terminal: bool, variables: &[(&str, &str)]) -> Look {
        let value = |name: &str| variables.iter().find(|(other, _)| *other == name).map(|(_, value)| *value);
        Look::of(terminal, Some(72), |name| value(name).unwrap_or_default().to_owned())
    }

    #[test]
    fn colours_are_for_terminals_that_show_utf8() {
        let lively = Look { width: 72, color: true, bars: true };
        let plain = Look { width: 72, color: false, bars: false };
        assert_eq!(look(true, &[("LANG", "de_CH.UTF-8")]), lively);
        assert_eq!(look(true, &[("LANG", "de_CH.UTF-8"), ("LC_ALL", "C")]), plain);
        assert_eq!(look(true, &[("LC_CTYPE", "C.utf8"), ("NO_COLOR", "1")]), plain);
        let file = Look { width: 100, ..plain };
        assert_eq!(look(false, &[("LANG", "de_CH.UTF-8")]), file);
        assert_eq!(look(false, &[("SEATLEDGER_BARS", "1")]), Look { bars: true, ..file });
    }

    #[test]
    fn a_terminal_without_a_size_may_be_told_one() {
        let value = |name: &str| if name == "COLUMNS" { "80".to_owned() } else { String::new() };
        assert_eq!(Look::of(true, Some(0), value).width, 80);
        assert_eq!(Look::of(true, None, |_| String::new()).width, 100);
        assert_eq!(Look::of(true, Some(120), value).width, 120);
        assert_eq!(Look::of(false, None, value).width, 100, "a file is as wide as it is everywhere");
    }
}

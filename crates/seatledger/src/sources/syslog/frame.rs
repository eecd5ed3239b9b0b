//! Where one message of a TCP stream ends and the next begins: RFC 6587, both ways of framing.

/// The longest message that is taken whole.
pub(super) const LONGEST: usize = 64 << 10;
/// A count of octets has at most so many digits.
const DIGITS: usize = 7;

/// Cuts what arrives into messages.
#[derive(Debug, Default)]
pub(super) struct Frames {
    held: Vec<u8>,
    /// What is left to skip of a message that is too long: so many octets, or up to the end of the line.
    skip: Skip,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Skip {
    #[default]
    Nothing,
    Octets(usize),
    Line,
}

impl Frames {
    /// Takes what arrived and gives each message that is complete; one that is too long is given as far as it is taken.
    pub(super) fn take(&mut self, mut arrived: &[u8], each: &mut dyn FnMut(&[u8])) {
        arrived = self.skipped(arrived);
        self.held.extend_from_slice(arrived);
        let mut held = std::mem::take(&mut self.held);
        let mut at = 0;
        while let Some((begin, end, next)) = self.cut(&held[at..]) {
            each(&held[at + begin..at + end]);
            at += next;
        }
        held.drain(..at);
        self.held = held;
    }

    /// The connection has ended: what has come of a last line.
    pub(super) fn end(self, each: &mut dyn FnMut(&[u8])) {
        if !self.held.is_empty() && counted(&self.held).is_none() {
            each(&self.held);
        }
    }

    /// Where the first message begins and ends, and where the next begins; none where more must come.
    fn cut(&mut self, held: &[u8]) -> Option<(usize, usize, usize)> {
        match counted(held) {
            Some(Counted::Message { begin, length }) => {
                let end = begin + length;
                if held.len() >= end {
                    return Some((begin, end, end));
                }
                if length > LONGEST && held.len() >= begin + LONGEST {
                    self.skip = Skip::Octets(end - held.len());
                    return Some((begin, begin + LONGEST, held.len()));
                }
                None
            }
            Some(Counted::Unfinished) => None,
            None => match memchr::memchr2(b'\n', 0, held) {
                Some(end) => Some((0, end, end + 1)),
                None if held.len() >= LONGEST => {
                    self.skip = Skip::Line;
                    Some((0, held.len(), held.len()))
                }
                None => None,
            },
        }
    }

    fn skipped<'a>(&mut self, arrived: &'a [u8]) -> &'a [u8] {
        match self.skip {
            Skip::Nothing => arrived,
            Skip::Octets(left) => {
                let skipped = left.min(arrived.len());
                self.skip = if left > skipped { Skip::Octets(left - skipped) } else { Skip::Nothing };
                &arrived[skipped..]
            }
            Skip::Line => match memchr::memchr(b'\n', arrived) {
                Some(end) => {
                    self.skip = Skip::Nothing;
                    &arrived[end + 1..]
                }
                None => &[],
            },
        }
    }
}

/// A frame that begins with a count of octets.
enum Counted {
    Message { begin: usize, length: usize },
    Unfinished,
}

/// `123 <13>…`: none where it is no such frame. A message that ends with a line begins with `<`.
fn counted(held: &[u8]) -> Option<Counted> {
    let digits = held.iter().take(DIGITS + 1).take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 || digits > DIGITS || held[0] == b'0' {
        return None;
    }
    match (held.get(digits), held.get(digits + 1)) {
        (None, _) | (Some(b' '), None) => Some(Counted::Unfinished),
        (Some(b' '), Some(b'<')) => {
            let length = held[..digits].iter().fold(0, |length, byte| length * 10 + usize::from(byte - b'0'));
            Some(Counted::Message { begin: digits + 1, length })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cut(pieces: &[&[u8]]) -> Vec<String> {
        let (mut frames, mut cut) = (Frames::default(), Vec::new());
        let mut each = |message: &[u8]| cut.push(String::from_utf8_lossy(message).into_owned());
        for piece in pieces {
            frames.take(piece, &mut each);
        }
        frames.end(&mut each);
        cut
    }

    #[test]
    fn both_framings_are_cut_on_one_connection() {
        assert_eq!(cut(&[b"5 <1>ab6 <1>a\nb<2>line\n<3>last"]), ["<1>ab", "<1>a\nb", "<2>line", "<3>last"]);
        assert_eq!(cut(&[b"<2>a\0<2>b\n"]), ["<2>a", "<2>b"]);
        assert_eq!(cut(&[b"12 bananas\n"]), ["12 bananas"], "a line may begin with a number");
        assert_eq!(cut(&[b"9 <1>ab"]), [] as [&str; 0], "half a frame is no message");
    }

    #[test]
    fn what_is_too_long_is_cut_and_what_follows_is_read() {
        let long = "x".repeat(3 * LONGEST);
        let counted = format!("{} <1>{long}6 <1>yes", 3 + long.len());
        let line = format!("<1>{long}\n<1>yes\n");
        for text in [counted, line] {
            for size in [1000, LONGEST + 7, text.len()] {
                let pieces: Vec<&[u8]> = text.as_bytes().chunks(size).collect();
                let cut = cut(&pieces);
                assert_eq!(cut.len(), 2, "{size}");
                assert_eq!(cut[1], "<1>yes", "{size}");
            }
        }
    }

    proptest! {
        #[test]
        fn however_it_arrives_it_is_cut_alike(
            text in proptest::collection::vec(prop_oneof!["<1>[a-c\n]{0,4}", "[1-9]", " <1>abc", "\n", "[0-9]{1,9}"], 0..30),
            size in 1_usize..9,
        ) {
            let text = text.concat();
            let pieces: Vec<&[u8]> = text.as_bytes().chunks(size).collect();
            prop_assert_eq!(cut(&pieces), cut(&[text.as_bytes()]));
        }
    }
}

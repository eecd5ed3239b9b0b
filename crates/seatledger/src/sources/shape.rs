//! Shapes of lines that nobody understood.

/// A line with its letters and digits folded, so that lines of one kind have one shape.
pub(super) fn shape(line: &str) -> String {
    let mut shape = String::with_capacity(line.len().min(120));
    for character in line.chars() {
        let folded = match character {
            '0'..='9' => '9',
            letter if letter.is_alphabetic() => 'a',
            other => other,
        };
        if !(matches!(folded, '9' | 'a') && shape.ends_with(folded)) {
            shape.push(folded);
        }
        if shape.len() >= 120 {
            break;
        }
    }
    shape
}

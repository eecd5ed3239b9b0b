//! Why RLM refuses: the published status numbers `RLM_EL_…`, and the sentences that debug logs print for them.

use accounting::event::DenialReason;
use memchr::memmem;

/// The class of a status number (without its sign).
pub(super) fn class(status: u32) -> DenialReason {
    match status {
        // More than there are, over the options file's MAX, all in use, in the queue, over the soft limit, meter empty.
        8 | 14 | 22 | 25 | 39 | 54 => DenialReason::Capacity,
        // Lists of the options file; host, platform, time zone, named users, terminal servers, virtual machines and
        // passwords; limits of roaming.
        4 | 10..=13 | 27 | 29..=31 | 35 | 36 | 42 | 45..=47 | 52 | 55 | 57 => DenialReason::OptionsFile,
        6 => DenialReason::Version,
        // Expired, expires before the roam ends, not yet begun, a demo's end.
        3 | 32 | 37 | 49 => DenialReason::Expired,
        // No such product, another ISV's, not supported by this server, no such option.
        1 | 2 | 18 | 60 => DenialReason::Unsupported,
        16 | 17 | 19..=21 | 28 | 43 | 56 | 58 | 59 | 62 => DenialReason::Communication,
        _ => DenialReason::Other,
    }
}

/// Beginnings of sentences, in lower case, and the status that they stand for.
const SENTENCES: [(&[u8], u32); 24] = [
    (b"all licenses in use", 22),
    (b"checkout request for too many", 8),
    (b"request would go over license max", 14),
    (b"in queue for license", 25),
    (b"over license soft limit", 39),
    (b"not enough count for metered", 54),
    (b"on excludeall list", 10),
    (b"on feature exclude list", 11),
    (b"not on the includeall list", 12),
    (b"not on the feature include list", 13),
    (b"on roam exclude list", 29),
    (b"not on roam include list", 30),
    (b"too many licenses roaming", 31),
    (b"wrong host for", 4),
    (b"wrong platform for client", 35),
    (b"not a named user", 45),
    (b"requested version not supported", 6),
    (b"license has expired", 3),
    (b"authorization has expired", 3),
    (b"demo license has expired", 49),
    (b"no license for product", 1),
    (b"no authorization for product", 1),
    (b"license server doesn't support this", 18),
    (b"license server does not support this", 18),
];

/// The status that a sentence of a debug log stands for, where it is known.
pub(super) fn status(sentence: &[u8]) -> Option<u32> {
    let sentence = sentence[..sentence.len().min(200)].to_ascii_lowercase();
    let known = SENTENCES.iter().find(|(beginning, _)| sentence.starts_with(beginning));
    known.map(|(_, status)| *status).or_else(|| printed(&sentence))
}

/// `… (-22)`, as later versions print behind the sentence.
fn printed(sentence: &[u8]) -> Option<u32> {
    let rest = &sentence[memmem::find(sentence, b"(-")? + 2..];
    crate::text::number(&rest[..rest.iter().position(|byte| !byte.is_ascii_digit())?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_stand_for_numbers() {
        assert_eq!(status(b"All licenses in use"), Some(22));
        assert_eq!(status(b"Something new (-17)"), Some(17));
        assert_eq!(status(b"Something new"), None);
        for (sentence, number) in SENTENCES {
            assert_eq!(status(sentence), Some(number));
            assert_ne!(class(number), DenialReason::Other);
        }
    }
}

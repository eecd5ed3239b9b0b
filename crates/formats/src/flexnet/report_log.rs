//! `FlexNet`'s report log: encrypted by the vendor daemon, so recognized only to say what to use instead.

use memchr::memmem;

/// What to tell a user who offers a report log.
pub const ADVICE: &str = "this is a FlexNet report log (REPORTLOG): the vendor daemon encrypts it and only its maker's \
     tools read it, so nothing was imported; use the server's debug log instead (the file of `lmgrd -l FILE` or of \
     DEBUGLOG in the options file)";

/// Whether the beginning of an input looks like a report log: not text, and it names its maker. Conservative: a
/// caller that knows the file to be called `*.rl` may take [`is_binary`] alone as enough.
pub fn looks_like_report_log(head: &[u8]) -> bool {
    let names: [&[u8]; 5] = [b"FLEXlm", b"FLEXnet", b"FlexNet", b"REPORTLOG", b"ReportLog"];
    is_binary(head) && names.iter().any(|name| memmem::find(head, name).is_some())
}

/// Whether bytes are no text of any single-byte or UTF-8 coding: more than one in twenty is a control character
/// that no log prints.
pub fn is_binary(head: &[u8]) -> bool {
    let odd = |byte: &&u8| matches!(byte, 0x00..=0x06 | 0x0E..=0x1A | 0x1C..=0x1F | 0x7F);
    head.iter().filter(odd).count() * 20 > head.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bytes_that_are_no_text_and_name_their_maker() {
        let mut head = b"#REPORTLOG\0\x01\x02\x03".to_vec();
        head.extend((0..200_u8).map(|byte| byte.wrapping_mul(37)));
        assert!(looks_like_report_log(&head));
        assert!(!looks_like_report_log(b"10:00:00 (lmgrd) FlexNet Licensing (v11.19) started on lic1\n"));
        assert!(!looks_like_report_log(&[0, 1, 2, 3, 4, 5, 6]));
        assert!(is_binary(&[0, 1, 2, 3, 4, 5, 6]));
        assert!(!is_binary(b""));
    }
}

//! Pools, their figures and their holders.

use crate::rlm::dates::{Date, date, time};
use crate::text::{number, trim, word};
use accounting::event::Expires;
use memchr::{memchr, memmem, memrchr};

/// `count: 1000, # reservations: 0, inuse: 93, exp: 31-jan-2022`
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Pool {
    /// `None` where seats are not counted.
    pub(super) count: Option<u32>,
    pub(super) reserved: u32,
    pub(super) in_use: u32,
    /// None where nothing is said of it.
    pub(super) expires: Option<Expires>,
}

/// `solver v3.0: amara@ws-07 29/0 at 11/01 09:01  (handle: 15a)`
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Usage<'a> {
    pub(super) product: &'a [u8],
    pub(super) version: &'a [u8],
    pub(super) user: &'a [u8],
    pub(super) host: &'a [u8],
    pub(super) seats: u32,
    pub(super) month: u32,
    pub(super) of_month: u32,
    /// The second of the day.
    pub(super) second: u32,
    pub(super) handle: Option<&'a [u8]>,
}

/// The parts of `key: value, key: value`.
fn pairs(line: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    line.split(|&byte| byte == b',').map(|part| {
        let colon = memchr(b':', part).unwrap_or(part.len());
        (trim(&part[..colon]), trim(part.get(colon + 1..).unwrap_or_default()))
    })
}

/// Whether a line tells more of a pool: `obsolete: 0, min_remove: 120`.
pub(super) fn is_pairs(line: &[u8]) -> bool {
    pairs(line).all(|(key, value)| {
        let plain = |byte: &u8| byte.is_ascii_lowercase() || matches!(byte, b'_' | b' ' | b'#' | b'-');
        !key.is_empty() && key.iter().all(plain) && !value.is_empty()
    })
}

/// The figures of a pool.
pub(super) fn figures(line: &[u8]) -> Option<Pool> {
    let (first, rest) = pairs(line).next()?;
    let uncounted = |word: &[u8]| word.eq_ignore_ascii_case(b"uncounted");
    let mut pool = Pool::default();
    if first == b"count" {
        pool.count = if uncounted(rest) { None } else { Some(number(rest)?) };
    } else if !uncounted(first) {
        return None;
    }
    let mut said_use = false;
    for (key, value) in pairs(line).skip(1) {
        match key {
            b"# reservations" => pool.reserved = number(value)?,
            b"inuse" => {
                pool.in_use = number(value)?;
                said_use = true;
            }
            b"exp" => pool.expires = Some(expires(value)),
            _ => {}
        }
    }
    // A line that breaks off says nothing.
    (said_use && pool.expires.is_some()).then_some(pool)
}

/// `31-jan-2022`; the year 0 and `permanent` mean never.
fn expires(date: &[u8]) -> Expires {
    if date.eq_ignore_ascii_case(b"permanent") {
        return Expires::Never;
    }
    let parts: Vec<&[u8]> = date.split(|&byte| byte == b'-').collect();
    let [of_month, month, year] = parts[..] else { return Expires::Unknown };
    let (Some(of_month), Some(year)) = (number(of_month), number(year)) else { return Expires::Unknown };
    if year == 0 {
        return Expires::Never;
    }
    let month = <[u8; 3]>::try_from(month).ok().and_then(|[first, second, third]| {
        let name = [first.to_ascii_uppercase(), second.to_ascii_lowercase(), third.to_ascii_lowercase()];
        crate::text::month(&name)
    });
    let day = month.and_then(|month| crate::text::day(year, month, of_month));
    day.map_or(Expires::Unknown, Expires::On)
}

/// Product and version of `solver v3.0` or `solver v3.0, pool: 3`.
pub(super) fn pool_name(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let name = trim(&line[..memmem::find(line, b", pool:").unwrap_or(line.len())]);
    let at = memmem::rfind(name, b" v")?;
    let (product, version) = (trim(&name[..at]), &name[at + 2..]);
    let is_version = version.first().is_some_and(u8::is_ascii_digit) && !version.contains(&b' ');
    let plain = !product.is_empty() && memchr(b':', product).is_none();
    (is_version && plain).then_some((product, version))
}

/// A row of the table of ISV servers, `acme 63133 Yes 0`: the ISV, and whether it runs.
pub(super) fn isv_server(line: &[u8]) -> Option<(&[u8], bool)> {
    let (isv, rest) = word(line);
    let (port, rest) = word(rest);
    let (runs, rest) = word(rest);
    let (restarts, rest) = word(rest);
    let runs = match runs {
        b"Yes" => true,
        b"No" => false,
        _ => return None,
    };
    (number(port).is_some() && number(restarts).is_some() && trim(rest).is_empty()).then_some((isv, runs))
}

/// Cuts a holder's row from the right.
pub(super) fn usage(line: &[u8]) -> Option<Usage<'_>> {
    let (line, handle) = match memmem::rfind(line, b"(handle:") {
        Some(at) => (trim(&line[..at]), Some(trim(line[at + 8..].strip_suffix(b")")?))),
        None => (line, None),
    };
    let at = memmem::rfind(line, b" at ")?;
    let (day, clock) = word(&line[at + 4..]);
    let Date::MonthDay(month, of_month) = date(day)? else { return None };
    let time = time(trim(clock))?;
    let left = trim(&line[..at]);
    let blank = memrchr(b' ', left)?;
    let (who, used) = (trim(&left[..blank]), &left[blank + 1..]);
    let seats = number(&used[..memchr(b'/', used)?])?;
    let first_at = memchr(b'@', who)?;
    let colon = memmem::rfind(&who[..first_at], b": ")?;
    let (product, version) = pool_name(&who[..colon])?;
    let who = trim(&who[colon + 2..]);
    let host_at = memrchr(b'@', who)?;
    Some(Usage {
        product,
        version,
        user: &who[..host_at],
        host: &who[host_at + 1..],
        seats,
        month,
        of_month,
        second: time.second,
        handle,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_pools() {
        let pool = figures(b"count: 5, # reservations: 2, inuse: 3, exp: 31-dec-2023").unwrap();
        assert_eq!((pool.count, pool.reserved, pool.in_use), (Some(5), 2, 3));
        let uncounted = figures(b"UNCOUNTED, inuse: 1, exp: permanent").unwrap();
        assert_eq!((uncounted.count, uncounted.expires), (None, Some(Expires::Never)));
        for broken in ["count: 5, # reservations: 2, inu", "count: 5, # reservations: 0, inuse: 3", "exp: 1"]
        {
            assert_eq!(figures(broken.as_bytes()), None, "{broken}");
        }
    }

    #[test]
    fn names_of_pools_and_rows_of_holders() {
        assert_eq!(pool_name(b"nodal v2023.0, pool: 3"), Some((&b"nodal"[..], &b"2023.0"[..])));
        assert_eq!(pool_name(b"two words v1.0"), Some((&b"two words"[..], &b"1.0"[..])));
        assert_eq!(pool_name(b"rlmutil"), None);
        let row =
            usage(b"nodal v2023.0, pool: 3: amara chen@ws-07 29/0 at 2/29 9:01  (handle: 15a)").unwrap();
        assert_eq!((row.product, row.version), (&b"nodal"[..], &b"2023.0"[..]));
        assert_eq!((row.user, row.host, row.seats), (&b"amara chen"[..], &b"ws-07"[..], 29));
        assert_eq!((row.month, row.of_month, row.second), (2, 29, 32_460));
        assert_eq!(row.handle, Some(&b"15a"[..]));
        assert_eq!(usage(b"nodal v1: amara@ws-07 1/0 at 11/01"), None);
        assert!(usage(b"nodal v1: amara@ws-07 1/0 at 11/01 09:01").unwrap().handle.is_none());
    }
}

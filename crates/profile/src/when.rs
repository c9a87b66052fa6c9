//! Dates and times as ISO 8601 writes them, and near it.

use serde::{Deserialize, Serialize};

/// A moment, in microseconds since 1970: of UTC where the text says its offset, as written otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instant {
    pub micros: i64,
    pub zone: Zone,
    pub has_time: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Zone {
    Naive,
    Utc,
    Offset,
}

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// `2024-02-29`, `2024/02/29`, each with `T` or a space and `12:34`, `12:34:56`, `12:34:56.789`, and `Z` or `+01:00`, `+0100`, `+01`.
/// Years 1 to 9999; a day or a time that does not exist is no date.
pub fn parse(b: &[u8]) -> Option<Instant> {
    if b.len() < 10 || b.len() > 40 {
        return None;
    }
    let separator = b[4];
    if !matches!(separator, b'-' | b'/') || b[7] != separator {
        return None;
    }
    let (year, month, day) = (number(&b[..4])?, number(&b[5..7])?, number(&b[8..10])?);
    if year < 1 || !(1..=12).contains(&month) || day < 1 || day > days_in(year, month) {
        return None;
    }
    let mut micros = days_from_civil(year, month, day) * DAY;
    let rest = &b[10..];
    if rest.is_empty() {
        return Some(Instant {
            micros,
            zone: Zone::Naive,
            has_time: false,
        });
    }
    if !matches!(rest[0], b'T' | b't' | b' ') || rest.len() < 6 || rest[3] != b':' {
        return None;
    }
    let (hour, minute) = (number(&rest[1..3])?, number(&rest[4..6])?);
    if hour > 23 || minute > 59 {
        return None;
    }
    micros += (hour * 3600 + minute * 60) * SECOND;
    let mut rest = &rest[6..];
    if rest.first() == Some(&b':') {
        let second = number(rest.get(1..3)?)?;
        if second > 60 {
            return None;
        }
        micros += second * SECOND;
        rest = &rest[3..];
        if matches!(rest.first(), Some(b'.' | b',')) {
            let digits = rest[1..].iter().take_while(|c| c.is_ascii_digit()).count();
            if digits == 0 || digits > 9 {
                return None;
            }
            let kept = digits.min(6);
            let fraction = number(&rest[1..=kept])?;
            micros += fraction * 10i64.pow((6 - kept) as u32);
            rest = &rest[1 + digits..];
        }
    }
    let (shift, zone) = offset(rest)?;
    Some(Instant {
        micros: micros - shift,
        zone,
        has_time: true,
    })
}

fn offset(rest: &[u8]) -> Option<(i64, Zone)> {
    let rest = rest.strip_prefix(b" ").unwrap_or(rest);
    match rest {
        [] => Some((0, Zone::Naive)),
        b"Z" | b"z" | b"UTC" => Some((0, Zone::Utc)),
        [sign @ (b'+' | b'-'), digits @ ..] => {
            let (hours, minutes) = match digits.len() {
                2 => (number(digits)?, 0),
                4 => (number(&digits[..2])?, number(&digits[2..])?),
                5 if digits[2] == b':' => (number(&digits[..2])?, number(&digits[3..])?),
                _ => return None,
            };
            if hours > 18 || minutes > 59 {
                return None;
            }
            let shift = (hours * 60 + minutes) * 60 * SECOND;
            let zone = if shift == 0 { Zone::Utc } else { Zone::Offset };
            Some((if *sign == b'-' { -shift } else { shift }, zone))
        }
        _ => None,
    }
}

fn number(digits: &[u8]) -> Option<i64> {
    digits
        .iter()
        .try_fold(0, |n, b| b.is_ascii_digit().then(|| n * 10 + i64::from(b - b'0')))
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970 of the proleptic Gregorian calendar (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let of_era = y.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// `2024-02-29`, or `2024-02-29 12:34:56` where the time is not midnight, with its fraction where there is one.
pub fn written(micros: i64) -> String {
    let (date, rest) = (civil(micros.div_euclid(DAY)), micros.rem_euclid(DAY));
    if rest == 0 {
        return date;
    }
    let (seconds, fraction) = (rest / SECOND, rest % SECOND);
    let clock = format!(
        "{date} {:02}:{:02}:{:02}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    );
    if fraction == 0 {
        clock
    } else {
        format!("{clock}.{fraction:06}")
    }
}

/// Always with the time, to the second: as Hugging Face writes it.
pub fn written_in_full(micros: i64) -> String {
    let seconds = micros.rem_euclid(DAY) / SECOND;
    format!(
        "{} {:02}:{:02}:{:02}",
        civil(micros.div_euclid(DAY)),
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}

fn civil(days: i64) -> String {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let of_era = z.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let m = (5 * of_year + 2) / 153;
    let day = of_year - (153 * m + 2) / 5 + 1;
    let month = if m < 10 { m + 3 } else { m - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn micros(text: &str) -> Option<i64> {
        parse(text.as_bytes()).map(|i| i.micros)
    }

    #[test]
    fn dates_and_times_are_read() {
        assert_eq!(micros("1970-01-01"), Some(0));
        assert_eq!(micros("2000-03-01"), Some(951_868_800 * SECOND));
        assert_eq!(micros("2024/02/29 12:34"), Some(1_709_210_040 * SECOND));
        assert_eq!(micros("2024-02-29T12:34:56.5+01:00"), Some(1_709_206_496_500_000));
        assert_eq!(micros("2024-02-29T12:34:56Z"), Some(1_709_210_096 * SECOND));
        assert_eq!(micros("1969-12-31 23:59:59.999999999"), Some(-1));
    }

    #[test]
    fn what_does_not_exist_is_no_date() {
        for text in [
            "2023-02-29",
            "2024-13-01",
            "2024-00-10",
            "0000-01-01",
            "2024-01-01T24:00",
            "2024-01/01",
            "2024-01-01T1:00",
            "2024-01-01 12:00:00+99:00",
            "2024-01-01x",
        ] {
            assert_eq!(micros(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        for at in [0, -1, DAY, 1_709_210_096_123_456, -62_135_596_800 * SECOND] {
            assert_eq!(micros(&written(at)), Some(at), "{}", written(at));
        }
    }
}

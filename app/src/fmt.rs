//! Numbers and counts as people read them.

use limn_domain::job::Job;

/// `1284` as `1,284`.
pub fn count(n: i64) -> String {
    let digits = n.unsigned_abs().to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if n < 0 {
        out.push('\u{2212}');
    }
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// `1 item`, `12 items`.
pub fn counted(n: i64, one: &str, many: &str) -> String {
    format!("{} {}", count(n), if n == 1 { one } else { many })
}

/// Bytes in decimal units: `4.2 MB`.
pub fn bytes(n: i64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let mut value = n.max(0) as f64;
    let mut unit = 0;
    while value >= 1000.0 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    if unit == 0 || value >= 100.0 {
        format!("{value:.0} {}", UNITS[unit])
    } else {
        format!("{value:.1} {}", UNITS[unit])
    }
}

/// How far a job is: `3 of 12`, or in bytes where it fetches files. Nothing when it does not know.
pub fn progress(job: &Job) -> Option<String> {
    let fetches = job.kind == "catalogue" && job.message.starts_with("Fetching");
    if fetches && job.done > 0 && job.total == 0 {
        return Some(bytes(job.done));
    }
    let number: fn(i64) -> String = if fetches { bytes } else { count };
    (job.total > 0).then(|| format!("{} of {}", number(job.done), number(job.total)))
}

/// Whole percent of a part, 0 when there is no whole. Only a full whole is 100, only nothing is 0.
pub fn percent(part: i64, whole: i64) -> i64 {
    if whole <= 0 || part <= 0 {
        0
    } else if part >= whole {
        100
    } else {
        (part.saturating_mul(100) / whole).clamp(1, 99)
    }
}

/// Up to two letters standing for a person.
pub fn initials(name: &str) -> String {
    let mut words = name
        .split(|c: char| !c.is_alphanumeric())
        .filter(|w| !w.is_empty());
    let first = words.next().and_then(|w| w.chars().next());
    let last = words.next_back().and_then(|w| w.chars().next());
    first
        .into_iter()
        .chain(last)
        .flat_map(char::to_uppercase)
        .collect()
}

/// A span of seconds in one unit: `4 min`, `2 h`, `3 days`.
pub fn span(seconds: i64) -> String {
    let s = seconds.max(0);
    match s {
        0..60 => format!("{s} s"),
        60..3570 => format!("{} min", (s + 30) / 60),
        3570..84_600 => format!("{} h", (s + 1800) / 3600),
        _ => counted((s + 43_200) / 86_400, "day", "days"),
    }
}

/// A measured figure with five significant digits at most; whole numbers with commas.
pub fn figure(x: f64) -> String {
    let size = x.abs();
    if x == 0.0 {
        return "0".to_owned();
    }
    if !(1e-4..1e15).contains(&size) {
        return format!("{x:.3e}");
    }
    if x.fract() == 0.0 {
        return count(x as i64);
    }
    let places = (4 - size.log10().floor() as i32).clamp(0, 8) as usize;
    let text = format!("{x:.places$}");
    let text = if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        &text
    };
    match text.split_once('.') {
        Some((whole, part)) if size >= 1000.0 => {
            format!("{}.{part}", count(whole.parse().unwrap_or_default()))
        }
        None if size >= 1000.0 => count(text.parse().unwrap_or_default()),
        _ => text.to_owned(),
    }
}

/// A share as `12 %`, `1.2 %` or `< 0.1 %`.
pub fn share(part: u64, whole: u64) -> String {
    let share = 100.0 * part as f64 / whole.max(1) as f64;
    if part > 0 && share < 0.1 {
        "< 0.1 %".to_owned()
    } else if part < whole && share > 99.9 {
        "> 99.9 %".to_owned()
    } else if share < 10.0 && part > 0 {
        format!("{share:.1} %")
    } else {
        format!("{share:.0} %")
    }
}

/// Percent-encodes a value for an address.
pub fn encode(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len());
    for b in text.bytes() {
        if b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~') {
            out.push(b as char);
        } else {
            let _ = write!(out, "%{b:02X}");
        }
    }
    out
}

/// A measured value, also one that is none.
pub fn measured(x: f64) -> String {
    if x.is_finite() {
        figure(x)
    } else {
        limn_domain::run::number::text(x).to_owned()
    }
}

/// Milliseconds between two times as a span; `4.2 s` below a minute.
pub fn lasted(from_ms: i64, to_ms: i64) -> String {
    let ms = to_ms.saturating_sub(from_ms).max(0);
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{:.1} s", ms as f64 / 1000.0),
        60_000..3_600_000 => format!("{} min {} s", ms / 60_000, ms / 1000 % 60),
        _ => format!("{} h {} min", ms / 3_600_000, ms / 60_000 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(count(-1000), "\u{2212}1,000");
        assert_eq!(count(12), "12");
        assert_eq!(counted(1, "item", "items"), "1 item");
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(4_200_000), "4.2 MB");
        assert_eq!(
            (percent(0, 9), percent(1, 1000), percent(999, 1000), percent(5, 5)),
            (0, 1, 99, 100)
        );
        assert_eq!(initials("Ana María Gómez"), "AG");
        assert_eq!(initials(""), "");
        assert_eq!(span(3_599), "1 h");
        assert_eq!(span(90 * 86_400 - 5), "90 days");
        assert_eq!(span(84_600), "1 day");
    }
}

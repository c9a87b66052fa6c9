//! Figures as people read them.

/// At most so many significant digits, without an exponent where it can be helped.
pub fn number(x: f64) -> String {
    if x == 0.0 {
        return "0".to_owned();
    }
    let size = x.abs();
    if !(1e-4..1e15).contains(&size) {
        return format!("{x:.3e}");
    }
    if x.fract() == 0.0 {
        return grouped(x as i64);
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
            format!("{}.{part}", grouped(whole.parse().unwrap_or_default()))
        }
        None if size >= 1000.0 => grouped(text.parse().unwrap_or_default()),
        _ => text.to_owned(),
    }
}

/// With commas between thousands.
pub fn count(n: u64) -> String {
    grouped(i64::try_from(n).unwrap_or(i64::MAX))
}

fn grouped(n: i64) -> String {
    let digits = n.unsigned_abs().to_string();
    let mut out = String::new();
    if n < 0 {
        out.push('-');
    }
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// Of a file or a set of them.
pub fn bytes(n: u64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let mut size = n as f64;
    let mut unit = 0;
    while size >= 999.5 && unit + 1 < UNITS.len() {
        size /= 1000.0;
        unit += 1;
    }
    if unit == 0 || size >= 99.95 {
        format!("{size:.0} {}", UNITS[unit])
    } else {
        format!("{size:.1} {}", UNITS[unit])
    }
}

/// A length of time in microseconds.
pub fn span(micros: i64) -> String {
    let seconds = micros as f64 / 1e6;
    for (unit, length) in [("d", 86_400.0), ("h", 3600.0), ("min", 60.0)] {
        if seconds >= length {
            return format!("{} {unit}", number((seconds / length * 10.0).round() / 10.0));
        }
    }
    format!("{} s", number(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short() {
        for (x, text) in [
            (0.0, "0"),
            (1.0, "1"),
            (1234567.0, "1,234,567"),
            (-1234.5, "-1,234.5"),
            (65_807_858.3, "65,807,858"),
            (2.14159265, "2.1416"),
            (0.000123456, "0.00012346"),
            (1e-9, "1.000e-9"),
            (1e20, "1.000e20"),
            (0.1 + 0.2, "0.3"),
        ] {
            assert_eq!(number(x), text);
        }
        assert_eq!(
            (
                bytes(999).as_str(),
                bytes(1500).as_str(),
                bytes(123_456_789).as_str()
            ),
            ("999 B", "1.5 kB", "123 MB")
        );
        assert_eq!(
            (span(90_000_000).as_str(), span(86_400_000_000).as_str()),
            ("1.5 min", "1 d")
        );
        assert_eq!(count(1_000_000), "1,000,000");
    }
}

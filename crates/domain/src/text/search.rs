//! Finding words in a text.

/// Most places that are answered.
pub const HITS_MAX: usize = 10_000;

/// Where `needle` is in `text`, in scalar values, without overlaps, upper and lower case alike; the first [`HITS_MAX`].
pub fn find(text: &str, needle: &str) -> Vec<(u32, u32)> {
    let needle: Vec<char> = needle.chars().map(fold).collect();
    let Some((first, rest)) = needle.split_first() else {
        return Vec::new();
    };
    let text: Vec<char> = text.chars().map(fold).collect();
    let (mut out, mut at) = (Vec::new(), 0);
    while at + needle.len() <= text.len() && out.len() < HITS_MAX {
        if text[at] == *first && text[at + 1..].starts_with(rest) {
            let end = at + needle.len();
            out.push((at as u32, end as u32));
            at = end;
        } else {
            at += 1;
        }
    }
    out
}

/// One scalar value for one, so that places stay; what becomes several in lower case stays as it is.
fn fold(c: char) -> char {
    let mut lower = c.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(one), None) => one,
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_scalar_values() {
        assert_eq!(find("😀 Ana, ANA und Banana", "ana"), [(2, 5), (7, 10), (16, 19)]);
        assert_eq!(find("İi", "İ"), [(0, 1)]);
        assert_eq!(find("aaaa", "aa"), [(0, 2), (2, 4)]);
        assert!(find("abc", "").is_empty() && find("", "a").is_empty() && find("ab", "abc").is_empty());
        assert_eq!(find(&"a".repeat(20_000), "a").len(), HITS_MAX);
    }
}

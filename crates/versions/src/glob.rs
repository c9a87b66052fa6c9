//! Patterns of paths: `*` is anything within a folder, `**` anything at all, `?` one character; case does not count.

/// Longest pattern taken, in characters.
const MAX: usize = 500;

/// A pattern, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob(Vec<Part>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Char(char),
    One,
    Within,
    All,
}

impl Glob {
    /// Errors say what is wrong, for people.
    pub fn new(pattern: &str) -> Result<Self, String> {
        let chars: Vec<char> = crate::key(pattern.trim()).chars().collect();
        if chars.is_empty() {
            return Err("Write a pattern such as `train/**` or `*.png`.".to_owned());
        }
        if chars.len() > MAX {
            return Err(format!("A pattern has at most {MAX} characters."));
        }
        let mut parts: Vec<Part> = Vec::with_capacity(chars.len());
        for c in chars {
            match (c, parts.last()) {
                ('*', Some(Part::Within)) => {
                    parts.pop();
                    parts.push(Part::All);
                }
                ('*', Some(Part::All)) => {}
                ('*', _) => parts.push(Part::Within),
                ('?', _) => parts.push(Part::One),
                (c, _) => parts.push(Part::Char(c)),
            }
        }
        Ok(Self(parts))
    }

    /// Whether a path fits. A pattern without a slash is matched against the last part of the path.
    pub fn matches(&self, path: &str) -> bool {
        let key = crate::key(path);
        let whole = self.0.contains(&Part::Char('/')) || self.0.contains(&Part::All);
        let text = if whole {
            key.as_str()
        } else {
            key.rsplit('/').next().unwrap_or(&key)
        };
        self.fits(text)
    }

    /// In time of pattern x text at most: the set of places in the pattern that the text so far can lead to.
    fn fits(&self, text: &str) -> bool {
        let parts = &self.0;
        let mut at = vec![false; parts.len() + 1];
        at[0] = true;
        let skip = |at: &mut Vec<bool>| {
            for n in 0..parts.len() {
                if at[n] && matches!(parts[n], Part::Within | Part::All) {
                    at[n + 1] = true;
                }
            }
        };
        skip(&mut at);
        for c in text.chars() {
            let mut next = vec![false; parts.len() + 1];
            for (n, part) in parts.iter().enumerate().filter(|(n, _)| at[*n]) {
                match part {
                    Part::Char(want) if *want == c => next[n + 1] = true,
                    Part::One if c != '/' => next[n + 1] = true,
                    Part::Within if c != '/' => next[n] = true,
                    Part::All => next[n] = true,
                    _ => {}
                }
            }
            skip(&mut next);
            at = next;
        }
        at[parts.len()]
    }
}

#[cfg(test)]
mod tests {
    use super::Glob;

    #[test]
    fn patterns() {
        for (pattern, path, fits) in [
            ("*.png", "a/b/C.PNG", true),
            ("*.png", "a/b/c.jpg", false),
            ("train/*", "train/a.png", true),
            ("train/*", "train/a/b.png", false),
            ("train/**", "train/a/b.png", true),
            ("**/b.png", "train/a/b.png", true),
            ("a?c", "abc", true),
            ("a?c", "a/c", false),
            ("*", "x", true),
            ("**", "x/y", true),
        ] {
            assert_eq!(
                Glob::new(pattern).unwrap().matches(path),
                fits,
                "{pattern} {path}"
            );
        }
        assert!(Glob::new(" ").is_err());
        assert!(Glob::new(&"*a".repeat(1000)).is_err());
    }

    #[test]
    fn a_hostile_pattern_takes_no_time() {
        let pattern = Glob::new(&"*a".repeat(200)).unwrap();
        assert!(!pattern.matches(&"a".repeat(199)));
        assert!(!pattern.matches(&format!("{}b", "a".repeat(400))));
    }
}

//! What people type who know no grammar: words, `key:value`, `alias:name`.

use std::collections::BTreeMap;

/// Most words of one search; what follows is passed over.
const TERMS: usize = 20;
/// The key that is no tag.
const ALIAS: &str = "alias";

/// A word of a search. Case does not matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Term {
    /// A part of a name.
    Name(String),
    /// A tag of this key, with this in its value.
    Tag { key: String, value: String },
    /// A part of an alias.
    Alias(String),
}

impl Term {
    fn new(word: &str) -> Self {
        match word.split_once(':') {
            Some((key, value)) if key == ALIAS => Self::Alias(value.to_owned()),
            Some((key, value)) if !key.is_empty() => Self::Tag {
                key: key.to_owned(),
                value: value.to_owned(),
            },
            _ => Self::Name(word.to_owned()),
        }
    }

    pub fn is_in_name(&self, name: &str) -> bool {
        matches!(self, Self::Name(part) if within(name, part))
    }

    pub fn is_in_alias(&self, alias: &str) -> bool {
        matches!(self, Self::Alias(part) if within(alias, part))
    }

    pub fn is_in_tags(&self, tags: &BTreeMap<String, String>) -> bool {
        match self {
            Self::Tag { key, value } => tags
                .iter()
                .any(|(k, v)| k.to_lowercase() == *key && within(v, value)),
            _ => false,
        }
    }
}

/// `part` is in small letters.
fn within(text: &str, part: &str) -> bool {
    text.to_lowercase().contains(part)
}

/// Takes a search apart at white space that does not stand in double quotes: `team:"computer vision" alias:production digits`.
pub fn terms(text: &str) -> Vec<Term> {
    let (mut words, mut word, mut is_quoted) = (Vec::new(), String::new(), false);
    for c in text.to_lowercase().chars() {
        match c {
            '"' => is_quoted = !is_quoted,
            c if c.is_whitespace() && !is_quoted => words.push(std::mem::take(&mut word)),
            c => word.push(c),
        }
    }
    words.push(word);
    words.retain(|w| !w.is_empty());
    words.iter().take(TERMS).map(|w| Term::new(w)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(key: &str, value: &str) -> Term {
        Term::Tag {
            key: key.to_owned(),
            value: value.to_owned(),
        }
    }

    #[test]
    fn words_tags_and_aliases() {
        let name = |n: &str| Term::Name(n.to_owned());
        assert_eq!(
            terms("  Digits team:Vision\talias:Prod "),
            [name("digits"), tag("team", "vision"), Term::Alias("prod".into())]
        );
        assert_eq!(
            terms("team:\"computer vision\" \"a b\""),
            [tag("team", "computer vision"), name("a b")]
        );
        // Any value, a value with a colon, no key, a quote that is not closed.
        assert_eq!(
            terms("team: at:10:30 :x \"a b"),
            [tag("team", ""), tag("at", "10:30"), name(":x"), name("a b")]
        );
        assert_eq!(terms(" \" \""), [name(" ")]);
        assert_eq!(terms(""), []);
        assert_eq!(terms(&"a ".repeat(1_000)).len(), TERMS);
    }

    #[test]
    fn what_they_match() {
        let tags = BTreeMap::from([("Team".to_owned(), "Computer Vision".to_owned())]);
        let all = terms("VIS team:visi team: other:vision alias:pro");
        assert!(all[0].is_in_name("Revision 2") && !all[0].is_in_tags(&tags));
        assert!(all[1].is_in_tags(&tags) && all[2].is_in_tags(&tags) && !all[3].is_in_tags(&tags));
        assert!(all[4].is_in_alias("Production") && !all[4].is_in_name("production"));
    }
}

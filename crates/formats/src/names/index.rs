//! Finds the item a file means by its name.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

/// How a name was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found<T> {
    /// By its path, letter for letter.
    Exact(T),
    /// By its path, regardless of case.
    Case(T),
    /// By the last part of the path, which only one item has (or only one that shares so many folders).
    Base(T),
    /// By the last part without its extension.
    Stem(T),
    /// Several items fit equally well; how many.
    Ambiguous(usize),
    Missing,
}

impl<T> Found<T> {
    pub fn item(self) -> Option<T> {
        match self {
            Self::Exact(t) | Self::Case(t) | Self::Base(t) | Self::Stem(t) => Some(t),
            Self::Ambiguous(_) | Self::Missing => None,
        }
    }
}

/// The names of a project's items. About 150 bytes for each.
#[derive(Debug)]
pub struct NameIndex<T> {
    names: Vec<(Box<str>, T)>,
    hasher: RandomState,
    /// Hash of the lower-case path, base name and stem -> where in `names`; checked against the name on use.
    paths: HashMap<u64, Vec<u32>>,
    bases: HashMap<u64, Vec<u32>>,
    stems: HashMap<u64, Vec<u32>>,
}

impl<T> Default for NameIndex<T> {
    fn default() -> Self {
        Self {
            names: Vec::new(),
            hasher: RandomState::new(),
            paths: HashMap::new(),
            bases: HashMap::new(),
            stems: HashMap::new(),
        }
    }
}

impl<T: Copy> NameIndex<T> {
    pub fn insert(&mut self, name: &str, item: T) {
        let n = self.names.len() as u32;
        let key = key(name);
        let base = base(&key);
        self.paths.entry(self.hasher.hash_one(&*key)).or_default().push(n);
        self.bases.entry(self.hasher.hash_one(base)).or_default().push(n);
        self.stems
            .entry(self.hasher.hash_one(stem(base)))
            .or_default()
            .push(n);
        self.names.push((name.into(), item));
    }

    pub fn len(&self) -> usize {
        self.names.len()
    }

    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The item meant by a path as some other tool wrote it: absolute, with backslashes, in other case, with other
    /// folders, with another extension - the closest reading that is not ambiguous.
    pub fn find(&self, wanted: &str) -> Found<T> {
        let key = key(wanted);
        let base_key = base(&key);
        if base_key.is_empty() {
            return Found::Missing;
        }
        if let Some(n) = self
            .candidates(&self.paths, &key, |name| self::key(name) == key)
            .first()
        {
            let (name, item) = &self.names[*n as usize];
            return if **name == *wanted {
                Found::Exact(*item)
            } else {
                Found::Case(*item)
            };
        }
        let by_base = self.candidates(&self.bases, base_key, |name| base(&self::key(name)) == base_key);
        if !by_base.is_empty() {
            return self
                .closest(&by_base, &key)
                .map_or(Found::Ambiguous(by_base.len()), Found::Base);
        }
        self.by_stem(stem(base_key), &key)
    }

    /// The item meant by a path without extension, in which every dot is part of the name.
    pub fn find_stem(&self, wanted: &str) -> Found<T> {
        let key = key(wanted);
        let stem_key = base(&key);
        if stem_key.is_empty() {
            return Found::Missing;
        }
        let same = self.candidates(&self.stems, stem_key, |name| {
            let name = self::key(name);
            let extension = base(&name).len() - stem(base(&name)).len();
            name[..name.len() - extension] == *key
        });
        match same.as_slice() {
            [one] => Found::Stem(self.names[*one as usize].1),
            _ => self.by_stem(stem_key, &key),
        }
    }

    fn by_stem(&self, stem_key: &str, key: &str) -> Found<T> {
        let by_stem = self.candidates(&self.stems, stem_key, |name| {
            stem(base(&self::key(name))) == stem_key
        });
        match by_stem.len() {
            0 => Found::Missing,
            n => self
                .closest(&by_stem, key)
                .map_or(Found::Ambiguous(n), Found::Stem),
        }
    }

    fn candidates(&self, map: &HashMap<u64, Vec<u32>>, text: &str, is_it: impl Fn(&str) -> bool) -> Vec<u32> {
        let found = map
            .get(&self.hasher.hash_one(text))
            .map_or(&[][..], Vec::as_slice);
        found
            .iter()
            .copied()
            .filter(|n| is_it(&self.names[*n as usize].0))
            .collect()
    }

    /// The one candidate that shares more of the innermost folders with the wanted path than every other.
    fn closest(&self, candidates: &[u32], wanted: &str) -> Option<T> {
        let shared = |n: u32| {
            let name = key(&self.names[n as usize].0);
            wanted
                .rsplit('/')
                .skip(1)
                .zip(name.rsplit('/').skip(1))
                .take_while(|(a, b)| a == b)
                .count()
        };
        let best = candidates.iter().map(|n| shared(*n)).max()?;
        let mut at_best = candidates.iter().filter(|n| shared(**n) == best);
        match (at_best.next(), at_best.next()) {
            (Some(n), None) => Some(self.names[*n as usize].1),
            _ => None,
        }
    }
}

/// Lower case, forward slashes, no leading `./`, slash or drive.
fn key(name: &str) -> String {
    let name = name.trim().replace('\\', "/").to_lowercase();
    let name = name.strip_prefix("file://").unwrap_or(&name);
    let name = match name.as_bytes() {
        [drive, b':', ..] if drive.is_ascii_alphabetic() => &name[2..],
        _ => name,
    };
    name.split('/')
        .filter(|part| !matches!(*part, "" | "."))
        .collect::<Vec<_>>()
        .join("/")
}

fn base(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or_default()
}

/// A file name (no folders) without its extension.
pub fn stem(base: &str) -> &str {
    match base.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() => stem,
        _ => base,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn index(names: &[&str]) -> NameIndex<usize> {
        let mut index = NameIndex::default();
        for (i, name) in names.iter().enumerate() {
            index.insert(name, i);
        }
        index
    }

    #[test]
    fn finds_from_strict_to_lenient() {
        let i = index(&[
            "train/a.jpg",
            "val/a.jpg",
            "B.PNG",
            "c.tiff",
            "x/d.png",
            "x/d.jpg",
            ".hidden",
        ]);
        assert_eq!(i.find("train/a.jpg"), Found::Exact(0));
        assert_eq!(i.find("Train\\A.JPG"), Found::Case(0));
        assert_eq!(i.find("/train/a.jpg"), Found::Case(0));
        assert_eq!(i.find("C:\\data\\val\\a.jpg"), Found::Base(1));
        assert_eq!(i.find("a.jpg"), Found::Ambiguous(2));
        assert_eq!(i.find("images/b.png"), Found::Base(2));
        assert_eq!(i.find("c"), Found::Stem(3));
        assert_eq!(i.find("c.jpg"), Found::Stem(3));
        assert_eq!(i.find("d.bmp"), Found::Ambiguous(2));
        assert_eq!(i.find("d.jpg"), Found::Base(5));
        assert_eq!(i.find(".hidden"), Found::Exact(6));
        for none in ["", "/", "zzz.jpg", "a.jpg/"] {
            assert!(i.find(none).item().is_none(), "{none}");
        }
    }

    proptest! {
        #[test]
        fn finds_itself(names in proptest::collection::hash_set("[a-z]{1,3}(/[a-z]{1,2}){0,2}\\.(jpg|png)", 1..20)) {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let i = index(&names);
            for (n, name) in names.iter().enumerate() {
                prop_assert_eq!(i.find(name), Found::Exact(n));
            }
        }

        #[test]
        fn never_panics(name in "\\PC{0,20}", wanted in "\\PC{0,20}") {
            index(&[&name]).find(&wanted);
        }
    }
}

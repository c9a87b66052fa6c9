//! Names for exported pictures: relative, unique, and fit for every file system.

use super::index::stem;
use limn_domain::export::FileNames;
use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

const RESERVED: [&str; 22] = [
    "con", "prn", "aux", "nul", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8", "com9",
    "lpt1", "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
];
/// Longest part of a path, in bytes.
const PART_MAX: usize = 180;

/// Hands out names. Ask in a fixed order: a collision is settled by the image's id, so that names are reproducible.
#[derive(Debug)]
pub struct ExportNames {
    how: FileNames,
    /// No two names may be equal without their extension.
    stems: bool,
    hasher: RandomState,
    taken: HashSet<u64>,
}

impl ExportNames {
    pub fn new(how: FileNames) -> Self {
        Self {
            how,
            stems: how == FileNames::Flat,
            hasher: RandomState::new(),
            taken: HashSet::new(),
        }
    }

    /// Names that stay apart without their extension also where folders are kept, for formats whose label files are
    /// named after pictures.
    pub fn with_stems(how: FileNames) -> Self {
        Self {
            stems: true,
            ..Self::new(how)
        }
    }

    /// The name for an item. With flat names no two are equal regardless of case or extension (label files are named
    /// after pictures without it); `id` tells those apart that would be.
    pub fn name(&mut self, item_name: &str, id: i64) -> String {
        let parts: Vec<String> = item_name
            .split('/')
            .filter(|p| !matches!(*p, "" | "." | ".."))
            .map(safe_part)
            .collect();
        let base = parts.last().map_or("image", String::as_str);
        let folder = match self.how {
            FileNames::Preserve => parts
                .get(..parts.len().saturating_sub(1))
                .unwrap_or_default()
                .join("/"),
            FileNames::Flat => String::new(),
        };
        let join = |base: &str| {
            if folder.is_empty() {
                base.to_owned()
            } else {
                format!("{folder}/{base}")
            }
        };
        let name = join(base);
        if self.take(&name) {
            return name;
        }
        let (stem, ext) = (stem(base), &base[stem(base).len()..]);
        let mut suffix = id.to_string();
        loop {
            let name = join(&format!("{stem}_{suffix}{ext}"));
            if self.take(&name) {
                return name;
            }
            suffix.push('x');
        }
    }

    fn take(&mut self, name: &str) -> bool {
        let lower = name.to_lowercase();
        let base = lower.rsplit('/').next().unwrap_or(&lower);
        let extension = if self.stems {
            base.len() - stem(base).len()
        } else {
            0
        };
        let key = &lower[..lower.len() - extension];
        self.taken.insert(self.hasher.hash_one(key))
    }
}

/// One part of a path without what some file system refuses.
fn safe_part(part: &str) -> String {
    let mut out: String = part
        .chars()
        .map(|c| {
            if c.is_control() || "<>:\"|?*\\".contains(c) {
                '_'
            } else {
                c
            }
        })
        .collect();
    if out.len() > PART_MAX {
        let ext_at = stem(&out).len();
        let ext = out[ext_at..].to_owned();
        let ext = if ext.len() <= 10 { ext } else { String::new() };
        out.truncate(out.floor_char_boundary(PART_MAX - ext.len()));
        out.push_str(&ext);
    }
    if out.ends_with(['.', ' ']) {
        out.pop();
        out.push('_');
    }
    let first = out.split('.').next().unwrap_or_default().to_lowercase();
    if RESERVED.contains(&first.trim_end()) {
        out.insert(0, '_');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn flat_names_are_unique_without_extension() {
        let mut names = ExportNames::new(FileNames::Flat);
        let got: Vec<_> = [
            ("a/x.jpg", 1),
            ("b/X.png", 2),
            ("x.gif", 3),
            ("x_3.jpg", 4),
            ("con.png", 5),
            ("what?.jpg", 6),
        ]
        .into_iter()
        .map(|(n, id)| names.name(n, id))
        .collect();
        assert_eq!(
            got,
            [
                "x.jpg",
                "X_2.png",
                "x_3.gif",
                "x_3_4.jpg",
                "_con.png",
                "what_.jpg"
            ]
        );
    }

    #[test]
    fn preserved_names_stay() {
        let mut names = ExportNames::new(FileNames::Preserve);
        assert_eq!(names.name("a/x.jpg", 1), "a/x.jpg");
        assert_eq!(names.name("a/x.png", 2), "a/x.png");
        assert_eq!(names.name("a/x?.png", 3), "a/x_.png");
        assert_eq!(names.name("a/x*.png", 4), "a/x__4.png");
        assert_eq!(names.name("../../etc/passwd", 5), "etc/passwd");
    }

    proptest! {
        #[test]
        fn always_safe_and_unique(items in proptest::collection::vec("[a-bA-B.? /\\\\é]{0,8}(\\.jpg)?", 0..30), flat: bool) {
            let mut names = ExportNames::new(if flat { FileNames::Flat } else { FileNames::Preserve });
            let mut seen = HashSet::new();
            for (i, item) in items.iter().enumerate() {
                let name = names.name(item, i as i64 + 1);
                prop_assert!(seen.insert(name.to_lowercase()), "{}", name);
                prop_assert!(limn_domain::validate::item_name(&name).is_ok(), "{}", name);
                prop_assert!(!flat || !name.contains('/'));
            }
        }
    }
}

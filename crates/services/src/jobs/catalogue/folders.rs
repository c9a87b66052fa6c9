//! Pictures in archives, with categories in their paths, or none.

use super::load::{
    Content, LIMITS, Loaded, Sample, Sources, To, Trouble, categories, folder_of, path_of, refused,
};
use limn_domain::catalogue::{Folders, LabelFrom};
use limn_domain::dataset::Split;
use limn_storage::ImageKind;
use limn_storage::archive;
use std::collections::{BTreeSet, HashMap};
use std::ops::ControlFlow;

pub fn labeled(l: &Folders, sources: &Sources, to: &To) -> anyhow::Result<Loaded> {
    let mut lists: HashMap<String, Split> = HashMap::new();
    for list in &l.lists {
        let text = sources.text(&list.file, list.path.as_ref())?;
        let words = text.lines().filter_map(|line| line.split_whitespace().next());
        lists.extend(
            words
                .filter(|w| !w.starts_with('#'))
                .map(|w| (w.to_owned(), list.split)),
        );
    }
    let (mut seen, mut notes) = (BTreeSet::new(), Vec::new());
    for part in &l.parts {
        let under = if part.under.is_empty() {
            String::new()
        } else {
            format!("{}/", part.under)
        };
        let source = sources.get(&part.file)?;
        let out = archive::each::<Trouble>(
            &source,
            LIMITS,
            |name| name.starts_with(&under) && ImageKind::from_name(name).is_some(),
            |name, reader| {
                let rest = name.strip_prefix(&under).unwrap_or(name);
                let category = said(rest, l.category)
                    .map(|said| path_of(l.names.get(said).map_or(said, String::as_str)));
                seen.extend(category.clone());
                to.put(Sample {
                    path: format!("{}{rest}", folder_of(part.split)),
                    split: lists.get(stem(rest)).copied().unwrap_or(part.split),
                    content: Content::File(to.stage(reader)),
                    category,
                })?;
                Ok(ControlFlow::Continue(()))
            },
        )
        .map_err(|e| e.about(&part.file))?;
        refused(&mut notes, &part.file, &out);
    }
    // Those that are named and did not come are categories all the same.
    seen.extend(l.names.values().map(|n| path_of(n)));
    Ok(Loaded {
        categories: Some(categories(&seen)),
        notes,
    })
}

/// All pictures of an archive, as they lie there.
pub fn all(name: &str, split: Split, sources: &Sources, to: &To) -> anyhow::Result<Loaded> {
    let mut notes = Vec::new();
    let source = sources.get(name)?;
    let out = archive::each::<Trouble>(
        &source,
        LIMITS,
        |name| ImageKind::from_name(name).is_some(),
        |name, reader| {
            to.put(Sample {
                path: name.to_owned(),
                split,
                content: Content::File(to.stage(reader)),
                category: None,
            })?;
            Ok(ControlFlow::Continue(()))
        },
    )
    .map_err(|e| e.about(name))?;
    refused(&mut notes, name, &out);
    Ok(Loaded {
        categories: None,
        notes,
    })
}

/// The name without folders and extension.
fn stem(path: &str) -> &str {
    let base = path.rsplit('/').next().unwrap_or(path);
    base.rsplit_once('.').map_or(base, |(s, _)| s)
}

/// What a path says of the category.
fn said(path: &str, from: LabelFrom) -> Option<&str> {
    let said = match from {
        LabelFrom::Folder => path.rsplit('/').nth(1)?,
        LabelFrom::Name => stem(path).rsplit_once('_')?.0,
    };
    Some(said.trim()).filter(|s| !s.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn categories_are_in_paths() {
        assert_eq!(said("train/n01/x.JPEG", LabelFrom::Folder), Some("n01"));
        assert_eq!(said("x.jpg", LabelFrom::Folder), None);
        assert_eq!(
            said("images/american_bulldog_12.jpg", LabelFrom::Name),
            Some("american_bulldog")
        );
        assert_eq!(said("images/x.jpg", LabelFrom::Name), None);
        assert_eq!(stem("a/b.c/d.e.png"), "d.e");
    }
}

//! Which version a source means, and which of its files.

use crate::jobs::source::walk::fits as lies_in;
use crate::jobs::version::fits;
use crate::versions::nodes::DbNodes;
use crate::{Error, Result, versions};
use limn_domain::dataset::{LATEST, Split, Version};
use limn_domain::datastore::{SourceDataset, glob_folder};
use limn_domain::project::Task;
use limn_domain::{Code, SourceId, VersionId};
use limn_jobs::Permanent;
use limn_store::{StoreError, Tx, repo};
use limn_versions::{Change, Diff, Entry, Glob, Reader};

/// Which files of a version are wanted.
pub(super) struct Wanted {
    pub split: Option<Split>,
    glob: Option<Glob>,
    /// A pattern without stars, and the folder that all of it is in, as keys are written.
    plain: String,
    pub folder: String,
    pub is_text: bool,
}

/// What differs, or everything there is.
pub(super) enum Walk {
    All(Reader),
    Changes(Diff),
}

/// The version that the source means now. Errors name what is gone and what to do.
pub(super) async fn present(tx: &mut Tx, of: &SourceDataset) -> anyhow::Result<Version> {
    let name = &of.name;
    let Some(dataset) = of.dataset_id else {
        return Err(Permanent(format!(
            "The dataset “{name}” was deleted. The items that came from it stay; remove this source, or add one of another dataset."
        ))
        .into());
    };
    if let Some(version) = versions::named(tx, dataset, &of.version).await? {
        return Ok(version);
    }
    let wanted = &of.version;
    let why = if wanted == LATEST {
        format!("The dataset “{name}” has no version any more. Register one, then refresh again.")
    } else if wanted.bytes().all(|b| b.is_ascii_digit()) {
        format!("Version {wanted} of the dataset “{name}” was deleted. Take another one in a new source.")
    } else {
        format!(
            "No version of the dataset “{name}” has the alias `{wanted}` any more. Point it to one, or take another version in \
             a new source."
        )
    };
    Err(Permanent(format!("{why} The items that came from it stay.")).into())
}

pub(super) fn removed() -> Permanent {
    Permanent("The source was removed meanwhile.".to_owned())
}

/// Why a version is not being taken any more.
pub(in crate::jobs::source) async fn lost(tx: &mut Tx, source: SourceId, version: VersionId) -> Error {
    let why = async {
        let Some(found) = repo::source::get(tx, source).await? else {
            return Ok(removed().0);
        };
        Ok::<_, StoreError>(match repo::version::get(tx, version).await? {
            Some(_) => "Another refresh of this source took over.".to_owned(),
            None => deleted(found.name()),
        })
    };
    match why.await {
        Ok(text) => Error::new(Code::WrongState, text),
        Err(e) => e.into(),
    }
}

pub(super) fn deleted(name: &str) -> String {
    format!(
        "The version of the dataset “{name}” that was being taken was deleted. What was taken stays; refresh again for another one."
    )
}

impl Wanted {
    pub fn new(pattern: &str, split: Option<Split>, task: Task) -> anyhow::Result<Self> {
        let has_stars = pattern.contains(['*', '?']);
        Ok(Self {
            split,
            glob: if has_stars {
                Some(Glob::new(pattern).map_err(Permanent)?)
            } else {
                None
            },
            plain: limn_versions::key(pattern),
            folder: limn_versions::key(glob_folder(pattern)),
            is_text: task.is_text(),
        })
    }

    pub fn matches(&self, e: &Entry) -> bool {
        self.split.is_none_or(|s| s == e.split)
            && match &self.glob {
                Some(glob) => glob.matches(&e.path),
                None => lies_in(&self.plain, &e.key()),
            }
    }

    pub fn lets(&self, e: &Entry) -> bool {
        self.matches(e) && fits(e, self.is_text)
    }
}

impl Walk {
    pub async fn next(&mut self, db: &mut DbNodes<'_>) -> Result<Option<Change>> {
        match self {
            Self::All(reader) => Ok(reader.next(db).await?.map(Change::Added)),
            Self::Changes(diff) => diff.next(db).await,
        }
    }
}

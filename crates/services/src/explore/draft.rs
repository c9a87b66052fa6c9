//! Files that are written whole before they take their place: nobody reads half of one. Blocking.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a draft stays that nobody writes to.
const LIFE: Duration = Duration::from_hours(1);

/// Writes parts, one behind the other, beside the file of this path; answers where. To be renamed to the path.
pub(crate) fn write(path: &Path, parts: &[&[u8]]) -> std::io::Result<PathBuf> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let draft = path.with_extension(format!("{}.draft", hex::encode(rand::random::<[u8; 4]>())));
    let mut file = File::create(&draft)?;
    for part in parts {
        file.write_all(part)?;
    }
    Ok(draft)
}

/// Whether nobody has written to a draft for so long that nobody will.
pub(crate) fn is_old(draft: &Path) -> bool {
    let modified = std::fs::metadata(draft).and_then(|m| m.modified());
    modified.is_ok_and(|m| m.elapsed().is_ok_and(|age| age > LIFE))
}

/// The files of a folder; none where there is none.
pub(crate) fn list(folder: &Path) -> Vec<PathBuf> {
    let list = std::fs::read_dir(folder).map(|d| d.flatten().map(|e| e.path()).collect());
    list.unwrap_or_default()
}

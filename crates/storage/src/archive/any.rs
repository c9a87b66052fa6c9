//! One way through archives of every form.

use super::tar::Tar;
use super::{Archive, ArchiveLimits, Refused, plain};
use crate::staged::Source;
use crate::{StorageError, sniff};
use std::io::Read;
use std::ops::ControlFlow;

/// Hands every file of a zip, a tar or a packed tar whose name is wanted to `visit`, in the archive's order. Answers what
/// was refused. What fails while a file is read is an [`std::io::Error`] that converts back into its [`StorageError`].
/// Blocking.
pub fn each<E: From<StorageError>>(
    source: &Source,
    limits: ArchiveLimits,
    mut wants: impl FnMut(&str) -> bool,
    mut visit: impl FnMut(&str, &mut dyn Read) -> Result<ControlFlow<()>, E>,
) -> Result<Vec<Refused>, E> {
    let mut head = [0; 4];
    let mut reader = source.reader()?;
    let n = reader.read(&mut head).map_err(StorageError::from)?;
    if !sniff::is_zip(&head[..n]) {
        let mut tar = Tar::new(plain(source, limits)?, limits);
        while let Some(name) = tar.next()? {
            if wants(&name) && visit(&name, &mut tar)?.is_break() {
                break;
            }
        }
        return Ok(tar.into_refused());
    }
    let mut archive = Archive::open(source, limits)?;
    for n in 0..archive.entries().len() {
        let name = archive.entries()[n].name.to_string();
        if !wants(&name) {
            continue;
        }
        let went_on = match archive.reader(n) {
            Ok(mut reader) => visit(&name, &mut reader)?,
            Err(e) => visit(&name, &mut Failing(Some(e)))?,
        };
        if went_on.is_break() {
            break;
        }
    }
    Ok(std::mem::take(&mut archive.refused))
}

/// A file that cannot be opened, for whoever would read it.
struct Failing(Option<StorageError>);

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        Err(self.0.take().unwrap_or(StorageError::NotFound).into())
    }
}

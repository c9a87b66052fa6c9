//! Looking into a datastore: folders, files, tables.

use super::Datastores;
use super::connect::{Live, api, live};
use crate::authz::require;
use crate::jobs::source::fetch_file;
use crate::{Actor, Error, Result};
use bytes::Bytes;
use futures::StreamExt as _;
use limn_connect::{Entry, Files};
use limn_domain::datastore::{StoreEntry, StorePage, StorePreview, StoreTable, TableColumn, TablePreview};
use limn_domain::{Action, Code, DatastoreId, Timestamp};
use limn_storage::{ImageKind, RenditionKind};
use limn_store::repo;

/// Largest picture that is looked into for a preview, in bytes.
const PICTURE_MAX: u64 = 64 << 20;
/// Bytes of a text that are shown.
const TEXT: usize = 64 << 10;
/// Rows of a table that are shown.
const ROWS: usize = 50;
/// Longest value shown.
const VALUE: usize = 500;

/// A small picture, JPEG or as it is.
pub struct Thumb {
    pub media_type: &'static str,
    pub bytes: Bytes,
}

impl Datastores {
    /// What is in a folder, a page at a time.
    pub async fn browse(
        &self,
        actor: &Actor,
        id: DatastoreId,
        folder: &str,
        page: Option<&str>,
    ) -> Result<StorePage> {
        require(actor, Action::UseDatastores)?;
        let folder = path(folder)?;
        let live = live(&self.0, id).await?;
        let listing = live
            .opened
            .files()
            .map_err(api)?
            .list(&folder, page)
            .await
            .map_err(api)?;
        Ok(StorePage {
            entries: listing.entries.into_iter().map(shown).collect(),
            next: listing.next,
        })
    }

    /// What a file looks like: a picture's size, the beginning of a text, the first rows of a table.
    pub async fn preview(&self, actor: &Actor, id: DatastoreId, file: &str) -> Result<StorePreview> {
        require(actor, Action::UseDatastores)?;
        let file = path(file)?;
        let live = live(&self.0, id).await?;
        let files = live.opened.files().map_err(api)?;
        let entry = files.stat(&file).await.map_err(api)?;
        let size = entry.size.and_then(|s| i64::try_from(s).ok());
        if entry.is_folder {
            return Err(Error::new(Code::InvalidInput, format!("`{file}` is a folder.")));
        }
        if ImageKind::from_name(&file).is_some() {
            return self.picture(&live, &entry, size).await;
        }
        let head = head(files, &file).await?;
        let cut = head.len() >= TEXT;
        let text = match std::str::from_utf8(&head) {
            Ok(text) => text,
            // A character that is cut at the end is none.
            Err(e) if cut && head.len() - e.valid_up_to() < 4 => {
                std::str::from_utf8(&head[..e.valid_up_to()]).unwrap_or_default()
            }
            Err(_) => {
                return Ok(StorePreview::Other {
                    size,
                    why: "This file is neither a picture nor text in UTF-8.".to_owned(),
                });
            }
        };
        if text.contains('\0') {
            return Ok(StorePreview::Other {
                size,
                why: "This file holds bytes and no text.".to_owned(),
            });
        }
        let lower = file.to_lowercase();
        for (ending, delimiter) in [(".csv", ','), (".tsv", '\t')] {
            if lower.ends_with(ending) {
                return Ok(StorePreview::Table(table(text, delimiter, cut)));
            }
        }
        Ok(StorePreview::Text {
            size,
            text: text.to_owned(),
            cut,
        })
    }

    async fn picture(&self, live: &Live, entry: &Entry, size: Option<i64>) -> Result<StorePreview> {
        if entry.size.is_none_or(|s| s > PICTURE_MAX) {
            return Ok(StorePreview::Other {
                size,
                why: format!(
                    "Pictures of more than {} MB are not previewed.",
                    PICTURE_MAX >> 20
                ),
            });
        }
        let staged = fetch_file(&self.0, live, entry, PICTURE_MAX)
            .await
            .map_err(|e| api(e.into()))?;
        let (source, limits) = (staged.source(), *self.0.renditions.limits());
        let header = tokio::task::spawn_blocking(move || limn_storage::header(&source, &limits))
            .await
            .map_err(anyhow::Error::from)?;
        Ok(match header {
            Ok(info) => StorePreview::Image {
                size,
                width: i64::from(info.width),
                height: i64::from(info.height),
            },
            Err(e) => StorePreview::Other {
                size,
                why: format!("This is no picture that can be read: {e}"),
            },
        })
    }

    /// A small picture of a picture.
    pub async fn thumb(&self, actor: &Actor, id: DatastoreId, file: &str) -> Result<Thumb> {
        require(actor, Action::UseDatastores)?;
        let file = path(file)?;
        if ImageKind::from_name(&file).is_none() {
            return Err(Error::new(Code::BadRequest, "This file is no picture."));
        }
        let live = live(&self.0, id).await?;
        let entry = live.opened.files().map_err(api)?.stat(&file).await.map_err(api)?;
        if entry.size.is_some_and(|s| s > PICTURE_MAX) {
            return Err(Error::new(
                Code::TooLarge,
                format!(
                    "Pictures of more than {} MB are not previewed.",
                    PICTURE_MAX >> 20
                ),
            ));
        }
        let staged = fetch_file(&self.0, &live, &entry, PICTURE_MAX)
            .await
            .map_err(|e| api(e.into()))?;
        let digest = staged.digest().clone();
        let made = self
            .0
            .renditions
            .get_or_make(&digest, RenditionKind::Thumb, staged.source())
            .await;
        // Nothing here is kept, unless the picture is ours or some version's that left it there.
        if !repo::blob::exists(&mut self.0.db.read().await?, &digest).await?
            && let Err(e) = self.0.renditions.delete(&digest).await
        {
            tracing::warn!(%digest, error = %e, "the rendition of a preview was not removed");
        }
        let bytes = made.map_err(|e| crate::ingest::refusal(&file, e))?;
        let media_type = limn_storage::sniff(&bytes[..bytes.len().min(limn_storage::SNIFF_LEN)])
            .map_or("application/octet-stream", ImageKind::media_type);
        Ok(Thumb { media_type, bytes })
    }

    /// Tables and views of a database.
    pub async fn tables(&self, actor: &Actor, id: DatastoreId) -> Result<Vec<StoreTable>> {
        require(actor, Action::UseDatastores)?;
        let live = live(&self.0, id).await?;
        live.opened.database().map_err(api)?.tables().await.map_err(api)
    }

    /// The first rows that a query answers.
    pub async fn query(&self, actor: &Actor, id: DatastoreId, sql: &str) -> Result<TablePreview> {
        require(actor, Action::UseDatastores)?;
        let sql = limn_connect::sql::check_query(sql).map_err(|e| Error::field("sql", e.to_string()))?;
        let live = live(&self.0, id).await?;
        live.opened
            .database()
            .map_err(api)?
            .preview(&sql, ROWS)
            .await
            .map_err(api)
    }
}

/// A path as somebody writes it, checked.
fn path(text: &str) -> Result<String> {
    let path = text.trim_matches('/');
    let fine = path.len() <= 1_024
        && !path.chars().any(char::is_control)
        && !path.split('/').any(|p| matches!(p, "." | ".."));
    if fine {
        Ok(path.to_owned())
    } else {
        Err(Error::field(
            "path",
            "A path has at most 1,024 bytes, no `..` and no control characters.",
        ))
    }
}

fn shown(e: Entry) -> StoreEntry {
    StoreEntry {
        path: e.path,
        is_folder: e.is_folder,
        size: e.size.and_then(|s| i64::try_from(s).ok()),
        modified: e.modified.map(|s| Timestamp(0).plus_seconds(s)),
    }
}

/// The beginning of a file.
async fn head(files: &dyn Files, path: &str) -> Result<Vec<u8>> {
    let mut body = files.read(path, 0).await.map_err(api)?.body;
    let mut head = Vec::new();
    while let Some(chunk) = body.next().await {
        head.extend_from_slice(&chunk.map_err(api)?);
        if head.len() >= TEXT {
            head.truncate(TEXT);
            break;
        }
    }
    Ok(head)
}

/// The first rows of a delimited text.
fn table(text: &str, delimiter: char, cut: bool) -> TablePreview {
    let mut rows: Vec<Vec<Option<String>>> = Vec::new();
    let (mut row, mut cell, mut quoted, mut fresh) = (Vec::new(), String::new(), false, true);
    let mut chars = text.trim_start_matches('\u{feff}').chars().peekable();
    let mut whole = true;
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' if quoted => quoted = false,
            '"' if fresh => (quoted, fresh) = (true, false),
            c if quoted => cell.push(c),
            c if c == delimiter => {
                row.push(Some(std::mem::take(&mut cell)));
                fresh = true;
            }
            '\r' => {}
            '\n' => {
                row.push(Some(std::mem::take(&mut cell)));
                rows.push(std::mem::take(&mut row));
                fresh = true;
                if rows.len() > ROWS {
                    whole = false;
                    break;
                }
            }
            c => {
                cell.push(c);
                fresh = false;
            }
        }
    }
    // The last line counts where the text was not cut inside it.
    if whole && !cut && (!cell.is_empty() || !row.is_empty()) {
        row.push(Some(cell));
        rows.push(row);
    }
    let header = if rows.is_empty() {
        Vec::new()
    } else {
        rows.remove(0)
    };
    let columns: Vec<TableColumn> = header
        .into_iter()
        .map(|name| TableColumn {
            name: name.unwrap_or_default(),
            type_name: String::new(),
        })
        .collect();
    let more = !whole || cut;
    rows.truncate(ROWS);
    for row in &mut rows {
        row.resize(columns.len(), None);
        for value in row.iter_mut().flatten() {
            if let Some((n, _)) = value.char_indices().nth(VALUE) {
                value.truncate(n);
                value.push_str("...");
            }
        }
    }
    TablePreview {
        columns,
        rows,
        cut: more,
    }
}

#[cfg(test)]
mod tests {
    use super::table;

    #[test]
    fn the_first_rows_of_a_table() {
        let t = table("\u{feff}a,b\r\n1,\"x, \"\"y\"\"\nz\"\n2\n3,4,5", ',', false);
        let names: Vec<&str> = t.columns.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
        let cell = |r: usize, c: usize| t.rows[r][c].as_deref();
        assert_eq!(cell(0, 1), Some("x, \"y\"\nz"));
        assert_eq!(cell(1, 1), None);
        assert_eq!((cell(2, 0), t.rows.len(), t.cut), (Some("3"), 3, false));
        assert_eq!(
            table("a\n1\n2", ',', true).rows.len(),
            1,
            "a line that is cut is no row"
        );
        assert!(table("", ',', false).columns.is_empty());
    }
}

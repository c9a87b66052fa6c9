//! Files out of a drop or a picker, with the folders they came from.

use js_sys::{Array, Function, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{DataTransfer, File, FileList, FileSystemDirectoryEntry, FileSystemEntry, FileSystemFileEntry};

/// A file to send, with its path below whatever was dropped.
#[derive(Debug, Clone)]
pub struct Picked {
    /// Relative path with forward slashes.
    pub path: String,
    pub file: File,
    /// Its pictures are frames of a video, so many a second.
    pub sequence: Option<f64>,
}

/// Something dropped that still has to be walked.
pub enum Dropped {
    Entry(FileSystemEntry),
    File(File),
}

/// Takes what was dropped. Must run inside the event: the browser empties the list when it ends.
pub fn dropped(transfer: &DataTransfer) -> Vec<Dropped> {
    let items = transfer.items();
    let mut out = Vec::new();
    for i in 0..items.length() {
        let Some(item) = items.get(i).filter(|item| item.kind() == "file") else {
            continue;
        };
        if let Ok(Some(entry)) = item.webkit_get_as_entry() {
            out.push(Dropped::Entry(entry));
        } else if let Ok(Some(file)) = item.get_as_file() {
            out.push(Dropped::File(file));
        }
    }
    out
}

/// Whether a drag carries files (and not, say, a piece of text).
pub fn carries_files(transfer: Option<&DataTransfer>) -> bool {
    transfer.is_some_and(|t| {
        t.types()
            .iter()
            .any(|kind| kind.as_string().as_deref() == Some("Files"))
    })
}

/// The files of a picker, with their folder when a folder was chosen.
pub fn chosen(list: Option<FileList>) -> Vec<Picked> {
    let Some(list) = list else { return Vec::new() };
    (0..list.length())
        .filter_map(|i| list.get(i))
        .map(|file| {
            let folder = Reflect::get(&file, &JsValue::from_str("webkitRelativePath"))
                .ok()
                .and_then(|v| v.as_string())
                .filter(|p| !p.is_empty());
            Picked {
                path: folder.unwrap_or_else(|| file.name()),
                file,
                sequence: None,
            }
        })
        .collect()
}

/// Opens dropped folders and answers all files in them, and what could not be read.
pub async fn walk(dropped: Vec<Dropped>, on_found: impl Fn(usize)) -> (Vec<Picked>, Vec<(String, String)>) {
    let mut files = Vec::new();
    let mut problems = Vec::new();
    let mut stack = Vec::new();
    for d in dropped {
        match d {
            Dropped::Entry(entry) => stack.push(entry),
            Dropped::File(file) => files.push(Picked {
                path: file.name(),
                file,
                sequence: None,
            }),
        }
    }
    while let Some(entry) = stack.pop() {
        let path = entry.full_path().trim_start_matches('/').to_owned();
        let found = if entry.is_directory() {
            read_folder(entry.unchecked_ref())
                .await
                .map(|inner| stack.extend(inner))
        } else {
            read_file(entry.unchecked_ref()).await.map(|file| {
                files.push(Picked {
                    path: path.clone(),
                    file,
                    sequence: None,
                });
            })
        };
        if found.is_err() {
            problems.push((
                path,
                "The browser could not read it; check that it still exists.".to_owned(),
            ));
        }
        if files.len() % 100 == 0 {
            on_found(files.len());
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    (files, problems)
}

/// Entries of a folder; browsers hand them out in batches of 100.
async fn read_folder(folder: &FileSystemDirectoryEntry) -> Result<Vec<FileSystemEntry>, JsValue> {
    let reader = folder.create_reader();
    let mut out = Vec::new();
    loop {
        let batch = callback(|ok, failed| reader.read_entries_with_callback_and_callback(ok, failed)).await?;
        let batch: Array = batch.unchecked_into();
        if batch.length() == 0 {
            return Ok(out);
        }
        out.extend(
            batch
                .iter()
                .map(|entry| entry.unchecked_into::<FileSystemEntry>()),
        );
    }
}

async fn read_file(entry: &FileSystemFileEntry) -> Result<File, JsValue> {
    callback(|ok, failed| {
        entry.file_with_callback_and_callback(ok, failed);
        Ok(())
    })
    .await
    .map(JsCast::unchecked_into)
}

/// Turns a pair of callbacks into a future.
async fn callback(start: impl Fn(&Function, &Function) -> Result<(), JsValue>) -> Result<JsValue, JsValue> {
    let promise = Promise::new(&mut |ok, failed| {
        if let Err(e) = start(&ok, &failed) {
            let _ = failed.call1(&JsValue::NULL, &e);
        }
    });
    JsFuture::from(promise).await
}

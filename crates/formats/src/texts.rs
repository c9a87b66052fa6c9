//! Documents and their labels: JSONL, CoNLL, spaCy and tables. Files bring their texts along; places are Unicode scalar
//! values.

mod conll;
mod csv;
mod gather;
mod jsonl;
mod spacy;

pub use conll::{ConllReader, ConllWriter};
pub use csv::{TableReader, TableWriter};
pub use jsonl::{TextJsonlReader, TextJsonlWriter};
pub use spacy::SpacyWriter;

use crate::read::{Reader, Role};
use crate::write::{Dataset, Writer};
use limn_domain::export::ExportFormat;
use limn_domain::import::{ImportFormat, TextColumns};

/// The role of a file of a text project by its path, without case; `None` for what the format does not know. Text files
/// are the caller's to recognise.
pub fn role(format: ImportFormat, path: &str) -> Option<Role> {
    let path = path.to_lowercase();
    let name = path.rsplit('/').next().unwrap_or(&path);
    let extension = name.rsplit_once('.').map_or("", |(_, e)| e);
    let labels = match format {
        ImportFormat::Csv => matches!(extension, "csv" | "tsv"),
        ImportFormat::Jsonl if name == "categories.json" => return Some(Role::Table),
        ImportFormat::Jsonl | ImportFormat::Spacy => matches!(extension, "jsonl" | "ndjson"),
        // Texts in their own folder are documents.
        ImportFormat::Conll => match extension {
            "txt" => !path.contains("documents/"),
            _ => matches!(extension, "conll" | "conll03" | "bio" | "iob" | "iob2"),
        },
        _ => false,
    };
    labels.then_some(Role::Labels)
}

/// The reader of a format of documents. `columns` say where a table or JSON line holds what; usual names otherwise.
pub fn reader(format: ImportFormat, columns: Option<TextColumns>) -> Box<dyn Reader> {
    match format {
        ImportFormat::Csv => Box::new(TableReader::new(columns)),
        ImportFormat::Conll => Box::new(ConllReader),
        // spaCy's lines are ours with another name for the spans.
        _ => Box::new(TextJsonlReader::new(columns)),
    }
}

/// The writer of a format; `None` for one without documents.
pub fn writer(format: ExportFormat, dataset: Dataset) -> Option<Box<dyn Writer>> {
    Some(match format {
        ExportFormat::Jsonl => Box::new(TextJsonlWriter::new(dataset)),
        ExportFormat::Csv => Box::new(TableWriter::new(dataset)),
        ExportFormat::Conll => Box::new(ConllWriter::new(&dataset)),
        ExportFormat::Spacy => Box::new(SpacyWriter::new(&dataset)),
        _ => return None,
    })
}

/// Where a document lies in the archive, beside the labels.
const DOCUMENTS: &str = "documents";

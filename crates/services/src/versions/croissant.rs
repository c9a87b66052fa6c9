//! Croissant 1.0 metadata of a version (<https://docs.mlcommons.org/croissant/docs/croissant-spec-1.0.html>): what
//! `mlcroissant` and dataset searches read.

use super::download::archive_len;
use super::files::root;
use super::{Versions, visible};
use crate::{Actor, Error, Result};
use limn_domain::dataset::{Checksum, DatasetKind, DatasetSummary, Download, METADATA_FILE, Version};
use limn_domain::profile::{ColumnKind, ColumnProfile, DatasetProfile, NamedTable, PROFILE_FORMAT};
use limn_domain::{Action, Code, VersionId};
use limn_store::repo;
use limn_versions::Hash;
use serde_json::{Value, json};
use std::collections::HashSet;

/// The archive's `@id`.
const ARCHIVE: &str = "archive.zip";

impl Versions {
    /// The description of a version whose files lie on the server at `origin`. Errors: `WrongState` while its checksums
    /// are not worked out.
    pub async fn croissant(&self, actor: &Actor, version: VersionId, origin: &str) -> Result<Value> {
        let mut tx = self.0.db.read().await?;
        let found = visible(&mut tx, actor, version, Action::ViewDataset).await?;
        let dataset = crate::datasets::visible(&mut tx, actor, found.dataset_id).await?;
        let sums = repo::checksum::list(&mut tx, version).await?;
        let of = |what| sums.iter().find(|(w, _)| *w == what).map(|(_, sum)| sum);
        let unknown = || {
            Error::new(
                Code::WrongState,
                "The checksums of this version are not worked out yet. That is part of its profile: wait for it, or start \
                 it on the version's page.",
            )
        };
        let metadata = of(Download::Metadata).ok_or_else(unknown)?;
        let archive = if let Some(sum) = of(Download::Archive) {
            Archive {
                bytes: sum.bytes.unsigned_abs(),
                sha256: Some(&sum.sha256),
            }
        } else {
            let places = repo::place::of_version(&mut tx, Hash::from(&found.digest).bytes()).await?;
            if places.is_empty() {
                return Err(unknown());
            }
            // Nobody has read the files that were left in their datastores for it yet.
            let files = root(&mut tx, &found).await?.files;
            Archive {
                bytes: archive_len(&mut tx, files, None).await?,
                sha256: None,
            }
        };
        let profile = repo::profile::get(&mut tx, version)
            .await?
            .and_then(|s| serde_json::from_slice::<DatasetProfile>(&s.profile?).ok())
            .filter(|p| p.format == PROFILE_FORMAT);
        let about = About {
            dataset: &dataset,
            version: &found,
            origin: origin.trim_end_matches('/'),
        };
        Ok(about.document(&archive, metadata, profile.as_ref()))
    }
}

/// The zip of a version.
struct Archive<'a> {
    bytes: u64,
    sha256: Option<&'a str>,
}

struct About<'a> {
    dataset: &'a DatasetSummary,
    version: &'a Version,
    origin: &'a str,
}

impl About<'_> {
    fn document(
        &self,
        archive: &Archive<'_>,
        metadata: &Checksum,
        profile: Option<&DatasetProfile>,
    ) -> Value {
        let (d, v) = (self.dataset, self.version);
        let base = format!("{}/api/v1/versions/{}", self.origin, v.id);
        let mut files = vec![
            json!({
                "@type": "cr:FileObject",
                "@id": ARCHIVE,
                "name": ARCHIVE,
                "description": "All files of the version.",
                "contentUrl": format!("{base}/zip"),
                "contentSize": format!("{} B", archive.bytes),
                "encodingFormat": "application/zip",
            }),
            json!({
                "@type": "cr:FileObject",
                "@id": METADATA_FILE,
                "name": METADATA_FILE,
                "description": "What is known of each file, with its labels.",
                "contentUrl": format!("{base}/metadata"),
                "contentSize": format!("{} B", metadata.bytes),
                "encodingFormat": "application/jsonlines",
                "sha256": metadata.sha256,
            }),
        ];
        if let Some(sum) = archive.sha256 {
            files[0]["sha256"] = json!(sum);
        }
        let mut records = vec![self.metadata_records()];
        match d.kind {
            DatasetKind::Images => {
                files.push(json!({
                    "@type": "cr:FileSet",
                    "@id": "images",
                    "name": "images",
                    "containedIn": {"@id": ARCHIVE},
                    "encodingFormat": image_type(profile),
                    // At the top and in folders. Readers match as globs or as `fnmatch`, and `*` would take the archive's own
                    // folder for a file.
                    "includes": ["*.*", "**/*.*"],
                }));
                records.push(image_records());
            }
            DatasetKind::Tabular => {
                let tables = profile.iter().flat_map(|p| &p.tables);
                for (n, table) in tables.enumerate() {
                    if let Some((file, record)) = table_records(n, table) {
                        files.push(file);
                        records.push(record);
                    }
                }
            }
            DatasetKind::Text | DatasetKind::Files => {}
        }
        let description = match d.description.trim() {
            "" => format!("Version {} of {}.", v.number, d.name),
            text => text.to_owned(),
        };
        let mut document = json!({
            "@context": context(),
            "@type": "sc:Dataset",
            "conformsTo": "http://mlcommons.org/croissant/1.0",
            "name": d.name,
            "description": description,
            "url": format!("{}/data/{}?version={}", self.origin, d.id, v.digest),
            "identifier": v.digest.to_string(),
            // Numbers count up and say nothing of how much has changed.
            "version": format!("{}.0.0", v.number),
            "datePublished": v.created_at.to_rfc3339(),
            "citeAs": self.citation(),
            "distribution": files,
            "recordSet": records,
        });
        if archive.sha256.is_none() {
            // Else readers want a checksum of every file; what the archive holds is in the metadata, each with its digest.
            document["isLiveDataset"] = json!(true);
        }
        if !d.licence.is_empty() {
            document["license"] = json!(d.licence);
        }
        if !d.tags.is_empty() {
            document["keywords"] = json!(d.tags);
        }
        if let Some(name) = d.owner_name.as_ref().or(v.created_by_name.as_ref()) {
            document["creator"] = json!({"@type": "Person", "name": name});
        }
        document
    }

    /// BibTeX.
    fn citation(&self) -> String {
        let plain = |text: &str| text.replace(['{', '}', '\\', '"'], "");
        let year = self.version.created_at.to_rfc3339();
        let author = self
            .dataset
            .owner_name
            .as_ref()
            .map_or_else(String::new, |n| format!(" author = {{{}}},", plain(n)));
        format!(
            "@misc{{{},{author} title = {{{}}}, version = {{{}}}, year = {{{}}}, note = {{BLAKE3 {}}}}}",
            crate::jobs::export::slug(&self.dataset.name),
            plain(&self.dataset.name),
            self.version.number,
            &year[..4.min(year.len())],
            self.version.digest
        )
    }

    fn metadata_records(&self) -> Value {
        let field = |name: &str, kind: &str, about: &str| {
            json!({
                "@type": "cr:Field",
                "@id": format!("files/{name}"),
                "name": name,
                "description": about,
                "dataType": kind,
                "source": {"fileObject": {"@id": METADATA_FILE}, "extract": {"column": name}},
            })
        };
        let repeated = |mut field: Value| {
            field["repeated"] = json!(true);
            field
        };
        let mut fields = vec![
            field("file_name", "sc:Text", "Path in the version."),
            field(
                "split",
                "sc:Text",
                "train, val or test; missing where nobody has said.",
            ),
            field("media_type", "sc:Text", "Type of the file."),
            field("bytes", "sc:Integer", "Size."),
            field("digest", "sc:Text", "BLAKE3 of the file."),
        ];
        if self.dataset.kind == DatasetKind::Images {
            fields.extend([
                field("width", "sc:Integer", "Pixels of the upright image."),
                field("height", "sc:Integer", "Pixels of the upright image."),
            ]);
        }
        if self.version.task.is_some() {
            let categories = field("categories", "sc:Text", "Categories of its labels, each once.");
            fields.push(repeated(categories));
        }
        if self.dataset.kind == DatasetKind::Images && self.version.task.is_some() {
            let boxes = field(
                "bbox",
                "cr:BoundingBox",
                "x, y, width, height in pixels of the box around each label.",
            );
            let categories = field("bbox_category", "sc:Text", "The category of each box.");
            fields.extend([repeated(boxes), repeated(categories)]);
        }
        json!({
            "@type": "cr:RecordSet",
            "@id": "files",
            "name": "files",
            "description": "A record a file.",
            "key": {"@id": "files/file_name"},
            "field": fields,
        })
    }
}

/// The type of the images where they have one.
fn image_type(profile: Option<&DatasetProfile>) -> String {
    let formats = profile
        .and_then(|p| p.images.as_ref())
        .map(|i| i.formats.as_slice());
    match formats {
        Some([one]) => format!("image/{}", one.value.to_lowercase()),
        _ => "image/*".to_owned(),
    }
}

fn image_records() -> Value {
    let field = |name: &str, kind: &str, property: &str| {
        json!({
            "@type": "cr:Field",
            "@id": format!("pictures/{name}"),
            "name": name,
            "dataType": kind,
            "source": {"fileSet": {"@id": "images"}, "extract": {"fileProperty": property}},
        })
    };
    json!({
        "@type": "cr:RecordSet",
        "@id": "pictures",
        "name": "pictures",
        "description": "The images themselves.",
        "key": {"@id": "pictures/file_name"},
        "field": [
            field("file_name", "sc:Text", "fullpath"),
            field("image", "sc:ImageObject", "content"),
        ],
    })
}

/// The file, or files, of a table and its records; `None` where not all of its files are known or Croissant has no reader.
fn table_records(n: usize, table: &NamedTable) -> Option<(Value, Value)> {
    if table.paths.len() as u64 != table.profile.files {
        return None;
    }
    let ending = |path: &str| path.rsplit_once('.').map(|(_, e)| e.to_ascii_lowercase());
    let first = table.paths.first()?;
    let encoding = match ending(first)?.as_str() {
        "csv" => "text/csv",
        "tsv" => "text/tab-separated-values",
        "jsonl" | "ndjson" => "application/jsonlines",
        "parquet" => "application/x-parquet",
        _ => return None,
    };
    if table.paths.iter().any(|p| ending(p) != ending(first)) {
        return None;
    }
    let id = format!("table-{}", n + 1);
    let (file, source) = if let [path] = table.paths.as_slice() {
        let file = json!({
            "@type": "cr:FileObject",
            "@id": format!("{id}-file"),
            "name": path,
            "containedIn": {"@id": ARCHIVE},
            "contentUrl": path,
            "encodingFormat": encoding,
        });
        (file, "fileObject")
    } else {
        let file = json!({
            "@type": "cr:FileSet",
            "@id": format!("{id}-file"),
            "name": table.name,
            "containedIn": {"@id": ARCHIVE},
            "encodingFormat": encoding,
            "includes": table.paths,
        });
        (file, "fileSet")
    };
    let mut taken = HashSet::new();
    let fields: Vec<Value> = table
        .profile
        .columns
        .iter()
        .enumerate()
        .map(|(c, column)| {
            let plain = column
                .name
                .chars()
                .all(|c| c.is_alphanumeric() || c == '_' || c == '-');
            let mut name = match column.name.as_str() {
                name if plain && !name.is_empty() => name.to_owned(),
                _ => format!("column-{}", c + 1),
            };
            while !taken.insert(name.clone()) {
                name.push('-');
            }
            let mut field = json!({
                "@type": "cr:Field",
                "@id": format!("{id}/{name}"),
                "name": column.name,
                "dataType": data_type(column),
                "source": {source: {"@id": format!("{id}-file")}, "extract": {"column": column.name}},
            });
            if column.kind == ColumnKind::List {
                field["repeated"] = json!(true);
            }
            field
        })
        .collect();
    let record = json!({
        "@type": "cr:RecordSet",
        "@id": id,
        "name": table.name,
        "description": format!("{} rows.", table.profile.rows),
        "field": fields,
    });
    Some((file, record))
}

fn data_type(column: &ColumnProfile) -> &'static str {
    match column.kind {
        ColumnKind::Integer => "sc:Integer",
        ColumnKind::Float => "sc:Float",
        ColumnKind::Datetime => "sc:Date",
        // Readers take any other text for true.
        ColumnKind::Bool
            if column
                .top
                .values
                .iter()
                .all(|v| matches!(v.value.to_ascii_lowercase().as_str(), "true" | "false")) =>
        {
            "sc:Boolean"
        }
        _ => "sc:Text",
    }
}

/// The context of the specification.
fn context() -> Value {
    json!({
        "@language": "en",
        "@vocab": "https://schema.org/",
        "citeAs": "cr:citeAs",
        "column": "cr:column",
        "conformsTo": "dct:conformsTo",
        "cr": "http://mlcommons.org/croissant/",
        "rai": "http://mlcommons.org/croissant/RAI/",
        "data": {"@id": "cr:data", "@type": "@json"},
        "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
        "dct": "http://purl.org/dc/terms/",
        "equivalentProperty": "cr:equivalentProperty",
        "examples": {"@id": "cr:examples", "@type": "@json"},
        "extract": "cr:extract",
        "field": "cr:field",
        "fileProperty": "cr:fileProperty",
        "fileObject": "cr:fileObject",
        "fileSet": "cr:fileSet",
        "format": "cr:format",
        "includes": "cr:includes",
        "isLiveDataset": "cr:isLiveDataset",
        "jsonPath": "cr:jsonPath",
        "key": "cr:key",
        "md5": "cr:md5",
        "parentField": "cr:parentField",
        "path": "cr:path",
        "recordSet": "cr:recordSet",
        "references": "cr:references",
        "regex": "cr:regex",
        "repeated": "cr:repeated",
        "replace": "cr:replace",
        "samplingRate": "cr:samplingRate",
        "sc": "https://schema.org/",
        "separator": "cr:separator",
        "source": "cr:source",
        "subField": "cr:subField",
        "transform": "cr:transform",
    })
}

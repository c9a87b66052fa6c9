//! What an import's uploads hold: pictures and annotation files, told by name and content.

use limn_domain::import::ImportFormat;
use limn_domain::project::{Media, Task};
use limn_domain::video::is_video_name;
use limn_formats::read::{self, Role};
use limn_formats::{Detail, Findings};
use limn_storage::archive::{Archive, ArchiveLimits};
use limn_storage::{ImageKind, ImageLimits, Source};
use std::io::Read as _;
use std::path::PathBuf;

/// Bytes looked at to tell a file's kind.
const HEAD: u64 = 512;
/// One upload of the import.
#[derive(Debug)]
pub(super) struct Upload {
    /// The name it was uploaded under.
    pub name: String,
    pub source: Source,
    pub files: Files,
}

/// What an upload holds. Numbers are entries of the archive, in its order.
#[derive(Debug)]
pub(super) enum Files {
    /// Nothing of use; the findings say why.
    None,
    One(Role),
    Archive {
        pictures: Vec<usize>,
        /// Video files, with their names.
        videos: Vec<(usize, String)>,
        /// Files that say what the labels mean.
        tables: Vec<usize>,
        labels: Vec<usize>,
        /// Taken off the front of the pictures' names.
        prefix: &'static str,
    },
}

impl Upload {
    /// Number of pictures in it.
    pub fn pictures(&self) -> usize {
        match &self.files {
            Files::One(Role::Picture) => 1,
            Files::Archive { pictures, .. } => pictures.len(),
            Files::None | Files::One(_) => 0,
        }
    }
}

/// Looks into every upload. Blocking. Errors: the disk.
pub(super) fn look(
    uploads: Vec<(String, PathBuf)>,
    (format, media): (ImportFormat, Media),
    findings: &mut Findings,
) -> limn_storage::Result<Vec<Upload>> {
    let mut out = Vec::with_capacity(uploads.len());
    for (name, path) in uploads {
        let source = Source::File(path);
        findings.set_file(&name);
        let files = match look_at(&name, &source, (format, media), findings) {
            Ok(files) => files,
            Err(e) if e.is_refusal() => {
                findings.refused(e.code(), || Detail::new(format!("`{name}`: {e}")));
                Files::None
            }
            Err(e) => return Err(e),
        };
        out.push(Upload { name, source, files });
    }
    Ok(out)
}

fn look_at(
    name: &str,
    source: &Source,
    (format, media): (ImportFormat, Media),
    findings: &mut Findings,
) -> limn_storage::Result<Files> {
    let mut head = Vec::new();
    source.reader()?.take(HEAD).read_to_end(&mut head)?;
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") || extension(name) == "zip" {
        return archive(source, name, (format, media), findings);
    }
    let found = match media {
        Media::Image => role(format, name).or_else(|| role_by_content(format, &head, source)),
        Media::Text => text_role(format, name),
    };
    if let Some(role) = found {
        return Ok(Files::One(role));
    }
    unused(findings, name, (format, media));
    Ok(Files::None)
}

/// What a file is by its name. Pictures are told here; a format that keeps labels in pictures goes first.
fn role(format: ImportFormat, name: &str) -> Option<Role> {
    let picture = || ImageKind::from_name(name).map(|_| Role::Picture);
    let video = || is_video_name(name).then_some(Role::Video);
    read::role(format, name).or_else(picture).or_else(video)
}

/// What a file of a text project is by its name: what ends in `.txt` is a document, unless its format goes first.
fn text_role(format: ImportFormat, name: &str) -> Option<Role> {
    let is_document = || extension(name) == "txt";
    limn_formats::texts::role(format, name).or_else(|| is_document().then_some(Role::Picture))
}

fn archive(
    source: &Source,
    upload: &str,
    (format, media): (ImportFormat, Media),
    findings: &mut Findings,
) -> limn_storage::Result<Files> {
    let archive = Archive::open(source, ArchiveLimits::default())?;
    for refused in archive.refused() {
        findings.set_file(format!("{upload}/{}", refused.name));
        findings.refused(refused.error.code(), || Detail::new(refused.error.to_string()));
    }
    findings.set_file(upload);
    if archive.refused_more() > 0 {
        let n = archive.refused_more();
        findings.refused("more_entries", || {
            Detail::new(format!("{n} more entries of the archive could not be used."))
        });
        // One line stands for all of them.
        findings.report_mut().refused += i64::try_from(n - 1).unwrap_or(0);
    }
    let (mut pictures, mut videos) = (Vec::new(), Vec::new());
    let (mut tables, mut labels) = (Vec::new(), Vec::new());
    for (n, entry) in archive.entries().iter().enumerate() {
        let role = match media {
            Media::Image => role(format, &entry.name),
            Media::Text => text_role(format, &entry.name),
        };
        match role {
            Some(Role::Picture) => pictures.push(n),
            Some(Role::Video) => videos.push((n, entry.name.to_string())),
            Some(Role::Table) => tables.push(n),
            Some(Role::Labels) => labels.push(n),
            Some(Role::Passed) => {}
            None => {
                findings.set_file(format!("{upload}/{}", entry.name));
                unused(findings, &entry.name, (format, media));
            }
        }
    }
    // In the format's usual layout the pictures' names start below its folder for them.
    let below = |folder: &&str| {
        pictures
            .iter()
            .all(|n| archive.entries()[*n].name.starts_with(*folder))
    };
    let prefix = if labels.is_empty() {
        ""
    } else if media == Media::Text {
        Some("documents/").filter(below).unwrap_or("")
    } else {
        let folders = read::picture_folders(format);
        folders.iter().copied().find(below).unwrap_or("")
    };
    Ok(Files::Archive {
        pictures,
        videos,
        tables,
        labels,
        prefix,
    })
}

fn unused(findings: &mut Findings, name: &str, (format, media): (ImportFormat, Media)) {
    let (what, how) = match media {
        Media::Image => ("picture or video", format.describe()),
        Media::Text => ("document (.txt)", format.describe_for(Task::Entities)),
    };
    findings.note("not_used", || {
        Detail::new(format!(
            "`{name}` was passed over: it is neither a {what} nor a file of this format. {}: {how}.",
            format.label()
        ))
    });
}

fn extension(name: &str) -> String {
    name.rsplit_once('.')
        .map_or_else(String::new, |(_, e)| e.to_ascii_lowercase())
}

/// What a file is whose name does not tell.
fn role_by_content(format: ImportFormat, head: &[u8], source: &Source) -> Option<Role> {
    if limn_storage::header(source, &ImageLimits::default()).is_ok() {
        return Some(Role::Picture);
    }
    let first = head
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(head)
        .trim_ascii_start()
        .first();
    let name = match first {
        Some(b'{' | b'[') => "x.json",
        Some(b'<') => "x.xml",
        _ => return None,
    };
    read::role(format, name).filter(|r| *r == Role::Labels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn zip(dir: &std::path::Path, names: &[&str]) -> PathBuf {
        let path = dir.join("a.zip");
        let mut zip = zip::ZipWriter::new(std::fs::File::create(&path).unwrap());
        for name in names {
            zip.start_file(*name, zip::write::SimpleFileOptions::default())
                .unwrap();
            zip.write_all(b"x").unwrap();
        }
        zip.finish().unwrap();
        path
    }

    #[test]
    fn sorts_an_archive_by_what_the_format_wants() {
        let dir = tempfile::tempdir().unwrap();
        let path = zip(
            dir.path(),
            &[
                "annotations/a.json",
                "images/x.jpg",
                "images/y.PNG",
                "readme.txt",
                "z.xml",
            ],
        );
        let mut findings = Findings::default();
        let found = look(
            vec![("a.zip".into(), path)],
            (ImportFormat::Coco, Media::Image),
            &mut findings,
        )
        .unwrap();
        let Files::Archive {
            pictures,
            labels,
            prefix,
            ..
        } = &found[0].files
        else {
            panic!()
        };
        assert_eq!(
            (pictures.as_slice(), labels.as_slice(), *prefix),
            (&[1, 2][..], &[0][..], "images/")
        );
        assert_eq!(findings.count("not_used"), 2);
    }

    #[test]
    fn a_zip_that_is_none_is_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        std::fs::write(&path, "not a zip").unwrap();
        let mut findings = Findings::default();
        let found = look(
            vec![("b.zip".into(), path)],
            (ImportFormat::Images, Media::Image),
            &mut findings,
        )
        .unwrap();
        assert!(matches!(found[0].files, Files::None));
        let report = findings.into_report();
        assert_eq!((report.refused, report.entries[0].file.as_str()), (1, "b.zip"));
    }
}

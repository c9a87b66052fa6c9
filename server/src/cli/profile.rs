//! `profile`: figures of local files, without a server.

#![expect(clippy::format_push_string, reason = "a page of text, put together once")]

use super::print;
use anyhow::{Context as _, Result, bail};
use clap::{Args, ValueEnum};
use limn_domain::profile::{ColumnKind, ColumnProfile, DatasetProfile, NamedTable};
use limn_profile::show::{bytes, count, number};
use limn_profile::{
    Dataset, ImageFigures, ImageRecord, ReadOptions, SharedFile, TableFormat, measure, measure_text, percent,
    profile_lines, profile_parquet, report, scope, statistics, written_time,
};
use limn_storage::{ImageLimits, SNIFF_LEN, Source, measurable, sniff};
use std::fs::File;
use std::io::{IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Documents larger than this are no documents.
const MAX_TEXT: u64 = 16 << 20;

#[derive(Debug, Args)]
pub struct ProfileCommand {
    /// Tables (CSV, TSV, JSONL, Parquet), images, documents, or folders of them
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Write into this file instead of printing
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The byte between cells, when it cannot be told: a character, or `tab`
    #[arg(long, value_name = "CHAR", value_parser = delimiter)]
    delimiter: Option<u8>,
    /// The first line names no columns
    #[arg(long)]
    no_header: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Format {
    /// For reading in a terminal
    Table,
    /// All of it
    Json,
    /// A page that needs nothing else
    Html,
    /// As Hugging Face's /statistics; of a single table
    Statistics,
}

fn delimiter(text: &str) -> Result<u8, String> {
    match text {
        "tab" | "\\t" => Ok(b'\t'),
        _ => match text.as_bytes() {
            [b] if b.is_ascii() && !matches!(b, b'"' | b'\n' | b'\r') => Ok(*b),
            _ => Err("one character, or `tab`".to_owned()),
        },
    }
}

/// Profiles and prints.
pub fn run(command: &ProfileCommand) -> Result<()> {
    let mut files = Vec::new();
    for path in &command.files {
        gather(path, &mut files)?;
    }
    if files.is_empty() {
        bail!(
            "no files there: give CSV, TSV, JSONL or Parquet files, images, documents, or a folder of them"
        );
    }
    let mut dataset = Dataset::default();
    for (path, name) in &files {
        add(&mut dataset, path, name, command)
            .with_context(|| format!("cannot profile {}", path.display()))?;
    }
    let profile = dataset.profile();
    let title = match command.files.as_slice() {
        [one] => one
            .file_name()
            .map_or_else(|| one.display().to_string(), |n| n.to_string_lossy().into_owned()),
        many => format!("{} files", many.len()),
    };
    let text = written(&profile, &title, command.format)?;
    match &command.output {
        Some(path) => std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display())),
        None => print(text.trim_end()),
    }
}

/// A profile as text of a format.
pub fn written(profile: &DatasetProfile, title: &str, format: Format) -> Result<String> {
    Ok(match format {
        Format::Table => table(profile),
        Format::Json => serde_json::to_string_pretty(profile)?,
        Format::Html => report(title, profile),
        Format::Statistics => match profile.tables.as_slice() {
            [one] => serde_json::to_string_pretty(&statistics(&one.profile))?,
            tables => bail!(
                "these files hold {} tables and Hugging Face's statistics describe one: give files of the same columns",
                tables.len()
            ),
        },
    })
}

/// Files below a path with their names from there, in order. Links are not followed.
fn gather(path: &Path, files: &mut Vec<(PathBuf, String)>) -> Result<()> {
    let meta = std::fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
    if meta.is_file() {
        files.push((path.to_owned(), path.display().to_string()));
        return Ok(());
    }
    let mut entries: Vec<_> = std::fs::read_dir(path)
        .with_context(|| format!("cannot read {}", path.display()))?
        .collect::<Result<_, _>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let kind = entry.file_type()?;
        if kind.is_symlink() || entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        gather(&entry.path(), files)?;
    }
    Ok(())
}

fn add(dataset: &mut Dataset, path: &Path, name: &str, command: &ProfileCommand) -> Result<()> {
    let file = File::open(path)?;
    let size = file.metadata()?.len();
    if let Some(format) = TableFormat::of_name(name) {
        let options = ReadOptions {
            // Of the name: the rows of each file are told apart.
            seed: u64::from_le_bytes(
                *blake3::hash(name.as_bytes())
                    .as_bytes()
                    .first_chunk()
                    .unwrap_or(&[0; 8]),
            ),
            delimiter: command.delimiter,
            header: command.no_header.then_some(false),
            bytes: size,
        };
        let watch = Watch::new(name, size);
        let read = match format {
            TableFormat::Parquet => profile_parquet(SharedFile::new(file)?, &options, &|n| watch.at(n)),
            _ => profile_lines(format, file, &options, &|n| watch.at(n)),
        };
        watch.end();
        match read {
            Ok(state) => dataset.add_table(name, size, state),
            Err(e) => dataset.add_unreadable(name, size, e.to_string()),
        }
        return Ok(());
    }
    let mut head = vec![0; SNIFF_LEN];
    let n = (&file).read(&mut head)?;
    head.truncate(n);
    if sniff(&head).is_ok() {
        let content = std::fs::read(path)?;
        let digest = blake3::hash(&content).to_hex().to_string();
        dataset.add_image(name, &digest, size, &image(content), None);
    } else if size <= MAX_TEXT && is_document(name) {
        let content = std::fs::read(path)?;
        dataset.add_text(name, size, &measure_text(&content));
    } else {
        dataset.add_other(size);
    }
    Ok(())
}

fn is_document(name: &str) -> bool {
    let end = name.rsplit_once('.').map_or("", |(_, e)| e).to_ascii_lowercase();
    matches!(
        end.as_str(),
        "txt" | "md" | "text" | "log" | "rst" | "html" | "xml"
    )
}

fn image(content: Vec<u8>) -> ImageRecord {
    match measurable(&Source::Bytes(content.into()), &ImageLimits::default()) {
        Ok(m) => ImageRecord::Read(ImageFigures {
            width: m.info.width,
            height: m.info.height,
            format: m.info.kind.name().to_owned(),
            mode: m.mode,
            seen: m.luma.map(|l| measure(&l.pixels, l.width, l.height)),
        }),
        Err(e) => ImageRecord::Corrupt(e.to_string()),
    }
}

/// How far a large file is, on a terminal.
struct Watch<'a> {
    name: &'a str,
    size: u64,
    shown: AtomicU64,
    on: bool,
}

impl<'a> Watch<'a> {
    fn new(name: &'a str, size: u64) -> Self {
        Self {
            name,
            size,
            shown: AtomicU64::new(0),
            on: size > 64 << 20 && std::io::stderr().is_terminal(),
        }
    }

    fn at(&self, n: u64) -> bool {
        let share = n * 100 / self.size.max(1);
        if self.on && self.shown.swap(share, Ordering::Relaxed) != share {
            eprint!("\r{}: {} % of {}", self.name, share.min(100), bytes(self.size));
        }
        true
    }

    fn end(&self) {
        if self.on {
            eprintln!();
        }
    }
}

fn table(profile: &DatasetProfile) -> String {
    let mut out = format!("{}\n", scope(profile));
    for t in &profile.tables {
        one_table(&mut out, t);
    }
    if let Some(i) = &profile.images {
        out += &format!(
            "\nImages\n  {} images, {}; {} cannot be decoded\n",
            count(i.images),
            bytes(i.bytes),
            count(i.corrupt_total)
        );
        for (name, n) in [
            ("width", &i.widths),
            ("height", &i.heights),
            ("brightness", &i.brightness),
            ("sharpness", &i.sharpness),
        ] {
            if let (Some(q), Some(min), Some(max)) = (n.quantiles, n.min, n.max) {
                out += &format!(
                    "  {name:<12} {} to {}, median {}\n",
                    number(min),
                    number(max),
                    number(q.median)
                );
            }
        }
        out += &format!(
            "  {} copies of the same bytes, {} that look alike\n",
            count(i.duplicates.extra),
            count(i.look_alikes.extra)
        );
        for o in i.outliers.iter().take(10) {
            out += &format!("  {}: {} ({})\n", o.kind.label(), o.path, number(o.value));
        }
    }
    if let Some(t) = &profile.texts {
        out += &format!(
            "\nDocuments\n  {} documents, {} empty, {} copies\n",
            count(t.documents),
            count(t.empty),
            count(t.duplicates.extra)
        );
        if let (Some(q), Some(max)) = (t.words.quantiles, t.words.max) {
            out += &format!(
                "  words        median {}, at most {}\n",
                number(q.median),
                number(max)
            );
        }
    }
    for f in &profile.findings.items {
        out += &format!("! {}: {}\n", f.file, f.message);
    }
    clean(&out)
}

/// What data says must not steer the terminal.
fn clean(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() && c != '\n' { '\u{b7}' } else { c })
        .collect()
}

fn one_table(out: &mut String, t: &NamedTable) {
    let p = &t.profile;
    let about = if p.duplicates.exact { "" } else { "about " };
    *out += &format!(
        "\n{}\n  {} rows, {} columns, {} missing cells, {about}{} duplicate rows\n",
        t.name,
        count(p.rows),
        p.columns.len(),
        count(p.missing.cells),
        count(p.duplicates.rows)
    );
    for a in &p.alerts {
        *out += &format!("  ! {} {}\n", a.columns.join(", "), a.message);
    }
    let name = p
        .columns
        .iter()
        .map(|c| c.name.chars().count())
        .max()
        .unwrap_or(0)
        .clamp(6, 28);
    *out += &format!(
        "\n  {:<name$}  {:<8}  {:>8}  {:>10}  figures\n",
        "column", "type", "missing", "distinct"
    );
    for c in &p.columns {
        let about = if c.unique.is_exact() { "" } else { "~" };
        let shown: String = c.name.chars().take(name).collect();
        *out += &format!(
            "  {shown:<name$}  {:<8}  {:>8}  {:>10}  {}\n",
            c.kind.label(),
            percent(c.missing, p.rows),
            format!("{about}{}", count(c.unique.value)),
            figures(c)
        );
    }
    for f in p.findings.items.iter().take(10) {
        *out += &format!("  ! {} line {}: {}\n", f.file, f.line, f.message);
    }
    if p.findings.total > 10 {
        *out += &format!("  ! {} findings in all\n", count(p.findings.total));
    }
}

fn figures(c: &ColumnProfile) -> String {
    let show = |x: Option<f64>| x.map_or_else(|| "none".to_owned(), number);
    match c.kind {
        ColumnKind::Integer | ColumnKind::Float => c.number.as_ref().map_or_else(String::new, |n| {
            format!(
                "{} to {}, mean {}, median {}, std {}",
                show(n.min),
                show(n.max),
                show(n.mean),
                show(n.quantiles.map(|q| q.median)),
                show(n.std)
            )
        }),
        ColumnKind::Datetime => c.time.as_ref().map_or_else(String::new, |t| {
            format!("{} to {}", written_time(t.min), written_time(t.max))
        }),
        ColumnKind::List => c.lengths.as_ref().map_or_else(String::new, |l| {
            format!("{} to {} values, mean {}", show(l.min), show(l.max), show(l.mean))
        }),
        _ => {
            let top = c.top.values.iter().take(4).map(|t| {
                let value: String = t.value.chars().take(24).collect();
                format!("{value} ({})", count(t.count))
            });
            top.collect::<Vec<_>>().join(", ")
        }
    }
}

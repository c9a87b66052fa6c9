//! Tables: CSV of any dialect becomes plain CSV with names of columns, Parquet stays as it is.

use super::load::{Content, Loaded, Sample, Sources, To, format, storage};
use limn_domain::catalogue::{Csv, Parquet};
use limn_formats::tables::{Dialect, rewrite};
use limn_jobs::Permanent;
use limn_storage::StageWriter;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use std::fs::File;
use std::io::{self, BufWriter, Write};

pub fn csv(l: &Csv, sources: &Sources, to: &To) -> anyhow::Result<Loaded> {
    let mut notes = Vec::new();
    for part in &l.parts {
        let dialect = Dialect {
            separator: u8::try_from(l.separator).unwrap_or(b','),
            header: l.header,
            columns: l.columns.clone(),
            skip: part.skip.unwrap_or(l.skip),
            trim: l.trim,
            missing: l.missing.clone(),
            line_end: l.line_end.clone(),
        };
        let staged = sources.read(&part.file, part.path.as_ref(), |name, reader| {
            let mut out = BufWriter::with_capacity(1 << 20, Out(Some(to.blobs.stage(to.limit))));
            let written = rewrite(name, reader, &dialect, &mut out).map_err(|e| format(name, e))?;
            notes.push(format!(
                "`{}` has {} rows and {} columns.",
                part.to,
                written.rows,
                written.columns.len()
            ));
            let out = out
                .into_inner()
                .map_err(|e| storage(name, e.into_error().into()))?;
            out.finish().map_err(|e| storage(name, e))
        })?;
        to.put(Sample {
            path: part.to.clone(),
            split: part.split,
            content: Content::File(Ok(staged)),
            category: None,
        })?;
    }
    Ok(Loaded {
        categories: None,
        notes,
    })
}

pub fn parquet(l: &Parquet, sources: &Sources, to: &To) -> anyhow::Result<Loaded> {
    let mut notes = Vec::new();
    for part in &l.parts {
        let path = sources.path(&part.file)?;
        // Reads the file's own table of contents.
        let reader = SerializedFileReader::new(File::open(path)?)
            .map_err(|e| Permanent(format!("`{}` is no Parquet file ({e}).", part.file)))?;
        let meta = reader.metadata().file_metadata();
        let (rows, columns) = (meta.num_rows(), meta.schema_descr().num_columns());
        if rows < 1 {
            return Err(Permanent(format!("`{}` has no rows.", part.file)).into());
        }
        notes.push(format!("`{}` has {rows} rows and {columns} columns.", part.to));
        let mut file = File::open(path)?;
        let staged = to.stage(&mut file).map_err(|e| storage(&part.file, e))?;
        to.put(Sample {
            path: part.to.clone(),
            split: part.split,
            content: Content::File(Ok(staged)),
            category: None,
        })?;
    }
    Ok(Loaded {
        categories: None,
        notes,
    })
}

/// Writes into what is being staged.
struct Out(Option<StageWriter>);

impl Out {
    fn finish(self) -> limn_storage::Result<limn_storage::Staged> {
        self.0.ok_or(limn_storage::StorageError::Stopped)?.finish()
    }
}

impl Write for Out {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        if let Some(writer) = &mut self.0 {
            writer.push(buf)?;
        }
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

//! What a query answers, as a Parquet file with types.
//!
//! Rows come as the text the database writes. They are spooled to disk while it is found out which columns hold whole
//! numbers, numbers, truth, days or times without exception; then the file is written with those types. Whatever does not
//! fit one of them, decimals among it, stays text, digit for digit.

use super::stored::storage;
use crate::Context;
use crate::datastores::connect::Live;
use anyhow::Context as _;
use futures::StreamExt as _;
use limn_connect::sql::{Conn, check_query};
use limn_domain::datastore::{DatastoreKind, TableColumn};
use limn_jobs::{Permanent, Progress};
use limn_storage::Staged;
use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int32Type, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

/// Longest a query may take.
const TIME: Duration = Duration::from_mins(30);
/// Most rows and columns of a snapshot.
const ROWS_MAX: u64 = 20_000_000;
const COLUMNS_MAX: usize = 2_000;
/// Rows of a row group.
const GROUP: usize = 100_000;

/// What was made.
pub struct Snapshot {
    pub staged: Staged,
    pub rows: u64,
    pub notes: Vec<String>,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Bool,
    Int,
    Float,
    Day,
    /// With a time zone or without.
    Time(bool),
    Text,
}

impl Kind {
    /// What the database's word for a type promises at most.
    fn of(type_name: &str, database: DatastoreKind) -> Self {
        let name = type_name.to_uppercase();
        let name = name
            .split('(')
            .next()
            .unwrap_or_default()
            .trim()
            .trim_end_matches(" UNSIGNED");
        match name {
            "BOOL" | "BOOLEAN" => Self::Bool,
            // Elsewhere it is a row of bits.
            "BIT" if database == DatastoreKind::SqlServer => Self::Bool,
            "INT2" | "INT4" | "INT8" | "INT" | "INTEGER" | "TINYINT" | "SMALLINT" | "MEDIUMINT"
            | "BIGINT" | "OID" | "YEAR" => Self::Int,
            "FLOAT4" | "FLOAT8" | "FLOAT" | "DOUBLE" | "REAL" | "DOUBLE PRECISION" => Self::Float,
            "DATE" => Self::Day,
            "TIMESTAMPTZ" | "DATETIMEOFFSET" => Self::Time(true),
            // A point in time in the one, a date and time of day in the others; the session is in UTC.
            "TIMESTAMP" | "DATETIME" | "DATETIME2" | "SMALLDATETIME" => Self::Time(false),
            // An expression of SQLite has no type but that of its values.
            "NULL" | "" => Self::Int,
            _ => Self::Text,
        }
    }

    /// The next wider kind, for a value that does not fit.
    const fn wider(self) -> Self {
        match self {
            Self::Int => Self::Float,
            _ => Self::Text,
        }
    }

    fn holds(self, text: &str) -> bool {
        match self {
            Self::Bool => truth(text).is_some(),
            Self::Int => text.parse::<i64>().is_ok(),
            // Digits beyond a double's would be lost.
            Self::Float => {
                text.parse::<f64>()
                    .is_ok_and(|f| f.is_infinite() || f.is_nan() || text.len() < 26)
                    && text.parse::<i128>().is_err()
                    || text.parse::<i64>().is_ok_and(|n| n.unsigned_abs() < 1 << 53)
            }
            Self::Day => day(text).is_some(),
            Self::Time(zone) => time(text, zone).is_some(),
            Self::Text => true,
        }
    }
}

fn truth(text: &str) -> Option<bool> {
    match text {
        "t" | "true" | "1" => Some(true),
        "f" | "false" | "0" => Some(false),
        _ => None,
    }
}

fn day(text: &str) -> Option<i32> {
    let date = chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    let days = date
        .signed_duration_since(chrono::NaiveDate::default())
        .num_days();
    i32::try_from(days).ok()
}

/// Microseconds since 1970, where the time has no more digits than they.
fn time(text: &str, zone: bool) -> Option<i64> {
    fn exact<T: chrono::TimeZone>(time: &chrono::DateTime<T>) -> Option<i64> {
        time.timestamp_subsec_nanos()
            .is_multiple_of(1_000)
            .then(|| time.timestamp_micros())
    }
    if zone {
        // SQL Server has a space before the zone.
        let close = text
            .rsplit_once(' ')
            .filter(|(_, zone)| zone.starts_with(['+', '-']))
            .map(|(time, zone)| format!("{time}{zone}"));
        let text = close.as_deref().unwrap_or(text);
        let end = text.len().checked_sub(3).and_then(|n| text.get(n..))?;
        let text = if end.contains(':') {
            text.to_owned()
        } else {
            format!("{text}:00")
        };
        return exact(&chrono::DateTime::parse_from_str(&text, "%Y-%m-%d %H:%M:%S%.f%:z").ok()?);
    }
    let time = chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").ok()?;
    exact(&time.and_utc())
}

struct Column {
    name: String,
    type_name: String,
    kind: Kind,
    /// A value was seen.
    any: bool,
}

pub async fn snapshot(
    ctx: &Context,
    progress: &Progress,
    live: &Live,
    sql: &str,
) -> anyhow::Result<Snapshot> {
    let sql = check_query(sql)?;
    let database = live.opened.database()?;
    progress.report(0, 0, format!("Asking {}", live.name)).await?;
    let mut conn = Conn::open(database, TIME).await?;
    let mut spool = std::io::BufWriter::new(
        tempfile::tempfile_in(ctx.uploads_dir()).context("cannot make a temporary file")?,
    );
    let mut columns: Vec<Column> = Vec::new();
    let (mut rows, mut bytes) = (0_u64, 0_u64);
    {
        let mut answer = conn.query(&sql);
        let end = tokio::time::Instant::now() + TIME;
        while let Some(row) = tokio::time::timeout_at(end, answer.next()).await.map_err(|_| {
            Permanent(format!(
                "The query took longer than {} minutes; ask for less.",
                TIME.as_secs() / 60
            ))
        })? {
            let (named, row) = row?;
            if columns.is_empty() {
                columns = begin(named, live.kind)?;
            }
            for (column, value) in columns.iter_mut().zip(&row) {
                let Some(text) = value else { continue };
                column.any = true;
                while !column.kind.holds(text) {
                    column.kind = column.kind.wider();
                }
            }
            let line = serde_json::to_vec(&row)?;
            bytes += line.len() as u64 + 1;
            if bytes > ctx.limits.upload_bytes {
                return Err(Permanent(
                    "What the query answers is larger than the largest upload; ask for less.".to_owned(),
                )
                .into());
            }
            spool.write_all(&line)?;
            spool.write_all(b"\n")?;
            rows += 1;
            if rows > ROWS_MAX {
                return Err(Permanent(format!(
                    "The query answers more than {ROWS_MAX} rows; ask for less."
                ))
                .into());
            }
            if rows.is_multiple_of(1_000) {
                progress.report(i64::try_from(rows)?, 0, "Reading rows").await?;
            }
        }
    }
    if columns.is_empty() {
        columns = begin(conn.columns(&sql).await?, live.kind)?;
    }
    progress
        .report(i64::try_from(rows)?, 0, "Writing the file")
        .await?;
    for column in columns
        .iter_mut()
        .filter(|c| !c.any && c.kind == Kind::Int && !c.type_name.to_uppercase().contains("INT"))
    {
        // Nothing but NULL, and no type: text says the least.
        column.kind = Kind::Text;
    }
    let texts: Vec<String> = columns
        .iter()
        .filter(|c| {
            c.kind == Kind::Text
                && matches!(
                    c.type_name.to_uppercase().split('(').next(),
                    Some("NUMERIC" | "DECIMAL" | "MONEY" | "SMALLMONEY")
                )
        })
        .map(|c| c.name.clone())
        .collect();
    let mut notes = vec![format!("{rows} rows of {} columns.", columns.len())];
    if !texts.is_empty() {
        notes.push(format!(
            "Decimals are kept as text, digit for digit: {}.",
            texts.join(", ")
        ));
    }
    let mut file = spool.into_inner().map_err(|e| e.into_error())?;
    let (blobs, limit) = (ctx.blobs.clone(), ctx.limits.upload_bytes);
    let folder = ctx.uploads_dir();
    let staged = tokio::task::spawn_blocking(move || -> anyhow::Result<Staged> {
        use std::io::{Read as _, Seek as _};
        file.rewind()?;
        let mut out = tempfile::tempfile_in(folder)?;
        write(std::io::BufReader::new(file), &columns, out.try_clone()?)?;
        out.rewind()?;
        let mut writer = blobs.stage(limit);
        let mut block = vec![0; 1 << 20];
        loop {
            match out.read(&mut block)? {
                0 => return writer.finish().map_err(storage),
                n => writer.push(&block[..n]).map_err(storage)?,
            }
        }
    })
    .await??;
    Ok(Snapshot { staged, rows, notes })
}

/// Columns of a Parquet file have names, each its own.
fn begin(named: Vec<TableColumn>, database: DatastoreKind) -> anyhow::Result<Vec<Column>> {
    if named.is_empty() || named.len() > COLUMNS_MAX {
        return Err(Permanent(format!(
            "A table has 1 to {COLUMNS_MAX} columns; the query answers {}.",
            named.len()
        ))
        .into());
    }
    let mut seen = std::collections::HashSet::new();
    let mut out = Vec::with_capacity(named.len());
    for (n, column) in named.into_iter().enumerate() {
        let base = if column.name.is_empty() {
            format!("column{}", n + 1)
        } else {
            column.name
        };
        let mut name = base.clone();
        for k in 2.. {
            if seen.insert(name.clone()) {
                break;
            }
            name = format!("{base}_{k}");
        }
        out.push(Column {
            name,
            kind: Kind::of(&column.type_name, database),
            type_name: column.type_name,
            any: false,
        });
    }
    Ok(out)
}

fn write(spool: impl std::io::BufRead, columns: &[Column], out: std::fs::File) -> anyhow::Result<()> {
    let fields: Vec<Arc<Type>> = columns.iter().map(field).collect::<anyhow::Result<_>>()?;
    let schema = Type::group_type_builder("schema").with_fields(fields).build()?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .build();
    let mut writer = SerializedFileWriter::new(out, Arc::new(schema), Arc::new(properties))?;
    let mut group: Vec<Vec<Option<String>>> = Vec::new();
    for line in spool.lines() {
        group.push(serde_json::from_str(&line?)?);
        if group.len() >= GROUP {
            rows(&mut writer, columns, &group)?;
            group.clear();
        }
    }
    if !group.is_empty() {
        rows(&mut writer, columns, &group)?;
    }
    writer.close()?;
    Ok(())
}

fn field(column: &Column) -> anyhow::Result<Arc<Type>> {
    let (physical, logical) = match column.kind {
        Kind::Bool => (Physical::BOOLEAN, None),
        Kind::Int => (Physical::INT64, None),
        Kind::Float => (Physical::DOUBLE, None),
        Kind::Day => (Physical::INT32, Some(LogicalType::Date)),
        Kind::Time(zone) => (
            Physical::INT64,
            Some(LogicalType::timestamp(zone, TimeUnit::MICROS)),
        ),
        Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
    };
    let built = Type::primitive_type_builder(&column.name, physical)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(logical)
        .build()?;
    Ok(Arc::new(built))
}

fn rows(
    writer: &mut SerializedFileWriter<std::fs::File>,
    columns: &[Column],
    group: &[Vec<Option<String>>],
) -> anyhow::Result<()> {
    let mut out = writer.next_row_group()?;
    for (n, column) in columns.iter().enumerate() {
        let levels: Vec<i16> = group.iter().map(|r| i16::from(r[n].is_some())).collect();
        let texts = group.iter().filter_map(|r| r[n].as_deref());
        let Some(mut to) = out.next_column()? else {
            anyhow::bail!("a column is missing")
        };
        macro_rules! put {
            ($type:ty, $values:expr) => {{
                let values: Vec<_> = $values.collect();
                to.typed::<$type>()
                    .write_batch(&values, Some(&levels), None)?;
            }};
        }
        // Every value was seen to fit while the rows were spooled.
        match column.kind {
            Kind::Bool => put!(BoolType, texts.map(|t| truth(t).unwrap_or_default())),
            Kind::Int => put!(Int64Type, texts.map(|t| t.parse::<i64>().unwrap_or_default())),
            Kind::Float => put!(DoubleType, texts.map(|t| t.parse::<f64>().unwrap_or(f64::NAN))),
            Kind::Day => put!(Int32Type, texts.map(|t| day(t).unwrap_or_default())),
            Kind::Time(zone) => put!(Int64Type, texts.map(|t| time(t, zone).unwrap_or_default())),
            Kind::Text => put!(ByteArrayType, texts.map(ByteArray::from)),
        }
        to.close()?;
    }
    out.close()?;
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn types_hold_what_they_say_without_loss() {
        let narrowed = |kind: Kind, texts: &[&str]| {
            texts.iter().fold(kind, |mut k, t| {
                while !k.holds(t) {
                    k = k.wider();
                }
                k
            })
        };
        let of = |name: &str| Kind::of(name, DatastoreKind::Postgres);
        assert_eq!(narrowed(of("INT4"), &["1", "-7"]), Kind::Int);
        assert_eq!(
            narrowed(of("BIGINT UNSIGNED"), &["18446744073709551615"]),
            Kind::Text
        );
        assert_eq!(narrowed(of(""), &["1", "2.5", "7"]), Kind::Float);
        assert_eq!(
            narrowed(of(""), &["1", "9007199254740993", "2.5"]),
            Kind::Float,
            "seen before the fraction"
        );
        assert_eq!(narrowed(of(""), &["2.5", "9007199254740993"]), Kind::Text);
        assert_eq!(narrowed(of("NUMERIC"), &["1.10"]), Kind::Text);
        assert_eq!(
            narrowed(of("FLOAT8"), &["NaN", "-Infinity", "1e300"]),
            Kind::Float
        );
        assert_eq!(narrowed(of("bool"), &["t", "f"]), Kind::Bool);
        assert_eq!(narrowed(of("DATE"), &["2024-02-29"]), Kind::Day);
        assert_eq!(narrowed(of("DATE"), &["0044-03-15 BC"]), Kind::Text);
        assert_eq!(
            narrowed(of("TIMESTAMPTZ"), &["2024-02-29 10:00:00.5+00"]),
            Kind::Time(true)
        );
        assert_eq!(narrowed(of("DATETIME"), &["0000-00-00 00:00:00"]), Kind::Text);
        assert_eq!(day("1970-01-02"), Some(1));
        assert_eq!(time("1970-01-01 00:00:01.5", false), Some(1_500_000));
        assert_eq!(time("1970-01-01 01:00:00+01", true), Some(0));
    }
    #[test]
    fn types_of_sql_server() {
        let of = |name: &str| Kind::of(name, DatastoreKind::SqlServer);
        for (name, text, kind) in [
            ("BIT", "1", Kind::Bool),
            ("TINYINT", "255", Kind::Int),
            ("bigint", "-9223372036854775808", Kind::Int),
            ("REAL", "0.1", Kind::Float),
            ("FLOAT", "1e300", Kind::Float),
            ("DECIMAL(10, 2)", "1.10", Kind::Text),
            ("MONEY", "1.1000", Kind::Text),
            ("DATE", "0001-01-01", Kind::Day),
            ("TIME", "13:14:15.1234567", Kind::Text),
            ("SMALLDATETIME", "2024-03-01 01:01:00", Kind::Time(false)),
            ("DATETIME", "1753-01-01 00:00:00.003", Kind::Time(false)),
            ("DATETIME2(6)", "9999-12-31 23:59:59.999999", Kind::Time(false)),
            (
                "DATETIMEOFFSET",
                "2024-02-29 13:14:15.5000000 -13:30",
                Kind::Time(true),
            ),
            (
                "UNIQUEIDENTIFIER",
                "6F9619FF-8B86-D011-B42D-00C04FC964FF",
                Kind::Text,
            ),
            ("VARBINARY", "00ff", Kind::Text),
            ("NVARCHAR", "1", Kind::Text),
            ("XML", "<a/>", Kind::Text),
            ("SQL_VARIANT", "1", Kind::Text),
        ] {
            let found = of(name);
            assert!(found == kind && found.holds(text), "{name}: {found:?}");
        }
        // More digits than microseconds have would be lost.
        assert!(!Kind::Time(false).holds("2024-02-29 13:14:15.1234567"));
        assert!(!Kind::Time(true).holds("2024-02-29 13:14:15.1234567 +02:00"));
        assert_eq!(time("1970-01-01 01:00:00.0000010 +01:00", true), Some(1));
        assert_eq!(Kind::of("BIT", DatastoreKind::Mysql), Kind::Text);
    }
}

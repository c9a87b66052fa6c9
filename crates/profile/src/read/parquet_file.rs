//! Parquet, row group by row group and some thousand rows at a time. Of nested values the outer list's length is kept.

use super::stripes::STRIPES;
use super::{ReadError, ReadOptions, Watch};
use crate::table::{MAX_COLUMNS, TableState, row_key};
use crate::value::{ABSENT, Cell, NAN};
use crate::when::{Instant, Zone};
use limn_domain::profile::FindingKind;
use parquet::basic::{ConvertedType, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::DataType;
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::reader::{ChunkReader, FileReader, Length, SerializedFileReader};
use parquet::schema::types::{SchemaDescriptor, Type};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::{Arc, Mutex, PoisonError};

/// Rows taken at a time.
const BATCH: usize = 2048;

/// A file that several threads read at places of their own.
#[derive(Debug, Clone)]
pub struct SharedFile {
    file: Arc<Mutex<File>>,
    bytes: u64,
}

impl SharedFile {
    pub fn new(file: File) -> io::Result<Self> {
        Ok(Self {
            bytes: file.metadata()?.len(),
            file: Arc::new(Mutex::new(file)),
        })
    }

    fn read_at(&self, at: u64, out: &mut [u8]) -> io::Result<usize> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(at))?;
        file.read(out)
    }
}

impl Length for SharedFile {
    fn len(&self) -> u64 {
        self.bytes
    }
}

/// Reads on from a place.
pub struct From {
    file: SharedFile,
    at: u64,
}

impl Read for From {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read_at(self.at, out)?;
        self.at += n as u64;
        Ok(n)
    }
}

impl ChunkReader for SharedFile {
    type T = io::BufReader<From>;

    fn get_read(&self, start: u64) -> ParquetResult<Self::T> {
        Ok(io::BufReader::new(From {
            file: self.clone(),
            at: start,
        }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> ParquetResult<bytes::Bytes> {
        if start
            .checked_add(length as u64)
            .is_none_or(|end| end > self.bytes)
        {
            return Err(ParquetError::EOF(format!(
                "{length} bytes from {start} are beyond the file's end"
            )));
        }
        let mut out = vec![0; length];
        let mut done = 0;
        while done < length {
            match self.read_at(start + done as u64, &mut out[done..])? {
                0 => return Err(ParquetError::EOF("the file ends early".to_owned())),
                n => done += n,
            }
        }
        Ok(out.into())
    }
}

pub fn profile(
    file: impl ChunkReader + 'static,
    options: &ReadOptions,
    watch: Watch<'_>,
) -> Result<TableState, ReadError> {
    let reader = SerializedFileReader::new(file).map_err(|e| unreadable(&e))?;
    let metadata = reader.metadata();
    let (plan, nested) = plan(metadata.file_metadata().schema_descr());
    let groups = metadata.num_row_groups();
    let names: Vec<String> = plan.iter().map(|c| c.name.clone()).collect();
    let (reader, plan, names) = (&reader, &plan, &names);
    // A broken file may make the reader panic: that ends the thread, not the program.
    let tables: Result<Vec<TableState>, ReadError> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..STRIPES.min(groups.max(1)))
            .map(|stripe| {
                scope.spawn(move || {
                    let mut table = TableState::new(names.iter().cloned());
                    for group in (stripe..groups).step_by(STRIPES) {
                        row_group(reader, group, plan, options.seed, &mut table, watch)?;
                    }
                    Ok(table)
                })
            })
            .collect();
        let joined = workers.into_iter().map(|w| {
            w.join()
                .map_err(|_| ReadError::Unreadable("the Parquet file is broken".to_owned()))
                .flatten()
        });
        joined.collect()
    });
    let mut parts = tables?.into_iter();
    let mut whole = parts.next().unwrap_or_default();
    for part in parts {
        whole.merge(part);
    }
    for name in nested {
        whole.note(
            0,
            FindingKind::Nested,
            format!("`{name}` is nested: of its values the number is profiled"),
        );
    }
    if plan.len() >= MAX_COLUMNS {
        whole.columns_left_out = metadata
            .file_metadata()
            .schema_descr()
            .num_columns()
            .saturating_sub(MAX_COLUMNS) as u64;
    }
    whole.close();
    Ok(whole)
}

fn unreadable(e: &ParquetError) -> ReadError {
    ReadError::Unreadable(format!("the Parquet file cannot be read: {e}"))
}

/// How a leaf becomes a column.
struct Leaf {
    name: String,
    /// Its place among the file's leaves.
    index: usize,
    read: As,
    max_def: i16,
    /// Definition level from which an entry of the outermost list is there; 0 outside of lists.
    list_def: i16,
}

#[derive(Clone, Copy)]
enum As {
    List,
    Bool,
    Int,
    Unsigned32,
    Unsigned64,
    Float,
    Half,
    /// Scale: digits behind the point.
    Decimal(i32),
    Date,
    /// Parts of a second, and whether it is UTC.
    Stamp(i64, bool),
    Int96,
    Text,
    Uuid,
    Other,
}

/// The columns of a schema, and which lists hold more than plain values.
fn plan(schema: &SchemaDescriptor) -> (Vec<Leaf>, Vec<String>) {
    let mut plan: Vec<Leaf> = Vec::new();
    let mut nested = Vec::new();
    for index in 0..schema.num_columns() {
        if plan.len() >= MAX_COLUMNS {
            break;
        }
        let leaf = schema.column(index);
        let path = leaf.path().parts();
        let Some((depth, list_def)) = outer_list(schema.root_schema(), path) else {
            plan.push(Leaf {
                name: path.join("."),
                index,
                read: plain(&leaf),
                max_def: leaf.max_def_level(),
                list_def: 0,
            });
            continue;
        };
        // `tags.list.element` is the list `tags`; `tags` alone is a legacy one.
        let outer = path.get(..depth.max(1)).unwrap_or(path);
        let name = outer.join(".");
        if plan.last().is_some_and(|l| l.name == name) {
            if nested.last() != Some(&name) {
                nested.push(name);
            }
            continue;
        }
        if leaf.max_rep_level() > 1 && nested.last() != Some(&name) {
            nested.push(name.clone());
        }
        plan.push(Leaf {
            name,
            index,
            read: As::List,
            max_def: leaf.max_def_level(),
            list_def,
        });
    }
    (plan, nested)
}

/// Of the first repeated node on a path: how many names lead to the list, and its definition level.
fn outer_list(root: &Type, path: &[String]) -> Option<(usize, i16)> {
    let mut node = root;
    let mut def = 0;
    for (depth, name) in path.iter().enumerate() {
        if !node.is_group() {
            return None;
        }
        let child = node.get_fields().iter().find(|f| f.name() == name)?;
        match child.get_basic_info().repetition() {
            Repetition::REPEATED => {
                let is_wrapper =
                    depth > 0 && matches!(name.as_str(), "list" | "bag" | "key_value" | "map" | "array");
                return Some((if is_wrapper { depth } else { depth + 1 }, def + 1));
            }
            Repetition::OPTIONAL => def += 1,
            Repetition::REQUIRED => {}
        }
        node = child;
    }
    None
}

fn plain(leaf: &parquet::schema::types::ColumnDescriptor) -> As {
    let physical = leaf.physical_type();
    let unit = |u: &TimeUnit| match u {
        TimeUnit::MILLIS => 1_000,
        TimeUnit::MICROS => 1_000_000,
        TimeUnit::NANOS => 1_000_000_000,
    };
    if let Some(logical) = leaf.logical_type_ref() {
        match logical {
            LogicalType::String | LogicalType::Enum | LogicalType::Json => return As::Text,
            LogicalType::Date => return As::Date,
            LogicalType::Timestamp(t) => return As::Stamp(unit(&t.unit), t.is_adjusted_to_u_t_c),
            LogicalType::Decimal(d) => return As::Decimal(d.scale),
            LogicalType::Integer(i) if !i.is_signed && i.bit_width == 64 => return As::Unsigned64,
            LogicalType::Integer(i) if !i.is_signed && i.bit_width == 32 => return As::Unsigned32,
            LogicalType::Uuid => return As::Uuid,
            LogicalType::Float16 => return As::Half,
            _ => {}
        }
    }
    match leaf.converted_type() {
        ConvertedType::UTF8 | ConvertedType::ENUM | ConvertedType::JSON => return As::Text,
        ConvertedType::DATE => return As::Date,
        ConvertedType::TIMESTAMP_MILLIS => return As::Stamp(1_000, true),
        ConvertedType::TIMESTAMP_MICROS => return As::Stamp(1_000_000, true),
        ConvertedType::DECIMAL => return As::Decimal(leaf.type_scale()),
        ConvertedType::UINT_32 => return As::Unsigned32,
        ConvertedType::UINT_64 => return As::Unsigned64,
        _ => {}
    }
    match physical {
        Physical::BOOLEAN => As::Bool,
        Physical::INT32 | Physical::INT64 => As::Int,
        Physical::INT96 => As::Int96,
        Physical::FLOAT | Physical::DOUBLE => As::Float,
        Physical::BYTE_ARRAY | Physical::FIXED_LEN_BYTE_ARRAY => As::Other,
    }
}

fn row_group(
    reader: &SerializedFileReader<impl ChunkReader + 'static>,
    group: usize,
    plan: &[Leaf],
    seed: u64,
    table: &mut TableState,
    watch: Watch<'_>,
) -> Result<(), ReadError> {
    let rows = reader.get_row_group(group).map_err(|e| unreadable(&e))?;
    let total = usize::try_from(rows.metadata().num_rows()).unwrap_or(0);
    let before: i64 = (0..group)
        .map(|g| reader.metadata().row_group(g).compressed_size())
        .sum();
    let mut leaves = Vec::new();
    for leaf in plan {
        let column = rows.get_column_reader(leaf.index).map_err(|e| unreadable(&e))?;
        leaves.push(Batch::new(leaf, column));
    }
    let mut done = 0;
    while done < total {
        let share = done as f64 / total as f64;
        let at = before as f64 + share * rows.metadata().compressed_size() as f64;
        if !watch(at as u64) {
            return Err(ReadError::Cancelled);
        }
        let wanted = BATCH.min(total - done);
        let mut got = wanted;
        for leaf in &mut leaves {
            got = got.min(leaf.fill(wanted).map_err(|e| unreadable(&e))?);
        }
        if got < wanted {
            return Err(ReadError::Unreadable(format!(
                "row group {group} of the Parquet file names {total} rows and holds {}",
                done + got
            )));
        }
        for row in 0..wanted {
            table.begin_row(row_key(seed, group as u64, (done + row) as u64));
            for (at, leaf) in leaves.iter_mut().enumerate() {
                leaf.put(table, at);
            }
            table.end_row();
        }
        done += wanted;
    }
    Ok(())
}

/// Some rows of one column.
struct Batch<'a> {
    leaf: &'a Leaf,
    reader: ColumnReader,
    def: Vec<i16>,
    rep: Vec<i16>,
    values: Values,
    at: usize,
    value: usize,
    scratch: String,
}

enum Values {
    Bool(Vec<bool>),
    I32(Vec<i32>),
    I64(Vec<i64>),
    I96(Vec<parquet::data_type::Int96>),
    F32(Vec<f32>),
    F64(Vec<f64>),
    Bytes(Vec<parquet::data_type::ByteArray>),
    Fixed(Vec<parquet::data_type::FixedLenByteArray>),
}

impl<'a> Batch<'a> {
    fn new(leaf: &'a Leaf, reader: ColumnReader) -> Self {
        let values = match &reader {
            ColumnReader::BoolColumnReader(_) => Values::Bool(Vec::new()),
            ColumnReader::Int32ColumnReader(_) => Values::I32(Vec::new()),
            ColumnReader::Int64ColumnReader(_) => Values::I64(Vec::new()),
            ColumnReader::Int96ColumnReader(_) => Values::I96(Vec::new()),
            ColumnReader::FloatColumnReader(_) => Values::F32(Vec::new()),
            ColumnReader::DoubleColumnReader(_) => Values::F64(Vec::new()),
            ColumnReader::ByteArrayColumnReader(_) => Values::Bytes(Vec::new()),
            ColumnReader::FixedLenByteArrayColumnReader(_) => Values::Fixed(Vec::new()),
        };
        Self {
            leaf,
            reader,
            def: Vec::new(),
            rep: Vec::new(),
            values,
            at: 0,
            value: 0,
            scratch: String::new(),
        }
    }

    /// Reads so many rows, or fewer at the end.
    fn fill(&mut self, rows: usize) -> ParquetResult<usize> {
        self.def.clear();
        self.rep.clear();
        (self.at, self.value) = (0, 0);
        let (def, rep) = (&mut self.def, &mut self.rep);
        match (&mut self.reader, &mut self.values) {
            (ColumnReader::BoolColumnReader(r), Values::Bool(v)) => read(r, rows, def, rep, v),
            (ColumnReader::Int32ColumnReader(r), Values::I32(v)) => read(r, rows, def, rep, v),
            (ColumnReader::Int64ColumnReader(r), Values::I64(v)) => read(r, rows, def, rep, v),
            (ColumnReader::Int96ColumnReader(r), Values::I96(v)) => read(r, rows, def, rep, v),
            (ColumnReader::FloatColumnReader(r), Values::F32(v)) => read(r, rows, def, rep, v),
            (ColumnReader::DoubleColumnReader(r), Values::F64(v)) => read(r, rows, def, rep, v),
            (ColumnReader::ByteArrayColumnReader(r), Values::Bytes(v)) => read(r, rows, def, rep, v),
            (ColumnReader::FixedLenByteArrayColumnReader(r), Values::Fixed(v)) => read(r, rows, def, rep, v),
            _ => Ok(0),
        }
    }

    /// Hands the next row's cell over.
    fn put(&mut self, table: &mut TableState, at: usize) {
        if matches!(self.leaf.read, As::List) {
            let cell = self.list();
            table.cell(at, cell);
            return;
        }
        let is_there = self.leaf.max_def == 0 || self.def.get(self.at) == Some(&self.leaf.max_def);
        self.at += 1;
        if !is_there {
            table.cell(at, Cell::Missing(ABSENT));
            return;
        }
        let i = self.value;
        self.value += 1;
        let cell = match &self.values {
            Values::Bool(v) => v.get(i).map(|b| Cell::Bool(*b)),
            Values::I32(v) => v.get(i).map(|x| whole(self.leaf.read, i64::from(*x))),
            Values::I64(v) => v.get(i).map(|x| whole(self.leaf.read, *x)),
            Values::I96(v) => v.get(i).map(|x| {
                let [low, high, day] =
                    [0, 1, 2].map(|k| i64::from(x.data().get(k).copied().unwrap_or_default()));
                let nanos = low | high << 32;
                let micros = (day - 2_440_588)
                    .saturating_mul(86_400_000_000)
                    .saturating_add(nanos / 1000);
                stamp(micros, 1_000_000, false)
            }),
            Values::F32(v) => v.get(i).map(|x| float(f64::from(*x))),
            Values::F64(v) => v.get(i).map(|x| float(*x)),
            Values::Bytes(v) => v
                .get(i)
                .map(|b| bytes(self.leaf.read, b.data(), &mut self.scratch)),
            Values::Fixed(v) => v
                .get(i)
                .map(|b| bytes(self.leaf.read, b.data(), &mut self.scratch)),
        };
        table.cell(at, cell.unwrap_or(Cell::Missing(ABSENT)));
    }

    fn list(&mut self) -> Cell<'static> {
        let mut length = 0;
        let first = self.def.get(self.at).copied().unwrap_or_default();
        loop {
            if self.def.get(self.at).is_some_and(|d| *d >= self.leaf.list_def)
                && self.rep.get(self.at).is_some_and(|r| *r <= 1)
            {
                length += 1;
            }
            self.at += 1;
            if self.rep.get(self.at).is_none_or(|r| *r == 0) {
                break;
            }
        }
        if first + 1 < self.leaf.list_def {
            Cell::Missing(ABSENT)
        } else {
            Cell::List(length)
        }
    }
}

fn read<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    rows: usize,
    def: &mut Vec<i16>,
    rep: &mut Vec<i16>,
    values: &mut Vec<T::T>,
) -> ParquetResult<usize> {
    values.clear();
    let mut got = 0;
    while got < rows {
        let (records, _, levels) = reader.read_records(rows - got, Some(def), Some(rep), values)?;
        if records == 0 && levels == 0 {
            break;
        }
        got += records;
    }
    Ok(got)
}

fn whole(read: As, x: i64) -> Cell<'static> {
    match read {
        As::Unsigned32 => Cell::Int(i64::from(x as u32)),
        As::Unsigned64 => i64::try_from(x as u64).map_or(Cell::Float(x as u64 as f64), Cell::Int),
        As::Decimal(scale) => Cell::Float(x as f64 / 10f64.powi(scale)),
        As::Date => Cell::Time(Instant {
            micros: x.saturating_mul(86_400_000_000),
            zone: Zone::Naive,
            has_time: false,
        }),
        As::Stamp(unit, utc) => stamp(x, unit, utc),
        _ => Cell::Int(x),
    }
}

fn stamp(x: i64, unit: i64, utc: bool) -> Cell<'static> {
    let micros = match unit {
        1_000 => x.saturating_mul(1000),
        1_000_000_000 => x.div_euclid(1000),
        _ => x,
    };
    Cell::Time(Instant {
        micros,
        zone: if utc { Zone::Utc } else { Zone::Naive },
        has_time: true,
    })
}

fn float(x: f64) -> Cell<'static> {
    if x.is_nan() {
        Cell::Missing(NAN)
    } else {
        Cell::Float(x)
    }
}

fn bytes<'a>(read: As, data: &'a [u8], scratch: &'a mut String) -> Cell<'a> {
    match read {
        As::Text => {
            if let Ok(text) = std::str::from_utf8(data) {
                Cell::Str(text)
            } else {
                *scratch = super::encoding::salvage(data);
                Cell::Str(scratch)
            }
        }
        As::Uuid => {
            use std::fmt::Write as _;
            scratch.clear();
            for (i, b) in data.iter().enumerate() {
                let dash = if matches!(i, 4 | 6 | 8 | 10) { "-" } else { "" };
                // Writing to a string does not fail.
                let _ = write!(scratch, "{dash}{b:02x}");
            }
            Cell::Str(scratch)
        }
        As::Decimal(scale) => {
            let negative = data.first().is_some_and(|b| b & 0x80 != 0);
            let start = if negative { -1.0 } else { 0.0 };
            // Two's complement, highest byte first.
            let unscaled = data.iter().fold(start, |x: f64, b| x * 256.0 + f64::from(*b));
            Cell::Float(unscaled / 10f64.powi(scale))
        }
        As::Half => match data {
            [low, high] => float(half(u16::from_le_bytes([*low, *high]))),
            _ => Cell::Other,
        },
        _ => Cell::Other,
    }
}

/// IEEE 754 binary16.
fn half(bits: u16) -> f64 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), f64::from(bits & 0x3ff));
    sign * match exponent {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1.0 + fraction / 1024.0) * 2f64.powi(exponent - 15),
    }
}

//! The file format safetensors (<https://github.com/huggingface/safetensors>): a table of contents as JSON, then numbers. Nothing that a file
//! says is believed: sizes are checked before anything is made of them.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a table says of the file itself.
pub const METADATA: &str = "__metadata__";

#[derive(Debug, Serialize, Deserialize)]
pub struct Entry {
    pub dtype: String,
    pub shape: Vec<usize>,
    /// From the end of the table, in bytes.
    pub data_offsets: [usize; 2],
}

/// A file's table and its numbers.
pub struct File<'a> {
    pub metadata: Option<serde_json::Value>,
    pub table: BTreeMap<String, Entry>,
    data: &'a [u8],
}

impl<'a> File<'a> {
    /// Reads the table of contents alone, of at most `most` bytes. Errors in words.
    pub fn read(bytes: &'a [u8], most: usize) -> Result<Self, String> {
        let Some((length, rest)) = bytes.split_first_chunk::<8>() else {
            return Err("it is too short".to_owned());
        };
        let length = u64::from_le_bytes(*length);
        if length > most as u64 || length > rest.len() as u64 {
            return Err("its table is not one, or is cut off".to_owned());
        }
        let (header, data) = rest.split_at(length as usize);
        let none = |_| "its table is not one".to_owned();
        let mut table: BTreeMap<String, serde_json::Value> = serde_json::from_slice(header).map_err(none)?;
        let metadata = table.remove(METADATA);
        let entry = |(name, v)| serde_json::from_value::<Entry>(v).map(|e| (name, e));
        let table = table
            .into_iter()
            .map(entry)
            .collect::<Result<BTreeMap<String, Entry>, _>>()
            .map_err(none)?;
        // Also of parts that nobody asks for: half a file is not a file.
        if let Some((name, _)) = table.iter().find(|(_, e)| e.data_offsets[1] > data.len()) {
            return Err(format!("{name} is cut off"));
        }
        Ok(Self {
            metadata,
            table,
            data,
        })
    }

    /// The numbers of a part that must have this shape. Errors in words.
    pub fn floats(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, String> {
        let entry = self.table.get(name).ok_or_else(|| format!("{name} is missing"))?;
        if entry.shape != shape {
            return Err(format!(
                "{name} has the form {:?} instead of {shape:?}",
                entry.shape
            ));
        }
        if entry.dtype != "F32" {
            return Err(format!(
                "{name} is stored as {}; store 32-bit floats",
                entry.dtype
            ));
        }
        let [from, to] = entry.data_offsets;
        let cut_off = || format!("{name} is cut off");
        let bytes = self.data.get(from..to).ok_or_else(cut_off)?;
        if bytes.len() != shape.iter().product::<usize>() * 4 {
            return Err(format!("{name} has another size than its form says"));
        }
        let (fours, _) = bytes.as_chunks::<4>();
        let values: Vec<f32> = fours.iter().map(|b| f32::from_le_bytes(*b)).collect();
        if values.iter().any(|v| !v.is_finite()) {
            return Err(format!("{name} has what is no number"));
        }
        Ok(values)
    }
}

/// Parts by name with shape and numbers, as such a file.
pub fn write(
    metadata: Option<serde_json::Value>,
    parts: &[(String, Vec<usize>, Vec<f32>)],
) -> serde_json::Result<Vec<u8>> {
    let mut table = serde_json::Map::new();
    if let Some(metadata) = metadata {
        table.insert(METADATA.to_owned(), metadata);
    }
    let mut at = 0;
    for (name, shape, values) in parts {
        let end = at + values.len() * 4;
        let entry = Entry {
            dtype: "F32".to_owned(),
            shape: shape.clone(),
            data_offsets: [at, end],
        };
        table.insert(name.clone(), serde_json::to_value(entry)?);
        at = end;
    }
    let mut header = serde_json::to_vec(&table)?;
    header.resize(header.len().next_multiple_of(8), b' ');
    let mut out = Vec::with_capacity(8 + header.len() + at);
    out.extend_from_slice(&(header.len() as u64).to_le_bytes());
    out.extend_from_slice(&header);
    for (_, _, values) in parts {
        out.extend(values.iter().flat_map(|v| v.to_le_bytes()));
    }
    Ok(out)
}

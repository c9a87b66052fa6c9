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
        tiled(&table, data.len())?;
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

/// Whether the parts fill `len` bytes one behind the other, as the format demands: no byte belongs to two of them or to none, so that every
/// reader sees the same. Errors in words.
fn tiled(table: &BTreeMap<String, Entry>, len: usize) -> Result<(), String> {
    let mut parts: Vec<([usize; 2], &str)> = table
        .iter()
        .map(|(name, e)| (e.data_offsets, name.as_str()))
        .collect();
    parts.sort_unstable();
    let (mut end, mut last) = (0, "");
    for ([from, to], name) in parts {
        if to < from {
            return Err(format!("{name} ends before it begins"));
        }
        if from < end {
            return Err(format!("{last} and {name} overlap"));
        }
        if from > end {
            return Err(format!("{} bytes before {name} belong to nothing", from - end));
        }
        (end, last) = (to, name);
    }
    if end < len {
        return Err(format!("{} bytes at its end belong to nothing", len - end));
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Names and places.
    type Parts<'a> = &'a [(&'a str, [usize; 2])];

    /// A file of so many bytes of numbers with these parts.
    fn file(parts: Parts<'_>, len: usize) -> Vec<u8> {
        let entry = |[from, to]: [usize; 2]| {
            let shape = [to.saturating_sub(from) / 4];
            serde_json::json!({ "dtype": "F32", "shape": shape, "data_offsets": [from, to] })
        };
        let table: serde_json::Map<_, _> = parts
            .iter()
            .map(|(name, at)| ((*name).to_owned(), entry(*at)))
            .collect();
        let header = serde_json::to_vec(&table).unwrap();
        let mut out = (header.len() as u64).to_le_bytes().to_vec();
        out.extend(header);
        out.resize(out.len() + len, 0);
        out
    }

    fn why(parts: Parts<'_>, len: usize) -> Option<String> {
        File::read(&file(parts, len), 1 << 10).err()
    }

    #[test]
    fn parts_fill_the_file_one_behind_the_other() {
        assert_eq!(why(&[], 0), None);
        assert_eq!(why(&[("b", [0, 8]), ("a", [8, 12])], 12), None);
        // Parts of no numbers take no room.
        assert_eq!(why(&[("a", [0, 0]), ("b", [0, 8]), ("c", [8, 8])], 8), None);
        let refused: [(Parts<'_>, usize, &str); 9] = [
            (&[("a", [0, 8]), ("b", [4, 12])], 12, "a and b overlap"),
            (&[("a", [0, 8]), ("b", [0, 8])], 8, "a and b overlap"),
            (&[("b", [0, 12]), ("a", [4, 8])], 12, "b and a overlap"),
            (
                &[("a", [0, 4]), ("b", [8, 12])],
                12,
                "4 bytes before b belong to nothing",
            ),
            (&[("a", [4, 8])], 8, "4 bytes before a belong to nothing"),
            (&[("a", [0, 8])], 12, "4 bytes at its end belong to nothing"),
            (&[], 4, "4 bytes at its end belong to nothing"),
            (&[("a", [8, 4])], 8, "a ends before it begins"),
            (&[("a", [0, 16])], 8, "a is cut off"),
        ];
        for (parts, len, wanted) in refused {
            assert_eq!(why(parts, len).as_deref(), Some(wanted), "{parts:?} of {len}");
        }
    }
}

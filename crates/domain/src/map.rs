//! A map of a version's pictures: a point each, alike ones together, coloured by a facet.

use crate::explore::{ExploreFilter, FacetValue};
use crate::geometry::Point;
use serde::{Deserialize, Serialize};

/// Points that are sent at most; of more pictures, those where few others lie come first.
pub const POINTS_MAX: usize = 200_000;
/// Values of a facet that have a colour of their own.
pub const COLORS_MAX: usize = 16;
/// The colour of files without a value, and of those whose values have none of their own.
pub const WITHOUT: u8 = 0;
pub const OTHERS: u8 = COLORS_MAX as u8 + 1;
/// Set in the mark of a point that passes the filter; the other bits are its colour.
pub const PASSES: u8 = 0x80;
/// Files that an area gives, or that are asked about, at most.
pub const FILES_MAX: usize = 10_000;
/// Corners of an area.
pub const CORNERS_MAX: usize = 500;

const MAGIC: &[u8; 8] = b"LIMNMAP1";
/// Bytes of a point: row, x and y, mark.
const POINT: usize = 4 + 4 + 1;

/// What is said of a map beside its points.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct MapHead {
    /// Files of the version.
    pub total: i64,
    /// Of them those that have a place on the map.
    pub placed: i64,
    /// Of these those that pass the filter.
    pub matched: i64,
    /// What the colours are about, as people read it; empty without colours.
    pub label: String,
    /// Values that have a colour, colour 1 first, with how many of the files that pass have it.
    pub legend: Vec<FacetValue>,
    /// The same of colour 17 and of colour 0.
    pub others: i64,
    pub without: i64,
}

/// The points of a map in the order of rows. Those that pass and those that do not are both there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MapPoints {
    pub head: MapHead,
    /// The place of each file in the order of paths.
    pub rows: Vec<u32>,
    /// x and y; 65,535 is the whole side.
    pub at: Vec<[u16; 2]>,
    /// [`PASSES`] and the colour.
    pub marks: Vec<u8>,
}

impl MapPoints {
    /// `LIMNMAP1`, then as little-endian numbers the length of the head and the head as JSON, the number of points, all rows (four bytes
    /// each), all x and y (two bytes each), all marks (one byte each).
    pub fn to_bytes(&self) -> Vec<u8> {
        // It holds nothing that cannot be written.
        let head = serde_json::to_vec(&self.head).unwrap_or_default();
        let mut out = Vec::with_capacity(MAGIC.len() + 8 + head.len() + self.rows.len() * POINT);
        out.extend(MAGIC);
        out.extend((head.len() as u32).to_le_bytes());
        out.extend(&head);
        out.extend((self.rows.len() as u32).to_le_bytes());
        out.extend(self.rows.iter().flat_map(|r| r.to_le_bytes()));
        out.extend(self.at.iter().flatten().flat_map(|v| v.to_le_bytes()));
        out.extend(&self.marks);
        out
    }

    /// None where it is something else, or not whole.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(MAGIC)?;
        let (len, rest) = rest.split_first_chunk::<4>()?;
        let (head, rest) = rest.split_at_checked(u32::from_le_bytes(*len) as usize)?;
        let (len, rest) = rest.split_first_chunk::<4>()?;
        let n = u32::from_le_bytes(*len) as usize;
        if rest.len() != n.checked_mul(POINT)? {
            return None;
        }
        let (rows, rest) = rest.split_at(n * 4);
        let (at, marks) = rest.split_at(n * 4);
        let rows = rows
            .chunks_exact(4)
            .map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]));
        let at = at
            .chunks_exact(4)
            .map(|b| [u16::from_le_bytes([b[0], b[1]]), u16::from_le_bytes([b[2], b[3]])]);
        Some(Self {
            head: serde_json::from_slice(head).ok()?,
            rows: rows.collect(),
            at: at.collect(),
            marks: marks.to_vec(),
        })
    }
}

/// Files to be named: by their rows, and by their paths.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MapAsk {
    pub rows: Vec<u32>,
    pub paths: Vec<String>,
}

/// An area of the map.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MapArea {
    /// Only files that pass it.
    pub filter: ExploreFilter,
    /// At least three; x and y from 0 to 1.
    pub corners: Vec<Point>,
    /// The facet of the colours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub color: Option<String>,
    /// Colours whose files are left out.
    pub hidden: Vec<u8>,
}

/// A file on the map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MapFile {
    /// Its place in the order of paths.
    pub row: u32,
    pub path: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_back_or_refused() {
        let points = MapPoints {
            head: MapHead {
                total: 9,
                placed: 2,
                matched: 1,
                label: "Split".to_owned(),
                legend: vec![FacetValue {
                    value: "train".to_owned(),
                    count: 1,
                }],
                ..MapHead::default()
            },
            rows: vec![3, 70_000],
            at: vec![[0, 65_535], [258, 1]],
            marks: vec![PASSES | 1, WITHOUT],
        };
        let bytes = points.to_bytes();
        assert_eq!(MapPoints::from_bytes(&bytes), Some(points));
        for cut in 0..bytes.len() {
            assert!(MapPoints::from_bytes(&bytes[..cut]).is_none(), "{cut}");
        }
        assert!(MapPoints::from_bytes(&[&bytes[..], &[0]].concat()).is_none());
        let empty = MapPoints::default();
        assert_eq!(MapPoints::from_bytes(&empty.to_bytes()), Some(empty));
    }
}

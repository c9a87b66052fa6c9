//! Limits and choices of a read.

/// How to read box coordinates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Coordinates {
    /// From 0 to 1 when no coordinate in the file exceeds 1.5 and some are fractions, as Azure ML writes them; pixels
    /// otherwise.
    #[default]
    Detect,
    Pixels,
    Normalised,
}

/// Limits and choices of a read.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    pub coordinates: Coordinates,
    /// Whether outlines are kept; otherwise labels are boxes.
    pub outlines: bool,
    /// Whether keypoints are kept.
    pub keypoints: bool,
    /// Whether turned boxes and ellipses are kept as such.
    pub turned: bool,
    /// Most bytes of one record.
    pub record_max: usize,
    pub images_max: usize,
    pub annotations_max: usize,
    pub categories_max: usize,
    /// Most bytes of memory for the attributes of all labels.
    pub attribute_bytes_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            coordinates: Coordinates::Detect,
            outlines: false,
            keypoints: false,
            turned: false,
            record_max: 64 << 20,
            images_max: 2_000_000,
            annotations_max: 5_000_000,
            categories_max: 10_000,
            attribute_bytes_max: 512 << 20,
        }
    }
}

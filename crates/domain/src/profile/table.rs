//! Tables: rows and columns of CSV, JSONL and Parquet files.

use super::Findings;
use serde::{Deserialize, Serialize};

/// All that is known about the rows of one table.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TableProfile {
    /// Every one of them was read.
    pub rows: u64,
    /// Size of the files.
    pub bytes: u64,
    pub files: u64,
    pub columns: Vec<ColumnProfile>,
    /// Columns beyond the limit, not profiled.
    pub columns_left_out: u64,
    pub missing: MissingProfile,
    pub duplicates: DuplicateRows,
    pub correlations: Option<Correlations>,
    pub alerts: Vec<Alert>,
    pub findings: Findings,
    /// The first rows as text; a cell that is missing is absent.
    pub head: Vec<Vec<Option<String>>>,
}

/// What a column holds, told from all of its values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum ColumnKind {
    /// Nothing but missing values.
    #[default]
    Empty,
    Bool,
    Integer,
    Float,
    Datetime,
    /// Text of few distinct values: at most 10, or at most 1,000 and a fifth of the rows.
    Category,
    Text,
    List,
    /// Binary or deeply nested.
    Other,
}

impl ColumnKind {
    pub const fn label(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Bool => "bool",
            Self::Integer => "integer",
            Self::Float => "float",
            Self::Datetime => "datetime",
            Self::Category => "category",
            Self::Text => "text",
            Self::List => "list",
            Self::Other => "other",
        }
    }
}

/// One column.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ColumnProfile {
    pub name: String,
    pub kind: ColumnKind,
    /// Values that are there.
    pub count: u64,
    pub missing: u64,
    /// How missing values are written, most frequent first: `""`, `NA`...
    pub missing_as: Vec<TopValue>,
    /// Distinct values among those that are there.
    pub unique: Estimate,
    /// What the values are, when they are not all of one kind.
    pub mixture: Vec<TopValue>,
    /// Most frequent values.
    pub top: TopValues,
    /// Of values that are numbers. In a mixed column, of those among its values.
    pub number: Option<NumberProfile>,
    pub text: Option<TextColumn>,
    pub time: Option<TimeProfile>,
    /// Lengths of lists.
    pub lengths: Option<NumberProfile>,
}

/// A count that may be estimated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Estimate {
    pub value: u64,
    /// Relative standard error; 0 is exact.
    pub error: f64,
}

impl Estimate {
    pub const fn exact(value: u64) -> Self {
        Self { value, error: 0.0 }
    }

    pub fn is_exact(self) -> bool {
        self.error == 0.0
    }
}

/// A value as text and how often it occurs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TopValue {
    pub value: String,
    pub count: u64,
}

/// The most frequent values, most frequent first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TopValues {
    pub values: Vec<TopValue>,
    /// Each count may be low by as much; 0 is exact.
    pub low_by: u64,
    /// Whether these are all the values there are.
    pub all: bool,
}

/// Figures of numbers. Infinities are counted and left out of the rest.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NumberProfile {
    /// Finite values.
    pub count: u64,
    pub min: Option<f64>,
    pub max: Option<f64>,
    pub range: Option<f64>,
    pub sum: Option<f64>,
    pub mean: Option<f64>,
    /// Mean absolute deviation from the mean.
    pub mean_deviation: Option<f64>,
    /// Of a sample: divided by n - 1.
    pub variance: Option<f64>,
    pub std: Option<f64>,
    /// Adjusted Fisher-Pearson coefficient, as pandas' `skew`.
    pub skewness: Option<f64>,
    /// Excess kurtosis, unbiased, as pandas' `kurt`.
    pub kurtosis: Option<f64>,
    pub quantiles: Option<Quantiles>,
    pub mode: Option<Mode>,
    pub zeros: u64,
    pub negatives: u64,
    pub positive_infinities: u64,
    pub negative_infinities: u64,
    /// Beyond 1.5 interquartile ranges from the quartiles.
    pub outliers: u64,
    pub histogram: Option<Histogram>,
    /// How far quantiles, histogram, outliers and mean deviation may be off, as a share of the values (99 % of the time);
    /// 0 is exact.
    pub rank_error: f64,
}

/// Quantiles with linear interpolation between neighbours (type 7, as NumPy's).
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Quantiles {
    pub p0_5: f64,
    pub p1: f64,
    pub p5: f64,
    pub q1: f64,
    pub median: f64,
    pub q3: f64,
    pub p95: f64,
    pub p99_5: f64,
}

impl Quantiles {
    /// Where each is taken.
    pub const AT: [f64; 8] = [0.005, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.995];

    pub const fn of(v: [f64; 8]) -> Self {
        Self {
            p0_5: v[0],
            p1: v[1],
            p5: v[2],
            q1: v[3],
            median: v[4],
            q3: v[5],
            p95: v[6],
            p99_5: v[7],
        }
    }

    /// With names, smallest first.
    pub const fn named(&self) -> [(&'static str, f64); 8] {
        [
            ("P0.5", self.p0_5),
            ("P1", self.p1),
            ("P5", self.p5),
            ("Q1", self.q1),
            ("Median", self.median),
            ("Q3", self.q3),
            ("P95", self.p95),
            ("P99.5", self.p99_5),
        ]
    }
}

/// The most frequent number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Mode {
    pub value: f64,
    /// At least as often.
    pub count: u64,
}

/// Bins by Hugging Face's rule: ten of equal width, or, of integers, at most ten of a whole width. A bin holds its lower
/// edge; the last one both.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Histogram {
    pub counts: Vec<u64>,
    /// One more than counts.
    pub edges: Vec<f64>,
}

/// Figures of text. Lengths are in characters (Unicode scalar values).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TextColumn {
    pub lengths: NumberProfile,
    pub characters: CharClasses,
    /// The shapes of the values: `A` an upper case letter, `a` a lower case one, `9` a digit, `+` a run.
    pub patterns: TopValues,
    /// Values that look like something known, e.g. e-mail addresses.
    pub formats: Vec<TopValue>,
    /// Shannon entropy of the values in bits, where all are counted.
    pub entropy: Option<f64>,
}

/// Characters by class.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CharClasses {
    pub upper: u64,
    pub lower: u64,
    pub digit: u64,
    pub space: u64,
    pub punctuation: u64,
    pub control: u64,
    /// Letters outside ASCII.
    pub letter: u64,
    /// Everything else outside ASCII.
    pub other: u64,
}

impl CharClasses {
    pub const fn named(&self) -> [(&'static str, u64); 8] {
        [
            ("lower case", self.lower),
            ("upper case", self.upper),
            ("digits", self.digit),
            ("white space", self.space),
            ("punctuation", self.punctuation),
            ("control", self.control),
            ("letters beyond ASCII", self.letter),
            ("others beyond ASCII", self.other),
        ]
    }
}

/// Figures of dates and times, in microseconds since 1970 (UTC where the value says its offset, as written otherwise).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TimeProfile {
    pub min: i64,
    pub max: i64,
    pub mean: i64,
    pub median: i64,
    /// Standard deviation in seconds.
    pub std: Option<f64>,
    /// Edges in seconds since 1970.
    pub histogram: Option<Histogram>,
    /// The longest time without a value.
    pub gap: Option<Gap>,
    /// The step between neighbours that is most frequent, in microseconds, and the share of steps that are it.
    pub cadence: Option<Cadence>,
    /// Values with an offset of UTC, with another, and without any.
    pub utc: u64,
    pub offset: u64,
    pub naive: u64,
    /// Values that are dates without a time.
    pub dates: u64,
    /// As [`NumberProfile::rank_error`].
    pub rank_error: f64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Gap {
    pub from: i64,
    pub to: i64,
    /// Each end may be off by as much; 0 is exact.
    pub within: i64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Cadence {
    pub step: i64,
    pub share: f64,
}

/// Missing cells, by row.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MissingProfile {
    pub cells: u64,
    /// Rows that have every value.
    pub complete_rows: u64,
    /// Which columns are missing together, most frequent first.
    pub patterns: Vec<MissingPattern>,
    /// Rows of patterns that are not listed.
    pub other_rows: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MissingPattern {
    pub columns: Vec<String>,
    pub rows: u64,
}

/// Rows that equal an earlier one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DuplicateRows {
    /// Rows beyond the first of their kind.
    pub rows: u64,
    /// Whether it was counted. Otherwise it is extrapolated from `sample` distinct rows, chosen by hash.
    pub exact: bool,
    pub sample: u64,
}

/// How columns go together, over a sample of rows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Correlations {
    /// Rows of the sample, drawn evenly from all.
    pub n: u64,
    pub columns: Vec<String>,
    /// Row by row, pairwise complete; absent where a column is constant.
    pub pearson: Vec<Vec<Option<f64>>>,
    pub spearman: Vec<Vec<Option<f64>>>,
}

/// Something to look at before this data is used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Alert {
    pub kind: AlertKind,
    pub level: AlertLevel,
    /// The columns it is about; none means the table.
    pub columns: Vec<String>,
    pub message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum AlertLevel {
    Warning,
    Note,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum AlertKind {
    Empty,
    Constant,
    DuplicateColumns,
    DuplicateRows,
    MostlyMissing,
    Mixed,
    Imbalance,
    HighCardinality,
    UniqueKey,
    Skewed,
    Infinite,
    Zeros,
    Correlated,
    LeadingZeros,
    TimeZones,
    Personal,
    Ragged,
}

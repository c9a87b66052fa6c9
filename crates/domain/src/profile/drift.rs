//! How a version differs from another one.

use serde::{Deserialize, Serialize};

/// From a version before to one after.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Drift {
    pub rows_before: u64,
    pub rows_after: u64,
    /// What is in both, the most different first.
    pub features: Vec<FeatureDrift>,
    /// Columns or categories that are new or gone.
    pub added: Vec<String>,
    pub removed: Vec<String>,
}

/// One column, or one figure of images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FeatureDrift {
    /// The column, or e.g. `image brightness`.
    pub name: String,
    pub level: DriftLevel,
    /// Population stability index over ten equal shares of the values before, or over categories. Below 0.1 is called
    /// stable, above 0.25 a shift (Siddiqi 2006).
    pub psi: Option<f64>,
    /// Kolmogorov-Smirnov: the largest distance between the two distributions, 0 to 1, and how likely one as large is by chance.
    pub ks: Option<Test>,
    /// Pearson's chi-squared over categories.
    pub chi_squared: Option<Test>,
    pub missing_before: f64,
    pub missing_after: f64,
    /// Means, where there are any.
    pub mean_before: Option<f64>,
    pub mean_after: Option<f64>,
    /// Shares before and after, of categories or of bins; the ones that moved most.
    pub shares: Vec<ShareChange>,
    /// Something that cannot be compared, e.g. another type.
    pub note: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Test {
    pub statistic: f64,
    pub p_value: f64,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ShareChange {
    pub value: String,
    pub before: f64,
    pub after: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum DriftLevel {
    Stable,
    Some,
    Strong,
}

impl DriftLevel {
    pub const fn label(self) -> &'static str {
        match self {
            Self::Stable => "Stable",
            Self::Some => "Some drift",
            Self::Strong => "Strong drift",
        }
    }
}

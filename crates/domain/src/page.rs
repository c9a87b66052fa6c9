//! Keyset paging: a page of rows and the cursor of the next one.

use serde::{Deserialize, Serialize};

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Page<T> {
    pub rows: Vec<T>,
    /// Pass as `cursor` for the next page; absent on the last one.
    pub next: Option<String>,
    /// All rows that match, where counting is cheap.
    pub total: Option<i64>,
}

impl<T> Default for Page<T> {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            next: None,
            total: None,
        }
    }
}

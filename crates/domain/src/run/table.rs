//! Runs as the pages show them in a table.

use super::{ExperimentId, RunInfo, View};
use crate::filter::Entity;
use serde::{Deserialize, Serialize};

/// What a column shows: a metric's latest value, a parameter, a tag.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Column {
    pub entity: Entity,
    pub key: String,
}

impl Column {
    /// `m:loss`, `p:lr`, `t:team`; what links hold.
    pub fn code(&self) -> String {
        let first = match self.entity {
            Entity::Param => 'p',
            Entity::Tag => 't',
            _ => 'm',
        };
        format!("{first}:{}", self.key)
    }

    pub fn parse(code: &str) -> Option<Self> {
        let (first, key) = code.split_once(':')?;
        let entity = match first {
            "m" => Entity::Metric,
            "p" => Entity::Param,
            "t" => Entity::Tag,
            _ => return None,
        };
        (!key.is_empty()).then(|| Self {
            entity,
            key: key.to_owned(),
        })
    }

    /// As the filter grammar and orders write it.
    pub fn name(&self) -> String {
        let prefix = match self.entity {
            Entity::Param => "params",
            Entity::Tag => "tags",
            _ => "metrics",
        };
        format!("{prefix}.`{}`", self.key)
    }
}

/// Which runs of an experiment a page shows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RunsQuery {
    pub experiments: Vec<ExperimentId>,
    pub filter: String,
    /// Such as `metrics.loss ASC`; the newest first when empty.
    pub sort: String,
    pub view: View,
    pub offset: i64,
    pub limit: i64,
    /// The first metrics and parameters there are when empty.
    pub columns: Vec<Column>,
    /// The table shows groups by this parameter or tag instead of runs.
    #[serde(default)]
    pub group: Option<Column>,
    /// Those of one group alone.
    #[serde(default)]
    pub within: Option<Within>,
}

/// The runs that have a value; `None`: those that do not have the parameter or tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Within {
    pub column: Column,
    pub value: Option<String>,
}

/// Runs that have one value of what the table is grouped by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunGroup {
    /// `None`: those without.
    pub value: Option<String>,
    pub runs: i64,
    /// One a column.
    pub cells: Vec<GroupCell>,
}

/// What a column says of a group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupCell {
    Nothing,
    /// Of the runs' latest values; those that are not numbers are left out.
    Numbers {
        mean: f64,
        min: f64,
        max: f64,
    },
    /// All runs that have it have the same.
    Text(String),
    /// So many different ones.
    Texts(i64),
}

impl GroupCell {
    pub const fn mean(&self) -> Option<f64> {
        match self {
            Self::Numbers { mean, .. } => Some(*mean),
            _ => None,
        }
    }
}

/// The groups of a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupedRuns {
    pub columns: Vec<Column>,
    pub groups: Vec<RunGroup>,
    /// There are more groups than are shown.
    pub more: bool,
}

/// A row: what the columns show of a run, nothing where it has none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRow {
    pub info: RunInfo,
    pub cells: Vec<Option<String>>,
}

/// A page of the table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRows {
    pub columns: Vec<Column>,
    pub rows: Vec<RunRow>,
    pub total: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_survive_links() {
        for code in ["m:val/loss", "p:a:b", "t:mlflow.user"] {
            assert_eq!(Column::parse(code).map(|c| c.code()).as_deref(), Some(code));
        }
        for bad in ["", "m:", "x:a", "loss"] {
            assert_eq!(Column::parse(bad), None, "{bad}");
        }
    }
}

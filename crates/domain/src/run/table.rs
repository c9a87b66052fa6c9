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

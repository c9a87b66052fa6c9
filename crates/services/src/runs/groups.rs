//! Runs of a table, grouped by a parameter or a tag.

use super::{Runs, Search};
use crate::authz::require;
use crate::{Actor, Error, Result};
use limn_domain::Action;
use limn_domain::filter::Entity;
use limn_domain::run::table::{Column, GroupCell, RunGroup};
use limn_store::repo;
use limn_store::repo::run::Query;
use std::collections::HashMap;

/// Groups answered at most, those with the most runs.
pub const GROUPS_MAX: usize = 500;
/// Columns summed up at most.
const COLUMNS_MAX: usize = 50;

impl Runs {
    /// The groups of all runs that match, whatever the page; and whether there are more than [`GROUPS_MAX`]. In the order of `search.order_by`
    /// where that is the mean of a shown metric, else by value, those without last. Errors: `InvalidInput` for a filter that is none or a
    /// metric to group by.
    pub async fn groups(
        &self,
        actor: &Actor,
        search: &Search,
        by: &Column,
        columns: &[Column],
    ) -> Result<(Vec<RunGroup>, bool)> {
        require(actor, Action::ViewRuns)?;
        if !matches!(by.entity, Entity::Param | Entity::Tag) {
            return Err(Error::field("group", "Group by a parameter or a tag."));
        }
        let (clauses, sort) = search.parsed()?;
        let query = Query {
            experiments: &search.experiments,
            clauses: &clauses,
            sort: &[],
            view: search.view,
            changed_after: search.changed_after,
            offset: 0,
            limit: 0,
        };
        let mut tx = self.ctx.db.read().await?;
        let mut found = repo::run::groups(&mut tx, &query, by, GROUPS_MAX as i64 + 1).await?;
        let more = found.len() > GROUPS_MAX;
        found.truncate(GROUPS_MAX);
        let mut groups: Vec<RunGroup> = found
            .into_iter()
            .map(|(value, runs)| RunGroup {
                value,
                runs,
                cells: Vec::new(),
            })
            .collect();
        for column in columns.iter().take(COLUMNS_MAX) {
            let mut cells: HashMap<Option<String>, GroupCell> = HashMap::new();
            if column.entity == Entity::Metric {
                for (value, mean, min, max) in
                    repo::run::group_metric(&mut tx, &query, by, &column.key).await?
                {
                    if let (Some(mean), Some(min), Some(max)) = (mean, min, max) {
                        cells.insert(value, GroupCell::Numbers { mean, min, max });
                    }
                }
            } else {
                for (value, first, different) in repo::run::group_texts(&mut tx, &query, by, column).await? {
                    let cell = if different == 1 {
                        GroupCell::Text(first)
                    } else {
                        GroupCell::Texts(different)
                    };
                    cells.insert(value, cell);
                }
            }
            for g in &mut groups {
                g.cells.push(cells.remove(&g.value).unwrap_or(GroupCell::Nothing));
            }
        }
        let key = sort.first().and_then(|s| {
            let shown =
                |c: &Column| c.entity == Entity::Metric && s.entity == Entity::Metric && c.key == s.key;
            Some((columns.iter().take(COLUMNS_MAX).position(shown)?, s.ascending))
        });
        groups.sort_by(|a, b| match key {
            Some((at, ascending)) => match (a.cells[at].mean(), b.cells[at].mean()) {
                (Some(x), Some(y)) if ascending => x.total_cmp(&y),
                (Some(x), Some(y)) => y.total_cmp(&x),
                (x, y) => y.is_some().cmp(&x.is_some()),
            },
            None => natural(a.value.as_deref(), b.value.as_deref()),
        });
        Ok((groups, more))
    }
}

/// Numbers as numbers before texts, those without last.
fn natural(a: Option<&str>, b: Option<&str>) -> std::cmp::Ordering {
    let number = |t: &str| t.parse::<f64>().ok();
    match (a, b) {
        (Some(a), Some(b)) => match (number(a), number(b)) {
            (Some(x), Some(y)) => x.total_cmp(&y).then_with(|| a.cmp(b)),
            (x, y) => y.is_some().cmp(&x.is_some()).then_with(|| a.cmp(b)),
        },
        (a, b) => b.is_some().cmp(&a.is_some()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_in_their_order_and_nothing_comes_last() {
        let mut values = [
            None,
            Some("adam"),
            Some("0.1"),
            Some("1e-3"),
            Some("10"),
            Some("9"),
            Some("sgd"),
        ];
        values.sort_by(|a, b| natural(*a, *b));
        assert_eq!(
            values,
            [
                Some("1e-3"),
                Some("0.1"),
                Some("9"),
                Some("10"),
                Some("adam"),
                Some("sgd"),
                None
            ]
        );
    }
}

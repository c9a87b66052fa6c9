//! Finding runs, with what they logged kept in memory while it does not change.

use super::Runs;
use crate::authz::require;
use crate::{Actor, Error, Result, cursor};
use limn_domain::run::table::Within;
use limn_domain::run::{ExperimentId, RunData, RunInfo, RunInput, RunModel, View};
use limn_domain::{Action, RunId, Timestamp, filter};
use limn_store::repo::run::Query;
use limn_store::{Tx, repo};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Most runs of a page.
pub const PAGE_MAX: i64 = 50_000;
/// Most experiments searched at once.
const EXPERIMENTS: usize = 1_000;
const CURSOR: &str = "runs";
/// Entries (metrics, parameters, tags) kept in memory, about 100 bytes each.
const KEPT: usize = 250_000;

/// What to look for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Search {
    pub experiments: Vec<ExperimentId>,
    /// In the filter grammar.
    pub filter: String,
    /// Such as `metrics.loss ASC`; the newest first when empty.
    pub order_by: Vec<String>,
    pub view: View,
    /// Changed after this.
    pub changed_after: Option<Timestamp>,
    /// 1 to 50,000.
    pub limit: i64,
    /// `next` of the page before.
    pub cursor: Option<String>,
    /// Instead of a cursor.
    pub offset: i64,
    /// Whether to count all that match.
    pub count: bool,
    /// Those of one group alone.
    pub within: Option<Within>,
}

impl Search {
    /// The clauses and the order. Errors: what is wrong with them, or with how much is searched.
    pub(super) fn parsed(&self) -> Result<(Vec<filter::Clause>, Vec<filter::Sort>)> {
        let mut clauses = filter::RUNS
            .parse(&self.filter)
            .map_err(|e| Error::field("filter", e))?;
        if let Some(within) = &self.within {
            let (op, value) = match &within.value {
                Some(text) => (filter::Op::Eq, filter::Value::Text(text.clone())),
                None => (filter::Op::IsNull, filter::Value::None),
            };
            clauses.push(filter::Clause {
                entity: within.column.entity,
                key: within.column.key.clone(),
                op,
                value,
            });
        }
        let mut sort: Vec<filter::Sort> = Vec::new();
        for order in &self.order_by {
            let by = filter::RUNS
                .sort(order)
                .map_err(|e| Error::field("order_by", e))?;
            if sort.iter().any(|s| s.entity == by.entity && s.key == by.key) {
                return Err(Error::field(
                    "order_by",
                    format!("`{}` is there twice; leave one out.", by.key),
                ));
            }
            sort.push(by);
        }
        if sort.len() > 10 {
            return Err(Error::field("order_by", "Sort by at most 10 things."));
        }
        if self.experiments.len() > EXPERIMENTS {
            return Err(Error::field(
                "experiment_ids",
                format!("Search at most {EXPERIMENTS} experiments at once."),
            ));
        }
        Ok((clauses, sort))
    }
}

/// A page of runs.
#[derive(Debug, Clone)]
pub struct Found {
    pub runs: Vec<FoundRun>,
    pub next: Option<String>,
    pub total: Option<i64>,
}

#[derive(Debug, Clone)]
pub struct FoundRun {
    pub info: RunInfo,
    pub logged: Arc<Logged>,
}

/// What a run logged besides series and files.
#[derive(Debug, Default)]
pub struct Logged {
    pub data: RunData,
    pub inputs: Vec<RunInput>,
    pub models: Vec<RunModel>,
}

impl Logged {
    fn weight(&self) -> usize {
        let data = &self.data;
        let texts: usize = self
            .inputs
            .iter()
            .map(|i| 10 + (i.schema.len() + i.profile.len()) / 100)
            .sum();
        1 + data.metrics.len() + data.params.len() + data.tags.len() + texts + self.models.len()
    }
}

impl Runs {
    /// Runs that match. Errors: `InvalidInput` with what is wrong with the filter or the order.
    pub async fn search(&self, actor: &Actor, search: Search) -> Result<Found> {
        require(actor, Action::ViewRuns)?;
        let (clauses, sort) = search.parsed()?;
        if !(1..=PAGE_MAX).contains(&search.limit) {
            return Err(Error::field(
                "max_results",
                format!("A page has 1 to {PAGE_MAX} runs."),
            ));
        }
        let offset = match &search.cursor {
            Some(text) => cursor::number(&cursor::decode(CURSOR, text)?)?,
            None => search.offset,
        };
        let query = Query {
            experiments: &search.experiments,
            clauses: &clauses,
            sort: &sort,
            view: search.view,
            changed_after: search.changed_after,
            offset: offset.max(0),
            limit: search.limit + 1,
        };
        let mut tx = self.ctx.db.read().await?;
        let (mut infos, total) = repo::run::search(&mut tx, &query, search.count).await?;
        let more = infos.len() as i64 > search.limit;
        infos.truncate(search.limit as usize);
        let logged = self.kept.of(&mut tx, &infos).await?;
        let next = more.then(|| cursor::encode(CURSOR, &(query.offset + search.limit).to_string()));
        Ok(Found {
            runs: infos
                .into_iter()
                .zip(logged)
                .map(|(info, logged)| FoundRun { info, logged })
                .collect(),
            next,
            total,
        })
    }
}

/// What runs logged, by the number of their last change.
#[derive(Clone, Default)]
pub(super) struct Kept(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    runs: HashMap<RunId, (i64, Arc<Logged>)>,
    weight: usize,
}

impl Kept {
    /// What these runs logged, in their order. `tx` must be the snapshot in which they were read.
    pub async fn of(&self, tx: &mut Tx, runs: &[RunInfo]) -> Result<Vec<Arc<Logged>>> {
        let mut found: Vec<Option<Arc<Logged>>> = {
            let inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let known = |r: &RunInfo| inner.runs.get(&r.id).filter(|(change, _)| *change == r.change);
            runs.iter()
                .map(|r| known(r).map(|(_, logged)| Arc::clone(logged)))
                .collect()
        };
        let missing: Vec<RunId> = runs
            .iter()
            .zip(&found)
            .filter(|(_, f)| f.is_none())
            .map(|(r, _)| r.id)
            .collect();
        if missing.is_empty() {
            return Ok(found.into_iter().flatten().collect());
        }
        let mut data = repo::run::data(tx, &missing).await?;
        let mut inputs = repo::run::inputs(tx, &missing).await?;
        let mut models = repo::run::models(tx, &missing).await?;
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (run, slot) in runs.iter().zip(&mut found).filter(|(_, f)| f.is_none()) {
            let mut data = data.remove(&run.id).unwrap_or_default();
            data.metrics.sort_by(|a, b| a.key.cmp(&b.key));
            let logged = Arc::new(Logged {
                data,
                inputs: inputs.remove(&run.id).unwrap_or_default(),
                models: models.remove(&run.id).unwrap_or_default(),
            });
            let weight = logged.weight();
            if weight > KEPT / 4 {
                *slot = Some(logged);
                continue;
            }
            if inner.weight + weight > KEPT {
                inner.runs.clear();
                inner.weight = 0;
            }
            inner.weight += weight;
            if let Some((_, old)) = inner.runs.insert(run.id, (run.change, Arc::clone(&logged))) {
                inner.weight -= old.weight().min(inner.weight);
            }
            *slot = Some(logged);
        }
        drop(inner);
        Ok(found.into_iter().flatten().collect())
    }
}

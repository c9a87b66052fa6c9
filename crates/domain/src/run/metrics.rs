//! The metrics of a run a part at a time: a run may have ten thousand.

use super::Metric;
use serde::{Deserialize, Serialize};

/// What a client measured of the machine has this in front, as MLflow's monitor does.
pub const SYSTEM: &str = "system/";
/// Most metrics of one answer.
pub const LIMIT_MAX: usize = 5_000;

/// Which metrics of a run are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetricsQuery {
    /// Those of the machine, or the run's own.
    pub system: bool,
    /// A part of the key, regardless of case.
    pub text: String,
    /// The first so many, 1..=[`LIMIT_MAX`].
    pub limit: usize,
}

/// Metrics by key with how many points each has.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    pub rows: Vec<(Metric, i64)>,
    /// How many there are, of which these are the first.
    pub total: usize,
}

impl MetricsQuery {
    /// The first so many of the run's own metrics, or of those of its machine.
    pub fn first(system: bool, limit: usize) -> Self {
        Self {
            system,
            text: String::new(),
            limit,
        }
    }

    /// Those of all that a run has.
    pub fn of(&self, all: &[(Metric, i64)]) -> Metrics {
        let text = self.text.to_lowercase();
        let mut found = Metrics::default();
        for row in all {
            let key = &row.0.key;
            if key.starts_with(SYSTEM) != self.system || !key.to_lowercase().contains(&text) {
                continue;
            }
            found.total += 1;
            if found.rows.len() < self.limit.clamp(1, LIMIT_MAX) {
                found.rows.push(row.clone());
            }
        }
        found
    }
}

impl Metrics {
    /// What these first ones answer by themselves; `None` where it takes those behind them.
    pub fn answer(&self, query: &MetricsQuery) -> Option<Self> {
        if self.rows.len() == self.total {
            return Some(query.of(&self.rows));
        }
        (query.text.is_empty() && query.limit <= self.rows.len()).then(|| Self {
            rows: self.rows[..query.limit].to_vec(),
            total: self.total,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Point;

    fn all(n: usize) -> Vec<(Metric, i64)> {
        let key = |i: usize| match i % 10 {
            0 => format!("system/cpu_{i:03}"),
            _ => format!("Layer_{i:03}/norm"),
        };
        let row = |i: usize| {
            let last = Point {
                step: 0,
                at_ms: 0,
                value: i as f64,
            };
            (Metric { key: key(i), last }, 1)
        };
        (0..n).map(row).collect()
    }

    fn keys(m: &Metrics) -> Vec<&str> {
        m.rows.iter().map(|m| m.0.key.as_str()).collect()
    }

    #[test]
    fn the_first_that_match_and_how_many_there_are() {
        let all = all(100);
        let own = MetricsQuery::first(false, 3).of(&all);
        assert_eq!(own.total, 90);
        assert_eq!(keys(&own), ["Layer_001/norm", "Layer_002/norm", "Layer_003/norm"]);
        assert_eq!(MetricsQuery::first(true, 3).of(&all).total, 10);
        let some = MetricsQuery {
            text: "LAYER_09".to_owned(),
            ..MetricsQuery::first(false, 5)
        };
        let found = some.of(&all);
        assert_eq!((found.rows.len(), found.total), (5, 9));
        // Nobody is answered nothing, or everything.
        let limit = |n| MetricsQuery::first(false, n).of(&all).rows.len();
        assert_eq!((limit(0), limit(usize::MAX)), (1, 90));
    }

    #[test]
    fn what_came_with_the_page_answers_what_it_can() {
        let all = all(100);
        let first = MetricsQuery::first(false, 20).of(&all);
        let ask = |text: &str, limit| MetricsQuery {
            text: text.to_owned(),
            ..MetricsQuery::first(false, limit)
        };
        let answer = first.answer(&ask("", 10)).unwrap();
        assert_eq!((answer.rows.len(), answer.total), (10, 90));
        // More of them, and a search, take those that did not come.
        assert_eq!(first.answer(&ask("", 21)), None);
        assert_eq!(first.answer(&ask("layer_001", 10)), None);
        // Where all came nothing else is asked.
        let whole = MetricsQuery::first(false, 90).of(&all);
        let found = whole.answer(&ask("layer_09", 200)).unwrap();
        assert_eq!((found.rows.len(), found.total), (9, 9));
        let machine = MetricsQuery::first(true, 10).of(&all);
        let found = machine.answer(&MetricsQuery::first(true, 200)).unwrap();
        assert_eq!(found.total, 10);
    }
}

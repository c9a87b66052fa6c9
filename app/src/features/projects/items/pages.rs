//! The item list as the grid sees it: pages fetched by cursor as they are looked at, forgotten when far away.

use super::super::api;
use crate::error::AppError;
use leptos::prelude::*;
use leptos::task::spawn_local;
use limn_domain::item::{ItemQuery, ItemWithAnnotations};
use limn_domain::{Page, ProjectId};
use std::collections::HashMap;
use std::sync::Arc;

/// Items a page holds; also what one request asks for.
pub const PAGE: usize = 100;
/// Pages kept; those farthest from the screen go first.
const KEEP: usize = 40;

pub type Row = Arc<ItemWithAnnotations>;

/// The pages known so far. `cursors[n]` fetches page `n`; the walk along them finds the next.
#[derive(Default)]
struct Known {
    cursors: Vec<Option<String>>,
    rows: HashMap<usize, Vec<Row>>,
    /// Rows from before a reload, shown until the fresh ones are here.
    stale: HashMap<usize, Vec<Row>>,
    /// Whether the last cursor's page is the last page.
    ended: bool,
    wanted: (usize, usize),
    running: bool,
    generation: u32,
}

impl Known {
    fn take(&mut self, page: usize, answer: Page<ItemWithAnnotations>) {
        self.stale.remove(&page);
        self.rows
            .insert(page, answer.rows.into_iter().map(Arc::new).collect());
        if page + 1 == self.cursors.len() {
            match answer.next {
                Some(next) => self.cursors.push(Some(next)),
                None => self.ended = true,
            }
        }
        if self.ended {
            let last = self.cursors.len();
            self.stale.retain(|p, _| *p < last);
        }
        if self.rows.len() > KEEP {
            let (from, to) = self.wanted;
            let distance = |p: usize| p.abs_diff(from).min(p.abs_diff(to));
            if let Some(far) = self.rows.keys().copied().max_by_key(|p| distance(*p)) {
                self.rows.remove(&far);
            }
        }
    }

    /// The page to fetch next: one on the screen if its cursor is known, else one more step of the walk.
    fn next(&self) -> Option<usize> {
        let (from, to) = self.wanted;
        let missing = (from..=to).find(|p| !self.rows.contains_key(p) && *p < self.cursors.len());
        missing.or_else(|| {
            let last = self.cursors.len().checked_sub(1)?;
            (to > last && !self.ended && !self.rows.contains_key(&last)).then_some(last)
        })
    }
}

/// A list of items under one filter.
#[derive(Clone, Copy)]
pub struct Pages {
    project: ProjectId,
    query: StoredValue<ItemQuery>,
    /// Items that match.
    pub total: RwSignal<usize>,
    pub error: RwSignal<Option<AppError>>,
    /// Grows when pages came or went.
    version: RwSignal<u32>,
    known: StoredValue<Known>,
}

impl Pages {
    /// Starts with the first page, as rendered on the server.
    pub fn new(project: ProjectId, query: ItemQuery, first: Page<ItemWithAnnotations>) -> Self {
        let total = total_of(&first, 0, false);
        let mut known = Known {
            cursors: vec![None],
            ..Known::default()
        };
        known.take(0, first);
        Self {
            project,
            query: StoredValue::new(query),
            total: RwSignal::new(total),
            error: RwSignal::new(None),
            version: RwSignal::new(0),
            known: StoredValue::new(known),
        }
    }

    /// The item at a place; `None` while it is on its way. Tracks arrivals.
    pub fn get(&self, index: usize) -> Option<Row> {
        self.version.track();
        self.peek(index)
    }

    /// The same without tracking.
    pub fn peek(&self, index: usize) -> Option<Row> {
        self.known.with_value(|k| {
            let page = index / PAGE;
            let rows = k.rows.get(&page).or_else(|| k.stale.get(&page))?;
            rows.get(index % PAGE).cloned()
        })
    }

    /// Makes sure the items `from..to` are here or on their way.
    pub fn need(self, from: usize, to: usize) {
        self.known
            .update_value(|k| k.wanted = (from / PAGE, to.saturating_sub(1) / PAGE));
        self.run();
    }

    /// Reads everything again after a change, keeping what is shown until it is replaced.
    pub fn reload(self) {
        self.known.update_value(|k| {
            k.generation += 1;
            k.running = false;
            k.cursors.truncate(1);
            k.ended = false;
            let old = std::mem::take(&mut k.rows);
            k.stale.extend(old);
            k.wanted.0 = 0;
        });
        self.run();
    }

    pub fn retry(self) {
        self.error.set(None);
        self.run();
    }

    fn run(self) {
        let start = self.known.try_update_value(|k| {
            let start = !k.running && k.next().is_some();
            k.running |= start;
            start.then_some(k.generation)
        });
        if let Some(Some(generation)) = start {
            spawn_local(self.fetch(generation));
        }
    }

    async fn fetch(self, generation: u32) {
        loop {
            let step = self.known.try_with_value(|k| {
                (k.generation == generation).then(|| k.next().map(|p| (p, k.cursors[p].clone())))
            });
            // The page is gone, or a reload has taken over.
            let Some(Some(step)) = step else { return };
            let Some((page, cursor)) = step else { break };
            let Some(query) = self.query.try_get_value() else {
                return;
            };
            let query = ItemQuery {
                cursor,
                limit: Some(PAGE as i64),
                ..query
            };
            let answer = api::item_list(self.project, query).await;
            let current = self.known.try_with_value(|k| k.generation == generation);
            if current != Some(true) {
                return;
            }
            match answer {
                Ok(answer) => {
                    let total = total_of(&answer, page, page > 0);
                    let first_or_last = page == 0 || answer.next.is_none();
                    if first_or_last || total > self.total.get_untracked() {
                        self.total.set(total);
                    }
                    self.known.update_value(|k| k.take(page, answer));
                    self.error.set(None);
                    self.version.update(|v| *v += 1);
                }
                Err(e) => {
                    self.error.set(Some(e));
                    break;
                }
            }
        }
        self.known.update_value(|k| k.running = false);
    }
}

/// How many items match, as far as this page tells.
fn total_of(page: &Page<ItemWithAnnotations>, number: usize, count_rows: bool) -> usize {
    let seen = number * PAGE + page.rows.len();
    match page.total {
        _ if count_rows && page.next.is_none() => seen,
        Some(total) => usize::try_from(total).unwrap_or_default().max(seen),
        None if page.next.is_some() => seen + PAGE,
        None => seen,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(pages: usize) -> Known {
        let mut k = Known {
            cursors: vec![None],
            ..Known::default()
        };
        for p in 0..pages {
            k.take(
                p,
                Page {
                    rows: Vec::new(),
                    next: Some(format!("c{p}")),
                    total: None,
                },
            );
        }
        k
    }

    #[test]
    fn the_walk_goes_as_far_as_looked_at() {
        let mut k = known(2);
        k.wanted = (0, 1);
        assert_eq!(k.next(), None);
        k.wanted = (5, 5);
        assert_eq!(k.next(), Some(2));
        k.take(
            2,
            Page {
                rows: Vec::new(),
                next: None,
                total: None,
            },
        );
        assert_eq!(k.next(), None, "it ended");
    }

    #[test]
    fn far_pages_are_forgotten_and_fetched_again() {
        let mut k = known(0);
        k.wanted = (100, 100);
        for p in 0..101 {
            k.take(
                p,
                Page {
                    rows: Vec::new(),
                    next: Some(p.to_string()),
                    total: None,
                },
            );
        }
        assert!(k.rows.len() <= KEEP);
        assert!(k.rows.contains_key(&100) && !k.rows.contains_key(&0));
        k.wanted = (0, 1);
        assert_eq!(k.next(), Some(0));
    }
}

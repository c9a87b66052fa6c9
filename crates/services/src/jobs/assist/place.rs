//! Proposing, and putting the queue in order.

use super::look::{Looked, Seen};
use super::{Run, boxes, instances, labels_between, masks, spans};
use crate::Error;
use crate::assist::port::{Verdict, by_turns};
use limn_domain::assist::{AssistOrder, finds_boxes, finds_instances, finds_marks, finds_masks, finds_spans};
use limn_domain::item::ItemStatus;
use limn_domain::{ItemId, Shape};
use limn_jobs::Permanent;
use limn_store::repo;
use limn_store::repo::assist::{AssistItem, ModelRow, Proposal, Standing};
use limn_store::{StoreError, Tx};
use std::collections::{HashMap, HashSet};

/// Items proposed for in one transaction, and placed.
const CHUNK: usize = 200;
/// Items that are given a place, of those that a look settles and of the others; the rest keeps the queue's own order.
const PLACED: usize = 2_000;
/// Items that are put in order.
const CANDIDATES: usize = 20_000;
/// Every so manieth item comes from the holdout, in random order, so that it is a fair sample.
const HOLDOUT_EVERY: usize = 5;
/// Proposals that are accepted by the page come so many together, then those of the holdout that go with them: pages stay of one sort.
const TOGETHER: usize = 32;
/// Confidence may move by so much without the proposal being written anew.
const SAME: f64 = 0.02;

pub(super) struct Placed {
    pub prelabeled: usize,
    pub ordered: usize,
}

/// What a model says of an item, and what of that is proposed.
pub(super) struct Said {
    pub verdict: Verdict,
    pub proposals: Vec<Proposal>,
}

struct Sure<'a> {
    seen: &'a Seen,
    proposals: Vec<Proposal>,
    confidence: f32,
    /// A look settles the item.
    whole: bool,
}

/// Proposes and puts in order. `holdout`: labels of the holdout, `done`: of all items.
pub(super) async fn place(
    run: &Run<'_>,
    looked: &Looked,
    model: Option<&ModelRow>,
    (holdout, done): (usize, i64),
) -> anyhow::Result<Placed> {
    let todo: Vec<&Seen> = looked
        .items
        .iter()
        .filter(|s| s.item.status == ItemStatus::Todo && s.features.is_some())
        .collect();
    let (todo, said) = match model {
        None => (todo, Vec::new()),
        Some(model) if finds_boxes(run.task) => boxes::predict(run, todo, model).await?,
        Some(model) if finds_instances(run.task) => instances::predict(run, looked, todo, model).await?,
        Some(model) if finds_masks(run.task) => masks::predict(run, todo, model).await?,
        Some(model) if finds_spans(run.task) => spans::predict(run, todo, model).await?,
        Some(model) => {
            let said = predict(run, &todo, model).await?;
            (todo, said)
        }
    };
    run.progress.report(0, 0, "Proposing").await?;
    let mut sure: Vec<Sure<'_>> = Vec::new();
    for (seen, s) in todo.iter().zip(&said) {
        let may = !seen.holdout || holdout >= run.holdout_enough();
        if may && s.verdict.proposed && !s.proposals.is_empty() {
            sure.push(Sure {
                seen,
                proposals: s.proposals.clone(),
                confidence: s.verdict.confidence,
                whole: s.verdict.whole,
            });
        }
    }
    propose(run, &todo, &sure, model.map_or(0, |m| m.version)).await?;
    let place = |p: &Proposal| run.categories.iter().position(|c| *c == p.category_id);
    // Those of one category together; items with marks in them by how sure those are alone.
    let alike = !finds_marks(run.task);
    sure.sort_by(|a, b| {
        let key = |s: &Sure<'_>| {
            s.proposals
                .iter()
                .filter(|_| alike)
                .map(place)
                .collect::<Vec<_>>()
        };
        key(a).cmp(&key(b)).then(b.confidence.total_cmp(&a.confidence))
    });
    let whole: Vec<ItemId> = sure.iter().filter(|s| s.whole).map(|s| s.seen.item.id).collect();
    let taken: HashSet<ItemId> = whole.iter().copied().collect();
    let rest: Vec<(&Seen, Option<&Verdict>)> = todo
        .iter()
        .enumerate()
        .filter(|(_, s)| !taken.contains(&s.item.id))
        .map(|(n, s)| (*s, said.get(n).map(|s| &s.verdict)))
        .collect();
    run.progress.report(0, 0, "Putting the queue in order").await?;
    let (order, groups) = arrange(run, whole, &rest, (holdout, done)).await?;
    let ordered = order.len();
    write_order(run, order, groups).await?;
    Ok(Placed {
        prelabeled: sure.len(),
        ordered,
    })
}

async fn predict(run: &Run<'_>, todo: &[&Seen], model: &ModelRow) -> anyhow::Result<Vec<Said>> {
    let mut all: Vec<Verdict> = Vec::with_capacity(todo.len());
    for part in todo.chunks(10_000) {
        let features: Vec<Vec<f32>> = part.iter().filter_map(|s| s.features.clone()).collect();
        let (head, thresholds) = (model.head.clone(), model.thresholds.0.clone());
        let parents = run.parents(&model.categories);
        let found = run
            .on_thread(move |engine, _| engine.predict(&head, &thresholds, &parents, &features))
            .await?;
        all.extend(found.map_err(Permanent)?);
        run.progress.check()?;
    }
    let said = all.into_iter().map(|verdict| Said {
        proposals: proposals(run, model, &verdict),
        verdict,
    });
    Ok(said.collect())
}

/// Categories that are gone since the training are left out.
fn proposals(run: &Run<'_>, model: &ModelRow, v: &Verdict) -> Vec<Proposal> {
    v.says
        .iter()
        .filter_map(|(c, p)| Some((*model.categories.get(*c)?, f64::from(*p))))
        .filter(|(id, _)| run.categories.contains(id))
        .map(|(category_id, score)| Proposal {
            category_id,
            shape: Shape::Whole,
            score: score.clamp(0.0, 1.0),
        })
        .collect()
}

/// Writes what is proposed now, and takes away what is not any more.
async fn propose(run: &Run<'_>, todo: &[&Seen], sure: &[Sure<'_>], version: i64) -> anyhow::Result<()> {
    let mut wanted: HashMap<ItemId, Vec<Proposal>> = todo
        .iter()
        .filter(|s| s.item.proposed)
        .map(|s| (s.item.id, Vec::new()))
        .collect();
    for s in sure {
        wanted.insert(s.seen.item.id, s.proposals.clone());
    }
    let mut wanted: Vec<(ItemId, Vec<Proposal>)> = wanted.into_iter().collect();
    wanted.sort_by_key(|w| w.0);
    let (project, total) = (run.project, wanted.len() as i64);
    for (n, part) in wanted.chunks(CHUNK).enumerate() {
        run.progress
            .report((n * CHUNK) as i64, total, "Proposing")
            .await?;
        // The time of each unit of work, by which others notice what has changed.
        let (part, now) = (part.to_vec(), run.ctx.now());
        let written: Result<(), Error> = run
            .ctx
            .db
            .write(move |tx| Box::pin(async move { Ok(write(tx, project, part, version, now).await?) }))
            .await;
        match written {
            // A category was removed meanwhile; the next run knows.
            Ok(()) | Err(Error::Store(StoreError::ForeignKey(_))) => {}
            Err(e) => return Err(e.into()),
        }
    }
    Ok(())
}

async fn write(
    tx: &mut Tx,
    project: limn_domain::ProjectId,
    part: Vec<(ItemId, Vec<Proposal>)>,
    version: i64,
    now: limn_domain::Timestamp,
) -> Result<(), StoreError> {
    let ids: Vec<ItemId> = part.iter().map(|(id, _)| *id).collect();
    let free: HashSet<ItemId> = repo::assist::free(tx, project, &ids, now)
        .await?
        .into_iter()
        .collect();
    let standing = repo::assist::proposals(tx, &ids).await?;
    let changed: Vec<(ItemId, Vec<Proposal>)> = part
        .into_iter()
        .filter(|(id, new)| {
            let old = standing.get(id).map_or(&[][..], Vec::as_slice);
            // What somebody refused is not proposed again.
            let refused = old.iter().any(|s| !s.stands);
            free.contains(id) && !refused && !same(old, new, version)
        })
        .collect();
    if changed.is_empty() {
        return Ok(());
    }
    repo::assist::replace_proposals(tx, project, &changed, version, now).await
}

fn same(old: &[Standing], new: &[Proposal], version: i64) -> bool {
    if new.iter().any(|n| n.shape != Shape::Whole) {
        // A model says the same of an item every time, another one puts its marks elsewhere.
        return old.len() == new.len() && old.iter().all(|o| o.model_version == version);
    }
    old.len() == new.len()
        && new.iter().all(|n| {
            old.iter()
                .any(|o| o.category_id == n.category_id && (o.score - n.score).abs() < SAME)
        })
}

/// The next items, and the groups of those that were grouped: those that a look settles (`whole`, the surest first), the `rest` in the order that is
/// asked for, and the holdout where it is drawn apart.
async fn arrange(
    run: &Run<'_>,
    mut whole: Vec<ItemId>,
    rest: &[(&Seen, Option<&Verdict>)],
    (holdout, done): (usize, i64),
) -> anyhow::Result<(Vec<ItemId>, Vec<(ItemId, i64)>)> {
    let order = run.settings.order;
    // Pages of several pictures are accepted at once, and are through in no time. Items with marks, and documents, come one by one: the model would learn
    // nothing new before hundreds of them are looked at, and the holdout would not grow.
    let turns = finds_marks(run.task) || run.task.is_text();
    whole.truncate(PLACED);
    if rest.is_empty() || order == AssistOrder::Random && whole.is_empty() {
        return Ok((whole, Vec::new()));
    }
    if order == AssistOrder::Random && turns {
        let mut own: Vec<&AssistItem> = rest.iter().map(|(s, _)| &s.item).collect();
        own.sort_by_key(|item| repo::assist::own_rank(item.export_id, run.shuffle));
        own.truncate(PLACED);
        let own = own.into_iter().map(|item| item.id).collect();
        return Ok((by_turns(whole, own), Vec::new()));
    }
    // What is still wanted of the holdout, as good as drawn: its items have no proposals, so none of them is among those that are whole.
    let wanted = run.holdout_enough().saturating_sub(holdout);
    let mut held: Vec<&Seen> = rest.iter().map(|(s, _)| *s).collect();
    held.retain(|s| wanted > 0 && s.holdout);
    held.sort_by(|a, b| a.item.digest.cmp(&b.item.digest));
    let mut held: Vec<ItemId> = held.into_iter().map(|s| s.item.id).collect();
    let first = if turns {
        Vec::new()
    } else {
        let lacking = usize::try_from(done).unwrap_or(0) / HOLDOUT_EVERY;
        let most = held.len().min(wanted);
        paged(&whole, &held[..most], lacking.saturating_sub(holdout))
    };
    if order == AssistOrder::Random {
        // The others keep their own order behind these.
        return Ok((first, Vec::new()));
    }
    let mut apart: HashSet<ItemId> = first.iter().copied().collect();
    if order == AssistOrder::Useful {
        held.retain(|id| apart.insert(*id));
    } else {
        // Alike ones lie together, what is left of the holdout as it comes.
        held.clear();
    }
    // Where only some can be put in order, those that the model is most torn about.
    let mut pool: Vec<&(&Seen, Option<&Verdict>)> =
        rest.iter().filter(|(s, _)| !apart.contains(&s.item.id)).collect();
    pool.sort_by(|a, b| {
        let margin = |p: &(&Seen, Option<&Verdict>)| p.1.map_or(0.0, |v| v.margin);
        margin(a)
            .total_cmp(&margin(b))
            .then(a.0.item.digest.cmp(&b.0.item.digest))
    });
    pool.truncate(CANDIDATES);
    let features: Vec<Vec<f32>> = pool.iter().filter_map(|(s, _)| s.features.clone()).collect();
    let verdicts: Vec<Verdict> = pool.iter().filter_map(|(_, v)| v.cloned()).collect();
    let multi = run.task.takes_any() || finds_marks(run.task);
    let until = labels_between(run.task, run.settings.every, done);
    let until = usize::try_from(until).unwrap_or(10);
    let others = until - until / HOLDOUT_EVERY;
    let looks = if turns { whole.len().min(others / 2) } else { 0 };
    let batch = (others - looks).clamp(1, 200);
    let arranged = run
        .on_thread(move |engine, stop| engine.arrange(order, &features, &verdicts, batch, multi, stop))
        .await?
        .map_err(Permanent)?;
    let useful = arranged
        .order
        .iter()
        .filter_map(|at| Some(pool.get(*at)?.0.item.id));
    let useful: Vec<ItemId> = useful.take(PLACED).collect();
    let next = if turns {
        sampled(by_turns(whole, useful), held)
    } else {
        let mut rest = sampled(useful, held);
        rest.truncate(PLACED);
        first.into_iter().chain(rest).collect()
    };
    let groups = arranged.groups.map_or_else(Vec::new, |of| {
        let placed: HashSet<&ItemId> = next.iter().collect();
        of.iter()
            .enumerate()
            .map(|(n, group)| (pool[n].0.item.id, *group as i64))
            .filter(|(id, _)| placed.contains(id))
            .collect()
    });
    Ok((next, groups))
}

/// Proposals in front of all others, and with them as much of the holdout as every fifth would be: first what is `lacking` of it, since most runs begin a
/// new order long before an old one is through, then some behind every so many proposals. In front of nothing there is nothing of it either.
fn paged(whole: &[ItemId], held: &[ItemId], lacking: usize) -> Vec<ItemId> {
    if whole.is_empty() {
        return Vec::new();
    }
    let mut held = held.iter().copied();
    let mut all: Vec<ItemId> = held.by_ref().take(lacking).collect();
    for page in whole.chunks(TOGETHER) {
        all.extend_from_slice(page);
        all.extend(held.by_ref().take(page.len() / (HOLDOUT_EVERY - 1)));
    }
    all
}

/// Every fifth of the order comes from the holdout while there is some of it; what is left of it follows.
fn sampled(order: Vec<ItemId>, held: Vec<ItemId>) -> Vec<ItemId> {
    let mut all = Vec::with_capacity(order.len() + held.len());
    let mut held = held.into_iter();
    for id in order {
        if all.len() % HOLDOUT_EVERY == HOLDOUT_EVERY - 1 {
            all.extend(held.next());
        }
        all.push(id);
    }
    all.extend(held.take(PLACED));
    all
}

/// New places first, then the old ones go: nobody sees a queue in between that has no order.
async fn write_order(run: &Run<'_>, order: Vec<ItemId>, groups: Vec<(ItemId, i64)>) -> anyhow::Result<()> {
    let (project, number, shuffle) = (run.project, run.number, run.shuffle);
    for (n, part) in order.chunks(CHUNK).enumerate() {
        run.progress.check()?;
        let places = part
            .iter()
            .enumerate()
            .map(|(i, id)| (*id, (n * CHUNK + i) as i64));
        let mut places: Vec<(ItemId, i64)> = places.collect();
        // In the order in which others lock items.
        places.sort_unstable();
        run.ctx
            .db
            .write::<_, Error, _>(move |tx| {
                Box::pin(async move { Ok(repo::assist::set_ranks(tx, number, &places).await?) })
            })
            .await?;
    }
    run.ctx
        .db
        .write::<_, Error, _>(move |tx| {
            Box::pin(async move {
                repo::assist::reset_ranks(tx, project, shuffle, number).await?;
                repo::assist::clear_clusters(tx, project).await?;
                Ok(())
            })
        })
        .await?;
    for part in groups.chunks(CHUNK) {
        let part = part.to_vec();
        run.ctx
            .db
            .write::<_, Error, _>(move |tx| {
                Box::pin(async move { Ok(repo::assist::put_clusters(tx, &part).await?) })
            })
            .await?;
    }
    Ok(())
}

/// Takes back what the assist said of items that people have not finished, after it was turned off.
pub(super) async fn withdraw(run: &Run<'_>) -> anyhow::Result<()> {
    let mut after = 0;
    loop {
        let page = repo::assist::items(&mut run.ctx.db.read().await?, run.project, after, 2_000).await?;
        let Some(last) = page.last() else { break };
        after = last.export_id;
        let wanted: Vec<(ItemId, Vec<Proposal>)> = page
            .iter()
            .filter(|i| i.proposed && i.status == ItemStatus::Todo)
            .map(|i| (i.id, Vec::new()))
            .collect();
        for part in wanted.chunks(CHUNK) {
            run.progress.check()?;
            let (project, now, part) = (run.project, run.ctx.now(), part.to_vec());
            run.ctx
                .db
                .write::<_, Error, _>(move |tx| {
                    Box::pin(async move { Ok(write(tx, project, part, 0, now).await?) })
                })
                .await?;
        }
    }
    write_order(run, Vec::new(), Vec::new()).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fifth_is_of_the_holdout_while_there_is_some() {
        let ids: Vec<ItemId> = (0..14).map(|_| ItemId::new()).collect();
        let (order, held) = ids.split_at(11);
        let all = sampled(order.to_vec(), held.to_vec());
        let at = |id: &ItemId| all.iter().position(|other| other == id);
        let places: Vec<Option<usize>> = held.iter().map(at).collect();
        assert_eq!(places, [Some(4), Some(9), Some(13)]);
        let rest: Vec<ItemId> = all.iter().copied().filter(|id| !held.contains(id)).collect();
        assert_eq!(rest, order);
        assert_eq!(sampled(Vec::new(), held.to_vec()), held);
    }

    #[test]
    fn proposals_in_pages_leave_a_fifth_to_the_holdout() {
        let ids: Vec<ItemId> = (0..200).map(|_| ItemId::new()).collect();
        let (whole, held) = ids.split_at(100);
        let places = |lacking, held: &[ItemId]| -> Vec<usize> {
            let all = paged(whole, held, lacking);
            let rest: Vec<ItemId> = all.iter().copied().filter(|id| whole.contains(id)).collect();
            assert_eq!(rest, whole, "every proposal once, in its order");
            let of_it = all.iter().enumerate().filter(|(_, id)| held.contains(id));
            of_it.map(|(n, _)| n).collect()
        };
        // A page of proposals, then those that go with it.
        let pages: Vec<usize> = (32..40).chain(72..80).chain(112..120).chain([124]).collect();
        assert_eq!(places(0, held), pages);
        // What is lacking comes before anything else: nobody has to get through the proposals first.
        assert_eq!(places(3, held)[..5], [0, 1, 2, 35, 36]);
        assert_eq!(places(50, &held[..20]), (0..20).collect::<Vec<_>>());
        assert_eq!(places(4, &[]), [0; 0]);
        // Without proposals the holdout comes among the others.
        assert_eq!(paged(&[], held, 9), []);
    }
}

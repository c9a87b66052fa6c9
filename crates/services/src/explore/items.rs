//! Looking through the items of a project: filters with counts, order, and what is done with what was found.
//! Answered from an index in memory that follows the items (`state`), of which the large ones are kept as files.

mod job;
mod kept;
mod names;
mod row;
mod state;

pub(crate) use job::ItemsJob;
pub(crate) use kept::ItemIndexes;

use super::{Explore, LIMIT_DEFAULT};
use crate::authz::require_in;
use crate::{Actor, Context, Error, Result};
use limn_domain::explore::{ExploreFilter, ExploreQuery, ROWS_MAX};
use limn_domain::item::ItemWithAnnotations;
use limn_domain::item_explore::{ItemChoice, ItemsAnswer, ItemsFound, NAMED_MAX};
use limn_domain::{Action, Code, ItemId, ProjectId, validate};
use limn_explore::{Passing, Stack, Wanted};
use limn_jobs::Progress;
use limn_store::{Tx, repo};
use names::Names;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Seconds for which what a job has just read does as it is, where more goes on than questions can follow.
const FRESH: i64 = 15;

impl Explore {
    /// A page of the items that pass a filter, with all that was saved until then. Where more has changed than somebody should
    /// wait for, the page as it was and the job that takes it in; before there is any, the job alone.
    pub async fn items(&self, actor: &Actor, project: ProjectId, query: ExploreQuery) -> Result<ItemsAnswer> {
        check(&query)?;
        {
            let mut tx = self.0.db.read().await?;
            require_in(&mut tx, actor, Action::ViewItems, project).await?;
        }
        let look = self.0.item_indexes.look(&self.0, project).await?;
        let fresh = look.stack.is_some() && self.0.now().seconds_since(look.at) < FRESH;
        let waits = look.behind && !fresh;
        let mut job = None;
        if waits || look.is_large {
            // One that only tidies up is nobody's concern.
            job = Some(job::prepare(&self.0, project).await?).filter(|_| waits);
        }
        let Some(stack) = look.stack else {
            return Ok(ItemsAnswer { page: None, job });
        };
        let mut tx = self.0.db.read().await?;
        let names = Names::read(&mut tx, project).await?;
        drop(tx);
        let (asked, counts) = (query.filter.clone(), !query.rows_only);
        let filter = names.inward(asked.clone());
        let limit = query.limit.unwrap_or(LIMIT_DEFAULT).clamp(1, ROWS_MAX) as usize;
        let answered = tokio::task::spawn_blocking(move || {
            let wanted = Wanted {
                sort: query.sort.as_deref(),
                descending: query.descending,
                offset: usize::try_from(query.offset).unwrap_or(0),
                limit,
                counts,
                near: None,
            };
            let answer = stack.answer(&filter, &wanted);
            (stack, answer)
        });
        let (stack, answer) = answered.await.map_err(anyhow::Error::from)?;
        let found: Vec<&str> = answer.rows.iter().map(|row| stack.name(*row)).collect();
        let mut tx = self.0.db.read().await?;
        let rows = rows(&mut tx, &self.0, project, &found).await?;
        let mut facets = names.outward(answer.facets);
        if counts {
            facets = names::with_chosen(facets, &asked);
        }
        Ok(ItemsAnswer {
            page: Some(ItemsFound {
                total: stack.rows() as i64,
                matched: answer.matched as i64,
                facets,
                columns: names::in_order(answer.columns),
                rows,
                as_of: look.at,
                behind: look.behind,
            }),
            job,
        })
    }
}

/// Items of a project that were chosen.
pub(crate) enum Chosen {
    Named(HashSet<ItemId>),
    Found(Arc<Stack>, Passing),
}

impl Chosen {
    /// What a choice means now. `progress` is told of what has to be read before.
    pub async fn of(
        ctx: &Context,
        project: ProjectId,
        choice: &ItemChoice,
        progress: &Progress,
    ) -> anyhow::Result<Self> {
        if !choice.items.is_empty() {
            return Ok(Self::Named(choice.items.iter().copied().collect()));
        }
        let look = ctx.item_indexes.look(ctx, project).await?;
        let stack = if let Some(stack) = look.stack.filter(|_| !look.behind) {
            stack
        } else {
            let mut state = ctx.item_indexes.begin(project).await?;
            state.catch_up(ctx, project, progress).await?;
            ctx.item_indexes.put(project, state).await?
        };
        let (passing, stack) = passing(ctx, project, stack, &choice.filter).await?;
        Ok(Self::Found(stack, passing))
    }

    pub fn lets(&self, item: ItemId, name: &str) -> bool {
        match self {
            Self::Named(ids) => ids.contains(&item),
            Self::Found(stack, passing) => stack.lets(passing, &validate::name_key(name)),
        }
    }
}

/// The items that pass a filter now, all of them. Errors: `WrongState` while more has changed than can be taken in at once.
pub(crate) async fn found(ctx: &Context, project: ProjectId, filter: &ExploreFilter) -> Result<Vec<ItemId>> {
    let query = ExploreQuery {
        filter: filter.clone(),
        ..ExploreQuery::default()
    };
    check(&query)?;
    let look = ctx.item_indexes.look(ctx, project).await?;
    let Some(stack) = look.stack.filter(|_| !look.behind) else {
        job::prepare(ctx, project).await?;
        return Err(Error::new(
            Code::WrongState,
            "Much has changed in this project and is being counted; try again in a moment.",
        ));
    };
    let (passing, stack) = passing(ctx, project, stack, filter).await?;
    let names: Vec<&str> = stack.names(&passing).collect();
    Ok(repo::item::explore::ids(&mut ctx.db.read().await?, project, &names).await?)
}

async fn passing(
    ctx: &Context,
    project: ProjectId,
    stack: Arc<Stack>,
    filter: &ExploreFilter,
) -> Result<(Passing, Arc<Stack>)> {
    let names = Names::read(&mut ctx.db.read().await?, project).await?;
    let filter = names.inward(filter.clone());
    let passing = tokio::task::spawn_blocking(move || (stack.passing(&filter), stack));
    Ok(passing.await.map_err(anyhow::Error::from)?)
}

/// Checks what comes from outside.
pub(crate) fn check_choice(choice: &ItemChoice) -> Result<()> {
    if choice.items.len() > NAMED_MAX {
        return Err(Error::field(
            "items",
            format!("Select at most {NAMED_MAX} items, or filter for them."),
        ));
    }
    check(&ExploreQuery {
        filter: choice.filter.clone(),
        ..ExploreQuery::default()
    })
}

pub(super) fn check(query: &ExploreQuery) -> Result<()> {
    super::check(query)?;
    if query.like.is_some() {
        return Err(Error::field(
            "like",
            "Items come in no order of likeness here; versions of datasets do.",
        ));
    }
    names::check(query)
}

/// The items of these names (in lower case) with their labels, in this order; those that were deleted meanwhile are left out.
pub(crate) async fn rows(
    tx: &mut Tx,
    ctx: &Context,
    project: ProjectId,
    names: &[&str],
) -> Result<Vec<ItemWithAnnotations>> {
    let items = repo::item::explore::named(tx, project, names, ctx.now()).await?;
    let labeled = items.iter().filter(|i| i.annotation_count + i.prelabel_count > 0);
    let labeled: Vec<ItemId> = labeled.map(|i| i.id).collect();
    let mut labels = repo::annotation::of_items(tx, &labeled).await?;
    let mut by_name: HashMap<String, ItemWithAnnotations> = items
        .into_iter()
        .map(|item| {
            let annotations = labels.remove(&item.id).unwrap_or_default();
            (
                validate::name_key(&item.name),
                ItemWithAnnotations { item, annotations },
            )
        })
        .collect();
    Ok(names.iter().filter_map(|name| by_name.remove(*name)).collect())
}

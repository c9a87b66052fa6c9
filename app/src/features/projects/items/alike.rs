//! The items that look most like one.

use super::super::api;
use super::super::layout::{ProjectCtx, use_project};
use super::BlankGrid;
use super::grid::Caption;
use super::thumb::Thumb;
use crate::data::use_load;
use crate::error::AppError;
use crate::ui::{Button, Card, EmptyState, ErrorView, Glyph, Icon};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use limn_domain::assist::{Alike, can_assist};
use limn_domain::authz::Action;
use limn_domain::item::{Item, ItemWithAnnotations};
use limn_domain::{ApiError, Code, Digest, ItemId};

/// Whether items of the project can be compared: what is looked at by its assist.
pub fn compares(ctx: ProjectCtx) -> bool {
    ctx.project.with_untracked(|p| can_assist(p.summary.task))
}

/// The address of those like this one.
pub fn href(ctx: ProjectCtx, item: ItemId) -> String {
    ctx.href(&format!("/items/{item}/similar"))
}

/// The way to those like this one; none from a video. Where the grid has keys of its own the link is no stop of `Tab`.
#[component]
pub fn Like(ctx: ProjectCtx, item: Item, #[prop(optional)] no_stop: bool) -> impl IntoView {
    let shown = compares(ctx) && item.frames().is_none();
    let label = format!("Similar to {}", item.name);
    shown.then(|| {
        view! {
            <a
                class="btn btn--quiet btn--sm btn--icon tip items-like"
                href=href(ctx, item.id)
                tabindex=no_stop.then_some("-1")
                aria-label=label.clone()
                data-tip=label
            >
                <Icon glyph=Glyph::Images/>
            </a>
        }
    })
}

/// `/projects/:id/items/:item/similar`
#[component]
pub fn AlikeTab() -> impl IntoView {
    let ctx = use_project();
    let params = use_params_map();
    let item = Memo::new(move |_| {
        let text = params.with(|p| p.get("item"))?;
        text.parse::<ItemId>().ok()
    });
    let found = use_load(
        move || item.get(),
        move |item| async move {
            match item {
                Some(item) => api::item_alike(ctx.id, item).await,
                None => Err(AppError(ApiError::not_found("item"))),
            }
        },
    );
    view! {
        <Transition fallback=BlankGrid>
            {move || Suspend::new(async move {
                match found.await {
                    Ok(found) => view! { <Shown ctx found/> }.into_any(),
                    Err(error) if error.code == Code::WrongState => {
                        let why = error.message.clone();
                        view! { <Unseen ctx why/> }.into_any()
                    }
                    Err(error) => view! { <ErrorView error retry=move || found.refetch()/> }.into_any(),
                }
            })}
        </Transition>
    }
}

/// Nothing has described the items yet.
#[component]
fn Unseen(ctx: ProjectCtx, why: String) -> impl IntoView {
    view! {
        <Card>
            <EmptyState glyph=Glyph::Images title="These items cannot be compared yet" text=why>
                {move || ctx.may(Action::ManageProject).then(|| view! {
                    <Button href=ctx.href("/assist") icon=Glyph::Spark>"Go to the assist"</Button>
                })}
                <Button href=ctx.href("/items")>"All items"</Button>
            </EmptyState>
        </Card>
    }
}

#[component]
fn Shown(ctx: ProjectCtx, found: Alike) -> impl IntoView {
    let Alike { of, rows } = found;
    let (name, digest) = (of.item.name.clone(), of.item.digest.clone());
    let label = ctx.href(&format!("/label/{}", of.item.id));
    let list = if rows.is_empty() {
        view! {
            <Card>
                <EmptyState glyph=Glyph::Images title="There is nothing to compare it with" text="No other item of this project was looked at."/>
            </Card>
        }
        .into_any()
    } else {
        let cells = rows
            .into_iter()
            .map(|(row, how)| view! { <Cell ctx row how same=digest.clone()/> })
            .collect_view();
        view! { <ul class="items-grid" aria-label="Similar items">{cells}</ul> }.into_any()
    };
    view! {
        <div class="items-alike">
            <a class="items-alike__of" href=label title=name.clone()><Thumb row=of palette=ctx.palette/></a>
            <div class="items-alike__words">
                <h2 class="items-alike__title">"Most like "{name}</h2>
                <p class="muted">"By what the assist sees in them, whatever their labels say."</p>
                <p><Button href=ctx.href("/items") icon=Glyph::ChevronLeft>"All items"</Button></p>
            </div>
        </div>
        {list}
    }
}

/// In words, of a cosine.
fn likeness(how: f64, is_same: bool) -> String {
    if is_same {
        return "Same file".to_owned();
    }
    format!("{:.0} %", how.clamp(0.0, 1.0) * 100.0)
}

#[component]
fn Cell(ctx: ProjectCtx, row: ItemWithAnnotations, how: f64, same: Digest) -> impl IntoView {
    let item = row.item.clone();
    let far = likeness(how, item.digest == same);
    view! {
        <li class="items-cell">
            <a class="items-cell__link" href=ctx.href(&format!("/label/{}", item.id)) title=item.name.clone()>
                <Thumb row palette=ctx.palette/>
                <Caption item=item.clone() far/>
            </a>
            <Like ctx item/>
        </li>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn likeness_is_said_in_percent() {
        assert_eq!(likeness(1.0, true), "Same file");
        assert_eq!(likeness(0.987, false), "99 %");
        assert_eq!(likeness(-0.2, false), "0 %");
    }
}

//! The tasks as cards, and what the version holds for the chosen one.

use crate::fmt;
use crate::ui::{ProgressBar, Segment, Tone};
use leptos::prelude::*;
use limn_domain::training::TaskOffer;

/// One of the tasks. Those that are not possible say why, and cannot be chosen.
#[component]
pub fn TaskCards(task: RwSignal<String>, tasks: StoredValue<Vec<TaskOffer>>) -> impl IntoView {
    let cards = tasks.with_value(|all| {
        all.iter()
            .map(|o| {
                let value = o.task.as_str();
                let refused = o.refusal.is_some();
                let about = o.refusal.clone().unwrap_or_else(|| o.task.describe().to_owned());
                view! {
                    <label class="radio-card" class:is-off=refused>
                        <input
                            type="radio"
                            name="task"
                            value=value
                            disabled=refused
                            checked=task.with_untracked(|t| t == value) && !refused
                            prop:checked=move || task.with(|t| t == value) && !refused
                            on:change=move |_| task.set(value.to_owned())
                        />
                        <span class="radio-card__text">
                            <span class="radio-card__title">{o.task.label()}</span>
                            <span class="radio-card__hint">{about}</span>
                        </span>
                    </label>
                }
            })
            .collect_view()
    });
    view! {
        <fieldset class="radio-cards train__tasks">
            <legend class="sr-only">"Task"</legend>
            <div class="radio-cards__list">{cards}</div>
        </fieldset>
    }
}

/// Pictures, labels and how they are divided.
#[component]
pub fn Counts(offer: TaskOffer, use_splits: RwSignal<bool>) -> impl IntoView {
    let (one, many) = match offer.task.nouns() {
        (one @ ("box" | "area" | "object"), many) => (one, many),
        _ => ("label", "labels"),
    };
    let figures = [
        fmt::counted(offer.pictures, "picture", "pictures"),
        fmt::counted(offer.labels, one, many),
        fmt::counted(offer.categories, "category", "categories"),
    ];
    let parts = Signal::derive(move || {
        if use_splits.get() {
            offer.parts
        } else {
            offer.parts_without_splits
        }
    });
    view! {
        <div class="train__counts">
            <p class="strong">{figures.join(", ")}</p>
            <ProgressBar
                label="Pictures"
                thick=true
                legend=true
                segments=Signal::derive(move || {
                    let p = parts.get();
                    let mut all = vec![
                        Segment::new(p.train, Tone::Accent, "Learned from"),
                        Segment::new(p.valid, Tone::Ok, "Held back for the figures"),
                    ];
                    if p.rest > 0 {
                        all.push(Segment::new(p.rest, Tone::Neutral, "Not touched"));
                    }
                    all
                })
                total=offer.pictures
            />
            {move || (parts.get().valid < 20).then(|| view! {
                <p class="faint">"With so few pictures held back the figures will be rough."</p>
            })}
        </div>
    }
}

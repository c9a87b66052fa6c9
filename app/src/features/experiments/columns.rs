//! Choosing the columns of the table of runs.

use super::api;
use crate::data::use_load;
use crate::ui::{Button, Glyph, Icon, Popover, Skeleton, TextInput};
use leptos::prelude::*;
use limn_domain::filter::Entity;
use limn_domain::run::ExperimentId;
use limn_domain::run::table::Column;

/// Rows of the list shown at once.
const SHOWN: usize = 200;

/// A list of all metrics and parameters with boxes to tick.
#[component]
pub fn ColumnPicker(
    experiment: ExperimentId,
    /// What is shown now.
    columns: Signal<Vec<Column>>,
    on_change: Callback<Vec<Column>>,
    #[prop(default = "Columns")] label: &'static str,
) -> impl IntoView {
    let open = RwSignal::new(false);
    let text = RwSignal::new(String::new());
    let trigger =
        ViewFn::from(move || view! { <Icon glyph=Glyph::List/><span class="btn__text">{label}</span> });
    view! {
        <Popover id="run-columns" label trigger trigger_class="btn" end=true class="columns" on_toggle=move |on| open.set(on)>
            <Show when=move || open.get()>
                <TextInput value=text kind="search" icon=Glyph::Search placeholder="Search metrics and parameters" label="Search columns"/>
                <Choices experiment text columns on_change/>
                <div class="columns__foot">
                    <Button on_click=move || on_change.run(Vec::new())>"As at first"</Button>
                </div>
            </Show>
        </Popover>
    }
}

#[component]
fn Choices(
    experiment: ExperimentId,
    text: RwSignal<String>,
    columns: Signal<Vec<Column>>,
    on_change: Callback<Vec<Column>>,
) -> impl IntoView {
    let keys = use_load(move || experiment, |e| api::run_keys(vec![e]));
    view! {
        <Transition fallback=|| view! { <Skeleton lines=4/> }>
            {move || Suspend::new(async move {
                match keys.await {
                    Ok((metrics, params)) => {
                        let of = |entity| move |key| Column { entity, key };
                        let all: Vec<Column> = metrics
                            .into_iter()
                            .map(of(Entity::Metric))
                            .chain(params.into_iter().map(of(Entity::Param)))
                            .collect();
                        view! { <Boxes all text columns on_change/> }.into_any()
                    }
                    Err(e) => view! { <p class="muted">{e.to_string()}</p> }.into_any(),
                }
            })}
        </Transition>
    }
}

#[component]
fn Boxes(
    all: Vec<Column>,
    text: RwSignal<String>,
    columns: Signal<Vec<Column>>,
    on_change: Callback<Vec<Column>>,
) -> impl IntoView {
    let all = StoredValue::new(all);
    let found = Memo::new(move |_| {
        let wanted = text.get().to_lowercase();
        all.with_value(|all| {
            all.iter()
                .filter(|c| c.key.to_lowercase().contains(&wanted))
                .cloned()
                .collect::<Vec<_>>()
        })
    });
    view! {
        <ul class="columns__list">
            <For each=move || found.with(|f| f.iter().take(SHOWN).cloned().collect::<Vec<_>>()) key=|c| c.code() let:c>
                {
                    let this = StoredValue::new(c.clone());
                    let on = move || columns.with(|all| all.contains(&this.get_value()));
                    let flip = move |_| {
                        let (mut now, c) = (columns.get_untracked(), this.get_value());
                        if let Some(i) = now.iter().position(|x| *x == c) {
                            now.remove(i);
                        } else {
                            now.push(c);
                        }
                        on_change.run(now);
                    };
                    view! {
                        <li>
                            <label class="columns__row">
                                <input type="checkbox" prop:checked=on on:change=flip/>
                                <span class="grow">{c.key.clone()}</span>
                                <span class="faint">{if c.entity == Entity::Param { "param" } else { "metric" }}</span>
                            </label>
                        </li>
                    }
                }
            </For>
        </ul>
        {move || {
            let more = found.with(Vec::len).saturating_sub(SHOWN);
            (more > 0).then(|| view! { <p class="faint">{format!("{more} more; search to find them.")}</p> })
        }}
    }
}

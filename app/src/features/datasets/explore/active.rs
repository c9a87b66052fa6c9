//! What is filtered by, above the files.

use super::Explorer;
use crate::ui::{Glyph, Icon};
use leptos::prelude::*;
use limn_domain::explore::ExploreFilter;

/// What is filtered by, each with a way out.
#[component]
pub fn Active(e: Explorer) -> impl IntoView {
    let chips = move || {
        let filter = e.query.with(|q| q.filter.clone());
        let label = |name: &str| {
            e.page.with(|p| {
                let facet = p.facets.iter().find(|f| f.name == name).map(|f| f.label.clone());
                let column = p.columns.iter().find(|c| c.name == name).map(|c| c.label.clone());
                facet.or(column).unwrap_or_else(|| name.to_owned())
            })
        };
        let mut all: Vec<(String, Callback<()>)> = Vec::new();
        for (name, values) in &filter.facets {
            for value in values {
                let (facet, gone) = (name.clone(), value.clone());
                let take = Callback::new(move |()| {
                    e.filter(|f| {
                        if let Some(values) = f.facets.get_mut(&facet) {
                            values.retain(|v| *v != gone);
                        }
                    });
                });
                all.push((format!("{}: {value}", label(name)), take));
            }
        }
        for (name, b) in &filter.ranges {
            let text = match (b.min, b.max) {
                (Some(min), Some(max)) => format!("{}: {min} to {max}", label(name)),
                (Some(min), None) => format!("{}: from {min}", label(name)),
                (None, Some(max)) => format!("{}: to {max}", label(name)),
                (None, None) => continue,
            };
            let column = name.clone();
            let take = Callback::new(move |()| {
                e.filter(|f| {
                    f.ranges.remove(&column);
                });
            });
            all.push((text, take));
        }
        if let Some(path) = e.query.with(|q| q.like.clone()) {
            all.push((
                format!("Similar to {path}"),
                Callback::new(move |()| e.like(None)),
            ));
        }
        all
    };
    let some = Memo::new(move |_| e.query.with(|q| !q.filter.is_empty()));
    view! {
        <ul class="explore__chips" aria-label="Active filters">
            {move || chips().into_iter().map(|(text, take)| {
                let label = format!("Remove the filter {text}");
                view! {
                    <li>
                        <button type="button" class="data-tag" aria-label=label on:click=move |_| take.run(())>
                            {text}<Icon glyph=Glyph::X size=12/>
                        </button>
                    </li>
                }
            }).collect_view()}
        </ul>
        <Show when=move || some.get()>
            <button type="button" class="link" on:click=move |_| e.filter(|f| *f = ExploreFilter::default())>"Clear all"</button>
        </Show>
    }
}

//! What is filtered by, above what was found.

use super::{Filters, days};
use crate::ui::{Glyph, Icon};
use leptos::prelude::*;
use limn_domain::explore::{Bounds, ExploreFilter, ExploreQuery};

/// What is filtered by, each with a way out.
#[component]
pub fn Active(of: Filters) -> impl IntoView {
    let chips = move || {
        let filter = of.query.with(|q| q.filter.clone());
        let mut all: Vec<(String, Callback<()>)> = Vec::new();
        for (name, values) in &filter.facets {
            for value in values {
                let (facet, gone) = (name.clone(), value.clone());
                let take = Callback::new(move |()| {
                    of.filter(|f| {
                        if let Some(values) = f.facets.get_mut(&facet) {
                            values.retain(|v| *v != gone);
                        }
                    });
                });
                all.push((format!("{}: {value}", of.label(name)), take));
            }
        }
        for (name, b) in &filter.ranges {
            let Some(bounds) = in_words(*b, of.is_time(name)) else {
                continue;
            };
            let text = format!("{}: {bounds}", of.label(name));
            let column = name.clone();
            let take = Callback::new(move |()| {
                of.filter(|f| {
                    f.ranges.remove(&column);
                });
            });
            all.push((text, take));
        }
        if let Some(path) = of.query.with(|q| q.like.clone()) {
            all.push((
                format!("Similar to {path}"),
                Callback::new(move |()| {
                    of.change.run(ExploreQuery {
                        like: None,
                        ..of.query.get_untracked()
                    });
                }),
            ));
        }
        all
    };
    let some = Memo::new(move |_| of.query.with(|q| !q.filter.is_empty()));
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
            <button type="button" class="link" on:click=move |_| of.filter(|f| *f = ExploreFilter::default())>"Clear all"</button>
        </Show>
    }
}

/// Bounds in words; none where there are none.
fn in_words(b: Bounds, is_time: bool) -> Option<String> {
    let text = |n: f64| if is_time { days::date(n) } else { n.to_string() };
    match (b.min.map(text), b.max.map(text)) {
        (Some(min), Some(max)) => Some(format!("{min} to {max}")),
        (Some(min), None) => Some(format!("from {min}")),
        (None, Some(max)) => Some(format!("to {max}")),
        (None, None) => None,
    }
}

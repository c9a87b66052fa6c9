//! The page: what is filtered by and what can be done above what was found, filters at its side. Where that is too narrow they are
//! behind a button.

use super::{Active, Facets, Filters};
use crate::fmt;
use crate::ui::{Glyph, Icon};
use leptos::prelude::*;

/// `count` says how many were found, `acts` what can be done with them.
#[component]
pub fn Frame(
    of: Filters,
    busy: RwSignal<bool>,
    count: Signal<String>,
    acts: ViewFn,
    children: Children,
) -> impl IntoView {
    let shows = RwSignal::new(false);
    view! {
        <div class="explore" class:is-open=move || shows.get()>
            <div class="explore__head">
                <button
                    type="button"
                    class="btn explore__toggle"
                    aria-expanded=move || shows.get().to_string()
                    aria-controls="explore-filters"
                    on:click=move |_| shows.update(|s| *s = !*s)
                >
                    <Icon glyph=Glyph::Filter/>"Filters"
                </button>
                <p class="explore__count" role="status">{move || count.get()}</p>
                <Active of/>
                <span class="grow"></span>
                {acts.run()}
            </div>
            <aside class="explore__side" id="explore-filters" aria-label="Filters"><Facets of/></aside>
            <div class="explore__main" aria-busy=move || busy.get().to_string()>{children()}</div>
        </div>
    }
}

/// How many were found, in words: "3 of 6 files", or "6 files".
pub fn found(matched: i64, total: i64, one: &str, many: &str) -> String {
    let all = fmt::counted(total, one, many);
    if matched == total {
        all
    } else {
        format!("{} of {all}", fmt::count(matched))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_is_said_beside_what_there_is() {
        assert_eq!(found(6, 6, "file", "files"), "6 files");
        assert_eq!(found(1, 1, "item", "items"), "1 item");
        assert_eq!(found(3, 6, "file", "files"), "3 of 6 files");
    }
}

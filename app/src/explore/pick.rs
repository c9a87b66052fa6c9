//! What was found is selected one by one or in ranges, and shown page after page.

use super::{More, PAGE};
use crate::fmt;
use crate::ui::Button;
use leptos::prelude::*;
use std::collections::BTreeSet;

/// Selects one of what is shown, or takes it out; with shift (the flag) everything from the one before. `shown` answers all
/// that is shown, in its order.
pub fn use_pick<K>(
    selected: RwSignal<BTreeSet<K>>,
    shown: impl Fn() -> Vec<K> + Send + Sync + 'static,
) -> Callback<(K, bool)>
where
    K: Ord + Clone + Send + Sync + 'static,
{
    let last = StoredValue::new(None::<K>);
    Callback::new(move |(of, range): (K, bool)| {
        let on = !selected.with_untracked(|s| s.contains(&of));
        let all = if range { shown() } else { Vec::new() };
        let place = |of: &K| all.iter().position(|k| k == of);
        let from = last.get_value().and_then(|last| place(&last));
        let these = match (from, place(&of)) {
            (Some(a), Some(b)) => all[a.min(b)..=a.max(b)].to_vec(),
            _ => vec![of.clone()],
        };
        selected.update(|s| {
            for k in these {
                if on {
                    s.insert(k);
                } else {
                    s.remove(&k);
                }
            }
        });
        last.set_value(Some(of));
    })
}

/// The box that selects one.
#[component]
pub fn Pick<K>(
    selected: RwSignal<BTreeSet<K>>,
    of: K,
    name: String,
    pick: Callback<(K, bool)>,
) -> impl IntoView
where
    K: Ord + Clone + Send + Sync + 'static,
{
    let own = of.clone();
    let is_on = Memo::new(move |_| selected.with(|s| s.contains(&own)));
    view! {
        <input
            type="checkbox"
            class="explore__pick"
            aria-label=format!("Select {name}")
            prop:checked=move || is_on.get()
            on:click=move |ev| pick.run((of.clone(), ev.shift_key()))
        />
    }
}

/// Below what is shown: how much of it there is, the next page, and a way out of the selection.
#[component]
pub fn Foot<K>(
    shown: Signal<usize>,
    matched: Memo<i64>,
    more: More,
    selected: RwSignal<BTreeSet<K>>,
) -> impl IntoView
where
    K: Ord + Clone + Send + Sync + 'static,
{
    view! {
        <p class="data-more muted">
            {move || format!("{} of {} shown", fmt::count(shown.get() as i64), fmt::count(matched.get()))}
            {move || ((shown.get() as i64) < matched.get()).then(|| view! {
                <Button loading=more.busy on_click=more.run>{format!("Show {PAGE} more")}</Button>
            })}
            <Show when=move || !selected.with(BTreeSet::is_empty)>
                <button type="button" class="link" on:click=move |_| selected.set(BTreeSet::new())>"Select none"</button>
            </Show>
        </p>
    }
}

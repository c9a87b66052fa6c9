//! Saved views of a dataset.

use super::super::api;
use super::Explorer;
use crate::data::{use_form, use_mutation};
use crate::explore::{Kept, ViewsOf};
use crate::ui::use_toasts;
use leptos::prelude::*;
use leptos::task::spawn_local;
use limn_domain::authz::Action;
use limn_domain::explore::SavedView;

fn kept(list: Vec<SavedView>) -> Vec<Kept> {
    let kept = list.into_iter().map(|v| Kept {
        id: v.id,
        name: v.name,
        query: v.query,
    });
    kept.collect()
}

/// The views of the dataset, to be read, kept and deleted.
pub fn views(e: Explorer) -> ViewsOf {
    let list = RwSignal::new(None::<Vec<Kept>>);
    let saving = RwSignal::new(false);
    let toasts = use_toasts();
    let read = Callback::new(move |()| {
        spawn_local(async move {
            if let Ok(found) = api::dataset_views(e.ctx.id).await {
                list.try_set(Some(kept(found)));
            }
        });
    });
    ViewsOf {
        list,
        read,
        save: use_form(
            move |input| api::dataset_save_view(e.ctx.id, input),
            move |_: Vec<SavedView>| {
                saving.set(false);
                toasts.ok("View saved.");
            },
        ),
        remove: use_mutation(
            move |v| api::dataset_delete_view(e.ctx.id, v),
            move |left| list.set(Some(kept(left))),
        ),
        saving,
        may: e.ctx.may(Action::AddVersions),
        whose: "everybody who may see the dataset",
    }
}

//! A version out of a datastore: which one, and what of it.

use super::api;
use super::source::Source;
use crate::data::use_load;
use crate::ui::{Choice, ErrorView, Field, Notice, RadioCards, Select, Skeleton, TextArea, TextInput};
use leptos::prelude::*;
use limn_domain::dataset::DatasetKind;
use limn_domain::datastore::Datastore;

/// What the files are to the newest version.
#[component]
pub fn ModeFields(source: Source, first: Memo<bool>) -> impl IntoView {
    move || {
        (!first.get()).then(|| {
            view! {
                <RadioCards
                    value=source.mode
                    name="version-mode"
                    label="To the newest version"
                    choices=vec![
                        Choice::new("add", "Add", "A file of the same path takes the old one's place"),
                        Choice::new("replace", "Replace", "The new version holds these files alone"),
                    ]
                />
            }
        })
    }
}

#[component]
pub fn StoredFields(source: Source, kind: Signal<DatasetKind>, first: Memo<bool>) -> impl IntoView {
    let stores = use_load(|| (), |()| api::dataset_datastores());
    view! {
        <Transition fallback=|| view! { <Skeleton lines=1/> }>
            {move || Suspend::new(async move {
                match stores.await {
                    Ok(list) => view! { <Fields source kind first list/> }.into_any(),
                    Err(error) => view! { <ErrorView error retry=move || stores.refetch()/> }.into_any(),
                }
            })}
        </Transition>
    }
}

#[component]
fn Fields(
    source: Source,
    kind: Signal<DatasetKind>,
    first: Memo<bool>,
    list: Vec<Datastore>,
) -> impl IntoView {
    let tables = move || matches!(kind.get(), DatasetKind::Tabular | DatasetKind::Files);
    let list: Vec<Datastore> = list.into_iter().filter(|s| s.enabled).collect();
    if list.is_empty() {
        return view! { <Notice>"There is no datastore yet. An admin connects one under Datastores."</Notice> }.into_any();
    }
    let list = StoredValue::new(list);
    let options = Signal::derive(move || {
        let mut all = vec![(String::new(), "Choose a datastore".to_owned())];
        list.with_value(|l| {
            let fits = l.iter().filter(|s| !s.kind.is_sql() || tables());
            all.extend(fits.map(|s| (s.id.to_string(), format!("{} ({})", s.name, s.kind.label()))));
        });
        all
    });
    Effect::new(move |_| {
        let id = source.store.get();
        let sql = list.with_value(|l| l.iter().any(|s| s.id.to_string() == id && s.kind.is_sql()));
        source.is_sql.set(sql);
    });
    view! {
        <Field name="datastore_id" label="Datastore"><Select value=source.store options/></Field>
        {move || if source.is_sql.get() {
            view! {
                <Field name="sql" label="One SELECT" hint="What it answers now is kept as a Parquet file with types; decimals stay text, digit for digit.">
                    <TextArea value=source.sql rows=4 mono=true placeholder="SELECT * FROM measurements"/>
                </Field>
                <Field name="table" label="Name of the file" optional=true hint="Without .parquet">
                    <TextInput value=source.table autocomplete="off" placeholder="query"/>
                </Field>
            }
            .into_any()
        } else {
            view! {
                <Field name="glob" label="Which files" optional=true hint="A folder, a file, or a pattern: street/**, *.png. Everything when empty">
                    <TextInput value=source.glob autocomplete="off" mono=true placeholder="street/**"/>
                </Field>
                <RadioCards
                    value=source.place
                    name="version-place"
                    label="The files"
                    choices=vec![
                        Choice::new("copy", "Copy them", "This server keeps them, whatever becomes of the datastore"),
                        Choice::new("stay", "Leave them where they are", "Read once now, and again when somebody needs one; one that changes later cannot be read any more"),
                    ]
                />
            }
            .into_any()
        }}
        <ModeFields source first/>
    }
    .into_any()
}

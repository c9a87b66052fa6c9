//! Tables of a database, and what a query answers.

use super::api;
use super::browse::TableView;
use crate::data::{use_form, use_load};
use crate::ui::{Button, Card, ErrorView, Field, FormError, Glyph, Icon, Skeleton, TextArea, Variant};
use leptos::prelude::*;
use limn_domain::DatastoreId;
use limn_domain::datastore::TablePreview;

#[component]
pub fn Tables(id: DatastoreId) -> impl IntoView {
    let tables = use_load(move || id, api::datastore_tables);
    let sql = RwSignal::new(String::new());
    let answer = RwSignal::new(None::<TablePreview>);
    let ask = use_form(
        move |()| api::datastore_query(id, sql.get_untracked()),
        move |table| answer.set(Some(table)),
    );
    let pick = move |name: &str| {
        sql.set(format!("SELECT * FROM {name}"));
        ask.run(());
    };
    view! {
        <Card title="Query">
            <form
                class="data-form"
                on:submit=move |ev| {
                    ev.prevent_default();
                    ask.run(());
                }
            >
                <Field name="sql" label="One SELECT" errors=ask.error hint="Only what reads is run; the first 50 rows are shown.">
                    <TextArea value=sql rows=4 mono=true placeholder="SELECT * FROM measurements"/>
                </Field>
                <FormError error=ask.error fields=&["sql"]/>
                <p>
                    <Button
                        variant=Variant::Primary
                        icon=Glyph::Play
                        submit=true
                        loading=ask.pending
                        disabled=Signal::derive(move || sql.with(|s| s.trim().is_empty()))
                    >
                        "Show rows"
                    </Button>
                </p>
            </form>
            {move || answer.get().map(|table| view! { <TableView table/> })}
        </Card>
        <Card title="Tables" flush=true>
            <Suspense fallback=|| view! { <div class="pad"><Skeleton lines=4/></div> }>
                {move || Suspend::new(async move {
                    match tables.await {
                        Ok(list) if list.is_empty() => view! { <p class="pad muted">"The login sees no table."</p> }.into_any(),
                        Ok(list) => view! {
                            <ul class="store-rows">
                                {list.into_iter().map(|t| {
                                    let name = t.name.clone();
                                    view! {
                                        <li>
                                            <button type="button" class="store-row" on:click=move |_| pick(&name)>
                                                <Icon glyph=if t.is_view { Glyph::Eye } else { Glyph::Grid }/>
                                                <span class="grow mono break">{t.name}</span>
                                                {t.is_view.then(|| view! { <span class="faint">"view"</span> })}
                                            </button>
                                        </li>
                                    }
                                }).collect_view()}
                            </ul>
                        }
                        .into_any(),
                        Err(error) => view! { <div class="pad"><ErrorView error retry=move || tables.refetch()/></div> }.into_any(),
                    }
                })}
            </Suspense>
        </Card>
    }
}

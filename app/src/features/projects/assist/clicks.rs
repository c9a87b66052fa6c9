//! Which network finds objects by clicks on the label page.

use super::super::api;
use super::super::layout::ProjectCtx;
use super::settings::choices;
use crate::data::{use_form, use_load};
use crate::ui::{Button, Card, ErrorView, Field, FormError, Select, Skeleton, Variant, use_toasts};
use leptos::prelude::*;
use limn_domain::assist::{Assist, UpdateAssist};
use limn_domain::authz::Action;

#[component]
pub fn ClicksCard(ctx: ProjectCtx) -> impl IntoView {
    view! {
        <Show when=move || ctx.may(Action::ManageProject)>
            <div class="assist-clicks"><Loaded ctx/></div>
        </Show>
    }
}

#[component]
fn Loaded(ctx: ProjectCtx) -> impl IntoView {
    let now = use_load(move || ctx.id, api::assist_get);
    let pairs = use_load(move || ctx.id, api::assist_segmenters);
    view! {
        <Suspense fallback=|| view! { <Card title="Segment by clicks"><Skeleton lines=3/></Card> }>
            {move || Suspend::new(async move {
                match (now.await, pairs.await) {
                    (Ok(assist), Ok(pairs)) => view! { <Form ctx assist pairs/> }.into_any(),
                    (Err(error), _) | (_, Err(error)) => {
                        view! { <ErrorView error retry=move || { now.refetch(); pairs.refetch(); }/> }.into_any()
                    }
                }
            })}
        </Suspense>
    }
}

#[component]
fn Form(ctx: ProjectCtx, assist: Assist, pairs: Vec<String>) -> impl IntoView {
    let toasts = use_toasts();
    let now = assist
        .settings
        .segmenter
        .map_or_else(String::new, |b| b.to_string());
    let list = choices(pairs, &now, "No network");
    let chosen = RwSignal::new(now);
    let save = use_form(
        move |change: UpdateAssist| api::assist_update(ctx.id, change),
        move |_: Assist| toasts.ok("Saved."),
    );
    let submit = move || {
        save.run(UpdateAssist {
            segmenter: Some(chosen.get_untracked()),
            ..UpdateAssist::default()
        });
    };
    if list.len() == 1 {
        return view! {
            <Card title="Segment by clicks">
                <p class="muted" data-testid="no-pairs">
                    "A network of the make of SAM finds an object where somebody clicks on the label page. Bring one as two files, encoder.onnx and decoder.onnx: "
                    <code>"limn model import --name sam encoder.onnx decoder.onnx"</code>
                </p>
            </Card>
        }
        .into_any();
    }
    let list = StoredValue::new(list);
    view! {
        <Card title="Segment by clicks">
            <form
                class="form"
                on:submit=move |ev| {
                    ev.prevent_default();
                    submit();
                }
            >
                <Field
                    name="segmenter"
                    label="Objects are found by"
                    hint="A registered pair of the make of SAM. With one, the label page has a tool that finds an object by clicks or a box, on this server"
                    errors=save.error
                >
                    <Select value=chosen options=list.get_value()/>
                </Field>
                <FormError error=save.error fields=&["segmenter"]/>
                <div class="form-foot">
                    <Button variant=Variant::Primary submit=true loading=save.pending>"Save"</Button>
                </div>
            </form>
        </Card>
    }
    .into_any()
}

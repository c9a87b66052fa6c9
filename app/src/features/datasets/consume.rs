//! How programs get a version: snippets that pin its digest.

use super::layout::{DatasetCtx, NoVersion, use_dataset};
use crate::ui::{Button, Card, CopyButton, Glyph, Notice, Select};
use leptos::prelude::*;
use limn_domain::dataset::{DatasetKind, Version, snippets};

/// `/data/:id/consume`
#[component]
pub fn ConsumeTab() -> impl IntoView {
    let ctx = use_dataset();
    let number = RwSignal::new(
        ctx.versions
            .with_untracked(|v| v.first().map_or_else(String::new, |v| v.number.to_string())),
    );
    let version = Memo::new(move |_| ctx.version(&number.get()));
    // Known in the browser alone; the server writes a stand-in.
    let origin = RwSignal::new("https://limn.example.org".to_owned());
    Effect::new(move |_| {
        if let Ok(o) = window().location().origin() {
            origin.set(o);
        }
    });
    view! {
        <Show when=move || version.with(Option::is_some) fallback=move || view! { <NoVersion ctx/> }>
            <div class="toolbar">
                <Select value=number options=Signal::derive(move || ctx.options()) label="Version"/>
                {move || version.get().map(|v| {
                    let base = format!("/api/v1/versions/{}", v.id);
                    view! {
                        <Button icon=Glyph::Download href=format!("{base}/zip") external=true>"Zip"</Button>
                        <Button icon=Glyph::Download href=format!("{base}/metadata") external=true>"Metadata"</Button>
                        <Button icon=Glyph::Download href=format!("{base}/croissant") external=true>"Croissant"</Button>
                    }
                })}
            </div>
            <Notice>
                "Each snippet names the version by its digest, so it gets these bytes or nothing. Make a token on "
                <a class="link" href="/account">"your account page"</a>", for this dataset alone if you like, and put it in the
                variable LIMN_TOKEN; what reads over S3 takes the key pair that is shown with it."
            </Notice>
            {move || version.get().map(|v| view! { <Snippets ctx v origin/> })}
        </Show>
    }
}

#[component]
fn Snippets(ctx: DatasetCtx, v: Version, origin: RwSignal<String>) -> impl IntoView {
    let labels = ctx
        .dataset
        .with_untracked(|d| matches!(d.summary.kind, DatasetKind::Images));
    let list = Memo::new(move |_| {
        let name = ctx.dataset.with(|d| d.summary.name.clone());
        snippets::all(&origin.get(), &name, &v, labels)
    });
    view! {
        <div class="data-snippets">
            <For each=move || list.get() key=|s| (s.title, s.code.clone()) let:s>
                <Card title=s.title aside=ViewFn::from({ let code = s.code.clone(); move || view! { <CopyButton text=code.clone()/> } })>
                    <p class="muted">{s.about}</p>
                    <pre class="data-code" tabindex="0"><code>{s.code.clone()}</code></pre>
                </Card>
            </For>
        </div>
    }
}

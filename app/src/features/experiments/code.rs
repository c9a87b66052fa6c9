//! The code that a run came from, and the environment it ran in: what clients note of both in tags and files.

use super::api::{self, EnvironmentFile};
use super::run::RunCtx;
use crate::data::use_load;
use crate::ui::Card;
use leptos::prelude::*;
use limn_domain::run::Tags;

/// Tags that tell of the code, and what each is called here.
const TOLD: [(&str, &str); 10] = [
    ("mlflow.source.name", "Source"),
    ("mlflow.source.type", "Kind"),
    ("mlflow.project.entryPoint", "Entry point"),
    ("mlflow.source.git.commit", "Commit"),
    ("mlflow.source.git.branch", "Branch"),
    ("mlflow.source.git.repoURL", "Repository"),
    ("mlflow.docker.image.uri", "Image"),
    ("mlflow.docker.image.id", "Image id"),
    ("limn.version", "Version of Limn"),
    ("limn.device", "Computed on"),
];

/// Whether a tag is told of by [`CodeCard`].
pub fn is_told(tag: &str) -> bool {
    TOLD.iter().any(|(key, _)| *key == tag)
}

/// What the tags say of the code, in order.
fn told(tags: &Tags) -> Vec<(&'static str, String)> {
    TOLD.iter()
        .filter_map(|(key, what)| Some((*what, tags.get(*key)?.clone())))
        .filter(|(_, value)| !value.trim().is_empty())
        .collect()
}

/// Nothing where the client noted neither.
#[component]
pub fn CodeCard(ctx: RunCtx) -> impl IntoView {
    let facts = Memo::new(move |_| ctx.detail.with(|d| told(&d.run.data.tags)));
    // Files come with a model, or with the end; they are not read again with every figure.
    let stage = Memo::new(move |_| {
        ctx.detail
            .with(|d| (d.run.info.status.is_ended(), d.logged.len()))
    });
    let files = use_load(move || stage.get(), move |_| api::run_environment(ctx.id));
    view! {
        <Transition>
            {move || Suspend::new(async move {
                // Without them the card says what the tags do.
                let files = files.await.unwrap_or_default();
                view! { <Told facts files/> }
            })}
        </Transition>
    }
}

#[component]
fn Told(facts: Memo<Vec<(&'static str, String)>>, files: Vec<EnvironmentFile>) -> impl IntoView {
    let has_files = !files.is_empty();
    let files = StoredValue::new(files);
    view! {
        <Show when=move || has_files || facts.with(|f| !f.is_empty())>
            <Card title="Code and environment" class="run-code">
                <dl class="facts">
                    {move || facts.get().into_iter().map(|(what, value)| view! {
                        <dt>{what}</dt>
                        <dd class="runs__source">{linked(value)}</dd>
                    }).collect_view()}
                </dl>
                {files.get_value().into_iter().map(|f| view! {
                    <details class="run-code__file">
                        <summary>{f.path}{f.model.map(|m| format!(" of the model {m}"))}</summary>
                        <pre class="data-code run-files__text" tabindex="0"><code>{f.text}</code></pre>
                    </details>
                }).collect_view()}
            </Card>
        </Show>
    }
}

/// An address of the web as a link; anything else is a text.
fn linked(value: String) -> AnyView {
    if value.starts_with("https://") || value.starts_with("http://") {
        let href = value.clone();
        return view! { <a class="link" href=href rel="external noreferrer">{value}</a> }.into_any();
    }
    value.into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tags_say_of_the_code_has_names_and_an_order() {
        let tags = Tags::from(
            [
                ("mlflow.source.git.commit", "0a1b"),
                ("mlflow.source.name", "train.py"),
                ("mlflow.source.git.branch", " "),
                ("team", "vision"),
            ]
            .map(|(k, v)| (k.to_owned(), v.to_owned())),
        );
        assert_eq!(
            told(&tags),
            [("Source", "train.py".to_owned()), ("Commit", "0a1b".to_owned())]
        );
        assert!(is_told("mlflow.source.name") && !is_told("team") && !is_told("mlflow.user"));
    }
}

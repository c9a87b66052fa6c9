//! What a job left behind: an import's report, an export's file.

use super::report::Report;
use crate::fmt;
use crate::ui::{Button, Card, Glyph, Notice, Tone, Variant};
use leptos::prelude::*;
use limn_domain::dataset::VersionOutcome;
use limn_domain::datastore::SourceReport;
use limn_domain::export::ExportResult;
use limn_domain::import::ImportReport;
use limn_domain::job::Job;

/// The result as its kind; nothing while there is none.
#[component]
pub fn ResultCard(job: Job) -> impl IntoView {
    let Some(result) = job.result else {
        return ().into_any();
    };
    match job.kind.as_str() {
        "export" => match serde_json::from_value::<ExportResult>(result) {
            Ok(result) => view! { <ExportFile result/> }.into_any(),
            Err(_) => ().into_any(),
        },
        "version" | "catalogue" => match serde_json::from_value::<VersionOutcome>(result) {
            Ok(outcome) => view! { <VersionCard outcome/> }.into_any(),
            Err(_) => ().into_any(),
        },
        "source" => match serde_json::from_value::<SourceReport>(result) {
            Ok(r) => view! { <SourceCard r/> }.into_any(),
            Err(_) => ().into_any(),
        },
        "training" => view! { <TrainedCard result/> }.into_any(),
        _ => match report(result) {
            Some(report) => view! { <Report report/> }.into_any(),
            None => ().into_any(),
        },
    }
}

#[component]
fn SourceCard(r: SourceReport) -> impl IntoView {
    let line = format!(
        "{} match: {} as before, {} with other content, {} not there any more; {} read.",
        fmt::counted(r.matched, "file", "files"),
        fmt::count(r.unchanged),
        fmt::count(r.changed),
        fmt::count(r.vanished),
        fmt::bytes(r.bytes),
    );
    let tone = if r.changed + r.vanished > 0 {
        Tone::Warn
    } else {
        Tone::Neutral
    };
    view! {
        <Notice tone>{line}</Notice>
        <Report report=r.report/>
    }
}

/// Where a training's run is, and what came of it.
#[component]
fn TrainedCard(result: serde_json::Value) -> impl IntoView {
    let text = |key: &str| result[key].as_str().map(str::to_owned);
    let Some(run) = text("run_id") else {
        return ().into_any();
    };
    let model = text("model").zip(result["model_version"].as_i64());
    view! {
        <Card title="Result">
            <div class="file-row">
                <div class="grow">
                    <b class="strong">"The training is done."</b>
                    {model.map(|(name, n)| {
                        let href = format!("/models/{}/versions/{n}", fmt::encode(&name));
                        view! { <p>"Registered as "<a class="link" href=href>{format!("{name}, version {n}")}</a></p> }
                    })}
                </div>
                <Button variant=Variant::Primary icon=Glyph::Flask href=format!("/runs/{run}")>"Open the run"</Button>
            </div>
        </Card>
    }
    .into_any()
}

#[component]
fn VersionCard(outcome: VersionOutcome) -> impl IntoView {
    let line = if outcome.is_new {
        format!(
            "Version {} holds {}.",
            outcome.number,
            fmt::counted(outcome.files, "file", "files")
        )
    } else {
        format!(
            "Version {} has this very content already; no new version was made.",
            outcome.number
        )
    };
    let href = format!("/data/{}", outcome.dataset_id);
    view! {
        <Card title="Result">
            <div class="file-row">
                <div class="grow">
                    <b class="strong">{line}</b>
                    <p class="faint mono break" title="Digest of the version">{outcome.digest.to_string()}</p>
                </div>
                <Button variant=Variant::Primary icon=Glyph::Data href=href>"Open the dataset"</Button>
            </div>
            {(!outcome.notes.is_empty()).then(|| view! {
                <Notice tone=Tone::Warn>
                    <ul class="plain">{outcome.notes.into_iter().map(|n| view! { <li>{n}</li> }).collect_view()}</ul>
                </Notice>
            })}
        </Card>
    }
}

/// The report, bare or under `report`.
fn report(mut result: serde_json::Value) -> Option<ImportReport> {
    let inner = result.get_mut("report").map(serde_json::Value::take);
    serde_json::from_value(inner.unwrap_or(result)).ok()
}

#[component]
fn ExportFile(result: ExportResult) -> impl IntoView {
    let line = format!(
        "{}, {}, {}",
        fmt::bytes(result.size),
        fmt::counted(result.images, "image", "images"),
        fmt::counted(result.annotations, "annotation", "annotations"),
    );
    view! {
        <Card title="Result">
            <div class="file-row">
                <div class="grow">
                    <b class="strong break">{result.file_name}</b>
                    <p class="muted">{line}</p>
                    <p class="faint mono break" title="BLAKE3 of the file">{result.digest}</p>
                </div>
                <Button variant=Variant::Primary icon=Glyph::Download href=result.url external=true>"Download"</Button>
            </div>
            {(!result.notes.is_empty())
                .then(|| {
                    view! {
                        <Notice tone=Tone::Warn>
                            <ul class="plain">
                                {result.notes.into_iter().map(|n| view! { <li>{n}</li> }).collect_view()}
                            </ul>
                        </Notice>
                    }
                })}
        </Card>
    }
}

//! What a job left behind: an import's report, an export's file.

use super::report::Report;
use crate::fmt;
use crate::ui::{Button, Card, Glyph, Notice, Tone, Variant};
use leptos::prelude::*;
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
        _ => match report(result) {
            Some(report) => view! { <Report report/> }.into_any(),
            None => ().into_any(),
        },
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

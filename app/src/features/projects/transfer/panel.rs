//! The upload as people see it: the dialog that starts it, drops anywhere, and the panel that shows how it goes.

use super::super::layout::ProjectCtx;
use super::drop_zone::DropZone;
use super::files;
use super::progress::duration;
use super::sequence::{SequenceChoice, SequenceFields};
use super::uploader::{Failure, Phase, Uploader};
use crate::fmt;
use crate::ui::{
    Button, ButtonSize, Dialog, DialogBody, Glyph, Icon, IconButton, ProgressBar, Segment, Tone, Variant,
};
use leptos::ev;
use leptos::prelude::*;
use limn_domain::authz::Action;
use limn_domain::job::{Job, JobState};
use limn_domain::project::Media;
use std::time::Duration;

/// Errors listed at once.
const SHOWN: usize = 200;

#[component]
pub fn UploadDialog(ctx: ProjectCtx) -> impl IntoView {
    let open = ctx.upload_open;
    let media = ctx.project.with_untracked(|p| p.summary.task.media());
    let things = media.nouns().1;
    let videos = ctx.project.with_untracked(|p| p.summary.task.takes_videos());
    let sequence = SequenceChoice::new();
    let text = match media {
        Media::Image if videos => {
            "JPEG, PNG, WebP, GIF, BMP, TIFF, videos (MP4, MKV, WebM, AVI, MOV), and zip files of them. What the project has already is passed over, so an upload that was interrupted goes on where it stopped."
        }
        Media::Image => {
            "JPEG, PNG, WebP, GIF, BMP, TIFF, and zip files of them. What the project has already is passed over, so an upload that was interrupted goes on where it stopped."
        }
        Media::Text => {
            "Text files (.txt) in UTF-8, and zip files of them. Tables and JSONL with a document a line come in by Import. What the project has already is passed over."
        }
    };
    view! {
        <Dialog open title=format!("Upload {things}")>
            <DialogBody>
                {videos.then(|| view! { <div class="transfer-form"><SequenceFields choice=sequence/></div> })}
                <DropZone
                    title="Drop files or folders here"
                    text=text
                    accept=if media == Media::Text {
                        "text/plain,.txt,.zip"
                    } else if videos {
                        super::drop_zone::PICTURES_AND_VIDEOS
                    } else {
                        super::drop_zone::PICTURES
                    }
                    on_drop=Callback::new(move |dropped| {
                        if sequence.problem().is_some() {
                            return;
                        }
                        open.set(false);
                        ctx.uploader.drop_as(dropped, sequence.chosen().map(|s| s.rate));
                    })
                    on_pick=Callback::new(move |picked| {
                        if sequence.problem().is_some() {
                            return;
                        }
                        open.set(false);
                        ctx.uploader.start_as(picked, sequence.chosen().map(|s| s.rate));
                    })
                />
            </DialogBody>
        </Dialog>
    }
}

/// Takes files dropped anywhere on the project's pages.
#[component]
pub fn DropVeil(ctx: ProjectCtx) -> impl IntoView {
    let over = RwSignal::new(false);
    let may = Memo::new(move |_| ctx.may(Action::ManageItems));
    let free = move || {
        let in_dialog = document().query_selector("dialog[open]").ok().flatten().is_some();
        !in_dialog && may.get_untracked()
    };
    let handles = StoredValue::new(Vec::new());
    // Drag events come per element; the veil goes when no "over" has come for a moment.
    let last = StoredValue::new(0.0_f64);
    Effect::new(move |_| {
        let fade = move || {
            if last
                .try_get_value()
                .is_some_and(|t| js_sys::Date::now() - t > 250.0)
            {
                over.try_set(false);
            }
        };
        handles.set_value(vec![
            window_event_listener(ev::dragover, move |ev| {
                if files::carries_files(ev.data_transfer().as_ref()) && !ev.default_prevented() && free() {
                    ev.prevent_default();
                    last.set_value(js_sys::Date::now());
                    if !over.get_untracked() {
                        over.set(true);
                    }
                    set_timeout(fade, Duration::from_millis(350));
                }
            }),
            window_event_listener(ev::drop, move |ev| {
                over.set(false);
                if !ev.default_prevented() && files::carries_files(ev.data_transfer().as_ref()) {
                    // Never let the browser leave the page for a dropped picture.
                    ev.prevent_default();
                    if let Some(transfer) = ev.data_transfer().filter(|_| free()) {
                        ctx.uploader.drop(files::dropped(&transfer));
                    }
                }
            }),
        ]);
    });
    on_cleanup(move || {
        for handle in handles.try_update_value(std::mem::take).unwrap_or_default() {
            handle.remove();
        }
    });
    view! {
        <Show when=move || over.get()>
            <div class="drop-veil" aria-hidden="true">
                <div class="drop-veil__card">
                    <Icon glyph=Glyph::Upload size=28/>
                    <b>"Drop to upload"</b>
                    <span class="muted">{move || ctx.project.with(|p| p.summary.name.clone())}</span>
                </div>
            </div>
        </Show>
    }
}

/// How the upload goes, at the edge of the window.
#[component]
pub fn UploadPanel(ctx: ProjectCtx) -> impl IntoView {
    let up = ctx.uploader;
    view! {
        <Show when=move || up.phase.get() != Phase::Idle>
            <section class="upload" aria-label="Upload">
                <header class="upload__head">
                    <h2><span role="status">{move || title(up)}</span></h2>
                    <Show when=move || !up.phase.get().is_active()>
                        <IconButton glyph=Glyph::X label="Close" size=ButtonSize::Small on_click=move || up.dismiss()/>
                    </Show>
                </header>
                <div class="upload__body">
                    <ProgressBar
                        label="Upload"
                        segments=Signal::derive(move || {
                            let tone = if up.phase.get() == Phase::Done { Tone::Ok } else { Tone::Accent };
                            vec![Segment::new(up.progress.with(|p| p.percent()) as i64, tone, "Percent sent:")]
                        })
                        total=100_i64
                    />
                    <Numbers up/>
                    <Failures up/>
                    {move || up.jobs.get().into_iter().map(|job| view! {
                        <p>
                            {job_words(&job)}
                            " "
                            <a class="upload__link" href=format!("/jobs/{}", job.id)>"See the job"</a>
                        </p>
                    }).collect_view()}
                    <div class="upload__actions">
                        <Show when=move || up.phase.get().is_active()>
                            <Button size=ButtonSize::Small variant=Variant::Quiet on_click=move || up.cancel()>"Cancel"</Button>
                        </Show>
                        <Show when=move || {
                            !up.phase.get().is_active() && up.failures.with(|f| f.iter().any(|f| f.again))
                        }>
                            <Button size=ButtonSize::Small icon=Glyph::Refresh on_click=move || up.retry()>"Try the failed ones again"</Button>
                        </Show>
                    </div>
                </div>
            </section>
        </Show>
    }
}

/// What an archive's job is about and how far it is.
fn job_words(job: &Job) -> String {
    match job.state {
        JobState::Running if job.total > 0 => {
            format!(
                "{}: {} of {}.",
                job.title,
                fmt::count(job.done),
                fmt::count(job.total)
            )
        }
        state => {
            let refused = job
                .result
                .as_ref()
                .and_then(|r| r["refused"].as_i64())
                .unwrap_or(0);
            let refused = if refused > 0 {
                format!(", {} refused", fmt::count(refused))
            } else {
                String::new()
            };
            format!("{}: {}{refused}.", job.title, state.label().to_lowercase())
        }
    }
}

fn title(up: Uploader) -> String {
    let done = up.progress.with(|p| p.added + p.unchanged) as i64;
    let files = up.progress.with(|p| p.files) as i64;
    match up.phase.get() {
        Phase::Idle => String::new(),
        Phase::Reading => format!(
            "Opening folders, {} so far",
            fmt::counted(up.found.get() as i64, "file", "files")
        ),
        Phase::Checking => "Asking what is new".to_owned(),
        Phase::Sending => format!(
            "Uploading {} of {}",
            fmt::count(done),
            fmt::counted(files, "file", "files")
        ),
        Phase::Cancelled => format!("Cancelled after {}", fmt::counted(done, "file", "files")),
        Phase::Done if up.failures.with(Vec::is_empty) => {
            format!("{} uploaded", fmt::counted(done, "file", "files"))
        }
        Phase::Done => format!(
            "{} uploaded, {} not",
            fmt::counted(done, "file", "files"),
            fmt::count(up.failures.with(Vec::len) as i64)
        ),
    }
}

#[component]
fn Numbers(up: Uploader) -> impl IntoView {
    let size = move || {
        up.progress
            .with(|p| format!("{} of {}", fmt::bytes(p.sent as i64), fmt::bytes(p.bytes as i64)))
    };
    let rest = move || {
        if up.phase.get() != Phase::Sending {
            return None;
        }
        let elapsed = (js_sys::Date::now() - up.began.get()) / 1000.0;
        up.progress
            .with(|p| p.seconds_left(elapsed))
            .map(|s| format!("{} left", duration(s)))
    };
    let unchanged = move || {
        up.progress
            .with(|p| (p.unchanged > 0).then(|| format!("{} there already", fmt::count(p.unchanged as i64))))
    };
    view! {
        <div class="upload__numbers">
            <span>{size}</span>
            <span>{unchanged}</span>
            <span>{rest}</span>
        </div>
    }
}

#[component]
fn Failures(up: Uploader) -> impl IntoView {
    let shown = Memo::new(move |_| {
        up.failures.with(|all| {
            all.iter()
                .take(SHOWN)
                .cloned()
                .enumerate()
                .collect::<Vec<(usize, Failure)>>()
        })
    });
    let more = move || up.failures.with(|f| f.len().saturating_sub(SHOWN));
    view! {
        <Show when=move || !shown.with(Vec::is_empty)>
            <ul class="upload__errors" aria-label="Files that were not taken" tabindex="0">
                <For each=move || shown.get() key=|(i, _)| *i let((_, failure))>
                    <li><b>{failure.path}</b>{failure.message}</li>
                </For>
                {move || (more() > 0).then(|| view! { <li>{format!("and {} more", fmt::count(more() as i64))}</li> })}
            </ul>
        </Show>
    }
}

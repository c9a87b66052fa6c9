//! Where the files of a version lie, and whether they are still what they were.

use super::super::api;
use super::super::layout::DatasetCtx;
use crate::data::{use_form, use_load};
use crate::fmt;
use crate::job::{Watch, follow};
use crate::ui::{
    Button, Checkbox, Chip, DialogBody, DialogFoot, ErrorView, FormError, Glyph, Notice, RelativeTime,
    Skeleton, Tone, Variant,
};
use leptos::prelude::*;
use limn_domain::VersionId;
use limn_domain::authz::Action;
use limn_domain::dataset::{CheckFinding, CheckPlaces, CheckReport, Found, Version, VersionPlaces};
use limn_domain::job::{Job, JobState};

/// Findings that are shown; the job holds more.
const SHOWN: usize = 100;

#[component]
pub fn PlacesView(ctx: DatasetCtx, v: Version, open: RwSignal<bool>) -> impl IntoView {
    let id = v.id;
    let found = use_load(|| (), move |()| api::version_places(id));
    view! {
        <DialogBody>
            <Transition fallback=|| view! { <Skeleton lines=3/> }>
                {move || Suspend::new(async move {
                    match found.await {
                        Ok(found) => view! { <Places ctx version=id found/> }.into_any(),
                        Err(error) => view! { <ErrorView error retry=move || found.refetch()/> }.into_any(),
                    }
                })}
            </Transition>
        </DialogBody>
        <DialogFoot>
            <Button variant=Variant::Quiet on_click=move || open.set(false)>"Close"</Button>
        </DialogFoot>
    }
}

#[component]
fn Places(ctx: DatasetCtx, version: VersionId, found: VersionPlaces) -> impl IntoView {
    if found.places.is_empty() {
        return view! { <p class="muted">"All files of this version are in this server's store."</p> }
            .into_any();
    }
    let job = RwSignal::new(found.check);
    let full = RwSignal::new(false);
    let ended = Callback::new(|_: Job| ());
    Effect::new(move |_| {
        if let Some(id) = job.with_untracked(|j| j.as_ref().filter(|j| !j.state.is_final()).map(|j| j.id)) {
            follow(job, id, ended);
        }
    });
    let start = use_form(
        move |()| {
            let full = full.get_untracked();
            api::version_check(version, CheckPlaces { full })
        },
        move |started: Job| {
            let id = started.id;
            job.set(Some(started));
            follow(job, id, ended);
        },
    );
    let state = Memo::new(move |_| job.with(|j| j.as_ref().map(|j| j.state)));
    let idle = move || ctx.may(Action::AddVersions) && state.get().is_none_or(JobState::is_final);
    view! {
        <div class="data-form">
            <p class="muted">"These files were read once and left where they lie. Each is read there again when somebody needs it; one that is not what it was cannot be read any more."</p>
            <ul class="plain-list">
                {found.places.into_iter().map(|p| view! {
                    <li>
                        <b>{p.name}</b>
                        <span class="faint">{format!(": {}, {}", fmt::counted(p.files, "file", "files"), fmt::bytes(p.bytes))}</span>
                    </li>
                }).collect_view()}
            </ul>
            {move || match state.get() {
                None => ().into_any(),
                Some(JobState::Succeeded) => view! { <Report job/> }.into_any(),
                Some(s) if s.is_final() => {
                    let why = job.with(|j| j.as_ref().and_then(|j| j.error.clone())).unwrap_or_else(|| "The check was cancelled.".to_owned());
                    view! { <Notice tone=Tone::Bad>{why}</Notice> }.into_any()
                }
                Some(_) => view! { <Watch job/> }.into_any(),
            }}
            <FormError error=start.error/>
            <Show when=idle>
                <Checkbox
                    checked=full
                    label="Read every file and compare its content"
                    hint="Otherwise size and ETag or time are compared, without reading"
                />
                <div class="row">
                    <Button variant=Variant::Primary icon=Glyph::Check loading=start.pending on_click=move || start.run(())>"Check the files"</Button>
                </div>
            </Show>
        </div>
    }
    .into_any()
}

#[component]
fn Report(job: RwSignal<Option<Job>>) -> impl IntoView {
    let found = job.with_untracked(|j| {
        let j = j.as_ref()?;
        let report = serde_json::from_value::<CheckReport>(j.result.clone()?).ok()?;
        Some((report, j.finished_at, j.id))
    });
    let Some((r, at, id)) = found else {
        return view! { <Notice tone=Tone::Bad>"The check ended without a report; its log says why."</Notice> }
            .into_any();
    };
    let how = if r.full {
        "by content"
    } else {
        "by size and ETag or time"
    };
    let when = at.map(|at| view! { <p class="faint">"Checked "<RelativeTime at=at/>", "{how}</p> });
    if r.is_fine() {
        let words = if r.checked == 1 {
            "The file is what it was.".to_owned()
        } else {
            format!("All {} files are what they were.", fmt::count(r.checked))
        };
        return view! { <Notice tone=Tone::Ok>{words}</Notice> {when} }.into_any();
    }
    let words = format!(
        "Of {}, {} changed, {} gone, {} not read.",
        fmt::counted(r.checked, "file", "files"),
        fmt::count(r.changed),
        if r.gone == 1 {
            "1 is".to_owned()
        } else {
            format!("{} are", fmt::count(r.gone))
        },
        fmt::count(r.unknown),
    );
    let more = r.changed + r.gone + r.unknown > SHOWN as i64;
    view! {
        <Notice tone=Tone::Warn>{words}</Notice>
        <ul class="plain-list">
            {r.findings.into_iter().take(SHOWN).map(|f| view! { <Finding f/> }).collect_view()}
        </ul>
        {more.then(|| view! { <p class="faint"><a class="link" href=format!("/jobs/{id}")>"See the job"</a>" for the rest."</p> })}
        {when}
    }
    .into_any()
}

#[component]
fn Finding(f: CheckFinding) -> impl IntoView {
    let tone = match f.what {
        Found::Changed | Found::Gone => Tone::Bad,
        Found::Unknown => Tone::Warn,
    };
    view! {
        <li>
            <Chip tone>{f.what.label()}</Chip>" "<code>{f.path}</code>
            <span class="faint data-sub">{f.detail}</span>
        </li>
    }
}

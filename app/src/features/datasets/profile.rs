//! `/data/:id/profile`: what a version holds, as figures.

mod column;
mod drift;
mod images;
mod table;
mod texts;

use super::api;
use super::layout::{DatasetCtx, NoVersion, use_dataset};
use crate::data::{use_load, use_mutation};
use crate::fmt;
use crate::pulse::{use_cancel, use_pulse};
use crate::ui::{
    Button, Card, EmptyState, ErrorView, Glyph, Notice, ProgressBar, Segment, Select, Skeleton, Tone, Variant,
};
use drift::DriftCard;
use images::ImagesPart;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use limn_domain::VersionId;
use limn_domain::authz::Action;
use limn_domain::dataset::Version;
use limn_domain::job::{Job, JobState};
use limn_domain::profile::{DatasetProfile, Findings, VersionProfile};
use table::TablePart;
use texts::TextsPart;

/// `/data/:id/profile?version=3`
#[component]
pub fn ProfileTab() -> impl IntoView {
    let ctx = use_dataset();
    let query = use_query_map().get_untracked();
    let number = RwSignal::new(query.get("version").unwrap_or_default());
    let version = Memo::new(move |_| ctx.version(&number.get()));
    if number.with_untracked(String::is_empty)
        && let Some(v) = version.get_untracked()
    {
        number.set(v.number.to_string());
    }
    // No other one to compare with until it is chosen.
    let before = RwSignal::new(String::new());
    let others = Signal::derive(move || {
        let mut all = vec![(String::new(), "Compare with...".to_owned())];
        all.extend(ctx.options().into_iter().filter(|(n, _)| *n != number.get()));
        all
    });
    view! {
        <Show when=move || version.with(Option::is_some) fallback=move || view! { <NoVersion ctx/> }>
            <div class="toolbar">
                <Select value=number options=Signal::derive(move || ctx.options()) label="Version"/>
                <Show when=move || ctx.versions.with(|v| v.len() > 1)>
                    <Select value=before options=others label="Compare with"/>
                </Show>
                <span class="grow"></span>
                {move || version.get().map(|v| view! {
                    <Button icon=Glyph::Download href=format!("/api/v1/versions/{}/profile.html", v.id) external=true>"As a page"</Button>
                    <Button href=format!("/api/v1/versions/{}/profile", v.id) external=true>"JSON"</Button>
                })}
            </div>
            {move || {
                let against = before.get();
                let old = (!against.is_empty()).then(|| ctx.version(&against)).flatten();
                version.get().map(|v| view! { <OfVersion ctx version=v before=old/> })
            }}
        </Show>
    }
}

#[component]
fn OfVersion(ctx: DatasetCtx, version: Version, before: Option<Version>) -> impl IntoView {
    let id = version.id;
    let pulse = use_pulse();
    let found = use_load(
        move || (id, pulse.finished.get()),
        |(id, _)| api::version_profile(id),
    );
    let compare = before.map(|b| view! { <DriftCard before=b.id after=id name=b.number/> });
    view! {
        <div class="stack">
            {compare}
            <Transition fallback=|| view! { <Card><Skeleton lines=8/></Card> }>
                {move || Suspend::new(async move {
                    match found.await {
                        Ok(p) => view! { <Found ctx version=id found=p again=move || found.refetch()/> }.into_any(),
                        Err(error) => view! { <ErrorView error retry=move || found.refetch()/> }.into_any(),
                    }
                })}
            </Transition>
        </div>
    }
}

#[component]
fn Found(
    ctx: DatasetCtx,
    version: VersionId,
    found: VersionProfile,
    #[prop(into)] again: Callback<()>,
) -> impl IntoView {
    let pulse = use_pulse();
    let start = use_mutation(api::version_start_profile, move |_: Job| {
        pulse.kick();
        again.run(());
    });
    let running = found.job.clone().filter(|j| !j.state.is_final());
    let failed = found
        .job
        .clone()
        .filter(|j| matches!(j.state, JobState::Failed | JobState::Cancelled));
    let may = ctx.may(Action::AddVersions);
    let is_running = running.is_some();
    let progress = running.map(|job| view! { <Running job/> });
    match found.profile {
        Some(profile) => view! { {progress} <Whole version profile/> }.into_any(),
        None if is_running => view! { {progress} }.into_any(),
        None => view! {
            {failed.map(|j| view! {
                <Notice tone=Tone::Bad>
                    <b class="strong">{if j.state == JobState::Failed { "The profile failed. " } else { "The profile was cancelled. " }}</b>
                    {j.error.clone()}" "<a class="link" href=format!("/jobs/{}", j.id)>"See the job"</a>
                </Notice>
            })}
            <Card>
                <EmptyState
                    glyph=Glyph::Activity
                    title="No profile yet"
                    text="A profile shows what is in every column, image and document: types, distributions, what is missing, twice or out of line. It reads all of the data, once."
                >
                    {may.then(|| view! {
                        <Button variant=Variant::Primary icon=Glyph::Activity loading=start.pending on_click=move || start.run(version)>"Profile this version"</Button>
                    })}
                </EmptyState>
            </Card>
        }
        .into_any(),
    }
}

#[component]
pub fn Running(job: Job, #[prop(default = "Profile")] label: &'static str) -> impl IntoView {
    let id = job.id;
    let pulse = use_pulse();
    let cancel = use_cancel();
    let fixed = StoredValue::new(job);
    let now = Memo::new(move |_| {
        pulse
            .jobs
            .with(|l| l.iter().find(|j| j.id == id).cloned())
            .unwrap_or_else(|| fixed.get_value())
    });
    // Whoever comes here from a registration sees the job at once, and its end.
    Effect::new(move |_| pulse.watch(id));
    view! {
        <Card>
            <div class="row job-progress">
                <span class="grow">
                    {move || now.with(|j| if j.message.is_empty() { "Waiting for a free worker".to_owned() } else { j.message.clone() })}
                </span>
                <span class="muted num">
                    {move || now.with(|j| if j.total > 0 { format!("{} of {}", fmt::count(j.done), fmt::count(j.total)) } else { String::new() })}
                </span>
                <Button icon=Glyph::X loading=cancel.pending on_click=move || cancel.run(id)>"Cancel"</Button>
            </div>
            <ProgressBar
                label=label
                thick=true
                segments=Signal::derive(move || vec![Segment::new(now.with(|j| j.done), Tone::Accent, "Done")])
                total=Signal::derive(move || now.with(|j| j.total))
            />
        </Card>
    }
}

#[component]
fn Whole(version: VersionId, profile: DatasetProfile) -> impl IntoView {
    let rows: u64 = profile.tables.iter().map(|t| t.profile.rows).sum();
    let mut of = Vec::new();
    if !profile.tables.is_empty() {
        of.push(fmt::counted(rows as i64, "row", "rows"));
    }
    if let Some(i) = &profile.images {
        of.push(fmt::counted(i.images as i64, "image", "images"));
    }
    if let Some(t) = &profile.texts {
        of.push(fmt::counted(t.documents as i64, "document", "documents"));
    }
    let scope = if of.is_empty() {
        "Nothing here is a table, an image or a document; only files were counted.".to_owned()
    } else {
        format!("Computed on 100 % of {}.", of.join(", "))
    };
    let several = profile.tables.len() > 1;
    let tables = profile
        .tables
        .into_iter()
        .map(|t| view! { <TablePart table=t named=several/> })
        .collect_view();
    view! {
        <p class="profile-scope muted">
            {scope}
            {(profile.others > 0).then(|| format!(" {} of other kinds.", fmt::counted(profile.others as i64, "file", "files")))}
        </p>
        <FindingsCard findings=profile.findings/>
        {tables}
        {profile.images.map(|images| view! { <ImagesPart version images/> })}
        {profile.texts.map(|texts| view! { <TextsPart version texts/> })}
    }
}

/// What could not be read as it is, by place.
#[component]
fn FindingsCard(findings: Findings) -> impl IntoView {
    (findings.total > 0).then(|| {
        let title = format!("{} could not be read as they are", fmt::counted(findings.total as i64, "place", "places"));
        let shown = findings.items.len() as u64;
        let rows = findings
            .items
            .into_iter()
            .map(|f| {
                view! {
                    <li>
                        <b class="strong">{f.kind.label()}</b>
                        " "<span class="muted">{f.file}{(f.line > 0).then(|| format!(", line {}", fmt::count(f.line as i64)))}</span>
                        " "{f.message}
                    </li>
                }
            })
            .collect_view();
        view! {
            <Card title>
                <ul class="profile-list">{rows}</ul>
                {(shown < findings.total).then(|| view! { <p class="muted">"The first of each kind are listed."</p> })}
            </Card>
        }
    })
}

/// A figure with its name.
pub(super) fn figures(all: Vec<(&'static str, String)>) -> impl IntoView {
    let rows = all
        .into_iter()
        .map(|(name, value)| view! { <div><dt>{name}</dt><dd>{value}</dd></div> })
        .collect_view();
    view! { <dl class="figures">{rows}</dl> }
}

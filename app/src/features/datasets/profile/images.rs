//! Images of a version: sizes, light, labels, what is twice or out of line.

use super::super::shape::{encode, file_url};
use super::column::histogram;
use super::figures;
use crate::fmt;
use crate::ui::{Bars, Card, Grid, Notice, Table, Tone};
use leptos::prelude::*;
use limn_domain::VersionId;
use limn_domain::profile::{
    DuplicateImages, ImageOutlier, ImagesProfile, LabelsProfile, NumberProfile, TopPath, TopValue,
};

#[component]
pub fn ImagesPart(version: VersionId, images: ImagesProfile) -> impl IntoView {
    let p = images;
    let head = figures(vec![
        ("Images", fmt::count(p.images as i64)),
        ("Size", fmt::bytes(p.bytes as i64)),
        ("Cannot be decoded", fmt::count(p.corrupt_total as i64)),
        ("Copies", fmt::count(p.duplicates.extra as i64)),
        ("Look alike", fmt::count(p.look_alikes.extra as i64)),
    ]);
    let plots = [
        ("Width, pixels", &p.widths),
        ("Height, pixels", &p.heights),
        ("Width over height", &p.aspects),
        ("Brightness, 0 to 255", &p.brightness),
        ("Contrast", &p.contrast),
        ("Sharpness", &p.sharpness),
    ]
    .map(|(name, n)| plot(name, n))
    .collect_view();
    let lists = [("Sizes", &p.sizes), ("Formats", &p.formats), ("Channels", &p.modes)]
        .map(|(name, values)| {
            view! { <div><h3 class="profile-sub">{name}</h3><Bars label=name rows=rows(values) total=Some(p.images)/></div> }
        })
        .collect_view();
    view! {
        <Card class="profile-head" title="Images">{head}</Card>
        <Broken list=p.corrupt total=p.corrupt_total/>
        <Card title="Size and light">
            <div class="profile-plots">{plots}</div>
            <div class="profile-plots">{lists}</div>
        </Card>
        {p.labels.map(|labels| view! { <Labels version labels/> })}
        <Groups version title="Copies: files of the same bytes" groups=p.duplicates/>
        <Groups version title="Images that look alike" groups=p.look_alikes/>
        <OutOfLine version outliers=p.outliers/>
    }
}

fn rows(values: &[TopValue]) -> Vec<(String, u64, Option<String>)> {
    values
        .iter()
        .take(8)
        .map(|t| (t.value.clone(), t.count, None))
        .collect()
}

pub fn plot(name: &'static str, n: &NumberProfile) -> impl IntoView + use<> {
    let median = n.quantiles.map(|q| fmt::figure(q.median));
    let chart = n.histogram.as_ref().map(|h| histogram(h, name, fmt::figure));
    view! {
        <div>
            <h3 class="profile-sub">{name}{median.map(|m| view! { <span class="muted">", median "{m}</span> })}</h3>
            {chart}
        </div>
    }
}

#[component]
fn Broken(list: Vec<TopPath>, total: u64) -> impl IntoView {
    (total > 0).then(|| {
        let rows = list.into_iter().map(|p| view! { <li>{p.path}": "{p.note}</li> }).collect_view();
        view! {
            <Notice tone=Tone::Bad>
                <b class="strong">{format!("{} cannot be decoded.", fmt::counted(total as i64, "image", "images"))}</b>
                <ul class="profile-list">{rows}</ul>
            </Notice>
        }
    })
}

#[component]
fn Labels(version: VersionId, labels: LabelsProfile) -> impl IntoView {
    let l = labels;
    let head = figures(vec![
        ("Objects", fmt::count(l.objects as i64)),
        ("Labeled images", fmt::count(l.labeled as i64)),
        ("Without a label", fmt::count(l.unlabeled as i64)),
        ("Small, under 32 px", fmt::count(l.small as i64)),
        ("Medium", fmt::count(l.medium as i64)),
        ("Large, over 96 px", fmt::count(l.large as i64)),
    ]);
    let balance: Vec<(String, u64, Option<String>)> = l
        .categories
        .iter()
        .take(24)
        .map(|c| {
            (
                c.name.clone(),
                c.objects,
                Some(format!("files?category={}", encode(&c.name))),
            )
        })
        .collect();
    let names: Vec<String> = l.together.categories.iter().take(12).cloned().collect();
    let n = names.len();
    let heads = names
        .iter()
        .map(|c| view! { <th scope="col"><span title=c.clone()>{c.clone()}</span></th> })
        .collect_view();
    let body = l
        .together
        .images
        .iter()
        .zip(&names)
        .map(|(row, name)| {
            let most = row.iter().take(n).copied().max().unwrap_or(0).max(1);
            let cells = row
                .iter()
                .take(n)
                .map(|k| view! { <td class="matrix__cell" style=format!("--strength:{}%", k * 100 / most)>{fmt::count(*k as i64)}</td> })
                .collect_view();
            view! { <tr><th scope="row" title=name.clone()>{name.clone()}</th>{cells}</tr> }
        })
        .collect_view();
    let has_boxes = l.heat.counts.iter().any(|n| *n > 0);
    let unlabeled = l.unlabeled_paths.clone();
    let tiles = unlabeled
        .into_iter()
        .take(18)
        .map(|path| view! { <li><Tile version path note=String::new()/></li> })
        .collect_view();
    view! {
        <Card title="Labels">
            {head}
            <div class="profile-plots">
                <div><h3 class="profile-sub">"Objects by category"</h3><Bars label="Objects by category" rows=balance total=Some(l.objects)/></div>
                {has_boxes.then(|| view! {
                    <div><h3 class="profile-sub">"Where objects lie"</h3><Grid label="Centres of objects over the image" side=l.heat.side counts=l.heat.counts.clone()/></div>
                })}
                {plot("Objects an image", &l.per_image)}
                {has_boxes.then(|| plot("Side of the box, pixels", &l.box_sides))}
                {has_boxes.then(|| plot("Share of the image", &l.box_shares))}
            </div>
            {(n > 1).then(|| view! {
                <h3 class="profile-sub">"Images that hold both"</h3>
                <div class="matrix-wrap" tabindex="0" role="region" aria-label="Categories in the same image">
                    <table class="matrix"><thead><tr><td></td>{heads}</tr></thead><tbody>{body}</tbody></table>
                </div>
            })}
            {(l.unlabeled > 0).then(|| view! {
                <h3 class="profile-sub">{format!("Without a label: {}", fmt::count(l.unlabeled as i64))}</h3>
                <ul class="data-grid">{tiles}</ul>
            })}
        </Card>
    }
}

#[component]
fn Tile(version: VersionId, path: String, note: String) -> impl IntoView {
    let name = path.rsplit('/').next().unwrap_or(&path).to_owned();
    view! {
        <a class="data-cell" href=file_url(version, &path) rel="external" title=path.clone()>
            <span class="thumb"><img class="thumb__img" src=format!("/media/versions/{version}/thumb?path={}", encode(&path)) alt="" loading="lazy" decoding="async"/></span>
            <span class="data-cell__name">{name}</span>
            {(!note.is_empty()).then(|| view! { <span class="muted profile-note">{note}</span> })}
        </a>
    }
}

#[component]
fn Groups(version: VersionId, title: &'static str, groups: DuplicateImages) -> impl IntoView {
    (groups.groups_total > 0).then(|| {
        let shown = groups.groups.len() as u64;
        let list = groups
            .groups
            .into_iter()
            .take(12)
            .map(|g| {
                let more = g.size.saturating_sub(6);
                let tiles = g.paths.into_iter().take(6).map(|path| view! { <li><Tile version path note=String::new()/></li> }).collect_view();
                view! {
                    <li class="profile-group">
                        <ul class="data-grid">{tiles}</ul>
                        {(more > 0).then(|| view! { <p class="muted">{format!("and {more} more")}</p> })}
                    </li>
                }
            })
            .collect_view();
        view! {
            <Card title=format!("{title} ({})", fmt::counted(groups.groups_total as i64, "group", "groups"))>
                <ul class="profile-groups">{list}</ul>
                {(groups.groups_total > shown.min(12)).then(|| view! { <p class="muted">"The largest groups are shown; the JSON lists more."</p> })}
            </Card>
        }
    })
}

#[component]
fn OutOfLine(version: VersionId, outliers: Vec<ImageOutlier>) -> impl IntoView {
    (!outliers.is_empty()).then(|| {
        let tiles = outliers
            .into_iter()
            .take(36)
            .map(|o| {
                let note = format!("{}, {}", o.kind.label(), fmt::figure(o.value));
                view! { <li><Tile version path=o.path note/></li> }
            })
            .collect_view();
        view! { <Card title="Out of line"><ul class="data-grid">{tiles}</ul></Card> }
    })
}

/// Paths in groups, for files without a picture.
#[component]
pub fn PathGroups(version: VersionId, #[prop(into)] title: String, groups: DuplicateImages) -> impl IntoView {
    (groups.groups_total > 0).then(|| {
        let body = groups
            .groups
            .into_iter()
            .take(20)
            .map(|g| {
                let paths = g
                    .paths
                    .into_iter()
                    .take(8)
                    .map(|p| view! { <li><a class="link" rel="external" href=file_url(version, &p)>{p.clone()}</a></li> })
                    .collect_view();
                view! { <tr><td class="num" data-label="Files">{fmt::count(g.size as i64)}</td><td data-label="Paths"><ul class="profile-list">{paths}</ul></td></tr> }
            })
            .collect_view();
        view! { <Card title=title.clone() flush=true><Table label=title.clone() columns=vec!["Files", "Paths"]>{body}</Table></Card> }
    })
}

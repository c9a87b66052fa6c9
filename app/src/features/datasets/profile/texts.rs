//! Documents of a version.

use super::figures;
use super::images::{PathGroups, plot};
use crate::fmt;
use crate::ui::{Bars, Card, Notice, Tone};
use leptos::prelude::*;
use limn_domain::VersionId;
use limn_domain::profile::TextsProfile;

#[component]
pub fn TextsPart(version: VersionId, texts: TextsProfile) -> impl IntoView {
    let p = texts;
    let head = figures(vec![
        ("Documents", fmt::count(p.documents as i64)),
        ("Size", fmt::bytes(p.bytes as i64)),
        ("Empty", fmt::count(p.empty as i64)),
        ("Copies", fmt::count(p.duplicates.extra as i64)),
        ("No text", fmt::count(p.unreadable_total as i64)),
    ]);
    let encodings = p
        .encodings
        .iter()
        .map(|t| (t.value.clone(), t.count, None))
        .collect::<Vec<_>>();
    let characters = p
        .classes
        .named()
        .into_iter()
        .filter(|(_, n)| *n > 0)
        .map(|(c, n)| (c.to_owned(), n, None))
        .collect::<Vec<_>>();
    let broken = p
        .unreadable
        .into_iter()
        .map(|u| view! { <li>{u.path}": "{u.note}</li> })
        .collect_view();
    view! {
        <Card class="profile-head" title="Documents">{head}</Card>
        {(p.unreadable_total > 0).then(|| view! {
            <Notice tone=Tone::Warn><b class="strong">"Some files are no text."</b><ul class="profile-list">{broken}</ul></Notice>
        })}
        <Card title="Lengths and characters">
            <div class="profile-plots">
                {plot("Characters", &p.characters)}
                {plot("Words", &p.words)}
                {plot("Lines", &p.lines)}
                <div><h3 class="profile-sub">"Encodings"</h3><Bars label="Encodings" rows=encodings/></div>
                <div><h3 class="profile-sub">"Characters by class"</h3><Bars label="Characters by class" rows=characters/></div>
            </div>
        </Card>
        <PathGroups version title="Documents of the same words" groups=p.duplicates/>
    }
}

//! What changed in the distributions since another version.

use super::super::api;
use crate::data::use_load;
use crate::fmt;
use crate::ui::{Card, Chip, EmptyState, ErrorView, Glyph, Skeleton, Table, Tone};
use leptos::prelude::*;
use limn_domain::VersionId;
use limn_domain::profile::{Drift, DriftLevel, FeatureDrift};

/// Features listed.
const LISTED: usize = 100;

#[component]
pub fn DriftCard(before: VersionId, after: VersionId, name: i64) -> impl IntoView {
    let drift = use_load(move || (before, after), |(b, a)| api::version_drift(b, a));
    view! {
        <Card title=format!("Drift since version {name}") flush=true>
            <Transition fallback=|| view! { <div class="pad"><Skeleton lines=4/></div> }>
                {move || Suspend::new(async move {
                    match drift.await {
                        Ok(d) => view! { <Whole d/> }.into_any(),
                        Err(error) => view! { <div class="pad"><ErrorView error retry=move || drift.refetch()/></div> }.into_any(),
                    }
                })}
            </Transition>
        </Card>
    }
}

#[component]
fn Whole(d: Drift) -> impl IntoView {
    if d.features.is_empty() && d.added.is_empty() && d.removed.is_empty() {
        return view! { <EmptyState glyph=Glyph::CheckCircle title="Nothing to compare" text="The two versions have no table, image or document in common."/> }.into_any();
    }
    let moved = d
        .features
        .iter()
        .filter(|f| f.level != DriftLevel::Stable)
        .count();
    let total = d.features.len();
    let rows = d
        .features
        .into_iter()
        .take(LISTED)
        .map(|f| view! { <Row f/> })
        .collect_view();
    let list = |what: &'static str, names: Vec<String>| {
        (!names.is_empty()).then(
            || view! { <p class="pad profile-tight"><b class="strong">{what}</b>": "{names.join(", ")}</p> },
        )
    };
    view! {
        <p class="pad profile-tight muted">
            {format!("{moved} of {total} have moved. ")}
            {(d.rows_before + d.rows_after > 0).then(|| format!("{} rows before, {} now.", fmt::count(d.rows_before as i64), fmt::count(d.rows_after as i64)))}
        </p>
        {list("New", d.added)}
        {list("Gone", d.removed)}
        <Table label="Drift" columns=vec!["Feature", "Drift", "PSI", "Test", "Mean", "Shares that moved most"]>{rows}</Table>
    }
    .into_any()
}

#[component]
fn Row(f: FeatureDrift) -> impl IntoView {
    let tone = match f.level {
        DriftLevel::Stable => Tone::Ok,
        DriftLevel::Some => Tone::Warn,
        DriftLevel::Strong => Tone::Bad,
    };
    let test = match (f.ks, f.chi_squared) {
        (Some(k), _) => format!("KS {:.3}, {}", k.statistic, chance(k.p_value)),
        (None, Some(c)) => format!("chi-squared {}, {}", fmt::figure(c.statistic), chance(c.p_value)),
        _ => String::new(),
    };
    let mean = f
        .mean_before
        .zip(f.mean_after)
        .map(|(b, a)| format!("{} to {}", fmt::figure(b), fmt::figure(a)));
    let missing = ((f.missing_before - f.missing_after).abs() > 0.001).then(|| {
        format!(
            "missing {:.1} % to {:.1} %",
            f.missing_before * 100.0,
            f.missing_after * 100.0
        )
    });
    let mut shares = f.shares;
    shares.sort_by(|x, y| (y.after - y.before).abs().total_cmp(&(x.after - x.before).abs()));
    let shares = shares
        .into_iter()
        .take(2)
        .filter(|s| (s.after - s.before).abs() > 0.001)
        .map(|s| {
            format!(
                "{}: {:.1} % to {:.1} %",
                s.value,
                s.before * 100.0,
                s.after * 100.0
            )
        })
        .chain(missing)
        .chain(f.note)
        .map(|text| view! { <li>{text}</li> })
        .collect_view();
    view! {
        <tr>
            <td data-label="Feature"><b class="strong">{f.name}</b></td>
            <td data-label="Drift"><Chip tone>{f.level.label()}</Chip></td>
            <td data-label="PSI" class="num">{f.psi.map(|p| format!("{p:.3}"))}</td>
            <td data-label="Test" class="num">{test}</td>
            <td data-label="Mean" class="num">{mean}</td>
            <td data-label="Shares"><ul class="profile-list">{shares}</ul></td>
        </tr>
    }
}

fn chance(p: f64) -> String {
    if p < 0.001 {
        "p < 0.001".to_owned()
    } else {
        format!("p = {p:.3}")
    }
}

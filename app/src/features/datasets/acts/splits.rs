//! Putting the files of a version into splits.

use super::super::api;
use super::super::layout::DatasetCtx;
use super::super::source::{Outcome, outcome};
use crate::data::use_form;
use crate::error::AppError;
use crate::job::{Watch, follow};
use crate::ui::{
    Button, Checkbox, Choice, DialogBody, DialogFoot, Field, FormError, Glyph, Notice, RadioCards, TextInput,
    Tone, Variant,
};
use leptos::prelude::*;
use limn_domain::ApiError;
use limn_domain::dataset::{NewVersion, SplitMethod, SplitPlan, SplitShare, Version, VersionSource};
use limn_domain::job::Job;

#[component]
pub fn SplitsForm(ctx: DatasetCtx, v: Version, open: RwSignal<bool>) -> impl IntoView {
    let method = RwSignal::new(SplitMethod::Random.as_str().to_owned());
    let shares = ["80", "10", "10"].map(|n| RwSignal::new(n.to_owned()));
    let seed = RwSignal::new("0".to_owned());
    let keep = RwSignal::new(false);
    let job = RwSignal::new(None::<Job>);
    let id = v.id;
    let start = use_form(
        move |()| async move {
            let share = |n: usize, what: &str| {
                shares[n]
                    .with_untracked(|t| t.trim().parse::<u32>())
                    .map_err(|_| {
                        AppError(ApiError::field(
                            "plan.shares",
                            format!("Write the share of {what} as a whole number of per cent."),
                        ))
                    })
            };
            let shares = SplitShare {
                train: share(0, "train")?,
                val: share(1, "validation")?,
                test: share(2, "test")?,
            };
            shares
                .check()
                .map_err(|e| AppError(ApiError::field("plan.shares", e)))?;
            let plan = SplitPlan {
                method: method.with_untracked(|m| m.parse().unwrap_or_default()),
                shares,
                seed: seed
                    .with_untracked(|s| s.trim().parse())
                    .map_err(|_| AppError(ApiError::field("plan.seed", "A seed is a whole number.")))?,
                keep: keep.get_untracked(),
            };
            let input = NewVersion {
                source: VersionSource::Splits { version_id: id, plan },
                note: String::new(),
            };
            api::dataset_register(ctx.id, input).await
        },
        move |started: Job| {
            let id = started.id;
            job.set(Some(started));
            follow(job, id, Callback::new(move |_| ctx.reload()));
        },
    );
    let sum = move || {
        shares
            .iter()
            .map(|s| s.with(|t| t.trim().parse::<i64>().unwrap_or(0)))
            .sum::<i64>()
    };
    let ended = Memo::new(move |_| job.with(|j| j.as_ref().filter(|j| j.state.is_final()).map(outcome)));
    let methods = SplitMethod::ALL.map(|m| Choice::new(m.as_str(), m.label(), m.describe()));
    view! {
        <form on:submit=move |ev| {
            ev.prevent_default();
            start.run(());
        }>
            <DialogBody>
                {move || if let Some(e) = ended.get() {
                    match e {
                        Ok(o) => view! { <Outcome outcome=o/> }.into_any(),
                        Err(why) => view! { <Notice tone=Tone::Bad>{why}</Notice> }.into_any(),
                    }
                } else if job.with(Option::is_some) {
                    view! { <Watch job/> }.into_any()
                } else {
                    view! {
                        <div class="data-form">
                            <RadioCards value=method name="split-method" label="How" choices=methods.to_vec()/>
                            <div class="data-shares">
                                <Field name="share-train" label="Train, %"><TextInput value=shares[0] kind="number"/></Field>
                                <Field name="share-val" label="Validation, %"><TextInput value=shares[1] kind="number"/></Field>
                                <Field name="share-test" label="Test, %"><TextInput value=shares[2] kind="number"/></Field>
                            </div>
                            {move || (sum() != 100).then(|| view! { <p class="field__error">{format!("Together {} %; they have to make 100.", sum())}</p> })}
                            <Field name="plan.seed" label="Seed" errors=start.error hint="The same seed on the same files draws the same splits"><TextInput value=seed kind="number"/></Field>
                            <Checkbox checked=keep label="Leave files alone that have a split"/>
                            <FormError error=start.error fields=&["plan.seed"]/>
                        </div>
                    }.into_any()
                }}
            </DialogBody>
            <DialogFoot>
                <Button variant=Variant::Quiet on_click=move || open.set(false)>"Close"</Button>
                <Show when=move || job.with(Option::is_none)>
                    <Button variant=Variant::Primary icon=Glyph::Slice submit=true loading=start.pending disabled=Signal::derive(move || sum() != 100)>"Make a version with splits"</Button>
                </Show>
            </DialogFoot>
        </form>
    }
}

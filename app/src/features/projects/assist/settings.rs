//! How the assist works.

use super::super::api;
use super::super::items::filter::encode;
use super::super::layout::ProjectCtx;
use crate::data::{use_form, use_load};
use crate::pulse::use_pulse;
use crate::ui::{
    Button, Card, Checkbox, Choice, Field, FormError, RadioCards, Select, TextInput, Variant, use_toasts,
};
use leptos::prelude::*;
use limn_domain::assist::{Assist, AssistOrder, AssistSettings, Retrain, UpdateAssist, finds_marks};
use limn_domain::authz::Action;
use limn_domain::training::TrainTask;

/// Labels from which on the whole network is worth training, and not only what stands upon it.
const TUNED_FROM: i64 = 100;
const ACCURACIES: [f64; 7] = [0.7, 0.8, 0.9, 0.95, 0.97, 0.98, 0.99];

#[component]
pub fn SettingsCard(ctx: ProjectCtx, assist: RwSignal<Assist>) -> impl IntoView {
    view! {
        <Show
            when=move || ctx.may(Action::ManageProject)
            fallback=move || view! { <Told assist/> }
        >
            <Form ctx assist/>
        </Show>
    }
}

/// The settings, for those who may not change them.
#[component]
fn Told(assist: RwSignal<Assist>) -> impl IntoView {
    let s = move || assist.with(|a| a.settings.clone());
    view! {
        <Card title="Settings">
            <dl class="figures">
                <div><dt>"Accuracy asked for"</dt><dd>{move || said(s().accuracy)}</dd></div>
                <div><dt>"Other items"</dt><dd>{move || s().order.label()}</dd></div>
                <div><dt>"Trains"</dt><dd>{move || s().retrain.label()}</dd></div>
            </dl>
        </Card>
    }
}

fn said(accuracy: f64) -> String {
    let percent = accuracy * 100.0;
    if (percent - percent.round()).abs() < 1e-9 {
        format!("{percent:.0} %")
    } else {
        format!("{percent:.1} %")
    }
}

fn accuracies(now: f64) -> Vec<(String, String)> {
    let mut all = ACCURACIES.to_vec();
    if !all.contains(&now) {
        all.push(now);
        all.sort_by(f64::total_cmp);
    }
    all.into_iter().map(|a| (a.to_string(), said(a))).collect()
}

/// What can be chosen, with what there is without any; the one of now also when it is gone.
pub(super) fn choices(found: Vec<String>, now: &str, without: &str) -> Vec<(String, String)> {
    let own = (String::new(), without.to_owned());
    let mut all: Vec<String> = found;
    if !now.is_empty() && !all.iter().any(|b| b == now) {
        all.push(now.to_owned());
    }
    let named = all.into_iter().map(|b| {
        let label = match b.rsplit_once('/') {
            Some((model, version)) => format!("{model}, version {version}"),
            None => b.clone(),
        };
        (b, label)
    });
    std::iter::once(own).chain(named).collect()
}

/// Where the network that describes the pictures is fine-tuned on the project's labels; nothing before there are enough of them.
fn tuning_href(ctx: ProjectCtx, assist: RwSignal<Assist>) -> Option<String> {
    let backbone = assist.with(|a| a.settings.backbone.clone())?;
    let (task, done) = ctx.project.with(|p| (p.summary.task, p.summary.progress.done));
    let train = if task.is_text() || done < TUNED_FROM {
        return None;
    } else if task.takes_one() {
        TrainTask::Classification
    } else if task.takes_any() {
        TrainTask::Multilabel
    } else {
        return None;
    };
    Some(format!(
        "/train?project={}&task={}&backbone={}",
        ctx.id,
        train.as_str(),
        encode(&backbone.to_string())
    ))
}

fn retrains() -> Vec<(String, String)> {
    let all = Retrain::ALL.map(|r| (r.as_str().to_owned(), r.label().to_owned()));
    all.to_vec()
}

#[component]
fn Form(ctx: ProjectCtx, assist: RwSignal<Assist>) -> impl IntoView {
    let toasts = use_toasts();
    let pulse = use_pulse();
    let AssistSettings {
        accuracy,
        order,
        retrain,
        every,
        register,
        backbone,
        ..
    } = assist.with_untracked(|a| a.settings.clone());
    let chosen = RwSignal::new(accuracy.to_string());
    let order = RwSignal::new(order.as_str().to_owned());
    let retrain = RwSignal::new(retrain.as_str().to_owned());
    let every = RwSignal::new(every.to_string());
    let register = RwSignal::new(register);
    let backbone = RwSignal::new(backbone.map_or_else(String::new, |b| b.to_string()));
    let networks = use_load(move || ctx.id, api::assist_backbones);
    let wrong = RwSignal::new(None::<String>);
    let done = move |now: Assist| {
        assist.set(now);
        toasts.ok("Saved.");
        pulse.kick();
    };
    let save = use_form(
        move |change: UpdateAssist| api::assist_update(ctx.id, change),
        done,
    );
    let turn_off = use_form(
        move |()| {
            let change = UpdateAssist {
                enabled: Some(false),
                ..UpdateAssist::default()
            };
            api::assist_update(ctx.id, change)
        },
        move |now: Assist| {
            assist.set(now);
            toasts.ok("The assist is off; its proposals are taken back.");
        },
    );
    let submit = move || {
        let Ok(labels) = every.get_untracked().trim().parse::<i64>() else {
            wrong.set(Some("Write a whole number of labels.".to_owned()));
            return;
        };
        wrong.set(None);
        save.run(UpdateAssist {
            enabled: None,
            accuracy: chosen.get_untracked().parse().ok(),
            order: order.get_untracked().parse::<AssistOrder>().ok(),
            retrain: retrain.get_untracked().parse::<Retrain>().ok(),
            every: Some(labels),
            register: Some(register.get_untracked()),
            backbone: Some(backbone.get_untracked()),
            segmenter: None,
        });
    };
    let orders = AssistOrder::ALL.map(|o| {
        let hint = match o {
            AssistOrder::Useful => "Those the model is torn about, and that differ",
            AssistOrder::Clusters => "For labeling a page of alike ones at once",
            AssistOrder::Random => "As without the assist",
        };
        Choice::new(o.as_str(), o.label(), hint)
    });
    let marks = ctx.project.with_untracked(|p| finds_marks(p.summary.task));
    let others = if marks {
        "Items that take more than a look"
    } else {
        "Items without a proposal"
    };
    view! {
        <Card title="Settings">
            <form
                class="form"
                on:submit=move |ev| {
                    ev.prevent_default();
                    submit();
                }
            >
                <Field
                    name="accuracy"
                    label="Accuracy of proposals"
                    hint="A category is proposed from the confidence on that meets it"
                    errors=save.error
                >
                    <Select value=chosen options=Signal::derive(move || accuracies(assist.with(|a| a.settings.accuracy)))/>
                </Field>
                <RadioCards value=order name="assist-order" label=others choices=orders.to_vec()/>
                <Field name="retrain" label="The model is trained" errors=save.error>
                    <Select value=retrain options=Signal::derive(retrains)/>
                </Field>
                <Show when=move || retrain.with(|r| r == "schedule")>
                    <Field name="every" label="After so many new labels" errors=save.error error=wrong class="field--short">
                        <TextInput value=every kind="number"/>
                    </Field>
                </Show>
                <Suspense fallback=|| ()>
                    {move || Suspend::new(async move {
                        let found = networks.await.unwrap_or_default();
                        let list = choices(found, &backbone.get_untracked(), "Patches of their own (built in)");
                        let pictures = ctx.project.with_untracked(|p| !p.summary.task.is_text());
                        (pictures && list.len() > 1).then(|| view! {
                            <Field
                                name="backbone"
                                label="Pictures are described by"
                                hint="A registered network sees more in photos, and takes longer to look at them"
                                errors=save.error
                            >
                                <Select value=backbone options=list.clone()/>
                            </Field>
                        })
                    })}
                </Suspense>
                {move || tuning_href(ctx, assist).map(|href| view! {
                    <p class="muted">
                        "With so many labels the network itself can learn from them: a longer training, whose model is registered. "
                        <a href=href data-testid="fine-tune">"Fine-tune the network"</a>
                    </p>
                })}
                <Checkbox
                    checked=register
                    label="Keep every model in the registry"
                    hint="As a run of an experiment of the project's name. Everybody in the studio sees runs and models, with the names of the categories"
                />
                <FormError error=save.error fields=&["accuracy", "retrain", "every", "backbone"]/>
                <FormError error=turn_off.error fields=&[]/>
                <div class="form-foot assist-foot">
                    <Button variant=Variant::Quiet loading=turn_off.pending on_click=move || turn_off.run(())>"Turn off"</Button>
                    <Button variant=Variant::Primary submit=true loading=save.pending>"Save"</Button>
                </div>
            </form>
        </Card>
    }
}

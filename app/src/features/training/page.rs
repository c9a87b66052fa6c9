//! `/train`: which dataset, which version, for what; then on to the run.

use super::api::{self, Choices};
use super::tasks::{Counts, TaskCards};
use crate::data::{use_form, use_load};
use crate::fmt;
use crate::ui::{
    Breadcrumbs, Button, Card, Checkbox, EmptyState, ErrorView, Field, FormError, Glyph, Notice, PageHead,
    Select, Skeleton, TextInput, Tone, Variant,
};
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_query_map};
use limn_domain::dataset::Visibility;
use limn_domain::training::{NewTraining, STEPS_MAX, TaskOffer, TrainTask, Training, TrainingOffer};
use limn_domain::{DatasetId, ProjectId, VersionId};

/// `/train?version=ID` or `/train?dataset=ID`; `?project=ID` for the newest version of that project's labels. With `&task=` and `&backbone=` these
/// are chosen at first.
#[component]
pub fn TrainPage() -> impl IntoView {
    let query = use_query_map();
    let wanted = Memo::new(move |_| {
        query.with(|q| {
            let dataset = q.get_str("dataset").and_then(|s| s.parse::<DatasetId>().ok());
            let version = q.get_str("version").and_then(|s| s.parse::<VersionId>().ok());
            let project = q.get_str("project").and_then(|s| s.parse::<ProjectId>().ok());
            (dataset, version, project)
        })
    });
    let choices = use_load(
        move || wanted.get(),
        |(dataset, version, project)| api::training_choices(dataset, version, project),
    );
    let crumbs = Signal::derive(|| {
        vec![
            ("Experiments".to_owned(), "/experiments".to_owned()),
            ("Train a model".to_owned(), String::new()),
        ]
    });
    view! {
        <Breadcrumbs items=crumbs/>
        <PageHead title="Train a model" sub=ViewFn::from(|| "A network learns from a version of a dataset. The run keeps how it went, and what came of it.")/>
        <Transition fallback=|| view! { <Card><Skeleton lines=8/></Card> }>
            {move || Suspend::new(async move {
                match choices.await {
                    Ok(c) if c.dataset.is_none() => view! { <Nothing project=c.project/> }.into_any(),
                    Ok(choices) => view! { <Chosen choices/> }.into_any(),
                    Err(error) => view! { <ErrorView error retry=move || choices.refetch()/> }.into_any(),
                }
            })}
        </Transition>
    }
}

#[component]
fn Nothing(project: Option<ProjectId>) -> impl IntoView {
    let (text, href) = match project {
        Some(id) => (
            "A network learns from a version, which stays as it is while people go on labeling: register one of this project's labels.",
            format!("/data/new?project={id}"),
        ),
        None => (
            "A network learns from labeled pictures: register a version of a dataset, from a labeling project or from files with labels.",
            "/data/new".to_owned(),
        ),
    };
    view! {
        <Card>
            <EmptyState glyph=Glyph::Images title="No dataset to learn from" text=text>
                <Button variant=Variant::Primary icon=Glyph::Plus href=href>"New dataset"</Button>
                <Button href="/data">"All datasets"</Button>
            </EmptyState>
        </Card>
    }
}

#[component]
fn Chosen(choices: Choices) -> impl IntoView {
    let navigate = StoredValue::new(use_navigate());
    let go = move |to: String| {
        let options = NavigateOptions {
            replace: true,
            scroll: false,
            ..NavigateOptions::default()
        };
        navigate.with_value(|n| n(&to, options));
    };
    let dataset = RwSignal::new(choices.dataset.map(|d| d.to_string()).unwrap_or_default());
    let chosen = choices.offer.as_ref().map(|o| o.version_id.to_string());
    let version = RwSignal::new(chosen.unwrap_or_default());
    let datasets: Vec<(String, String)> = choices
        .datasets
        .iter()
        .map(|d| (d.id.to_string(), d.name.clone()))
        .collect();
    let versions: Vec<(String, String)> = choices
        .versions
        .iter()
        .map(|v| {
            let aliases = if v.aliases.is_empty() {
                String::new()
            } else {
                format!(" ({})", v.aliases.join(", "))
            };
            let text = format!(
                "Version {}{aliases}: {}, {}",
                v.number,
                fmt::counted(v.files, "file", "files"),
                fmt::counted(v.counts.labels, "label", "labels")
            );
            (v.id.to_string(), text)
        })
        .collect();
    let digest = choices
        .versions
        .iter()
        .find(|v| Some(v.id) == choices.offer.as_ref().map(|o| o.version_id))
        .map(|v| v.digest.to_string());
    view! {
        <div class="train">
            <Card title="Learn from">
                <div class="data-form">
                    <Field name="dataset" label="Dataset">
                        <Select value=dataset options=datasets.clone() on_change=Callback::new(move |id: String| go(format!("/train?dataset={id}")))/>
                    </Field>
                    <Field name="version" label="Version">
                        <Select value=version options=versions.clone() on_change=Callback::new(move |id: String| go(format!("/train?version={id}")))/>
                    </Field>
                    {digest.map(|d| view! {
                        <p class="faint train__digest">"Pinned by its digest "<code title=d.clone()>{d.chars().take(12).collect::<String>()}</code></p>
                    })}
                </div>
            </Card>
            {choices.offer.map_or_else(
                || view! { <Notice tone=Tone::Warn>"This dataset has no version yet; register one first."</Notice> }.into_any(),
                |offer| view! { <Form offer/> }.into_any(),
            )}
        </div>
    }
}

/// Where a network may begin, with nothing first.
fn backbone_choices(found: &[String]) -> Vec<(String, String)> {
    let own = (String::new(), "Nothing: a small network of its own".to_owned());
    let named = found.iter().map(|b| {
        let label = match b.rsplit_once('/') {
            Some((model, version)) => format!("{model}, version {version}"),
            None => b.clone(),
        };
        (b.clone(), label)
    });
    std::iter::once(own).chain(named).collect()
}

/// What there is for a task where a backbone is fine-tuned.
fn tuned(offer: TaskOffer) -> TaskOffer {
    match offer.backbone_steps {
        Some(steps) => TaskOffer {
            steps,
            seconds_per_step: None,
            ..offer
        },
        None => offer,
    }
}

#[component]
fn Form(offer: TrainingOffer) -> impl IntoView {
    let query = use_query_map().get_untracked();
    let asked = query.get_str("task").and_then(|t| t.parse::<TrainTask>().ok());
    let possible = || offer.tasks.iter().filter(|t| t.refusal.is_none());
    let first = possible().find(|t| Some(t.task) == asked);
    let first = first.or_else(|| possible().next()).map(|t| t.task);
    let none = first.is_none();
    let task = RwSignal::new(first.unwrap_or_default().as_str().to_owned());
    let wanted = query.get("backbone").filter(|b| offer.backbones.contains(b));
    let backbone = RwSignal::new(wanted.unwrap_or_default());
    let backbones = StoredValue::new(backbone_choices(&offer.backbones));
    let version = offer.version_id;
    let has_splits = offer.has_splits;
    let tasks = StoredValue::new(offer.tasks);
    let of = Memo::new(move |_| {
        let wanted = task.with(|t| t.parse::<TrainTask>().unwrap_or_default());
        let found = tasks.with_value(|all| all.iter().find(|t| t.task == wanted).cloned());
        let tunes = backbone.with(|b| !b.is_empty());
        found.map(|o| if tunes { tuned(o) } else { o })
    });
    let takes = Memo::new(move |_| {
        let one = of.with(|o| o.as_ref().is_some_and(|o| o.task.takes_backbone()));
        one && backbones.with_value(|b| b.len() > 1)
    });
    let use_splits = RwSignal::new(true);
    let register = RwSignal::new(true);
    let is_private = offer.visibility == Visibility::Private;
    let examples = RwSignal::new(!is_private);
    let experiment = RwSignal::new(String::new());
    let model = RwSignal::new(String::new());
    let steps = RwSignal::new(String::new());
    let seed = RwSignal::new("1".to_owned());
    // Suggestions follow the task until somebody writes something else.
    let mut before = None::<TaskOffer>;
    let fill = move |now: &TaskOffer, before: Option<&TaskOffer>| {
        for (field, is) in [
            (
                experiment,
                (|o: &TaskOffer| o.experiment.clone()) as fn(&TaskOffer) -> String,
            ),
            (model, |o| o.model.clone()),
            (steps, |o| o.steps.to_string()),
        ] {
            let untouched = field.with_untracked(|f| before.is_none_or(|b| *f == is(b)));
            if untouched {
                field.set(is(now));
            }
        }
    };
    if let Some(now) = of.get_untracked() {
        fill(&now, None);
        before = Some(now);
    }
    let before = StoredValue::new(before);
    Effect::new(move |_| {
        if let Some(now) = of.get() {
            before.with_value(|b| fill(&now, b.as_ref()));
            before.set_value(Some(now));
        }
    });
    let navigate = use_navigate();
    let start = use_form(
        move |()| {
            let task: TrainTask = task.with_untracked(|t| t.parse().unwrap_or_default());
            let input = NewTraining {
                task,
                backbone: Some(backbone.get_untracked()).filter(|b| !b.is_empty() && task.takes_backbone()),
                experiment: Some(experiment.get_untracked()),
                model: Some(model.get_untracked()).filter(|_| register.get_untracked()),
                register: register.get_untracked(),
                // What is no number is refused by the server, beside the field.
                steps: steps.with_untracked(|s| match s.trim() {
                    "" => None,
                    text => Some(text.parse().unwrap_or(-1)),
                }),
                seed: seed.with_untracked(|s| s.trim().parse().unwrap_or(1)),
                use_splits: use_splits.get_untracked(),
                examples: Some(examples.get_untracked()),
            };
            api::training_start(version, input)
        },
        move |started: Training| {
            navigate(&format!("/runs/{}", started.run_id), NavigateOptions::default());
        },
    );
    let estimate = Signal::derive(move || {
        let n = steps.with(|s| s.trim().parse::<i64>().ok());
        let per = of.with(|o| o.as_ref().and_then(|o| o.seconds_per_step));
        match (n, per) {
            (Some(n), Some(per)) if (1..=STEPS_MAX).contains(&n) => {
                format!(
                    "About {} on this server, going by the latest training",
                    fmt::span((n as f64 * per) as i64)
                )
            }
            (Some(n), None) if (1..=STEPS_MAX).contains(&n) => {
                "How long it takes shows a few seconds after it has begun".to_owned()
            }
            _ => "1 to 1,000,000; empty for as many as the pictures deserve".to_owned(),
        }
    });
    view! {
        <form
            class="train__form"
            on:submit=move |ev| {
                ev.prevent_default();
                start.run(());
            }
        >
            <Card title="To say what">
                <TaskCards task tasks/>
                {none.then(|| view! {
                    <Notice tone=Tone::Warn>"Nothing can be learned from this version yet; each task says what it wants. Choose another version, or label more."</Notice>
                })}
                {move || of.get().filter(|o| o.refusal.is_none()).map(|o| view! { <Counts offer=o use_splits/> })}
                {has_splits.then(|| view! {
                    <Checkbox checked=use_splits label="Use the version's splits" hint="Otherwise a fifth of the pictures, chosen by their content, is held back"/>
                })}
                <Show when=move || takes.get()>
                    <div class="data-form">
                        <Field
                            name="backbone"
                            label="Begin with"
                            errors=start.error
                            hint="The weights of a registered ResNet, all of which learn on from these pictures. It knows pictures already, and takes far longer a step"
                        >
                            <Select value=backbone options=Signal::derive(move || backbones.get_value())/>
                        </Field>
                    </div>
                </Show>
                <FormError error=start.error fields=&["steps", "experiment", "model", "name", "backbone"]/>
            </Card>
            <Card title="What becomes of it">
                <div class="data-form">
                    <Field name="experiment" label="Experiment" errors=start.error hint="The folder of its run; made when there is none of the name">
                        <TextInput value=experiment autocomplete="off"/>
                    </Field>
                    <Checkbox checked=register label="Register the model" hint="What comes of it becomes the next version of a model"/>
                    <Show when=move || register.get()>
                        <Field name="model" label="Model" errors=start.error><TextInput value=model autocomplete="off"/></Field>
                    </Show>
                    <Checkbox
                        checked=examples
                        label="Keep example pictures"
                        hint=if is_private {
                            "The dataset is private, and runs are not: everybody in the studio would see the pictures, as they see the names of the categories"
                        } else {
                            "What it gets wrong, with the run"
                        }
                    />
                    <div class="data-pair">
                        <Field name="steps" label="Steps" errors=start.error hint=estimate>
                            <TextInput value=steps kind="number" autocomplete="off"/>
                        </Field>
                        <Field name="seed" label="Seed" hint="The same seed gives the same model">
                            <TextInput value=seed kind="number" autocomplete="off"/>
                        </Field>
                    </div>
                </div>
            </Card>
            <div class="data-new__foot">
                <Button
                    variant=Variant::Primary
                    icon=Glyph::Flask
                    submit=true
                    loading=start.pending
                    disabled=Signal::derive(move || of.with(|o| o.as_ref().is_none_or(|o| o.refusal.is_some())))
                >
                    "Start the training"
                </Button>
            </div>
        </form>
    }
}

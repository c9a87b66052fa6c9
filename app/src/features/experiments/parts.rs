//! Small parts that the pages of experiments share.

use crate::ui::{Button, Card, Chip, CopyButton, Field, FormError, Glyph, Icon, TextInput, Tone, Variant};
use leptos::prelude::*;
use limn_domain::Timestamp;
use limn_domain::run::RunStatus;

/// How a run stands, with a word and a colour.
#[component]
pub fn StatusChip(status: RunStatus) -> impl IntoView {
    let (tone, word) = match status {
        RunStatus::Running => (Tone::Accent, "Running"),
        RunStatus::Scheduled => (Tone::Neutral, "Scheduled"),
        RunStatus::Finished => (Tone::Ok, "Finished"),
        RunStatus::Failed => (Tone::Bad, "Failed"),
        RunStatus::Killed => (Tone::Warn, "Killed"),
    };
    view! { <Chip tone dot=true>{word}</Chip> }
}

/// A client's milliseconds as a time of ours.
pub fn at(ms: i64) -> Timestamp {
    Timestamp(ms.saturating_mul(1000))
}

/// The address under which the browser knows this server; a stand-in until it is asked.
pub fn use_origin() -> RwSignal<String> {
    let origin = RwSignal::new("https://limn.example.org".to_owned());
    Effect::new(move |_| {
        if let Ok(o) = window().location().origin() {
            origin.set(o);
        }
    });
    origin
}

/// How the first run is logged: the lines of Python with the address of this server.
#[component]
pub fn FirstRun(
    /// The experiment to log to.
    #[prop(into)]
    experiment: Signal<String>,
) -> impl IntoView {
    let origin = use_origin();
    let setup = Signal::derive(move || {
        format!(
            "pip install mlflow\nexport MLFLOW_TRACKING_URI={}\nexport MLFLOW_TRACKING_TOKEN=limn_...",
            origin.get()
        )
    });
    let code = Signal::derive(move || {
        let name = experiment.get().replace('\\', "\\\\").replace('"', "\\\"");
        format!("import mlflow\nmlflow.set_experiment(\"{name}\")\nmlflow.log_metric(\"loss\", 0.42)")
    });
    view! {
        <div class="first-run">
            <Card title="Once, in a shell" aside=ViewFn::from(move || view! { <CopyButton text=setup/> })>
                <p class="muted">"Make the token on "<a class="link" href="/account">"your account page"</a>"."</p>
                <pre class="data-code" tabindex="0"><code>{move || setup.get()}</code></pre>
            </Card>
            <Card title="Then, in Python" aside=ViewFn::from(move || view! { <CopyButton text=code/> })>
                <p class="muted">"Three lines log the first run. "<code>"mlflow.autolog()"</code>" logs whole trainings."</p>
                <pre class="data-code" tabindex="0"><code>{move || code.get()}</code></pre>
            </Card>
        </div>
    }
}

/// A form with one name in it, for a dialog.
#[component]
pub fn NameForm(
    value: RwSignal<String>,
    #[prop(into)] label: String,
    #[prop(into)] button: String,
    error: RwSignal<Option<crate::error::AppError>>,
    pending: RwSignal<bool>,
    on_submit: Callback<()>,
) -> impl IntoView {
    view! {
        <form on:submit=move |ev| {
            ev.prevent_default();
            on_submit.run(());
        }>
            <crate::ui::DialogBody>
                <Field name="name" label=label.clone() errors=error><TextInput value autofocus=true autocomplete="off"/></Field>
                <FormError error fields=&["name"]/>
            </crate::ui::DialogBody>
            <crate::ui::DialogFoot>
                <Button variant=Variant::Primary submit=true loading=pending>{button.clone()}</Button>
            </crate::ui::DialogFoot>
        </form>
    }
}

/// Keys and values, sought by either.
#[component]
pub fn KeyValues(
    #[prop(into)] title: String,
    rows: Vec<(String, String)>,
    #[prop(into)] nothing: String,
) -> impl IntoView {
    let text = RwSignal::new(String::new());
    let many = rows.len() > 12;
    let all = StoredValue::new(rows);
    let shown = Memo::new(move |_| {
        let wanted = text.get().to_lowercase();
        all.with_value(|rows| {
            rows.iter()
                .filter(|(k, v)| k.to_lowercase().contains(&wanted) || v.to_lowercase().contains(&wanted))
                .cloned()
                .collect::<Vec<_>>()
        })
    });
    let is_empty = all.with_value(Vec::is_empty);
    view! {
        <Card title=title.clone() class="kv">
            {many.then(|| view! { <TextInput value=text kind="search" icon=Glyph::Search placeholder="Search" label=format!("Search {title}")/> })}
            {is_empty.then(|| view! { <p class="muted">{nothing}</p> })}
            // Long lists scroll, also by the keyboard.
            {(!is_empty).then(|| view! {
                <div class="kv__scroll" tabindex="0" role="group" aria-label=title>
                    <dl class="kv__list">
                        <For each=move || shown.get() key=|r| r.0.clone() let:r>
                            <dt title=r.0.clone()>{r.0.clone()}</dt>
                            <dd>{r.1}</dd>
                        </For>
                    </dl>
                </div>
            })}
        </Card>
    }
}

/// A line that says something is a pickle.
#[component]
pub fn PickleMark() -> impl IntoView {
    view! {
        <span class="pickle" title="A pickle runs whatever code it holds where it is loaded. Limn never runs it.">
            <Icon glyph=Glyph::Warning size=13/>"pickle"
        </span>
    }
}

//! Which columns of a table of documents hold what: the head of the file is read here, before it is sent.

use super::super::local::LocalSignal;
use super::files::Picked;
use crate::ui::{Field, Notice, Select, Tone};
use leptos::prelude::*;
use leptos::task::spawn_local;
use limn_domain::import::{ImportFormat, TextColumns};
use limn_domain::table::{self, Preview};
use wasm_bindgen_futures::JsFuture;

/// Bytes of the file that are looked at.
const HEAD: i32 = 256 << 10;
/// Records shown.
const ROWS: usize = 3;

/// The choice, as names of columns; empty for none.
#[derive(Debug, Clone, Copy)]
pub struct Columns {
    preview: RwSignal<Preview>,
    text: RwSignal<String>,
    name: RwSignal<String>,
    label: RwSignal<String>,
    id: RwSignal<String>,
}

impl Columns {
    pub fn new() -> Self {
        Self {
            preview: RwSignal::new(Preview::default()),
            text: RwSignal::new(String::new()),
            name: RwSignal::new(String::new()),
            label: RwSignal::new(String::new()),
            id: RwSignal::new(String::new()),
        }
    }

    /// What the import is told; `None` leaves it to the usual names.
    pub fn chosen(self) -> Option<TextColumns> {
        let some = |s: RwSignal<String>| Some(s.get_untracked()).filter(|s| !s.is_empty());
        Some(TextColumns {
            text: some(self.text)?,
            name: some(self.name),
            label: some(self.label),
            id: some(self.id),
        })
    }

    /// Shows another file's head, and guesses.
    fn show(self, preview: Preview) {
        let guess = |names: &[&str]| table::guess(&preview.columns, names).cloned().unwrap_or_default();
        self.text.set(guess(table::TEXT));
        self.name.set(guess(table::NAME));
        self.label.set(guess(table::LABEL));
        self.id.set(guess(table::ID));
        self.preview.set(preview);
    }
}

/// What the extension of a file says it is, if it has columns.
fn kind(path: &str, format: ImportFormat) -> Option<ImportFormat> {
    let extension = path.rsplit_once('.')?.1.to_ascii_lowercase();
    match (format, extension.as_str()) {
        (ImportFormat::Csv, "csv" | "tsv") | (ImportFormat::Jsonl, "jsonl" | "ndjson") => Some(format),
        _ => None,
    }
}

async fn look(picked: &Picked, format: ImportFormat) -> Option<Preview> {
    let head = picked.file.slice_with_i32_and_i32(0, HEAD).ok()?;
    let text = JsFuture::from(head.text()).await.ok()?.as_string()?;
    Some(if format == ImportFormat::Csv {
        table::csv(&text, ROWS)
    } else {
        table::jsonl(&text, ROWS)
    })
}

/// The columns of the first table among the files, and its first rows.
#[component]
pub fn ColumnChoice(
    columns: Columns,
    files: LocalSignal<Vec<Picked>>,
    #[prop(into)] format: Signal<ImportFormat>,
) -> impl IntoView {
    Effect::new(move |_| {
        let format = format.get();
        let first = files.with(|all| all.iter().find(|p| kind(&p.path, format).is_some()).cloned());
        match first {
            Some(picked) => spawn_local(async move {
                let preview = look(&picked, format).await.unwrap_or_default();
                columns.show(preview);
            }),
            None => columns.show(Preview::default()),
        }
    });
    let there = Memo::new(move |_| columns.preview.with(|p| !p.columns.is_empty()));
    let options = move |none: &'static str| {
        Signal::derive(move || {
            columns.preview.with(|p| {
                std::iter::once((String::new(), none.to_owned()))
                    .chain(p.columns.iter().map(|c| (c.clone(), c.clone())))
                    .collect::<Vec<_>>()
            })
        })
    };
    let missing = move || columns.text.with(String::is_empty);
    view! {
        <Show when=move || there.get()>
            <fieldset class="columns">
                <legend class="columns__title">"Columns"</legend>
                <div class="columns__grid">
                    <Field label="Text" name="column-text">
                        <Select value=columns.text options=options("Choose a column")/>
                    </Field>
                    <Field label="Label" name="column-label">
                        <Select value=columns.label options=options("None")/>
                    </Field>
                    <Field label="Name" name="column-name">
                        <Select value=columns.name options=options("None")/>
                    </Field>
                    <Field label="Id" name="column-id">
                        <Select value=columns.id options=options("None")/>
                    </Field>
                </div>
                <p class="muted">"Without a name the document is called by its id, without an id by its line."</p>
                <Show when=missing>
                    <Notice tone=Tone::Warn>"Choose the column that holds the text, or only labels for documents of the project are taken."</Notice>
                </Show>
                <div class="columns__preview" tabindex="0" role="region" aria-label="The first rows">
                    <table class="columns__table">
                        <thead>
                            <tr>
                                {move || columns.preview.with(|p| {
                                    p.columns.iter().map(|c| view! { <th scope="col">{c.clone()}</th> }).collect_view()
                                })}
                            </tr>
                        </thead>
                        <tbody>
                            {move || columns.preview.with(|p| {
                                let columns = p.columns.len();
                                p.rows
                                    .iter()
                                    .map(|row| {
                                        // A row may have too few fields, or too many; the import says so.
                                        let cell = |n| row.get(n).cloned().unwrap_or_default();
                                        view! {
                                            <tr>{(0..columns).map(|n| view! { <td dir="auto">{cell(n)}</td> }).collect_view()}</tr>
                                        }
                                    })
                                    .collect_view()
                            })}
                        </tbody>
                    </table>
                </div>
            </fieldset>
        </Show>
    }
}

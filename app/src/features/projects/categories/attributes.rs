//! The attributes of a category: what people say of its objects, in the order they are asked.

use super::super::api;
use super::Editor;
use crate::data::use_form;
use crate::ui::{Button, Dialog, DialogBody, DialogFoot, DialogSize, FormError, Glyph, IconButton, Variant};
use leptos::prelude::*;
use limn_domain::category::{Category, UpdateCategory};
use limn_domain::project::{Project, ProjectSettings, UpdateProject};
use limn_domain::{Attribute, AttributeKind, AttributeValue, CategoryId};

/// An attribute as it is typed: everything as text, so that half a number is no error yet.
#[derive(Debug, Clone, PartialEq, Default)]
struct Row {
    /// Tells rows apart while they move.
    id: u32,
    key: String,
    name: String,
    kind: String,
    /// One option a line.
    options: String,
    min: String,
    max: String,
    required: bool,
    default: String,
}

impl Row {
    fn of(id: u32, a: &Attribute) -> Self {
        let mut row = Self {
            id,
            key: a.key.clone(),
            name: a.name.clone(),
            required: a.required,
            default: match &a.default {
                None => String::new(),
                Some(AttributeValue::Flag(on)) => if *on { "yes" } else { "no" }.to_owned(),
                Some(AttributeValue::Number(n)) => n.to_string(),
                Some(AttributeValue::Text(t)) => t.clone(),
            },
            ..Self::default()
        };
        let bound = |v: &Option<f64>| v.map(|v| v.to_string()).unwrap_or_default();
        let kind = match &a.kind {
            AttributeKind::Select { options } => {
                row.options = options.join("\n");
                "select"
            }
            AttributeKind::Checkbox => "checkbox",
            AttributeKind::Number { min, max } => {
                (row.min, row.max) = (bound(min), bound(max));
                "number"
            }
            AttributeKind::Text => "text",
        };
        kind.clone_into(&mut row.kind);
        row
    }

    /// Errors: what cannot be read as a number.
    fn to_attribute(&self) -> Result<Attribute, String> {
        let number = |what: &str, text: &str| -> Result<Option<f64>, String> {
            let text = text.trim().replace(',', ".");
            if text.is_empty() {
                return Ok(None);
            }
            text.parse()
                .map(Some)
                .map_err(|_| format!("{what} of \u{201c}{}\u{201d} is not a number.", self.name))
        };
        let kind = match self.kind.as_str() {
            "select" => AttributeKind::Select {
                options: self
                    .options
                    .lines()
                    .map(str::trim)
                    .filter(|l| !l.is_empty())
                    .map(str::to_owned)
                    .collect(),
            },
            "number" => AttributeKind::Number {
                min: number("The lower bound", &self.min)?,
                max: number("The upper bound", &self.max)?,
            },
            "text" => AttributeKind::Text,
            _ => AttributeKind::Checkbox,
        };
        let default = self.default.trim();
        let default = match &kind {
            _ if default.is_empty() => None,
            AttributeKind::Checkbox => Some(AttributeValue::Flag(default == "yes")),
            AttributeKind::Number { .. } => number("The default", default)?.map(AttributeValue::Number),
            AttributeKind::Select { .. } | AttributeKind::Text => {
                Some(AttributeValue::Text(default.to_owned()))
            }
        };
        Ok(Attribute {
            key: self.key.clone(),
            name: self.name.clone(),
            kind,
            required: self.required,
            default,
        })
    }
}

/// Whose attributes are being changed.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Of {
    Category(Box<Category>),
    /// Those of the items themselves.
    Items(Vec<Attribute>),
}

/// Opens while `editor.attributes` says whose.
#[component]
pub fn AttributesDialog(editor: Editor) -> impl IntoView {
    let what = editor.attributes;
    let open = RwSignal::new(false);
    let rows = RwSignal::new(Vec::<Row>::new());
    let next = StoredValue::new(0_u32);
    let wrong = RwSignal::new(None::<String>);
    let id = move || {
        next.update_value(|n| *n += 1);
        next.get_value()
    };
    Effect::new(move |_| {
        let of = what.get();
        if let Some(of) = &of {
            let list = match of {
                Of::Category(c) => &c.attributes,
                Of::Items(list) => list,
            };
            rows.set(list.iter().map(|a| Row::of(id(), a)).collect());
            wrong.set(None);
        }
        open.set(of.is_some());
    });
    let title = move || {
        what.with(|of| match of {
            Some(Of::Category(c)) => format!("Attributes of {}", c.name),
            _ => "Attributes of items".to_owned(),
        })
    };
    let description = move || {
        what.with(|of| match of {
            Some(Of::Items(_)) => "What labelers say of every item as a whole, in the order they are asked.",
            _ => "What labelers say of every object of the category, in the order they are asked.",
        })
        .to_owned()
    };
    let done = move || {
        what.set(None);
        editor.toasts.ok("Attributes saved.");
        editor.ctx.reload();
    };
    let save = use_form(
        |(id, attributes): (CategoryId, Vec<Attribute>)| {
            let input = UpdateCategory {
                attributes: Some(attributes),
                ..UpdateCategory::default()
            };
            api::category_update(id, input)
        },
        move |_: Category| done(),
    );
    let save_items = use_form(
        move |attributes: Vec<Attribute>| {
            let settings = ProjectSettings {
                attributes,
                ..editor.ctx.project.with_untracked(|p| p.settings.clone())
            };
            let input = UpdateProject {
                settings: Some(settings),
                ..UpdateProject::default()
            };
            api::project_update(editor.ctx.id, input)
        },
        move |p: Project| {
            editor.ctx.project.set(p);
            done();
        },
    );
    let submit = move || {
        let list: Result<Vec<Attribute>, String> =
            rows.with_untracked(|r| r.iter().map(Row::to_attribute).collect());
        match list {
            Ok(list) => {
                wrong.set(None);
                match what.get_untracked() {
                    Some(Of::Category(c)) => save.run((c.id, list)),
                    Some(Of::Items(_)) => save_items.run(list),
                    None => {}
                }
            }
            Err(why) => wrong.set(Some(why)),
        }
    };
    let add = move || {
        let row = Row {
            id: id(),
            kind: "checkbox".to_owned(),
            ..Row::default()
        };
        rows.update(|r| r.push(row));
    };
    let none = move || rows.with(Vec::is_empty);
    view! {
        <Dialog
            open
            size=DialogSize::Large
            title=Signal::derive(title)
            description=Signal::derive(description)
            on_close=move || what.set(None)
        >
            <DialogBody>
                <Show when=none>
                    <p class="muted">"None yet. Examples: occluded (yes or no), colour (one of a list), age (a number)."</p>
                </Show>
                <ol class="attributes" aria-label="Attributes">
                    <For each=move || rows.get() key=|r| (r.id, r.kind.clone()) let:row>
                        <RowFields rows id=row.id kind=row.kind/>
                    </For>
                </ol>
                <div><Button icon=Glyph::Plus on_click=add>"Add an attribute"</Button></div>
                <p class="field__error" role="alert">{move || wrong.get()}</p>
                <FormError error=save.error/>
                <FormError error=save_items.error/>
            </DialogBody>
            <DialogFoot>
                <Button variant=Variant::Quiet on_click=move || what.set(None)>"Cancel"</Button>
                <Button variant=Variant::Primary loading=Signal::derive(move || save.pending.get() || save_items.pending.get()) on_click=submit>"Save"</Button>
            </DialogFoot>
        </Dialog>
    }
}

#[component]
fn RowFields(rows: RwSignal<Vec<Row>>, id: u32, kind: String) -> impl IntoView {
    let get =
        move |f: fn(&Row) -> String| rows.with(|r| r.iter().find(|r| r.id == id).map(f).unwrap_or_default());
    let set = move |f: &dyn Fn(&mut Row)| {
        rows.update(|r| {
            if let Some(row) = r.iter_mut().find(|r| r.id == id) {
                f(row);
            }
        });
    };
    let place = move || rows.with(|r| r.iter().position(|r| r.id == id).unwrap_or(0));
    let shift = move |up: bool| {
        rows.update(|r| {
            if let Some(i) = r.iter().position(|r| r.id == id) {
                let j = if up {
                    i.checked_sub(1)
                } else {
                    Some(i + 1).filter(|j| *j < r.len())
                };
                if let Some(j) = j {
                    r.swap(i, j);
                }
            }
        });
    };
    let text = move |label: &'static str,
                     placeholder: &'static str,
                     of: fn(&Row) -> String,
                     to: fn(&mut Row, String)| {
        view! {
            <label class="attribute__field">
                <span>{label}</span>
                <input
                    class="input"
                    autocomplete="off"
                    placeholder=placeholder
                    aria-label=move || format!("{label} of attribute {}", place() + 1)
                    prop:value=move || get(of)
                    on:input=move |ev| {
                        let v = event_target_value(&ev);
                        set(&|r| to(r, v.clone()));
                    }
                />
            </label>
        }
    };
    let pick = move |label: &'static str,
                     options: Vec<(String, String)>,
                     of: fn(&Row) -> String,
                     to: fn(&mut Row, String)| {
        view! {
            <label class="attribute__field">
                <span>{label}</span>
                <select
                    class="input"
                    aria-label=move || format!("{label} of attribute {}", place() + 1)
                    on:change=move |ev| {
                        let v = event_target_value(&ev);
                        set(&|r| to(r, v.clone()));
                    }
                >
                    {options
                        .into_iter()
                        .map(|(value, shown)| {
                            let own = value.clone();
                            view! { <option value=value selected=move || get(of) == own>{shown}</option> }
                        })
                        .collect_view()}
                </select>
            </label>
        }
    };
    let kinds = [
        ("checkbox", "Yes or no"),
        ("select", "One of a list"),
        ("number", "Number"),
        ("text", "Text"),
    ]
    .map(|(v, t)| (v.to_owned(), t.to_owned()));
    let of_kind = match kind.as_str() {
        "select" => view! {
            <label class="attribute__field attribute__field--wide">
                <span>"Options, one a line"</span>
                <textarea
                    class="input textarea"
                    rows="3"
                    aria-label=move || format!("Options of attribute {}", place() + 1)
                    prop:value=move || get(|r| r.options.clone())
                    on:input=move |ev| {
                        let v = event_target_value(&ev);
                        set(&|r| r.options.clone_from(&v));
                    }
                ></textarea>
            </label>
            {text("Default", "None", |r| r.default.clone(), |r, v| r.default = v)}
        }
        .into_any(),
        "number" => view! {
            {text("From", "No bound", |r| r.min.clone(), |r, v| r.min = v)}
            {text("To", "No bound", |r| r.max.clone(), |r, v| r.max = v)}
            {text("Default", "None", |r| r.default.clone(), |r, v| r.default = v)}
        }
        .into_any(),
        "text" => text("Default", "None", |r| r.default.clone(), |r, v| r.default = v).into_any(),
        _ => {
            let options =
                [("", "None"), ("yes", "Yes"), ("no", "No")].map(|(v, t)| (v.to_owned(), t.to_owned()));
            pick(
                "Default",
                options.to_vec(),
                |r| r.default.clone(),
                |r, v| r.default = v,
            )
            .into_any()
        }
    };
    view! {
        <li class="attribute">
            {text("Name", "Occluded", |r| r.name.clone(), |r, v| r.name = v)}
            {pick(
                "Type",
                kinds.to_vec(),
                |r| r.kind.clone(),
                |r, v| {
                    r.kind = v;
                    r.default.clear();
                },
            )}
            {of_kind}
            <label class="attribute__required">
                <input
                    type="checkbox"
                    prop:checked=move || rows.with(|r| r.iter().any(|r| r.id == id && r.required))
                    on:change=move |_| set(&|r| r.required = !r.required)
                />
                "Required"
            </label>
            <span class="attribute__tools">
                <IconButton glyph=Glyph::ChevronUp label="Earlier" on_click=move || shift(true)/>
                <IconButton glyph=Glyph::ChevronDown label="Later" on_click=move || shift(false)/>
                <IconButton glyph=Glyph::Trash label="Remove the attribute" on_click=move || rows.update(|r| r.retain(|r| r.id != id))/>
            </span>
        </li>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_attributes_say_the_same() {
        let list = [
            (AttributeKind::Checkbox, Some(AttributeValue::Flag(false))),
            (AttributeKind::Text, Some(AttributeValue::Text("x".into()))),
            (
                AttributeKind::Number {
                    min: Some(-0.5),
                    max: None,
                },
                Some(AttributeValue::Number(2.25)),
            ),
            (
                AttributeKind::Select {
                    options: vec!["a".into(), "b c".into()],
                },
                None,
            ),
        ];
        for (kind, default) in list {
            let a = Attribute {
                key: "k".into(),
                name: "K".into(),
                kind,
                required: true,
                default,
            };
            assert_eq!(Row::of(1, &a).to_attribute(), Ok(a));
        }
        let bad = Row {
            kind: "number".into(),
            name: "Age".into(),
            min: "x".into(),
            ..Row::default()
        };
        assert!(bad.to_attribute().unwrap_err().contains("Age"));
    }
}

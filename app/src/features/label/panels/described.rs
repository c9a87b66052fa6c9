//! What is said of the selected objects: a field for each attribute of their category.

use crate::features::label::desk::{Desk, px};
use leptos::prelude::*;
use limn_domain::{AnnotationId, Attribute, AttributeKind, AttributeValue, CategoryId};

/// Which objects the fields are for.
#[derive(Debug, Clone, PartialEq)]
struct Of {
    /// Of several, the one whose values show.
    primary: AnnotationId,
    category: CategoryId,
    attributes: Vec<Attribute>,
}

fn of(desk: Desk) -> Option<Of> {
    desk.selection_tick.track();
    desk.doc_tick.track();
    desk.current.track();
    desk.read(|s| {
        let primary = s.editor.selection().primary()?;
        let category = s.editor.doc().get(primary)?.category_id;
        Some(Of {
            primary,
            category,
            attributes: s.editor.attributes_of(category).to_vec(),
        })
    })
    .flatten()
}

#[component]
pub(super) fn Described() -> impl IntoView {
    let desk: Desk = expect_context();
    // Fields are made anew for another object, not for another value.
    let of = Memo::new(move |_| of(desk));
    view! {
        {move || {
            of.get()
                .filter(|of| !of.attributes.is_empty())
                .map(|of| {
                    let fields = of
                        .attributes
                        .into_iter()
                        .map(|a| view! { <AttributeField attribute=a id=Some(of.primary)/> })
                        .collect_view();
                    view! { <div class="label-attributes" role="group" aria-label="Attributes">{fields}</div> }
                })
        }}
    }
}

/// What is said of the item as a whole.
#[component]
pub(super) fn AboutItem() -> impl IntoView {
    let desk: Desk = expect_context();
    let list = Memo::new(move |_| {
        desk.current.get()?;
        desk.project
            .with(|p| p.as_ref().map(|p| p.settings.attributes.clone()))
            .filter(|list| !list.is_empty())
    });
    view! {
        {move || {
            // Fields are made anew for another item.
            desk.current.track();
            list.get()
                .map(|list| {
                    let fields = list
                        .into_iter()
                        .map(|a| view! { <AttributeField attribute=a id=None/> })
                        .collect_view();
                    view! {
                        <section class="label-about" aria-label="This item">
                            <div class="label-head"><h2 class="grow">"This item"</h2></div>
                            <div class="label-attributes" role="group" aria-label="Attributes of the item">{fields}</div>
                        </section>
                    }
                })
        }}
    }
}

/// A field of an object, or of the item; a wrong value is said below it and what is there stays.
#[component]
fn AttributeField(attribute: Attribute, id: Option<AnnotationId>) -> impl IntoView {
    let desk: Desk = expect_context();
    let key = StoredValue::new(attribute.key.clone());
    let wrong = RwSignal::new(None::<String>);
    let redo = RwSignal::new(0_u32);
    let value = Memo::new(move |_| {
        desk.doc_tick.track();
        desk.read(|s| {
            let doc = s.editor.doc();
            let values = match id {
                Some(id) => &doc.get(id)?.attributes,
                None => doc.about(),
            };
            values.get(&key.get_value()).cloned()
        })
        .flatten()
    });
    let set = move |new: Option<AttributeValue>| {
        let done = desk.edit(|e| {
            let key = key.get_value();
            if id.is_some() {
                e.describe_selected(&key, new)
            } else {
                e.describe_item(&key, new)
            }
        });
        wrong.set(done.and_then(Result::err));
        redo.update(|n| *n += 1);
    };
    let missing = attribute.required.then_some(move || match value.get() {
        None => true,
        Some(AttributeValue::Text(t)) => t.trim().is_empty(),
        Some(_) => false,
    });
    let is_missing = move || missing.is_some_and(|m| m());
    let name = attribute.name.clone();
    let text = move || {
        redo.track();
        match value.get() {
            Some(AttributeValue::Text(t)) => t,
            Some(AttributeValue::Number(n)) => px(n),
            Some(AttributeValue::Flag(on)) => if on { "yes" } else { "no" }.to_owned(),
            None => String::new(),
        }
    };
    let typed = move |number: bool, ev: web_sys::Event| {
        let raw = event_target_value(&ev);
        let raw = raw.trim();
        match (raw.is_empty(), number) {
            (true, _) => set(None),
            (_, false) => set(Some(AttributeValue::Text(raw.to_owned()))),
            (_, true) => {
                if let Ok(n) = raw.replace(',', ".").parse::<f64>() {
                    set(Some(AttributeValue::Number(n)));
                } else {
                    wrong.set(Some("This is not a number.".to_owned()));
                    redo.update(|n| *n += 1);
                }
            }
        }
    };
    let leave = move |ev: web_sys::KeyboardEvent| {
        if ev.key() == "Enter" || ev.key() == "Escape" {
            ev.prevent_default();
            let el: web_sys::HtmlElement = event_target(&ev);
            let _ = el.blur();
        }
    };
    let field = match attribute.kind {
        AttributeKind::Select { options } => view! {
            <select
                class="input"
                aria-label=name.clone()
                on:change=move |ev| {
                    let v = event_target_value(&ev);
                    set((!v.is_empty()).then_some(AttributeValue::Text(v)));
                }
            >
                <option value="" selected=move || value.get().is_none()>"\u{2013}"</option>
                {options
                    .into_iter()
                    .map(|o| {
                        let own = AttributeValue::Text(o.clone());
                        let shown = o.clone();
                        view! { <option value=o selected=move || value.get().as_ref() == Some(&own)>{shown}</option> }
                    })
                    .collect_view()}
            </select>
        }
        .into_any(),
        AttributeKind::Checkbox => {
            let state = move |on: Option<bool>| {
                move || match value.get() {
                    Some(AttributeValue::Flag(v)) => on == Some(v),
                    _ => on.is_none(),
                }
            };
            let button = move |on: Option<bool>, label: &'static str| {
                let is_on = state(on);
                view! {
                    <button
                        type="button"
                        class:is-on=is_on
                        aria-pressed=move || if is_on() { "true" } else { "false" }
                        on:click=move |_| set(on.map(AttributeValue::Flag))
                    >
                        {label}
                    </button>
                }
            };
            view! {
                <span class="label-flag" role="group" aria-label=name.clone()>
                    {button(Some(true), "Yes")}
                    {button(Some(false), "No")}
                    {button(None, "\u{2013}")}
                </span>
            }
            .into_any()
        }
        AttributeKind::Number { .. } => view! {
            <input
                class="input num"
                type="text"
                inputmode="decimal"
                autocomplete="off"
                aria-label=name.clone()
                prop:value=text
                on:change=move |ev| typed(true, ev)
                on:keydown=leave
            />
        }
        .into_any(),
        AttributeKind::Text => view! {
            <input
                class="input"
                type="text"
                autocomplete="off"
                aria-label=name.clone()
                prop:value=text
                on:change=move |ev| typed(false, ev)
                on:keydown=leave
            />
        }
        .into_any(),
    };
    view! {
        <div class="label-attribute" class:is-missing=is_missing>
            <span title=name.clone()>{name.clone()}</span>
            {field}
            <Show when=move || wrong.with(Option::is_some)>
                <p class="field__error" role="alert">{move || wrong.get()}</p>
            </Show>
        </div>
    }
}

//! The fields of a kind of datastore, as its table in the domain says.

use crate::error::AppError;
use crate::ui::{Field, TextArea, TextInput};
use leptos::prelude::*;
use limn_domain::datastore::{Datastore, DatastoreKind, FieldSpec, fields};
use std::collections::BTreeMap;

/// What the form holds: a signal a field.
#[derive(Clone)]
pub struct Values(Vec<(&'static FieldSpec, RwSignal<String>)>);

impl Values {
    /// Empty, or filled with the settings there are.
    pub fn new(kind: DatastoreKind, from: Option<&Datastore>) -> Self {
        let value = |spec: &FieldSpec| {
            let known = from
                .filter(|_| !spec.secret)
                .and_then(|d| d.settings.get(spec.key).cloned());
            RwSignal::new(known.unwrap_or_default())
        };
        Self(fields(kind).iter().map(|spec| (spec, value(spec))).collect())
    }

    fn take(&self, secret: bool) -> BTreeMap<String, String> {
        self.0
            .iter()
            .filter(|(spec, _)| spec.secret == secret)
            .map(|(spec, value)| (spec.key.to_owned(), value.get_untracked()))
            .filter(|(_, v)| !v.trim().is_empty())
            .collect()
    }

    pub fn settings(&self) -> BTreeMap<String, String> {
        self.take(false)
    }

    pub fn secrets(&self) -> BTreeMap<String, String> {
        self.take(true)
    }

    /// Whether all that must be there is.
    pub fn is_complete(&self) -> bool {
        self.0
            .iter()
            .filter(|(spec, _)| spec.required)
            .all(|(_, value)| value.with(|v| !v.trim().is_empty()))
    }

    /// Changes with every field.
    pub fn track(&self) {
        for (_, value) in &self.0 {
            value.track();
        }
    }

    /// Fills settings that a test has worked out into their fields; whether that changed any.
    pub fn learn(&self, learned: &BTreeMap<String, String>) -> bool {
        let mut changed = false;
        for (spec, value) in self.0.iter().filter(|(spec, _)| !spec.secret) {
            if let Some(new) = learned.get(spec.key)
                && value.with_untracked(|v| v != new)
            {
                value.set(new.clone());
                changed = true;
            }
        }
        changed
    }

    /// Forgets the credentials, so that they lie no longer in the page than they must.
    pub fn forget(&self) {
        for (_, value) in self.0.iter().filter(|(spec, _)| spec.secret) {
            value.set(String::new());
        }
    }
}

/// Which fields a form shows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Which {
    All,
    /// Those that do not say where credentials go.
    Settings,
}

#[component]
pub fn StoreFields(
    values: Values,
    #[prop(into)] errors: Signal<Option<AppError>>,
    which: Which,
) -> impl IntoView {
    values
        .0
        .into_iter()
        .filter(|(spec, _)| which == Which::All || !spec.secret)
        .map(|(spec, value)| {
            let group = if spec.secret { "secrets" } else { "settings" };
            view! {
                <Field
                    name=format!("{group}.{}", spec.key)
                    label=spec.label
                    optional=!spec.required
                    hint=Signal::derive(move || spec.hint.replace('`', ""))
                    errors
                >
                    {if spec.long {
                        view! { <TextArea value rows=5 mono=true/> }.into_any()
                    } else {
                        view! {
                            <TextInput
                                value
                                kind=if spec.secret { "password" } else { "text" }
                                placeholder=spec.example
                                autocomplete=if spec.secret { "new-password" } else { "off" }
                                mono=!spec.secret
                            />
                        }
                        .into_any()
                    }}
                </Field>
            }
        })
        .collect_view()
}

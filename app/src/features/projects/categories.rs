//! A project's categories: the tree, its edits, and what removing or merging touches.

mod attributes;
mod remove;
mod row;
mod skeleton;
pub mod tree;

use super::api;
use super::layout::{ProjectCtx, use_project};
use super::new::draft::parse_lines;
use crate::data::use_mutation;
use crate::error::AppError;
use crate::ui::{Button, ButtonSize, Card, EmptyState, Glyph, Kbd, TextArea, Variant, use_toasts};
use attributes::AttributesDialog;
use leptos::prelude::*;
use leptos::task::spawn_local;
use limn_domain::authz::Action;
use limn_domain::category::{Category, NewCategory, PALETTE, UpdateCategory};
use limn_domain::{CategoryId, validate};
use remove::{MergeDialog, RemoveDialog};
use row::CategoryRow;
use skeleton::SkeletonDialog;
use wasm_bindgen::JsCast;

/// What the rows share.
#[derive(Clone, Copy)]
struct Editor {
    ctx: ProjectCtx,
    removing: RwSignal<Option<Category>>,
    merging: RwSignal<Option<Category>>,
    /// The category whose skeleton is being drawn.
    skeleton: RwSignal<Option<Category>>,
    /// Whose attributes are being changed.
    attributes: RwSignal<Option<attributes::Of>>,
    /// The category under whose row a new one is being typed.
    adding_below: RwSignal<Option<CategoryId>>,
    dragged: RwSignal<Option<CategoryId>>,
    /// The row that was moved by keys: its name gets the focus back when it has its new place.
    refocus: StoredValue<Option<CategoryId>>,
    toasts: crate::ui::Toasts,
}

impl Editor {
    /// Saves a change and reads the tree again, also after a failure, so that the page shows what is.
    fn update(self, id: CategoryId, input: UpdateCategory) {
        spawn_local(async move {
            if let Err(e) = api::category_update(id, input).await {
                self.toasts.error(&e);
            }
            self.ctx.reload();
        });
    }
}

/// `/projects/:id/categories`
#[component]
pub fn CategoriesTab() -> impl IntoView {
    let ctx = use_project();
    let editor = Editor {
        ctx,
        removing: RwSignal::new(None),
        merging: RwSignal::new(None),
        skeleton: RwSignal::new(None),
        attributes: RwSignal::new(None),
        adding_below: RwSignal::new(None),
        dragged: RwSignal::new(None),
        refocus: StoredValue::new(None),
        toasts: use_toasts(),
    };
    let may = Memo::new(move |_| ctx.may(Action::ManageCategories));
    let ids = Memo::new(move |_| {
        ctx.categories
            .with(|all| all.iter().map(|c| c.id).collect::<Vec<_>>())
    });
    Effect::new(move |_| {
        ctx.categories.track();
        if let Some(id) = editor.refocus.get_value() {
            editor.refocus.set_value(None);
            request_animation_frame(move || {
                let name = document().get_element_by_id(&format!("cat-name-{id}"));
                if let Some(name) = name.and_then(|e| e.dyn_into::<web_sys::HtmlElement>().ok()) {
                    let _ = name.focus();
                }
            });
        }
    });
    view! {
        <Card flush=true class="categories">
            <Show when=move || may.get()><AddCategory editor parent=None/></Show>
            <Show
                when=move || !ids.with(Vec::is_empty)
                fallback=|| view! {
                    <EmptyState
                        glyph=Glyph::Tag
                        title="No categories yet"
                        text="Type the first one above, or paste a list: one name a line, two spaces in front to nest it."
                    />
                }
            >
                <div class="cat-head" aria-hidden="true">
                    <span>"Category"</span><span>"Key"</span><span class="num">"Labels"</span><span class="num">"Items"</span><span></span>
                </div>
                <ul class="cat-list" aria-label="Categories">
                    <For each=move || ids.get() key=|id| *id let:id><CategoryRow editor id may/></For>
                </ul>
            </Show>
        </Card>
        <Show when=move || may.get() && !ids.with(Vec::is_empty)>
            <p class="items-hint">
                <span><Kbd>"Alt"</Kbd><Kbd>"↑"</Kbd><Kbd>"↓"</Kbd>"move"</span>
                <span><Kbd>"Alt"</Kbd><Kbd>"→"</Kbd><Kbd>"←"</Kbd>"nest, un-nest"</span>
                <span><Kbd>"Enter"</Kbd>"save a name"</span>
            </p>
        </Show>
        <Show when=move || may.get()><ItemAttributes editor/></Show>
        <RemoveDialog editor/>
        <MergeDialog editor/>
        <SkeletonDialog editor/>
        <AttributesDialog editor/>
    }
}

/// What is asked of every item, and the button that changes it.
#[component]
fn ItemAttributes(editor: Editor) -> impl IntoView {
    let list = move || editor.ctx.project.with(|p| p.settings.attributes.clone());
    let said = move || {
        let names: Vec<String> = list().into_iter().map(|a| a.name).collect();
        if names.is_empty() {
            "Nothing is asked of items as a whole, such as weather, quality or a caption.".to_owned()
        } else {
            format!("Asked of every item: {}.", names.join(", "))
        }
    };
    view! {
        <Card class="item-attributes">
            <div class="danger-zone__row">
                <p class="muted">{said}</p>
                <Button on_click=move || editor.attributes.set(Some(attributes::Of::Items(list())))>"Attributes of items"</Button>
            </div>
        </Card>
    }
}

/// A line to type a new category into; several pasted lines make several.
#[component]
fn AddCategory(editor: Editor, parent: Option<CategoryId>) -> impl IntoView {
    let ctx = editor.ctx;
    let name = RwSignal::new(String::new());
    let many = RwSignal::new(false);
    let list = RwSignal::new(String::new());
    let wrong = RwSignal::new(None::<String>);
    let add = use_mutation(
        move |lines: Vec<(usize, String)>| create_all(ctx, parent, lines),
        move |n: usize| {
            name.set(String::new());
            list.set(String::new());
            many.set(false);
            if n > 1 {
                editor.toasts.ok(format!("{n} categories added."));
            }
            ctx.reload();
        },
    );
    let submit = move || {
        let lines = if many.get_untracked() {
            parse_lines(&list.get_untracked())
        } else {
            match validate::name("category", &name.get_untracked()) {
                Ok(name) => vec![(0, name)],
                Err(message) => {
                    wrong.set(Some(message));
                    return;
                }
            }
        };
        wrong.set(None);
        if !lines.is_empty() {
            add.run(lines);
        }
    };
    let id = parent.map_or_else(|| "new-category".to_owned(), |p| format!("new-category-{p}"));
    let error_id = format!("{id}-error");
    let described_by = error_id.clone();
    view! {
        <form
            class="cat-add"
            on:submit=move |ev| {
                ev.prevent_default();
                submit();
            }
        >
            <Show
                when=move || !many.get()
                fallback=move || view! {
                    <TextArea value=list rows=6 autofocus=true label="Categories, one a line" placeholder="Vehicle\n  Car\n  Bus\nPedestrian"/>
                }
            >
                <input
                    class="input"
                    id=id.clone()
                    aria-label="New category"
                    aria-describedby=described_by.clone()
                    aria-invalid=move || wrong.with(Option::is_some).then_some("true")
                    placeholder="New category"
                    autocomplete="off"
                    maxlength="200"
                    prop:value=move || name.get()
                    on:input=move |ev| {
                        wrong.set(None);
                        name.set(event_target_value(&ev));
                    }
                    on:paste=move |ev| {
                        let text = ev.clipboard_data().and_then(|d| d.get_data("text").ok()).unwrap_or_default();
                        if text.trim().lines().count() > 1 {
                            ev.prevent_default();
                            list.set(text);
                            many.set(true);
                        }
                    }
                    on:keydown=move |ev| {
                        if ev.key() == "Escape" && parent.is_some() {
                            editor.adding_below.set(None);
                        }
                    }
                />
            </Show>
            <span class="cat-add__buttons">
                <Button variant=Variant::Primary icon=Glyph::Plus submit=true loading=add.pending>"Add"</Button>
                {match parent {
                    None => view! {
                        <Button variant=Variant::Quiet on_click=move || many.update(|m| *m = !*m)>
                            {move || if many.get() { "One at a time" } else { "Paste a list" }}
                        </Button>
                    }
                    .into_any(),
                    Some(_) => view! {
                        <Button size=ButtonSize::Medium variant=Variant::Quiet on_click=move || editor.adding_below.set(None)>"Cancel"</Button>
                    }
                    .into_any(),
                }}
            </span>
            <p class="field__error" id=error_id role="alert">{move || wrong.get()}</p>
        </form>
    }
}

/// Creates categories along the nesting of the lines. Answers how many; stops at the first that is refused.
async fn create_all(
    ctx: ProjectCtx,
    parent: Option<CategoryId>,
    lines: Vec<(usize, String)>,
) -> Result<usize, AppError> {
    let mut path: Vec<CategoryId> = Vec::new();
    let mut made = 0;
    let mut free: Vec<&str> = ctx.categories.with_untracked(|all| {
        PALETTE
            .into_iter()
            .filter(|p| !all.iter().any(|c| c.color == *p))
            .rev()
            .collect()
    });
    for (level, name) in lines {
        path.truncate(level);
        let input = NewCategory {
            name,
            color: free.pop().map(str::to_owned),
            parent_id: path.last().copied().or(parent),
            ..NewCategory::default()
        };
        match api::category_create(ctx.id, input).await {
            Ok(c) => path.push(c.id),
            Err(e) => {
                if made > 0 {
                    ctx.reload();
                }
                return Err(e);
            }
        }
        made += 1;
    }
    Ok(made)
}

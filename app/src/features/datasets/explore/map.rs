//! The pictures of a version as points of a map, alike ones together.

mod camera;
mod card;
mod fetch;
mod legend;
mod names;
mod paint;
mod points;
mod raster;
mod stage;

use super::Explorer;
use crate::error::AppError;
use crate::fmt;
use crate::job::{Watch, follow};
use crate::ui::{
    Button, Card, EmptyState, ErrorView, Glyph, IconButton, Notice, Select, Skeleton, Tone, use_toasts,
};
use camera::Camera;
use fetch::{Got, fetch};
use legend::Legend;
use leptos::prelude::*;
use leptos::task::spawn_local;
use limn_domain::category::PALETTE;
use limn_domain::dataset::VersionSchema;
use limn_domain::job::{Job, JobState};
use limn_domain::{CategoryId, Code};
use names::Names;
use points::{ColorSet, Points};
use raster::parse_color;
use stage::Stage;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// The facets that give the colours where nobody has chosen one: the first of these that there is.
const FIRST: [&str; 4] = ["category", "split", "tag", "folder"];
/// Stands in the address for no colours.
const NO_COLOR: &str = "none";
/// The grey of labels without a category, as on thumbnails.
const GREY: &str = "#8b8d94";
/// One step of zooming by a button or key.
const STEP: f64 = 1.5;

/// What a drag does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tool {
    Move,
    Lasso,
    Rectangle,
}

/// What there is to show.
#[derive(Clone)]
enum State {
    Loading,
    /// A job looks at the pictures or lays them out.
    Waits,
    /// That job has failed, or was stopped.
    Stopped(Box<Job>),
    Ready,
    /// There is nothing that a map could show.
    Nothing(String),
    Failed(AppError),
}

/// What the parts of the map share.
#[derive(Clone, Copy)]
struct Board {
    e: Explorer,
    state: RwSignal<State>,
    job: RwSignal<Option<Job>>,
    points: RwSignal<Arc<Points>>,
    camera: RwSignal<Camera>,
    tool: RwSignal<Tool>,
    /// Colours that are not shown.
    hidden: RwSignal<ColorSet>,
    /// The facet that gives the colours; empty without.
    facet: Memo<String>,
    /// The colour of each number from 0 to 17, as CSS has it.
    palette: Memo<Vec<String>>,
    /// Paths of the points that somebody has asked about.
    names: RwSignal<Names>,
    /// Points whose files are selected, rising.
    selected: Memo<Vec<u32>>,
    /// The point that the card is about.
    over: RwSignal<Option<u32>>,
    /// The card stays, with its buttons.
    pinned: RwSignal<bool>,
    /// Files of an area are being looked up.
    busy: RwSignal<bool>,
    /// Goes up when the same question is to be asked again.
    again: RwSignal<u32>,
    /// Counts the questions; only the newest one's answer is shown.
    turn: StoredValue<u64>,
}

impl Board {
    fn new(e: Explorer) -> Self {
        let facet = Memo::new(move |_| facet_of(e));
        let points = RwSignal::new(Arc::new(Points::default()));
        let names = RwSignal::new(Names::default());
        let selected = Memo::new(move |_| {
            let points = points.get();
            let mut all: Vec<u32> = names.with(|names| {
                let row = |path: &String| names.row(path);
                e.selected.with(|s| {
                    s.iter()
                        .filter_map(row)
                        .filter_map(|r| points.of_row(r))
                        .collect()
                })
            });
            all.sort_unstable();
            all
        });
        let palette = Memo::new(move |_| {
            let own = facet
                .with(|f| f == "category")
                .then(|| e.schema.with_value(own_colors));
            palette(&points.get(), &own.unwrap_or_default())
        });
        Self {
            e,
            state: RwSignal::new(State::Loading),
            job: RwSignal::new(None),
            points,
            camera: RwSignal::new(Camera::default()),
            tool: RwSignal::new(Tool::Move),
            hidden: RwSignal::default(),
            facet,
            palette,
            names,
            selected,
            over: RwSignal::new(None),
            pinned: RwSignal::new(false),
            busy: RwSignal::new(false),
            again: RwSignal::new(0),
            turn: StoredValue::new(0),
        }
    }

    /// Asks for the points, as filter and colours are now.
    fn ask(self) {
        let filter = self.e.query.with_untracked(|q| q.filter.clone());
        let facet = self.facet.get_untracked();
        self.turn.update_value(|t| *t += 1);
        let mine = self.turn.get_value();
        let toasts = use_toasts();
        spawn_local(async move {
            let got = fetch(self.e.version, &filter, &facet).await;
            if self.turn.try_get_value() != Some(mine) {
                return;
            }
            match got {
                Ok(Got::Points(points)) => {
                    self.over.set(None);
                    self.points.set(Arc::new(Points::new(points)));
                    self.state.set(State::Ready);
                }
                Ok(Got::Waits(job)) => self.wait(*job),
                Err(error) if error.code == Code::WrongState => {
                    self.state.set(State::Nothing(error.message.clone()));
                }
                // What is shown stays, as it was before the question.
                Err(error) if matches!(self.state.get_untracked(), State::Ready) => toasts.error(&error),
                Err(error) => self.state.set(State::Failed(error)),
            }
        });
    }

    fn wait(self, job: Job) {
        let id = job.id;
        self.job.set(Some(job));
        self.state.set(State::Waits);
        let ended = Callback::new(move |job: Job| {
            if job.state == JobState::Succeeded {
                self.again.update(|n| *n += 1);
            } else {
                self.state.set(State::Stopped(Box::new(job)));
            }
        });
        follow(self.job, id, ended);
    }

    fn zoom(self, by: f64) {
        self.camera.update(|c| {
            let (w, h) = c.screen();
            *c = c.zoomed(by, (w / 2.0, h / 2.0));
        });
    }

    fn fit(self) {
        self.camera.update(|c| *c = Camera::fitting(c.screen()));
    }
}

/// The facet of the address if there is such a one here, else the first that there is.
fn facet_of(e: Explorer) -> String {
    let wanted = e.color.get();
    e.page.with(|p| {
        let there = |name: &str| p.facets.iter().any(|f| f.name == name);
        if wanted == NO_COLOR {
            String::new()
        } else if there(&wanted) {
            wanted.clone()
        } else {
            let first = FIRST.into_iter().find(|name| there(name));
            let first = first.or_else(|| p.facets.first().map(|f| f.name.as_str()));
            first.unwrap_or_default().to_owned()
        }
    })
}

/// The colours of categories by their paths.
fn own_colors(schema: &Option<VersionSchema>) -> HashMap<String, String> {
    let Some(schema) = schema else {
        return HashMap::new();
    };
    let by_id: HashMap<_, _> = schema.categories.iter().map(|c| (c.id, c)).collect();
    let path = |id: CategoryId| {
        let (mut names, mut next) = (Vec::new(), Some(id));
        while let Some(category) = next.and_then(|id| by_id.get(&id)) {
            names.push(category.name.as_str());
            // A category that is below itself would never end.
            next = category.parent_id.filter(|_| names.len() < by_id.len());
        }
        names.reverse();
        names.join("/")
    };
    let all = schema.categories.iter();
    all.map(|c| (path(c.id), c.color.clone())).collect()
}

/// The colours by their numbers: grey for none, then those of the legend, then a lighter grey for the others.
fn palette(points: &Points, own: &HashMap<String, String>) -> Vec<String> {
    if points.head.label.is_empty() {
        return vec![PALETTE[0].to_owned()];
    }
    let named = points.head.legend.iter().zip(PALETTE).map(|(v, color)| {
        let own = own.get(&v.value).filter(|c| c.starts_with('#'));
        own.cloned().unwrap_or_else(|| color.to_owned())
    });
    let mut all: Vec<String> = std::iter::once(GREY.to_owned()).chain(named).collect();
    all.resize(usize::from(limn_domain::map::OTHERS) + 1, GREY.to_owned());
    all
}

/// The map instead of the list of files.
#[component]
pub fn MapView(e: Explorer) -> impl IntoView {
    let board = Board::new(e);
    let filter = Memo::new(move |_| e.query.with(|q| q.filter.clone()));
    Effect::new(move |_| {
        filter.track();
        board.facet.track();
        e.again.track();
        board.again.track();
        // While a job is at work its end asks.
        if !matches!(board.state.get_untracked(), State::Waits) || board.job.with_untracked(is_over) {
            board.ask();
        }
    });
    Effect::new(move |_| {
        // Colours of another facet are others.
        board.facet.track();
        board.hidden.set(ColorSet::default());
    });
    names::use_selected(board);
    let is_ready = Memo::new(move |_| board.state.with(|s| matches!(s, State::Ready)));
    view! {
        <Show when=move || is_ready.get() fallback=move || view! { <Before board/> }>
            <section class="map" aria-label="Map">
                <Bar board/>
                <div class="map__body">
                    <Stage board/>
                    <Legend board/>
                </div>
                <Foot board/>
            </section>
        </Show>
    }
}

fn is_over(job: &Option<Job>) -> bool {
    job.as_ref().is_none_or(|j| j.state.is_final())
}

/// What stands where the map will be.
#[component]
fn Before(board: Board) -> impl IntoView {
    let again = move || {
        board.state.set(State::Loading);
        board.again.update(|n| *n += 1);
    };
    let to_grid = move || board.e.show.set(super::GRID.to_owned());
    move || match board.state.get() {
        State::Loading | State::Ready => view! { <Card><Skeleton lines=8/></Card> }.into_any(),
        State::Waits => view! {
            <Card>
                <p>"The pictures are being looked at and laid out, once. Then the map is here."</p>
                <Watch job=board.job/>
            </Card>
        }
        .into_any(),
        State::Stopped(job) => {
            let why = job
                .error
                .clone()
                .unwrap_or_else(|| "The job was stopped.".to_owned());
            view! {
                <Notice tone=Tone::Bad>
                    "The pictures could not be laid out. "{why}" "
                    <a class="link" href=format!("/jobs/{}", job.id)>"See the job"</a>
                </Notice>
                <p class="data-more"><Button on_click=again>"Try again"</Button></p>
            }
            .into_any()
        }
        State::Nothing(why) => view! {
            <Card>
                <EmptyState glyph=Glyph::Images title="Nothing to lay out" text=why>
                    <Button on_click=to_grid>"Show as grid"</Button>
                </EmptyState>
            </Card>
        }
        .into_any(),
        State::Failed(error) => view! { <ErrorView error retry=again/> }.into_any(),
    }
}

/// What is above the map: colours, what a drag does, how large.
#[component]
fn Bar(board: Board) -> impl IntoView {
    let chosen = |facet: String| {
        if facet.is_empty() {
            NO_COLOR.to_owned()
        } else {
            facet
        }
    };
    let color = RwSignal::new(chosen(board.facet.get_untracked()));
    Effect::new(move |_| {
        let now = chosen(board.facet.get());
        if color.with_untracked(|c| *c != now) {
            color.set(now);
        }
    });
    let facets = Signal::derive(move || {
        let mut all: Vec<(String, String)> = board.e.page.with(|p| {
            let facets = p.facets.iter();
            facets
                .map(|f| (f.name.clone(), format!("Colours: {}", f.label)))
                .collect()
        });
        all.push((NO_COLOR.to_owned(), "One colour".to_owned()));
        all
    });
    let tool = move |tool: Tool, glyph: Glyph, label: &'static str| {
        view! {
            <IconButton
                glyph
                label
                pressed=Signal::derive(move || board.tool.get() == tool)
                on_click=move || board.tool.set(tool)
            />
        }
    };
    view! {
        <div class="map__bar">
            <Select value=color options=facets label="Colours by" on_change=move |facet: String| board.e.color.set(facet)/>
            <div class="map__tools" role="group" aria-label="A drag">
                {tool(Tool::Move, Glyph::Hand, "Move the map")}
                {tool(Tool::Lasso, Glyph::Polygon, "Select by outline")}
                {tool(Tool::Rectangle, Glyph::Box, "Select by rectangle")}
            </div>
            <div class="map__tools" role="group" aria-label="Size">
                <IconButton glyph=Glyph::ZoomOut label="Smaller" on_click=move || board.zoom(1.0 / STEP)/>
                <IconButton glyph=Glyph::ZoomIn label="Larger" on_click=move || board.zoom(STEP)/>
                <IconButton glyph=Glyph::Fit label="All in view" on_click=move || board.fit()/>
            </div>
            <Button loading=board.busy on_click=move || board.select_in_view()>"Select what is in view"</Button>
        </div>
    }
}

/// How many there are, and what is not among them.
#[component]
fn Foot(board: Board) -> impl IntoView {
    let lit = Memo::new(move |_| board.points.get().lit(board.hidden.get()));
    let shown = move || {
        let (n, placed) = (lit.get(), board.points.with(|p| p.head.placed));
        if n == placed {
            format!("{} shown", fmt::counted(n, "item", "items"))
        } else {
            format!(
                "{} of {} shown",
                fmt::count(n),
                fmt::counted(placed, "item", "items")
            )
        }
    };
    let notes = move || {
        board.points.with(|p| {
            let mut notes = Vec::new();
            let drawn = p.count() as i64;
            if drawn < p.head.placed {
                notes.push(format!(
                    "{} of them are drawn as points; areas select all.",
                    fmt::count(drawn)
                ));
            }
            match p.head.total - p.head.placed {
                0 => {}
                1 => notes.push("1 file is no picture that can be read, and not on the map.".to_owned()),
                n => notes.push(format!(
                    "{} files are no pictures that can be read, and not on the map.",
                    fmt::count(n)
                )),
            }
            notes.join(" ")
        })
    };
    view! {
        <p class="data-more muted">
            <span role="status" data-testid="map-shown">{shown}</span>
            <span>{notes}</span>
            <Show when=move || !board.e.selected.with(BTreeSet::is_empty)>
                <span class="strong">
                    {move || format!("{} selected", fmt::count(board.e.selected.with(BTreeSet::len) as i64))}
                </span>
                <button type="button" class="link" on:click=move |_| board.e.selected.set(BTreeSet::new())>"Select none"</button>
            </Show>
        </p>
    }
}

/// What the browser draws with.
fn colors(palette: &[String]) -> Vec<[u8; 3]> {
    palette.iter().map(|c| parse_color(c)).collect()
}

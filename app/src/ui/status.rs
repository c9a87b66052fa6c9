//! Small marks of state: chips, keys, people, progress, bars, times.

use super::icon::{Glyph, Icon};
use leptos::prelude::*;
use limn_domain::Timestamp;
use limn_domain::item::ItemStatus;
use limn_domain::job::JobState;

/// What a colour says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    #[default]
    Neutral,
    Accent,
    Ok,
    Warn,
    Bad,
}

impl Tone {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Neutral => "neutral",
            Self::Accent => "accent",
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Bad => "bad",
        }
    }

    /// The token of its fill, for bars and dots; text uses chips.
    pub const fn color(self) -> &'static str {
        match self {
            Self::Neutral => "var(--line-strong)",
            Self::Accent => "var(--accent)",
            Self::Ok => "var(--ok-fill)",
            Self::Warn => "var(--warn-fill)",
            Self::Bad => "var(--bad-fill)",
        }
    }
}

impl From<JobState> for Tone {
    fn from(s: JobState) -> Self {
        match s {
            JobState::Queued => Self::Neutral,
            JobState::Running => Self::Accent,
            JobState::Succeeded => Self::Ok,
            JobState::Failed => Self::Bad,
            JobState::Cancelled => Self::Warn,
        }
    }
}

impl From<ItemStatus> for Tone {
    fn from(s: ItemStatus) -> Self {
        match s {
            ItemStatus::Todo => Self::Neutral,
            ItemStatus::Done => Self::Ok,
            ItemStatus::Skipped => Self::Bad,
        }
    }
}

/// A short word about something, in a colour.
#[component]
pub fn Chip(
    #[prop(optional, into)] tone: Signal<Tone>,
    /// A dot in front.
    #[prop(optional)]
    dot: bool,
    #[prop(optional, into)] icon: Option<Glyph>,
    children: Children,
) -> impl IntoView {
    view! {
        <span class="chip" data-tone=move || tone.get().as_str()>
            {dot.then(|| view! { <i class="dot"></i> })}
            {icon.map(|glyph| view! { <Icon glyph size=13/> })}
            {children()}
        </span>
    }
}

/// A dot in a colour of data, e.g. a category's `#rrggbb`, or of a token.
#[component]
pub fn Dot(#[prop(into)] color: Signal<String>) -> impl IntoView {
    view! { <i class="dot" style=move || format!("background:{}", safe_color(&color.get()))></i> }
}

/// A colour that cannot carry other CSS with it.
pub fn safe_color(color: &str) -> String {
    let plain =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '#' | '(' | ')' | '-' | '%' | ' ' | ',' | '.');
    if color.chars().all(plain) {
        color.to_owned()
    } else {
        Tone::Neutral.color().to_owned()
    }
}

/// A key of the keyboard.
#[component]
pub fn Kbd(children: Children) -> impl IntoView {
    view! { <kbd class="kbd">{children()}</kbd> }
}

/// A person's initials.
#[component]
pub fn Avatar(
    #[prop(into)] name: Signal<String>,
    #[prop(optional)] large: bool,
    /// Not a person: Limn itself, a model.
    #[prop(optional)]
    system: bool,
) -> impl IntoView {
    view! {
        <span class="avatar" class:avatar--lg=large class:avatar--system=system aria-hidden="true">
            {move || crate::fmt::initials(&name.get())}
        </span>
    }
}

/// A part of a [`ProgressBar`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    pub value: i64,
    pub tone: Tone,
    /// Its name in the legend, and for screen readers.
    pub label: String,
}

impl Segment {
    pub fn new(value: i64, tone: Tone, label: impl Into<String>) -> Self {
        Self {
            value,
            tone,
            label: label.into(),
        }
    }
}

/// How much of `total` is what. With `legend`, each part's name and number below.
#[component]
pub fn ProgressBar(
    #[prop(into)] segments: Signal<Vec<Segment>>,
    #[prop(into)] total: Signal<i64>,
    /// Names the bar.
    #[prop(into)]
    label: String,
    #[prop(optional)] legend: bool,
    /// 10 px high instead of 6.
    #[prop(optional)]
    thick: bool,
) -> impl IntoView {
    let width = move |v: i64| {
        let total = total.get().max(1) as f64;
        format!("{:.2}%", (v.max(0) as f64 / total * 100.0).min(100.0))
    };
    let text = move || {
        segments.with(|s| {
            s.iter()
                .map(|s| format!("{} {}", s.label, crate::fmt::count(s.value)))
                .collect::<Vec<_>>()
                .join(", ")
        })
    };
    view! {
        <div class="bar" class:bar--thick=thick role="img" aria-label=move || format!("{label}: {}", text())>
            {move || {
                segments
                    .get()
                    .into_iter()
                    .filter(|s| s.tone != Tone::Neutral && s.value > 0)
                    .map(|s| view! { <i style=format!("width:{};background:{}", width(s.value), s.tone.color())></i> })
                    .collect_view()
            }}
        </div>
        {legend
            .then(|| {
                view! {
                    <div class="legend" aria-hidden="true">
                        {move || {
                            segments
                                .get()
                                .into_iter()
                                .map(|s| {
                                    view! {
                                        <span class="legend__item">
                                            <i class="dot" style=format!("background:{}", s.tone.color())></i>
                                            {s.label}
                                            " "
                                            <b class="legend__n">{crate::fmt::count(s.value)}</b>
                                        </span>
                                    }
                                })
                                .collect_view()
                        }}
                    </div>
                }
            })}
    }
}

/// A row of a [`BarList`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BarRow {
    pub label: String,
    pub value: i64,
    /// `#rrggbb` or a token.
    pub color: String,
    pub href: Option<String>,
}

/// Names with bars in proportion to the largest, and the numbers.
#[component]
pub fn BarList(#[prop(into)] rows: Signal<Vec<BarRow>>, #[prop(into)] label: String) -> impl IntoView {
    view! {
        <ul class="bars" aria-label=label>
            {move || {
                let rows = rows.get();
                let most = rows.iter().map(|r| r.value).max().unwrap_or(0).max(1) as f64;
                rows.into_iter()
                    .map(|r| {
                        let color = safe_color(&r.color);
                        let width = r.value as f64 / most * 100.0;
                        let title = r.label.clone();
                        let name = match r.href {
                            Some(href) => view! { <a class="bars__name" href=href title=title>{r.label}</a> }.into_any(),
                            None => view! { <span class="bars__name" title=title>{r.label}</span> }.into_any(),
                        };
                        view! {
                            <li class="bars__row">
                                <i class="dot" style=format!("background:{color}")></i>
                                {name}
                                <span class="bar bars__bar"><i style=format!("width:{width:.2}%;background:{color}")></i></span>
                                <span class="bars__n">{crate::fmt::count(r.value)}</span>
                            </li>
                        }
                    })
                    .collect_view()
            }}
        </ul>
    }
}

/// The browser's clock, in microseconds since 1970; `None` until the page is live. It moves every half minute.
#[derive(Debug, Clone, Copy)]
struct Now(RwSignal<Option<i64>>);

/// Starts the clock that relative times follow.
pub(crate) fn provide_now() {
    let now = RwSignal::new(None);
    provide_context(Now(now));
    Effect::new(move |_| {
        let tick = move || now.set(Some((js_sys::Date::now() * 1000.0) as i64));
        tick();
        let _ = set_interval_with_handle(tick, std::time::Duration::from_secs(30));
    });
}

/// When something happened: "4 min ago", the exact time as tooltip. The server writes the date, which the browser
/// replaces once it is live.
#[component]
pub fn RelativeTime(#[prop(into)] at: Signal<Timestamp>) -> impl IntoView {
    let now = use_context::<Now>().map(|n| n.0);
    let text = move || {
        let at = at.get();
        match now.and_then(|n| n.get()) {
            None => at.date(),
            Some(now) => {
                let seconds = (now - at.0) / Timestamp::SECOND;
                match seconds {
                    ..-45 => format!("in {}", crate::fmt::span(-seconds)),
                    -45..45 => "just now".to_owned(),
                    _ if seconds > 30 * 86_400 => at.date(),
                    _ => format!("{} ago", crate::fmt::span(seconds)),
                }
            }
        }
    };
    view! {
        <time
            class="time"
            datetime=move || at.get().to_rfc3339()
            title=move || format!("{} UTC", at.get().date_time())
        >
            {text}
        </time>
    }
}

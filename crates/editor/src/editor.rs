//! The workspace of one item: document, history, selection, view, layers and the tool in hand.

mod actions;
mod aim;
mod apart;
mod begun;
mod boolean;
mod border;
mod brush;
mod corners;
mod describe;
mod ending;
mod gesture;
mod grips;
mod links;
mod outline;
mod outline_ops;
mod placing;
mod pointing;
mod proposal;
mod smart;
mod spans;
mod tracks;
mod video;

pub use aim::Aim;
pub use begun::Begun;
pub use brush::{Brush, Stroke};
pub use gesture::Cursor;
pub use outline::{Outline, Purpose};
pub use proposal::{Proposal, Region, Wire};
pub use smart::SmartSettings;
pub use tracks::Lane;

use crate::command::{Command, Kind};
use crate::document::Document;
use crate::document::merge::{Conflict, Merge, Side};
use crate::history::History;
use crate::hit::Hit;
use crate::layers::Layers;
use crate::selection::Selection;
use crate::snap::Snap;
use crate::viewport::Viewport;
use gesture::Gesture;
use limn_domain::annotation::ItemAnnotations;
use limn_domain::project::Task;
use limn_domain::{
    Annotation, AnnotationId, Attribute, CategoryId, Mask, Point, Rect, Shape, ShapeKind, Skeleton,
};
use std::borrow::Cow;
use std::collections::HashMap;

/// What a press on the canvas does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tool {
    #[default]
    Select,
    Pan,
    Box,
    /// Outlines, corner by corner or dragged.
    Polygon,
    /// Adds pixels.
    Brush,
    /// Takes pixels away.
    Eraser,
    /// Ellipses, dragged like boxes.
    Ellipse,
    /// Lines, corner by corner or dragged.
    Polyline,
    /// A point a click.
    Points,
    /// A side by two clicks, then how far the box reaches.
    RotatedBox,
    /// A box by its four outermost points.
    ExtremeBox,
    /// Keypoints in the order of the skeleton, or the whole figure by a drag.
    Keypoints,
    /// A line along which the selected outline or mask falls apart.
    Slice,
    /// The region of a like colour.
    Wand,
    /// An outline that follows edges from click to click.
    Scissors,
    /// Adds whole superpixels.
    Superpixels,
    /// An object told from its surroundings, by a box and strokes.
    Cut,
    /// An object that a network finds by clicks or a box.
    Segment,
}

impl Tool {
    /// Whether a press begins a new shape.
    pub const fn draws(self) -> bool {
        !matches!(self, Self::Select | Self::Pan)
    }

    pub const fn paints(self) -> bool {
        matches!(self, Self::Brush | Self::Eraser)
    }

    /// Whether it looks at the picture and proposes.
    pub const fn is_smart(self) -> bool {
        matches!(
            self,
            Self::Wand | Self::Scissors | Self::Superpixels | Self::Cut | Self::Segment
        )
    }

    /// Whether it is the server that answers.
    pub const fn asks_server(self) -> bool {
        matches!(self, Self::Segment)
    }

    /// Whether the grips of the selected shape would be in the way.
    pub const fn hides_grips(self) -> bool {
        !matches!(self, Self::Select | Self::Pan | Self::Box | Self::Ellipse)
    }

    /// Whether it draws corner by corner, click by click.
    const fn sets_corners(self) -> bool {
        matches!(
            self,
            Self::Polygon
                | Self::Polyline
                | Self::Slice
                | Self::RotatedBox
                | Self::ExtremeBox
                | Self::Keypoints
        )
    }

    /// Whether a drag leaves corners on its way.
    const fn traces(self) -> bool {
        matches!(self, Self::Polygon | Self::Polyline | Self::Slice)
    }

    /// Whether a project of this task is labeled with it.
    pub fn is_for(self, task: Task) -> bool {
        use ShapeKind as K;
        match self {
            Self::Select | Self::Pan => true,
            Self::Box | Self::ExtremeBox => task.allows(K::Box),
            // In semantic segmentation what an outline encloses is painted.
            Self::Polygon | Self::Scissors => task.allows(K::Polygon) || task == Task::Semantic,
            Self::Brush | Self::Eraser | Self::Wand | Self::Superpixels | Self::Cut | Self::Segment => {
                task.allows(K::Mask)
            }
            Self::Slice => task.allows(K::Polygon),
            Self::Ellipse => task.allows(K::Ellipse),
            Self::Polyline => task.allows(K::Polyline),
            Self::Points => task.allows(K::Points),
            Self::RotatedBox => task.allows(K::RotatedBox),
            Self::Keypoints => task.allows(K::Keypoints),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PointerKind {
    #[default]
    Mouse,
    Touch,
    Pen,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Button {
    #[default]
    Primary,
    Middle,
    Secondary,
    /// The other end of a pen.
    Eraser,
}

/// Modifier keys; `ctrl` is also the command key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
pub struct Mods {
    #[serde(default)]
    pub ctrl: bool,
    #[serde(default)]
    pub shift: bool,
    #[serde(default)]
    pub alt: bool,
}

/// A pointer's state, in screen pixels from the canvas's top left.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Pointer {
    pub id: i32,
    pub kind: PointerKind,
    pub at: Point,
    pub button: Button,
    pub mods: Mods,
}

/// Counters that tell what changed; compare with an earlier copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Epochs {
    /// The annotations.
    pub doc: u64,
    pub selection: u64,
    /// The frame of a video in view.
    pub frame: u64,
    /// Scale and offset.
    pub view: u64,
    /// What is hidden or locked.
    pub layers: u64,
    /// Anything else that is drawn: previews, hover, tool. Goes up with `layers` too.
    pub look: u64,
}

/// What a category says its objects are made of.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Definition {
    /// The category above it.
    pub parent: Option<CategoryId>,
    pub skeleton: Option<Skeleton>,
    pub attributes: Vec<Attribute>,
}

/// The workspace of one item.
#[derive(Debug, Clone)]
pub struct Editor {
    /// What is worked on: of a video the frame in view.
    doc: Document,
    video: Option<Box<video::Video>>,
    history: History,
    selection: Selection,
    view: Viewport,
    layers: Layers,
    tool: Tool,
    /// The pan key is held.
    hold_pan: bool,
    category: Option<CategoryId>,
    read_only: bool,
    gesture: Gesture,
    /// A box of which one corner was clicked.
    placing: Option<placing::Placing>,
    outline: Option<Outline>,
    /// What the next outline is for, chosen by a button.
    intent: Option<Purpose>,
    brush: Brush,
    smart: Option<Proposal>,
    /// Goes up with every proposal, so that an answer to another one is known.
    smart_serial: u64,
    /// The proposal becomes an object as soon as its answer is there.
    accepting: bool,
    smart_settings: SmartSettings,
    grain_under: Option<Mask>,
    /// There is a network that finds objects by clicks.
    segments: bool,
    /// Corners snap to the borders of other outlines.
    borders: bool,
    definitions: HashMap<CategoryId, Definition>,
    /// What can be said of the item as a whole.
    item_attributes: Vec<Attribute>,
    touches: HashMap<i32, Point>,
    /// The pen that is down: fingers beside it are the hand that holds it.
    pen: Option<i32>,
    hover: Option<Hit>,
    cursor: Cursor,
    /// Last known pointer position, in image pixels, while it is over the canvas.
    pointer: Option<Point>,
    /// Where the grips of an outline of many corners show.
    grips_at: Option<Point>,
    /// The pointer that keys move, while it is shown.
    aim: Option<Aim>,
    /// The corners that a mask is taken hold of by.
    corners: Option<corners::MaskCorners>,
    /// Size of the last box drawn, in image pixels; the template tool repeats it.
    last_size: (f64, f64),
    /// Unicode scalar values of the document; 0 for a picture.
    length: u32,
    conflicts: Vec<Conflict>,
    /// A relation goes out from here; the next object picked is its other end.
    relating: Option<AnnotationId>,
    /// What new relations say.
    relation_kind: String,
    epochs: Epochs,
}

impl Editor {
    pub fn new(doc: Document, history: History) -> Self {
        let view = Viewport::new(doc.size());
        Self {
            doc,
            video: None,
            history,
            selection: Selection::default(),
            view,
            layers: Layers::default(),
            tool: Tool::Select,
            hold_pan: false,
            category: None,
            read_only: false,
            gesture: Gesture::Idle,
            placing: None,
            outline: None,
            intent: None,
            brush: Brush::default(),
            smart: None,
            smart_serial: 0,
            accepting: false,
            smart_settings: SmartSettings::default(),
            grain_under: None,
            segments: false,
            borders: true,
            definitions: HashMap::new(),
            item_attributes: Vec::new(),
            touches: HashMap::new(),
            pen: None,
            hover: None,
            cursor: Cursor::Default,
            pointer: None,
            grips_at: None,
            aim: None,
            corners: None,
            last_size: (50.0, 50.0),
            length: 0,
            conflicts: Vec::new(),
            relating: None,
            relation_kind: String::new(),
            epochs: Epochs::default(),
        }
    }

    /// Takes over what carries from item to item: tool, category, canvas size, hidden categories.
    pub fn carry_over(&mut self, from: &Self) {
        self.tool = from.tool;
        self.category = from.category;
        self.last_size = from.last_size;
        self.brush = from.brush;
        self.smart_settings = from.smart_settings;
        self.borders = from.borders;
        self.relation_kind.clone_from(&from.relation_kind);
        self.definitions.clone_from(&from.definitions);
        self.layers = from.layers.clone();
        self.layers.next_item();
        self.aim = from.aim.map(Aim::lifted);
        self.view.resize(from.view.screen());
        self.view.fit();
        self.epochs.view += 1;
    }

    /// The annotations as they are worked on: of a video those of the frame in view, as single shapes.
    pub const fn doc(&self) -> &Document {
        &self.doc
    }

    pub const fn history(&self) -> &History {
        &self.history
    }

    pub const fn selection(&self) -> &Selection {
        &self.selection
    }

    pub const fn view(&self) -> &Viewport {
        &self.view
    }

    pub const fn layers(&self) -> &Layers {
        &self.layers
    }

    pub const fn tool(&self) -> Tool {
        self.tool
    }

    /// The category that new shapes get.
    pub const fn category(&self) -> Option<CategoryId> {
        self.category
    }

    pub const fn epochs(&self) -> Epochs {
        self.epochs
    }

    pub const fn cursor(&self) -> Cursor {
        self.cursor
    }

    /// What the pointer is over, when nothing is being dragged.
    pub fn hover(&self) -> Option<AnnotationId> {
        self.hover.map(Hit::id)
    }

    /// The point of the selected shape that the pointer is over.
    pub const fn hover_corner(&self) -> Option<(AnnotationId, crate::shape::Corner)> {
        match self.hover {
            Some(Hit::Corner(id, c)) => Some((id, c)),
            _ => None,
        }
    }

    /// Where the pointer is, in image pixels.
    pub fn pointer(&self) -> Option<Point> {
        self.aim
            .map_or(self.pointer, |aim| Some(self.view.to_image(aim.at)))
    }

    pub const fn conflicts(&self) -> &Vec<Conflict> {
        &self.conflicts
    }

    pub const fn is_read_only(&self) -> bool {
        self.read_only
    }

    /// Nothing can be changed: somebody else holds the item, or the role does not allow it.
    pub fn set_read_only(&mut self, on: bool) {
        self.read_only = on;
        self.cancel();
    }

    fn snap(&self, free: bool) -> Snap {
        Snap {
            image: self.doc.size(),
            scale: self.view.scale(),
            free,
        }
    }

    /// Carries out a command as one step of the history. Says whether anything changed.
    pub fn run(&mut self, command: Command) -> bool {
        self.run_joining(command, false)
    }

    fn run_joining(&mut self, command: Command, join: bool) -> bool {
        if self.read_only {
            return false;
        }
        let Some(change) = command.compile(&self.doc).and_then(|c| self.kept_apart(c)) else {
            return false;
        };
        let change = match &self.video {
            Some(video) => video.lift(change),
            None => Some(change),
        };
        change.is_some_and(|change| self.carry_out(change, join))
    }

    fn carry_out(&mut self, change: crate::command::Change, join: bool) -> bool {
        self.stored_mut().apply(&change);
        for edit in change.edits.iter().filter(|e| e.before.is_none()) {
            self.layers.join(edit.id);
        }
        if join {
            self.history.push_joining(change);
        } else {
            self.history.push(change);
        }
        self.after_change();
        true
    }

    fn after_change(&mut self) {
        self.epochs.doc += 1;
        self.see_frame();
        let before = self.selection.clone();
        let doc = video::stored(self.video.as_deref(), &self.doc);
        self.selection.retain(|id| doc.contains(id));
        if self.selection != before {
            self.epochs.selection += 1;
        }
        self.corners_follow();
        if self.hover.is_some_and(|h| !self.doc.contains(h.id())) {
            self.hover = None;
        }
    }

    /// Takes back the last step and selects what it concerned.
    pub fn undo(&mut self) -> Option<Kind> {
        if self.read_only || self.outline_back() {
            return None;
        }
        self.cancel();
        let doc = video::stored_mut(self.video.as_deref_mut(), &mut self.doc);
        let change = self.history.undo(doc)?;
        let kind = change.kind;
        let ids: Vec<AnnotationId> = change.absent().collect();
        let frame = self.video.as_deref().and_then(|v| v.frame_of(change));
        self.follow(ids, frame);
        Some(kind)
    }

    /// Does the last undone step again.
    pub fn redo(&mut self) -> Option<Kind> {
        if self.read_only {
            return None;
        }
        self.cancel();
        let doc = video::stored_mut(self.video.as_deref_mut(), &mut self.doc);
        let change = self.history.redo(doc)?;
        let kind = change.kind;
        let ids: Vec<AnnotationId> = change.present().collect();
        let frame = self.video.as_deref().and_then(|v| v.frame_of(change));
        self.follow(ids, frame);
        Some(kind)
    }

    fn follow(&mut self, ids: Vec<AnnotationId>, frame: Option<u32>) {
        if let Some(frame) = frame {
            self.go_to_frame(frame);
        }
        let doc = video::stored(self.video.as_deref(), &self.doc);
        self.selection
            .set_all(ids.into_iter().filter(|id| doc.contains(*id)));
        self.epochs.selection += 1;
        self.after_change();
    }

    /// Puts the outcome of a merge in place. Conflicts stay open, standing as mine, until [`Self::decide`].
    pub fn take_merge(&mut self, theirs: ItemAnnotations, merge: Merge) {
        self.stored_mut().rebase(theirs, merge.merged);
        self.conflicts = merge.conflicts;
        self.after_change();
        self.keep_drawing();
    }

    /// Open conflicts found when the item was restored.
    pub fn set_conflicts(&mut self, conflicts: Vec<Conflict>) {
        self.conflicts = conflicts;
    }

    /// Decides the open conflicts: those named theirs become theirs, the others stay mine.
    pub fn decide(&mut self, choices: &HashMap<AnnotationId, Side>) {
        let mut edits = Vec::new();
        for c in std::mem::take(&mut self.conflicts) {
            if choices.get(&c.id) != Some(&Side::Theirs) {
                continue;
            }
            if c.theirs.as_ref().is_none_or(|t| t.id != c.id) {
                edits.push(crate::command::Edit {
                    id: c.id,
                    before: self.stored().get(c.id).cloned(),
                    after: None,
                });
            }
            if let Some(t) = c.theirs {
                edits.push(crate::command::Edit {
                    id: t.id,
                    before: self.stored().get(t.id).cloned(),
                    after: Some(t),
                });
            }
        }
        self.stored_mut().apply(&crate::command::Change {
            kind: Kind::Relabel,
            edits,
            about: None,
        });
        self.after_change();
    }

    /// What a shape being dragged looks like right now; the stored shape otherwise.
    pub fn shown_shape<'a>(&'a self, a: &'a Annotation) -> Cow<'a, Shape> {
        self.gesture
            .preview(a)
            .map_or(Cow::Borrowed(&a.shape), Cow::Owned)
    }

    /// The enclosing box of [`Self::shown_shape`].
    pub fn shown_rect(&self, a: &Annotation) -> Option<Rect> {
        self.shown_shape(a).bounds()
    }

    /// The frame being pulled over shapes to select them.
    pub const fn marquee(&self) -> Option<Rect> {
        self.gesture.marquee()
    }

    /// Whether a gesture is under way, or something begun that goes on with the next click.
    pub const fn is_busy(&self) -> bool {
        !matches!(self.gesture, Gesture::Idle)
            || self.placing.is_some()
            || self.outline.is_some()
            || self.smart.is_some()
    }
}

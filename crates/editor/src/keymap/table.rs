//! The default keys: one row an action. The help is made from these rows.

use super::{Action as A, Group as G};
use limn_domain::ShapeKind as K;
use limn_domain::project::Task;

pub(super) struct Row {
    pub action: A,
    /// Chords parted by spaces.
    pub keys: &'static str,
    pub label: &'static str,
    pub group: G,
    /// Only where shapes are drawn.
    pub boxes: bool,
}

const fn row(action: A, keys: &'static str, label: &'static str, group: G, boxes: bool) -> Row {
    Row {
        action,
        keys,
        label,
        group,
        boxes,
    }
}

pub(super) const TABLE: &[Row] = &[
    row(
        A::Submit,
        "Enter Ctrl+Enter NumpadEnter",
        "Submit and go on",
        G::Work,
        false,
    ),
    row(A::Skip, "KeyX", "Skip", G::Work, false),
    row(A::Next, "KeyD KeyF", "Next item", G::Work, false),
    row(A::Previous, "KeyA", "Previous item", G::Work, false),
    row(A::Last, "Shift+KeyD", "Newest item", G::Work, false),
    row(
        A::First,
        "Shift+KeyA",
        "Oldest item of this session",
        G::Work,
        false,
    ),
    row(
        A::SaveNow,
        "Ctrl+KeyS",
        "Save now (edits save by themselves)",
        G::Work,
        false,
    ),
    row(A::Instructions, "F2", "Instructions", G::Work, false),
    row(A::Help, "F1", "These keys (or ?)", G::Work, false),
    row(A::SelectTool, "KeyV", "Select, move, resize", G::Tools, true),
    row(
        A::BoxTool,
        "KeyR",
        "Draw boxes: drag, or click two corners",
        G::Tools,
        true,
    ),
    row(
        A::PolygonTool,
        "KeyP",
        "Draw outlines: click the corners, or drag",
        G::Tools,
        true,
    ),
    row(A::BrushTool, "KeyB", "Paint pixels", G::Tools, true),
    row(A::EraserTool, "KeyE", "Erase pixels", G::Tools, true),
    row(
        A::BrushLarger,
        "BracketRight",
        "Larger brush or superpixels, more tolerance",
        G::Tools,
        true,
    ),
    row(
        A::BrushSmaller,
        "BracketLeft",
        "Smaller brush or superpixels, less tolerance",
        G::Tools,
        true,
    ),
    row(
        A::WandTool,
        "Shift+KeyM",
        "Magic wand: a region of a like colour",
        G::Tools,
        true,
    ),
    row(
        A::ScissorsTool,
        "Shift+KeyE",
        "Scissors: an outline along edges",
        G::Tools,
        true,
    ),
    row(
        A::SuperpixelsTool,
        "Shift+KeyB",
        "Paint superpixels",
        G::Tools,
        true,
    ),
    row(
        A::CutTool,
        "Shift+KeyO",
        "Cut out an object: a box, then clicks",
        G::Tools,
        true,
    ),
    row(
        A::SegmentTool,
        "Shift+KeyN",
        "Segment: a network finds the object by clicks or a box",
        G::Tools,
        true,
    ),
    row(
        A::RotatedBoxTool,
        "KeyW",
        "Rotated box: two clicks for a side, one for the depth",
        G::Tools,
        true,
    ),
    row(
        A::ExtremeBoxTool,
        "Shift+KeyW",
        "Box by its four outermost points",
        G::Tools,
        true,
    ),
    row(
        A::EllipseTool,
        "KeyO",
        "Ellipse: drag, or click two corners",
        G::Tools,
        true,
    ),
    row(
        A::PolylineTool,
        "Shift+KeyP",
        "Line: click the corners, or drag",
        G::Tools,
        true,
    ),
    row(A::PointsTool, "KeyQ", "Points, one a click", G::Tools, true),
    row(
        A::KeypointsTool,
        "KeyK",
        "Keypoints: click them in order, or drag the whole figure",
        G::Tools,
        true,
    ),
    row(
        A::SliceTool,
        "Shift+KeyX",
        "Slice the selected outline along a line",
        G::Tools,
        true,
    ),
    row(
        A::Borders,
        "KeyN",
        "Corners snap to other outlines, or not",
        G::Tools,
        true,
    ),
    row(
        A::LeaveOut,
        "KeyU",
        "The next keypoint is not in the picture",
        G::Tools,
        true,
    ),
    row(
        A::HideOrPan,
        "KeyH",
        "Hide the selection; with none, the hand",
        G::Tools,
        true,
    ),
    row(
        A::Template,
        "KeyT",
        "Box of the last size at the pointer",
        G::Tools,
        true,
    ),
    row(
        A::KeyPointer,
        "Backquote",
        "A pointer for the keyboard, or none",
        G::Tools,
        true,
    ),
    row(
        A::HoldPointer,
        "Backslash",
        "Keyboard pointer: press and hold to drag, and let go",
        G::Tools,
        true,
    ),
    row(
        A::Escape,
        "Escape",
        "Cancel, deselect, back to select",
        G::Tools,
        true,
    ),
    row(
        A::SearchCategory,
        "Slash",
        "Find a category by typing",
        G::Categories,
        false,
    ),
    row(A::Undo, "Ctrl+KeyZ", "Undo", G::Objects, false),
    row(A::Redo, "Ctrl+Shift+KeyZ Ctrl+KeyY", "Redo", G::Objects, false),
    row(A::Delete, "Delete Backspace", "Delete", G::Objects, true),
    row(A::Copy, "Ctrl+KeyC", "Copy", G::Objects, true),
    row(
        A::Paste,
        "Ctrl+KeyV",
        "Paste, also on another item",
        G::Objects,
        true,
    ),
    row(A::Duplicate, "Ctrl+KeyD", "Duplicate", G::Objects, true),
    row(
        A::RepeatPrevious,
        "Shift+KeyR",
        "Repeat the previous item's shapes",
        G::Objects,
        true,
    ),
    row(A::Join, "KeyJ", "Join the selected outlines", G::Objects, true),
    row(
        A::Subtract,
        "Shift+KeyC",
        "Cut the others out of the first selected",
        G::Objects,
        true,
    ),
    row(
        A::Intersect,
        "Shift+KeyI",
        "What the selected have in common",
        G::Objects,
        true,
    ),
    row(
        A::Simplify,
        "KeyS",
        "Fewer corners, the same outline",
        G::Objects,
        true,
    ),
    row(
        A::Convert,
        "KeyM",
        "Outline to pixel mask, and back",
        G::Objects,
        true,
    ),
    row(
        A::EditCorners,
        "Shift+KeyV",
        "Edit a mask by its corners, or no more",
        G::Objects,
        true,
    ),
    row(A::FillHoles, "Shift+KeyJ", "Fill the holes", G::Objects, true),
    row(
        A::Clean,
        "Shift+KeyS",
        "Remove specks and pinholes",
        G::Objects,
        true,
    ),
    row(A::SelectAll, "Ctrl+KeyA", "Select all", G::Objects, true),
    row(A::CycleNext, "Tab", "Next object", G::Objects, true),
    row(A::CyclePrevious, "Shift+Tab", "Previous object", G::Objects, true),
    row(A::HideAll, "Shift+KeyH", "Hide or show all", G::Objects, true),
    row(
        A::Isolate,
        "Shift+KeyL",
        "Show only the selection, or all again",
        G::Objects,
        true,
    ),
    row(A::Lock, "KeyL", "Lock or unlock", G::Objects, true),
    row(A::Group, "Ctrl+KeyG", "Group the selection", G::Objects, true),
    row(
        A::Ungroup,
        "Ctrl+Shift+KeyG",
        "Take the selection out of its groups",
        G::Objects,
        true,
    ),
    row(
        A::Relate,
        "Alt+KeyR",
        "Relate the selected object to the next one picked",
        G::Objects,
        true,
    ),
    row(A::Raise, "PageUp", "Raise above the next", G::Objects, true),
    row(A::Lower, "PageDown", "Lower below the next", G::Objects, true),
    row(A::ToFront, "Shift+PageUp", "To the front", G::Objects, true),
    row(A::ToBack, "Shift+PageDown", "To the back", G::Objects, true),
    // With nothing selected, left and right go to the previous and next item.
    row(
        A::NudgeLeft,
        "ArrowLeft",
        "Move by 1 px; with none selected, previous item",
        G::Objects,
        true,
    ),
    row(
        A::NudgeRight,
        "ArrowRight",
        "Move by 1 px; with none selected, next item",
        G::Objects,
        true,
    ),
    row(A::NudgeUp, "ArrowUp", "Move up by 1 px", G::Objects, true),
    row(A::NudgeDown, "ArrowDown", "Move down by 1 px", G::Objects, true),
    row(A::LeapLeft, "Shift+ArrowLeft", "Move by 10 px", G::Objects, true),
    row(A::LeapRight, "Shift+ArrowRight", "", G::Objects, true),
    row(A::LeapUp, "Shift+ArrowUp", "", G::Objects, true),
    row(A::LeapDown, "Shift+ArrowDown", "", G::Objects, true),
    row(A::Narrower, "Ctrl+ArrowLeft", "Resize by 1 px", G::Objects, true),
    row(A::Wider, "Ctrl+ArrowRight", "", G::Objects, true),
    row(A::Shorter, "Ctrl+ArrowUp", "", G::Objects, true),
    row(A::Taller, "Ctrl+ArrowDown", "", G::Objects, true),
    row(A::EndOn, "Alt+ArrowRight", "The span's end on", G::Objects, true),
    row(
        A::EndBack,
        "Alt+ArrowLeft",
        "The span's end back",
        G::Objects,
        true,
    ),
    row(
        A::StartOn,
        "Shift+Alt+ArrowRight",
        "The span's start on",
        G::Objects,
        true,
    ),
    row(
        A::StartBack,
        "Shift+Alt+ArrowLeft",
        "The span's start back",
        G::Objects,
        true,
    ),
    row(A::FindText, "Ctrl+KeyF", "Find in the text", G::View, false),
    row(
        A::AcceptAll,
        "KeyG",
        "Accept all suggestions",
        G::Suggestions,
        false,
    ),
    row(
        A::RejectAll,
        "Shift+Delete Shift+Backspace",
        "Reject all suggestions",
        G::Suggestions,
        false,
    ),
    row(
        A::AcceptSelected,
        "KeyY",
        "Accept the selected one and go on (Del rejects)",
        G::Suggestions,
        true,
    ),
    row(
        A::ZoomIn,
        "Equal Shift+Equal NumpadAdd",
        "Zoom in",
        G::View,
        false,
    ),
    row(A::ZoomOut, "Minus NumpadSubtract", "Zoom out", G::View, false),
    row(A::Fit, "KeyZ", "Fit the image", G::View, false),
    row(A::OneToOne, "Shift+KeyZ", "100 %", G::View, false),
    row(A::ZoomToSelection, "KeyC", "Zoom to the selection", G::View, true),
    row(A::TurnLeft, "Comma", "Turn the view left by 90°", G::View, false),
    row(
        A::TurnRight,
        "Period",
        "Turn the view right by 90°",
        G::View,
        false,
    ),
    row(
        A::TurnLeftABit,
        "Shift+Comma",
        "Turn the view by 5°",
        G::View,
        false,
    ),
    row(A::TurnRightABit, "Shift+Period", "", G::View, false),
    row(A::Upright, "Alt+Comma", "Turn the view upright", G::View, false),
    row(
        A::AdjustImage,
        "KeyI",
        "How the picture and the shapes are shown",
        G::View,
        false,
    ),
    row(
        A::Grid,
        "Shift+KeyG",
        "Several items at once, or one",
        G::View,
        false,
    ),
];

/// On a video: CVAT's keys for frames and tracks, and other keys for what those take theirs from.
pub(super) const VIDEO: &[Row] = &[
    row(A::FrameNext, "KeyF", "Next frame", G::Video, true),
    row(A::FramePrevious, "KeyD", "Previous frame", G::Video, true),
    row(A::FramesOn, "KeyV", "Ten frames on", G::Video, true),
    row(A::FramesBack, "KeyC", "Ten frames back", G::Video, true),
    row(A::FirstFrame, "Home", "First frame", G::Video, true),
    row(A::LastFrame, "End", "Last frame", G::Video, true),
    row(A::KeyframeNext, "BracketRight", "Next keyframe", G::Video, true),
    row(
        A::KeyframePrevious,
        "BracketLeft",
        "Previous keyframe",
        G::Video,
        true,
    ),
    row(A::Faster, "Shift+BracketRight", "Play faster", G::Video, true),
    row(A::Slower, "Shift+BracketLeft", "Play slower", G::Video, true),
    row(
        A::Outside,
        "KeyO",
        "The object leaves the picture here, or is back",
        G::Video,
        true,
    ),
    row(
        A::Occluded,
        "KeyQ",
        "Something is in front of it from here, or nothing",
        G::Video,
        true,
    ),
    row(A::Keyframe, "KeyK", "A keyframe here, or none", G::Video, true),
    row(
        A::OnlyHere,
        "KeyE",
        "The object is on this frame alone",
        G::Video,
        true,
    ),
    row(A::SplitTrack, "Alt+KeyM", "Split the track here", G::Video, true),
    row(
        A::MergeTracks,
        "KeyM",
        "Merge the two selected tracks",
        G::Video,
        true,
    ),
    row(A::Next, "Shift+KeyF", "Next item", G::Video, false),
    row(
        A::SelectTool,
        "Shift+KeyV",
        "Select, move, resize",
        G::Video,
        true,
    ),
    row(A::EllipseTool, "Shift+KeyO", "Ellipse", G::Video, true),
    row(A::PointsTool, "Shift+KeyQ", "Points", G::Video, true),
    row(A::KeypointsTool, "Shift+KeyK", "Keypoints", G::Video, true),
    row(
        A::ZoomToSelection,
        "Shift+KeyC",
        "Zoom to the selection",
        G::Video,
        true,
    ),
];

/// What keys and the pointer do on a page of several items.
pub(super) const GRID: &[Gesture] = &[
    (G::View, "Several items: larger or smaller pages", "Minus Equal"),
    (G::View, "Several items: the next one", "ArrowRight ArrowDown"),
    (
        G::View,
        "Several items: choose a range",
        "Shift+ArrowRight Shift+Click",
    ),
    (G::View, "Several items: choose one more", "Space Ctrl+Click"),
    (G::View, "Several items: choose all", "Ctrl+KeyA"),
    (G::Categories, "Several items: take the categories away", "Delete"),
];

/// What the pointer does with modifiers; shown in the help only.
pub(super) fn gestures(task: Task) -> impl Iterator<Item = &'static (G, &'static str, &'static str)> {
    let own = |kind: K, list: &'static [Gesture]| if task.allows(kind) { list } else { &[] };
    own(K::Box, BOXES)
        .iter()
        .chain(own(K::RotatedBox, TURNS))
        .chain(own(K::Polygon, OUTLINES))
        .chain(own(K::Mask, PIXELS))
        .chain(own(K::Keypoints, KEYPOINTS))
        .chain(own(K::Span, SPANS))
        .chain(if task.is_text() { &[][..] } else { GESTURES })
}

type Gesture = (G, &'static str, &'static str);

const BOXES: &[Gesture] = &[
    (G::Tools, "While drawing: a square", "Shift"),
    (G::Tools, "While drawing: from the centre", "Alt"),
];

const TURNS: &[Gesture] = &[(G::Objects, "While turning: in steps of 15 degrees", "Shift")];

const OUTLINES: &[Gesture] = &[
    (G::Tools, "Close the outline (or click its first corner)", "Enter"),
    (G::Tools, "Take back the last corner", "Backspace"),
    (G::Tools, "Add to the selected outline", "Shift+Click"),
    (G::Tools, "Cut out of the selected outline", "Alt+Click"),
    (G::Objects, "Remove a corner of the selected outline", "Alt+Click"),
];

const PIXELS: &[Gesture] = &[
    (G::Tools, "Brush: erase instead; eraser: paint", "Alt"),
    (G::Tools, "Brush: begin a new object", "Shift"),
    (G::Tools, "Size of the brush", "Alt+Wheel"),
    (G::Tools, "Smart tools: accept what is proposed", "Enter"),
    (
        G::Tools,
        "Smart tools: what is clicked is not of the object",
        "Alt+Click",
    ),
    (G::Tools, "Wand: drag sideways for the tolerance", "Drag"),
];

const KEYPOINTS: &[Gesture] = &[
    (G::Tools, "The keypoint is hidden by something", "Alt+Click"),
    (
        G::Objects,
        "Hidden or seen, for a keypoint of the selection",
        "Alt+Click",
    ),
];

const SPANS: &[Gesture] = &[
    (G::Tools, "Mark a word", "Double click"),
    (G::Tools, "Mark a stretch of text", "Drag"),
    (G::Tools, "Move the caret; with Shift choose text", "Arrows"),
    (G::Tools, "Mark what is chosen", "1-9"),
    (G::Objects, "The next span at the same place", "Click again"),
];

const GESTURES: &[Gesture] = &[
    (G::View, "Pan while held (or middle mouse, two fingers)", "Space"),
    (G::View, "Zoom at the pointer (pinch)", "Wheel"),
    (G::Tools, "With a drawing tool: select instead", "Ctrl"),
    (
        G::Tools,
        "Keyboard pointer: by 1 px of the screen; with Shift by 10",
        "Arrows",
    ),
    (G::Tools, "Keyboard pointer: click", "Space"),
    (
        G::Tools,
        "Keyboard pointer: a click with Shift or Alt",
        "Shift+Space Alt+Enter",
    ),
    (G::Objects, "Add to the selection, or pull a frame", "Shift+Click"),
    (G::Objects, "Select the one below", "Alt+Click"),
];

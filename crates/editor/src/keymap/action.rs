//! Everything a key can do, and in which projects and on which items it can be done.

use crate::editor::Tool;
use limn_domain::ShapeKind;
use limn_domain::project::Task;
use serde::{Deserialize, Serialize};

/// Everything a key can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    Submit,
    Skip,
    Next,
    Previous,
    Last,
    First,
    SaveNow,
    Help,
    Instructions,
    SelectTool,
    BoxTool,
    PolygonTool,
    BrushTool,
    EraserTool,
    RotatedBoxTool,
    ExtremeBoxTool,
    EllipseTool,
    PolylineTool,
    PointsTool,
    KeypointsTool,
    SliceTool,
    WandTool,
    ScissorsTool,
    SuperpixelsTool,
    CutTool,
    SegmentTool,
    /// The next keypoint is not in the picture.
    LeaveOut,
    BrushLarger,
    BrushSmaller,
    HideOrPan,
    Template,
    /// The pointer that keys move, shown or taken away.
    KeyPointer,
    /// Presses that pointer and holds it down, or lets it go.
    HoldPointer,
    Escape,
    /// The category with this key; 0 is the tenth.
    Category(u8),
    /// The same, also for what is selected, whatever the tool.
    Relabel(u8),
    SearchCategory,
    Undo,
    Redo,
    Delete,
    Copy,
    Paste,
    Duplicate,
    RepeatPrevious,
    SelectAll,
    CycleNext,
    CyclePrevious,
    HideAll,
    /// Only the selection shows.
    Isolate,
    Lock,
    /// The selection is one group.
    Group,
    Ungroup,
    /// A relation from the selected object to the next one picked.
    Relate,
    Raise,
    Lower,
    ToFront,
    ToBack,
    NudgeLeft,
    NudgeRight,
    NudgeUp,
    NudgeDown,
    LeapLeft,
    LeapRight,
    LeapUp,
    LeapDown,
    Narrower,
    Wider,
    Shorter,
    Taller,
    Join,
    /// The others cut out of the first selected.
    Subtract,
    Intersect,
    /// Corners snap to other outlines, or not.
    Borders,
    Simplify,
    Convert,
    /// A mask is taken hold of by the corners of its border, or no more.
    EditCorners,
    FillHoles,
    Clean,
    AcceptAll,
    RejectAll,
    AcceptSelected,
    ZoomIn,
    ZoomOut,
    Fit,
    OneToOne,
    ZoomToSelection,
    TurnLeft,
    TurnRight,
    TurnLeftABit,
    TurnRightABit,
    Upright,
    AdjustImage,
    /// Moves an end of the selected span.
    EndBack,
    EndOn,
    StartBack,
    StartOn,
    FindText,
    /// Several items at once, or one.
    Grid,
    // Videos.
    FrameNext,
    FramePrevious,
    /// Ten frames on.
    FramesOn,
    FramesBack,
    FirstFrame,
    LastFrame,
    KeyframeNext,
    KeyframePrevious,
    Play,
    Faster,
    Slower,
    /// The object leaves the picture here, or is back.
    Outside,
    /// Something is in front of the object from here, or nothing is.
    Occluded,
    /// A keyframe here, or none.
    Keyframe,
    /// The object is on this frame alone.
    OnlyHere,
    SplitTrack,
    MergeTracks,
}

impl Action {
    /// Whether a project of this task has the tool for it.
    pub fn is_for(self, task: Task) -> bool {
        if task.is_text() {
            return self.is_for_text(task.marks_objects());
        }
        match self {
            Self::EndBack | Self::EndOn | Self::StartBack | Self::StartOn | Self::FindText => false,
            action if action.is_of_videos() => task.takes_videos(),
            Self::Template => task.allows(ShapeKind::Box),
            Self::KeyPointer | Self::HoldPointer => task.marks_objects(),
            Self::Grid => matches!(task, Task::Classification | Task::Multilabel),
            Self::LeaveOut => task.allows(ShapeKind::Keypoints),
            Self::BrushLarger | Self::BrushSmaller | Self::FillHoles | Self::Clean => {
                task.allows(ShapeKind::Mask)
            }
            Self::Join
            | Self::Subtract
            | Self::Intersect
            | Self::Simplify
            | Self::Convert
            | Self::EditCorners
            | Self::Borders => task.allows(ShapeKind::Polygon),
            _ => self.tool().is_none_or(|tool| tool.is_for(task)),
        }
    }

    /// What is done to videos alone.
    pub const fn is_of_videos(self) -> bool {
        matches!(
            self,
            Self::FrameNext
                | Self::FramePrevious
                | Self::FramesOn
                | Self::FramesBack
                | Self::FirstFrame
                | Self::LastFrame
                | Self::KeyframeNext
                | Self::KeyframePrevious
                | Self::Play
                | Self::Faster
                | Self::Slower
                | Self::Outside
                | Self::Occluded
                | Self::Keyframe
                | Self::OnlyHere
                | Self::SplitTrack
                | Self::MergeTracks
        )
    }

    /// Whether it can be done to a video. Tracks have no pixels, and one shape cut up or joined with another would be another
    /// track on every other frame.
    pub fn is_for_videos(self) -> bool {
        let pixels = self.tool().is_some_and(|t| t.paints() || t.is_smart());
        !(pixels
            || matches!(
                self,
                Self::SliceTool
                    | Self::BrushLarger
                    | Self::BrushSmaller
                    | Self::FillHoles
                    | Self::Clean
                    | Self::Join
                    | Self::Subtract
                    | Self::Intersect
                    | Self::Convert
                    | Self::EditCorners
            ))
    }

    /// What can be done to documents; `spans`: they are labeled with spans.
    const fn is_for_text(self, spans: bool) -> bool {
        match self {
            Self::Submit
            | Self::Skip
            | Self::Next
            | Self::Previous
            | Self::Last
            | Self::First
            | Self::SaveNow
            | Self::Help
            | Self::Instructions
            | Self::SearchCategory
            | Self::Category(_)
            | Self::Undo
            | Self::Redo
            | Self::AcceptAll
            | Self::RejectAll
            | Self::Escape
            | Self::FindText => true,
            // Without spans to move: the previous and next item.
            Self::NudgeLeft | Self::NudgeRight => !spans,
            Self::Relabel(_)
            | Self::Delete
            | Self::SelectAll
            | Self::CycleNext
            | Self::CyclePrevious
            | Self::AcceptSelected
            | Self::Group
            | Self::Ungroup
            | Self::Relate
            | Self::EndBack
            | Self::EndOn
            | Self::StartBack
            | Self::StartOn => spans,
            _ => false,
        }
    }

    /// The tool that the action takes to hand.
    pub const fn tool(self) -> Option<Tool> {
        Some(match self {
            Self::SelectTool => Tool::Select,
            Self::BoxTool => Tool::Box,
            Self::PolygonTool => Tool::Polygon,
            Self::BrushTool => Tool::Brush,
            Self::EraserTool => Tool::Eraser,
            Self::RotatedBoxTool => Tool::RotatedBox,
            Self::ExtremeBoxTool => Tool::ExtremeBox,
            Self::EllipseTool => Tool::Ellipse,
            Self::PolylineTool => Tool::Polyline,
            Self::PointsTool => Tool::Points,
            Self::KeypointsTool => Tool::Keypoints,
            Self::SliceTool => Tool::Slice,
            Self::WandTool => Tool::Wand,
            Self::ScissorsTool => Tool::Scissors,
            Self::SuperpixelsTool => Tool::Superpixels,
            Self::CutTool => Tool::Cut,
            Self::SegmentTool => Tool::Segment,
            _ => return None,
        })
    }
}

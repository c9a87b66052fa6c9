//! What is under way when a page is reloaded: written down, and gone on with afterwards.

use super::brush::{Brush, Stroke};
use super::outline::Outline;
use super::proposal::{Proposal, Region, Wire};
use super::smart::SmartSettings;
use super::{Editor, Purpose, Tool};
use limn_domain::mask::TIP_MAX;
use limn_domain::smart::{Scribble, Stop};
use limn_domain::{AnnotationId, Mask, Point, Rect, Visibility, polygon};
use serde::{Deserialize, Serialize};

/// Points of a stroke, and of all scribbles together, that are taken back.
const POINTS_MAX: usize = 200_000;

/// What was begun, to go on with after a reload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "begun", rename_all = "snake_case")]
pub enum Begun {
    /// What is drawn corner by corner.
    Outline {
        tool: Tool,
        points: Vec<Point>,
        marks: Vec<Visibility>,
        purpose: Purpose,
    },
    /// A stroke of the brush or the eraser: what of it was painted stays painted.
    Stroke {
        points: Vec<Point>,
        brush: Brush,
        erase: bool,
        target: Option<AnnotationId>,
    },
    /// What a smart tool was told; it is asked again.
    Region {
        tool: Tool,
        settings: SmartSettings,
        purpose: Purpose,
        frame: Option<Rect>,
        scribbles: Vec<Scribble>,
    },
    /// Corners of the scissors.
    Wire { purpose: Purpose, stops: Vec<Stop> },
}

impl Editor {
    /// What is being drawn, as it can be written down.
    pub fn begun(&self) -> Option<Begun> {
        if let Some(o) = &self.outline {
            return Some(Begun::Outline {
                tool: o.tool,
                points: o.points.clone(),
                marks: o.marks.clone(),
                purpose: o.purpose,
            });
        }
        if let Some(stroke) = self.gesture.stroke() {
            return Some(Begun::Stroke {
                points: stroke.points().to_vec(),
                brush: self.brush,
                erase: stroke.erase,
                target: stroke.target,
            });
        }
        Some(match self.smart.as_ref()? {
            Proposal::Region(r) => Begun::Region {
                tool: self.tool,
                settings: self.smart_settings,
                purpose: r.purpose,
                frame: r.frame,
                scribbles: r.scribbles.clone(),
            },
            Proposal::Wire(w) => Begun::Wire {
                purpose: w.purpose,
                stops: w.stops.clone(),
            },
        })
    }

    /// How far what is being drawn has come: changes with every corner, click and piece of a stroke; 0 without any.
    pub fn progress(&self) -> usize {
        let corners = self.outline.as_ref().map(|o| o.points.len());
        let stroke = self.gesture.stroke().map(|s| s.points().len());
        let smart = self.smart.as_ref().map(|p| match p {
            Proposal::Region(r) => {
                1 + r.scribbles.iter().map(|s| s.points.len()).sum::<usize>() + usize::from(r.frame.is_some())
            }
            Proposal::Wire(w) => w.stops.len(),
        });
        corners.or(stroke).or(smart).unwrap_or(0)
    }

    /// Goes on with what was begun before. What cannot be (another task, a target that is gone, numbers from elsewhere) is
    /// dropped. A stroke ends where it was.
    pub fn go_on(&mut self, begun: Begun) {
        if self.read_only {
            return;
        }
        match begun {
            Begun::Outline {
                tool,
                points,
                marks,
                purpose,
            } => {
                let sound = points.len() == marks.len()
                    && points.len() <= polygon::VERTICES_MAX
                    && self.are_inside(&points);
                if sound && tool.sets_corners() && self.take_up(tool, purpose) {
                    self.outline = Some(Outline::resumed(tool, points, marks, purpose));
                }
            }
            Begun::Stroke {
                points,
                brush,
                erase,
                target,
            } => self.end_stroke(points, brush, erase, target),
            Begun::Region {
                tool,
                settings,
                purpose,
                frame,
                scribbles,
            } => {
                let points: Vec<Point> = scribbles.iter().flat_map(|s| s.points.iter().copied()).collect();
                let sound = (frame.is_some() || !points.is_empty())
                    && points.len() <= POINTS_MAX
                    && points.iter().all(|p| p.x.is_finite() && p.y.is_finite())
                    && frame.is_none_or(|f| f.is_finite() && f.w > 0.0 && f.h > 0.0);
                let fits = matches!(tool, Tool::Wand | Tool::Superpixels | Tool::Cut | Tool::Segment);
                if sound && fits && self.take_up(tool, purpose) {
                    self.set_smart_settings(settings);
                    self.propose(Proposal::Region(Region::told(purpose, frame, scribbles)));
                }
            }
            Begun::Wire { purpose, stops } => {
                let points: Vec<Point> = stops.iter().map(|s| s.at).collect();
                let reaches = stops.iter().all(|s| s.reach.is_finite() && s.reach >= 0.0);
                let sound = points.len() <= polygon::VERTICES_MAX && reaches && self.are_inside(&points);
                if sound && self.take_up(Tool::Scissors, purpose) {
                    self.propose(Proposal::Wire(Wire::from(purpose, stops)));
                }
            }
        }
        self.epochs.look += 1;
    }

    fn are_inside(&self, points: &[Point]) -> bool {
        let size = self.doc.size();
        let frame = Rect::new(0.0, 0.0, size.width, size.height);
        !points.is_empty() && points.iter().all(|p| frame.contains(*p))
    }

    /// The tool comes to hand, the object that it changes is selected. Whether both are there.
    fn take_up(&mut self, tool: Tool, purpose: Purpose) -> bool {
        let target = match purpose {
            Purpose::Draw => None,
            Purpose::Add(id) | Purpose::Cut(id) => Some(id),
        };
        if !self.has_tool(tool) || target.is_some_and(|id| !self.doc.contains(id)) {
            return false;
        }
        self.set_tool(tool);
        if let Some(id) = target {
            self.selection.set(id);
            self.epochs.selection += 1;
        }
        true
    }

    fn end_stroke(&mut self, points: Vec<Point>, brush: Brush, erase: bool, target: Option<AnnotationId>) {
        let tool = if erase { Tool::Eraser } else { Tool::Brush };
        let sound = !points.is_empty()
            && points.len() <= POINTS_MAX
            && points.iter().all(|p| p.x.is_finite() && p.y.is_finite())
            && (1..=TIP_MAX).contains(&brush.size);
        let there = target.is_none_or(|id| self.doc.get(id).is_some_and(|a| self.layers.can_edit(a)));
        if !sound || !there || !tool.is_for(self.doc.task()) {
            return;
        }
        self.set_tool(tool);
        self.set_brush(brush);
        let mask = Mask::stroke(&points, brush.size, brush.tip, self.doc.size());
        self.paint_release(Stroke::new(points, mask, erase, target));
    }
}

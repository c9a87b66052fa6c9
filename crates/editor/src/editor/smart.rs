//! The smart tools: wand, superpixels, cut, scissors, and the one that a network answers. The editor knows what was clicked and what is to be asked; who
//! looks at the picture and answers is not its business. What comes back is a proposal until it is accepted.

use super::gesture::{CLICK, Gesture};
use super::outline::{Outline, thinned};
use super::proposal::{Proposal, Region, Wire};
use super::{Editor, Pointer, Purpose, Tool};
use limn_domain::polygon;
use limn_domain::project::Task;
use limn_domain::smart::{Answer, Ask, GRAIN_MAX, GRAIN_MIN, Scribble, Stop, TOLERANCE_MAX};
use limn_domain::{Mask, Point, Rect, Shape, ShapeKind};
use serde::{Deserialize, Serialize};

/// Screen pixels of a sideways drag for one unit of tolerance.
const DRAG: f64 = 4.0;
/// Screen pixels within which a corner of the scissors goes to an edge.
const REACH: f64 = 8.0;
/// Screen pixels between the points of a stroke.
const STEP: f64 = 2.0;
/// An accepted outline is at most so far from the pixels' own border, in image pixels.
const TOLERANCE: f64 = 0.75;

/// How the smart tools work.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SmartSettings {
    /// Of the wand: distance of colours, 0 to [`TOLERANCE_MAX`].
    pub tolerance: f64,
    /// Of the wand: not only what is connected.
    pub everywhere: bool,
    /// Of the wand: without specks and frayed borders.
    pub smooth: bool,
    /// Image pixels across a superpixel.
    pub grain: u32,
    /// New objects are outlines, where the project has both; else masks.
    pub outline: bool,
    /// A click or stroke takes away; with Alt it is the other way round.
    pub exclude: bool,
}

impl Default for SmartSettings {
    fn default() -> Self {
        Self {
            tolerance: 20.0,
            everywhere: false,
            smooth: true,
            grain: 16,
            outline: false,
            exclude: false,
        }
    }
}

/// What a press of a smart tool has begun.
#[derive(Debug, Clone, Copy)]
pub(super) enum Hand {
    /// A drag sideways sets the tolerance: where it began, and the tolerance then.
    Tolerance {
        x: f64,
        was: f64,
    },
    Stroke,
    Frame {
        from: Point,
        pressed: Point,
    },
    Corner,
}

impl Editor {
    /// What is under way.
    pub const fn proposal(&self) -> Option<&Proposal> {
        self.smart.as_ref()
    }

    pub const fn smart_settings(&self) -> SmartSettings {
        self.smart_settings
    }

    pub fn set_smart_settings(&mut self, s: SmartSettings) {
        self.smart_settings = SmartSettings {
            tolerance: s.tolerance.clamp(0.0, TOLERANCE_MAX),
            grain: s.grain.clamp(GRAIN_MIN, GRAIN_MAX),
            ..s
        };
        self.epochs.look += 1;
    }

    /// The superpixel under the pointer, while that tool is in hand.
    pub fn grain_under(&self) -> Option<&Mask> {
        self.grain_under
            .as_ref()
            .filter(|_| self.tool == Tool::Superpixels && self.pointer.is_some())
    }

    /// Whether there is a network that finds objects by clicks.
    pub fn set_segments(&mut self, there: bool) {
        self.segments = there;
        if !there && self.tool == Tool::Segment {
            self.set_tool(Tool::Select);
        }
    }

    /// Whether the project is labeled with a tool.
    pub fn has_tool(&self, tool: Tool) -> bool {
        tool.is_for(self.doc.task()) && (self.segments || !tool.asks_server())
    }

    /// What is to be asked of the picture now, if anything, and of which proposal. It says all there is to say, so that only
    /// the newest one counts.
    pub fn ask(&self) -> Option<(u64, Ask)> {
        if self.read_only || !self.tool.is_smart() {
            return None;
        }
        let ask = match &self.smart {
            Some(Proposal::Wire(w)) => {
                let legs = w.unknown(true);
                (!legs.is_empty()).then_some(Ask::Wire { legs })?
            }
            Some(Proposal::Region(r)) => self.ask_region(r)?,
            None if self.tool == Tool::Superpixels => {
                let size = self.doc.size();
                let frame = Rect::new(0.0, 0.0, size.width, size.height);
                Ask::Superpixels {
                    scribbles: Vec::new(),
                    grain: self.smart_settings.grain,
                    hover: Some(self.pointer.filter(|p| frame.contains(*p))?),
                }
            }
            // Before the first click: the edges are found by then.
            None if self.tool == Tool::Scissors => Ask::Wire { legs: Vec::new() },
            None => return None,
        };
        Some((self.smart_serial, ask))
    }

    fn ask_region(&self, r: &Region) -> Option<Ask> {
        if matches!(self.gesture, Gesture::Smart(Hand::Frame { .. })) {
            return None;
        }
        let scribbles = r.scribbles.clone();
        let s = self.smart_settings;
        Some(match self.tool {
            Tool::Wand => Ask::Wand {
                scribbles,
                tolerance: s.tolerance,
                everywhere: s.everywhere,
                smooth: s.smooth,
            },
            Tool::Superpixels => Ask::Superpixels {
                scribbles,
                grain: s.grain,
                hover: self.pointer,
            },
            // Clicks beside an object alone say nothing.
            Tool::Segment if r.frame.is_none() && !scribbles.iter().any(|s| s.include) => return None,
            Tool::Segment => Ask::Segment {
                frame: r.frame,
                scribbles,
            },
            _ => Ask::Cut {
                frame: r.frame,
                scribbles,
            },
        })
    }

    /// Takes an answer. One to a proposal that is gone is dropped.
    pub fn take_answer(&mut self, serial: u64, ask: &Ask, answer: Answer) {
        if serial != self.smart_serial {
            return;
        }
        match (&mut self.smart, answer) {
            (Some(Proposal::Region(r)), Answer::Region { mask, hover }) => {
                r.mask = mask;
                r.answered = Some(ask.clone());
                self.grain_under = hover;
            }
            (None, Answer::Region { hover, .. }) => self.grain_under = hover,
            (Some(Proposal::Wire(w)), Answer::Paths { paths }) => {
                if let Ask::Wire { legs } = ask {
                    let needed: Vec<[Stop; 2]> = w.legs().chain(w.closing()).collect();
                    w.paths.retain(|(l, _)| needed.contains(l));
                    w.paths
                        .extend(legs.iter().copied().zip(paths).filter(|(_, p)| p.len() >= 2));
                }
            }
            _ => return,
        }
        self.epochs.look += 1;
        if self.accepting && !self.awaits_answer() {
            self.commit_smart();
        }
    }

    /// Nobody answers any more: what was to be accepted waits for another word.
    pub fn no_answer(&mut self) {
        self.accepting = false;
        self.epochs.look += 1;
    }

    /// Whether what is shown is not yet what was asked for last.
    pub fn awaits_answer(&self) -> bool {
        match &self.smart {
            Some(Proposal::Region(r)) => {
                let ask = self.ask_region(r).map(settled);
                ask.is_some() && ask != r.answered.clone().map(settled)
            }
            Some(Proposal::Wire(w)) => !w.unknown(false).is_empty(),
            None => false,
        }
    }

    /// What the next proposal is for, by the modifiers at its first press: with an outline or mask selected Shift adds to it
    /// and Alt takes from it.
    fn smart_purpose(&self, p: &Pointer) -> Purpose {
        let target = self.selection.single().filter(|id| {
            self.doc.get(*id).is_some_and(|a| {
                matches!(a.shape, Shape::Polygon { .. } | Shape::Mask { .. }) && self.layers.can_edit(a)
            })
        });
        match target.filter(|_| self.doc.task() != Task::Semantic) {
            Some(id) if p.mods.shift => Purpose::Add(id),
            Some(id) if p.mods.alt => Purpose::Cut(id),
            _ => Purpose::Draw,
        }
    }

    /// A press with a smart tool.
    pub(super) fn smart_press(&mut self, p: &Pointer) {
        let at = self.view.to_image(p.at);
        let size = self.doc.size();
        if self.category.is_none() || self.accepting {
            return;
        }
        if self.tool == Tool::Scissors {
            self.scissors_press(p);
            self.gesture = Gesture::Smart(Hand::Corner);
            return;
        }
        let inside = Rect::new(0.0, 0.0, size.width, size.height).contains(at);
        let fresh = self.smart.is_none();
        let framed = matches!(self.tool, Tool::Cut | Tool::Segment);
        if !inside && (self.tool == Tool::Segment && !fresh || fresh && !framed) {
            return;
        }
        if fresh {
            let purpose = self.smart_purpose(p);
            self.propose(Proposal::Region(Region::told(purpose, None, Vec::new())));
        }
        if fresh && framed {
            self.gesture = Gesture::Smart(Hand::Frame {
                from: at,
                pressed: p.at,
            });
            return;
        }
        let include = fresh || p.mods.alt == self.smart_settings.exclude;
        if let Some(Proposal::Region(r)) = &mut self.smart {
            r.scribbles.push(Scribble {
                points: vec![at],
                include,
            });
        }
        self.gesture = Gesture::Smart(match self.tool {
            Tool::Wand => Hand::Tolerance {
                x: p.at.x,
                was: self.smart_settings.tolerance,
            },
            // A click, however it is dragged on.
            Tool::Segment => Hand::Corner,
            _ => Hand::Stroke,
        });
    }

    /// Begins a proposal.
    pub(super) fn propose(&mut self, proposal: Proposal) {
        self.smart_serial += 1;
        self.smart = Some(proposal);
    }

    fn stop(&self, p: &Pointer) -> Stop {
        let at = self.snap(true).point(self.view.to_image(p.at));
        Stop {
            at,
            reach: if p.mods.alt && self.smart.is_some() {
                0.0
            } else {
                REACH / self.view.scale()
            },
        }
    }

    fn scissors_press(&mut self, p: &Pointer) {
        let stop = self.stop(p);
        let (reach, _) = self.reach(p.kind);
        let purpose = self.smart_purpose(p);
        let Some(Proposal::Wire(w)) = &mut self.smart else {
            self.propose(Proposal::Wire(Wire::from(purpose, vec![stop])));
            return;
        };
        let closes = w.stops.len() >= 2 && stop.at.distance(w.stops[0].at) <= reach * 1.5;
        if closes {
            self.finish_smart();
        } else if w.stops.last().is_some_and(|l| l.at != stop.at) {
            w.stops.push(stop);
            w.next = None;
        }
    }

    /// A proposal goes on after the annotations have become others.
    pub(super) fn smart_goes_on(&mut self) {
        let there = |id| self.doc.contains(id);
        match &mut self.smart {
            Some(Proposal::Region(r)) => r.purpose = r.purpose.while_there(there),
            Some(Proposal::Wire(w)) => w.purpose = w.purpose.while_there(there),
            None => {}
        }
    }

    /// The pointer moves while a smart tool is in hand.
    pub(super) fn smart_move(&mut self, p: &Pointer) {
        let at = self.view.to_image(p.at);
        let size = self.doc.size();
        let step = STEP / self.view.scale();
        let stop = self.stop(p);
        let (reach, _) = self.reach(p.kind);
        match (&self.gesture, &mut self.smart) {
            (Gesture::Smart(Hand::Tolerance { x, was }), _) => {
                let by = p.at.x - x;
                if by.abs() >= CLICK {
                    let tolerance = (was + by / DRAG).clamp(0.0, TOLERANCE_MAX);
                    self.smart_settings.tolerance = (tolerance * 2.0).round() / 2.0;
                }
            }
            (Gesture::Smart(Hand::Stroke), Some(Proposal::Region(r))) => {
                if let Some(s) = r.scribbles.last_mut()
                    && s.points.last().is_none_or(|l| l.distance(at) >= step)
                {
                    s.points.push(at);
                }
            }
            (Gesture::Smart(Hand::Frame { from, .. }), Some(Proposal::Region(r))) => {
                r.frame = Some(Rect::from_corners(*from, at).clipped(size));
            }
            (Gesture::Idle | Gesture::Smart(Hand::Corner), Some(Proposal::Wire(w))) => {
                w.next = Some(stop);
                w.closes = w.stops.len() >= 2 && stop.at.distance(w.stops[0].at) <= reach * 1.5;
            }
            _ => {}
        }
    }

    /// The button is released.
    pub(super) fn smart_release(&mut self, hand: Hand, p: &Pointer) {
        let (Hand::Frame { pressed, from }, Some(Proposal::Region(r))) = (hand, &mut self.smart) else {
            return;
        };
        if pressed.distance(p.at) < CLICK {
            // A click instead of a box: the first word about the object.
            let size = self.doc.size();
            if self.tool == Tool::Segment && !Rect::new(0.0, 0.0, size.width, size.height).contains(from) {
                self.smart = None;
                return;
            }
            r.frame = None;
            r.scribbles.push(Scribble {
                points: vec![from],
                include: true,
            });
        } else if r.frame.is_none_or(|f| f.w < 2.0 || f.h < 2.0) {
            self.smart = None;
        }
    }

    /// A second finger came: what the first one began was no click.
    pub(super) fn smart_unpress(&mut self) {
        if let (Gesture::Smart(hand), Some(_)) = (&self.gesture, &self.smart) {
            match hand {
                Hand::Frame { .. } => self.smart = None,
                _ => {
                    self.smart_back();
                }
            }
        }
    }

    /// Takes back the last click, stroke or corner. Says whether there was one.
    pub(super) fn smart_back(&mut self) -> bool {
        let empty = match &mut self.smart {
            None => return false,
            Some(Proposal::Region(r)) => {
                let had = r.scribbles.pop().is_some();
                !had || (r.scribbles.is_empty() && r.frame.is_none())
            }
            Some(Proposal::Wire(w)) => {
                w.stops.pop();
                w.closes = false;
                w.stops.is_empty()
            }
        };
        if empty {
            self.drop_smart();
        }
        self.accepting = false;
        self.epochs.look += 1;
        true
    }

    pub(super) fn drop_smart(&mut self) {
        self.smart = None;
        self.accepting = false;
        self.smart_serial += 1;
    }

    /// Makes the proposal an object, at once or when the answer to what was asked last is there. Says whether there was one.
    pub(super) fn finish_smart(&mut self) -> bool {
        if self.smart.is_none() {
            return false;
        }
        self.accepting = true;
        if !self.awaits_answer() {
            self.commit_smart();
        }
        self.epochs.look += 1;
        true
    }

    /// Makes the proposal an object as it stands, without waiting.
    pub fn settle_smart(&mut self) {
        if self.smart.is_some() {
            self.commit_smart();
        }
    }

    fn commit_smart(&mut self) {
        let Some(proposal) = self.smart.take() else { return };
        self.drop_smart();
        self.epochs.look += 1;
        match proposal {
            Proposal::Region(r) => {
                if let Some(mask) = r.mask {
                    self.add_region(mask, r.purpose);
                }
            }
            Proposal::Wire(w) => {
                let all: Vec<Point> = w
                    .legs()
                    .chain(w.closing())
                    .flat_map(|l| w.way(l))
                    .map(|[x, y]| Point::new(x, y))
                    .collect();
                if w.stops.len() >= 2 {
                    let outline = Outline::closed(thinned(&all, TOLERANCE), w.purpose);
                    self.finish_polygon(&outline);
                }
            }
        }
    }

    fn add_region(&mut self, mask: Mask, purpose: Purpose) {
        let task = self.doc.task();
        if task == Task::Semantic {
            self.paint(&mask, false);
            return;
        }
        let parts = polygon::simplified(&mask.to_polygon(), TOLERANCE);
        let outline = polygon::mend(&parts, self.doc.size()).map(|(parts, _)| parts);
        match purpose {
            Purpose::Draw => {
                let wants = self.smart_settings.outline && task.allows(ShapeKind::Polygon);
                self.add_shape(match outline {
                    Ok(parts) if wants => Shape::Polygon { parts },
                    _ => Shape::Mask { mask },
                });
            }
            Purpose::Add(id) | Purpose::Cut(id) => {
                let erase = matches!(purpose, Purpose::Cut(_));
                let outline = outline.unwrap_or_else(|_| mask.to_polygon());
                self.paint_on(&mask, &outline, erase, Some(id));
            }
        }
    }

    /// More or less of what the tool in hand is set by. Says whether it is a smart tool.
    pub(super) fn grow_smart(&mut self, more: bool) -> bool {
        let s = self.smart_settings;
        let changed = match self.tool {
            Tool::Wand => SmartSettings {
                tolerance: s.tolerance + if more { 1.0 } else { -1.0 },
                ..s
            },
            Tool::Superpixels => SmartSettings {
                grain: if more {
                    s.grain + (s.grain / 8).max(1)
                } else {
                    s.grain - (s.grain / 8).max(1)
                },
                ..s
            },
            tool => return tool.is_smart(),
        };
        self.set_smart_settings(changed);
        true
    }
}

/// The ask without what does not matter to the region.
fn settled(ask: Ask) -> Ask {
    match ask {
        Ask::Superpixels { scribbles, grain, .. } => Ask::Superpixels {
            scribbles,
            grain,
            hover: None,
        },
        other => other,
    }
}

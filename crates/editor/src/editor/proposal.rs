//! What a smart tool has under way: what it was told, and what came back so far.

use super::Purpose;
use limn_domain::polygon::Vertex;
use limn_domain::smart::{Ask, Scribble, Stop};
use limn_domain::{Mask, Rect};

/// What a smart tool has under way.
#[derive(Debug, Clone, PartialEq)]
pub enum Proposal {
    Region(Region),
    Wire(Wire),
}

/// A region and what it was told by.
#[derive(Debug, Clone, PartialEq)]
pub struct Region {
    pub purpose: Purpose,
    /// The box of the cut.
    pub frame: Option<Rect>,
    pub scribbles: Vec<Scribble>,
    /// What came back last.
    pub mask: Option<Mask>,
    /// What that was the answer to.
    pub(super) answered: Option<Ask>,
}

/// Corners of the scissors, and the ways between them as far as they are known.
#[derive(Debug, Clone, PartialEq)]
pub struct Wire {
    pub purpose: Purpose,
    pub stops: Vec<Stop>,
    pub(super) next: Option<Stop>,
    pub(super) paths: Vec<([Stop; 2], Vec<Vertex>)>,
    /// The pointer is where a click would close it.
    pub closes: bool,
}

impl Region {
    /// One that was told this and has no answer yet.
    pub(super) const fn told(purpose: Purpose, frame: Option<Rect>, scribbles: Vec<Scribble>) -> Self {
        Self {
            purpose,
            frame,
            scribbles,
            mask: None,
            answered: None,
        }
    }
}

impl Wire {
    /// One with these corners, between which no way is known yet.
    pub(super) const fn from(purpose: Purpose, stops: Vec<Stop>) -> Self {
        Self {
            purpose,
            stops,
            next: None,
            paths: Vec::new(),
            closes: false,
        }
    }

    /// From corner to corner.
    pub(super) fn legs(&self) -> impl Iterator<Item = [Stop; 2]> {
        self.stops.windows(2).map(|s| [s[0], s[1]])
    }

    /// From the last corner back to the first.
    pub(super) fn closing(&self) -> Option<[Stop; 2]> {
        match self.stops.as_slice() {
            [first, _, .., last] | [first, last] => Some([*last, *first]),
            _ => None,
        }
    }

    fn lead(&self) -> Option<[Stop; 2]> {
        Some([*self.stops.last()?, self.next?])
    }

    fn known(&self, leg: [Stop; 2]) -> Option<&Vec<Vertex>> {
        self.paths.iter().find(|(l, _)| *l == leg).map(|(_, path)| path)
    }

    pub(super) fn unknown(&self, with_lead: bool) -> Vec<[Stop; 2]> {
        self.legs()
            .chain(self.closing())
            .chain(self.lead().filter(|_| with_lead))
            .filter(|l| l[0] != l[1] && self.known(*l).is_none())
            .collect()
    }

    /// The way along a leg; a straight line while it is not known.
    pub(super) fn way(&self, leg: [Stop; 2]) -> Vec<Vertex> {
        self.known(leg)
            .cloned()
            .unwrap_or_else(|| leg.iter().map(|s| [s.at.x, s.at.y]).collect())
    }

    /// The whole way so far, and on to the pointer.
    pub fn line(&self) -> (Vec<Vertex>, Vec<Vertex>) {
        let so_far = self.legs().flat_map(|l| self.way(l)).collect();
        // The last known way to the pointer is shown until the next one comes.
        let last = self.stops.last().copied();
        let lead = self.lead().map_or_else(Vec::new, |l| {
            let old = || {
                self.paths
                    .iter()
                    .rev()
                    .find(|(k, _)| Some(k[0]) == last && !self.stops.contains(&k[1]))
            };
            match self.known(l) {
                Some(path) => path.clone(),
                None => old().map_or_else(Vec::new, |(_, path)| path.clone()),
            }
        });
        (so_far, lead)
    }

    /// Where the corners are, with those that went to an edge there.
    pub fn corners(&self) -> Vec<Vertex> {
        let place = |s: &Stop| {
            let ends = |(leg, path): &([Stop; 2], Vec<Vertex>)| match (leg[0] == *s, leg[1] == *s) {
                (true, _) => path.first().copied(),
                (_, true) => path.last().copied(),
                _ => None,
            };
            self.paths.iter().find_map(ends).unwrap_or([s.at.x, s.at.y])
        };
        self.stops.iter().map(place).collect()
    }
}

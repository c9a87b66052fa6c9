//! What the smart tools ask of a picture, and what they are answered. All places are in image pixels.

use crate::geometry::{Point, Rect};
use crate::mask::Mask;
use crate::polygon::Vertex;
use serde::{Deserialize, Serialize};

/// Largest tolerance of the wand, as a CIELAB distance.
pub const TOLERANCE_MAX: f64 = 100.0;
/// Image pixels across a superpixel, at least and at most.
pub const GRAIN_MIN: u32 = 4;
pub const GRAIN_MAX: u32 = 200;

/// The part of an image that tools look at, and how finely: `columns` x `rows` samples over a window of
/// `width` x `height` image pixels whose top left pixel is (`x`, `y`). Never more samples than pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sampling {
    pub x: u32,
    pub y: u32,
    pub width: u32,
    pub height: u32,
    pub columns: u32,
    pub rows: u32,
    /// Of the whole image.
    pub image_width: u32,
    pub image_height: u32,
}

impl Sampling {
    /// Whether every sample is a pixel.
    pub const fn is_exact(&self) -> bool {
        self.columns == self.width && self.rows == self.height
    }

    /// The window in image pixels.
    pub const fn window(&self) -> Rect {
        Rect::new(
            self.x as f64,
            self.y as f64,
            self.width as f64,
            self.height as f64,
        )
    }

    /// Whether it is a window in the image with at least one sample and no more than pixels.
    pub fn is_sound(&self) -> bool {
        let fits =
            |from: u32, length: u32, image: u32| from.checked_add(length).is_some_and(|end| end <= image);
        self.columns > 0
            && self.rows > 0
            && self.columns <= self.width
            && self.rows <= self.height
            && fits(self.x, self.width, self.image_width)
            && fits(self.y, self.height, self.image_height)
    }
}

/// A click (one point) or a stroke that says what is of the object and what is not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scribble {
    pub points: Vec<Point>,
    /// Of the object; else not of it.
    pub include: bool,
}

/// A corner of the scissors. Within `reach` image pixels it goes to the strongest edge; with 0 it stays.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Stop {
    pub at: Point,
    pub reach: f64,
}

/// What a tool wants to know. It says everything that the answer depends on, so that only the newest one counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "tool", rename_all = "snake_case")]
pub enum Ask {
    /// The region of a like colour around clicks.
    Wand {
        scribbles: Vec<Scribble>,
        /// CIELAB distance (Delta E 1976) from the colour that was clicked on.
        tolerance: f64,
        /// Also where it is not connected.
        everywhere: bool,
        /// Specks, pinholes and frayed borders go.
        smooth: bool,
    },
    /// The superpixels under strokes.
    Superpixels {
        scribbles: Vec<Scribble>,
        /// Image pixels across one.
        grain: u32,
        /// Where the one under the pointer is asked for, too.
        hover: Option<Point>,
    },
    /// The object in a box, or under strokes.
    Cut {
        frame: Option<Rect>,
        scribbles: Vec<Scribble>,
    },
    /// The ways along edges, each from a corner to a corner; without any, the edges are made ready.
    Wire { legs: Vec<[Stop; 2]> },
}

/// What came out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// Nothing, when no pixel is in it.
    Region { mask: Option<Mask>, hover: Option<Mask> },
    /// One way for each leg, in order, both ends included.
    Paths { paths: Vec<Vec<Vertex>> },
}

//! What the smart tools ask of a picture, and what they are answered. All places are in image pixels.

use crate::geometry::{Point, Rect, Size};
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
    /// The object in a box, or under clicks, as a network finds it that the server runs.
    Segment {
        frame: Option<Rect>,
        scribbles: Vec<Scribble>,
    },
}

/// Whether objects can be found by clicks in a project of this task: it has pictures, and masks of them.
pub fn can_segment(task: crate::project::Task) -> bool {
    task.allows(crate::ShapeKind::Mask)
}

/// Clicks that one question may have.
pub const CLICKS_MAX: usize = 32;

/// A click on an object, or beside it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Click {
    /// In image pixels.
    pub at: Point,
    /// Of the object; else not of it.
    #[serde(default = "yes")]
    pub include: bool,
}

const fn yes() -> bool {
    true
}

/// What says which object of a picture is meant.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Clicks {
    /// A box around it, in image pixels.
    #[serde(default)]
    pub frame: Option<Rect>,
    #[serde(default)]
    pub clicks: Vec<Click>,
}

impl Clicks {
    /// Of the strokes of a tool: each is a click where it began.
    pub fn of(frame: Option<Rect>, scribbles: &[Scribble]) -> Self {
        let click = |s: &Scribble| {
            Some(Click {
                at: *s.points.first()?,
                include: s.include,
            })
        };
        Self {
            frame,
            clicks: scribbles.iter().filter_map(click).collect(),
        }
    }

    /// Why an object of a picture of this size cannot be found by them: the field at fault, and what is wrong.
    pub fn check(&self, size: Size) -> Result<(), (&'static str, String)> {
        let whole = Rect::new(0.0, 0.0, size.width, size.height);
        if self.clicks.len() > CLICKS_MAX {
            return Err((
                "clicks",
                format!("{CLICKS_MAX} clicks are the most; accept the object and go on with the brush."),
            ));
        }
        if self.clicks.iter().any(|c| !whole.contains(c.at)) {
            return Err(("clicks", "A click lies outside of the picture.".to_owned()));
        }
        let fits = |f: Rect| {
            f.is_finite()
                && f.w > 0.0
                && f.h > 0.0
                && f.x >= 0.0
                && f.y >= 0.0
                // Where it was cut to the picture, by a rounding more.
                && f.right() <= size.width + 1e-6
                && f.bottom() <= size.height + 1e-6
        };
        if self.frame.is_some_and(|f| !fits(f)) {
            return Err((
                "frame",
                "The box is not one within the picture: x and y from 0 on, w and h above 0.".to_owned(),
            ));
        }
        if self.frame.is_none() && !self.clicks.iter().any(|c| c.include) {
            return Err((
                "clicks",
                "Click on the object, or draw a box around it.".to_owned(),
            ));
        }
        Ok(())
    }
}

/// How far the network is that looks at a picture before it can answer clicks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Sight {
    pub ready: bool,
    /// Others are looked at first.
    pub waits: bool,
    /// What is done of it, 0..=1.
    pub share: f64,
}

/// An object as it was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Segmented {
    /// Its pixels; nothing where the network finds none.
    pub mask: Option<Mask>,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn clicks(of: &[(f64, f64, bool)], frame: Option<Rect>) -> Clicks {
        let clicks = of.iter().map(|(x, y, include)| Click {
            at: Point::new(*x, *y),
            include: *include,
        });
        Clicks {
            frame,
            clicks: clicks.collect(),
        }
    }

    #[test]
    fn clicks_say_which_object_is_meant() {
        let size = Size {
            width: 40.0,
            height: 30.0,
        };
        let field = |c: &Clicks| c.check(size).map_err(|e| e.0);
        let frame = Some(Rect::new(2.0, 3.0, 38.0, 27.0));
        assert_eq!(field(&clicks(&[(1.0, 2.0, true)], None)), Ok(()));
        assert_eq!(field(&clicks(&[(1.0, 2.0, false)], frame)), Ok(()));
        assert_eq!(field(&clicks(&[], frame)), Ok(()));
        assert_eq!(field(&clicks(&[(1.0, 2.0, false)], None)), Err("clicks"));
        assert_eq!(field(&clicks(&[(41.0, 2.0, true)], None)), Err("clicks"));
        assert_eq!(field(&clicks(&[(f64::NAN, 2.0, true)], None)), Err("clicks"));
        assert_eq!(field(&clicks(&[(1.0, 2.0, true); 33], None)), Err("clicks"));
        for wrong in [
            Rect::new(-1.0, 0.0, 5.0, 5.0),
            Rect::new(0.0, 0.0, 0.0, 5.0),
            Rect::new(10.0, 10.0, 31.0, 5.0),
            Rect::new(f64::NAN, 0.0, 5.0, 5.0),
        ] {
            assert_eq!(field(&clicks(&[], Some(wrong))), Err("frame"));
        }
    }

    #[test]
    fn strokes_are_clicks_where_they_began() {
        let stroke = |points: Vec<Point>, include| Scribble { points, include };
        let found = Clicks::of(
            None,
            &[
                stroke(vec![Point::new(1.0, 2.0), Point::new(3.0, 4.0)], true),
                stroke(Vec::new(), true),
                stroke(vec![Point::new(5.0, 6.0)], false),
            ],
        );
        assert_eq!(found, clicks(&[(1.0, 2.0, true), (5.0, 6.0, false)], None));
    }
}

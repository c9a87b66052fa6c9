//! How much of a long drawing goes into one frame, learned from what frames took.
//!
//! A canvas only notes down what it is told to draw; the browser draws it when the script has returned, which can cost several
//! times as much. A clock inside the script therefore says little: what counts is the time from the beginning of a frame until the page
//! is free again.

/// Milliseconds of the page's thread that a frame may take while the picture or hundreds of shapes are drawn anew, whatever else it
/// does included. A frame half as long again, which one guess too many makes, still fits between two of a screen of 60 Hz.
const FRAME: f64 = 11.0;
/// The same for thousands of outlines, which would take too long by less.
const LONG_FRAME: f64 = 14.0;
/// Of a frame whose end nobody reported before the next one began: from this long on it was work, below it the page may have idled.
const SURELY_WORK: f64 = 20.0;
/// Pixels of a fill that cost as much as a corner.
const PIXELS: f64 = 4_000.0;
/// What a shape costs besides its corners, in corners.
const SHAPE: usize = 8;

/// What is drawn over several frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// The picture; its unit is a pixel of the canvas.
    Picture,
    /// Hundreds of shapes one by one, by [`weight`].
    Shapes,
    /// Thousands of outlines, by [`weight`].
    Crowd,
}

/// Units of one kind of work that fit into a frame.
#[derive(Debug, Clone)]
struct Pace {
    units: usize,
    /// So many are drawn however long it takes: the drawing is to end.
    least: usize,
    frame: f64,
}

impl Pace {
    const fn new(first: usize, least: usize, frame: f64) -> Self {
        Self {
            units: first,
            least,
            frame,
        }
    }

    /// A frame with so many units took so long, in milliseconds. More by half at most the next time; at once less when it was too long.
    fn took(&mut self, units: usize, ms: f64) {
        let share = (self.frame / ms.max(1.0)).clamp(0.25, 1.5);
        let fit = (units as f64 * share) as usize;
        // A remainder that was quick says nothing about how much more there was room for.
        self.units = if ms <= self.frame {
            self.units.max(fit)
        } else {
            self.units.min(fit).max(self.least)
        };
    }
}

/// What a frame has drawn.
#[derive(Debug, Clone, Copy)]
struct Frame {
    began: f64,
    work: Work,
    units: usize,
}

/// The paces of all kinds of work. Times are in milliseconds of any one clock.
#[derive(Debug)]
pub struct Paces {
    picture: Pace,
    shapes: Pace,
    crowd: Pace,
    /// The frame whose end is not known yet.
    open: Option<Frame>,
}

impl Default for Paces {
    /// Beginnings that suit a slow computer without a graphics card.
    fn default() -> Self {
        Self {
            picture: Pace::new(500_000, 100_000, FRAME),
            shapes: Pace::new(1_000, 120, FRAME),
            crowd: Pace::new(2_500, 500, LONG_FRAME),
            open: None,
        }
    }
}

impl Paces {
    const fn of(&mut self, work: Work) -> &mut Pace {
        match work {
            Work::Picture => &mut self.picture,
            Work::Shapes => &mut self.shapes,
            Work::Crowd => &mut self.crowd,
        }
    }

    /// How many units to draw in a frame.
    pub const fn units(&self, work: Work) -> usize {
        match work {
            Work::Picture => self.picture.units,
            Work::Shapes => self.shapes.units,
            Work::Crowd => self.crowd.units,
        }
    }

    /// Another frame begins.
    pub fn begin(&mut self, now: f64) {
        if let Some(frame) = self.open.filter(|f| now - f.began >= SURELY_WORK) {
            self.end(frame.began, now);
        }
        self.open = None;
    }

    /// The frame that began then has drawn so many units.
    pub const fn drew(&mut self, began: f64, work: Work, units: usize) {
        if units > 0 {
            self.open = Some(Frame { began, work, units });
        }
    }

    /// Whether the end of a frame is to be reported.
    pub const fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// The page is free again after the frame that began then. Of any but the open one it says nothing: a report may come so late that the
    /// next frame has drawn already, and would seem to have taken no time.
    pub fn end(&mut self, began: f64, now: f64) {
        if let Some(frame) = self.open.take_if(|f| f.began == began) {
            self.of(frame.work).took(frame.units, now - frame.began);
        }
    }
}

/// What drawing a shape costs: its corners, and the pixels of the screen that its fill covers, of which a canvas has `most`.
pub fn weight(corners: usize, area: f64, most: f64) -> usize {
    SHAPE + corners + (area.clamp(0.0, most.max(0.0)) / PIXELS) as usize
}

/// How many of the rows that are left, each so wide, make up so many pixels: at least one.
pub fn rows(pixels: usize, width: u32, left: u32) -> u32 {
    let fit = pixels / (width.max(1) as usize);
    u32::try_from(fit).unwrap_or(u32::MAX).max(1).min(left)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Draws `all` units where a frame takes `base` milliseconds and `each` a unit. What the frames took.
    fn draw(paces: &mut Paces, work: Work, all: usize, base: f64, each: f64) -> Vec<f64> {
        let (mut left, mut now, mut frames) = (all, 0.0, Vec::new());
        while left > 0 {
            paces.begin(now);
            let units = paces.units(work).min(left);
            let took = base + units as f64 * each;
            paces.drew(now, work, units);
            assert!(paces.is_open());
            paces.end(now, now + took);
            frames.push(took);
            now += took.max(16.0);
            left -= units;
        }
        frames
    }

    #[test]
    fn frames_stay_short_whatever_a_unit_costs() {
        // Milliseconds a unit, on machines of very different speed.
        for each in [0.0005, 0.005, 0.01] {
            let mut paces = Paces::default();
            for _ in 0..3 {
                let frames = draw(&mut paces, Work::Shapes, 20_000, 4.0, each);
                let most = frames.iter().fold(0.0, |a: f64, b| a.max(*b));
                assert!(most < 16.0, "{each}: {most}");
            }
        }
    }

    #[test]
    fn what_is_cheap_is_soon_drawn_at_once() {
        let mut paces = Paces::default();
        draw(&mut paces, Work::Picture, 40_000_000, 2.0, 1e-7);
        assert!(draw(&mut paces, Work::Picture, 2_000_000, 2.0, 1e-7).len() <= 2);
    }

    #[test]
    fn a_slow_frame_makes_the_next_one_short_but_never_empty() {
        let mut paces = Paces::default();
        let before = paces.units(Work::Crowd);
        paces.drew(0.0, Work::Crowd, before);
        paces.end(0.0, 28.0);
        assert_eq!(paces.units(Work::Crowd), before / 2);
        for _ in 0..20 {
            let units = paces.units(Work::Crowd);
            paces.drew(0.0, Work::Crowd, units);
            paces.end(0.0, 500.0);
        }
        assert_eq!(paces.units(Work::Crowd), 500);
        // Of the others nothing is known.
        assert_eq!(paces.units(Work::Shapes), Paces::default().units(Work::Shapes));
    }

    #[test]
    fn a_remainder_and_a_frame_without_an_end_say_nothing() {
        let mut paces = Paces::default();
        let before = paces.units(Work::Shapes);
        paces.drew(0.0, Work::Shapes, 20);
        paces.end(0.0, 3.0);
        assert_eq!(paces.units(Work::Shapes), before);
        paces.drew(0.0, Work::Shapes, before);
        paces.begin(17.0);
        assert!(!paces.is_open());
        assert_eq!(paces.units(Work::Shapes), before);
        // One that took longer than a screen waits was work.
        paces.drew(0.0, Work::Shapes, before);
        paces.begin(44.0);
        assert_eq!(paces.units(Work::Shapes), before / 4);
        // The clock was set back: as if it had taken no time.
        paces.drew(9.0, Work::Shapes, 600);
        paces.end(9.0, 0.0);
        assert_eq!(paces.units(Work::Shapes), 900);
    }

    #[test]
    fn a_late_report_is_not_of_the_next_frame() {
        let mut paces = Paces::default();
        let before = paces.units(Work::Picture);
        paces.drew(0.0, Work::Picture, before);
        paces.begin(16.0);
        paces.drew(16.0, Work::Picture, before);
        // Of the first one, when the second has only told the canvas what to draw.
        paces.end(0.0, 18.0);
        assert_eq!(paces.units(Work::Picture), before);
        paces.end(16.0, 38.0);
        assert_eq!(paces.units(Work::Picture), before / 2);
    }

    #[test]
    fn large_fills_weigh_more_but_no_more_than_the_canvas() {
        assert_eq!(weight(12, 0.0, 1e6), 20);
        assert_eq!(weight(4, 400_000.0, 1e6), 112);
        assert_eq!(weight(4, 1e12, 1e6), weight(4, 1e6, 1e6));
        assert_eq!(weight(4, f64::NAN, 1e6), 12);
        assert_eq!(weight(4, 10.0, -1.0), 12);
    }

    #[test]
    fn bands_are_whole_rows_and_cover_all() {
        assert_eq!(rows(500_000, 1_600, 1_280), 312);
        assert_eq!(rows(500_000, 1_600, 32), 32);
        assert_eq!(rows(10, 1_600, 1_280), 1);
        assert_eq!(rows(10, 0, 5), 5);
        let (mut at, mut bands) = (0, 0);
        while at < 1_280 {
            at += rows(500_000, 1_600, 1_280 - at);
            bands += 1;
        }
        assert_eq!((at, bands), (1_280, 5));
    }
}

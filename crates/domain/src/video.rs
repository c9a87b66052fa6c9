//! Videos: items of numbered frames, and the names of files that become frames.

use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::fmt::Write as _;

/// The media type of an item that is a video. Its bytes are the list of its frames; see [`manifest`].
pub const MEDIA_TYPE: &str = "video/x-limn-frames";
/// Most frames of a video.
pub const FRAMES_MAX: usize = 100_000;
/// Frames a second where nothing says how many.
pub const RATE: f64 = 25.0;
/// Frames a second that can be asked for.
pub const RATES: std::ops::RangeInclusive<f64> = 0.01..=1_000.0;
/// Names of video files end so.
pub const EXTENSIONS: [&str; 8] = ["mp4", "mkv", "webm", "avi", "mov", "m4v", "mpg", "mpeg"];

/// Whether a file is a video by its name.
pub fn is_video_name(name: &str) -> bool {
    name.rsplit_once('.')
        .is_some_and(|(_, e)| EXTENSIONS.iter().any(|known| e.eq_ignore_ascii_case(known)))
}

/// The frames of a video as the label page needs them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Frames {
    /// When each frame is shown, in microseconds from the first; never falling.
    pub times_us: Vec<i64>,
}

/// When each of `n` frames is shown at a constant rate, in microseconds.
pub fn times(n: usize, rate: f64) -> Vec<i64> {
    (0..n).map(|i| (i as f64 * 1e6 / rate).round() as i64).collect()
}

/// Frames a second, from the times of the frames: [`RATE`] for a single one.
pub fn rate(times_us: &[i64]) -> f64 {
    match times_us {
        [first, .., last] if last > first => (times_us.len() - 1) as f64 * 1e6 / (last - first) as f64,
        _ => RATE,
    }
}

/// The item's bytes: a line for each frame with its time in microseconds and the digest of its picture. The same frames at
/// the same times are the same video.
pub fn manifest<'a>(frames: impl Iterator<Item = (i64, &'a str)>) -> String {
    let mut out = String::from("limn video 1\n");
    // Writing to a text cannot fail.
    for (time, digest) in frames {
        let _ = writeln!(out, "{time} {digest}");
    }
    out
}

/// Names as people count: `f2` before `f10`. Names that differ in leading zeros or case alone have an order too.
pub fn natural_order(a: &str, b: &str) -> Ordering {
    let (mut x, mut y) = (a.chars().peekable(), b.chars().peekable());
    loop {
        let (p, q) = match (x.peek().copied(), y.peek().copied()) {
            (None, None) => return a.cmp(b),
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(p), Some(q)) => (p, q),
        };
        let order = if p.is_ascii_digit() && q.is_ascii_digit() {
            let (m, n) = (number(&mut x), number(&mut y));
            m.len().cmp(&n.len()).then_with(|| m.cmp(&n))
        } else {
            x.next();
            y.next();
            p.to_lowercase().cmp(q.to_lowercase())
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// The digits that follow, without leading zeros.
fn number(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> String {
    let mut out = String::new();
    while let Some(c) = chars.next_if(char::is_ascii_digit) {
        if !(out.is_empty() && c == '0') {
            out.push(c);
        }
    }
    out
}

/// What a frame of a video is called among pictures: `clip.mp4` and 7 give `clip/000007.jpg`.
pub fn frame_name(video: &str, frame: u32, media_type: &str) -> String {
    let (folder, base) = video.rsplit_once('/').unwrap_or(("", video));
    let stem = base
        .rsplit_once('.')
        .map_or(base, |(s, _)| if s.is_empty() { base } else { s });
    let extension = match media_type {
        "image/png" => "png",
        "image/webp" => "webp",
        "image/gif" => "gif",
        "image/bmp" => "bmp",
        "image/tiff" => "tiff",
        _ => "jpg",
    };
    let slash = if folder.is_empty() { "" } else { "/" };
    format!("{folder}{slash}{stem}/{frame:06}.{extension}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_in_names_count() {
        let mut names = ["f10.png", "f9.png", "F1.png", "f010.png", "a/2", "a/10", "f1.png"];
        names.sort_by(|a, b| natural_order(a, b));
        assert_eq!(
            names,
            ["a/2", "a/10", "F1.png", "f1.png", "f9.png", "f010.png", "f10.png"]
        );
    }

    #[test]
    fn times_and_rates_fit() {
        assert_eq!(times(4, 30.0), [0, 33_333, 66_667, 100_000]);
        assert!((rate(&times(101, 30.0)) - 30.0).abs() < 1e-3);
        assert!((rate(&[0]) - 25.0).abs() < 1e-12);
        assert_eq!(frame_name("a/clip.mp4", 7, "image/jpeg"), "a/clip/000007.jpg");
        assert_eq!(frame_name("clip", 7, "image/png"), "clip/000007.png");
    }

    proptest! {
        #[test]
        fn the_order_of_names_is_one(a in "[aA0-3]{0,6}", b in "[aA0-3]{0,6}", c in "[aA0-3]{0,6}") {
            prop_assert_eq!(natural_order(&a, &b), natural_order(&b, &a).reverse());
            prop_assert_eq!(natural_order(&a, &b) == Ordering::Equal, a == b);
            if natural_order(&a, &b) != Ordering::Greater && natural_order(&b, &c) != Ordering::Greater {
                prop_assert_ne!(natural_order(&a, &c), Ordering::Greater);
            }
        }
    }
}

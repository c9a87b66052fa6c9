//! Reads MOTChallenge.

use super::CLASSES;
use super::keys::{Spot, keyframes};
use crate::error::FormatError;
use crate::findings::{Detail, Findings, quote};
use crate::model::{Imported, ImportedAnnotation, ImportedCategory, ImportedImage, ImportedShape};
use crate::names::stem;
use crate::read::{Lines, Reader, text};
use limn_domain::{Rect, Shape, validate, video};
use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, Read};

const TABLE_MAX: u64 = 1 << 20;
const LINE_MAX: u64 = 4 << 10;
const LINES_MAX: u64 = 20_000_000;
const TRACKS_MAX: usize = 200_000;
const CLASSES_MAX: usize = 10_000;

/// Reads `labels.txt` and `seqinfo.ini`, then `gt.txt`, of any number of videos.
#[derive(Debug, Default)]
pub struct MotReader {
    /// Names of classes, by the folder of the video.
    classes: HashMap<String, Vec<String>>,
    /// What `seqinfo.ini` calls the video, and the size of its frames.
    info: HashMap<String, Info>,
    categories: Vec<ImportedCategory>,
    by_name: HashMap<String, u32>,
}

#[derive(Debug, Default, Clone)]
struct Info {
    name: Option<String>,
    width: Option<f64>,
    height: Option<f64>,
}

/// The folder of the video that a file belongs to: that of `seqinfo.ini`, above `gt/`.
fn folder(path: &str) -> &str {
    let dir = path.rsplit_once('/').map_or("", |(dir, _)| dir);
    match dir.rsplit_once('/') {
        Some((above, "gt")) => above,
        None if dir == "gt" => "",
        _ => dir,
    }
}

/// A track while its lines are gathered.
#[derive(Debug)]
struct Gathered {
    category: u32,
    line: u32,
    spots: Vec<Spot>,
}

impl MotReader {
    fn category(&mut self, name: &str, line: u64) -> Option<u32> {
        if let Some(n) = self.by_name.get(name) {
            return Some(*n);
        }
        if self.categories.len() >= CLASSES_MAX {
            return None;
        }
        let n = self.categories.len() as u32;
        self.by_name.insert(name.to_owned(), n);
        self.categories.push(ImportedCategory {
            name: Some(name.to_owned()),
            line,
            ..ImportedCategory::default()
        });
        Some(n)
    }

    /// The category of a class of a video, from 1. Without names the classes are those of MOT16 to MOT20.
    fn class(&mut self, folder: &str, class: i64, line: u64) -> Result<u32, (&'static str, String)> {
        let at = usize::try_from(class - 1).ok();
        let name = match self.classes.get(folder) {
            Some(names) => at.and_then(|n| names.get(n)).cloned().ok_or_else(|| {
                let n = names.len();
                (
                    "unknown_class",
                    format!("The class is {class}, and labels.txt names {n}; classes count from 1."),
                )
            })?,
            None if class < 1 => "object".to_owned(),
            None => at
                .and_then(|n| CLASSES.get(n))
                .map_or_else(|| format!("class {class}"), |n| (*n).to_owned()),
        };
        self.category(&name, line).ok_or_else(|| {
            (
                "too_many",
                format!("Only {CLASSES_MAX} classes can be told apart."),
            )
        })
    }

    /// Reads a line into the tracks; answers what is wrong with it.
    fn line(
        &mut self,
        folder: &str,
        fields: &[&str],
        line: u64,
        tracks: &mut BTreeMap<(i64, i64), Gathered>,
    ) -> Result<(), (&'static str, String)> {
        let number = |n: usize| {
            fields
                .get(n)
                .and_then(|f| f.trim().parse::<f64>().ok())
                .filter(|v| v.is_finite())
        };
        let whole = |n: usize| {
            number(n)
                .filter(|v| v.fract() == 0.0 && v.abs() < 1e15)
                .map(|v| v as i64)
        };
        let (Some(frame), Some(id)) = (whole(0), whole(1)) else {
            return Err((
                "bad_record",
                "The line needs a frame and an id, whole numbers, first.".to_owned(),
            ));
        };
        let frame = u32::try_from(frame - 1)
            .ok()
            .filter(|f| (*f as usize) < video::FRAMES_MAX)
            .ok_or_else(|| ("bad_frame", format!("The frame is {frame}; frames count from 1.")))?;
        let (Some(x), Some(y), Some(w), Some(h)) = (number(2), number(3), number(4), number(5)) else {
            return Err((
                "bad_box",
                "The line needs left, top, width and height after the id.".to_owned(),
            ));
        };
        if w <= 0.0 || h <= 0.0 {
            return Err((
                "box_empty",
                "The box has no area; width and height must be above 0.".to_owned(),
            ));
        }
        let class = whole(7).unwrap_or(-1);
        let category = self.class(folder, class, line)?;
        // Lines without an id are no track: each is an object of its own.
        let key = if id < 0 {
            (i64::MIN, line as i64)
        } else {
            (id, i64::from(category))
        };
        if tracks.len() >= TRACKS_MAX && !tracks.contains_key(&key) {
            return Err((
                "too_many",
                format!("Only the first {TRACKS_MAX} tracks of a file are taken."),
            ));
        }
        let gathered = tracks.entry(key).or_insert_with(|| Gathered {
            category,
            line: u32::try_from(line).unwrap_or(0),
            spots: Vec::new(),
        });
        gathered.spots.push(Spot {
            frame,
            rect: Rect::new(x, y, w, h),
            occluded: number(8).is_some_and(|v| v <= 0.0),
        });
        Ok(())
    }
}

impl Reader for MotReader {
    fn table(
        &mut self,
        path: &str,
        reader: &mut dyn Read,
        findings: &mut Findings,
    ) -> Result<(), FormatError> {
        let text = text(reader, TABLE_MAX, "it has a few lines", findings)?;
        let folder = folder(path).to_owned();
        if !path.to_lowercase().ends_with(".ini") {
            let names = text
                .lines()
                .map(str::trim)
                .filter(|l| !l.is_empty())
                .take(CLASSES_MAX);
            let names: Vec<String> = names
                .map(|n| validate::name("category", n).unwrap_or_else(|_| quote(n)))
                .collect();
            for name in &names {
                self.category(name, 1);
            }
            self.classes.insert(folder, names);
            return Ok(());
        }
        let mut info = Info::default();
        for (key, value) in text.lines().filter_map(|l| l.split_once('=')) {
            let value = value.trim();
            match key.trim().to_lowercase().as_str() {
                "name" if !value.is_empty() => info.name = Some(value.to_owned()),
                "imwidth" => info.width = value.parse().ok(),
                "imheight" => info.height = value.parse().ok(),
                _ => {}
            }
        }
        self.info.insert(folder, info);
        Ok(())
    }

    fn begin(&mut self) -> Imported {
        Imported {
            categories: self.categories.clone(),
            ..Imported::default()
        }
    }

    fn labels(
        &mut self,
        path: &str,
        reader: &mut dyn Read,
        findings: &mut Findings,
    ) -> Result<Imported, FormatError> {
        let folder = folder(path).to_owned();
        let mut lines = Lines::new(reader, LINE_MAX);
        let mut tracks: BTreeMap<(i64, i64), Gathered> = BTreeMap::new();
        let (mut buffer, mut good, mut bad) = (Vec::new(), 0_u64, 0_u64);
        loop {
            buffer.clear();
            lines.record();
            let line = lines.line();
            match lines.read_until(b'\n', &mut buffer) {
                Ok(0) => break,
                Ok(_) => {}
                Err(e) if e.kind() == std::io::ErrorKind::InvalidData => {
                    findings.refused("record_too_long", || {
                        Detail::new(format!("{e}; what stands before was taken.")).line(line)
                    });
                    break;
                }
                Err(e) => return Err(e.into()),
            }
            let text = String::from_utf8_lossy(&buffer);
            let text = text.trim();
            if text.is_empty() {
                continue;
            }
            let fields: Vec<&str> = text.split(',').collect();
            match self.line(&folder, &fields, line, &mut tracks) {
                Ok(()) => good += 1,
                Err((code, why)) => {
                    bad += 1;
                    findings.refused(code, || Detail::new(why).line(line));
                }
            }
            if good + bad >= LINES_MAX {
                findings.refused("too_many", || {
                    Detail::new(format!("Only the first {LINES_MAX} lines of a file are taken.")).line(line)
                });
                break;
            }
        }
        if good == 0 && bad > 0 {
            return Err(FormatError::NotTheFormat(format!(
                "`{}` has no line of MOTChallenge, as in 1,1,10,20,30,40,1,1,1.",
                quote(findings.file())
            )));
        }
        let info = self.info.get(&folder).cloned().unwrap_or_default();
        // By the folder's own name, by all of its path below the archive, and by what the sequence calls itself.
        let own = folder.rsplit('/').next().unwrap_or_default();
        let below = folder.split_once('/').map_or("", |(_, rest)| rest);
        let mut names: Vec<String> = [below, own, info.name.as_deref().unwrap_or_default(), stem(own)]
            .into_iter()
            .filter(|n| !n.is_empty())
            .map(str::to_owned)
            .collect();
        names.dedup();
        let mut names = names.into_iter();
        let mut out = Imported {
            images: vec![ImportedImage {
                file_name: names.next().or_else(|| Some("sequence".to_owned())),
                alternatives: names.collect(),
                without_extension: true,
                size: info.width.zip(info.height),
                line: 1,
                ..ImportedImage::default()
            }],
            categories: self.categories.clone(),
            ..Imported::default()
        };
        for ((mut gathered, id), index) in tracks.into_iter().map(|((id, _), g)| (g, id)).zip(0_u32..) {
            gathered.spots.sort_by_key(|s| s.frame);
            let before = gathered.spots.len();
            gathered.spots.dedup_by_key(|s| s.frame);
            let twice = before - gathered.spots.len();
            if twice > 0 {
                findings.fixed("frame_twice", || {
                    Detail::new(format!(
                        "The track {id} has several boxes on {twice} frames; the first of each was taken."
                    ))
                    .line(gathered.line.into())
                });
            }
            out.annotations.push(ImportedAnnotation {
                image: 0,
                category: gathered.category,
                shape: ImportedShape::Other(Box::new(Shape::Track {
                    keyframes: keyframes(&gathered.spots),
                })),
                score: None,
                attributes: None,
                links: None,
                id: (id >= 0).then_some(id),
                index,
                line: gathered.line,
            });
        }
        Ok(out)
    }
}

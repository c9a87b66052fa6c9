//! Writes MOTChallenge.

use crate::write::{Dataset, Geometry, Item, Label, Output, Tally, Writer};
use limn_domain::{Shape, track, video};
use std::fmt::Write as _;
use std::io;

#[derive(Debug)]
pub struct MotWriter {
    dataset: Dataset,
    names: Vec<String>,
}

impl MotWriter {
    pub fn new(dataset: Dataset) -> Self {
        Self {
            names: dataset.names(),
            dataset,
        }
    }
}

/// A line of a text file: what would end it is a space.
fn line(text: &str) -> String {
    text.replace(['\r', '\n'], " ")
}

impl Writer for MotWriter {
    fn begin(&mut self, _: &mut dyn Output) -> io::Result<()> {
        Ok(())
    }

    fn item(
        &mut self,
        item: &Item<'_>,
        labels: &[Label<'_>],
        out: &mut dyn Output,
        tally: &mut Tally,
    ) -> io::Result<()> {
        let frames = item.times_us.len();
        if frames == 0 {
            tally.left_out("pictures", "MOTChallenge holds videos only", item.name);
            return Ok(());
        }
        let folder = item.stem();
        let tracks: Vec<(usize, &Label<'_>)> = labels
            .iter()
            .filter(|l| {
                let is_track = matches!(l.shape, Shape::Track { .. });
                if !is_track {
                    tally.left_out(
                        Geometry::from(l.shape).kind(),
                        "MOTChallenge holds tracks only",
                        item.name,
                    );
                }
                is_track
            })
            .zip(1..)
            .map(|(l, id)| (id, l))
            .collect();
        let mut text = String::new();
        for frame in 0..u32::try_from(frames).unwrap_or(u32::MAX) {
            for (id, label) in &tracks {
                let seen = track::at(label.shape.keyframes(), frame);
                let boxed = seen.and_then(|s| Some((s.shape.bounds()?, s.occluded)));
                let Some((rect, occluded)) = boxed else { continue };
                let Some(r) = Geometry::boxed(rect, item.size()) else {
                    continue;
                };
                let class = label.category + 1;
                let visibility = u8::from(!occluded);
                let _ = writeln!(
                    text,
                    "{},{id},{},{},{},{},1,{class},{visibility}",
                    frame + 1,
                    r.x,
                    r.y,
                    r.w,
                    r.h
                );
            }
        }
        for (_, label) in &tracks {
            let boxes = label
                .shape
                .keyframes()
                .iter()
                .all(|k| matches!(k.shape, Shape::Box { .. }));
            if !boxes {
                tally.changed("tracks are not of boxes alone; the boxes around their shapes are written");
            }
        }
        tally.items += 1;
        tally.labels += tracks.len() as u64;
        out.file(&format!("{folder}/gt/gt.txt"), text.as_bytes())?;
        let mut names = String::new();
        for n in &self.names {
            let _ = writeln!(names, "{}", line(n));
        }
        out.file(&format!("{folder}/gt/labels.txt"), names.as_bytes())?;
        let rate = video::rate(item.times_us);
        let rate = if (rate - rate.round()).abs() < 1e-3 {
            format!("{}", rate.round())
        } else {
            format!("{rate:.3}")
        };
        let info = format!(
            "[Sequence]\nname={}\nimDir=img1\nframeRate={rate}\nseqLength={frames}\nimWidth={}\nimHeight={}\nimExt=.jpg\n",
            line(folder),
            item.width,
            item.height
        );
        out.file(&format!("{folder}/seqinfo.ini"), info.as_bytes())
    }

    fn finish(&mut self, _: &mut dyn Output) -> io::Result<()> {
        let _ = &self.dataset;
        Ok(())
    }

    fn frame(&self, name: &str, frame: u32, media_type: &str) -> String {
        let base = video::frame_name(name, frame, media_type);
        let (folder, file) = base.rsplit_once('/').unwrap_or(("", &base));
        let extension = file.rsplit_once('.').map_or("jpg", |(_, e)| e);
        format!("{folder}/img1/{:06}.{extension}", frame + 1)
    }
}

//! Networks that find an object by clicks, of the make of SAM (Kirillov et al. 2023): an encoder that looks at a picture once, and a decoder that
//! answers clicks. Which make a pair is of is told by the names of what goes in and comes out.

use super::canvas::{Canvas, Fit, Placed, SIDE_MAX};
use super::file::{File, Kind, Port, list, short};
use super::{Net, Values, apart};
use crate::Picture;
use crate::error::{MlError, Result, Stop};
use limn_domain::smart::Clicks;
use limn_domain::{Mask, Point};
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes of what an encoder says of a picture.
const SEEN_MAX: usize = 64 << 20;
/// Decoders that are kept ready, each for a number of points.
const READY: usize = 4;
/// Pixels around an object that a mask is made of.
const PIXELS_MAX: usize = 64_000_000;
/// What encoders say of the whole picture: SAM's and SAM 2's.
const EMBEDDED: [&str; 2] = ["image_embeddings", "image_embed"];
const POINTS: &str = "point_coords";
const LABELS: &str = "point_labels";
const MASK_IN: &str = "mask_input";
const HAS_MASK: &str = "has_mask_input";
/// Of the picture, where the decoder makes masks of its size: that of the square.
const SIZE: &str = "orig_im_size";

fn refused(part: &str, why: &str) -> MlError {
    MlError::Refused(format!(
        "{part} cannot be used: {why}. Wanted are the two files that SAM, MobileSAM, EdgeSAM or SAM 2 are exported as: an encoder from `image` (or `input_image`) to `image_embeddings` (SAM 2: \
         `image_embed`, `high_res_feats_0` and `_1`), and a decoder from these, `point_coords` and `point_labels` to `low_res_masks` and `iou_predictions` \
         (EdgeSAM: `masks` and `scores`)."
    ))
}

/// An encoder and its decoder.
#[derive(Debug)]
pub(crate) struct Pair {
    encoder: Net,
    canvas: Canvas,
    fit: Fit,
    /// What the encoder says, by name, in order.
    says: Vec<String>,
    decoder: File,
    /// The decoder's inputs in order, with the sides that the file fixes.
    takes: Vec<Port>,
    masks: String,
    ready: Mutex<Vec<(usize, Arc<Decoder>)>>,
}

/// A decoder for a number of points.
#[derive(Debug)]
struct Decoder {
    net: Net,
    /// Which of its outputs are the masks; the other has their scores.
    masks: usize,
}

impl Pair {
    /// Reads both files and answers a click by them. [`MlError::Refused`] says what is wrong with which.
    pub fn open(encoder: &[u8], decoder: &[u8]) -> Result<Self> {
        apart(|| {
            let of_encoder = |why: String| refused("The encoder", &why);
            let of_decoder = |why: String| refused("The decoder", &why);
            let mut first = File::read(encoder).map_err(of_encoder)?;
            let mut second = File::read(decoder).map_err(of_decoder)?;
            let outputs = first.outputs();
            let (masks, scores) = answers(&second.outputs()).map_err(of_decoder)?;
            second.keep(&[masks.as_str(), scores.as_str()]);
            let mut takes = second.inputs();
            let (says, fit) = said_between(&outputs, &takes)?;
            first.keep(&says.iter().map(String::as_str).collect::<Vec<_>>());
            let canvas = Canvas::of(&first.inputs()).map_err(of_encoder)?;
            first.unknown().map_err(of_encoder)?;
            second.unknown().map_err(of_decoder)?;
            first.fix(&canvas.name, &canvas.shape());
            if takes.iter().any(|t| t.name == SIZE) {
                second.give(SIZE, &[canvas.side as f32; 2]);
                takes = second.inputs();
            }
            let encoder = Net::of(&mut first).map_err(of_encoder)?;
            drop(first);
            // Outputs come in the order that the file has them.
            let says = outputs
                .into_iter()
                .map(|o| o.name)
                .filter(|name| says.contains(name))
                .collect();
            let this = Self {
                encoder,
                canvas,
                fit,
                says,
                decoder: second,
                takes,
                masks,
                ready: Mutex::default(),
            };
            if this.seen_bytes() > SEEN_MAX {
                return Err(of_encoder(format!(
                    "what it says of a picture takes more than {} megabytes",
                    SEEN_MAX >> 20
                )));
            }
            let nothing = vec![0; this.seen_bytes()];
            this.answer(&nothing, &[([0.0, 0.0], 1.0), ([0.0, 0.0], -1.0)], &|| false)?;
            Ok(this)
        })
    }

    /// Pixels a side of the encoder's square.
    pub const fn side(&self) -> u32 {
        self.canvas.side as u32
    }

    /// Steps of the encoder.
    pub fn steps(&self) -> usize {
        self.encoder.plan.order_without_consts().len()
    }

    /// Bytes of what the encoder says.
    pub fn seen_bytes(&self) -> usize {
        self.seen() * 4
    }

    /// Numbers of what the encoder says.
    fn seen(&self) -> usize {
        self.encoder
            .gives
            .iter()
            .map(|s| s.iter().product::<usize>())
            .sum()
    }

    /// Looks at a picture: what the decoder needs to know of it, as bytes.
    pub fn encode(&self, picture: &Picture, stop: Stop<'_>) -> Result<Vec<u8>> {
        let input = self.canvas.values(picture, self.fit);
        let found = apart(|| self.encoder.run(&[input], stop))?;
        let whole = found.iter().flat_map(|v| &v.values);
        Ok(whole.flat_map(|v| v.to_le_bytes()).collect())
    }

    /// The object of a picture of `width` x `height` pixels that was seen as [`Self::encode`] says: by clicks on it and beside it, and by a box
    /// around it. Nothing, where the network finds nothing.
    pub fn find(
        &self,
        seen: &[u8],
        [width, height]: [u32; 2],
        told: &Clicks,
        stop: Stop<'_>,
    ) -> Result<Option<Mask>> {
        if seen.len() != self.seen_bytes() {
            return Err(MlError::Broken(
                "What was kept of the picture is of another network.".to_owned(),
            ));
        }
        let placed = self
            .fit
            .place(f64::from(width), f64::from(height), self.canvas.side);
        let at = |p: Point| {
            [
                (p.x * placed.across / f64::from(width)) as f32,
                (p.y * placed.down / f64::from(height)) as f32,
            ]
        };
        let mut points: Vec<([f32; 2], f32)> = told
            .clicks
            .iter()
            .map(|c| (at(c.at), if c.include { 1.0 } else { 0.0 }))
            .collect();
        match told.frame {
            Some(r) => {
                points.push((at(Point::new(r.x, r.y)), 2.0));
                points.push((at(Point::new(r.right(), r.bottom())), 3.0));
            }
            // Without a box, a point that is none; decoders of SAM 2 add it themselves.
            None if self.fit == Fit::Padded => points.push(([0.0, 0.0], -1.0)),
            None => {}
        }
        let map = apart(|| self.answer(seen, &points, stop))?;
        drawn(&map, placed, self.canvas.side, [width, height])
    }

    /// On a thread of [`apart`].
    fn answer(&self, seen: &[u8], points: &[([f32; 2], f32)], stop: Stop<'_>) -> Result<Scored> {
        let decoder = self.decoder_for(points.len())?;
        let inputs = self.prompt(seen, points)?;
        let found = decoder.net.run(&inputs, stop)?;
        best(&found, decoder.masks, points.len())
    }

    /// The decoder's inputs, in its order.
    fn prompt(&self, seen: &[u8], points: &[([f32; 2], f32)]) -> Result<Vec<Values>> {
        let (fours, _) = seen.as_chunks::<4>();
        let mut said = Vec::with_capacity(self.says.len());
        let mut at = 0;
        for (name, shape) in self.says.iter().zip(&self.encoder.gives) {
            let n: usize = shape.iter().product();
            let values = fours[at..at + n].iter().map(|b| f32::from_le_bytes(*b)).collect();
            said.push((name, Values::new(shape.clone(), values)));
            at += n;
        }
        let mut inputs = Vec::with_capacity(self.takes.len());
        for port in &self.takes {
            let shape = self.shape(port, points.len())?;
            let n: usize = shape.iter().product();
            let values = match port.name.as_str() {
                POINTS => points.iter().flat_map(|p| p.0).collect(),
                LABELS => points.iter().map(|p| p.1).collect(),
                MASK_IN | HAS_MASK => vec![0.0; n],
                name => match said.iter().position(|(said, _)| *said == name) {
                    Some(n) => said.swap_remove(n).1.values,
                    None => Vec::new(),
                },
            };
            inputs.push(Values::new(shape, values));
        }
        Ok(inputs)
    }

    /// The sides of one of the decoder's inputs for a number of points.
    fn shape(&self, port: &Port, points: usize) -> Result<Vec<usize>> {
        let fixed = || {
            port.dims
                .as_ref()?
                .iter()
                .copied()
                .collect::<Option<Vec<usize>>>()
        };
        let one = |sides: &Vec<usize>| sides.iter().all(|n| *n == 1);
        let said = self.says.iter().position(|s| *s == port.name);
        match (port.name.as_str(), said) {
            (_, Some(n)) => Ok(self.encoder.gives[n].clone()),
            (POINTS, _) => Ok(vec![1, points, 2]),
            (LABELS, _) => Ok(vec![1, points]),
            (HAS_MASK, _) => Ok(fixed().filter(one).unwrap_or_else(|| vec![1])),
            _ => self.mask_in(port).ok_or_else(|| {
                refused(
                    "The decoder",
                    &format!("the size of its input {} is not told", short(&port.name)),
                )
            }),
        }
    }

    /// The sides of a mask that goes in: what the file fixes of them; else four times as fine as what the encoder says of the whole picture.
    fn mask_in(&self, port: &Port) -> Option<Vec<usize>> {
        let at = self.says.iter().position(|s| EMBEDDED.contains(&s.as_str()))?;
        let [.., h, w] = self.encoder.gives.get(at)?[..] else {
            return None;
        };
        let told = |side: usize| match port.dims.as_deref() {
            Some(dims) if dims.len() == 4 => dims[side],
            _ => None,
        };
        let sides = [told(2).unwrap_or(h * 4), told(3).unwrap_or(w * 4)];
        let fits = sides.iter().all(|n| (1..=SIDE_MAX).contains(n));
        fits.then(|| vec![1, 1, sides[0], sides[1]])
    }

    /// The decoder for a number of points; made ready where it is not. On a thread of [`apart`].
    fn decoder_for(&self, points: usize) -> Result<Arc<Decoder>> {
        let ready = || self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, found)) = ready().iter().find(|(n, _)| *n == points) {
            return Ok(Arc::clone(found));
        }
        let mut file = self.decoder.clone();
        for port in &self.takes {
            file.fix(&port.name, &self.shape(port, points)?);
        }
        let masks = usize::from(file.outputs().first().is_none_or(|o| o.name != self.masks));
        let net = Net::of(&mut file).map_err(|why| refused("The decoder", &why))?;
        let (of_masks, of_scores) = (&net.gives[masks], &net.gives[1 - masks]);
        let fits = matches!((&of_masks[..], &of_scores[..]), ([1, n, h, w], [1, m]) if n == m && *n > 0 && *h > 1 && *w > 1);
        if !fits {
            return Err(refused(
                "The decoder",
                &format!("its masks have the form {of_masks:?} and their scores {of_scores:?}"),
            ));
        }
        let made = Arc::new(Decoder { net, masks });
        let mut kept = ready();
        if kept.len() >= READY {
            kept.remove(0);
        }
        kept.push((points, Arc::clone(&made)));
        drop(kept);
        Ok(made)
    }
}

/// A map of how sure the network is, above 0 of the object.
struct Scored {
    width: usize,
    height: usize,
    values: Vec<f32>,
}

/// The mask with the best score. Of four the first is meant for several points, and the others for a single one, which may mean more than one thing: so
/// SAM's own exporter chooses (`select_masks`), by as many points as go in.
fn best(found: &[Values], masks: usize, points: usize) -> Result<Scored> {
    let broken = || MlError::Broken("The decoder gives other masks than it says.".to_owned());
    let ([_, _, h, w], Some(scores)) = (
        found.get(masks).map_or(&[][..], |v| &v.shape[..]),
        found.get(1 - masks),
    ) else {
        return Err(broken());
    };
    let (width, height) = (*w, *h);
    let among = match scores.values.len() {
        4 if points > 2 => 0..1,
        4 => 1..4,
        n => 0..n,
    };
    let n = among
        .max_by(|a, b| scores.values[*a].total_cmp(&scores.values[*b]))
        .ok_or_else(broken)?;
    let values = found[masks]
        .values
        .get(n * width * height..(n + 1) * width * height)
        .ok_or_else(broken)?
        .to_vec();
    if values.iter().any(|v| v.is_nan()) {
        return Err(MlError::Refused(
            "The network gives what is no number; use another.".to_owned(),
        ));
    }
    Ok(Scored {
        width,
        height,
        values,
    })
}

/// The map as a mask of the picture's own pixels, mixed between its places so that borders have no steps.
fn drawn(map: &Scored, placed: Placed, side: usize, [width, height]: [u32; 2]) -> Result<Option<Mask>> {
    // Places of the map a pixel.
    let per_x = placed.across / f64::from(width) * map.width as f64 / side as f64;
    let per_y = placed.down / f64::from(height) * map.height as f64 / side as f64;
    let (mut left, mut top, mut right, mut bottom) = (map.width, map.height, 0, 0);
    for (y, row) in map.values.chunks_exact(map.width).enumerate() {
        for (x, _) in row.iter().enumerate().filter(|(_, v)| **v > 0.0) {
            (left, right) = (left.min(x), right.max(x + 1));
            (top, bottom) = (top.min(y), bottom.max(y + 1));
        }
    }
    if left >= right {
        return Ok(None);
    }
    // Pixels whose mixture may take from one of these places.
    let range = |from: usize, to: usize, per: f64, most: u32| {
        let first = ((from as f64 - 0.5) / per - 0.5)
            .floor()
            .clamp(0.0, f64::from(most));
        let last = ((to as f64 + 0.5) / per + 0.5).ceil().clamp(0.0, f64::from(most));
        (first as u32, last as u32)
    };
    let (x0, x1) = range(left, right, per_x, width);
    let (y0, y1) = range(top, bottom, per_y, height);
    if x0 >= x1 || y0 >= y1 {
        return Ok(None);
    }
    let (across, down) = ((x1 - x0) as usize, (y1 - y0) as usize);
    if across * down > PIXELS_MAX {
        return Err(MlError::refused(
            "The object is too large for a mask of single pixels; draw a box around a smaller part, or outline it.",
        ));
    }
    let mixed = |n: u32, per: f64, most: usize| {
        let at = ((f64::from(n) + 0.5) * per - 0.5).clamp(0.0, (most - 1) as f64);
        let first = (at as usize).min(most - 1);
        (first, (first + 1).min(most - 1), (at - first as f64) as f32)
    };
    let columns: Vec<(usize, usize, f32)> = (x0..x1).map(|x| mixed(x, per_x, map.width)).collect();
    let mut pixels = vec![0_u8; across * down];
    for (y, row) in (y0..y1).zip(pixels.chunks_exact_mut(across)) {
        let (a, b, part) = mixed(y, per_y, map.height);
        let (a, b) = (&map.values[a * map.width..], &map.values[b * map.width..]);
        for (pixel, (l, r, share)) in row.iter_mut().zip(&columns) {
            let above = a[*l] * (1.0 - share) + a[*r] * share;
            let below = b[*l] * (1.0 - share) + b[*r] * share;
            *pixel = u8::from(above * (1.0 - part) + below * part > 0.0);
        }
    }
    Ok(Mask::from_pixels(x0, y0, across as u32, down as u32, &pixels))
}

/// The names of the decoder's masks and of their scores.
fn answers(outputs: &[Port]) -> Result<(String, String), String> {
    let first = |names: [&str; 2]| {
        let found = names.into_iter().find(|n| outputs.iter().any(|o| o.name == *n));
        found.map(str::to_owned).ok_or_else(|| {
            let has = list(outputs.iter().map(|o| short(&o.name)));
            format!("it gives neither `{}` nor `{}`, but {has}", names[0], names[1])
        })
    };
    Ok((
        first(["low_res_masks", "masks"])?,
        first(["iou_predictions", "scores"])?,
    ))
}

/// The encoder's outputs that the decoder takes, and what that says of the make.
fn said_between(says: &[Port], takes: &[Port]) -> Result<(Vec<String>, Fit)> {
    let prompts = [POINTS, LABELS, MASK_IN, HAS_MASK, SIZE];
    for needed in [POINTS, LABELS] {
        if !takes.iter().any(|t| t.name == needed) {
            return Err(refused("The decoder", &format!("it takes no `{needed}`")));
        }
    }
    let mut between = Vec::new();
    for port in takes {
        let name = short(&port.name);
        if port.kind != Kind::Float {
            return Err(refused(
                "The decoder",
                &format!("its input {name} takes no 32-bit floats"),
            ));
        }
        if prompts.contains(&port.name.as_str()) {
            continue;
        }
        if !says.iter().any(|s| s.name == port.name) {
            let has = list(says.iter().map(|s| short(&s.name)));
            return Err(refused(
                "The pair",
                &format!("the decoder takes `{name}`, which the encoder does not give; it gives {has}"),
            ));
        }
        between.push(port.name.clone());
    }
    let has = |name: &str| between.iter().any(|b| b == name);
    if has(EMBEDDED[0]) && between.len() == 1 {
        return Ok((between, Fit::Padded));
    }
    if has(EMBEDDED[1]) {
        return Ok((between, Fit::Stretched));
    }
    let has = list(between.iter().map(|b| short(b)));
    Err(refused(
        "The pair",
        &format!("what goes from encoder to decoder is of no known make ({has})"),
    ))
}

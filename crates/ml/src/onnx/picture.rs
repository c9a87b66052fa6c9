//! A network that describes pictures.

use super::file::{File, Kind, Port, list, short};
use super::{Net, Values, apart, side_by_side};
use crate::Picture;
use crate::backbone::{DEVIATION, MEAN, even};
use crate::error::{MlError, Result, Stop, check};
use crate::nets::threads;

/// A side of the input where the file leaves it open.
const SIDE: usize = 224;
const SIDE_MIN: usize = 8;
const SIDE_MAX: usize = 1024;
/// Pictures at once that a file may fix.
const BATCH_MAX: usize = 64;
/// Numbers of a description.
const DIMS: std::ops::RangeInclusive<usize> = 2..=8_192;

fn refused(why: &str) -> MlError {
    MlError::Refused(format!(
        "This ONNX file cannot describe pictures: {why}. Wanted is a network with one input, a picture in 32-bit floats as [n, 3, height, width] or \
         [n, height, width, 3], normalised as for ImageNet, and one output, [n, numbers] or a map of features that is then averaged."
    ))
}

/// Where the channels are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    First,
    Last,
}

/// Describes pictures by an ONNX file.
#[derive(Debug)]
pub(crate) struct Described {
    net: Net,
    layout: Layout,
    batch: usize,
    height: usize,
    width: usize,
}

impl Described {
    /// Reads a file and describes a picture by it. [`MlError::Refused`] says what is wrong with it.
    pub fn open(bytes: &[u8]) -> Result<Self> {
        apart(|| {
            let mut file = File::read(bytes).map_err(|why| refused(&why))?;
            let of = Self::input(&file.inputs()).map_err(|why| refused(&why))?;
            let output = one_output(&file.outputs()).map_err(|why| refused(&why))?;
            file.keep(&[output.as_str()]);
            file.unknown().map_err(|why| refused(&why))?;
            let (input, layout, [batch, height, width]) = of;
            file.fix(&input, &shape(layout, batch, height, width));
            let net = Net::of(&mut file).map_err(|why| refused(&why))?;
            drop(file);
            let this = Self {
                net,
                layout,
                batch,
                height,
                width,
            };
            this.pooled_form().map_err(|why| refused(&why))?;
            let grey = Picture::new(1, 1, vec![128; 3]).ok_or_else(|| refused("there is no picture"))?;
            this.embed_here(&[grey], &|| false)?;
            Ok(this)
        })
    }

    /// Which input is the picture, where its channels are, and how many of which height and width it takes.
    fn input(inputs: &[Port]) -> Result<(String, Layout, [usize; 3]), String> {
        let [input] = inputs else {
            let names = list(inputs.iter().map(|i| short(&i.name)));
            return Err(format!("it has {} inputs ({names})", inputs.len()));
        };
        let name = short(&input.name);
        if input.kind != Kind::Float {
            return Err(format!("its input {name} takes no 32-bit floats"));
        }
        let Some([n, a, b, c]) = input.dims.as_deref() else {
            return Err(format!("its input {name} has not the four sides of pictures"));
        };
        let (layout, height, width) = match (a, c) {
            (Some(3), _) => (Layout::First, b, c),
            (_, Some(3)) => (Layout::Last, a, b),
            _ => {
                return Err(format!(
                    "its input {name} has not 3 channels, red, green and blue"
                ));
            }
        };
        let (batch, height, width) = (n.unwrap_or(1), height.unwrap_or(SIDE), width.unwrap_or(SIDE));
        let sides = SIDE_MIN..=SIDE_MAX;
        if !sides.contains(&height) || !sides.contains(&width) {
            return Err(format!(
                "its input {name} is {width} x {height} pixels; {SIDE_MIN} to {SIDE_MAX} a side can be used"
            ));
        }
        if batch > BATCH_MAX {
            return Err(format!(
                "its input {name} takes {batch} pictures at once; {BATCH_MAX} is the most"
            ));
        }
        Ok((input.name.clone(), layout, [batch, height, width]))
    }

    /// The longer side of pictures that it wants.
    pub const fn side(&self) -> u32 {
        (if self.height > self.width {
            self.height
        } else {
            self.width
        }) as u32
    }

    /// Numbers of a description, and the places of a map that each is averaged over.
    fn pooled_form(&self) -> Result<(usize, usize), String> {
        let shape = self.net.gives.first().map_or(&[][..], Vec::as_slice);
        let (dims, places) = match (shape, self.layout) {
            ([n, dims], _) if *n == self.batch => (*dims, 1),
            ([n, dims, h, w], Layout::First) if *n == self.batch => (*dims, h * w),
            ([n, h, w, dims], Layout::Last) if *n == self.batch => (*dims, h * w),
            _ => {
                return Err(format!(
                    "its output has the form {shape:?} for {} of {} x {} pixels",
                    self.batch, self.width, self.height
                ));
            }
        };
        if !DIMS.contains(&dims) || places == 0 {
            return Err(format!("its output has {dims} numbers for each picture"));
        }
        Ok((dims, places))
    }

    /// Describes pictures: one vector each, all of one length.
    pub fn embed(&self, pictures: &[Picture], stop: Stop<'_>) -> Result<Vec<Vec<f32>>> {
        if pictures.is_empty() {
            return Ok(Vec::new());
        }
        let each = pictures
            .len()
            .div_ceil(threads::half())
            .next_multiple_of(self.batch);
        let work = pictures
            .chunks(each)
            .map(|part| move || self.embed_here(part, stop))
            .collect();
        Ok(side_by_side(work)?.into_iter().flatten().collect())
    }

    fn embed_here(&self, pictures: &[Picture], stop: Stop<'_>) -> Result<Vec<Vec<f32>>> {
        let (dims, places) = self.pooled_form().map_err(|why| refused(&why))?;
        let mut out = Vec::with_capacity(pictures.len());
        for part in pictures.chunks(self.batch) {
            check(stop)?;
            let mut input: Vec<f32> = part.iter().flat_map(|p| self.numbers(p)).collect();
            // A batch that the file fixes is filled with nothing.
            input.resize(self.batch * 3 * self.height * self.width, 0.0);
            let input = Values::new(shape(self.layout, self.batch, self.height, self.width), input);
            let found = self.net.run(&[input], stop)?;
            let found = found
                .first()
                .filter(|v| v.values.len() == self.batch * dims * places);
            let found = found.ok_or_else(|| refused("its output has another size each time"))?;
            for one in found.values.chunks_exact(dims * places).take(part.len()) {
                out.push(even(&self.pooled(one, dims, places))?);
            }
        }
        Ok(out)
    }

    /// The mean of each number over all places.
    fn pooled(&self, one: &[f32], dims: usize, places: usize) -> Vec<f32> {
        let mean = |sum: f64| (sum / places as f64) as f32;
        match self.layout {
            Layout::First => one
                .chunks_exact(places)
                .map(|channel| mean(channel.iter().map(|v| f64::from(*v)).sum()))
                .collect(),
            Layout::Last => (0..dims)
                .map(|d| mean(one.iter().skip(d).step_by(dims).map(|v| f64::from(*v)).sum()))
                .collect(),
        }
    }

    /// A picture as the network wants it; its sides are scaled apart, so that nothing of it is left out.
    fn numbers(&self, p: &Picture) -> Vec<f32> {
        let pixels = self.height * self.width;
        let planes = p.scaled(self.width, self.height, 3);
        let at = |c: usize, i: usize| (planes[c * pixels + i] - MEAN[c]) / DEVIATION[c];
        match self.layout {
            Layout::First => (0..3 * pixels).map(|i| at(i / pixels, i % pixels)).collect(),
            Layout::Last => (0..3 * pixels).map(|i| at(i % 3, i / 3)).collect(),
        }
    }
}

fn one_output(outputs: &[Port]) -> Result<String, String> {
    if let [output] = outputs {
        return Ok(output.name.clone());
    }
    let names = list(outputs.iter().map(|o| short(&o.name)));
    Err(format!("it has {} outputs ({names})", outputs.len()))
}

fn shape(layout: Layout, batch: usize, height: usize, width: usize) -> Vec<usize> {
    match layout {
        Layout::First => vec![batch, 3, height, width],
        Layout::Last => vec![batch, height, width, 3],
    }
}

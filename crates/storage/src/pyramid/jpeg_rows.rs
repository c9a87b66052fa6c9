//! JPEG by rows, through libjpeg. A JPEG of one scan takes the memory of a few rows; one of several scans (progressive)
//! has all its coefficients in memory, and is only taken within the limit.

use super::rows::{AnyRows, Opened, Rows};
use crate::decode::ImageLimits;
use crate::jpeg::{self, Frame};
use crate::staged::{ReadSeek, Source};
use crate::{Result, StorageError};
use mozjpeg::{ColorSpace, Decompress, decompress::DecompressStarted};
use std::io::BufReader;
use std::panic::{AssertUnwindSafe, catch_unwind};

type Started = DecompressStarted<BufReader<Box<dyn ReadSeek>>>;

struct JpegRows {
    source: Source,
    started: Option<Started>,
    cmyk: Vec<u8>,
    frame: Frame,
}

pub(crate) fn open(source: &Source, limits: &ImageLimits) -> Result<Opened> {
    let frame = jpeg::frame(&mut source.reader()?)?;
    if frame.precision != 8 {
        return Err(StorageError::Unwieldy(format!(
            "it is a JPEG of {} bits a sample, which is not supported; convert it to a TIFF or PNG of 16 bits.",
            frame.precision
        )));
    }
    let memory = frame.memory();
    if memory > limits.max_alloc {
        return Err(StorageError::Unwieldy(format!(
            "reading a progressive JPEG of this size would take {} MiB of memory, {} MiB are allowed; save it as a baseline JPEG or as a tiled TIFF.",
            (memory >> 20) + 1,
            limits.max_alloc >> 20
        )));
    }
    let (width, height, channels) = (
        frame.width,
        frame.height,
        if frame.components == 1 { 1 } else { 3 },
    );
    Ok(Opened {
        width,
        height,
        channels,
        rows: AnyRows::Eight(Box::new(JpegRows {
            source: source.clone(),
            started: None,
            cmyk: Vec::new(),
            frame,
        })),
        memory,
        lossy: true,
    })
}

impl JpegRows {
    fn start(&self) -> Result<Started> {
        let space = match self.frame.components {
            1 => ColorSpace::JCS_GRAYSCALE,
            4 => ColorSpace::JCS_CMYK,
            _ => ColorSpace::JCS_RGB,
        };
        if !jpeg::is_complete(&mut self.source.reader()?)? {
            return Err(StorageError::Truncated("JPEG"));
        }
        let reader = self.source.reader()?;
        guarded(|| Decompress::new_reader(reader)?.to_colorspace(space))
    }
}

impl Rows<u8> for JpegRows {
    fn next(&mut self, row: &mut [u8]) -> Result<()> {
        if self.started.is_none() {
            self.started = Some(self.start()?);
        }
        let Some(started) = self.started.as_mut() else {
            return Err(StorageError::Stopped);
        };
        if self.frame.components != 4 {
            return guarded(|| started.read_scanlines_into(row).map(|_| ()));
        }
        self.cmyk.resize(self.frame.width as usize * 4, 0);
        let cmyk = &mut self.cmyk;
        guarded(|| started.read_scanlines_into(&mut cmyk[..]).map(|_| ()))?;
        // As Adobe writes it, inverted: 255 is no ink.
        for (from, to) in self.cmyk.chunks_exact(4).zip(row.chunks_exact_mut(3)) {
            for (t, f) in to.iter_mut().zip(from) {
                *t = ((u32::from(*f) * u32::from(from[3]) + 127) / 255) as u8;
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        match self.started.take() {
            Some(started) => guarded(|| started.finish()),
            None => Ok(()),
        }
    }
}

/// Runs a call into libjpeg, whose way to give up is to unwind.
fn guarded<T>(f: impl FnOnce() -> std::io::Result<T>) -> Result<T> {
    match catch_unwind(AssertUnwindSafe(f)) {
        Ok(Ok(v)) => Ok(v),
        Ok(Err(e)) if e.kind() == std::io::ErrorKind::UnexpectedEof => Err(StorageError::Truncated("JPEG")),
        Ok(Err(e)) => Err(e.into()),
        Err(payload) => {
            let said = payload
                .downcast_ref::<String>()
                .map_or("the decoder gave up", String::as_str);
            let said = said.strip_prefix("libjpeg fatal error: ").unwrap_or(said);
            Err(StorageError::Corrupt {
                kind: "JPEG",
                detail: crate::error::plain(said),
            })
        }
    }
}

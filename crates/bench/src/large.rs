//! A picture of 30,000 x 30,000 pixels, as TIFF and as JPEG: taking it in, cutting it into tiles, and what memory that takes.

use crate::labelers::make_project;
use crate::server::{Server, answer};
use crate::table::Table;
use anyhow::{Context, Result, bail};
use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use image::codecs::jpeg::JpegEncoder;
use image::{GenericImageView, Rgb};
use limn_domain::item::AddItemOutcome;
use limn_domain::job::{Job, JobState};
use limn_domain::picture::Picture;
use limn_domain::{ItemId, Page, ProjectId};
use reqwest::Method;
use std::fs::File;
use std::io::{BufWriter, Read as _, Seek as _, SeekFrom, Write};
use std::path::Path;
use std::time::{Duration, Instant};

/// Pixels a side.
const SIDE: u32 = 30_000;
const QUICK_SIDE: u32 = 9_000;
/// Rows of a strip.
const STRIP: u32 = 16;

/// The same every time: soft shapes with a little noise, as photos compress.
fn pixel(x: u32, y: u32) -> [u8; 3] {
    let soft = (x / 37 + y / 53) & 0xff;
    let noise = (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(2_246_822_519)) >> 29;
    [soft, (x / 119) & 0xff, (y / 119) & 0xff].map(|v| (v.min(240) + noise) as u8)
}

/// Writes `large.tif` and `large.jpg` into `dir` and measures what the server makes of them; the files stay.
pub async fn measure(server: &Server, dir: &Path, quick: bool, table: &mut Table) -> Result<()> {
    let side = if quick { QUICK_SIDE } else { SIDE };
    let project = make_project(&server.admin, "Large").await?;
    let (tif, jpg) = (dir.join("large.tif"), dir.join("large.jpg"));
    eprintln!("drawing the pictures");
    let (to_tif, to_jpg) = (tif.clone(), jpg.clone());
    tokio::task::spawn_blocking(move || {
        write_tiff(&to_tif, side)?;
        write_jpeg(&to_jpg, side)
    })
    .await??;
    for (kind, path) in [("TIFF", &tif), ("JPEG", &jpg)] {
        one(server, project, kind, side, path, table).await?;
    }
    Ok(())
}

async fn one(
    server: &Server,
    project: ProjectId,
    kind: &str,
    side: u32,
    path: &Path,
    table: &mut Table,
) -> Result<()> {
    let bytes = std::fs::metadata(path)?.len();
    let from = path.to_owned();
    let begin = Instant::now();
    if kind == "TIFF" {
        tokio::task::spawn_blocking(move || inflate(&from)).await??;
    } else {
        tokio::task::spawn_blocking(move || decode(&from)).await??;
    }
    let bound = begin.elapsed();

    server.reset_peak();
    let begin = Instant::now();
    let item = send(server, project, path).await?;
    let sent = begin.elapsed();
    let job = cut(server, project, item).await?;
    let seconds = match (job.started_at, job.finished_at) {
        (Some(a), Some(b)) => (b.0 - a.0) as f64 / 1e6,
        _ => bail!("the job did not end: {job:?}"),
    };
    let peak = server.memory_mb("VmHWM").unwrap_or_default();
    let what = if kind == "TIFF" {
        "inflating its strips"
    } else {
        "decoding it whole"
    };
    table.row(
        &format!("{kind} of {side} x {side}, {} MB: taken in", bytes / 1_000_000),
        format!("{:.1} s", sent.as_secs_f64()),
        "",
        None,
        String::new(),
    );
    table.row(
        &format!("{kind} of {side} x {side}: cut into tiles"),
        format!("{seconds:.1} s, peak {peak:.0} MB resident"),
        "< 300 MB",
        Some(peak < 300.0),
        format!(
            "{:.1} x {what} ({:.1} s, one thread)",
            seconds / bound.as_secs_f64(),
            bound.as_secs_f64()
        ),
    );
    Ok(())
}

async fn send(server: &Server, project: ProjectId, path: &Path) -> Result<ItemId> {
    let name = path
        .file_name()
        .and_then(|n| n.to_str())
        .context("a file has no name")?;
    let file = tokio::fs::File::open(path).await?;
    let request = server
        .admin
        .request(
            Method::POST,
            &format!("/api/v1/projects/{project}/items?name={name}"),
        )
        .body(file);
    let outcome: AddItemOutcome = answer("add a large item", request).await?;
    let (AddItemOutcome::Added { item } | AddItemOutcome::Unchanged { item }) = outcome;
    Ok(item.id)
}

/// Waits until the picture is shown by tiles; answers the job that cut it.
async fn cut(server: &Server, project: ProjectId, item: ItemId) -> Result<Job> {
    loop {
        let picture: Picture = server.admin.get(&format!("/api/v1/items/{item}/picture")).await?;
        match picture {
            Picture::Tiled(_) => {}
            Picture::Making { .. } => {
                tokio::time::sleep(Duration::from_millis(200)).await;
                continue;
            }
            other => bail!("the picture is not cut: {other:?}"),
        }
        let jobs: Page<Job> = server
            .admin
            .get(&format!("/api/v1/jobs?project_id={project}"))
            .await?;
        let newest = jobs.rows.into_iter().next().context("there is no job")?;
        if newest.state == JobState::Succeeded {
            return Ok(newest);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// RGB strips packed with deflate.
fn write_tiff(path: &Path, side: u32) -> Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    file.write_all(b"II*\0\0\0\0\0")?;
    let mut at = 8_u32;
    let (mut offsets, mut counts) = (Vec::new(), Vec::new());
    for top in (0..side).step_by(STRIP as usize) {
        let mut strip = ZlibEncoder::new(Vec::new(), Compression::fast());
        for y in top..(top + STRIP).min(side) {
            let row: Vec<u8> = (0..side).flat_map(|x| pixel(x, y)).collect();
            strip.write_all(&row)?;
        }
        let strip = strip.finish()?;
        offsets.push(at);
        counts.push(u32::try_from(strip.len())?);
        at = at
            .checked_add(u32::try_from(strip.len())?)
            .context("the TIFF is over 4 GB")?;
        file.write_all(&strip)?;
    }
    let n = u32::try_from(offsets.len())?;
    let bits = at + 8 * n;
    for v in offsets.iter().chain(&counts) {
        file.write_all(&v.to_le_bytes())?;
    }
    file.write_all(&[8, 0, 8, 0, 8, 0])?;
    let entries: [(u16, u16, u32, u32); 9] = [
        (256, 4, 1, side),
        (257, 4, 1, side),
        (258, 3, 3, bits),
        (259, 3, 1, 8),
        (262, 3, 1, 2),
        (273, 4, n, at),
        (277, 3, 1, 3),
        (278, 4, 1, STRIP),
        (279, 4, n, at + 4 * n),
    ];
    file.write_all(&9_u16.to_le_bytes())?;
    for (tag, kind, count, value) in entries {
        file.write_all(&tag.to_le_bytes())?;
        file.write_all(&kind.to_le_bytes())?;
        file.write_all(&count.to_le_bytes())?;
        file.write_all(&value.to_le_bytes())?;
    }
    file.write_all(&[0; 4])?;
    file.seek(SeekFrom::Start(4))?;
    file.write_all(&(bits + 6).to_le_bytes())?;
    file.flush()?;
    Ok(())
}

/// A picture that is never in memory.
struct Drawn(u32);

impl GenericImageView for Drawn {
    type Pixel = Rgb<u8>;

    fn dimensions(&self) -> (u32, u32) {
        (self.0, self.0)
    }

    fn get_pixel(&self, x: u32, y: u32) -> Rgb<u8> {
        Rgb(pixel(x, y))
    }
}

fn write_jpeg(path: &Path, side: u32) -> Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    JpegEncoder::new_with_quality(&mut file, 90).encode_image(&Drawn(side))?;
    file.flush()?;
    Ok(())
}

/// The least that reading the TIFF takes.
fn inflate(path: &Path) -> Result<()> {
    let bytes = std::fs::read(path)?;
    let word = |at: usize| -> Result<u32> {
        Ok(u32::from_le_bytes(
            bytes.get(at..at + 4).context("the TIFF is short")?.try_into()?,
        ))
    };
    let directory = word(4)? as usize;
    let entry = |n: usize| {
        Ok::<_, anyhow::Error>((
            word(directory + 2 + 12 * n + 4)?,
            word(directory + 2 + 12 * n + 8)?,
        ))
    };
    let ((n, offsets), (_, counts)) = (entry(5)?, entry(8)?);
    let mut out = Vec::new();
    for strip in 0..n as usize {
        let at = word(offsets as usize + 4 * strip)? as usize;
        let len = word(counts as usize + 4 * strip)? as usize;
        out.clear();
        ZlibDecoder::new(bytes.get(at..at + len).context("the TIFF is short")?).read_to_end(&mut out)?;
    }
    Ok(())
}

fn decode(path: &Path) -> Result<()> {
    let mut reader = image::ImageReader::open(path)?;
    reader.no_limits();
    drop(reader.decode()?);
    Ok(())
}

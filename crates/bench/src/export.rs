//! COCO: a large import, and exports of 50 thousand and a million boxes.

use crate::labelers::{make_project, put_item};
use crate::server::{Client, Server, answer};
use crate::table::Table;
use anyhow::{Context, Result, bail};
use limn_domain::ProjectId;
use limn_domain::export::ExportResult;
use limn_domain::job::{Job, JobState};
use limn_domain::upload::Upload;
use reqwest::Method;
use serde_json::json;
use std::fmt::Write as _;
use std::io::Write as _;
use std::time::{Duration, Instant};

/// Bytes of an upload sent at once.
const PIECE: usize = 8 << 20;

pub async fn measure(server: &Server, quick: bool, table: &mut Table) -> Result<()> {
    let small = fill(server, "50k boxes", 500, 100, table).await?;
    measure_export(server, small, "50k boxes", (0.3, None), table).await?;
    if !quick {
        let large = fill(server, "1M boxes", 5_000, 200, table).await?;
        measure_export(server, large, "1M boxes", (6.0, Some(200.0)), table).await?;
    }
    Ok(())
}

/// A project of `items` pictures with `boxes` boxes each, imported as COCO.
async fn fill(
    server: &Server,
    name: &str,
    items: usize,
    boxes: usize,
    table: &mut Table,
) -> Result<ProjectId> {
    let admin = &server.admin;
    let project = make_project(admin, name).await?;
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::GrayImage::new(1000, 1000).write_to(&mut bytes, image::ImageFormat::Png)?;
    let bytes = bytes.into_inner();
    for n in 0..items {
        put_item(admin, project, &format!("{n:05}.png"), bytes.clone()).await?;
    }
    let upload = send(admin, &coco(items, boxes)).await?;
    let begin = Instant::now();
    let job: Job = admin
        .post(
            &format!("/api/v1/projects/{project}/imports"),
            &json!({"format": "coco", "uploads": [upload.id]}),
        )
        .await?;
    let job = wait(admin, job).await?;
    let seconds = begin.elapsed().as_secs_f64();
    let added = job.result.as_ref().and_then(|r| r["annotations_added"].as_i64());
    if added != Some((items * boxes) as i64) {
        bail!("the import took {added:?} of {} boxes", items * boxes);
    }
    table.row(
        &format!("COCO import, {name}"),
        format!("{seconds:.2} s, {:.0} boxes/s", (items * boxes) as f64 / seconds),
        "",
        None,
        String::new(),
    );
    Ok(project)
}

fn coco(items: usize, boxes: usize) -> String {
    let mut text = String::from("{\"categories\":[{\"id\":1,\"name\":\"thing\"}],\"images\":[");
    for n in 0..items {
        let comma = if n > 0 { "," } else { "" };
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "{comma}{{\"id\":{},\"file_name\":\"{n:05}.png\",\"width\":1000,\"height\":1000}}",
            n + 1
        );
    }
    text.push_str("],\"annotations\":[");
    for n in 0..items * boxes {
        let comma = if n > 0 { "," } else { "" };
        let (x, y) = ((n * 37 % 9000) as f64 / 10.0, (n * 91 % 9000) as f64 / 10.0);
        let _ = write!(
            text,
            "{comma}{{\"id\":{},\"image_id\":{},\"category_id\":1,\"bbox\":[{x},{y},{},{}],\"area\":1,\"iscrowd\":0}}",
            n + 1,
            n / boxes + 1,
            20.5 + (n % 50) as f64,
            15.25 + (n % 60) as f64,
        );
    }
    text.push_str("]}");
    text
}

async fn send(admin: &Client, text: &str) -> Result<Upload> {
    let mut upload: Upload = admin
        .post(
            "/api/v1/uploads",
            &json!({"name": "bench.json", "size": text.len()}),
        )
        .await?;
    for (n, piece) in text.as_bytes().chunks(PIECE).enumerate() {
        let request = admin
            .request(Method::PATCH, &format!("/api/v1/uploads/{}", upload.id))
            .header("upload-offset", n * PIECE)
            .body(piece.to_vec());
        upload = answer("append to an upload", request).await?;
    }
    Ok(upload)
}

async fn wait(admin: &Client, mut job: Job) -> Result<Job> {
    while !job.state.is_final() {
        tokio::time::sleep(Duration::from_millis(20)).await;
        job = admin.get(&format!("/api/v1/jobs/{}", job.id)).await?;
    }
    if job.state != JobState::Succeeded {
        bail!(
            "{} ended as {:?}: {}",
            job.title,
            job.state,
            job.error.unwrap_or_default()
        );
    }
    Ok(job)
}

async fn measure_export(
    server: &Server,
    project: ProjectId,
    name: &str,
    (seconds_max, memory_max): (f64, Option<f64>),
    table: &mut Table,
) -> Result<()> {
    let admin = &server.admin;
    // Two warm-ups' worth of noise is worth more than one cold figure: the best of three counts, as for every row.
    let mut best: Option<(f64, ExportResult)> = None;
    server.reset_peak();
    for _ in 0..3 {
        let begin = Instant::now();
        let job: Job = admin
            .post(
                &format!("/api/v1/projects/{project}/exports"),
                &json!({"format": "coco"}),
            )
            .await?;
        let job = wait(admin, job).await?;
        let seconds = begin.elapsed().as_secs_f64();
        let result: ExportResult = serde_json::from_value(job.result.context("the export has no result")?)?;
        if best.as_ref().is_none_or(|(s, _)| seconds < *s) {
            best = Some((seconds, result));
        }
    }
    let (seconds, result) = best.context("no export ran")?;
    let peak = server.memory_mb("VmHWM");
    let bound = write_bound(result.size as usize)?;
    let memory = peak.map_or(String::new(), |mb| format!(", peak {mb:.0} MB resident"));
    let target = memory_max.map_or(format!("< {seconds_max} s"), |mb| {
        format!("< {seconds_max} s, < {mb} MB")
    });
    let met = seconds < seconds_max && memory_max.is_none_or(|max| peak.is_none_or(|mb| mb < max));
    table.row(
        &format!("COCO export, {name}, request to finished file"),
        format!("{seconds:.2} s ({:.1} MB{memory})", result.size as f64 / 1e6),
        &target,
        Some(met),
        format!(
            "{:.1} x writing and flushing as many bytes; Label Studio 10.4 s for 50k",
            seconds / bound
        ),
    );
    Ok(())
}

/// Seconds to write and flush as many bytes to a file.
fn write_bound(bytes: usize) -> Result<f64> {
    let data = vec![b'x'; bytes];
    let begin = Instant::now();
    let mut file = tempfile::tempfile()?;
    file.write_all(&data)?;
    file.sync_all()?;
    Ok(begin.elapsed().as_secs_f64().max(1e-6))
}

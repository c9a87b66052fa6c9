//! Many labelers at once: taking items from the queue and saving boxes.

use crate::server::{Client, Server, answer};
use crate::stats::Latencies;
use crate::table::Table;
use anyhow::{Context, Result};
use futures::future::try_join_all;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use limn_domain::annotation::{Annotation, SaveChange, SaveOutcome, Shape, Source};
use limn_domain::project::Project;
use limn_domain::queue::{Submit, Taken};
use limn_domain::user::Me;
use limn_domain::{AnnotationId, CategoryId, ChangeId, ItemId, ProjectId, Rect};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Fresh items each labeler takes in one burst.
const BURST: usize = 2;
/// How often a labeler saves when it does not save as fast as it can: far more often than a hand draws.
const PACE: Duration = Duration::from_millis(100);
const BOXES: usize = 10;
/// Sides of the pictures, in pixels.
const SIDE: u32 = 64;

pub async fn measure(server: &Server, labelers: usize, quick: bool, table: &mut Table) -> Result<()> {
    let project = make_project(&server.admin, "Labelers").await?;
    let clients = try_join_all((0..labelers).map(|n| join_in(server, project, n))).await?;
    let bursts = if quick { 5 } else { 40 };
    // One burst is not counted, and the saves after it hold an item each.
    let count = labelers * (BURST * (bursts + 1) + 1);
    let uploads = upload(&server.admin, project, count).await?;
    table.row(
        "take in a small PNG by REST, 16 at once",
        format!("{:.0}/s", uploads.rate()),
        "",
        None,
        "Azure registers about 20/s".into(),
    );
    let category = first_category(&server.admin, project).await?;
    let bound = health(&clients, quick).await?;
    let beside = |rate: f64| {
        format!(
            "{:.2} of the {:.0}/s that `/healthz` answers the same clients",
            rate / bound,
            bound
        )
    };

    let saves = save(&clients, project, category, if quick { 2 } else { 10 }, None).await?;
    let (rate, p95) = (saves.rate(), saves.percentile_ms(0.95));
    table.row(
        &format!("save an item with {BOXES} boxes, {labelers} labelers"),
        format!(
            "{rate:.0}/s, p50 {:.1} ms, p95 {p95:.1} ms",
            saves.percentile_ms(0.5)
        ),
        ">= 2,000/s, p95 < 25 ms",
        Some(rate >= 2000.0 && p95 < 25.0),
        beside(rate),
    );
    let saves = save(
        &clients,
        project,
        category,
        if quick { 2 } else { 10 },
        Some(PACE),
    )
    .await?;
    let p95 = saves.percentile_ms(0.95);
    table.row(
        &format!(
            "the same, each labeler {} times a second",
            1000 / PACE.as_millis()
        ),
        format!(
            "{:.0}/s, p50 {:.1} ms, p95 {p95:.1} ms",
            saves.rate(),
            saves.percentile_ms(0.5)
        ),
        "p95 < 25 ms",
        Some(p95 < 25.0),
        "no labeler draws that fast".into(),
    );
    let takes = take(&clients, project, bursts).await?;
    let (rate, p95) = (takes.rate(), takes.percentile_ms(0.95));
    table.row(
        &format!("take the next item, {labelers} labelers"),
        format!(
            "{rate:.0}/s, p50 {:.1} ms, p95 {p95:.1} ms",
            takes.percentile_ms(0.5)
        ),
        ">= 3,000/s, p95 < 10 ms",
        Some(rate >= 3000.0 && p95 < 10.0),
        beside(rate),
    );
    let few = &clients[..8.min(clients.len())];
    let saves = save(few, project, category, if quick { 1 } else { 4 }, None).await?;
    table.row(
        &format!("save an item with {BOXES} boxes, {} labelers", few.len()),
        format!(
            "{:.0}/s, p50 {:.1} ms, p95 {:.1} ms",
            saves.rate(),
            saves.percentile_ms(0.5),
            saves.percentile_ms(0.95)
        ),
        "",
        None,
        "Label Studio p95 3.8 s at 16".into(),
    );
    Ok(())
}

pub async fn make_project(admin: &Client, name: &str) -> Result<ProjectId> {
    let project: Project = admin
        .post(
            "/api/v1/projects",
            &json!({"name": name, "task": "detection", "categories": [{"name": "thing"}]}),
        )
        .await?;
    Ok(project.summary.id)
}

async fn first_category(admin: &Client, project: ProjectId) -> Result<CategoryId> {
    let all: Vec<limn_domain::category::Category> = admin
        .get(&format!("/api/v1/projects/{project}/categories"))
        .await?;
    Ok(all.first().context("the project has no category")?.id)
}

async fn join_in(server: &Server, project: ProjectId, n: usize) -> Result<Client> {
    let token = server
        .create_user(&format!("labeler{n}@example.org"), "labeler")
        .await?;
    let client = Client::new(&server.url, &token);
    let me: Me = client.get("/api/v1/me").await?;
    let _: Value = server
        .admin
        .call(
            Method::PUT,
            &format!("/api/v1/projects/{project}/members/{}", me.id),
            Some(&json!({"role": "labeler"})),
        )
        .await?;
    Ok(client)
}

/// A small picture unlike any other.
fn picture(n: usize) -> Result<Vec<u8>> {
    let mut image = image::GrayImage::new(SIDE, SIDE);
    for (i, pixel) in image.pixels_mut().enumerate() {
        pixel.0[0] = ((n >> (i % 24)) as u8).wrapping_mul(31).wrapping_add(i as u8);
    }
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, image::ImageFormat::Png)?;
    Ok(bytes.into_inner())
}

async fn upload(admin: &Client, project: ProjectId, count: usize) -> Result<Latencies> {
    let pictures = (0..count).map(picture).collect::<Result<Vec<_>>>()?;
    let begin = Instant::now();
    let each = stream::iter(pictures.into_iter().enumerate())
        .map(|(n, bytes)| async move {
            let start = Instant::now();
            put_item(admin, project, &format!("{n:06}.png"), bytes).await?;
            anyhow::Ok(start.elapsed())
        })
        .buffer_unordered(16)
        .try_collect()
        .await?;
    Ok(Latencies {
        each,
        wall: begin.elapsed(),
    })
}

pub async fn put_item(admin: &Client, project: ProjectId, name: &str, bytes: Vec<u8>) -> Result<()> {
    let path = format!("/api/v1/projects/{project}/items?name={name}");
    let request = admin.request(Method::POST, &path).body(bytes);
    let _: Value = answer("add an item", request).await?;
    Ok(())
}

/// What the machine's HTTP path can do with these clients at most.
async fn health(clients: &[Client], quick: bool) -> Result<f64> {
    let time = Duration::from_secs(if quick { 1 } else { 3 });
    let begin = Instant::now();
    let counts = try_join_all(clients.iter().map(|c| async move {
        let mut n = 0_usize;
        while begin.elapsed() < time {
            c.request(Method::GET, "/healthz").send().await?.bytes().await?;
            n += 1;
        }
        anyhow::Ok(n)
    }))
    .await?;
    Ok(counts.iter().sum::<usize>() as f64 / begin.elapsed().as_secs_f64())
}

async fn take_up_to(client: &Client, project: ProjectId, count: usize) -> Result<Taken> {
    client
        .post(
            &format!("/api/v1/projects/{project}/queue/take"),
            &json!({"count": count}),
        )
        .await
}

/// Every labeler saves its own item over and over: ten boxes that move.
async fn save(
    clients: &[Client],
    project: ProjectId,
    category: CategoryId,
    seconds: u64,
    pace: Option<Duration>,
) -> Result<Latencies> {
    let items = try_join_all(clients.iter().map(|c| async move {
        let taken = take_up_to(c, project, 1).await?;
        let work = taken.items.into_iter().next().context("the queue is empty")?;
        anyhow::Ok((work.item.id, work.annotations.revision))
    }))
    .await?;
    let begin = Instant::now();
    let time = Duration::from_secs(seconds);
    let each = try_join_all(
        clients
            .iter()
            .zip(items)
            .zip(0_u32..)
            .map(|((c, (item, revision)), n)| {
                // Labelers do not save in step.
                let pace = pace.map(|p| (begin + p * n / clients.len() as u32, p));
                save_again(c, item, revision, category, begin + time, pace)
            }),
    )
    .await?;
    Ok(Latencies {
        each: each.concat(),
        wall: begin.elapsed(),
    })
}

async fn save_again(
    client: &Client,
    item: ItemId,
    mut revision: i64,
    category: CategoryId,
    end: Instant,
    mut pace: Option<(Instant, Duration)>,
) -> Result<Vec<Duration>> {
    let ids: Vec<_> = (0..BOXES).map(|_| AnnotationId::new()).collect();
    let path = format!("/api/v1/items/{item}/annotations");
    let mut each = Vec::new();
    let mut step = 0_u32;
    while Instant::now() < end {
        if let Some((next, every)) = &mut pace {
            tokio::time::sleep_until((*next).into()).await;
            *next += *every;
        }
        step += 1;
        let upserts = ids
            .iter()
            .enumerate()
            .map(|(i, id)| Annotation {
                id: *id,
                category_id: category,
                shape: Shape::Box {
                    rect: Rect::new(i as f64, f64::from(step % 40), 8.25, 8.5),
                },
                z: i as i64,
                source: Source::Human,
                score: None,
                attributes: limn_domain::Attributes::new(),
                links: limn_domain::Links::default(),
            })
            .collect();
        let change = SaveChange {
            change_id: ChangeId::new(),
            base_revision: revision,
            upserts,
            removes: Vec::new(),
            active_ms: 10,
            attributes: None,
        };
        let start = Instant::now();
        match client.call(Method::PUT, &path, Some(&change)).await? {
            SaveOutcome::Saved { revision: r } => revision = r,
            SaveOutcome::Conflict { .. } => anyhow::bail!("a conflict on an item nobody else holds"),
        }
        each.push(start.elapsed());
    }
    Ok(each)
}

/// Bursts of takes, each of which leases exactly one more item; what was taken is submitted between bursts, off the
/// clock. The first burst, which begins with what the saves left leased, is not counted.
async fn take(clients: &[Client], project: ProjectId, bursts: usize) -> Result<Latencies> {
    let mut all = Latencies::default();
    for burst in 0..=bursts {
        let begin = Instant::now();
        let taken = try_join_all(clients.iter().map(|c| async move {
            let mut each = Vec::new();
            let mut last = None;
            for count in 1..=BURST {
                let start = Instant::now();
                let taken = take_up_to(c, project, count).await?;
                each.push(start.elapsed());
                last = Some(taken);
            }
            anyhow::Ok((each, last))
        }))
        .await?;
        if burst > 0 {
            all.wall += begin.elapsed();
        }
        for (client, (each, last)) in clients.iter().zip(taken) {
            if burst > 0 {
                all.each.extend(each);
            }
            for work in last.into_iter().flat_map(|t| t.items) {
                let submit = Submit {
                    revision: work.annotations.revision,
                    change: None,
                };
                let _: SaveOutcome = client
                    .post(&format!("/api/v1/items/{}/submit", work.item.id), &submit)
                    .await?;
            }
        }
    }
    Ok(all)
}

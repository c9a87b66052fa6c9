//! Start, idle memory, and what the browser loads first.

use crate::server::Server;
use crate::table::Table;
use anyhow::Result;
use std::path::Path;
use std::time::Duration;

pub async fn measure(program: &Path, table: &mut Table) -> Result<Server> {
    let server = Server::start(program).await?;
    let seconds = server.started_in.as_secs_f64();
    table.row(
        "start to first page",
        format!("{:.0} ms", seconds * 1e3),
        "< 1 s",
        Some(seconds < 1.0),
        "Label Studio 33 s".into(),
    );
    tokio::time::sleep(Duration::from_secs(3)).await;
    if let Some(mb) = server.memory_mb("VmRSS") {
        table.row(
            "idle memory (resident)",
            format!("{mb:.0} MB"),
            "< 100 MB",
            Some(mb < 100.0),
            "Label Studio 370-466 MB, CVAT about 6.6 GB".into(),
        );
    }
    front_end(&server, table).await?;
    Ok(server)
}

/// Bytes over the wire of the page and everything it names: scripts, module, style sheet, preloaded fonts.
async fn front_end(server: &Server, table: &mut Table) -> Result<()> {
    let http = reqwest::Client::new();
    let get = async |path: &str| -> Result<Vec<u8>> {
        let answer = http
            .get(format!("{}{path}", server.url))
            .header("accept-encoding", "br")
            .send()
            .await?
            .error_for_status()?;
        Ok(answer.bytes().await?.to_vec())
    };
    let plain = http
        .get(format!("{}/sign-in", server.url))
        .send()
        .await?
        .text()
        .await?;
    let mut paths: Vec<String> = plain
        .split(['"', '\'', '(', ')', '`'])
        .filter(|s| s.starts_with("/pkg/") || s.starts_with("/fonts/"))
        .map(str::to_owned)
        .collect();
    paths.sort();
    paths.dedup();
    let mut total = get("/sign-in").await?.len();
    let mut parts = Vec::new();
    for path in &paths {
        let n = get(path).await?.len();
        total += n;
        parts.push(format!(
            "{} {} KB",
            path.rsplit('.').next().unwrap_or_default(),
            n / 1000
        ));
    }
    table.row(
        "front end, first load compressed",
        format!("{} KB ({})", total / 1000, parts.join(", ")),
        "< 600 KB",
        Some(total < 600_000),
        "Label Studio 2.5 MB + 1.4 + 1.2 raw".into(),
    );
    Ok(())
}

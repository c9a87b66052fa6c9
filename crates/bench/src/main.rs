//! The load generator of `cargo xtask bench`: starts the given `limn` on a fresh data directory, drives it from this second
//! process over HTTP, and prints a table of what was measured beside its target and a bound measured in the same run.
//!
//! Must not reach into the server: everything goes over the public API and the command line.

mod export;
mod idle;
mod labelers;
mod large;
mod server;
mod stats;
mod table;

use anyhow::{Context, Result};
use std::path::PathBuf;

/// Labelers at once.
const LABELERS: usize = 64;

#[tokio::main]
async fn main() -> Result<()> {
    let mut args = std::env::args_os().skip(1);
    let program: PathBuf = args
        .next()
        .context("usage: limn-bench PROGRAM [--large FOLDER] [--quick]")?
        .into();
    let mut rest: Vec<_> = args.collect();
    let folder = rest
        .iter()
        .position(|a| a == "--large")
        .filter(|at| at + 1 < rest.len())
        .map(|at| {
            rest.remove(at);
            PathBuf::from(rest.remove(at))
        });
    let quick = rest.iter().any(|a| a == "--quick");
    let mut table = table::Table::default();
    if let Some(folder) = folder {
        let server = server::Server::start(&program).await?;
        large::measure(&server, &folder, quick, &mut table).await?;
        server.stop().await?;
        println!("{table}");
        return Ok(());
    }
    let server = idle::measure(&program, &mut table).await?;
    labelers::measure(&server, LABELERS, quick, &mut table).await?;
    export::measure(&server, quick, &mut table).await?;
    server.stop().await?;
    println!("{table}");
    Ok(())
}

//! The load generator of `cargo xtask bench`: starts the given `limn` on a fresh data directory, drives it from this second
//! process over HTTP, and prints a table of what was measured beside its target and a bound measured in the same run.
//!
//! Must not reach into the server: everything goes over the public API and the command line.

mod export;
mod idle;
mod labelers;
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
    let program: PathBuf = args.next().context("usage: limn-bench PROGRAM [--quick]")?.into();
    let quick = args.next().is_some_and(|a| a == "--quick");
    let mut table = table::Table::default();
    let server = idle::measure(&program, &mut table).await?;
    labelers::measure(&server, LABELERS, quick, &mut table).await?;
    export::measure(&server, quick, &mut table).await?;
    server.stop().await?;
    println!("{table}");
    Ok(())
}

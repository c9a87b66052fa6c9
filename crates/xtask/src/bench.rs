//! `bench`: the shipped server, driven from a second process; the table goes into docs/benchmarks.md with `--save`.

use crate::{serve, sh, ws};
use anyhow::{Context, Result};
use std::process::{Command, ExitCode};

const BEGIN: &str = "<!-- table: `cargo xtask bench --save` -->\n";
const END: &str = "<!-- end of table -->\n";

pub fn run(quick: bool, save: bool) -> Result<ExitCode> {
    serve::build(true)?;
    let mut build = ws::cargo();
    sh::run(build.args(["build", "--release", "--package", "limn-bench"]))?;
    sh::step("measuring; leave the machine alone meanwhile");
    let mut bench = Command::new(ws::target().join("release/limn-bench"));
    ws::clean_env(&mut bench);
    bench.arg(ws::server_bin(true));
    if quick {
        bench.arg("--quick");
    }
    let mut table = String::new();
    let status = sh::tee(&mut bench, |line| {
        if line.starts_with('|') {
            table.push_str(line);
            table.push('\n');
        }
    })?;
    if !status.success() {
        return Ok(ExitCode::FAILURE);
    }
    let text = format!("{}\n\n{table}", machine());
    println!("{text}");
    if save {
        let path = ws::root().join("docs/benchmarks.md");
        let old = std::fs::read_to_string(&path)?;
        let (before, rest) = old
            .split_once(BEGIN)
            .context("docs/benchmarks.md has no place for the table")?;
        let (_, after) = rest
            .split_once(END)
            .context("docs/benchmarks.md has no end of the table")?;
        std::fs::write(&path, format!("{before}{BEGIN}{text}{END}{after}"))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Commit, cores, processor and system, in one line.
fn machine() -> String {
    let git = |args: &[&str]| {
        sh::output(Command::new("git").current_dir(ws::root()).args(args)).unwrap_or_default()
    };
    let commit = git(&["rev-parse", "--short", "HEAD"]);
    let cpu = std::fs::read_to_string("/proc/cpuinfo")
        .ok()
        .and_then(|t| {
            let line = t.lines().find(|l| l.starts_with("model name"))?;
            Some(line.split_once(':')?.1.trim().to_owned())
        })
        .unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!(
        "Commit {}, {cores} cores ({cpu}), {}, SQLite, load generator on the same machine.",
        commit.trim(),
        std::env::consts::OS
    )
}

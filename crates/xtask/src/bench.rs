//! `bench`: the shipped server, driven from a second process; the table goes into docs/benchmarks.md with `--save`.

pub mod assist;

use crate::{serve, setup, sh, ws};
use anyhow::{Context, Result};
use std::process::{Command, ExitCode};

const BEGIN: &str = "<!-- table: `cargo xtask bench --save` -->\n";
const END: &str = "<!-- end of table -->\n";
const CANVAS_BEGIN: &str = "<!-- table: `cargo xtask bench --canvas --save` -->\n";
const CANVAS_END: &str = "<!-- end of the canvas's table -->\n";
const LARGE_BEGIN: &str = "<!-- table: `cargo xtask bench --large --save` -->\n";
const LARGE_END: &str = "<!-- end of the large pictures' table -->\n";
const SMART_BEGIN: &str = "<!-- table: `cargo xtask bench --smart --save` -->\n";
const SMART_END: &str = "<!-- end of the smart tools' table -->\n";
const TEXT_BEGIN: &str = "<!-- table: `cargo xtask bench --text --save` -->\n";
const TEXT_END: &str = "<!-- end of the documents' table -->\n";

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
        keep(BEGIN, END, &text)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The label page with thousands of polygons in a real browser, beside an SVG page of the same shapes.
pub fn canvas(save: bool) -> Result<ExitCode> {
    let head = "| page | polygons | pan | zoom | then at rest: most, steps at work | far: most | hover | drag one | save | memory, MB | opened, ms |\n|---|---|---|---|---|---|---|---|---|---|---|\n";
    in_browser(
        "canvas.bench.ts",
        head,
        save.then_some((CANVAS_BEGIN, CANVAS_END)),
    )
}

/// What the smart tools' worker takes for each of its answers, in a real browser.
pub fn smart(save: bool) -> Result<ExitCode> {
    let head = "| what | first, ms | then, ms | one pass over the pixels, ms |\n|---|---|---|---|\n";
    in_browser("smart.bench.ts", head, save.then_some((SMART_BEGIN, SMART_END)))
}

/// A long document with many spans in a real browser, beside a page of nothing but its text.
pub fn text(save: bool) -> Result<ExitCode> {
    let head = "| page | opened, ms | a frame while scrolling, ms: median | 95th percentile | marking a word, ms of the main thread |\n|---|---|---|---|---|\n";
    in_browser("text.bench.ts", head, save.then_some((TEXT_BEGIN, TEXT_END)))
}

/// Runs a file of `end2end/bench` against the shipped server; the lines of a table that it prints follow `head`, and go to a
/// place in docs/benchmarks.md, if one is given.
fn in_browser(file: &str, head: &str, place: Option<(&str, &str)>) -> Result<ExitCode> {
    setup::node::ensure()?;
    setup::node::ensure_modules()?;
    let chromium = setup::chromium::ensure()?;
    serve::build(true)?;
    sh::step("measuring; leave the machine alone meanwhile");
    let mut playwright = Command::new("node");
    ws::clean_env(&mut playwright);
    playwright
        .current_dir(ws::root().join("end2end"))
        .args([
            "node_modules/@playwright/test/cli.js",
            "test",
            "--config",
            "playwright.bench.config.ts",
            file,
        ])
        .env("LIMN_BIN", ws::server_bin(true));
    if let Some(path) = chromium {
        playwright.env("LIMN_CHROMIUM", path);
    }
    let mut table = head.to_owned();
    let status = sh::tee(&mut playwright, |line| {
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
    if let Some((begin, end)) = place {
        keep(begin, end, &text)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A picture of 900 megapixels: taken in, cut into tiles, and its first tiles in a real browser. The files are made for it
/// and go again.
pub fn large(quick: bool, save: bool) -> Result<ExitCode> {
    setup::node::ensure()?;
    setup::node::ensure_modules()?;
    let chromium = setup::chromium::ensure()?;
    serve::build(true)?;
    let mut build = ws::cargo();
    sh::run(build.args(["build", "--release", "--package", "limn-bench"]))?;
    sh::step("measuring; leave the machine alone meanwhile");
    let folder = std::env::temp_dir().join(format!("limn-large-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let table = measure_large(&folder, quick, chromium);
    std::fs::remove_dir_all(&folder)?;
    let Some(table) = table? else {
        return Ok(ExitCode::FAILURE);
    };
    let text = format!("{}\n\n{table}", machine());
    println!("{text}");
    if save {
        keep(LARGE_BEGIN, LARGE_END, &text)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// `None`: something failed and said so.
fn measure_large(
    folder: &std::path::Path,
    quick: bool,
    chromium: Option<std::path::PathBuf>,
) -> Result<Option<String>> {
    let mut bench = Command::new(ws::target().join("release/limn-bench"));
    ws::clean_env(&mut bench);
    bench.arg(ws::server_bin(true)).arg("--large").arg(folder);
    if quick {
        bench.arg("--quick");
    }
    let mut playwright = Command::new("node");
    ws::clean_env(&mut playwright);
    playwright
        .current_dir(ws::root().join("end2end"))
        .args([
            "node_modules/@playwright/test/cli.js",
            "test",
            "--config",
            "playwright.bench.config.ts",
            "large.bench",
        ])
        .env("LIMN_LARGE", folder)
        .env("LIMN_BIN", ws::server_bin(true));
    if let Some(path) = chromium {
        playwright.env("LIMN_CHROMIUM", path);
    }
    let mut table = String::new();
    for command in [&mut bench, &mut playwright] {
        let status = sh::tee(command, |line| {
            if line.starts_with('|') {
                table.push_str(line);
                table.push('\n');
            }
        })?;
        if !status.success() {
            return Ok(None);
        }
    }
    Ok(Some(table))
}

/// Puts a table in its place in docs/benchmarks.md.
fn keep(begin: &str, end: &str, text: &str) -> Result<()> {
    let path = ws::root().join("docs/benchmarks.md");
    let old = std::fs::read_to_string(&path)?;
    let (before, rest) = old
        .split_once(begin)
        .context("docs/benchmarks.md has no place for the table")?;
    let (_, after) = rest
        .split_once(end)
        .context("docs/benchmarks.md has no end of the table")?;
    std::fs::write(&path, format!("{before}{begin}{text}{end}{after}"))?;
    Ok(())
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

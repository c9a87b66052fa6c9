//! `test`: every check there is, on with the rest when one fails, and one line of sums at the end.

use crate::beside::Beside;
use crate::setup::{chromium, node, postgres};
use crate::tally::Tally;
use crate::{deps, disk, lint, setup, sh, ws};
use anyhow::{Context, Result};
use std::process::{Command, ExitCode};
use std::time::Instant;

/// Members that are not part of the server's tree: the browser's shim, and this tool (tested on its own, so
/// that its features do not mix with the server's and nothing is compiled twice).
const APART: [&str; 4] = ["--exclude", "limn-hydrate", "--exclude", "xtask"];

pub struct Options {
    pub lint: bool,
    pub browser: bool,
    pub postgres: bool,
    pub filter: Option<String>,
}

pub fn run(options: &Options) -> Result<ExitCode> {
    let start = Instant::now();
    setup::wasm_std::ensure()?;
    setup::ffmpeg::ensure()?;
    let chromium = if options.browser {
        node::ensure()?;
        node::ensure_modules()?;
        chromium::ensure()?
    } else {
        None
    };
    let cluster = if options.postgres {
        Some(postgres::start()?)
    } else {
        None
    };
    let mut tally = Tally::default();
    if options.filter.is_none() {
        tally.check("formatting: run `cargo fmt --all`", lint::formatting()?);
        tally.check("imports: `cargo xtask deps`", deps::check()?);
        tally.check("style sheets and file sizes: `cargo xtask lint`", lint::files());
    }
    let wrapper = lints(options).then(lint::Wrapper::find).flatten();
    let front = rust_tests(options, wrapper.as_ref(), cluster.as_ref(), &mut tally)?;
    let mut front_linted = false;
    if let Some(front) = front {
        match front.finish() {
            Ok(clean) => {
                if let Some(clean) = clean {
                    front_linted = true;
                    tally.check("clippy, browser: `cargo xtask lint`", clean);
                }
                browser_tests(options, cluster.as_ref(), chromium.as_deref(), &mut tally)?;
            }
            Err(e) => {
                eprintln!("error: {e:#}");
                tally.fail(&format!("the front end does not build{}", disk::lack()));
            }
        }
    }
    if lints(options) {
        if wrapper.is_none() {
            tally.check("clippy: `cargo xtask lint`", lint::clippy()?);
        } else if !front_linted {
            tally.check("clippy, browser: `cargo xtask lint`", lint::clippy_browser()?);
        }
    }
    drop(cluster);
    for flaky in &tally.flaky {
        println!("FLAKY (passed when tried again): {flaky}");
    }
    for failure in &tally.failures {
        println!("FAILED: {failure}");
    }
    println!("in {} s", start.elapsed().as_secs());
    println!("{} passed, {} failed", tally.passed, tally.failed);
    Ok(if tally.failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn lints(options: &Options) -> bool {
    options.lint && options.filter.is_none()
}

/// Builds the tests and the server they drive together: one resolution of features, nothing built twice, linted by the way.
/// While the tests run the front end is built, if it is wanted and the server could be built: what is returned.
fn rust_tests(
    options: &Options,
    wrapper: Option<&lint::Wrapper>,
    cluster: Option<&postgres::Cluster>,
    tally: &mut Tally,
) -> Result<Option<Beside>> {
    if let Some(warning) = disk::warning() {
        eprintln!("{warning}");
    }
    sh::step("building the server and its tests");
    let wrapped = |cargo: &mut Command| {
        if let Some(wrapper) = wrapper {
            wrapper.around(cargo);
        }
    };
    let mut build = ws::cargo();
    build
        .args(["build", "--workspace"])
        .args(APART)
        .args(["--bins", "--tests", "--examples"]);
    wrapped(&mut build);
    let (whole, mut warnings) = lint::counted(&mut build, &[])?;
    if !whole {
        tally.fail(&format!("the workspace does not build{}", disk::lack()));
        return Ok(None);
    }
    sh::step("unit, repository and API tests");
    let mut tests = ws::cargo();
    tests
        .args(["test", "--no-fail-fast", "--workspace"])
        .args(APART)
        .arg("--tests");
    wrapped(&mut tests);
    let mut front = None;
    // Not before: cargo would wait for the other one's lock.
    let running = |first: bool| {
        if first && options.browser {
            front = Some(Beside::start(lints(options)));
        }
    };
    cargo_test(&mut tests, options, cluster, tally, running)?;
    let mut own = ws::cargo();
    own.args(["test", "--no-run", "--package", "xtask"]);
    wrapped(&mut own);
    warnings += lint::counted(&mut own, &[])?.1;
    let mut own = ws::cargo();
    own.args(["test", "--no-fail-fast", "--package", "xtask"]);
    wrapped(&mut own);
    cargo_test(&mut own, options, cluster, tally, |_| ())?;
    if wrapper.is_some() {
        tally.check("clippy: `cargo xtask lint`", warnings == 0);
    }
    Ok(front.and_then(|started| match started {
        Ok(front) => Some(front),
        // What the tests have said is not lost for it.
        Err(e) => {
            eprintln!("error: {e:#}");
            tally.fail("the build of the front end does not start");
            None
        }
    }))
}

fn cargo_test(
    cargo: &mut Command,
    options: &Options,
    cluster: Option<&postgres::Cluster>,
    tally: &mut Tally,
    mut running: impl FnMut(bool),
) -> Result<()> {
    if let Some(cluster) = cluster {
        cargo.env("LIMN_TEST_PG", cluster.url());
    }
    cargo.env("LIMN_BIN", ws::server_bin(false));
    if std::env::var_os("RUST_TEST_THREADS").is_none() {
        // Most tests wait for databases and jobs most of the time.
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        cargo.env("RUST_TEST_THREADS", (cores * 5 / 2).clamp(4, 24).to_string());
    }
    if std::env::var_os("PROPTEST_RNG_SEED").is_none() {
        // The same cases in every run: what passed passes again. Other seeds are for looking for faults.
        cargo.env("PROPTEST_RNG_SEED", "20261129");
    }
    if let Some(filter) = &options.filter {
        cargo.args(["--", filter]);
    }
    let before = tally.failed;
    let mut first = true;
    let status = sh::tee(cargo, |line| {
        running(std::mem::take(&mut first));
        tally.rust_line(line);
    })?;
    if !status.success() && tally.failed == before {
        tally.fail(&format!(
            "a test program ended without a result (see above){}",
            disk::lack()
        ));
    }
    Ok(())
}

fn browser_tests(
    options: &Options,
    cluster: Option<&postgres::Cluster>,
    chromium: Option<&std::path::Path>,
    tally: &mut Tally,
) -> Result<()> {
    sh::step("browser tests");
    let dir = ws::root().join("end2end");
    let report = ws::target().join("end2end.json");
    let _ = std::fs::remove_file(&report);
    let mut playwright = Command::new("node");
    ws::clean_env(&mut playwright);
    playwright
        .current_dir(&dir)
        .args([
            "node_modules/@playwright/test/cli.js",
            "test",
            "--reporter=list,json",
        ])
        .env("PLAYWRIGHT_JSON_OUTPUT_NAME", &report)
        .env("LIMN_BIN", ws::server_bin(false));
    if let Some(path) = chromium {
        playwright.env("LIMN_CHROMIUM", path);
    }
    if let Some(cluster) = cluster {
        playwright.env("LIMN_TEST_PG", cluster.url());
        if let Some(bin) = cluster.bin() {
            playwright.env("LIMN_PG_BIN", bin);
        }
    }
    if let Some(filter) = &options.filter {
        playwright.args(["--pass-with-no-tests", "--grep", filter]);
    }
    let status = sh::status(&mut playwright)?;
    let before = tally.failed;
    if let Ok(text) = std::fs::read(&report) {
        tally.playwright(&serde_json::from_slice(&text).context("Playwright's report is not JSON")?);
    }
    if !status.success() && tally.failed == before {
        tally.fail("Playwright ended without a result (see above)");
    }
    Ok(())
}

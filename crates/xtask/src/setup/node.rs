//! Node and the browser tests' packages. Only the tests need them.

use crate::{sh, ws};
use anyhow::{Result, bail};
use std::process::Command;

const OLDEST: u32 = 18;

/// Finds node, or installs Debian's.
pub fn ensure() -> Result<()> {
    match version() {
        Some(v) if v >= OLDEST && sh::which("npm").is_some() => return Ok(()),
        Some(v) if v < OLDEST => {
            bail!(
                "the browser tests need node {OLDEST} or newer; version {v} is on PATH. Update it and run again"
            )
        }
        _ => {}
    }
    if sh::can_apt() {
        sh::step("set-up: apt-get install nodejs npm (for the browser tests)");
        if sh::apt_install(&["nodejs", "npm"]).is_ok() && version().is_some_and(|v| v >= OLDEST) {
            return Ok(());
        }
    }
    bail!(
        "the browser tests need node {OLDEST} or newer with npm.\n\
         Install it (Debian: sudo apt-get install nodejs npm; macOS: brew install node),\n\
         or leave the browser tests out: cargo xtask test --no-browser"
    )
}

fn version() -> Option<u32> {
    let text = sh::output(Command::new("node").arg("--version")).ok()?;
    text.trim()
        .trim_start_matches('v')
        .split('.')
        .next()?
        .parse()
        .ok()
}

/// Installs end2end's packages when the lock file changed since the last time.
pub fn ensure_modules() -> Result<()> {
    let dir = ws::root().join("end2end");
    let lock = blake3::hash(&std::fs::read(dir.join("package-lock.json"))?)
        .to_hex()
        .to_string();
    let stamp = dir.join("node_modules/.limn-stamp");
    if std::fs::read_to_string(&stamp).is_ok_and(|s| s == lock) {
        return Ok(());
    }
    sh::step("set-up: npm ci in end2end (Playwright and axe)");
    sh::run(
        Command::new("npm")
            .current_dir(&dir)
            .env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1")
            .args(["ci", "--no-audit", "--no-fund", "--loglevel", "error"]),
    )?;
    std::fs::write(stamp, lock)?;
    Ok(())
}

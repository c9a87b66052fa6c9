//! A Chromium for the browser tests: one that is installed, Debian's, or Playwright's own.

use crate::{sh, ws};
use anyhow::{Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

const NAMES: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];
const PLACES: [&str; 4] = [
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/snap/bin/chromium",
    "/opt/google/chrome/chrome",
];

/// The browser's program, or `None` for the one Playwright downloaded and finds by itself.
pub fn ensure() -> Result<Option<PathBuf>> {
    if let Some(path) = find()? {
        return Ok(Some(path));
    }
    if sh::can_apt() {
        sh::step("set-up: apt-get install chromium (for the browser tests)");
        if sh::apt_install(&["chromium"]).is_ok()
            && let Some(path) = find()?
        {
            return Ok(Some(path));
        }
    }
    sh::step("set-up: playwright install chromium (for the browser tests)");
    let cli = ws::root().join("end2end/node_modules/@playwright/test/cli.js");
    let mut install = Command::new("node");
    install
        .current_dir(ws::root().join("end2end"))
        .arg(cli)
        .args(["install", "chromium"]);
    if sh::status(&mut install)?.success() {
        return Ok(None);
    }
    bail!(
        "the browser tests need Chromium or Chrome, and it could not be installed here.\n\
         Install it and run again, or name it: LIMN_CHROMIUM=/path/to/chromium cargo xtask test"
    )
}

fn find() -> Result<Option<PathBuf>> {
    if let Some(path) = std::env::var_os("LIMN_CHROMIUM") {
        let path = PathBuf::from(path);
        if !path.is_file() {
            bail!("LIMN_CHROMIUM names {}, which is not a file", path.display());
        }
        return Ok(Some(path));
    }
    let named = NAMES.iter().find_map(|name| sh::which(name));
    Ok(named.or_else(|| {
        PLACES
            .iter()
            .map(Path::new)
            .find(|p| p.is_file())
            .map(Path::to_path_buf)
    }))
}

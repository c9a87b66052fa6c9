//! `lint`: formatting, clippy for the server's tree and the browser's, colours only in tokens, file sizes.

use crate::setup::wasm_std::{self, TARGET, Toolchain};
use crate::{front, sh, ws};
use anyhow::Result;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// Lines a source file may have before it is named.
const LONG_FILE: usize = 600;
const SOURCE_ROOTS: [&str; 6] = ["app", "server", "crates", "tests", "style", "end2end"];

pub fn run() -> Result<ExitCode> {
    let ok = [formatting()?, files(), clippy()?];
    Ok(if ok.iter().all(|ok| *ok) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

pub fn formatting() -> Result<bool> {
    sh::step("rustfmt");
    Ok(sh::status(ws::cargo().args(["fmt", "--all", "--check"]))?.success())
}

pub fn clippy() -> Result<bool> {
    sh::step("clippy, server");
    let mut server = ws::cargo();
    server.args([
        "clippy",
        "--workspace",
        "--exclude",
        "limn-hydrate",
        "--exclude",
        "limn-vision-worker",
        "--exclude",
        "xtask",
        "--all-targets",
    ]);
    let mut ok = sh::status(server.args(["--", "-D", "warnings"]))?.success();
    sh::step("clippy, xtask");
    let mut own = ws::cargo();
    own.args([
        "clippy",
        "--package",
        "xtask",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]);
    ok &= sh::status(&mut own)?.success();
    ok &= clippy_browser()?;
    Ok(ok)
}

pub fn clippy_browser() -> Result<bool> {
    let mut ok = true;
    // Debian's compiler for the browser comes without clippy.
    if wasm_std::ensure()? == Toolchain::Own {
        sh::step("clippy, browser");
        let mut browser = ws::cargo();
        browser.args([
            "clippy",
            "--package",
            "limn-hydrate",
            "--package",
            "limn-vision-worker",
            "--target",
            TARGET,
        ]);
        browser.args(front::wasm::QUICK);
        ok &= sh::status(browser.args(["--", "-D", "warnings"]))?.success();
    }
    Ok(ok)
}

/// Clippy in the compiler's place: what is built is linted by the way, instead of being checked a second time with all that it depends on.
/// `None` where there is no clippy.
pub struct Wrapper(PathBuf);

impl Wrapper {
    pub fn find() -> Option<Self> {
        sh::which("clippy-driver").map(Self)
    }

    /// Whatever is compiled of the workspace goes through clippy. What is built is kept apart from what the compiler builds by itself.
    pub fn around(&self, cargo: &mut Command) {
        cargo.env("RUSTC_WORKSPACE_WRAPPER", &self.0);
    }
}

/// Runs a build, with `more` at the end of the line; answers whether there was no error, and how many warnings there were, those of earlier
/// builds included.
pub fn counted(cargo: &mut Command, more: &[&str]) -> Result<(bool, usize)> {
    let mut warnings = 0;
    cargo.arg("--message-format=json").args(more);
    let status = sh::lines(cargo, |line| {
        let Ok(message) = serde_json::from_str::<serde_json::Value>(line) else {
            return;
        };
        let diagnostic = &message["message"];
        if let Some(text) = diagnostic["rendered"].as_str() {
            eprint!("{text}");
            warnings += usize::from(diagnostic["level"] == "warning");
        }
    })?;
    Ok((status.success(), warnings))
}

/// Checks that need no compiler.
pub fn files() -> bool {
    sh::step("style sheets and file sizes");
    let mut ok = true;
    for root in SOURCE_ROOTS {
        walk(&ws::root().join(root), &mut |path| {
            let Ok(text) = std::fs::read_to_string(path) else {
                return;
            };
            let shown = path.strip_prefix(ws::root()).unwrap_or(path).display();
            let lines = text.lines().count();
            if lines > LONG_FILE {
                eprintln!("warning: {shown} has {lines} lines; split it (soft limit 400, hard {LONG_FILE})");
            }
            // The API's page is a document of its own and does not load the studio's tokens.
            let studio = root == "style" && !path.ends_with("style/tokens.css");
            if studio && path.extension().is_some_and(|e| e == "css") {
                for (number, line) in text.lines().enumerate() {
                    if let Some(colour) = hex_colour(line) {
                        ok = false;
                        eprintln!(
                            "error: {shown}:{}: {colour}: use a colour of style/tokens.css",
                            number + 1
                        );
                    }
                }
            }
        });
    }
    ok
}

/// A `#rgb`, `#rgba`, `#rrggbb` or `#rrggbbaa` value in a line of CSS; `#id` selectors do not count.
fn hex_colour(line: &str) -> Option<&str> {
    let value = line.split_once(':').map_or("", |(_, v)| v);
    value.match_indices('#').find_map(|(at, _)| {
        let digits = value[at + 1..].bytes().take_while(u8::is_ascii_hexdigit).count();
        let ends =
            !value[at + 1 + digits..].starts_with(|c: char| c.is_alphanumeric() || c == '-' || c == '_');
        let in_url = value[..at].contains("url(");
        (matches!(digits, 3 | 4 | 6 | 8) && ends && !in_url).then(|| &value[at..=at + digits])
    })
}

fn walk(dir: &Path, each: &mut impl FnMut(&Path)) {
    let Ok(entries) = std::fs::read_dir(dir) else {
        return;
    };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|e| e.path()).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        if name.starts_with('.') || matches!(name, "node_modules" | "target" | "test-results" | "snapshots") {
            continue;
        }
        if path.is_dir() {
            walk(&path, each);
        } else if matches!(
            path.extension().and_then(|e| e.to_str()),
            Some("rs" | "css" | "ts")
        ) {
            each(&path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::hex_colour;

    #[test]
    fn finds_colours_and_leaves_ids_alone() {
        assert_eq!(hex_colour("  color: #fff;"), Some("#fff"));
        assert_eq!(hex_colour("  border: 1px solid #1a2B3c80;"), Some("#1a2B3c80"));
        assert_eq!(hex_colour("#add:hover { margin: 0 }"), None);
        assert_eq!(hex_colour("  mask: url(icons.svg#add);"), None);
        assert_eq!(hex_colour("  color: var(--accent);"), None);
    }
}

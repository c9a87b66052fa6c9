//! The standard library for the browser, three ways: already there; rustup; Debian's sources, built here.

use crate::{sh, ws};
use anyhow::{Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

pub const TARGET: &str = "wasm32-unknown-unknown";
const DEBIAN_PACKAGES: [&str; 4] = ["rustc-web", "cargo-web", "rust-web-src", "lld-19"];
const DEBIAN_CARGO: &str = "/usr/bin/cargo";
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_SOURCES: &str = "/usr/lib/rustlib/src/rust/library/Cargo.lock";
const DEBIAN_LINKER: &str = "/usr/bin/wasm-ld-19";

/// Which toolchain builds the front end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Toolchain {
    /// The one that runs xtask.
    Own,
    /// Debian's pair for web browsers, with the standard library built from its sources.
    Debian,
}

impl Toolchain {
    /// `cargo rustc` for the browser, and the target directory it fills.
    pub fn cargo_rustc(self) -> (Command, PathBuf) {
        match self {
            Self::Own => {
                let mut cargo = ws::cargo();
                cargo.args(["rustc", "--target", TARGET]);
                (cargo, ws::target())
            }
            Self::Debian => {
                // Another compiler: sharing a target directory would rebuild everything at each switch.
                let dir = ws::target().join("debian");
                let mut cargo = Command::new(DEBIAN_CARGO);
                cargo.current_dir(ws::root());
                ws::clean_env(&mut cargo);
                ws::build_once(&mut cargo);
                for name in [
                    "CARGO",
                    "RUSTUP_TOOLCHAIN",
                    "LD_LIBRARY_PATH",
                    "RUSTC_WRAPPER",
                    "RUSTFLAGS",
                ] {
                    cargo.env_remove(name);
                }
                cargo
                    .env("RUSTC", DEBIAN_RUSTC)
                    .env("RUSTC_BOOTSTRAP", "1")
                    .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", DEBIAN_LINKER)
                    .args([
                        "rustc",
                        "-Zbuild-std=std,panic_abort",
                        "--target",
                        TARGET,
                        "--target-dir",
                    ])
                    .arg(&dir);
                (cargo, dir)
            }
        }
    }
}

/// Finds or installs a toolchain that can build for the browser.
pub fn ensure() -> Result<Toolchain> {
    if std::env::var("LIMN_WASM_STD").is_ok_and(|v| v == "debian") {
        return debian();
    }
    if std_present() {
        return Ok(Toolchain::Own);
    }
    if sh::which("rustup").is_some() {
        sh::step(&format!(
            "set-up: rustup target add {TARGET} (standard library for the browser)"
        ));
        let mut rustup = Command::new("rustup");
        rustup.args(["target", "add", TARGET]);
        if sh::status(&mut rustup)?.success() && std_present() {
            return Ok(Toolchain::Own);
        }
        eprintln!("    rustup could not add it; trying Debian's packages");
    }
    debian()
}

/// Whether the toolchain that runs xtask has the target's core library.
fn std_present() -> bool {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let Ok(dir) = sh::output(Command::new(rustc).args(["--print", "target-libdir", "--target", TARGET]))
    else {
        return false;
    };
    std::fs::read_dir(dir.trim()).is_ok_and(|mut files| {
        files.any(|f| f.is_ok_and(|f| f.file_name().to_string_lossy().starts_with("libcore-")))
    })
}

fn debian_present() -> bool {
    [DEBIAN_CARGO, DEBIAN_RUSTC, DEBIAN_SOURCES, DEBIAN_LINKER]
        .iter()
        .all(|p| Path::new(p).exists())
}

fn debian() -> Result<Toolchain> {
    if debian_present() {
        return Ok(Toolchain::Debian);
    }
    if sh::can_apt() {
        sh::step(&format!(
            "set-up: apt-get install {} (compiler for the browser)",
            DEBIAN_PACKAGES.join(" ")
        ));
        if sh::apt_install(&DEBIAN_PACKAGES).is_ok() && debian_present() {
            return Ok(Toolchain::Debian);
        }
    }
    bail!(
        "the front end needs Rust's standard library for {TARGET}, and it could not be installed here.\n\
         Install it one of these ways and run the command again:\n\
         \x20 rustup target add {TARGET}\n\
         \x20 sudo apt-get install --no-install-recommends {}   (Debian 12 and later)",
        DEBIAN_PACKAGES.join(" ")
    )
}

//! Where things are in the checkout, and cargo as a child process.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The repository root.
pub fn root() -> &'static Path {
    // crates/xtask is two levels below it.
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .unwrap_or_else(|| Path::new("."))
}

/// Cargo's target directory, as cargo itself would choose it.
pub fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => std::env::current_dir()
            .unwrap_or_else(|_| root().into())
            .join(dir),
        None => root().join("target"),
    }
}

/// The built front end; the server embeds or serves exactly this folder, whatever the target directory is.
pub fn site() -> PathBuf {
    root().join("target/site")
}

/// The built server.
pub fn server_bin(release: bool) -> PathBuf {
    target()
        .join(if release { "release" } else { "debug" })
        .join("limn")
}

/// Cargo in the repository root, free of what the outer `cargo run` set for xtask itself.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    clean_env(&mut command);
    if std::env::var_os("CI").is_some() && std::env::var_os("CARGO_INCREMENTAL").is_none() {
        // What is built once and thrown away need not be kept in pieces.
        command.env("CARGO_INCREMENTAL", "0");
    }
    command
}

/// Removes the variables cargo set for xtask: they name the wrong package.
pub fn clean_env(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let own = text.starts_with("CARGO_PKG_")
            || text.starts_with("CARGO_MANIFEST_")
            || matches!(
                &*text,
                "CARGO_CRATE_NAME" | "CARGO_BIN_NAME" | "CARGO_PRIMARY_PACKAGE" | "OUT_DIR"
            );
        if own {
            command.env_remove(&name);
        }
    }
}

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
    build_once(&mut command);
    command
}

/// Where CI is set, what is built is thrown away after the run: it need not be kept in pieces, and no debugger looks at it (panics name
/// their places without). Every cargo of a run gets the same, or it would build anew what another one has built.
pub fn build_once(command: &mut Command) {
    let ci = std::env::var_os("CI").is_some();
    for (name, value) in once(ci, |name| std::env::var_os(name).is_some()) {
        command.env(name, value);
    }
}

/// Those that nobody has set otherwise.
fn once(ci: bool, is_set: impl Fn(&str) -> bool) -> Vec<(&'static str, &'static str)> {
    const ONCE: [(&str, &str); 2] = [("CARGO_INCREMENTAL", "0"), ("CARGO_PROFILE_DEV_DEBUG", "none")];
    ONCE.into_iter().filter(|(name, _)| ci && !is_set(name)).collect()
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

#[cfg(test)]
mod tests {
    use super::once;

    #[test]
    fn builds_of_ci_are_small_unless_told_otherwise() {
        let names = |ci, set: &str| -> Vec<&'static str> {
            let all = once(ci, |name| name == set);
            all.into_iter().map(|(name, _)| name).collect()
        };
        assert_eq!(names(true, ""), ["CARGO_INCREMENTAL", "CARGO_PROFILE_DEV_DEBUG"]);
        assert_eq!(names(true, "CARGO_PROFILE_DEV_DEBUG"), ["CARGO_INCREMENTAL"]);
        assert!(names(false, "").is_empty());
    }
}

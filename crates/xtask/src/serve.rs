//! `build` and `run`: the front end, the server, and the server in place of this process.

use crate::{front, setup, sh, ws};
use anyhow::Result;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

/// Builds both halves. A release server embeds the front end, so that one comes first.
pub fn build(release: bool) -> Result<()> {
    setup::all(false)?;
    front::build(release)?;
    server(release)
}

/// Builds the server alone.
pub fn server(release: bool) -> Result<()> {
    sh::step(if release { "server (release)" } else { "server" });
    let mut cargo = ws::cargo();
    cargo.args(["build", "--package", "limn-server", "--bin", "limn"]);
    if release {
        cargo.args(["--release", "--features", "embed,tls"]);
    }
    sh::run(&mut cargo)
}

/// Builds, then becomes the server, so that Ctrl-C and the exit code are its own.
pub fn run(release: bool, args: Vec<String>) -> Result<ExitCode> {
    build(release)?;
    Err(command(release, args).exec().into())
}

/// `limn ARGS`, or `limn serve ARGS` when ARGS names no command. Serves from `./data` unless told otherwise.
pub fn command(release: bool, mut args: Vec<String>) -> Command {
    if args
        .first()
        .is_none_or(|a| a.starts_with('-') && !matches!(a.as_str(), "--help" | "--version"))
    {
        args.insert(0, "serve".into());
    }
    if args[0] == "serve"
        && !args
            .iter()
            .any(|a| a == "--data-dir" || a.starts_with("--data-dir="))
    {
        args.extend(["--data-dir".into(), "data".into()]);
    }
    let mut command = Command::new(ws::server_bin(release));
    command.current_dir(ws::root()).args(args);
    ws::clean_env(&mut command);
    command
}

//! Child processes: run them loudly, read their output, find and install programs.

use crate::interrupt;
use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader, IsTerminal};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};

/// Announces a step.
pub fn step(text: &str) {
    if std::io::stderr().is_terminal() {
        eprintln!("\x1b[1;36m==>\x1b[0m \x1b[1m{text}\x1b[0m");
    } else {
        eprintln!("==> {text}");
    }
}

/// The command as one would type it.
fn show(command: &Command) -> String {
    let mut text = command.get_program().to_string_lossy().into_owned();
    for arg in command.get_args() {
        text.push(' ');
        text.push_str(&arg.to_string_lossy());
    }
    text
}

/// Runs to the end with the terminal's own output. The status is the caller's to judge.
pub fn status(command: &mut Command) -> Result<ExitStatus> {
    let mut child = command
        .spawn()
        .with_context(|| format!("cannot start `{}`", show(command)))?;
    let _guard = interrupt::child(child.id());
    child.wait().with_context(|| format!("lost `{}`", show(command)))
}

/// Runs to the end; failing is an error that names the command.
pub fn run(command: &mut Command) -> Result<()> {
    let status = status(command)?;
    if !status.success() {
        bail!("`{}` failed ({status})", show(command));
    }
    Ok(())
}

/// Runs quietly and returns standard output; failing is an error that carries standard error.
pub fn output(command: &mut Command) -> Result<String> {
    let out = command
        .output()
        .with_context(|| format!("cannot start `{}`", show(command)))?;
    if !out.status.success() {
        bail!(
            "`{}` failed ({}): {}",
            show(command),
            out.status,
            String::from_utf8_lossy(&out.stderr).trim()
        );
    }
    Ok(String::from_utf8_lossy(&out.stdout).into_owned())
}

/// Runs with standard output passed on line by line, each line also given to `each`.
pub fn tee(command: &mut Command, mut each: impl FnMut(&str)) -> Result<ExitStatus> {
    lines(command, |line| {
        println!("{line}");
        each(line);
    })
}

/// Runs with each line of standard output given to `each`.
pub fn lines(command: &mut Command, mut each: impl FnMut(&str)) -> Result<ExitStatus> {
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start `{}`", show(command)))?;
    let _guard = interrupt::child(child.id());
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).split(b'\n') {
            let line = line?;
            each(&String::from_utf8_lossy(&line));
        }
    }
    child.wait().with_context(|| format!("lost `{}`", show(command)))
}

/// The program's path, when it is on `PATH`.
pub fn which(program: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|dir| dir.join(program))
        .find(|p| p.is_file())
}

/// Whether this process is root.
pub fn is_root() -> bool {
    output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

/// Whether `apt_install` can work: Debian's tool, and root or password-less sudo.
pub fn can_apt() -> bool {
    which("apt-get").is_some() && (is_root() || sudo_works())
}

fn sudo_works() -> bool {
    which("sudo").is_some() && output(Command::new("sudo").args(["-n", "true"])).is_ok()
}

/// Installs Debian packages without recommends, refreshing the lists only when the first try fails.
pub fn apt_install(packages: &[&str]) -> Result<()> {
    let apt = || {
        let mut command = if is_root() {
            Command::new("apt-get")
        } else {
            Command::new("sudo")
        };
        if !is_root() {
            command.args(["-n", "apt-get"]);
        }
        command.env("DEBIAN_FRONTEND", "noninteractive").arg("-qq");
        command.stdout(Stdio::null());
        command
    };
    let install = || {
        run(apt()
            .args(["install", "-y", "--no-install-recommends"])
            .args(packages))
    };
    if install().is_err() {
        run(apt().arg("update"))?;
        install()?;
    }
    Ok(())
}

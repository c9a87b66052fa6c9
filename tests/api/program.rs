//! The built program as people start it: administration, serving, the client commands, stopping.

use crate::support::png;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// `LIMN_BIN`, or what lies beside this test; `None` (with a word) when it was not built.
pub(crate) fn program() -> Option<PathBuf> {
    let beside = || Some(std::env::current_exe().ok()?.ancestors().nth(2)?.join("limn"));
    let path = std::env::var_os("LIMN_BIN").map(PathBuf::from).or_else(beside)?;
    if path.exists() {
        return Some(path);
    }
    eprintln!("{} is not built: not run", path.display());
    None
}

pub(crate) fn limn(program: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars().filter(|(n, _)| n.starts_with("LIMN_") || n == "RUST_LOG") {
        command.env_remove(name);
    }
    command
}

pub(crate) fn run(command: &mut Command, stdin: &str) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[track_caller]
pub(crate) fn good(output: Output) -> String {
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{}\n{err}",
        String::from_utf8_lossy(&output.stdout)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// A running server; killed when dropped.
struct Server {
    child: Child,
    url: String,
    rest: BufReader<std::process::ChildStdout>,
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn serve(program: &Path, data: &Path) -> Server {
    let mut child = limn(program)
        .args(["serve", "--addr", "127.0.0.1:0", "--data-dir"])
        .arg(data)
        .current_dir(data.parent().unwrap())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut rest = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    rest.read_line(&mut line).unwrap();
    let url = line
        .trim()
        .strip_prefix("Limn is ready at ")
        .unwrap_or_else(|| panic!("{line}"))
        .to_owned();
    Server { child, url, rest }
}

#[cfg(unix)]
fn terminate(server: &mut Server) -> Duration {
    let started = Instant::now();
    let pid = server.child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .unwrap()
            .success()
    );
    let status = server.child.wait().unwrap();
    assert!(status.success(), "{status}");
    started.elapsed()
}

#[test]
#[cfg(unix)]
fn from_an_empty_folder_to_an_export() {
    let Some(program) = program() else { return };
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let admin = |args: &[&str], stdin: &str| {
        let mut command = limn(&program);
        command
            .arg("admin")
            .arg(args[0])
            .arg("--data-dir")
            .arg(&data)
            .args(&args[1..]);
        run(command.current_dir(dir.path()), stdin)
    };
    good(admin(
        &[
            "create-user",
            "--email",
            "ana@example.org",
            "--role",
            "admin",
            "--password-stdin",
        ],
        "correct horse battery staple\n",
    ));
    let token = good(admin(
        &["create-token", "--email", "ana@example.org", "--name", "test"],
        "",
    ));
    let token = token.strip_suffix('\n').unwrap();
    assert!(
        token.starts_with("limn_") && !token.contains(char::is_whitespace),
        "{token}"
    );
    let unknown = admin(
        &["create-token", "--email", "bob@example.org", "--name", "test"],
        "",
    );
    assert_eq!(unknown.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("bob@example.org"));
    let weak = admin(
        &[
            "create-user",
            "--email",
            "c@example.org",
            "--role",
            "viewer",
            "--password-stdin",
        ],
        "x",
    );
    assert_eq!(weak.status.code(), Some(1));
    let role = admin(
        &[
            "create-user",
            "--email",
            "c@example.org",
            "--role",
            "king",
            "--password-stdin",
        ],
        "x",
    );
    assert_eq!(role.status.code(), Some(2));

    let mut server = serve(&program, &data);
    let cli = |args: &[&str], token: &str| {
        let mut command = limn(&program);
        command
            .args(args)
            .env("LIMN_URL", &server.url)
            .env("LIMN_TOKEN", token)
            .current_dir(dir.path());
        run(&mut command, "")
    };
    let id = good(cli(
        &["projects", "create", "--name", "Cats", "--task", "detection"],
        token,
    ));
    assert_eq!(id.trim().len(), 36);
    assert!(good(cli(&["projects", "list"], token)).contains("Cats"));

    // Ten pictures with one box each: as many annotation files travel as one archive.
    let photos = dir.path().join("photos");
    std::fs::create_dir_all(photos.join("xml")).unwrap();
    for n in 0..10_u8 {
        std::fs::write(photos.join(format!("{n}.png")), png(n)).unwrap();
        let xml = format!(
            "<annotation><filename>{n}.png</filename><size><width>40</width><height>30</height><depth>3</depth></size>\
             <object><name>cat</name><bndbox><xmin>3</xmin><ymin>4</ymin><xmax>13</xmax><ymax>24</ymax></bndbox></object>\
             </annotation>"
        );
        std::fs::write(photos.join(format!("xml/{n}.xml")), xml).unwrap();
    }
    let said = good(cli(
        &["import", "--project", "Cats", "--format", "voc", "photos"],
        token,
    ));
    assert!(
        said.contains("10 items added") && said.contains("10 labels added"),
        "{said}"
    );
    let again = good(cli(&["upload", "--project", id.trim(), "photos"], token));
    assert!(again.contains("0 added, 10 already there"), "{again}");
    std::fs::write(photos.join("bad.png"), "no picture").unwrap();
    let refused = cli(&["upload", "--project", "Cats", "photos"], token);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("bad.png"));

    for name in ["one.json", "two.json"] {
        good(cli(
            &["export", "--project", "cats", "--format", "coco", "--out", name],
            token,
        ));
    }
    let one = std::fs::read(dir.path().join("one.json")).unwrap();
    assert_eq!(
        one,
        std::fs::read(dir.path().join("two.json")).unwrap(),
        "exports are deterministic"
    );
    let coco: serde_json::Value = serde_json::from_slice(&one).unwrap();
    assert_eq!(coco["images"].as_array().unwrap().len(), 10);
    assert_eq!(coco["annotations"].as_array().unwrap().len(), 10);

    for (args, token, sign) in [
        (&["projects", "list"][..], "limn_wrong", "token"),
        (&["projects", "list"][..], "", "LIMN_TOKEN"),
        (
            &["export", "--project", "Dogs", "--out", "x.json"][..],
            token,
            "Dogs",
        ),
        (&["upload", "--project", "Cats", "nowhere"][..], token, "nowhere"),
    ] {
        let failed = cli(args, token);
        assert_eq!(failed.status.code(), Some(1), "{args:?}");
        let err = String::from_utf8_lossy(&failed.stderr);
        assert!(err.contains(sign), "{args:?}: {err}");
    }
    assert!(!dir.path().join("x.json").exists());
    let took = terminate(&mut server);
    assert!(took < Duration::from_secs(10), "{took:?}");
}

#[test]
#[cfg(unix)]
fn the_first_start_shows_the_set_up_link() {
    let Some(program) = program() else { return };
    let dir = tempfile::tempdir().unwrap();
    let mut server = serve(&program, &dir.path().join("data"));
    let mut text = String::new();
    while !text.contains("/setup?token=") {
        assert_ne!(server.rest.read_line(&mut text).unwrap(), 0, "{text}");
    }
    assert!(text.contains(&format!("{}/setup?token=", server.url)), "{text}");
    terminate(&mut server);
}

#[test]
fn mistakes_in_the_configuration_are_named() {
    let Some(program) = program() else { return };
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("limn.toml"), "[server]\nport = 80\n").unwrap();
    let output = run(limn(&program).arg("migrate").current_dir(dir.path()), "");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("server.port"));
}

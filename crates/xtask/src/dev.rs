//! `dev`: the server, rebuilt and restarted as files change. A change of style alone rebuilds only the style sheet.

use crate::{front, interrupt, serve, sh, ws};
use anyhow::{Context, Result};
use notify::{RecursiveMode, Watcher};
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

const WATCHED: [&str; 7] = [
    "app",
    "crates",
    "server",
    "style",
    "public",
    "migrations",
    "Cargo.toml",
];
/// Editors write a file in several steps and tools write many files: act when all is quiet.
const QUIET: Duration = Duration::from_millis(250);

pub fn run(args: Vec<String>) -> Result<()> {
    serve::build(false)?;
    let (send, changes) = mpsc::channel();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        if let Ok(event) = event
            && !event.kind.is_access()
        {
            for path in event.paths {
                let _ = send.send(path);
            }
        }
    })?;
    for name in WATCHED {
        let path = ws::root().join(name);
        if path.exists() {
            watcher
                .watch(&path, RecursiveMode::Recursive)
                .with_context(|| format!("cannot watch {name}"))?;
        }
    }
    let mut server = Server::start(&args)?;
    loop {
        let work = next(&changes)?;
        let start = Instant::now();
        match rebuild(work) {
            Ok(()) => {
                if work.server || work.front {
                    server.restart(&args)?;
                }
                sh::step(&format!(
                    "ready again after {:.1} s; reload the page",
                    start.elapsed().as_secs_f32()
                ));
            }
            // The compiler has said why; the last good server goes on.
            Err(e) => eprintln!("error: {e:#}"),
        }
    }
}

fn rebuild(work: Work) -> Result<()> {
    if work.front {
        front::build(false)?;
    } else if work.style {
        front::restyle()?;
    }
    if work.server { serve::server(false) } else { Ok(()) }
}

/// What a change asks for.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
struct Work {
    style: bool,
    front: bool,
    server: bool,
}

impl Work {
    fn of(path: &Path) -> Self {
        let Ok(path) = path.strip_prefix(ws::root()) else {
            return Self::default();
        };
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        if name.starts_with('.') || name.ends_with('~') || name.starts_with('#') {
            return Self::default();
        }
        let under = |folders: &[&str]| folders.iter().any(|f| path.starts_with(f));
        if under(&["style", "public"]) {
            return Self {
                style: true,
                ..Self::default()
            };
        }
        if under(&["crates/xtask", "crates/testkit"]) {
            return Self::default();
        }
        let both = under(&["app", "crates/domain", "crates/editor", "Cargo.toml"]);
        let front = both || under(&["crates/hydrate"]);
        Self {
            style: false,
            front,
            server: !under(&["crates/hydrate"]),
        }
    }

    fn and(self, other: Self) -> Self {
        Self {
            style: self.style || other.style,
            front: self.front || other.front,
            server: self.server || other.server,
        }
    }
}

/// Waits for changes that ask for something, then for quiet.
fn next(changes: &Receiver<PathBuf>) -> Result<Work> {
    let mut work = Work::default();
    loop {
        if work == Work::default() {
            work = work.and(Work::of(&changes.recv().context("the file watcher ended")?));
            continue;
        }
        match changes.recv_timeout(QUIET) {
            Ok(path) => work = work.and(Work::of(&path)),
            Err(RecvTimeoutError::Timeout) => return Ok(work),
            Err(e) => return Err(e).context("the file watcher ended"),
        }
    }
}

/// The running server and the promise that it ends with xtask.
struct Server {
    child: Child,
    guard: interrupt::ChildGuard,
}

impl Server {
    fn start(args: &[String]) -> Result<Self> {
        let child = serve::command(false, args.to_vec())
            .spawn()
            .context("cannot start the server")?;
        let guard = interrupt::child(child.id());
        Ok(Self { child, guard })
    }

    /// Asks the server to finish, waits a little, starts the new one.
    fn restart(&mut self, args: &[String]) -> Result<()> {
        interrupt::signal(self.child.id(), "TERM");
        let deadline = Instant::now() + Duration::from_secs(5);
        while self.child.try_wait()?.is_none() {
            if Instant::now() > deadline {
                self.child.kill()?;
                self.child.wait()?;
                break;
            }
            std::thread::sleep(Duration::from_millis(30));
        }
        let Self { child, guard } = Self::start(args)?;
        self.child = child;
        self.guard = guard;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &str) -> (bool, bool, bool) {
        let work = Work::of(&ws::root().join(path));
        (work.style, work.front, work.server)
    }

    #[test]
    fn changes_ask_for_as_little_as_possible() {
        assert_eq!(of("style/ui/button.css"), (true, false, false));
        assert_eq!(of("app/src/lib.rs"), (false, true, true));
        assert_eq!(of("crates/hydrate/src/lib.rs"), (false, true, false));
        assert_eq!(of("crates/store/src/lib.rs"), (false, false, true));
        assert_eq!(of("migrations/sqlite/0001_x.sql"), (false, false, true));
        assert_eq!(of("crates/xtask/src/main.rs"), (false, false, false));
        assert_eq!(of("app/src/.lib.rs.swp"), (false, false, false));
    }
}

//! A throwaway PostgreSQL for the tests: its own folder, a socket instead of a port, gone at the end.

use crate::{interrupt, sh};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const ROLE: &str = "limn";
/// Tests throw their data away: nothing has to survive a crash, and many databases are open at once.
const SETTINGS: &str = "-c listen_addresses='' -c fsync=off -c synchronous_commit=off -c full_page_writes=off \
                        -c max_connections=200 -c shared_buffers=64MB -c log_min_messages=fatal";

/// A running cluster; stopped and deleted when dropped or when xtask is interrupted.
pub struct Cluster {
    url: String,
    bin: Option<PathBuf>,
    _stop: Option<interrupt::HookGuard>,
}

impl Cluster {
    /// A superuser's URL of the `postgres` database; tests make their own databases beside it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The URL of another database of the cluster.
    pub fn url_of(&self, database: &str) -> String {
        let (before, options) = self.url.split_once('?').unwrap_or((&self.url, ""));
        let server = before.rsplit_once('/').map_or(before, |(server, _)| server);
        format!("{server}/{database}?{options}")
    }

    /// Runs one SQL statement as superuser.
    pub fn psql(&self, statement: &str) -> Result<()> {
        // The server's programs and the client may lie in different folders.
        let beside = self.bin.as_ref().map(|bin| bin.join("psql"));
        let program = beside.filter(|p| p.is_file()).unwrap_or_else(|| "psql".into());
        sh::output(Command::new(program).args(["-q", "-X", "-d", &self.url, "-c", statement])).map(|_| ())
    }

    /// The folder of `psql` and its like, unless only `PATH` has them.
    pub fn bin(&self) -> Option<&Path> {
        self.bin.as_deref()
    }
}

/// Starts a cluster, or uses the one that `LIMN_TEST_PG` names.
pub fn start() -> Result<Cluster> {
    if let Ok(url) = std::env::var("LIMN_TEST_PG") {
        return Ok(Cluster {
            url,
            bin: find(),
            _stop: None,
        });
    }
    let bin = ensure_programs()?;
    remove_stale();
    // A socket's path may hold about 100 characters: shorter than the temporary folders of macOS.
    let dir = PathBuf::from(format!("/tmp/limn-pg-{}", std::process::id()));
    std::fs::create_dir(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
    let user = unprivileged_user()?;
    if let Some(user) = &user {
        sh::run(Command::new("chown").arg(user).arg(&dir))?;
    }
    let stop = {
        let (bin, dir, user) = (bin.clone(), dir.clone(), user.clone());
        interrupt::on_exit(move || stop(&bin, &dir, user.as_deref()))
    };
    let data = dir.join("data");
    let mut initdb = as_user(user.as_deref(), &bin.join("initdb"));
    initdb
        .current_dir(&dir)
        .arg("-D")
        .arg(&data)
        .args(["-U", ROLE, "-A", "trust", "-E", "UTF8"]);
    initdb.args(["--locale=C", "--no-sync"]);
    sh::output(&mut initdb).context("cannot make a PostgreSQL cluster for the tests")?;
    let mut start = as_user(user.as_deref(), &bin.join("pg_ctl"));
    start
        .current_dir(&dir)
        .arg("-D")
        .arg(&data)
        .arg("-l")
        .arg(dir.join("log"));
    start
        .arg("-o")
        .arg(format!("{SETTINGS} -k {}", dir.display()))
        .args(["-w", "-t", "60", "start"]);
    // The server inherits these: a pipe would be held open for its whole life.
    start
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if !sh::status(&mut start)?.success() {
        let log = std::fs::read_to_string(dir.join("log")).unwrap_or_default();
        bail!("PostgreSQL for the tests did not start: {}", log.trim());
    }
    let url = format!("postgres://{ROLE}@localhost/postgres?host={}", dir.display());
    Ok(Cluster {
        url,
        bin: Some(bin),
        _stop: Some(stop),
    })
}

fn stop(bin: &Path, dir: &Path, user: Option<&str>) {
    if dir.join("data/postmaster.pid").exists() {
        let mut pg_ctl = as_user(user, &bin.join("pg_ctl"));
        pg_ctl
            .current_dir("/")
            .arg("-D")
            .arg(dir.join("data"))
            .args(["-m", "immediate", "-w", "stop"]);
        let _ = sh::output(&mut pg_ctl);
    }
    let _ = std::fs::remove_dir_all(dir);
}

/// Clusters whose xtask was killed before it could clean up.
fn remove_stale() {
    let Ok(entries) = std::fs::read_dir("/tmp") else {
        return;
    };
    for dir in entries.flatten().map(|e| e.path()) {
        let owner = dir
            .file_name()
            .and_then(|n| n.to_str())
            .and_then(|n| n.strip_prefix("limn-pg-"));
        let Some(owner) = owner.filter(|p| p.bytes().all(|b| b.is_ascii_digit())) else {
            continue;
        };
        if alive(owner) {
            continue;
        }
        let server = std::fs::read_to_string(dir.join("data/postmaster.pid")).ok();
        if let Some(pid) = server
            .as_deref()
            .and_then(|s| s.lines().next()?.trim().parse().ok())
        {
            interrupt::signal(pid, "QUIT");
            std::thread::sleep(std::time::Duration::from_millis(500));
        }
        let _ = std::fs::remove_dir_all(dir);
    }
}

fn alive(pid: &str) -> bool {
    sh::output(Command::new("ps").args(["-p", pid])).is_ok()
}

/// PostgreSQL refuses to run as root: the name of a user to run it as, when this process is root.
fn unprivileged_user() -> Result<Option<String>> {
    if !sh::is_root() {
        return Ok(None);
    }
    for user in ["postgres", "nobody"] {
        if sh::output(Command::new("id").args(["-u", user])).is_ok() {
            return Ok(Some(user.to_owned()));
        }
    }
    bail!("PostgreSQL does not run as root and there is no user `postgres` or `nobody` to run it as")
}

fn as_user(user: Option<&str>, program: &Path) -> Command {
    let Some(user) = user else {
        return Command::new(program);
    };
    let group = sh::output(Command::new("id").args(["-g", user])).unwrap_or_default();
    let mut command = if sh::which("setpriv").is_some() && !group.is_empty() {
        let mut c = Command::new("setpriv");
        c.args([
            &format!("--reuid={user}"),
            &format!("--regid={}", group.trim()),
            "--clear-groups",
            "--",
        ]);
        c
    } else {
        let mut c = Command::new("runuser");
        c.args(["-u", user, "--"]);
        c
    };
    command.arg(program);
    command
}

/// The folder of `initdb` and `pg_ctl`: found, or installed.
pub fn ensure_programs() -> Result<PathBuf> {
    if let Some(dir) = find() {
        return Ok(dir);
    }
    if sh::can_apt() {
        sh::step("set-up: apt-get install postgresql (for the tests)");
        if sh::apt_install(&["postgresql"]).is_ok()
            && let Some(dir) = find()
        {
            return Ok(dir);
        }
    }
    bail!(
        "the tests need PostgreSQL's server programs (initdb, pg_ctl).\n\
         Install them (Debian: sudo apt-get install postgresql; macOS: brew install postgresql),\n\
         name their folder (LIMN_PG_BIN=DIR), or leave them out: cargo xtask test --no-postgres"
    )
}

fn find() -> Option<PathBuf> {
    let mut dirs: Vec<PathBuf> = std::env::var_os("LIMN_PG_BIN")
        .map(PathBuf::from)
        .into_iter()
        .collect();
    dirs.extend(std::env::split_paths(
        &std::env::var_os("PATH").unwrap_or_default(),
    ));
    for parent in [
        "/usr/lib/postgresql",
        "/opt/homebrew/opt",
        "/usr/local/opt",
        "/usr/pgsql",
    ] {
        let Ok(entries) = std::fs::read_dir(parent) else {
            continue;
        };
        let mut found: Vec<PathBuf> = entries.flatten().map(|e| e.path().join("bin")).collect();
        found.sort();
        dirs.extend(found.into_iter().rev());
    }
    dirs.into_iter()
        .find(|dir| dir.join("initdb").is_file() && dir.join("pg_ctl").is_file())
}

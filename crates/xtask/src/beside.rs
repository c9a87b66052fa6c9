//! The front end, built while the server's tests run: they wait for databases and jobs much of the time, and the browser's tests
//! need it as soon as they are done.

use crate::lint::Wrapper;
use crate::setup::wasm_std::{self, Toolchain};
use crate::{front, interrupt, sh, ws};
use anyhow::{Context, Result, bail};
use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, Stdio};

/// The code that a build ends with that is complete, but has warnings.
const WARNINGS: u8 = 3;

/// `front`: builds the front end, past clippy if there is one.
pub fn run(lint: bool) -> Result<ExitCode> {
    let wrapper = if lint { linter()? } else { None };
    let warnings = front::build_linted(false, wrapper.as_ref())?;
    Ok(if warnings == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(WARNINGS)
    })
}

/// What lints the browser's crates; Debian's compiler for the browser comes without clippy.
fn linter() -> Result<Option<Wrapper>> {
    Ok(match wasm_std::ensure()? {
        Toolchain::Own => Wrapper::find(),
        Toolchain::Debian => None,
    })
}

/// A build under way, at the lowest priority: what is measured or waited for comes first.
pub struct Beside {
    child: Child,
    log: PathBuf,
    linted: bool,
    _guard: interrupt::ChildGuard,
}

impl Beside {
    pub fn start(lint: bool) -> Result<Self> {
        // Before there is a child, which an error would leave behind.
        let linted = lint && linter()?.is_some();
        let log = ws::target().join("front.log");
        let file = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let own = std::env::current_exe().context("cannot find this program")?;
        let mut command = Command::new("nice");
        command.args(["-n", "19"]).arg(own).arg("front");
        if !lint {
            command.arg("--no-lint");
        }
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .context("cannot start `nice`")?;
        Ok(Self {
            _guard: interrupt::child(child.id()),
            linted,
            child,
            log,
        })
    }

    /// Waits for the end. Whether it was linted, and if so, whether there was nothing to say.
    pub fn finish(mut self) -> Result<Option<bool>> {
        let status = self.child.wait().context("lost the build of the front end")?;
        sh::step("front end, built meanwhile");
        // Whatever it holds: of a build that failed nothing else says why.
        let log = std::fs::read(&self.log).unwrap_or_default();
        eprint!("{}", String::from_utf8_lossy(&log));
        match status.code() {
            Some(0) => Ok(self.linted.then_some(true)),
            Some(code) if code == i32::from(WARNINGS) => Ok(Some(false)),
            _ => bail!("the front end does not build"),
        }
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            interrupt::signal(self.child.id(), "TERM");
            // It ends its cargo first.
            let _ = self.child.wait();
        }
    }
}

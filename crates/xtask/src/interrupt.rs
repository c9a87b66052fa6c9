//! Ctrl-C and SIGTERM: end the running child, undo what must not outlive xtask (the test database), exit.

use anyhow::{Context, Result};
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard};

type Hook = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct State {
    children: Vec<u32>,
    hooks: Vec<(u64, Hook)>,
    next: u64,
}

static STATE: Mutex<Option<State>> = Mutex::new(None);

fn lock() -> MutexGuard<'static, Option<State>> {
    STATE.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn with<T>(f: impl FnOnce(&mut State) -> T) -> T {
    f(lock().get_or_insert_with(State::default))
}

/// Installs the handler; call once.
pub fn install() -> Result<()> {
    ctrlc::set_handler(|| {
        let state = lock().take().unwrap_or_default();
        for pid in state.children {
            signal(pid, "TERM");
        }
        for (_, hook) in state.hooks {
            hook();
        }
        std::process::exit(130);
    })
    .context("cannot watch for Ctrl-C")
}

/// Sends a signal ("TERM", "KILL") to one process.
pub fn signal(pid: u32, name: &str) {
    let _ = Command::new("kill")
        .args([&format!("-{name}"), &pid.to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
}

/// Remembers a child while the guard lives, so that it does not outlive an interrupted xtask.
pub fn child(pid: u32) -> ChildGuard {
    with(|s| s.children.push(pid));
    ChildGuard(pid)
}

pub struct ChildGuard(u32);

impl Drop for ChildGuard {
    fn drop(&mut self) {
        with(|s| s.children.retain(|p| *p != self.0));
    }
}

/// Runs `hook` when the guard is dropped, or when xtask is interrupted: whichever comes first, once.
pub fn on_exit(hook: impl FnOnce() + Send + 'static) -> HookGuard {
    with(|s| {
        s.next += 1;
        s.hooks.push((s.next, Box::new(hook)));
        HookGuard(s.next)
    })
}

pub struct HookGuard(u64);

impl Drop for HookGuard {
    fn drop(&mut self) {
        let hook = with(|s| {
            let at = s.hooks.iter().position(|(id, _)| *id == self.0)?;
            Some(s.hooks.remove(at).1)
        });
        if let Some(hook) = hook {
            hook();
        }
    }
}

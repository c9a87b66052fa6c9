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
        // All are known before the first one ends: what has lost its parent is not found any more.
        for pid in with_descendants(&state.children, &processes()) {
            signal(pid, "TERM");
        }
        for (_, hook) in state.hooks {
            hook();
        }
        std::process::exit(130);
    })
    .context("cannot watch for Ctrl-C")
}

/// Every process and its parent.
fn processes() -> Vec<(u32, u32)> {
    let listed = Command::new("ps")
        .args(["-A", "-o", "pid=", "-o", "ppid="])
        .stderr(Stdio::null())
        .output();
    let text = listed.map(|out| out.stdout).unwrap_or_default();
    pairs(&String::from_utf8_lossy(&text))
}

fn pairs(listed: &str) -> Vec<(u32, u32)> {
    let pair = |line: &str| -> Option<(u32, u32)> {
        let (pid, parent) = line.trim().split_once(char::is_whitespace)?;
        Some((pid.parse().ok()?, parent.trim().parse().ok()?))
    };
    listed.lines().filter_map(pair).collect()
}

/// These and all below them: a cargo that ends leaves behind the compilers and test programs that it runs.
fn with_descendants(roots: &[u32], processes: &[(u32, u32)]) -> Vec<u32> {
    let mut all = roots.to_vec();
    let mut at = 0;
    while let Some(parent) = all.get(at).copied() {
        at += 1;
        for (pid, of) in processes {
            if *of == parent && !all.contains(pid) {
                all.push(*pid);
            }
        }
    }
    all
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_child_runs_ends_with_it() {
        let listed = pairs(
            "    1     0\n    2     1\n   30     2\n    4    30\n    5     1\n    6     5\nno number\n",
        );
        assert_eq!(listed.len(), 6);
        assert_eq!(with_descendants(&[2], &listed), [2, 30, 4]);
        assert_eq!(with_descendants(&[7], &listed), [7]);
        assert!(with_descendants(&[], &listed).is_empty());
        let own = std::process::id();
        assert!(
            processes().iter().any(|(pid, _)| *pid == own),
            "there is a `ps` where tests run"
        );
    }
}

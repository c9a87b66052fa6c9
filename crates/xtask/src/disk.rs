//! Whether the disk has room for what a build makes. A linker that lacks it says so in many ways, most of them unclear.

use crate::{sh, ws};
use std::process::Command;

/// KiB of a gigabyte.
const GB: u64 = 1 << 20;
/// What a whole run takes when it begins with nothing: the server, its tests and the front end.
const WHOLE: u64 = 25 * GB;
/// With less than this left after a build has failed, room is what it lacked: half-written files go with the compiler that wrote them.
const FULL: u64 = 2 * GB;

/// What to say before a build, if anything.
pub fn warning() -> Option<String> {
    let built = ws::server_bin(false).exists();
    free().and_then(|free| before(free, built))
}

/// What to add to the name of a build that failed; nothing where room was not what it lacked.
pub fn lack() -> String {
    free().map_or_else(String::new, after)
}

fn before(free: u64, built: bool) -> Option<String> {
    (!built && free < WHOLE).then(|| {
        format!(
            "warning: {} GB of disk are free for {}; a whole run takes about {}",
            free / GB,
            ws::target().display(),
            WHOLE / GB
        )
    })
}

fn after(free: u64) -> String {
    if free >= FULL {
        return String::new();
    }
    format!(
        " (the disk is full: {} MB are free for {}, and a whole run takes about {} GB; make room, or name another place by CARGO_TARGET_DIR)",
        free / 1024,
        ws::target().display(),
        WHOLE / GB
    )
}

/// KiB free where things are built; `None` where nobody can tell.
fn free() -> Option<u64> {
    let target = ws::target();
    let there = target.ancestors().find(|p| p.exists())?;
    available(&sh::output(Command::new("df").arg("-Pk").arg(there)).ok()?)
}

/// The number before the share that is used, as POSIX has it: names of file systems and folders may have blanks.
fn available(df: &str) -> Option<u64> {
    let words: Vec<&str> = df.lines().nth(1)?.split_whitespace().collect();
    let share = |w: &str| w.strip_suffix('%').is_some_and(|n| n.parse::<u32>().is_ok());
    let at = words.iter().position(|w| share(w))?;
    words.get(at.checked_sub(1)?)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_df_says() {
        let head = "Filesystem 1024-blocks Used Available Capacity Mounted on\n";
        let of = |line: &str| available(&format!("{head}{line}\n"));
        assert_eq!(
            of("overlay  103081248 61220128  36595756      63% /"),
            Some(36_595_756)
        );
        assert_eq!(of("map auto home 0 0 0 100% /System/My Data"), Some(0));
        assert_eq!(of("none 0 0 0 - /proc"), None);
        assert_eq!(of("63% /"), None);
        assert_eq!(available(head), None);
        assert!(
            free().is_some_and(|kib| kib > 0),
            "there is a `df` where tests run"
        );
    }

    #[test]
    fn room_is_named_where_it_lacks() {
        let said = before(24 * GB, false).unwrap_or_default();
        assert!(said.contains("24 GB of disk are free"), "{said}");
        assert_eq!(before(25 * GB, false), None);
        assert_eq!(before(3 * GB, true), None, "what is built is there already");
        assert_eq!(after(2 * GB), "", "it failed for another reason");
        assert!(after(50 * 1024).contains("50 MB are free"));
    }
}

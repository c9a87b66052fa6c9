//! ffmpeg for the tests of videos.

use crate::sh;
use anyhow::{Result, bail};

/// Finds it, or installs it.
pub fn ensure() -> Result<()> {
    if sh::which("ffmpeg").is_some() {
        return Ok(());
    }
    if sh::can_apt() {
        sh::step("set-up: apt-get install ffmpeg (for the tests of videos)");
        if sh::apt_install(&["ffmpeg"]).is_ok() && sh::which("ffmpeg").is_some() {
            return Ok(());
        }
    }
    bail!(
        "the tests of videos need ffmpeg (5.1 or newer), and it could not be installed here.\n\
         Install it (Debian and Ubuntu: `apt install ffmpeg`, macOS: `brew install ffmpeg`) and run again"
    )
}

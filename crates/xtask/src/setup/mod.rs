//! Finds what building and testing need, installs what is missing, and says so. Silent and quick otherwise.

pub mod chromium;
pub mod ffmpeg;
pub mod node;
pub mod postgres;
pub mod wasm_std;

use anyhow::Result;

/// Everything `run` needs, and with `tests` everything `test` needs.
pub fn all(tests: bool) -> Result<()> {
    wasm_std::ensure()?;
    if tests {
        node::ensure()?;
        node::ensure_modules()?;
        chromium::ensure()?;
        postgres::ensure_programs()?;
        ffmpeg::ensure()?;
    }
    Ok(())
}

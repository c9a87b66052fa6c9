//! `.br` and `.gz` beside each file, so that the server never compresses on a request.

use anyhow::Result;
use std::io::Write;
use std::path::{Path, PathBuf};

/// How hard to try: development wants it now, a release wants it small.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    Quick,
    Best,
}

/// Writes the compressed copies of `content` beside `file`; takes those of `same`, an identical file, if it can.
pub fn beside(file: &Path, content: &[u8], effort: Effort, same: Option<&Path>) -> Result<()> {
    if !worth_it(file) {
        return Ok(());
    }
    if let (Some(same), Effort::Quick) = (same, effort)
        && reuse(file, same)
    {
        return Ok(());
    }
    let quality = if effort == Effort::Best { 11 } else { 4 };
    let mut br = Vec::new();
    let params = brotli::enc::BrotliEncoderParams {
        quality,
        lgwin: 22,
        ..Default::default()
    };
    brotli::BrotliCompress(&mut &content[..], &mut br, &params)?;
    std::fs::write(suffixed(file, "br"), br)?;
    let level = flate2::Compression::new(if effort == Effort::Best { 9 } else { 4 });
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), level);
    gz.write_all(content)?;
    std::fs::write(suffixed(file, "gz"), gz.finish()?)?;
    Ok(())
}

/// Copies the compressed files of an identical one. They may come from a quick build, so a release never does.
fn reuse(file: &Path, same: &Path) -> bool {
    ["br", "gz"]
        .iter()
        .all(|ext| std::fs::copy(suffixed(same, ext), suffixed(file, ext)).is_ok())
}

fn suffixed(file: &Path, extension: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    name.into()
}

fn worth_it(file: &Path) -> bool {
    let extension = file.extension().and_then(|e| e.to_str()).unwrap_or_default();
    matches!(
        extension,
        "js" | "wasm" | "css" | "svg" | "json" | "html" | "webmanifest"
    )
}

//! Whole files in bounded memory.

use crate::error::FormatError;
use crate::findings::{Detail, Findings, quote};
use std::io::Read;

/// The file as UTF-8 text without a byte order mark; what is no UTF-8 is replaced, and noted. Errors: longer than `max`
/// bytes, with what such a file is for.
pub(crate) fn text(
    reader: &mut dyn Read,
    max: u64,
    what: &str,
    findings: &mut Findings,
) -> Result<String, FormatError> {
    let bytes = bytes(reader, max, what, findings)?;
    let text = String::from_utf8(bytes).unwrap_or_else(|e| {
        findings.fixed("not_utf8", || {
            Detail::new("Bytes that are not UTF-8 were replaced by �; save the file as UTF-8.")
        });
        String::from_utf8_lossy(e.as_bytes()).into_owned()
    });
    Ok(match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    })
}

/// The file as bytes; see [`text`].
pub(crate) fn bytes(
    reader: &mut dyn Read,
    max: u64,
    what: &str,
    findings: &Findings,
) -> Result<Vec<u8>, FormatError> {
    let mut bytes = Vec::new();
    reader.take(max + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max {
        return Err(FormatError::NotTheFormat(format!(
            "`{}` is longer than {} MiB; {what}.",
            quote(findings.file()),
            max >> 20
        )));
    }
    Ok(bytes)
}

//! What files are, by the ends of their names.

/// A media type for a file of this name. What is not known is bytes.
pub fn of(path: &str) -> &'static str {
    let name = path.rsplit('/').next().unwrap_or(path);
    let end = name.rsplit_once('.').map(|(_, e)| e.to_ascii_lowercase());
    match end.as_deref() {
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("gif") => "image/gif",
        Some("webp") => "image/webp",
        Some("svg") => "image/svg+xml",
        Some("json" | "ipynb" | "geojson") => "application/json",
        Some("html" | "htm") => "text/html",
        Some("csv") => "text/csv",
        Some("md") => "text/markdown",
        Some("pdf") => "application/pdf",
        Some("zip") => "application/zip",
        Some(
            "txt" | "log" | "py" | "yaml" | "yml" | "toml" | "cfg" | "ini" | "tsv" | "xml" | "jsonl" | "sh"
            | "r" | "sql" | "css" | "js" | "rs",
        ) => "text/plain",
        None if matches!(
            name,
            "MLmodel" | "MLproject" | "Dockerfile" | "LICENSE" | "README"
        ) =>
        {
            "text/plain"
        }
        _ => "application/octet-stream",
    }
}

/// Whether browsers show it as a picture.
pub fn is_picture(path: &str) -> bool {
    of(path).starts_with("image/")
}

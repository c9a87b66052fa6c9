//! Files named on the command line, and those in named folders.

use anyhow::{Context as _, Result, bail};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What a file is, by its name's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Picture,
    /// Plain text: an item of a text project.
    Document,
    Archive,
    Video,
    Other,
}

/// A file with the name it gets on the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub path: PathBuf,
    /// Relative path with forward slashes; below the folder named on the command line.
    pub name: String,
    pub size: u64,
    pub kind: Kind,
}

impl Kind {
    fn of(path: &Path) -> Self {
        let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
        match extension.to_ascii_lowercase().as_str() {
            "jpg" | "jpeg" | "jpe" | "jfif" | "png" | "webp" | "gif" | "bmp" | "tif" | "tiff" => {
                Self::Picture
            }
            "txt" => Self::Document,
            "zip" => Self::Archive,
            e if limn_domain::video::EXTENSIONS.contains(&e) => Self::Video,
            _ => Self::Other,
        }
    }
}

/// Files as named, and all files in named folders but hidden ones; in order of their names. Links are followed only
/// where they are named themselves.
pub fn collect(paths: &[PathBuf]) -> Result<Vec<Found>> {
    let mut found = BTreeMap::new();
    for path in paths {
        let meta = std::fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
        if meta.is_dir() {
            walk(path, "", &mut found)?;
        } else {
            let name = path.file_name().unwrap_or_default();
            add(path, name.to_str(), meta.len(), &mut found)?;
        }
    }
    Ok(found.into_values().collect())
}

fn walk(dir: &Path, below: &str, found: &mut BTreeMap<String, Found>) -> Result<()> {
    let entries = std::fs::read_dir(dir).with_context(|| format!("cannot read {}", dir.display()))?;
    for entry in entries {
        let entry = entry.with_context(|| format!("cannot read {}", dir.display()))?;
        let (path, file_name) = (entry.path(), entry.file_name());
        let hidden = file_name.as_encoded_bytes().starts_with(b".");
        let meta = entry
            .metadata()
            .with_context(|| format!("cannot read {}", path.display()))?;
        if hidden || meta.is_symlink() {
            continue;
        }
        let name = file_name.to_str().map(|n| format!("{below}{n}"));
        if meta.is_dir() {
            let Some(name) = name else {
                eprintln!(
                    "passed over: {} (its name is not UTF-8; rename it)",
                    path.display()
                );
                continue;
            };
            walk(&path, &format!("{name}/"), found)?;
        } else if meta.is_file() {
            add(&path, name.as_deref(), meta.len(), found)?;
        }
    }
    Ok(())
}

fn add(path: &Path, name: Option<&str>, size: u64, found: &mut BTreeMap<String, Found>) -> Result<()> {
    let Some(name) = name else {
        eprintln!(
            "passed over: {} (its name is not UTF-8; rename it)",
            path.display()
        );
        return Ok(());
    };
    let new = Found {
        path: path.to_owned(),
        name: name.to_owned(),
        size,
        kind: Kind::of(path),
    };
    if let Some(old) = found.get(name) {
        if old.path == new.path {
            return Ok(());
        }
        bail!(
            "{} and {} would both be called {name}; name a folder above them instead",
            old.path.display(),
            new.path.display()
        );
    }
    found.insert(name.to_owned(), new);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_give_relative_names() {
        let dir = std::env::temp_dir().join(format!("limn-files-{}", std::process::id()));
        std::fs::create_dir_all(dir.join("a/b")).unwrap();
        std::fs::create_dir_all(dir.join(".hidden")).unwrap();
        for name in ["a/b/1.JPG", "a/2.xml", ".hidden/3.jpg", "a/.DS_Store"] {
            std::fs::write(dir.join(name), "x").unwrap();
        }
        let found = collect(&[dir.join("a")]).unwrap();
        let names: Vec<_> = found.iter().map(|f| (f.name.as_str(), f.kind)).collect();
        assert_eq!(names, [("2.xml", Kind::Other), ("b/1.JPG", Kind::Picture)]);
        std::fs::create_dir_all(dir.join("c/b")).unwrap();
        std::fs::write(dir.join("c/2.xml"), "y").unwrap();
        let clash = collect(&[dir.join("a"), dir.join("c")]).unwrap_err().to_string();
        assert!(clash.contains("2.xml"), "{clash}");
        std::fs::remove_dir_all(dir).unwrap();
    }
}

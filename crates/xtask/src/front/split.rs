//! Takes the pages marked `#[leptos::lazy]` out of the module, into files that the browser fetches when it needs them.

use super::NAME;
use anyhow::{Result, anyhow};
use std::path::{Path, PathBuf};
use wasm_split_cli_support::{Options, transform};

/// The script that fetches the parts, and the file that names the parts of each lazy function.
const LOADER: &str = "split.js";
const MANIFEST: &str = "split.json";

/// Splits `module` into `folders/KEY/`: parts, loader and manifest. Returns the main part, still to be bound.
pub fn split(module: &[u8], folders: &Path, key: &str) -> Result<PathBuf> {
    let dir = folders.join(key);
    std::fs::create_dir_all(&dir)?;
    let main = dir.join("main.wasm");
    let bound = format!("../{NAME}.{key}.js");
    let link = format!("./{LOADER}");
    let mut options = Options::new(module);
    options.output_dir = &dir;
    options.main_out_path = &main;
    options.main_module = &bound;
    options.link_name = &link;
    let split = transform(options).map_err(|e| anyhow!("cannot split the front end: {e:#}"))?;
    for part in &split.split_modules {
        std::fs::write(part, without_custom_sections(&std::fs::read(part)?)?)?;
    }
    std::fs::write(dir.join(MANIFEST), serde_json::to_vec(&split.prefetch_map)?)?;
    Ok(main)
}

/// In the bound script the loader is a neighbour; in the site it lies in the folder that carries the key. (The
/// module knows the loader by its plain name, which stays.)
pub fn point_to_folder(js: &str, key: &str) -> String {
    ['"', '\''].iter().fold(js.to_owned(), |js, quote| {
        let from = |path: &str| format!("from {quote}./{path}{quote}");
        js.replace(&from(LOADER), &from(&format!("{key}/{LOADER}")))
    })
}

/// The modules fetched later.
pub fn parts(folders: &Path, key: &str) -> Result<Vec<PathBuf>> {
    let mut parts = Vec::new();
    for entry in std::fs::read_dir(folders.join(key))? {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "wasm") {
            parts.push(path);
        }
    }
    Ok(parts)
}

/// Names and relocations are of no use to a browser and weigh more than the code.
fn without_custom_sections(module: &[u8]) -> Result<Vec<u8>> {
    let broken = || anyhow!("a part of the front end is no WebAssembly module");
    let (header, mut rest) = module.split_at_checked(8).ok_or_else(broken)?;
    let mut kept = header.to_vec();
    while let Some((&id, after)) = rest.split_first() {
        // The section's length: LEB128.
        let (mut length, mut at) = (0usize, 0usize);
        loop {
            let &byte = after.get(at).filter(|_| at < 5).ok_or_else(broken)?;
            length |= usize::from(byte & 0x7f) << (7 * at);
            at += 1;
            if byte & 0x80 == 0 {
                break;
            }
        }
        let end = at + length;
        let section = after.get(..end).ok_or_else(broken)?;
        if id != 0 {
            kept.push(id);
            kept.extend_from_slice(section);
        }
        rest = &after[end..];
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_import_is_pointed_elsewhere() {
        let js = "import * as import1 from \"./split.js\"\nreturn { \"./split.js\": import1 }";
        assert_eq!(
            point_to_folder(js, "k1"),
            "import * as import1 from \"./k1/split.js\"\nreturn { \"./split.js\": import1 }"
        );
    }

    #[test]
    fn custom_sections_go_and_the_rest_stays() {
        let head = *b"\0asm\x01\0\0\0";
        let module = [&head[..], &[0, 3, 1, b'n', 9], &[1, 1, 0], &[0, 2, 1, b'p']].concat();
        assert_eq!(
            without_custom_sections(&module).unwrap(),
            [&head[..], &[1, 1, 0]].concat()
        );
        assert!(without_custom_sections(&module[..10]).is_err());
        assert!(without_custom_sections(b"no").is_err());
    }
}

//! Builds the front end into `target/site`: the browser's code, the style sheet, fonts and public files.
//!
//! Layout: `pkg/limn.HASH.{js,wasm,css}` and `pkg/HASH/` with the pages' modules, the worker's `pkg/limn-vision.HASH.*` (immutable
//! names) and the `vision.js` that loads it, `fonts/`, whatever
//! `public/` holds, and `hash.txt` as Leptos' `hash_files` option reads it. Beside each file worth
//! compressing lie `.br` and `.gz`.

mod assets;
mod compress;
mod css;
mod split;
pub mod wasm;
mod worker;

use crate::lint::Wrapper;
use crate::setup::wasm_std;
use crate::{sh, ws};
use anyhow::{Context, Result};
use std::path::Path;

/// The base name of the front end's files.
const NAME: &str = "limn";

/// Builds everything. Files are complete before they replace those of the last build.
pub fn build(release: bool) -> Result<()> {
    build_linted(release, None).map(drop)
}

/// The same past a linter; how many warnings there were.
pub fn build_linted(release: bool, linter: Option<&Wrapper>) -> Result<usize> {
    let toolchain = wasm_std::ensure()?;
    sh::step(if release {
        "front end (release)"
    } else {
        "front end"
    });
    let (module, warnings) = wasm::compile(toolchain, release, linter)?;
    let pkg = wasm::package(&module, release)?;
    let vision = worker::compile(toolchain, release)?;
    let style = css::bundle(&ws::root().join("style/main.css"))?;
    let mut site = assets::Site::open()?;
    site.begin(release)?;
    let key = &pkg.key;
    site.add(&format!("pkg/{NAME}.{key}.js"), &pkg.js)?;
    site.add(&format!("pkg/{NAME}.{key}.wasm"), &pkg.wasm)?;
    let css = site.add_hashed(NAME, "css", style.as_bytes())?;
    site.add_tree(&pkg.folders, Path::new("pkg"))?;
    worker::add(&site, &vision, release)?;
    add_static(&mut site)?;
    site.add(
        "hash.txt",
        format!("js: {key}\nwasm: {key}\ncss: {css}\n").as_bytes(),
    )?;
    site.finish()?;
    Ok(warnings)
}

/// Only the style sheet and the static files, over a front end that was built before.
pub fn restyle() -> Result<()> {
    let style = css::bundle(&ws::root().join("style/main.css"))?;
    let mut site = assets::Site::open()?;
    let hashes = std::fs::read_to_string(site.live().join("hash.txt"))
        .context("the front end was never built; run `cargo xtask build`")?;
    let css = site.add_hashed(NAME, "css", style.as_bytes())?;
    add_static(&mut site)?;
    let mut kept = String::new();
    for line in hashes.lines().filter(|l| !l.starts_with("css:")) {
        kept.push_str(line);
        kept.push('\n');
    }
    site.add("hash.txt", format!("{kept}css: {css}\n").as_bytes())
}

fn add_static(site: &mut assets::Site) -> Result<()> {
    site.add_tree(&ws::root().join("style/fonts"), Path::new("fonts"))?;
    site.add_tree(&ws::root().join("public"), Path::new(""))
}

//! The worker of the smart tools: a small module of its own, which a page fetches when a tool first needs it.
//!
//! `pkg/limn-vision.HASH.{js,wasm}` are named by their content; `vision.js` beside `pkg/` keeps its name, is asked for anew by
//! every page, and names them.

use super::assets::Site;
use super::wasm;
use crate::setup::wasm_std::{TARGET, Toolchain};
use crate::{sh, ws};
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

const NAME: &str = "limn-vision";

/// Compiles the worker's crate and returns the raw module's path.
pub fn compile(toolchain: Toolchain, release: bool) -> Result<PathBuf> {
    let (mut cargo, target) = toolchain.cargo_rustc();
    cargo.args(["--package", "limn-vision-worker", "--lib"]);
    let folder = wasm::profile(&mut cargo, release);
    sh::run(&mut cargo)?;
    Ok(target.join(TARGET).join(folder).join("limn_vision_worker.wasm"))
}

/// Binds the module and adds it and its script to the site.
pub fn add(site: &Site, module: &Path, release: bool) -> Result<()> {
    let bytes = std::fs::read(module).with_context(|| format!("cannot read {}", module.display()))?;
    let out = ws::target().join(if release { "worker-release" } else { "worker" });
    let stamp = out.join("stamp");
    let key = blake3::hash(&bytes).to_hex()[..16].to_owned();
    if !std::fs::read_to_string(&stamp).is_ok_and(|old| old == key) {
        let _ = std::fs::remove_dir_all(&out);
        wasm::bind(module, &out, NAME, release)?;
        if release {
            wasm::shrink(&out.join(format!("{NAME}_bg.wasm")))?;
        }
        std::fs::write(&stamp, &key)?;
    }
    let js = std::fs::read(out.join(format!("{NAME}.js")))?;
    let wasm = std::fs::read(out.join(format!("{NAME}_bg.wasm")))?;
    site.add(&format!("pkg/{NAME}.{key}.js"), &js)?;
    site.add(&format!("pkg/{NAME}.{key}.wasm"), &wasm)?;
    let script = std::fs::read_to_string(ws::root().join("crates/vision-worker/src/worker.js"))?;
    site.add("vision.js", script.replace("KEY", &key).as_bytes())
}

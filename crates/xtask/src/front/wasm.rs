//! From `limn-hydrate` to what the browser loads: compile, split, bind to JavaScript, shrink.

use super::{NAME, split};
use crate::lint::{self, Wrapper};
use crate::setup::wasm_std::{TARGET, Toolchain};
use crate::{sh, ws};
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What rustc emits and every evergreen browser runs. Naming more would let wasm-opt use what browsers refuse.
const OPT_FEATURES: [&str; 7] = [
    // The worker of the smart tools; every browser since 2023.
    "--enable-simd",
    "--enable-bulk-memory",
    "--enable-reference-types",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-multivalue",
];

/// What `pkg/` of the site holds besides the style sheet.
pub struct Package {
    /// Names this build in every file's name: they load each other, so that no single one's content could.
    pub key: String,
    pub js: Vec<u8>,
    pub wasm: Vec<u8>,
    /// Folders that the JavaScript imports from: the snippets, and the modules fetched later.
    pub folders: PathBuf,
}

/// How the front end is built for development: as the server, but quick enough for a browser, and without debug names.
pub const QUICK: [&str; 4] = [
    "--config",
    "profile.dev.opt-level=1",
    "--config",
    "profile.dev.debug=false",
];

/// Chooses the profile of a build for the browser; the folder that its files come to lie in.
pub fn profile(cargo: &mut Command, release: bool) -> &'static str {
    if release {
        cargo.args(["--profile", "wasm-release"]);
        "wasm-release"
    } else {
        cargo.args(QUICK);
        "debug"
    }
}

/// Compiles the browser's crate, past a linter if there is one. Returns the raw module's path, and how many warnings there were.
pub fn compile(toolchain: Toolchain, release: bool, linter: Option<&Wrapper>) -> Result<(PathBuf, usize)> {
    let (mut cargo, target) = toolchain.cargo_rustc();
    cargo.args(["--package", "limn-hydrate", "--lib"]);
    let folder = profile(&mut cargo, release);
    // The splitter follows relocations from function to function.
    let relocations = ["--", "-Clink-args=--emit-relocs"];
    let warnings = if let Some(linter) = linter {
        linter.around(&mut cargo);
        let (built, warnings) = lint::counted(&mut cargo, &relocations)?;
        ensure!(built, "the browser's crate does not build");
        warnings
    } else {
        sh::run(cargo.args(relocations))?;
        0
    };
    Ok((
        target.join(TARGET).join(folder).join("limn_hydrate.wasm"),
        warnings,
    ))
}

/// Splits and binds the module. A module that did not change since the last time is not bound again.
pub fn package(module: &Path, release: bool) -> Result<Package> {
    let bytes = std::fs::read(module).with_context(|| format!("cannot read {}", module.display()))?;
    let out = ws::target().join(if release { "bindgen-release" } else { "bindgen" });
    let stamp = out.join("stamp");
    let key = blake3::hash(&bytes).to_hex()[..16].to_owned();
    if !std::fs::read_to_string(&stamp).is_ok_and(|old| old == key) {
        let _ = std::fs::remove_dir_all(&out);
        let folders = out.join("folders");
        let main = split::split(&bytes, &folders, &key)?;
        bind(&main, &out, NAME, release)?;
        std::fs::remove_file(&main)?;
        if release {
            shrink(&out.join(format!("{NAME}_bg.wasm")))?;
            for part in split::parts(&folders, &key)? {
                shrink(&part)?;
            }
        }
        let js = out.join(format!("{NAME}.js"));
        let bound = split::point_to_folder(&std::fs::read_to_string(&js)?, &key);
        std::fs::write(&js, hash_snippets(&bound, &out.join("snippets"), &folders)?)?;
        std::fs::write(&stamp, &key)?;
    }
    Ok(Package {
        js: std::fs::read(out.join(format!("{NAME}.js")))?,
        wasm: std::fs::read(out.join(format!("{NAME}_bg.wasm")))?,
        folders: out.join("folders"),
        key,
    })
}

/// Binds a module to JavaScript.
pub fn bind(module: &Path, out: &Path, name: &str, release: bool) -> Result<()> {
    wasm_bindgen_cli_support::Bindgen::new()
        .input_path(module)
        .web(true)?
        .out_name(name)
        .typescript(false)
        .keep_debug(false)
        // The parts fetched later link against the table and the memory.
        .keep_lld_exports(true)
        .remove_name_section(release)
        .remove_producers_section(true)
        // The page names the module itself; a default path would ignore its hash.
        .omit_default_module_path(true)
        .generate(out)
        .context("wasm-bindgen could not bind the front end")
}

/// Runs wasm-opt when there is one; a release without it is about a tenth larger and otherwise the same.
pub fn shrink(wasm: &Path) -> Result<()> {
    let Some(wasm_opt) = sh::which("wasm-opt") else {
        eprintln!("    no wasm-opt on PATH; the module is shipped as rustc made it");
        return Ok(());
    };
    let small = wasm.with_extension("small");
    let mut command = Command::new(wasm_opt);
    command
        .arg("-Oz")
        .args(OPT_FEATURES)
        .arg(wasm)
        .arg("-o")
        .arg(&small);
    if sh::status(&mut command)?.success() {
        std::fs::rename(small, wasm)?;
    } else {
        eprintln!("    wasm-opt failed; the module is shipped as rustc made it");
    }
    Ok(())
}

/// Snippets keep their names when their content changes, but `pkg/` is cached for ever: their folder gets the
/// hash. Returns the JavaScript that imports from there.
fn hash_snippets(js: &str, from: &Path, folders: &Path) -> Result<String> {
    if !from.is_dir() {
        return Ok(js.to_owned());
    }
    let mut hasher = blake3::Hasher::new();
    hash_tree(from, &mut hasher)?;
    let name = format!("snippets.{}", &hasher.finalize().to_hex()[..16]);
    copy_tree(from, &folders.join(&name))?;
    Ok(js.replace("./snippets/", &format!("./{name}/")))
}

fn sorted(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut paths = std::fs::read_dir(dir)?
        .map(|e| Ok(e?.path()))
        .collect::<Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

fn hash_tree(dir: &Path, hasher: &mut blake3::Hasher) -> Result<()> {
    for path in sorted(dir)? {
        hasher.update(path.file_name().unwrap_or_default().as_encoded_bytes());
        if path.is_dir() {
            hash_tree(&path, hasher)?;
        } else {
            hasher.update(&std::fs::read(&path)?);
        }
    }
    Ok(())
}

fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for path in sorted(from)? {
        let target = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copy_tree(&path, &target)?;
        } else {
            std::fs::copy(&path, target)?;
        }
    }
    Ok(())
}

//! `deps`: who may import whom, from cargo's own metadata, and what must never reach the browser.

use crate::{sh, ws};
use anyhow::{Context, Result};
use serde_json::Value;
use std::path::Path;
use std::process::ExitCode;

/// Our crates and which of ours each may depend on. `*` is all but the test kit.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("limn-domain", &[]),
    ("limn-editor", &["limn-domain"]),
    ("limn-vision", &["limn-domain"]),
    ("limn-vision-worker", &["limn-domain", "limn-vision"]),
    ("limn-explore", &["limn-domain"]),
    ("limn-formats", &["limn-domain"]),
    ("limn-profile", &["limn-domain"]),
    ("limn-versions", &["limn-domain"]),
    ("limn-store", &["limn-domain"]),
    ("limn-storage", &["limn-domain"]),
    ("limn-connect", &["limn-domain"]),
    ("limn-jobs", &["limn-domain", "limn-store"]),
    (
        "limn-services",
        &[
            "limn-connect",
            "limn-domain",
            "limn-explore",
            "limn-formats",
            "limn-profile",
            "limn-store",
            "limn-storage",
            "limn-versions",
            "limn-jobs",
        ],
    ),
    ("limn-ml", &["limn-domain", "limn-services", "limn-vision"]),
    ("limn-app", &["limn-domain", "limn-editor", "limn-services"]),
    ("limn-hydrate", &["limn-app"]),
    ("limn-server", &["*"]),
    ("limn-testkit", &["*"]),
    ("limn-tests", &["*"]),
    ("limn-bench", &["limn-domain"]),
    ("xtask", &[]),
];
/// Foreign crates a crate must not always bring along; an optional one is its user's choice.
const NEVER_NAMED: &[(&str, &[&str])] = &[
    ("limn-domain", &["tokio", "sqlx", "axum", "leptos", "web-sys"]),
    (
        "limn-editor",
        &[
            "tokio",
            "sqlx",
            "axum",
            "leptos",
            "web-sys",
            "js-sys",
            "wasm-bindgen",
        ],
    ),
    (
        "limn-vision",
        &["tokio", "leptos", "web-sys", "js-sys", "wasm-bindgen"],
    ),
    ("limn-formats", &["tokio", "sqlx", "axum", "reqwest", "leptos"]),
    ("limn-explore", &["tokio", "sqlx", "axum", "reqwest", "leptos"]),
    ("limn-profile", &["tokio", "sqlx", "axum", "reqwest", "leptos"]),
    ("limn-versions", &["tokio", "sqlx", "axum", "reqwest", "leptos"]),
    ("limn-connect", &["axum", "leptos"]),
    ("limn-store", &["axum", "leptos"]),
    ("limn-services", &["axum", "leptos", "sqlx"]),
    ("limn-app", &["sqlx", "burn", "object_store"]),
];
/// Packages that must not be in what the browser loads.
const NEVER_IN_BROWSER: &[&str] = &[
    "tokio",
    "sqlx",
    "sqlx-core",
    "axum",
    "burn",
    "object_store",
    "hyper",
    "reqwest",
];

pub fn run() -> Result<ExitCode> {
    Ok(if check()? {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// True when every rule holds; each break is printed with its mend.
pub fn check() -> Result<bool> {
    sh::step("import directions");
    let text = sh::output(ws::cargo().args(["metadata", "--format-version", "1", "--no-deps"]))?;
    let metadata: Value = serde_json::from_str(&text).context("cargo metadata is not JSON")?;
    let mut problems = edges(&metadata);
    problems.extend(browser_tree()?);
    problems.extend(features(&ws::root().join("app/src/features"))?);
    for problem in &problems {
        eprintln!("error: {problem}");
    }
    Ok(problems.is_empty())
}

fn edges(metadata: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let name = package["name"].as_str().unwrap_or_default();
        let Some((_, allowed)) = MAY_IMPORT.iter().find(|(n, _)| *n == name) else {
            problems.push(format!(
                "{name} is new: say in crates/xtask/src/deps.rs what it may import"
            ));
            continue;
        };
        let banned = NEVER_NAMED
            .iter()
            .find(|(n, _)| *n == name)
            .map_or(&[][..], |(_, b)| *b);
        for dep in package["dependencies"].as_array().into_iter().flatten() {
            let to = dep["name"].as_str().unwrap_or_default();
            if dep["kind"] == "dev" {
                continue;
            }
            let ours = MAY_IMPORT.iter().any(|(n, _)| *n == to);
            let fine = match to {
                "limn-testkit" => false,
                _ => allowed.contains(&to) || allowed.contains(&"*"),
            };
            if ours && !fine {
                problems.push(format!(
                    "{name} must not depend on {to} (see \"who may import whom\" in ARCHITECTURE.md)"
                ));
            }
            if name == "limn-app" && to == "limn-services" && dep["optional"] != true {
                problems.push(
                    "limn-app may depend on limn-services only as an optional part of its ssr feature".into(),
                );
            }
            if banned.contains(&to) && dep["optional"] != true {
                problems.push(format!("{name} must not depend on {to}"));
            }
        }
    }
    problems
}

/// What the browser's crate really pulls in, features and target applied.
fn browser_tree() -> Result<Vec<String>> {
    let mut tree = ws::cargo();
    tree.args([
        "tree",
        "--package",
        "limn-hydrate",
        "--target",
        "wasm32-unknown-unknown",
    ]);
    tree.args(["--edges", "normal", "--prefix", "none", "--format", "{p}"]);
    let text = sh::output(&mut tree)?;
    let names = text.lines().filter_map(|l| l.split_whitespace().next());
    let mut found: Vec<&str> = names.filter(|n| NEVER_IN_BROWSER.contains(n)).collect();
    found.sort_unstable();
    found.dedup();
    Ok(found
        .into_iter()
        .map(|n| format!("{n} is compiled into the front end; `cargo tree -p limn-hydrate --target wasm32-unknown-unknown -i {n}` shows through whom"))
        .collect())
}

/// Feature folders must not import their siblings: what two share belongs in `ui`, `domain` or above them.
fn features(root: &Path) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    let Ok(entries) = std::fs::read_dir(root) else {
        return Ok(problems);
    };
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            let feature = path
                .file_name()
                .and_then(|n| n.to_str())
                .unwrap_or_default()
                .to_owned();
            siblings(&path, &feature, &mut problems)?;
        }
    }
    problems.sort();
    Ok(problems)
}

fn siblings(dir: &Path, feature: &str, problems: &mut Vec<String>) -> Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            siblings(&path, feature, problems)?;
        } else if path.extension().is_some_and(|e| e == "rs") {
            let text = std::fs::read_to_string(&path)?;
            for (number, line) in text.lines().enumerate() {
                if let Some(other) = sibling(line, feature) {
                    let shown = path.strip_prefix(ws::root()).unwrap_or(&path).display();
                    problems.push(format!(
                        "{shown}:{}: feature {feature} imports feature {other}",
                        number + 1
                    ));
                }
            }
        }
    }
    Ok(())
}

/// The other feature that a line of code names, if any.
fn sibling<'a>(line: &'a str, feature: &str) -> Option<&'a str> {
    let code = line.split("//").next().unwrap_or_default();
    let (_, after) = code.split_once("crate::features::")?;
    let other = after
        .split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .next()
        .unwrap_or_default();
    (!other.is_empty() && other != feature).then_some(other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn package(name: &str, deps: Value) -> Value {
        json!({"packages": [{"name": name, "dependencies": deps}]})
    }

    #[test]
    fn forbidden_edges_are_named() {
        let up = package(
            "limn-domain",
            json!([{"name": "limn-store", "kind": null, "optional": false}]),
        );
        assert_eq!(edges(&up).len(), 1);
        let fine = package(
            "limn-jobs",
            json!([{"name": "limn-store", "kind": null, "optional": false}]),
        );
        assert!(edges(&fine).is_empty());
        let kit = package(
            "limn-server",
            json!([{"name": "limn-testkit", "kind": null, "optional": false}]),
        );
        assert_eq!(edges(&kit).len(), 1);
        let dev = package(
            "limn-server",
            json!([{"name": "limn-testkit", "kind": "dev", "optional": false}]),
        );
        assert!(edges(&dev).is_empty());
        let always = package(
            "limn-app",
            json!([{"name": "limn-services", "kind": null, "optional": false}]),
        );
        assert_eq!(edges(&always).len(), 1);
    }

    #[test]
    fn siblings_are_found() {
        assert_eq!(
            sibling("use crate::features::items::Grid;", "label"),
            Some("items")
        );
        assert_eq!(sibling("use crate::features::label::Grid;", "label"), None);
        assert_eq!(sibling("// crate::features::items", "label"), None);
    }
}

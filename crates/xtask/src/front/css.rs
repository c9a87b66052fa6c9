//! Bundles `style/main.css`: follows `@import`, keeps layers and conditions, lowers and minifies.

use anyhow::{Context, Result, anyhow, bail};
use lightningcss::stylesheet::{MinifyOptions, ParserOptions, PrinterOptions, StyleSheet};
use lightningcss::targets::{Browsers, Targets};
use std::path::{Path, PathBuf};

/// The browsers of the last two years; what they lack is written in terms of what they have.
fn targets() -> Targets {
    let v = |major: u32, minor: u32| Some(major << 16 | minor << 8);
    Browsers {
        chrome: v(123, 0),
        edge: v(123, 0),
        firefox: v(125, 0),
        safari: v(17, 5),
        ios_saf: v(17, 5),
        ..Browsers::default()
    }
    .into()
}

/// The style sheet as one minified text.
pub fn bundle(main: &Path) -> Result<String> {
    let css = inline(main, &mut Vec::new())?;
    let mut sheet = parse(&css, main)?;
    sheet
        .minify(MinifyOptions {
            targets: targets(),
            ..MinifyOptions::default()
        })
        .map_err(|e| anyhow!("cannot minify {}: {e}", main.display()))?;
    let options = PrinterOptions {
        minify: true,
        targets: targets(),
        ..PrinterOptions::default()
    };
    Ok(sheet
        .to_css(options)
        .map_err(|e| anyhow!("cannot print {}: {e}", main.display()))?
        .code)
}

fn parse<'a>(css: &'a str, path: &Path) -> Result<StyleSheet<'a>> {
    let options = ParserOptions {
        filename: path.display().to_string(),
        ..ParserOptions::default()
    };
    StyleSheet::parse(css, options).map_err(|e| anyhow!("{e}"))
}

/// The file's text with every import replaced by what it names.
fn inline(path: &Path, open: &mut Vec<PathBuf>) -> Result<String> {
    if open.iter().any(|p| p == path) {
        bail!("{} imports itself", path.display());
    }
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    // Each file alone, first: so a mistake is reported with its own file and line.
    parse(&text, path)?;
    let text = without_comments(&text);
    open.push(path.to_path_buf());
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some(at) = rest.find("@import") {
        out.push_str(&rest[..at]);
        let end = rest[at..]
            .find(';')
            .with_context(|| format!("{}: @import without `;`", path.display()))?;
        let import = Import::parse(rest[at + 7..at + end].trim())
            .with_context(|| format!("{}: cannot read `{}`", path.display(), &rest[at..=at + end]))?;
        let file = path.parent().unwrap_or(path).join(import.file);
        out.push_str(&import.wrap(&inline(&file, open)?));
        rest = &rest[at + end + 1..];
    }
    out.push_str(rest);
    open.pop();
    Ok(out)
}

/// `"file.css" layer(name) conditions`
struct Import<'a> {
    file: &'a str,
    layer: Option<&'a str>,
    media: &'a str,
}

impl<'a> Import<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let text = text.strip_prefix("url(").map_or(text, str::trim_start);
        let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let (file, rest) = text[1..].split_once(quote)?;
        if file.contains("//") {
            return None;
        }
        let rest = rest.trim_start().trim_start_matches(')').trim();
        let Some(after) = rest.strip_prefix("layer") else {
            return Some(Self {
                file,
                layer: None,
                media: rest,
            });
        };
        match after.strip_prefix('(') {
            Some(named) => {
                let (name, media) = named.split_once(')')?;
                Some(Self {
                    file,
                    layer: Some(name.trim()),
                    media: media.trim(),
                })
            }
            None => Some(Self {
                file,
                layer: Some(""),
                media: after.trim(),
            }),
        }
    }

    fn wrap(&self, css: &str) -> String {
        let css = match self.layer {
            Some(name) => format!("@layer {name}{{\n{css}\n}}\n"),
            None => css.to_owned(),
        };
        if self.media.is_empty() {
            css
        } else {
            format!("@media {}{{\n{css}\n}}\n", self.media)
        }
    }
}

/// The text without `/* comments */`; those inside strings stay.
fn without_comments(css: &str) -> String {
    let mut out = String::with_capacity(css.len());
    let mut chars = css.char_indices().peekable();
    let mut quote = None;
    while let Some((at, c)) = chars.next() {
        if quote.is_none() && css[at..].starts_with("/*") {
            let end = css[at + 2..].find("*/").map_or(css.len(), |e| at + 2 + e + 2);
            while chars.next_if(|(i, _)| *i < end).is_some() {}
            out.push(' ');
            continue;
        }
        match quote {
            Some(q) if q == c => quote = None,
            None if c == '"' || c == '\'' => quote = Some(c),
            _ => {}
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_become_layers_and_media() {
        let dir = std::env::temp_dir().join(format!("limn-css-{}", std::process::id()));
        std::fs::create_dir_all(dir.join("ui")).unwrap();
        std::fs::write(
            dir.join("main.css"),
            "/* @import \"no.css\"; */ @layer a, b;\n@import url(\"ui/a.css\") layer(a);\n@import 'b.css' print;",
        )
        .unwrap();
        std::fs::write(dir.join("ui/a.css"), "@import \"c.css\"; p { color: var(--x); }").unwrap();
        std::fs::write(dir.join("ui/c.css"), "q { content: \"/* kept */\"; }").unwrap();
        std::fs::write(dir.join("b.css"), "b { margin: 0px }").unwrap();
        let css = bundle(&dir.join("main.css")).unwrap();
        std::fs::remove_dir_all(&dir).unwrap();
        assert_eq!(
            css,
            "@layer a{q{content:\"/* kept */\"}p{color:var(--x)}}@layer b;@media print{b{margin:0}}"
        );
    }

    #[test]
    fn a_circle_is_named() {
        let file = std::env::temp_dir().join(format!("limn-circle-{}.css", std::process::id()));
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        std::fs::write(&file, format!("@import \"{name}\";")).unwrap();
        let error = bundle(&file).unwrap_err().to_string();
        std::fs::remove_file(&file).unwrap();
        assert!(error.contains("imports itself"), "{error}");
    }
}

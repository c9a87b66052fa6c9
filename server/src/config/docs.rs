//! `docs/configuration.md`, made from the table of settings.

use super::{SETTINGS, Setting};
use std::fmt::Write as _;

/// The default as written in `limn.toml`.
pub(super) fn example(setting: &Setting) -> String {
    match setting.kind {
        "secret" => "\"\"".to_owned(),
        _ => setting.default.to_owned(),
    }
}

/// The manual's page.
pub fn reference() -> String {
    let mut out = String::from(
        "# Configuration\n\n\
         <!-- Made by `limn config-reference`; a test keeps it current. -->\n\n\
         Nothing needs to be configured. What is set is taken from, later ones winning:\n\n\
         1. the file `limn.toml` in the working directory, or the one named by `--config` or `LIMN_CONFIG`,\n\
         2. environment variables `LIMN__SECTION__KEY`,\n\
         3. flags of the command.\n",
    );
    let mut section = "";
    for setting in SETTINGS {
        if setting.section != section {
            section = setting.section;
            let _ = write!(
                out,
                "\n## [{section}]\n\n| key | kind | default | meaning |\n|---|---|---|---|\n"
            );
        }
        let doc = setting.doc.split_whitespace().collect::<Vec<_>>().join(" ");
        let _ = writeln!(
            out,
            "| `{}`<br>`{}` | {} | `{}` | {doc} |",
            setting.key,
            setting.variable(),
            setting.kind,
            example(setting)
        );
    }
    out.push_str(
        "\nExample:\n\n```toml\n[server]\naddr = \"0.0.0.0:8080\"\npublic_url = \"https://limn.example.org\"\n\
         trust_proxy = true\n\n[database]\nurl = \"postgres://limn:secret@localhost/limn\"\n```\n\n\
         The client commands (`limn projects`, `upload`, `import`, `export`) read `LIMN_URL` and `LIMN_TOKEN` instead.\n",
    );
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_manual_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/configuration.md");
        let written = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            written == super::reference(),
            "docs/configuration.md is stale: run `limn config-reference > docs/configuration.md`"
        );
    }
}

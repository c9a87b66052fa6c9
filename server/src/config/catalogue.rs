//! The catalogue of open datasets: the shipped file, or the one that is put in its place.

use super::raw::CatalogueSection;
use limn_domain::catalogue::{Catalogue, Record};
use limn_services::CatalogueSettings;
use limn_services::reach::Secret;
use std::sync::Arc;

/// The catalogue that comes with Limn.
const SHIPPED: &str = include_str!("../../../catalogue/datasets.toml");
/// Longest file that is read.
const FILE_MAX: u64 = 32 << 20;

/// Checks the settings and reads the catalogue.
pub(super) fn settings(raw: &CatalogueSection) -> Result<CatalogueSettings, String> {
    let proxy = raw.proxy.reveal().trim();
    if !proxy.is_empty() {
        limn_services::reach::proxy(proxy).map_err(|e| format!("catalogue.proxy: {e}"))?;
    }
    let records = if raw.file.as_os_str().is_empty() {
        read(SHIPPED).map_err(|e| format!("the shipped catalogue: {e}"))?
    } else {
        let wrong = |e: String| format!("catalogue.file {}: {e}", raw.file.display());
        let meta = std::fs::metadata(&raw.file).map_err(|e| wrong(e.to_string()))?;
        if meta.len() > FILE_MAX {
            return Err(wrong(format!("it is larger than {} MB.", FILE_MAX >> 20)));
        }
        let text = std::fs::read_to_string(&raw.file).map_err(|e| wrong(e.to_string()))?;
        read(&text).map_err(wrong)?
    };
    Ok(CatalogueSettings {
        enabled: raw.enabled,
        records: Arc::new(records),
        mirror: CatalogueSettings::mirror(&raw.mirror).map_err(|e| format!("catalogue.mirror: {e}."))?,
        proxy: Secret::new(proxy),
    })
}

/// Reads a catalogue. Errors name record and field.
fn read(text: &str) -> Result<Catalogue, String> {
    let mut table: toml::Table = text.parse().map_err(|e: toml::de::Error| e.to_string())?;
    let list = match table.remove("dataset") {
        Some(toml::Value::Array(list)) => list,
        Some(_) => return Err("`dataset` must be a list; write each record as [[dataset]].".to_owned()),
        None => Vec::new(),
    };
    if let Some(other) = table.keys().next() {
        return Err(format!(
            "there is no `{other}` in a catalogue; records are written as [[dataset]]."
        ));
    }
    let mut records = Vec::with_capacity(list.len());
    for (n, value) in list.into_iter().enumerate() {
        let slug = value.get("slug").and_then(toml::Value::as_str).map(str::to_owned);
        let record: Record = serde_path_to_error::deserialize(value).map_err(|e| {
            let name = slug.map_or_else(|| format!("record {}", n + 1), |s| format!("`{s}`"));
            format!("{name}: {}: {}", e.path(), e.inner().to_string().trim_end())
        })?;
        records.push(record);
    }
    Catalogue::new(records).map_err(|e| format!("{e}."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use limn_domain::catalogue::DigestState;

    #[test]
    fn the_shipped_catalogue_is_whole() {
        let catalogue = read(SHIPPED).unwrap();
        for slug in [
            "mnist",
            "fashion-mnist",
            "cifar-10",
            "coco-val2017-detection",
            "coco-val2017-segmentation",
            "coco-val2017-keypoints",
            "coco-val2017-captions",
            "coco-val2017-panoptic",
            "oxford-pets",
            "iris",
            "adult",
            "titanic",
            "california-housing",
        ] {
            let record = catalogue.get(slug).unwrap_or_else(|| panic!("{slug} is missing"));
            assert_eq!(record.digests(), DigestState::All, "{slug}");
            assert!(!record.citation.trim().is_empty(), "{slug}");
        }
        for record in catalogue.records() {
            assert!(record.card.trim().len() > 100, "{}: write a card", record.slug);
        }
    }

    const GOOD: &str = r#"
        [[dataset]]
        slug = "a"
        name = "A"
        summary = "a"
        task = "tabular_regression"
        licence = { name = "MIT" }
        home = "https://example.org"
        card = "A"
        [[dataset.files]]
        name = "a.parquet"
        urls = ["https://example.org/a.parquet"]
        [dataset.loader.parquet]
        parts = [{ file = "a.parquet", to = "a.parquet" }]
    "#;

    #[test]
    fn mistakes_name_record_and_field() {
        assert_eq!(read(GOOD).unwrap().records().len(), 1);
        assert_eq!(read("").unwrap().records().len(), 0);
        for (from, to, sign) in [
            ("slug = \"a\"", "slug = \"A b\"", "`A b`: slug"),
            ("summary = \"a\"", "", "`a`: .: missing field `summary`"),
            ("summary = \"a\"", "summary = 5", "`a`: summary: "),
            (
                "tabular_regression",
                "guessing",
                "`a`: task: unknown variant `guessing`",
            ),
            ("name = \"MIT\"", "nam = \"MIT\"", "`a`: licence.nam"),
            (
                "urls = [",
                "digest = \"sha1:00\"\nurls = [",
                "`a`: files[0].digest: `sha1:00` is no digest",
            ),
            ("loader.parquet", "loader.zip", "`a`: loader"),
            ("to = \"a.parquet\"", "to = \"../a\"", "`a`: loader.parquet.parts"),
            ("slug = \"a\"", "", "record 1: "),
            ("[[dataset]]", "[server]\n[[dataset]]", "there is no `server`"),
            ("name = \"A\"", "name = ", "TOML"),
        ] {
            let text = GOOD.replacen(from, to, 1);
            assert_ne!(text, GOOD, "{from}");
            let why = read(&text).unwrap_err();
            assert!(why.contains(sign), "{sign}: {why}");
        }
    }
}

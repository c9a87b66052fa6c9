//! The items page's filter as it stands in the URL.

use limn_domain::item::{ItemQuery, ItemSort, ItemStatus};
use std::fmt::Write as _;

/// Reads the filter from the parameters of the URL; what makes no sense is passed over.
pub fn from_params(get: impl Fn(&str) -> Option<String>) -> ItemQuery {
    ItemQuery {
        status: get("status").and_then(|s| ItemStatus::ALL.into_iter().find(|k| k.as_str() == s)),
        category_id: get("category").and_then(|s| s.parse().ok()),
        annotator_id: get("annotator").and_then(|s| s.parse().ok()),
        text: get("q").map(|s| s.trim().to_owned()).filter(|s| !s.is_empty()),
        sort: get("sort").map_or(ItemSort::Added, |s| parse_sort(&s)),
        cursor: None,
        limit: None,
    }
}

/// The query string of a filter, `?` in front; empty for no filter.
pub fn to_search(query: &ItemQuery) -> String {
    let mut out = String::new();
    let mut add = |name: &str, value: &str| {
        let sign = if out.is_empty() { '?' } else { '&' };
        let _ = write!(out, "{sign}{name}={}", encode(value));
    };
    if let Some(s) = query.status {
        add("status", s.as_str());
    }
    if let Some(c) = query.category_id {
        add("category", &c.to_string());
    }
    if let Some(u) = query.annotator_id {
        add("annotator", &u.to_string());
    }
    if let Some(t) = query.text.as_deref().filter(|t| !t.is_empty()) {
        add("q", t);
    }
    if query.sort != ItemSort::Added {
        add("sort", sort_name(query.sort));
    }
    out
}

/// Whether anything is filtered away.
pub fn is_filtered(query: &ItemQuery) -> bool {
    query.status.is_some()
        || query.category_id.is_some()
        || query.annotator_id.is_some()
        || query.text.is_some()
}

pub const SORTS: [(ItemSort, &str); 4] = [
    (ItemSort::Added, "In the order added"),
    (ItemSort::Name, "By name"),
    (ItemSort::Updated, "Latest change first"),
    (ItemSort::Annotations, "Most labels first"),
];

pub const fn sort_name(sort: ItemSort) -> &'static str {
    match sort {
        ItemSort::Added => "added",
        ItemSort::Name => "name",
        ItemSort::Updated => "updated",
        ItemSort::Annotations => "annotations",
    }
}

pub fn parse_sort(text: &str) -> ItemSort {
    SORTS
        .into_iter()
        .map(|(s, _)| s)
        .find(|s| sort_name(*s) == text)
        .unwrap_or_default()
}

/// Percent-encodes a value for a query string.
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for b in text.bytes() {
        if b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~') {
            out.push(b as char);
        } else {
            let _ = write!(out, "%{b:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use limn_domain::CategoryId;

    #[test]
    fn a_filter_survives_the_url() {
        let query = ItemQuery {
            status: Some(ItemStatus::Skipped),
            category_id: Some(CategoryId::new()),
            text: Some("a b&c=ü".into()),
            sort: ItemSort::Annotations,
            ..ItemQuery::default()
        };
        let search = to_search(&query);
        assert!(search.starts_with("?status=skipped&category="), "{search}");
        assert!(search.contains("q=a%20b%26c%3D%C3%BC"), "{search}");
        let back = from_params(|name| match name {
            "status" => Some("skipped".into()),
            "category" => query.category_id.map(|c| c.to_string()),
            "q" => query.text.clone(),
            "sort" => Some("annotations".into()),
            _ => None,
        });
        assert_eq!(back, query);
        assert_eq!(to_search(&ItemQuery::default()), "");
    }

    #[test]
    fn nonsense_is_no_filter() {
        let query = from_params(|_| Some("??".into()));
        assert_eq!(query.status, None);
        assert_eq!(query.category_id, None);
    }
}

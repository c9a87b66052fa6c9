//! What the table of runs shows, as it stands in the address.

use crate::fmt::encode;
use limn_domain::run::table::{Column, RunsQuery};
use limn_domain::run::{ExperimentId, View};
use std::fmt::Write as _;

/// Rows of a page.
pub const PAGE: i64 = 50;

pub fn from_params(experiment: ExperimentId, get: impl Fn(&str) -> Option<String>) -> RunsQuery {
    let page = get("page")
        .and_then(|p| p.parse::<i64>().ok())
        .unwrap_or(1)
        .clamp(1, 1_000_000);
    RunsQuery {
        experiments: vec![experiment],
        filter: get("filter").unwrap_or_default(),
        sort: get("sort").unwrap_or_default(),
        view: match get("view").as_deref() {
            Some("bin") => View::Deleted,
            _ => View::Active,
        },
        offset: (page - 1) * PAGE,
        limit: PAGE,
        columns: get("cols").map(|c| columns(&c)).unwrap_or_default(),
        group: get("group").and_then(|g| Column::parse(&g)),
        within: None,
    }
}

/// The query string, `?` in front; empty for what is shown anyway.
pub fn to_search(query: &RunsQuery) -> String {
    let mut out = String::new();
    let mut add = |name: &str, value: &str| {
        let sign = if out.is_empty() { '?' } else { '&' };
        let _ = write!(out, "{sign}{name}={}", encode(value));
    };
    if !query.filter.trim().is_empty() {
        add("filter", query.filter.trim());
    }
    if !query.sort.is_empty() {
        add("sort", &query.sort);
    }
    if query.view == View::Deleted {
        add("view", "bin");
    }
    if !query.columns.is_empty() {
        add("cols", &codes(&query.columns));
    }
    if let Some(group) = &query.group {
        add("group", &group.code());
    }
    if query.offset > 0 {
        add("page", &(query.offset / PAGE + 1).to_string());
    }
    out
}

/// Columns as one text.
pub fn codes(columns: &[Column]) -> String {
    let codes: Vec<String> = columns.iter().map(|c| escape(&c.code())).collect();
    codes.join(",")
}

/// What [`codes`] wrote; what is none is left out.
pub fn columns(text: &str) -> Vec<Column> {
    text.split(',')
        .filter_map(|c| Column::parse(&unescape(c)))
        .collect()
}

/// Keys may have commas in them.
fn escape(code: &str) -> String {
    code.replace('~', "~0").replace(',', "~1")
}

fn unescape(code: &str) -> String {
    code.replace("~1", ",").replace("~0", "~")
}

#[cfg(test)]
mod tests {
    use super::*;
    use limn_domain::filter::Entity;

    #[test]
    fn a_view_survives_the_address() {
        let column = |key: &str| Column {
            entity: Entity::Metric,
            key: key.into(),
        };
        let query = RunsQuery {
            experiments: vec![ExperimentId(3)],
            filter: "metrics.`a,b` < 1".into(),
            sort: "metrics.`a,b` DESC".into(),
            view: View::Deleted,
            offset: 100,
            limit: PAGE,
            columns: vec![column("a,b"), column("~x")],
            group: Some(column("a b")),
            within: None,
        };
        let search = to_search(&query);
        let params: Vec<(String, String)> = search[1..]
            .split('&')
            .map(|p| p.split_once('=').unwrap())
            .map(|(k, v)| (k.to_owned(), decode(v)))
            .collect();
        let get = |name: &str| params.iter().find(|(k, _)| k == name).map(|(_, v)| v.clone());
        assert_eq!(from_params(ExperimentId(3), get), query);
    }

    fn decode(text: &str) -> String {
        let mut bytes = text.bytes();
        let mut out = Vec::new();
        while let Some(b) = bytes.next() {
            if b == b'%' {
                let hex: String = bytes.by_ref().take(2).map(char::from).collect();
                out.push(u8::from_str_radix(&hex, 16).unwrap());
            } else {
                out.push(b);
            }
        }
        String::from_utf8(out).unwrap()
    }
}

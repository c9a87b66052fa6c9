//! The head of a table of documents, for choosing its columns before it is sent.

use serde_json::Value;

/// Fields of a record looked at.
const FIELDS_MAX: usize = 200;
/// Scalar values of a cell that are kept.
const CELL_MAX: usize = 200;

/// The names of the columns, and the first records.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Preview {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

/// The separator that a line has most of: comma, semicolon or tab.
pub fn separator(line: &str) -> char {
    let count = |c: char| line.matches(c).count();
    [',', ';', '\t']
        .into_iter()
        .max_by_key(|c| (count(*c), *c == ','))
        .unwrap_or(',')
}

/// Looks at the beginning of a CSV or TSV file (RFC 4180), which may end anywhere.
pub fn csv(head: &str, rows: usize) -> Preview {
    let head = head.strip_prefix('\u{feff}').unwrap_or(head);
    let separator = separator(head.lines().next().unwrap_or_default());
    let mut records = Vec::new();
    let (mut record, mut field) = (Vec::new(), String::new());
    let (mut inside, mut was_quote) = (false, false);
    for c in head.chars() {
        if records.len() > rows {
            break;
        }
        match c {
            '"' if inside => {
                inside = false;
                was_quote = true;
                continue;
            }
            '"' if was_quote => {
                inside = true;
                field.push('"');
            }
            '"' if field.is_empty() => inside = true,
            '\n' if !inside => {
                record.push(std::mem::take(&mut field));
                let whole = std::mem::take(&mut record);
                if whole.len() > 1 || whole.iter().any(|f| !f.is_empty()) {
                    records.push(whole);
                }
            }
            '\r' if !inside => {}
            c if c == separator && !inside => {
                if record.len() < FIELDS_MAX {
                    record.push(std::mem::take(&mut field));
                }
                field.clear();
            }
            c => field.push(c),
        }
        was_quote = false;
    }
    if records.len() <= rows && (!record.is_empty() || !field.is_empty()) {
        record.push(field);
        records.push(record);
    }
    let mut records = records.into_iter();
    Preview {
        columns: records.next().unwrap_or_default(),
        rows: records
            .take(rows)
            .map(|r| r.iter().map(|f| cell(f)).collect())
            .collect(),
    }
}

/// Looks at the beginning of a JSONL file: the fields of its first records.
pub fn jsonl(head: &str, rows: usize) -> Preview {
    let head = head.strip_prefix('\u{feff}').unwrap_or(head);
    let records: Vec<serde_json::Map<String, Value>> = head
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .take(rows)
        .collect();
    let mut columns: Vec<String> = Vec::new();
    for name in records.iter().flat_map(serde_json::Map::keys) {
        if columns.len() < FIELDS_MAX && !columns.contains(name) {
            columns.push(name.clone());
        }
    }
    let rows = records
        .iter()
        .map(|r| {
            let one = |name: &String| match r.get(name) {
                None | Some(Value::Null) => String::new(),
                Some(Value::String(s)) => cell(s),
                Some(other) => cell(&other.to_string()),
            };
            columns.iter().map(one).collect()
        })
        .collect();
    Preview { columns, rows }
}

fn cell(text: &str) -> String {
    let mut out: String = text.chars().take(CELL_MAX).collect();
    if text.chars().nth(CELL_MAX).is_some() {
        out.push('…');
    }
    out
}

/// The column that is probably meant: one of these names, whatever the case.
pub fn guess<'a>(columns: &'a [String], names: &[&str]) -> Option<&'a String> {
    names
        .iter()
        .find_map(|n| columns.iter().find(|c| c.trim().eq_ignore_ascii_case(n)))
}

/// Usual names of the columns, the likeliest first.
pub const TEXT: &[&str] = &[
    "text", "content", "body", "document", "sentence", "review", "message",
];
pub const NAME: &[&str] = &["name", "file", "filename", "file_name", "title", "path"];
pub const LABEL: &[&str] = &["label", "labels", "category", "class", "target", "sentiment"];
pub const ID: &[&str] = &["id", "uuid", "key"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_of_tables() {
        let p = csv("\u{feff}id;text\r\n1;\"a;\"\"b\"\"\nc\"\r\n\r\n2;cut o", 5);
        assert_eq!(p.columns, ["id", "text"]);
        assert_eq!(p.rows, [["1", "a;\"b\"\nc"], ["2", "cut o"]]);
        assert_eq!(csv("a\tb\n1\t2\n3\t4\n", 1).rows, [["1", "2"]]);
        assert_eq!(csv("", 3), Preview::default());
        let p = jsonl("{\"text\":\"x\",\"n\":1}\n{\"label\":[\"a\"]}\n{\"te", 5);
        assert_eq!(p.columns, ["n", "text", "label"]);
        assert_eq!(p.rows, [["1", "x", ""], ["", "", "[\"a\"]"]]);
        assert_eq!(guess(&p.columns, TEXT).unwrap(), "text");
        assert_eq!(guess(&p.columns, NAME), None);
    }
}

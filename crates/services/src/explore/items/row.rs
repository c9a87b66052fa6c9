//! What an index says of an item. Categories and people are in it by their ids: names may change while items do not.

use super::super::index::attributes;
use limn_domain::item::ItemStatus;
use limn_domain::item_explore::DAYS;
use limn_domain::{Source, Timestamp, text, validate};
use limn_explore::{Builder, Index, NAME_END, Row};
use limn_store::repo::item::explore::{Facts, Label};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// The facets in the order in which they are shown; attributes come behind them.
pub(super) const FACETS: [(&str, &str); 13] = [
    ("state", "State"),
    ("category", "Category"),
    ("proposed", "Proposed"),
    ("labeled", "Labels"),
    (LABELED_BY, "Labeled by"),
    (SUBMITTED_BY, "Submitted by"),
    (HELD_BY, "Being labeled by"),
    ("source", "Labels from"),
    ("shape", "Shape"),
    ("reason", "Why skipped"),
    ("type", "Type"),
    ("folder", "Folder"),
    ("text", "Text"),
];
pub(super) const COLUMNS: [(&str, &str, &str); 12] = [
    ("labels", "Labels an item", ""),
    ("proposals", "Proposals an item", ""),
    ("score", "Lowest score of proposals", ""),
    ("width", "Width", "px"),
    ("height", "Height", "px"),
    ("aspect", "Aspect", ""),
    ("size", "File size", "B"),
    ("characters", "Characters", ""),
    ("frames", "Frames", ""),
    ("added", "Added", DAYS),
    ("submitted", "Submitted", DAYS),
    ("changed", "Changed", DAYS),
];
pub(super) const LABELED_BY: &str = "labeled_by";
pub(super) const SUBMITTED_BY: &str = "submitted_by";
pub(super) const HELD_BY: &str = "held_by";
/// Attributes of items and of labels: `item:weather`, `label:occluded`.
pub(super) const OF_ITEM: &str = "item";
pub(super) const OF_LABEL: &str = "label";

/// To do, and in somebody's hands.
const IN_HAND: &str = "Being labeled";
const MICROS_OF_DAY: f64 = 86_400.0 * Timestamp::SECOND as f64;

/// What is known of an item, but for its name.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Known {
    /// How its text begins, to be searched like the name.
    begins: String,
    values: Vec<(Cow<'static, str>, String)>,
    numbers: Vec<(&'static str, f64)>,
}

/// The name that an item goes by here.
pub(super) fn name(facts: &Facts) -> String {
    validate::name_key(&facts.item.name)
}

pub(super) fn known(facts: &Facts) -> Known {
    let item = &facts.item;
    let in_hand = item.leased_by.is_some() && item.status == ItemStatus::Todo;
    let state = if in_hand { IN_HAND } else { item.status.label() };
    let folder = item.name.rsplit_once('/').map_or("/", |(folder, _)| folder);
    let mut values: Vec<(Cow<'static, str>, String)> = vec![
        ("state".into(), state.to_owned()),
        ("type".into(), item.media_type.clone()),
        ("folder".into(), folder.to_owned()),
    ];
    let mut numbers = vec![
        ("labels", item.annotation_count as f64),
        ("proposals", item.prelabel_count as f64),
        ("size", item.byte_size as f64),
        ("added", days(item.created_at)),
        ("changed", days(item.updated_at)),
    ];
    if let Some(by) = item.done_by {
        values.push((SUBMITTED_BY.into(), by.to_string()));
    }
    if let Some(by) = item.leased_by.filter(|_| in_hand) {
        values.push((HELD_BY.into(), by.to_string()));
    }
    if let Some(why) = item.skip_reason.as_ref().filter(|r| !r.is_empty()) {
        values.push(("reason".into(), why.clone()));
    }
    numbers.extend(item.done_at.map(|at| ("submitted", days(at))));
    if item.width > 0 {
        numbers.extend([
            ("width", item.width as f64),
            ("height", item.height as f64),
            ("aspect", item.width as f64 / item.height.max(1) as f64),
        ]);
    }
    if item.media_type == text::MEDIA_TYPE {
        numbers.push(("characters", item.length as f64));
        if item.excerpt.is_empty() {
            values.push(("text".into(), "only white space".to_owned()));
        }
    }
    numbers.extend(item.frames().map(|n| ("frames", f64::from(n))));
    let mut said = Vec::new();
    attributes(OF_ITEM, &facts.about, &mut said);
    labels(&facts.labels, &mut values, &mut said);
    values.extend(said.into_iter().map(|(facet, value)| (facet.into(), value)));
    let proposals = facts.labels.iter().filter(|l| l.source == Source::Prelabel);
    let lowest = proposals.filter_map(|l| l.score).min_by(f64::total_cmp);
    numbers.extend(lowest.map(|score| ("score", score)));
    Known {
        begins: item.excerpt.to_lowercase(),
        values,
        numbers,
    }
}

/// What labels and proposals say, each thing once.
fn labels(labels: &[Label], values: &mut Vec<(Cow<'static, str>, String)>, said: &mut Vec<(String, String)>) {
    let mut all: BTreeSet<(&'static str, String)> = BTreeSet::new();
    let (mut confirmed, mut proposed) = (false, false);
    for label in labels {
        let category = label.category_id.to_string();
        if label.source == Source::Prelabel {
            proposed = true;
            all.insert(("proposed", category));
            continue;
        }
        confirmed = true;
        all.insert(("category", category));
        all.insert(("shape", label.kind.replace('_', " ")));
        let from = match label.source {
            Source::Human => "people",
            Source::Import => "import",
            Source::Prelabel => "model",
        };
        all.insert(("source", from.to_owned()));
        if let Some(by) = label.created_by.filter(|_| label.source == Source::Human) {
            all.insert((LABELED_BY, by.to_string()));
        }
        attributes(OF_LABEL, &label.attributes, said);
    }
    let state = match (confirmed, proposed) {
        (true, true) => "labels and proposals",
        (true, false) => "labels",
        (false, true) => "proposals only",
        (false, false) => "none",
    };
    all.insert(("labeled", state.to_owned()));
    said.sort_unstable();
    said.dedup();
    values.extend(all.into_iter().map(|(facet, value)| (facet.into(), value)));
}

/// Days since 1970. Columns have single precision, some minutes here: times are moved back within their day, never across
/// midnight.
fn days(at: Timestamp) -> f64 {
    let exact = at.0 as f64 / MICROS_OF_DAY;
    let near = exact as f32;
    f64::from(if f64::from(near) > exact {
        near.next_down()
    } else {
        near
    })
}

/// An index of items that have changed, by name.
pub(super) fn index(rows: &BTreeMap<String, Known>) -> Index {
    let mut builder = Builder::of_changes();
    for (name, label) in FACETS {
        builder.facet(name, label);
    }
    for (name, label, unit) in COLUMNS {
        builder.column(name, label, unit);
    }
    for (name, known) in rows {
        let key = if known.begins.is_empty() {
            Cow::Borrowed(name.as_str())
        } else {
            Cow::Owned(format!("{name}{NAME_END}{}", known.begins))
        };
        let values = known
            .values
            .iter()
            .map(|(facet, value)| (&**facet, value.as_str()));
        builder.push(&Row {
            key: &key,
            values: values.collect(),
            numbers: known.numbers.clone(),
        });
    }
    builder.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_stay_within_their_day() {
        let day = 86_400 * Timestamp::SECOND;
        for at in [20_400 * day - 1, 20_400 * day, 20_400 * day + 1, 20_401 * day - 1] {
            let exact = at.div_euclid(day) as f64;
            let found = days(Timestamp(at));
            assert!(found >= exact && found < exact + 1.0, "{at}: {found}");
        }
    }
}

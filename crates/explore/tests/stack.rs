//! What has changed over an index, against an index made anew of the same rows.
#![allow(clippy::unwrap_used, reason = "tests")]

use limn_domain::explore::{Bounds, ExploreFilter, Facet};
use limn_explore::{Builder, Index, NAME_END, Row, Stack, Wanted};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(Debug, Clone, PartialEq)]
struct Item {
    categories: Vec<&'static str>,
    state: &'static str,
    score: Option<f64>,
}

/// By name.
type Items = BTreeMap<String, Item>;

fn items() -> impl Strategy<Value = Items> {
    let item = (
        prop::collection::vec(prop::sample::select(vec!["cat", "dog", "fox"]), 0..3),
        prop::sample::select(vec!["todo", "done"]),
        prop::option::of((0..20_i32).prop_map(f64::from)),
    );
    let item = item.prop_map(|(categories, state, score)| Item {
        categories,
        state,
        score,
    });
    prop::collection::btree_map("[a-c]{1,3}(/[a-cä]{1,3})?", item, 0..150)
}

/// What is searched behind the name is the same for the same name.
fn key(name: &str) -> String {
    if name.len().is_multiple_of(2) {
        return name.to_owned();
    }
    format!("{name}{NAME_END}text of {name}")
}

fn index(items: &Items) -> Index {
    let mut builder = Builder::default();
    builder.facet("state", "State");
    builder.facet("category", "Category");
    builder.column("score", "Score", "");
    let mut keys: Vec<(String, &Item)> = items.iter().map(|(name, i)| (key(name), i)).collect();
    keys.sort_by(|a, b| a.0.cmp(&b.0));
    for (key, item) in keys {
        let mut values: Vec<(&str, &str)> = item.categories.iter().map(|c| ("category", *c)).collect();
        values.push(("state", item.state));
        builder.push(&Row {
            key: &key,
            values,
            numbers: item.score.map(|s| ("score", s)).into_iter().collect(),
        });
    }
    builder.finish()
}

/// Rows `from..`, each in a folder of its own number.
fn in_folders(from: usize, folders: impl Iterator<Item = usize>) -> Index {
    let mut builder = Builder::of_changes();
    builder.facet("folder", "Folder");
    for (n, folder) in folders.enumerate() {
        let (key, folder) = (format!("{:06}", from + n), format!("{folder:05}"));
        builder.push(&Row {
            key: &key,
            values: vec![("folder", folder.as_str())],
            numbers: Vec::new(),
        });
    }
    builder.finish()
}

fn by_folder(folder: &str) -> ExploreFilter {
    ExploreFilter {
        facets: BTreeMap::from([("folder".to_owned(), vec![folder.to_owned()])]),
        ..ExploreFilter::default()
    }
}

fn folders(stack: &Stack, filter: &ExploreFilter) -> Facet {
    let wanted = Wanted {
        counts: true,
        ..Wanted::default()
    };
    stack.answer(filter, &wanted).facets.remove(0)
}

#[test]
fn values_without_room_are_left_out_whole() {
    let none = || std::iter::empty::<&str>();
    // Six thousand folders of one row each, of which a thousand find no room; then two rows more in each of these.
    let first = Stack::new(Arc::default(), in_folders(0, 0..6_000), none());
    let base = Arc::new(first.merged());
    let more = in_folders(6_000, (5_000..6_000).chain(5_000..6_000));
    let stack = Stack::new(Arc::clone(&base), more, none());
    for stack in [
        Stack::new(Arc::new(stack.merged()), Index::default(), none()),
        stack,
    ] {
        assert_eq!(stack.rows(), 8_000);
        let facet = folders(&stack, &ExploreFilter::default());
        let wrong = facet.values.iter().find(|v| v.count != 1);
        assert_eq!(wrong, None, "not two of three");
        assert_eq!(facet.more, 4_950 + 1_000);
        assert_eq!(stack.passing(&by_folder("05500")).count(), 0);
        assert_eq!(stack.passing(&by_folder("00500")).count(), 1);
    }
    // One that has room is counted whole, however many values have changed.
    let more = in_folders(6_000, (1_000..6_000).chain([500]));
    let stack = Stack::new(base, more, none());
    assert_eq!(stack.passing(&by_folder("00500")).count(), 2);
    assert_eq!(
        stack.merged().passing(&[], &by_folder("00500")).unwrap().count(),
        2
    );
}

#[test]
fn what_is_filtered_by_stays_in_sight() {
    let stack = Stack::new(
        Arc::new(in_folders(0, 0..100)),
        Index::default(),
        std::iter::empty::<&str>(),
    );
    let facet = folders(&stack, &by_folder("gone"));
    assert_eq!(
        facet.values.iter().find(|v| v.value == "gone").map(|v| v.count),
        Some(0)
    );
    // All that are chosen are listed, and then nothing more.
    let all = ExploreFilter {
        facets: BTreeMap::from([("folder".to_owned(), (0..100).map(|n| format!("{n:05}")).collect())]),
        ..ExploreFilter::default()
    };
    let facet = folders(&stack, &all);
    assert_eq!((facet.values.len(), facet.more), (100, 0));
}

/// `before` as an index, with what differs in `after` over it.
fn stack(before: &Items, after: &Items) -> Stack {
    let changed: Items = after
        .iter()
        .filter(|(name, item)| before.get(*name) != Some(item))
        .map(|(name, item)| (name.clone(), item.clone()))
        .collect();
    let gone = before.keys().filter(|name| !after.contains_key(*name));
    Stack::new(Arc::new(index(before)), index(&changed), gone.map(String::as_str))
}

fn counts(facets: &[Facet]) -> BTreeMap<(String, String), i64> {
    let mut out = BTreeMap::new();
    for f in facets {
        for v in f.values.iter().filter(|v| v.count > 0) {
            out.insert((f.name.clone(), v.value.clone()), v.count);
        }
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_stack_answers_as_an_index_made_anew(
        before in items(),
        after in items(),
        wanted in prop::collection::vec(prop::sample::select(vec!["cat", "dog", "owl"]), 0..3),
        min in prop::option::of(0..20_i32),
        text in "[a-c ]{0,2}",
        by_score in any::<bool>(),
        descending in any::<bool>(),
        offset in 0..30_usize,
    ) {
        let (stack, anew) = (stack(&before, &after), index(&after));
        prop_assert_eq!(stack.rows(), anew.rows());
        let filter = ExploreFilter {
            facets: BTreeMap::from([("category".to_owned(), wanted.iter().map(|w| (*w).to_owned()).collect())]),
            ranges: BTreeMap::from([("score".to_owned(), Bounds { min: min.map(f64::from), max: None })]),
            text,
        };
        let wanted = Wanted {
            sort: by_score.then_some("score"),
            descending,
            offset,
            limit: 7,
            counts: true,
            near: None,
        };
        let got = stack.answer(&filter, &wanted);
        let passing = stack.passing(&filter);
        prop_assert_eq!(passing.count(), got.matched);
        prop_assert_eq!(stack.names(&passing).filter(|n| stack.lets(&passing, n)).count(), got.matched);
        for name in before.keys().chain(after.keys()) {
            prop_assert_eq!(stack.holds(name), after.contains_key(name), "{}", name);
        }
        for index in [anew, stack.merged()] {
            let index = Index::from_bytes(&index.to_bytes()).unwrap();
            // Where nothing has a value an index alone is strict.
            let Ok(expected) = index.answer(&[], &filter, &wanted) else {
                prop_assert_eq!(got.matched, 0);
                continue;
            };
            prop_assert_eq!(got.matched, expected.matched);
            let names: Vec<&str> = got.rows.iter().map(|r| stack.name(*r)).collect();
            let keys = expected.rows.iter().map(|r| index.key(*r));
            let expected_names: Vec<&str> = keys.map(|k| k.split(NAME_END).next().unwrap()).collect();
            prop_assert_eq!(names, expected_names);
            prop_assert_eq!(counts(&got.facets), counts(&expected.facets));
            let sums = |columns: &[limn_domain::explore::Column]| -> Vec<i64> {
                columns.iter().map(|c| c.bins.iter().sum()).filter(|n| *n > 0).collect()
            };
            prop_assert_eq!(sums(&got.columns), sums(&expected.columns));
        }
    }

    #[test]
    fn what_is_no_more_is_found(before in items(), after in items(), kept in items()) {
        let stack = stack(&before, &after);
        let expected: Vec<&String> = after.keys().filter(|name| !kept.contains_key(*name)).collect();
        let mut others = stack.others(kept.keys().map(String::as_str));
        others.sort_unstable();
        let others: Vec<&String> = others.iter().collect();
        prop_assert_eq!(others, expected);
    }
}

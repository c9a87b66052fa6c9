//! Answers against a scan of the same rows.
#![allow(clippy::unwrap_used, reason = "tests")]

use limn_domain::explore::{Bounds, ExploreFilter};
use limn_explore::{Builder, Index, Layer, Row, Wanted};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(Debug, Clone)]
struct File {
    key: String,
    split: Option<&'static str>,
    categories: Vec<&'static str>,
    size: Option<f64>,
    /// Not in the index: laid over it.
    tags: Vec<&'static str>,
}

const TAGS: [&str; 3] = ["Night", "rain", "never"];

fn files() -> impl Strategy<Value = Vec<File>> {
    let file = (
        "[a-c]{1,3}(/[a-cäß]{1,4})?",
        prop::option::of(prop::sample::select(vec!["train", "val"])),
        prop::collection::vec(prop::sample::select(vec!["cat", "dog", "fox", "owl"]), 0..4),
        prop::option::of((0..50_i32).prop_map(f64::from)),
        prop::collection::vec(prop::sample::select(vec!["Night", "rain"]), 0..3),
    );
    let file = file.prop_map(|(key, split, categories, size, tags)| File {
        key,
        split,
        categories,
        size,
        tags,
    });
    prop::collection::vec(file, 0..200).prop_map(|mut files| {
        files.sort_by(|a, b| a.key.cmp(&b.key));
        files.dedup_by(|a, b| a.key == b.key);
        files
    })
}

fn filters() -> impl Strategy<Value = ExploreFilter> {
    (
        prop::collection::vec(prop::sample::select(vec!["train", "val"]), 0..2),
        prop::collection::vec(prop::sample::select(vec!["cat", "dog", "fox"]), 0..3),
        prop::option::of(0..50_i32),
        prop::option::of(0..50_i32),
        "[a-cä]{0,2}",
        // Case does not count for tags.
        prop::collection::vec(prop::sample::select(vec!["night", "rain", "never", "none"]), 0..3),
    )
        .prop_map(|(splits, categories, min, max, text, tags)| {
            let texts = |v: Vec<&str>| v.into_iter().map(str::to_owned).collect::<Vec<_>>();
            ExploreFilter {
                facets: BTreeMap::from([
                    ("split".to_owned(), texts(splits)),
                    ("category".to_owned(), texts(categories)),
                    ("tag".to_owned(), texts(tags)),
                ]),
                ranges: BTreeMap::from([(
                    "size".to_owned(),
                    Bounds {
                        min: min.map(f64::from),
                        max: max.map(f64::from),
                    },
                )]),
                text,
            }
        })
}

fn index(files: &[File]) -> Index {
    let mut builder = Builder::default();
    builder.facet("split", "Split");
    builder.facet("category", "Category");
    builder.facet("nothing", "Nothing");
    builder.column("size", "Size", "B");
    for f in files {
        let mut values: Vec<(&str, &str)> = f.categories.iter().map(|c| ("category", *c)).collect();
        values.extend(f.split.map(|s| ("split", s)));
        builder.push(&Row {
            key: &f.key,
            values,
            numbers: f.size.map(|s| ("size", s)).into_iter().collect(),
        });
    }
    let built = builder.finish();
    Index::from_bytes(&built.to_bytes()).unwrap()
}

/// The tags of the files, laid over their index, by keys in no order and with some that are not there.
fn layer(index: &Index, files: &[File]) -> Layer {
    let values = TAGS.map(|tag| {
        let mut keys: Vec<String> = vec!["zzz".to_owned(), String::new()];
        keys.extend(
            files
                .iter()
                .rev()
                .filter(|f| f.tags.contains(&tag))
                .map(|f| f.key.clone()),
        );
        let set = index.rows_with(&keys);
        let tagged = files.iter().filter(|f| f.tags.contains(&tag)).count();
        assert_eq!(set.count(), tagged);
        (tag.to_owned(), Arc::new(set))
    });
    Layer::new("tag", "Tag", index.rows(), values.into(), "none")
}

/// Whether a file has one of these tags, or none where that is asked for.
fn tagged(f: &File, wanted: &str) -> bool {
    if wanted == "none" {
        f.tags.is_empty()
    } else {
        f.tags.iter().any(|t| t.to_lowercase() == wanted.to_lowercase())
    }
}

/// Whether a file passes, the filter of `but` left out.
fn passes(f: &File, filter: &ExploreFilter, but: &str) -> bool {
    let has = |name: &str, value: &dyn Fn(&str) -> bool| {
        name == but || filter.facets[name].is_empty() || filter.facets[name].iter().any(|v| value(v))
    };
    let b = filter.ranges["size"];
    let sized = but == "size"
        || b == Bounds::default()
        || f.size
            .is_some_and(|s| b.min.is_none_or(|m| s >= m) && b.max.is_none_or(|m| s <= m));
    has("split", &|v| f.split == Some(v))
        && has("category", &|v| f.categories.contains(&v))
        && has("tag", &|v| tagged(f, v))
        && sized
        && (but == "path" || f.key.contains(&filter.text.to_lowercase()))
}

/// Facets and columns that no file has a value of are no part of the index.
fn known(index: &Index, layers: &[Layer], filter: &ExploreFilter) -> bool {
    index.passing(layers, filter).is_ok()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn pages_and_counts_are_those_of_a_scan(
        files in files(), filter in filters(), by_size: bool, descending: bool, offset in 0..20_usize, limit in 1..20_usize,
    ) {
        let index = index(&files);
        let layers = [layer(&index, &files)];
        prop_assume!(known(&index, &layers, &filter));
        let sized = files.iter().any(|f| f.size.is_some());
        prop_assume!(!by_size || sized);
        let wanted = Wanted { sort: by_size.then_some("size"), descending, offset, limit, counts: true, ..Wanted::default() };
        let answer = index.answer(&layers, &filter, &wanted).unwrap();

        let mut rows: Vec<usize> = (0..files.len()).filter(|n| passes(&files[*n], &filter, "")).collect();
        prop_assert_eq!(answer.matched, rows.len());
        if by_size {
            let size = |n: usize| files[n].size;
            rows.sort_by(|a, b| match (size(*a), size(*b)) {
                (None, None) => a.cmp(b),
                (None, _) => std::cmp::Ordering::Greater,
                (_, None) => std::cmp::Ordering::Less,
                (Some(x), Some(y)) => (if descending { y.total_cmp(&x) } else { x.total_cmp(&y) }).then(a.cmp(b)),
            });
        } else if descending {
            rows.reverse();
        }
        let page: Vec<usize> = rows.into_iter().skip(offset).take(limit).collect();
        prop_assert_eq!(&answer.rows, &page);
        for n in page {
            prop_assert_eq!(index.key(n), &files[n].key);
            prop_assert_eq!(index.row(&files[n].key), Some(n));
            let mut tags = files[n].tags.clone();
            tags.sort_unstable();
            tags.dedup();
            prop_assert_eq!(layers[0].of(n).collect::<Vec<_>>(), tags);
        }
        prop_assert_eq!(index.row("zzz"), None);

        for facet in &answer.facets {
            for value in &facet.values {
                let scanned = files.iter().filter(|f| passes(f, &filter, &facet.name)).filter(|f| match facet.name.as_str() {
                    "split" => f.split == Some(&value.value),
                    "tag" => tagged(f, &value.value),
                    _ => f.categories.contains(&value.value.as_str()),
                });
                prop_assert_eq!(value.count, scanned.count() as i64, "{} {}", &facet.name, &value.value);
            }
        }
        if let Some(tags) = answer.facets.iter().find(|f| f.name == "tag") {
            // Whatever could be added is there.
            for tag in ["Night", "rain", "none"] {
                let there = files.iter().any(|f| passes(f, &filter, "tag") && tagged(f, tag));
                prop_assert_eq!(tags.values.iter().any(|v| v.value == tag && v.count > 0), there, "{}", tag);
            }
        } else {
            prop_assert!(files.iter().all(|f| f.tags.is_empty()) && filter.facets["tag"].is_empty());
        }
        for column in &answer.columns {
            let scanned = files.iter().filter(|f| passes(f, &filter, "size") && f.size.is_some()).count();
            prop_assert_eq!(column.bins.iter().sum::<i64>(), scanned as i64);
        }
    }

    #[test]
    fn the_nearest_come_first(files in files(), filter in filters(), offset in 0..20_usize, limit in 1..20_usize) {
        let index = index(&files);
        let layers = [layer(&index, &files)];
        prop_assume!(known(&index, &layers, &filter));
        // Of every fifth nothing is known.
        let near: Vec<f32> = (0..files.len()).map(|n| if n % 5 == 4 { f32::NAN } else { (n * 7 % 11) as f32 }).collect();
        let wanted = Wanted { near: Some(&near), offset, limit, descending: true, ..Wanted::default() };
        let answer = index.answer(&layers, &filter, &wanted).unwrap();
        let mut rows: Vec<usize> = (0..files.len()).filter(|n| passes(&files[*n], &filter, "")).collect();
        rows.sort_by(|a, b| near[*a].is_nan().cmp(&near[*b].is_nan()).then(near[*a].total_cmp(&near[*b])).then(a.cmp(b)));
        prop_assert_eq!(answer.rows, rows.into_iter().skip(offset).take(limit).collect::<Vec<_>>());
    }

    #[test]
    fn bytes_that_are_no_index_are_refused(files in files(), at in 0..4_000_usize, with: u8, cut in 0..4_000_usize) {
        let mut bytes = index(&files).to_bytes();
        bytes.truncate(bytes.len().saturating_sub(cut % 50));
        let at = at % bytes.len().max(1);
        if let Some(b) = bytes.get_mut(at) {
            *b = with;
        }
        // Whatever it reads as, answering from it does not panic.
        if let Ok(index) = Index::from_bytes(&bytes) {
            let _ = index.answer(&[], &ExploreFilter { text: "a".to_owned(), ..ExploreFilter::default() }, &Wanted { limit: 50, counts: true, ..Wanted::default() });
            for row in 0..index.rows() {
                let _ = index.key(row);
            }
        }
    }
}

#[test]
fn what_is_not_there_is_named() {
    let index = index(&[]);
    let filter = ExploreFilter {
        facets: BTreeMap::from([("colour".to_owned(), vec!["red".to_owned()])]),
        ..ExploreFilter::default()
    };
    assert!(index.passing(&[], &filter).unwrap_err().contains("`colour`"));
    let wanted = Wanted {
        sort: Some("beauty"),
        ..Wanted::default()
    };
    assert!(
        index
            .answer(&[], &ExploreFilter::default(), &wanted)
            .unwrap_err()
            .contains("`beauty`")
    );
}

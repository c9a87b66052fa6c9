//! How fast answers over very many files are; prints, and is run by hand:
//! `cargo test -p limn-explore --test speed -- --ignored --nocapture`. `LIMN_SPEED_FILES` says how many.
#![allow(clippy::print_stdout, reason = "a measurement")]

use limn_domain::explore::ExploreFilter;
use limn_explore::{Builder, Layer, Looks, Row, Stack, Wanted};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

#[test]
#[ignore = "a measurement"]
fn very_many_files() {
    let files: usize = std::env::var("LIMN_SPEED_FILES")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(1_000_000);
    let key = |n: usize| format!("camera {:03}/2026-01/frame {n:08}.jpg", n * 1_000 / files);
    let mut builder = Builder::default();
    builder.facet("split", "Split");
    builder.column("size", "Size", "B");
    for n in 0..files {
        builder.push(&Row {
            key: &key(n),
            values: vec![("split", ["train", "val", "test"][n % 3])],
            numbers: vec![("size", (n * 7_919 % 100_003) as f64)],
        });
    }
    let index = builder.finish();
    let timed = |what: &str, began: Instant| println!("{what}: {:.1?}", began.elapsed());

    // Every twentieth file has a tag, in no order.
    let mut keys: Vec<String> = (0..files).step_by(20).map(key).collect();
    keys.sort_by_key(|k| std::cmp::Reverse(k.len() * 31 + usize::from(k.as_bytes()[k.len() - 5])));
    let began = Instant::now();
    let set = Arc::new(index.rows_with(&keys));
    timed("look up the paths of a tag", began);
    assert_eq!(set.count(), keys.len());
    let began = Instant::now();
    let layers = [Layer::new(
        "tag",
        "Tag",
        index.rows(),
        vec![("night".to_owned(), set)],
        "none",
    )];
    timed("lay it over", began);
    let filter = ExploreFilter {
        facets: BTreeMap::from([
            ("tag".to_owned(), vec!["night".to_owned()]),
            ("split".to_owned(), vec!["train".to_owned()]),
        ]),
        ..ExploreFilter::default()
    };
    let wanted = Wanted {
        limit: 60,
        counts: true,
        ..Wanted::default()
    };
    let began = Instant::now();
    let answer = index.answer(&layers, &filter, &wanted).expect("it answers");
    timed("answer with counts", began);
    assert!(answer.matched > 0);

    // Every two-hundredth has changed since.
    let mut changed = Builder::of_changes();
    for n in (0..files).step_by(200) {
        changed.push(&Row {
            key: &key(n),
            values: vec![("split", "other")],
            numbers: Vec::new(),
        });
    }
    let (base, changed) = (Arc::new(index.clone()), changed.finish());
    let began = Instant::now();
    let stack = Stack::new(base, changed, std::iter::empty::<&str>());
    timed("lay what has changed over it", began);
    assert_eq!(stack.rows(), files);
    let began = Instant::now();
    let answer = stack.answer(&ExploreFilter::default(), &wanted);
    timed("answer of both with counts", began);
    assert_eq!(answer.matched, files);
    let began = Instant::now();
    assert_eq!(stack.merged().rows(), files);
    timed("make one of both", began);

    let mut looks = Looks::new("speed", 128, 0.25);
    let mut look = [0.0_f32; 128];
    for n in 0..files {
        look[n % 128] = (n * 31 % 251) as f32 / 1_000.0;
        looks.push(Some(&look));
    }
    let began = Instant::now();
    let far = looks.distances(files / 2).expect("it has a description");
    timed("compare with one", began);
    let wanted = Wanted {
        near: Some(&far),
        limit: 60,
        ..Wanted::default()
    };
    let began = Instant::now();
    let answer = index
        .answer(&layers, &ExploreFilter::default(), &wanted)
        .expect("it answers");
    timed("the nearest of all", began);
    assert_eq!(far[answer.rows[0]], 0.0);
}

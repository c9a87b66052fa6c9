//! The tree's promises: one set of files has one root, an update is a rebuild, a diff is the difference of the sets.
#![allow(clippy::unwrap_used, reason = "tests")]

use futures::executor::block_on;
use limn_domain::dataset::Split;
use limn_versions::folder::{self, Inside};
use limn_versions::{BadNode, Builder, Built, Change, Diff, Entry, From, Hash, Node, Nodes, Reader, update};
use proptest::prelude::*;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

#[derive(Default)]
struct Memory {
    nodes: HashMap<Hash, Vec<u8>>,
    loads: usize,
}

impl Nodes for Memory {
    type Error = BadNode;

    async fn node(&mut self, hash: &Hash) -> Result<Arc<Node>, BadNode> {
        self.loads += 1;
        let bytes = self
            .nodes
            .get(hash)
            .ok_or_else(|| BadNode(format!("{hash} is missing")))?;
        assert_eq!(Hash::of(bytes), *hash);
        Node::decode(bytes).map(Arc::new)
    }
}

impl Memory {
    fn keep(&mut self, built: Built) -> Hash {
        for n in built.nodes {
            for below in &n.objects {
                // Labels are objects too; these tests name none.
                assert!(self.nodes.contains_key(below), "children come first");
            }
            self.nodes.insert(n.hash, n.bytes);
        }
        built.root.hash
    }

    fn all(&mut self, root: &Hash) -> Vec<Entry> {
        block_on(async {
            let mut reader = Reader::open(self, root, From::Start).await.unwrap();
            let mut all = Vec::new();
            while let Some(e) = reader.next(self).await.unwrap() {
                all.push(e);
            }
            all
        })
    }
}

fn entry(path: &str, content: u32) -> Entry {
    Entry {
        path: path.to_owned(),
        size: u64::from(content) + 1,
        blob: Hash::of(&content.to_le_bytes()),
        media_type: "image/png".into(),
        width: 4,
        height: 3,
        orientation: 1,
        length: 0,
        split: Split::ALL[content as usize % 4],
        labels: None,
        categories: BTreeMap::new(),
    }
}

fn build(files: &BTreeMap<String, u32>) -> Built {
    let mut builder = Builder::default();
    for (path, content) in files {
        builder.push(entry(path, *content)).unwrap();
    }
    builder.finish()
}

/// Paths that are their own keys, from few enough letters that sets overlap.
fn sets() -> impl Strategy<Value = BTreeMap<String, u32>> {
    prop::collection::btree_map("[a-c]{1,2}/[0-9]{1,4}", 0_u32..6, 0..900)
}

/// What to put and what to remove.
fn edits() -> impl Strategy<Value = BTreeMap<String, Option<u32>>> {
    let path = prop_oneof!["[a-c]{1,2}/[0-9]{1,4}", "[a-z]{1,3}"];
    prop::collection::btree_map(path, prop::option::weighted(0.6, 0_u32..6), 0..60)
}

fn applied(files: &BTreeMap<String, u32>, edits: &BTreeMap<String, Option<u32>>) -> BTreeMap<String, u32> {
    let mut files = files.clone();
    for (path, edit) in edits {
        match edit {
            Some(content) => files.insert(path.clone(), *content),
            None => files.remove(path),
        };
    }
    files
}

fn as_entries(edits: &BTreeMap<String, Option<u32>>) -> BTreeMap<String, Option<Entry>> {
    edits
        .iter()
        .map(|(p, e)| (p.clone(), e.map(|c| entry(p, c))))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn what_was_put_is_read_in_order_and_counted(files in sets()) {
        let mut memory = Memory::default();
        let built = build(&files);
        prop_assert_eq!(built.root.files(), files.len() as u64);
        prop_assert_eq!(built.root.bytes, files.values().map(|c| u64::from(*c) + 1).sum::<u64>());
        let root = memory.keep(built);
        let wanted: Vec<Entry> = files.iter().map(|(p, c)| entry(p, *c)).collect();
        prop_assert_eq!(memory.all(&root), wanted);
    }

    #[test]
    fn an_update_is_a_rebuild(files in sets(), edits in edits()) {
        let mut memory = Memory::default();
        let root = memory.keep(build(&files));
        let updated = block_on(update(&mut memory, &root, as_entries(&edits))).unwrap();
        let rebuilt = build(&applied(&files, &edits));
        prop_assert_eq!(&updated.root, &rebuilt.root);
        let root = memory.keep(updated);
        prop_assert_eq!(memory.all(&root).len(), applied(&files, &edits).len());
    }

    #[test]
    fn files_added_one_at_a_time_in_any_order_give_the_same_root(
        files in prop::collection::btree_map("[a-z]{1,3}", 0_u32..6, 1..120),
        seed in any::<u64>(),
    ) {
        let mut order: Vec<_> = files.iter().collect();
        order.sort_by_key(|(p, _)| Hash::of(format!("{seed}{p}").as_bytes()));
        let mut memory = Memory::default();
        let mut root = memory.keep(Builder::default().finish());
        for (path, content) in order {
            let one = BTreeMap::from([(path.clone(), Some(entry(path, *content)))]);
            let built = block_on(update(&mut memory, &root, one)).unwrap();
            root = memory.keep(built);
        }
        prop_assert_eq!(root, build(&files).root.hash);
    }

    #[test]
    fn a_diff_is_the_difference_of_the_sets(old in sets(), edits in edits(), at in 0_usize..2000) {
        let new = applied(&old, &edits);
        let mut memory = Memory::default();
        let (a, b) = (memory.keep(build(&old)), memory.keep(build(&new)));
        let after = old.keys().nth(at).cloned();
        let found = block_on(async {
            let from = after.as_deref().map_or(From::Start, From::After);
            let mut diff = Diff::open(&mut memory, &a, &b, from).await.unwrap();
            let mut found = BTreeMap::new();
            while let Some(c) = diff.next(&mut memory).await.unwrap() {
                let what = match &c {
                    Change::Added(_) => '+',
                    Change::Removed(_) => '-',
                    Change::Changed { .. } => '~',
                };
                found.insert(c.entry().path.clone(), what);
            }
            found
        });
        let mut wanted = BTreeMap::new();
        for path in old.keys().chain(new.keys()) {
            if after.as_ref().is_some_and(|a| path <= a) {
                continue;
            }
            match (old.get(path), new.get(path)) {
                (None, Some(_)) => drop(wanted.insert(path.clone(), '+')),
                (Some(_), None) => drop(wanted.insert(path.clone(), '-')),
                (Some(x), Some(y)) if x != y => drop(wanted.insert(path.clone(), '~')),
                _ => {}
            }
        }
        prop_assert_eq!(found, wanted);
    }

    #[test]
    fn reading_goes_on_from_any_place_and_by_split(files in sets(), at in 0_usize..900, split in 0_usize..4) {
        let mut memory = Memory::default();
        let root = memory.keep(build(&files));
        let after = files.keys().nth(at).cloned();
        let split = Split::ALL[split];
        let found = block_on(async {
            let from = after.as_deref().map_or(From::Start, From::After);
            let mut reader = Reader::open(&mut memory, &root, from).await.unwrap().only(Some(split)).to_the_end();
            let mut found = Vec::new();
            while let Some(e) = reader.next(&mut memory).await.unwrap() {
                found.push(e.path);
            }
            found
        });
        let wanted: Vec<String> = files
            .iter()
            .filter(|(p, c)| after.as_ref().is_none_or(|a| *p > a) && Split::ALL[**c as usize % 4] == split)
            .map(|(p, _)| p.clone())
            .collect();
        prop_assert_eq!(found, wanted);
    }

    #[test]
    fn a_folder_shows_what_lies_in_it(files in sets(), limit in 1_usize..20) {
        let mut memory = Memory::default();
        let root = memory.keep(build(&files));
        for folder in ["", "a", "ab/"] {
            let prefix = match folder.trim_end_matches('/') {
                "" => String::new(),
                f => format!("{f}/"),
            };
            let mut wanted: Vec<String> = files
                .keys()
                .filter_map(|p| p.strip_prefix(&prefix))
                .map(|rest| rest.split_once('/').map_or(rest.to_owned(), |(f, _)| format!("{f}/")))
                .collect();
            wanted.dedup();
            let (mut found, mut after) = (Vec::new(), None::<String>);
            loop {
                let (page, next) = block_on(folder::list(&mut memory, &root, folder, after.as_deref(), limit)).unwrap();
                prop_assert!(page.len() <= limit);
                found.extend(page.into_iter().map(|i| match i {
                    Inside::Folder(name) => format!("{name}/"),
                    Inside::File(e) => e.path[prefix.len()..].to_owned(),
                }));
                after = next;
                if after.is_none() {
                    break;
                }
            }
            prop_assert_eq!(found, wanted);
        }
    }
}

#[test]
fn one_more_file_among_many_touches_few_nodes() {
    let files: BTreeMap<String, u32> = (0..40_000)
        .map(|n| (format!("train/{n:06}.png"), n % 6))
        .collect();
    let mut memory = Memory::default();
    let built = build(&files);
    let before = built.nodes.len();
    let root = memory.keep(built);
    memory.loads = 0;
    let path = "train/020000b.png";
    let one = BTreeMap::from([(path.to_owned(), Some(entry(path, 1)))]);
    let built = block_on(update(&mut memory, &root, one)).unwrap();
    assert!(
        built.nodes.len() <= 8 && before > 400,
        "{} of {before}",
        built.nodes.len()
    );
    assert!(memory.loads <= 12, "{} nodes loaded", memory.loads);
    let new = memory.keep(built);
    memory.loads = 0;
    let changes = block_on(async {
        let mut diff = Diff::open(&mut memory, &root, &new, From::Start).await.unwrap();
        let mut n = 0;
        while diff.next(&mut memory).await.unwrap().is_some() {
            n += 1;
        }
        n
    });
    assert_eq!(changes, 1);
    assert!(memory.loads <= 24, "{} nodes loaded", memory.loads);
}

#[test]
fn every_file_is_found_by_one_way_down_and_no_other() {
    // Few and many, so that there are trees of one to three levels; only even ones.
    for count in [0_u32, 1, 2, 100, 9_000] {
        let path = |n: u32| format!("Train/{n:06}.png");
        let mut builder = Builder::default();
        for n in 0..count {
            builder.push(entry(&path(2 * n), n)).unwrap();
        }
        let mut memory = Memory::default();
        let root = memory.keep(builder.finish());
        for n in (0..count)
            .step_by(1 + count as usize / 60)
            .chain(count.checked_sub(1))
        {
            memory.loads = 0;
            let found = block_on(Reader::find(&mut memory, &root, &path(2 * n).to_lowercase())).unwrap();
            assert_eq!(found, Some(entry(&path(2 * n), n)));
            assert!(memory.loads <= 4, "{} nodes loaded", memory.loads);
            // Those between, and beyond the last one.
            let none = block_on(Reader::find(&mut memory, &root, &path(2 * n + 1))).unwrap();
            assert_eq!(none, None);
        }
        for out in ["", "a", "train/", "zzz"] {
            assert_eq!(block_on(Reader::find(&mut memory, &root, out)).unwrap(), None);
        }
    }
}

#[test]
fn paths_that_differ_in_case_alone_are_refused_and_found() {
    let mut builder = Builder::default();
    builder.push(entry("A.png", 1)).unwrap();
    assert!(builder.push(entry("a.PNG", 2)).is_err());
    let mut memory = Memory::default();
    let root = memory.keep(builder.finish());
    let found = block_on(Reader::find(&mut memory, &root, "a.png")).unwrap();
    assert_eq!(found.map(|e| e.path).as_deref(), Some("A.png"));
    assert!(
        block_on(Reader::find(&mut memory, &root, "b.png"))
            .unwrap()
            .is_none()
    );
}

#[test]
fn damaged_nodes_are_errors() {
    for bad in ["", "{}", "[]", r#"{"n":0,"x":1}"#, r#"{"n":-1}"#] {
        assert!(Node::decode(bad.as_bytes()).is_err(), "{bad}");
    }
}

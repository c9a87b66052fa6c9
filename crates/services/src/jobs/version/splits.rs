//! Files put into splits.

use super::Work;
use super::derive::{Base, NODES, REPORT};
use crate::versions::draft::Made;
use crate::versions::labels::Tally;
use crate::versions::nodes::DbNodes;
use limn_domain::VersionId;
use limn_domain::dataset::{Split, SplitMethod, SplitPlan, SplitShare};
use limn_jobs::Permanent;
use limn_versions::{Builder, Entry, From, Hash, Reader};
use std::collections::{BTreeMap, HashMap};

const SPLITS: [Split; 3] = [Split::Train, Split::Val, Split::Test];

impl Work<'_> {
    pub(super) async fn of_splits(&mut self, id: VersionId, plan: &SplitPlan) -> anyhow::Result<Made> {
        plan.shares.check().map_err(Permanent)?;
        let mut tx = self.ctx.db.read().await?;
        let base = Base::open(&mut tx, id).await?;
        let total = base.version.files;
        let mut db = DbNodes::new(&mut tx);
        let mut reader = Reader::open(&mut db, &base.root.files, From::Start)
            .await?
            .to_the_end();
        let mut entries: Vec<Entry> = Vec::new();
        while let Some(entry) = reader.next(&mut db).await? {
            entries.push(entry);
            if entries.len() as i64 % REPORT == 0 {
                self.progress
                    .report(entries.len() as i64, total, "Reading the version")
                    .await?;
            }
        }
        drop(tx);
        let plan_ = plan.clone();
        let entries = tokio::task::spawn_blocking(move || {
            assign(&mut entries, &plan_);
            entries
        })
        .await?;
        let (mut builder, mut tally) = (Builder::default(), Tally::default());
        for (n, entry) in entries.into_iter().enumerate() {
            tally.add(&entry);
            builder.push(entry)?;
            if builder.waiting() >= NODES {
                self.progress
                    .report(n as i64, total, "Writing the version")
                    .await?;
                self.draft.nodes(builder.take()).await?;
            }
        }
        let built = builder.finish();
        self.draft.nodes(built.nodes).await?;
        let SplitShare { train, val, test } = plan.shares;
        Ok(Made {
            dataset: self.dataset.id,
            kind: self.dataset.kind,
            files: built.root,
            schema: Some(base.schema),
            tally,
            note: self.payload.input.note.clone(),
            by: self.payload.user,
            by_name: self.payload.user_name.clone(),
            from: vec![base.node],
            how: format!(
                "Splits {train}/{val}/{test}, {}, seed {}",
                plan.method.label().to_lowercase(),
                plan.seed
            ),
            notes: Vec::new(),
        })
    }
}

/// A number that a seed and a text draw; the same ones always draw the same.
fn draw(seed: u64, text: &str) -> u64 {
    let hash = Hash::of(format!("{seed}\0{text}").as_bytes());
    let mut head = [0; 8];
    head.copy_from_slice(&hash.bytes()[..8]);
    u64::from_le_bytes(head)
}

/// Gives every file its split.
fn assign(entries: &mut [Entry], plan: &SplitPlan) {
    let free: Vec<usize> = (0..entries.len())
        .filter(|n| !plan.keep || entries[*n].split == Split::None)
        .collect();
    let chosen = match plan.method {
        SplitMethod::Random => random(entries, &free, plan),
        SplitMethod::Stratified => stratified(entries, &free, plan),
        SplitMethod::Folder => by_folder(entries, &free, plan),
        SplitMethod::Path => free
            .iter()
            .map(|n| (*n, by_digest(draw(plan.seed, &entries[*n].key()), &plan.shares)))
            .collect(),
    };
    for (n, split) in chosen {
        entries[n].split = split;
    }
}

/// The split of a number out of all of them.
fn by_digest(number: u64, shares: &SplitShare) -> Split {
    // In hundredths of a per cent.
    let at = number % 10_000;
    let (train, val) = (u64::from(shares.train) * 100, u64::from(shares.val) * 100);
    if at < train {
        Split::Train
    } else if at < train + val {
        Split::Val
    } else {
        Split::Test
    }
}

/// How many of `n` go to each split: the largest remainders get what rounding leaves.
fn quotas(n: usize, shares: &SplitShare) -> [usize; 3] {
    let exact = SPLITS.map(|s| n as u64 * u64::from(shares.of(s)));
    let mut out = exact.map(|e| (e / 100) as usize);
    let mut order = [0, 1, 2];
    order.sort_by_key(|i| std::cmp::Reverse(exact[*i] % 100));
    let left = n - out.iter().sum::<usize>();
    for i in order.into_iter().take(left) {
        out[i] += 1;
    }
    out
}

fn random(entries: &[Entry], free: &[usize], plan: &SplitPlan) -> Vec<(usize, Split)> {
    let mut order = free.to_vec();
    order.sort_by_cached_key(|n| (draw(plan.seed, &entries[*n].key()), *n));
    let quotas = quotas(order.len(), &plan.shares);
    let of = SPLITS
        .into_iter()
        .zip(quotas)
        .flat_map(|(s, n)| std::iter::repeat_n(s, n));
    order.into_iter().zip(of).collect()
}

/// Every category with its share in every split: after Sechidis and others, "On the Stratification of Multi-Label Data"
/// (2011), rare categories first; a file goes where its category is wanted most.
fn stratified(entries: &[Entry], free: &[usize], plan: &SplitPlan) -> Vec<(usize, Split)> {
    let mut of: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for n in free {
        for category in entries[*n].categories.keys() {
            of.entry(category).or_default().push(*n);
        }
    }
    // Wanted yet: of all files, and of every category.
    let share = |s: Split, n: usize| n as f64 * f64::from(plan.shares.of(s)) / 100.0;
    let mut all = SPLITS.map(|s| share(s, free.len()));
    let mut wanted: HashMap<&str, [f64; 3]> = of
        .iter()
        .map(|(c, list)| (*c, SPLITS.map(|s| share(s, list.len()))))
        .collect();
    let mut chosen: BTreeMap<usize, usize> = BTreeMap::new();
    let mut rest: Vec<&str> = of.keys().copied().collect();
    rest.sort_by_key(|c| (of[c].len(), *c));
    let mut place =
        |n: usize, category: Option<&str>, all: &mut [f64; 3], wanted: &mut HashMap<&str, [f64; 3]>| {
            let mut best = 0;
            let score = |i: usize| {
                let own = category.and_then(|c| wanted.get(c)).map_or(0.0, |w| w[i]);
                let open = plan.shares.of(SPLITS[i]) > 0;
                (open, own, all[i])
            };
            for i in 1..3 {
                let (a, b) = (score(i), score(best));
                if a.partial_cmp(&b) == Some(std::cmp::Ordering::Greater) {
                    best = i;
                }
            }
            all[best] -= 1.0;
            for c in entries[n].categories.keys() {
                if let Some(w) = wanted.get_mut(c.as_str()) {
                    w[best] -= 1.0;
                }
            }
            chosen.insert(n, best);
            best
        };
    let mut placed = std::collections::HashSet::new();
    for category in rest {
        let mut list = of[category].clone();
        list.sort_by_cached_key(|n| (draw(plan.seed, &entries[*n].key()), *n));
        for n in list {
            if placed.insert(n) {
                place(n, Some(category), &mut all, &mut wanted);
            }
        }
    }
    let mut bare: Vec<usize> = free.iter().copied().filter(|n| !placed.contains(n)).collect();
    bare.sort_by_cached_key(|n| (draw(plan.seed, &entries[*n].key()), *n));
    for n in bare {
        place(n, None, &mut all, &mut wanted);
    }
    chosen.into_iter().map(|(n, i)| (n, SPLITS[i])).collect()
}

/// Folders whole, large ones first where most is wanted; ties as the seed draws.
fn by_folder(entries: &[Entry], free: &[usize], plan: &SplitPlan) -> Vec<(usize, Split)> {
    let mut folders: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for n in free {
        let key = entries[*n].key();
        let folder = key.rsplit_once('/').map_or("", |(f, _)| f).to_owned();
        folders.entry(folder).or_default().push(*n);
    }
    let mut order: Vec<(String, Vec<usize>)> = folders.into_iter().collect();
    order.sort_by_cached_key(|(f, list)| (std::cmp::Reverse(list.len()), draw(plan.seed, f)));
    let mut wanted = SPLITS.map(|s| free.len() as f64 * f64::from(plan.shares.of(s)) / 100.0);
    let mut out = Vec::with_capacity(free.len());
    for (_, list) in order {
        let best = (0..3)
            .filter(|i| plan.shares.of(SPLITS[*i]) > 0)
            .max_by(|a, b| wanted[*a].total_cmp(&wanted[*b]).then(b.cmp(a)))
            .unwrap_or(0);
        wanted[best] -= list.len() as f64;
        out.extend(list.into_iter().map(|n| (n, SPLITS[best])));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(path: &str, categories: &[&str]) -> Entry {
        Entry {
            path: path.to_owned(),
            size: 1,
            blob: Hash::of(path.as_bytes()),
            media_type: "image/png".into(),
            width: 1,
            height: 1,
            orientation: 1,
            length: 0,
            split: Split::None,
            labels: None,
            categories: categories.iter().map(|c| ((*c).to_owned(), 1)).collect(),
        }
    }

    fn plan(method: SplitMethod, seed: u64) -> SplitPlan {
        SplitPlan {
            method,
            shares: SplitShare::default(),
            seed,
            keep: false,
        }
    }

    fn count(entries: &[Entry], of: impl Fn(&Entry) -> bool) -> [usize; 3] {
        SPLITS.map(|s| entries.iter().filter(|e| e.split == s && of(e)).count())
    }

    fn many() -> Vec<Entry> {
        (0..1000)
            .map(|n| {
                let categories: &[&str] = match n % 20 {
                    0 => &["rare"],
                    1..=5 => &["cat", "dog"],
                    _ => &["cat"],
                };
                entry(&format!("film{:02}/{n:04}.png", n / 50), categories)
            })
            .collect()
    }

    #[test]
    fn the_same_plan_gives_the_same_splits_and_another_seed_others() {
        for method in SplitMethod::ALL {
            let (mut a, mut b, mut c) = (many(), many(), many());
            assign(&mut a, &plan(method, 1));
            assign(&mut b, &plan(method, 1));
            assign(&mut c, &plan(method, 2));
            assert_eq!(a, b, "{method:?}");
            assert_ne!(a, c, "{method:?}");
            assert!(a.iter().all(|e| e.split != Split::None));
        }
    }

    #[test]
    fn shares_are_met() {
        for method in [SplitMethod::Random, SplitMethod::Stratified, SplitMethod::Folder] {
            let mut a = many();
            assign(&mut a, &plan(method, 7));
            assert_eq!(count(&a, |_| true), [800, 100, 100], "{method:?}");
        }
        let mut a = many();
        assign(&mut a, &plan(SplitMethod::Path, 7));
        let [train, ..] = count(&a, |_| true);
        assert!((760..840).contains(&train), "{train}");
    }

    #[test]
    fn strata_keep_their_shares() {
        let mut a = many();
        assign(&mut a, &plan(SplitMethod::Stratified, 3));
        assert_eq!(count(&a, |e| e.categories.contains_key("rare")), [40, 5, 5]);
        assert_eq!(count(&a, |e| e.categories.contains_key("dog")), [200, 25, 25]);
    }

    #[test]
    fn a_folder_stays_together() {
        let mut a = many();
        assign(&mut a, &plan(SplitMethod::Folder, 3));
        for film in 0..20 {
            let own: Vec<_> = a
                .iter()
                .filter(|e| e.path.starts_with(&format!("film{film:02}/")))
                .collect();
            assert!(own.iter().all(|e| e.split == own[0].split));
        }
    }

    #[test]
    fn by_path_a_file_stays_when_others_come() {
        let mut few: Vec<Entry> = many().into_iter().step_by(3).collect();
        let mut all = many();
        assign(&mut few, &plan(SplitMethod::Path, 5));
        assign(&mut all, &plan(SplitMethod::Path, 5));
        for e in &few {
            assert_eq!(Some(e), all.iter().find(|a| a.path == e.path));
        }
    }

    #[test]
    fn what_has_a_split_may_keep_it_and_a_share_of_nothing_gets_nothing() {
        let mut a = many();
        a[0].split = Split::Test;
        let mut p = plan(SplitMethod::Random, 1);
        p.keep = true;
        p.shares = SplitShare {
            train: 100,
            val: 0,
            test: 0,
        };
        assign(&mut a, &p);
        assert_eq!(count(&a, |_| true), [999, 0, 1]);
        for method in SplitMethod::ALL {
            let mut a = many();
            let shares = SplitShare {
                train: 90,
                val: 0,
                test: 10,
            };
            assign(
                &mut a,
                &SplitPlan {
                    shares,
                    ..plan(method, 1)
                },
            );
            assert_eq!(count(&a, |_| true)[1], 0, "{method:?}");
        }
    }
}

//! Spans: learned from what people marked, measured on documents apart, proposed, taken and refused.

use super::world::World;
use crate::refusal;
use limn_domain::annotation::{Annotation, SaveChange};
use limn_domain::assist::{AssistOrder, AssistState, Basis, UpdateAssist};
use limn_domain::job::JobState;
use limn_domain::project::Task;
use limn_domain::queue::Submit;
use limn_domain::{AnnotationId, Attributes, ChangeId, Digest, ItemId, Links, Shape, Source};
use limn_ml::Rng;
use limn_testkit::{TestDb, on_both};
use std::collections::HashMap;

/// Of each document the spans that are there: category, start, end.
type Spans = Vec<(usize, u32, u32)>;

const SYLLABLES: [&str; 12] = [
    "ba", "ko", "ri", "mel", "tan", "du", "vor", "sha", "lin", "gre", "no", "pa",
];
/// `P` is a person, `L` a place, `Q` one or the other, which nobody can tell.
const SENTENCES: [&[&str]; 6] = [
    &["P", " lives in ", "L", "."],
    &["Yesterday ", "P", " met ", "P", " near ", "L", "."],
    &["The train from ", "L", " to ", "L", " was late."],
    &["Nothing happened on Monday in the Garden."],
    &["Mr. ", "P", " bought a house in ", "L", "."],
    &["Everybody knows ", "Q", " by heart."],
];

fn name(rng: &mut Rng) -> String {
    let mut out: String = (0..2 + rng.below(2)).map(|_| SYLLABLES[rng.below(12)]).collect();
    out[..1].make_ascii_uppercase();
    out
}

/// Emoji and CRLF shift whoever counts anything but Unicode scalar values.
fn letter(n: usize) -> (String, Spans) {
    let mut rng = Rng::new(n as u64 + 70);
    let (mut text, mut spans) = (format!("\u{1f600} Letter {n}\r\n"), Vec::new());
    for k in 0..4 {
        let which = if k == 0 { n % 2 } else { rng.below(SENTENCES.len()) };
        for part in SENTENCES[which] {
            let category = match *part {
                "P" => 0,
                "L" => 1,
                "Q" => rng.below(2),
                said => {
                    text.push_str(said);
                    continue;
                }
            };
            let start = text.chars().count() as u32;
            text.push_str(&name(&mut rng));
            spans.push((category, start, text.chars().count() as u32));
        }
        text.push_str(if rng.below(2) == 0 { " \u{1f680} " } else { "\r\n" });
    }
    (text, spans)
}

/// A project of letters, and what is in them.
struct Letters {
    w: World,
    there: HashMap<ItemId, Spans>,
}

impl Letters {
    async fn new(db: &TestDb, documents: usize) -> Self {
        let mut w = World::new(db, Task::Entities).await;
        let mut there = HashMap::new();
        for n in 0..documents {
            let (text, spans) = letter(n);
            let item = w.add(&format!("{n:03}.txt"), text.into_bytes().into(), 0).await;
            there.insert(item, spans);
        }
        Self { w, there }
    }

    fn spans(&self, item: ItemId) -> Vec<Annotation> {
        let of = &self.there[&item];
        of.iter()
            .map(|(category, start, end)| Annotation {
                id: AnnotationId::new(),
                category_id: self.w.categories[*category],
                shape: Shape::Span {
                    start: *start,
                    end: *end,
                },
                z: 0,
                source: Source::Human,
                score: None,
                attributes: Attributes::new(),
                links: Links::default(),
            })
            .collect()
    }

    /// Lena takes items and marks what is there.
    async fn label(&self, n: usize) {
        let w = &self.w;
        let mut done = 0;
        while done < n {
            let want = (n - done).min(100) as i64;
            let taken = w.studio.queue.take(&w.lena, w.project, want).await.unwrap();
            assert!(!taken.items.is_empty(), "the queue ran out");
            for work in taken.items {
                self.submit(work.item.id, self.spans(work.item.id)).await;
                done += 1;
            }
        }
    }

    /// These and nothing else.
    async fn submit(&self, item: ItemId, upserts: Vec<Annotation>) {
        let w = &self.w;
        let now = w.studio.annotations.get(&w.lena, item).await.unwrap();
        let stays = |id| upserts.iter().any(|a| a.id == id);
        let removes = now
            .annotations
            .iter()
            .map(|a| a.id)
            .filter(|id| !stays(*id))
            .collect();
        let change = SaveChange {
            change_id: ChangeId::new(),
            base_revision: now.revision,
            upserts,
            removes,
            attributes: None,
            active_ms: 1_000,
        };
        let submit = Submit {
            revision: now.revision,
            change: Some(change),
        };
        w.studio.queue.submit(&w.lena, item, submit).await.unwrap();
    }

    /// Whether a proposal lies exactly where something of its category is.
    fn right(&self, item: ItemId, a: &Annotation) -> bool {
        let (start, end) = a.shape.span().expect("a span");
        let of = |c: &usize| self.w.categories[*c] == a.category_id;
        self.there[&item]
            .iter()
            .any(|(c, s, e)| of(c) && (*s, *e) == (start, end))
    }
}

/// The share of the content's hash that is kept for measuring.
fn is_holdout(digest: &Digest) -> bool {
    u64::from_str_radix(&digest.as_str()[..12], 16).unwrap() % 100 < 20
}

#[tokio::test]
async fn spans_are_learned_measured_and_proposed() {
    on_both(async |db| {
        let l = Letters::new(&db, 110).await;
        let w = &l.w;
        let off = w.get().await;
        assert_eq!((off.state, off.settings.accuracy), (AssistState::Off, 0.8));
        let waiting = w.turn_on(AssistOrder::Useful).await;
        assert_eq!((waiting.state, waiting.items.seen), (AssistState::Waiting, 110));
        assert!(
            waiting.message.contains("Spans are learned from 10 documents"),
            "{}",
            waiting.message
        );
        assert!(waiting.items.clustered > 0, "{waiting:?}");
        // Among the other jobs: nothing of it takes minutes.
        assert_eq!(waiting.job.as_ref().unwrap().kind, "assist");

        l.label(60).await;
        let ready = w.train().await;
        let model = ready.model.clone().expect("a model");
        assert_eq!((ready.state, model.version), (AssistState::Ready, 1));
        let f = &model.figures;
        assert_eq!((f.basis, f.map50), (Basis::Holdout, None));
        assert_eq!(f.trained_on + f.holdout, 60);
        assert!(f.holdout >= 8, "every fifth comes from the holdout: {f:?}");
        assert!(f.proposed.of > 0 && f.proposed.value().unwrap() >= 0.8, "{f:?}");
        assert!(f.covered.value().unwrap() > 0.5, "{f:?}");
        // The third category was never used.
        assert!(f.categories[..2].iter().all(|c| c.trained_on > 20), "{f:?}");
        assert_eq!((f.categories[2].trained_on, f.categories[2].threshold), (0, None));
        assert!(
            f.warnings.iter().any(|w| w.contains("no spans to learn from")),
            "{:?}",
            f.warnings
        );

        // Proposals lie on names, counted in Unicode scalar values; the holdout is left to people.
        let proposed = w.proposed().await;
        assert_eq!(proposed.len() as i64, ready.items.prelabeled);
        assert!(proposed.len() >= 25, "{ready:?}");
        let (mut right, mut all) = (0, 0);
        for (item, annotations) in &proposed {
            assert!(!is_holdout(&item.digest) && item.annotation_count == 0);
            for a in annotations {
                assert_eq!(a.source, Source::Prelabel);
                assert!(a.score.is_some_and(|s| (0.0..=1.0).contains(&s)));
                right += usize::from(l.right(item.id, a));
                all += 1;
            }
        }
        assert!(all > proposed.len() && right * 5 >= all * 4, "{right} of {all}");
        w.counted().await;

        // Taken as they are, with another end, and with one that was not proposed.
        let taken = w.take_proposed(3).await;
        w.accept(taken[0].item.id).await;
        for (n, work) in taken[1..].iter().enumerate() {
            let mut mine: Vec<Annotation> = work.annotations.annotations.clone();
            for a in &mut mine {
                (a.source, a.score) = (Source::Human, None);
            }
            match (&mut mine[0].shape, n) {
                (Shape::Span { end, .. }, 0) => *end += 1,
                _ => mine.extend(l.spans(work.item.id).into_iter().take(1)),
            }
            l.submit(work.item.id, mine).await;
        }
        let after = w.get().await;
        assert_eq!(
            (after.work.accepted, after.work.corrected, after.work.manual),
            (1, 2, 60)
        );

        // The next model's spans take the place of those before; what somebody refused stays away.
        let proposed = w.proposed().await;
        let (refused, annotations) = &proposed[0];
        let change = SaveChange {
            change_id: ChangeId::new(),
            base_revision: refused.revision,
            upserts: Vec::new(),
            removes: vec![annotations[0].id],
            attributes: None,
            active_ms: 0,
        };
        w.studio
            .annotations
            .save(&w.manager, refused.id, change)
            .await
            .unwrap();
        let second = w.train().await;
        assert_eq!(second.model.unwrap().version, 2);
        let now = w.proposed().await;
        let (kept, again) = now
            .iter()
            .find(|(i, _)| i.id != refused.id && proposed.iter().any(|(old, _)| old.id == i.id))
            .expect("one that both models propose for");
        let old = &proposed.iter().find(|(i, _)| i.id == kept.id).unwrap().1;
        assert!(old.iter().all(|o| again.iter().all(|n| n.id != o.id)));
        let left = w.studio.annotations.get(&w.manager, refused.id).await.unwrap();
        assert_eq!(left.annotations.len(), annotations.len() - 1);
        assert!(
            left.annotations
                .iter()
                .all(|a| annotations.iter().any(|b| a.id == b.id))
        );
        w.counted().await;

        // A category goes: nothing of it is left, and the next run goes on.
        w.studio
            .categories
            .remove(&w.manager, w.categories[1])
            .await
            .unwrap();
        let third = w.train().await;
        assert_ne!(third.state, AssistState::Failed, "{third:?}");
        let now = w.proposed().await;
        let mut all = now.iter().flat_map(|(_, a)| a);
        assert!(all.all(|a| a.category_id != w.categories[1]));

        w.change(UpdateAssist {
            enabled: Some(false),
            ..UpdateAssist::default()
        })
        .await;
        w.run().await;
        let left = w.proposed().await;
        assert!(left.iter().all(|(i, _)| i.id == refused.id), "{left:?}");
        w.counted().await;
    })
    .await;
}

#[tokio::test]
async fn the_model_of_spans_is_kept_where_it_is_wished() {
    on_both(async |db| {
        let l = Letters::new(&db, 70).await;
        l.w.change(UpdateAssist {
            enabled: Some(true),
            register: Some(true),
            ..UpdateAssist::default()
        })
        .await;
        l.w.run().await;
        l.label(50).await;
        let ready = l.w.train().await;
        let kept = ready.model.unwrap().registered.expect("it is kept");
        assert_eq!((kept.model.as_str(), kept.version), ("Shapes assist", 1));
        let version =
            l.w.studio
                .models
                .version(&l.w.lena, "Shapes assist", 1)
                .await
                .unwrap();
        // The card, the tagger, the categories.
        assert_eq!(version.files, 3, "{version:?}");
        assert!(
            version.description.contains("found by proposals"),
            "{}",
            version.description
        );
    })
    .await;
}

#[tokio::test]
async fn what_spans_cannot_be_learned_from_says_why() {
    on_both(async |db| {
        let l = Letters::new(&db, 30).await;
        l.w.turn_on(AssistOrder::Random).await;
        let taken = l.w.studio.queue.take(&l.w.lena, l.w.project, 20).await.unwrap();
        for work in taken.items {
            l.submit(work.item.id, Vec::new()).await;
        }
        let none = l.w.train().await;
        assert_eq!((none.state, none.model), (AssistState::Waiting, None));
        assert!(
            none.message.ends_with("there are none so far."),
            "{}",
            none.message
        );
        assert_eq!(none.job.unwrap().state, JobState::Succeeded);
        // A network that describes pictures is none for documents.
        let change = UpdateAssist {
            backbone: Some("resnet18/1".to_owned()),
            ..UpdateAssist::default()
        };
        let why = refusal(l.w.studio.assist.update(&l.w.manager, l.w.project, change).await);
        assert!(why.for_field("backbone").is_some(), "{why:?}");
    })
    .await;
}

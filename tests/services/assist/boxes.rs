//! Boxes: learned from what people drew, measured on pictures apart, proposed, taken and refused.

use super::world::{World, encoded};
use crate::refusal;
use image::{Rgb, RgbImage};
use limn_domain::annotation::{Annotation, SaveChange};
use limn_domain::assist::{AssistOrder, AssistState, Basis, UpdateAssist};
use limn_domain::item::{Item, ItemStatus};
use limn_domain::job::JobState;
use limn_domain::project::Task;
use limn_domain::queue::Submit;
use limn_domain::{AnnotationId, Attributes, ChangeId, Code, Digest, ItemId, Links, Rect, Shape, Source};
use limn_ml::Rng;
use limn_services::Services;
use limn_services::training::port::{
    EngineError, Event, Examples, Net, NetBox, NetTraining, Prediction, SmallPicture, TrainTask, TrainedNet,
    Trainer, Watch,
};
use limn_testkit::{TestDb, on_both};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// Width and height of the pictures.
const SIZE: (u32, u32) = (96, 64);

/// Finds red, green and blue patches without having to learn it: sure of the bright ones, half sure of dim ones, which are nothing.
#[derive(Debug, Default)]
pub(super) struct Finder {
    /// Steps of a first training.
    first: Option<usize>,
    /// Those of the trainings so far.
    trained: Mutex<Vec<usize>>,
}

fn find(p: &SmallPicture, categories: usize) -> Vec<(NetBox, f32)> {
    let mut out: Vec<(NetBox, f32)> = Vec::new();
    for (category, bright) in (0..categories.min(3)).flat_map(|c| [(c, true), (c, false)]) {
        let hit = |x: usize, y: usize| {
            let at = (y * p.width + x) * 3;
            let own = p.rgb[at + category];
            let others = (0..3).filter(|c| *c != category).all(|c| p.rgb[at + c] < 70);
            others
                && if bright {
                    own > 170
                } else {
                    (100..150).contains(&own)
                }
        };
        let all = (0..p.width * p.height).map(|n| (n % p.width, n / p.width));
        let hits: Vec<(usize, usize)> = all.filter(|(x, y)| hit(*x, *y)).collect();
        if hits.len() < 12 {
            continue;
        }
        let of = |f: fn(&(usize, usize)) -> usize| {
            let values = hits.iter().map(f);
            (values.clone().min().unwrap_or(0), values.max().unwrap_or(0) + 1)
        };
        let ((x0, x1), (y0, y1)) = (of(|h| h.0), of(|h| h.1));
        let (w, h) = (p.width as f32, p.height as f32);
        let found = NetBox {
            category,
            x: x0 as f32 / w,
            y: y0 as f32 / h,
            width: (x1 - x0) as f32 / w,
            height: (y1 - y0) as f32 / h,
        };
        out.push((found, if bright { 0.9 } else { 0.4 }));
    }
    out.sort_by(|a, b| b.1.total_cmp(&a.1));
    out
}

impl Trainer for Finder {
    fn version(&self) -> &'static str {
        "finder-1"
    }

    fn side(&self, _: TrainTask) -> u32 {
        96
    }

    fn steps(&self, _: TrainTask, _: usize) -> usize {
        3
    }

    fn first_steps(&self, _: TrainTask, _: usize) -> Option<usize> {
        self.first
    }

    fn parameters(&self, _: TrainTask) -> Vec<(String, String)> {
        Vec::new()
    }

    fn train(&self, t: &NetTraining<'_>, watch: &mut Watch<'_>) -> Result<TrainedNet, EngineError> {
        let boxes = |e: &dyn Examples| (0..e.len()).map(|n| e.truth(n).boxes().len()).sum::<usize>();
        if boxes(t.train) == 0 {
            return Err(EngineError::Refused("there is nothing to learn from".to_owned()));
        }
        self.trained.lock().unwrap().push(t.steps);
        for step in 1..=t.steps {
            let event = Event::Step {
                step,
                figures: Vec::new(),
            };
            if watch(event).is_break() {
                return Err(EngineError::Stopped);
            }
        }
        let predictions = (0..t.valid.len())
            .map(|n| Ok(Prediction::Boxes(find(&t.valid.picture(n)?, t.categories))))
            .collect::<Result<_, EngineError>>()?;
        Ok(TrainedNet {
            model: t.categories.to_string().into_bytes(),
            figures: vec![("mAP50".to_owned(), 0.75)],
            by_category: vec![None; t.categories],
            confusion: Vec::new(),
            threshold: vec![0.3; t.categories],
            predictions,
        })
    }

    fn load(&self, model: &[u8]) -> Result<Box<dyn Net>, EngineError> {
        let text = std::str::from_utf8(model).ok().and_then(|t| t.parse().ok());
        let categories = text.ok_or_else(|| EngineError::Broken("no such model".to_owned()))?;
        Ok(Box::new(Found { categories }))
    }
}

struct Found {
    categories: usize,
}

impl Net for Found {
    fn task(&self) -> TrainTask {
        TrainTask::Detection
    }

    fn categories(&self) -> usize {
        self.categories
    }

    fn predict(&self, pictures: &[SmallPicture]) -> Result<Vec<Prediction>, EngineError> {
        let one = |p| Prediction::Boxes(find(p, self.categories));
        Ok(pictures.iter().map(one).collect())
    }
}

/// A project of patches, and where they are.
pub(super) struct Patches {
    pub w: World,
    drawn: HashMap<ItemId, Vec<(usize, Rect)>>,
}

impl Patches {
    pub async fn new(db: &TestDb, pictures: usize) -> Self {
        Self::with(db, pictures, Arc::default()).await
    }

    async fn with(db: &TestDb, pictures: usize, finder: Arc<Finder>) -> Self {
        let mut w = World::new(db, Task::Detection).await;
        w.studio.services = Services::new(w.studio.services.context.clone().with_trainer(finder));
        let mut p = Self {
            w,
            drawn: HashMap::new(),
        };
        for n in 0..pictures {
            p.add(n).await;
        }
        p
    }

    /// A patch or two of other colours; in every third picture a dim one that is nothing.
    async fn add(&mut self, n: usize) {
        let mut rng = Rng::new(n as u64 + 7);
        let mut picture =
            RgbImage::from_fn(SIZE.0, SIZE.1, |_, _| Rgb([(20.0 + rng.unit() * 20.0) as u8; 3]));
        let mut boxes = Vec::new();
        let mut patch = |left: u32, category: usize, level: u8, rng: &mut Rng| {
            let (x, y) = (left + (rng.unit() * 8.0) as u32, 4 + (rng.unit() * 30.0) as u32);
            let (w, h) = (12 + (rng.unit() * 8.0) as u32, 12 + (rng.unit() * 10.0) as u32);
            for (x, y) in (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y))) {
                let mut p = [30; 3];
                p[category] = level;
                picture.put_pixel(x, y, Rgb(p));
            }
            Rect {
                x: x.into(),
                y: y.into(),
                w: w.into(),
                h: h.into(),
            }
        };
        boxes.push((n % 3, patch(2, n % 3, 220, &mut rng)));
        if n.is_multiple_of(2) {
            boxes.push(((n + 1) % 3, patch(32, (n + 1) % 3, 220, &mut rng)));
        }
        if n.is_multiple_of(3) {
            patch(64, (n + 2) % 3, 125, &mut rng);
        }
        let name = format!("{n:03}.png");
        let item = self.w.add(&name, encoded(picture), 0).await;
        self.drawn.insert(item, boxes);
    }

    fn boxes(&self, item: ItemId) -> Vec<Annotation> {
        let of = &self.drawn[&item];
        of.iter()
            .map(|(category, rect)| Annotation {
                id: AnnotationId::new(),
                category_id: self.w.categories[*category],
                shape: Shape::Box { rect: *rect },
                z: 0,
                source: Source::Human,
                score: None,
                attributes: Attributes::new(),
                links: Links::default(),
            })
            .collect()
    }

    /// Lena takes items and draws what is there.
    pub async fn label(&self, n: usize) -> Vec<ItemId> {
        let w = &self.w;
        let mut done = Vec::new();
        while done.len() < n {
            let want = (n - done.len()).min(100) as i64;
            let taken = w.studio.queue.take(&w.lena, w.project, want).await.unwrap();
            assert!(!taken.items.is_empty(), "the queue ran out");
            for work in taken.items {
                let item = work.item.id;
                self.submit(item, self.boxes(item)).await;
                done.push(item);
            }
        }
        done
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
}

/// The share of the content's hash that is kept for measuring.
fn is_holdout(digest: &Digest) -> bool {
    u64::from_str_radix(&digest.as_str()[..12], 16).unwrap() % 100 < 20
}

fn overlap(a: &Rect, b: &Rect) -> f64 {
    let w = (a.x + a.w).min(b.x + b.w) - a.x.max(b.x);
    let h = (a.y + a.h).min(b.y + b.h) - a.y.max(b.y);
    if w <= 0.0 || h <= 0.0 {
        return 0.0;
    }
    w * h / (a.w * a.h + b.w * b.h - w * h)
}

#[tokio::test]
async fn a_short_training_comes_first_and_a_full_one_right_after() {
    on_both(async |db| {
        let finder = Arc::new(Finder {
            first: Some(1),
            ..Finder::default()
        });
        let p = Patches::with(&db, 60, Arc::clone(&finder)).await;
        let w = &p.w;
        let steps = || finder.trained.lock().unwrap().clone();
        w.turn_on(AssistOrder::Useful).await;
        p.label(25).await;
        let ready = w.train().await;
        assert_eq!(steps(), [1, 3]);
        assert_eq!(ready.model.map(|m| m.version), Some(2));
        let curve: Vec<(i64, i64)> = ready.curve.iter().map(|c| (c.version, c.labels)).collect();
        assert_eq!(curve, [(2, 25)], "of as many labels the better one counts");
        assert!(ready.items.prelabeled > 0);
        // From then on there is something proposed while the next one learns.
        p.label(10).await;
        w.train().await;
        assert_eq!(steps(), [1, 3, 3]);
    })
    .await;
}

#[tokio::test]
async fn boxes_are_learned_measured_and_proposed() {
    on_both(async |db| {
        let p = Patches::new(&db, 100).await;
        let w = &p.w;
        let off = w.get().await;
        assert_eq!((off.state, off.settings.accuracy), (AssistState::Off, 0.8));
        let waiting = w.turn_on(AssistOrder::Useful).await;
        assert_eq!((waiting.state, waiting.items.seen), (AssistState::Waiting, 100));
        assert!(
            waiting.message.contains("from 10 pictures"),
            "{}",
            waiting.message
        );
        assert!(waiting.items.clustered > 0, "{waiting:?}");

        p.label(50).await;
        let ready = w.train().await;
        let model = ready.model.clone().expect("a model");
        assert_eq!((ready.state, model.version), (AssistState::Ready, 1));
        let f = &model.figures;
        assert_eq!((f.basis, f.map50), (Basis::Holdout, Some(0.75)));
        assert_eq!(f.trained_on + f.holdout, 50);
        assert!(f.holdout >= 6, "every fifth comes from the holdout: {f:?}");
        // The dim patches are found too, but are nothing.
        assert!(f.accuracy.right < f.accuracy.of, "{f:?}");
        assert_eq!(f.proposed.right, f.proposed.of);
        assert!(f.proposed.of > 0 && f.covered.value().unwrap() > 0.9, "{f:?}");
        assert!(f.categories.iter().all(|c| c.trained_on > 10), "{f:?}");
        assert_eq!(ready.curve[0].map50, Some(0.75));

        // Proposals lie on the patches, in pixels, and nowhere else; the holdout is left to people.
        let proposed = w.proposed().await;
        assert_eq!(proposed.len() as i64, ready.items.prelabeled);
        assert!(proposed.len() >= 30, "{ready:?}");
        for (item, annotations) in &proposed {
            assert!(!is_holdout(&item.digest) && item.annotation_count == 0);
            let there = &p.drawn[&item.id];
            assert_eq!(annotations.len(), there.len());
            for a in annotations {
                assert_eq!(a.source, Source::Prelabel);
                assert!(a.score.is_some_and(|s| s > 0.8));
                let Shape::Box { rect } = &a.shape else {
                    panic!("{a:?}")
                };
                let own = there.iter().find(|(c, _)| w.categories[*c] == a.category_id);
                assert!(overlap(rect, &own.expect("a patch of it").1) > 0.95, "{a:?}");
            }
        }
        w.counted().await;

        // Pictures with all that is seen on them proposed take turns with those where a dim patch is left out; every fifth measures.
        let kind = |i: &Item| match (i.prelabel_count, i.name[..3].parse::<usize>().unwrap() % 3) {
            (0, _) => 'm',
            (_, 0) => 'd',
            _ => 'w',
        };
        let order: String = w.next(10).await.iter().map(kind).collect();
        assert_eq!(order, "wdwdmwdwdm");

        // Taken as they are, moved, and given another box too.
        let taken = w.take_proposed(3).await;
        w.accept(taken[0].item.id).await;
        for (n, work) in taken[1..].iter().enumerate() {
            let mut mine: Vec<Annotation> = work.annotations.annotations.clone();
            for a in &mut mine {
                (a.source, a.score) = (Source::Human, None);
            }
            match (&mut mine[0].shape, n) {
                (Shape::Box { rect }, 0) => rect.w += 3.0,
                _ => mine.extend(p.boxes(work.item.id).into_iter().take(1)),
            }
            p.submit(work.item.id, mine).await;
        }
        let after = w.get().await;
        assert_eq!(
            (after.work.accepted, after.work.corrected, after.work.manual),
            (1, 2, 50)
        );

        // The next model's boxes take the place of those before; what somebody refused stays away.
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
        let old = proposed.iter().find(|(i, _)| i.id == now[1].0.id).unwrap();
        assert_eq!(old.1.len(), now[1].1.len());
        assert_ne!(old.1[0].id, now[1].1[0].id);
        let left = w.studio.annotations.get(&w.manager, refused.id).await.unwrap();
        assert_eq!(left.annotations.len(), annotations.len() - 1);
        w.counted().await;

        w.change(UpdateAssist {
            enabled: Some(false),
            ..UpdateAssist::default()
        })
        .await;
        w.run().await;
        let left = w.proposed().await;
        assert!(left.iter().all(|(i, _)| i.id == refused.id), "{left:?}");
    })
    .await;
}

#[tokio::test]
async fn the_model_of_boxes_is_kept_where_it_is_wished() {
    on_both(async |db| {
        let p = Patches::new(&db, 60).await;
        p.w.change(UpdateAssist {
            enabled: Some(true),
            register: Some(true),
            ..UpdateAssist::default()
        })
        .await;
        p.w.run().await;
        p.label(40).await;
        let ready = p.w.train().await;
        let model = ready.model.unwrap();
        let kept = model.registered.expect("it is kept");
        assert_eq!(
            (model.version, kept.model.as_str(), kept.version),
            (1, "Shapes assist", 1)
        );
        let job = ready.job.unwrap();
        let log = p.w.studio.jobs.log(&p.w.manager, job.id, 0).await.unwrap();
        let lines: Vec<String> = log.into_iter().map(|l| l.message).collect();
        assert!(
            lines
                .iter()
                .any(|l| l.contains("is registered as Shapes assist v1")),
            "{lines:?}"
        );
        assert!(lines.iter().any(|l| l == "Computed on CPU."), "{lines:?}");
        let run = p.w.studio.runs.get(&p.w.manager, kept.run_id).await.unwrap();
        assert_eq!(run.data.tags["limn.device"], "CPU");
    })
    .await;
}

#[tokio::test]
async fn what_boxes_cannot_be_learned_from_says_why() {
    on_both(async |db| {
        // No boxes at all, then a server without networks.
        let p = Patches::new(&db, 30).await;
        p.w.turn_on(AssistOrder::Random).await;
        let taken = p.w.studio.queue.take(&p.w.lena, p.w.project, 20).await.unwrap();
        for work in taken.items {
            p.submit(work.item.id, Vec::new()).await;
        }
        let none = p.w.train().await;
        assert_eq!((none.state, none.model), (AssistState::Waiting, None));
        assert!(
            none.message.ends_with("there are none so far."),
            "{}",
            none.message
        );
        assert_eq!(none.job.unwrap().state, JobState::Succeeded);
        assert!(
            p.w.items(ItemStatus::Done)
                .await
                .iter()
                .all(|(_, a)| a.is_empty())
        );

        let bare = World::again(p.w, "Bare").await;
        let services = Services::new(bare.studio.services.context.clone().without_trainer());
        let boxes = limn_testkit::build::project(&bare.studio.db, "Boxes", Task::Detection).await;
        let id = bare.manager.user_id().unwrap();
        limn_testkit::build::member(&bare.studio.db, boxes, id, limn_domain::Role::Manager).await;
        let on = UpdateAssist {
            enabled: Some(true),
            ..UpdateAssist::default()
        };
        let why = refusal(services.assist.update(&bare.manager, boxes, on).await);
        assert_eq!(why.code, Code::Unavailable);
    })
    .await;
}

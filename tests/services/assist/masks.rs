//! Masks: learned from what people painted, measured on pictures apart, proposed with no pixel in two of them, taken and refused.

use super::world::{World, encoded};
use crate::refusal;
use image::{Rgb, RgbImage};
use limn_domain::annotation::{Annotation, SaveChange};
use limn_domain::assist::{AssistOrder, AssistState, Basis, UpdateAssist};
use limn_domain::item::ItemStatus;
use limn_domain::job::JobState;
use limn_domain::project::Task;
use limn_domain::queue::Submit;
use limn_domain::{AnnotationId, Attributes, ChangeId, Code, Digest, ItemId, Links, Mask, Shape, Source};
use limn_ml::Rng;
use limn_services::Services;
use limn_services::training::port::{
    EngineError, Event, Net, NetTraining, Painted, PixelMap, Prediction, SmallPicture, TrainTask, TrainedNet,
    Trainer, Truth, Watch,
};
use limn_testkit::{TestDb, on_both};
use std::collections::HashMap;
use std::sync::Arc;

/// Width and height of the pictures.
const SIZE: (u32, u32) = (96, 64);
/// Where nothing is.
const N: u8 = PixelMap::NOTHING;

/// Knows red, green and blue without having to learn them: sure of bright ones, half sure of dim ones, which are nothing.
#[derive(Debug)]
struct Painter;

/// What every pixel shows, and how sure each category is.
fn paint(p: &SmallPicture, categories: usize) -> Painted {
    let mut pixels = vec![N; p.width * p.height];
    let mut bright = vec![(0_usize, 0_usize); categories];
    for (at, out) in pixels.iter_mut().enumerate() {
        for (category, seen) in bright.iter_mut().enumerate().take(3) {
            let own = p.rgb[at * 3 + category];
            let others = (0..3).filter(|c| *c != category);
            if own > 90 && others.map(|c| p.rgb[at * 3 + c]).all(|v| v < 70) {
                *out = category as u8;
                seen.0 += usize::from(own > 170);
                seen.1 += 1;
            }
        }
    }
    Painted {
        map: PixelMap::new(p.width, p.height, &pixels),
        sure: bright
            .into_iter()
            .map(|(bright, n)| match n {
                0 => 0.0,
                n if bright * 2 > n => 0.9,
                _ => 0.4,
            })
            .collect(),
    }
}

impl Trainer for Painter {
    fn version(&self) -> &'static str {
        "painter-1"
    }

    fn side(&self, _: TrainTask) -> u32 {
        96
    }

    fn steps(&self, _: TrainTask, _: usize) -> usize {
        3
    }

    fn parameters(&self, _: TrainTask) -> Vec<(String, String)> {
        Vec::new()
    }

    fn train(&self, t: &NetTraining<'_>, watch: &mut Watch<'_>) -> Result<TrainedNet, EngineError> {
        assert_eq!(t.task, TrainTask::Segmentation);
        // What is learned from is what people painted, pixel by pixel.
        for n in 0..t.train.len() {
            let Truth::Pixels(map) = t.train.truth(n) else {
                return Err(EngineError::Refused("there are no pixels".to_owned()));
            };
            assert_eq!((map.width, map.height), (96, 64));
        }
        for step in 1..=t.steps {
            let event = Event::Step {
                step,
                figures: Vec::new(),
            };
            if watch(event).is_break() {
                return Err(EngineError::Stopped);
            }
        }
        Ok(TrainedNet {
            model: t.categories.to_string().into_bytes(),
            figures: Vec::new(),
            by_category: vec![None; t.categories],
            confusion: Vec::new(),
            threshold: vec![0.5; t.categories],
            predictions: Vec::new(),
        })
    }

    fn load(&self, model: &[u8]) -> Result<Box<dyn Net>, EngineError> {
        let text = std::str::from_utf8(model).ok().and_then(|t| t.parse().ok());
        let categories = text.ok_or_else(|| EngineError::Broken("no such model".to_owned()))?;
        Ok(Box::new(Known { categories }))
    }
}

struct Known {
    categories: usize,
}

impl Net for Known {
    fn task(&self) -> TrainTask {
        TrainTask::Segmentation
    }

    fn categories(&self) -> usize {
        self.categories
    }

    fn predict(&self, pictures: &[SmallPicture]) -> Result<Vec<Prediction>, EngineError> {
        let one = |p| {
            let Painted { map, sure } = paint(p, self.categories);
            Prediction::Pixels { map, sure }
        };
        Ok(pictures.iter().map(one).collect())
    }

    fn paint(
        &self,
        pictures: &[SmallPicture],
        sizes: &[(usize, usize)],
    ) -> Result<Vec<Painted>, EngineError> {
        let each = pictures.iter().zip(sizes);
        Ok(each
            .map(|(p, (width, height))| {
                let Painted { map, sure } = paint(p, self.categories);
                Painted {
                    map: PixelMap::new(*width, *height, &map.scaled(*width, *height)),
                    sure,
                }
            })
            .collect())
    }
}

/// A project of fields of colour, and what every pixel of its pictures is.
struct Fields {
    w: World,
    there: HashMap<ItemId, Vec<u8>>,
}

impl Fields {
    async fn new(db: &TestDb, pictures: usize) -> Self {
        let mut w = World::new(db, Task::Semantic).await;
        w.studio.services = Services::new(w.studio.services.context.clone().with_trainer(Arc::new(Painter)));
        let mut f = Self {
            w,
            there: HashMap::new(),
        };
        for n in 0..pictures {
            f.add(n).await;
        }
        f
    }

    /// A field on the left and another one in the middle, side by side, and a dim one on the right that is nothing.
    async fn add(&mut self, n: usize) {
        let mut rng = Rng::new(n as u64 + 7);
        let mut picture =
            RgbImage::from_fn(SIZE.0, SIZE.1, |_, _| Rgb([(20.0 + rng.unit() * 20.0) as u8; 3]));
        let mut pixels = vec![N; (SIZE.0 * SIZE.1) as usize];
        let (first, second) = (8 + (rng.unit() * 20.0) as u32, 40 + (rng.unit() * 16.0) as u32);
        let top = (rng.unit() * 24.0) as u32;
        for y in top..SIZE.1 {
            for x in 0..second {
                let category = if x < first { n % 3 } else { (n + 1) % 3 };
                let mut p = [30; 3];
                p[category] = 220;
                picture.put_pixel(x, y, Rgb(p));
                pixels[(y * SIZE.0 + x) as usize] = category as u8;
            }
        }
        for (x, y) in (70..90).flat_map(|x| (10..40).map(move |y| (x, y))) {
            let mut p = [30; 3];
            p[(n + 2) % 3] = 125;
            picture.put_pixel(x, y, Rgb(p));
        }
        let item = self.w.add(&format!("{n:03}.png"), encoded(picture), 0).await;
        self.there.insert(item, pixels);
    }

    fn mask(&self, item: ItemId, category: usize) -> Option<Mask> {
        let own: Vec<u8> = self.there[&item]
            .iter()
            .map(|v| u8::from(usize::from(*v) == category))
            .collect();
        Mask::from_pixels(0, 0, SIZE.0, SIZE.1, &own)
    }

    fn masks(&self, item: ItemId) -> Vec<Annotation> {
        let each = (0..3).filter_map(|category| Some((category, self.mask(item, category)?)));
        each.map(|(category, mask)| Annotation {
            id: AnnotationId::new(),
            category_id: self.w.categories[category],
            shape: Shape::Mask { mask },
            z: 0,
            source: Source::Human,
            score: None,
            attributes: Attributes::new(),
            links: Links::default(),
        })
        .collect()
    }

    /// Lena takes items and paints what is there.
    async fn label(&self, n: usize) {
        let (w, mut done) = (&self.w, 0);
        while done < n {
            let want = (n - done).min(100) as i64;
            let taken = w.studio.queue.take(&w.lena, w.project, want).await.unwrap();
            assert!(!taken.items.is_empty(), "the queue ran out");
            for work in taken.items {
                let item = work.item.id;
                self.submit(item, self.masks(item)).await;
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
}

/// The share of the content's hash that is kept for measuring.
fn is_holdout(digest: &Digest) -> bool {
    u64::from_str_radix(&digest.as_str()[..12], 16).unwrap() % 100 < 20
}

fn mask_of(a: &Annotation) -> &Mask {
    match &a.shape {
        Shape::Mask { mask } => mask,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn masks_are_learned_measured_and_proposed() {
    on_both(async |db| {
        let f = Fields::new(&db, 100).await;
        let w = &f.w;
        let off = w.get().await;
        assert_eq!((off.state, off.settings.accuracy), (AssistState::Off, 0.8));
        let waiting = w.turn_on(AssistOrder::Useful).await;
        assert_eq!((waiting.state, waiting.items.seen), (AssistState::Waiting, 100));
        assert!(
            waiting.message.contains("Masks are learned from 10 pictures"),
            "{}",
            waiting.message
        );
        assert_eq!(
            waiting.job.as_ref().unwrap().kind,
            "assist_boxes",
            "a runner of its own"
        );

        f.label(60).await;
        let ready = w.train().await;
        let model = ready.model.clone().expect("a model");
        assert_eq!((ready.state, model.version), (AssistState::Ready, 1));
        let figures = &model.figures;
        assert_eq!((figures.basis, figures.map50), (Basis::Holdout, None));
        assert_eq!(figures.trained_on + figures.holdout, 60);
        assert!(
            figures.holdout >= 6,
            "every fifth comes from the holdout: {figures:?}"
        );
        // The dim fields are painted too, but are nothing: they cost pixels, and are not proposed.
        assert_eq!(figures.proposed.right, figures.proposed.of);
        assert!(figures.proposed.of > 0, "{figures:?}");
        assert!(figures.covered.value().unwrap() > 0.9, "{figures:?}");
        assert!(
            figures.miou.is_some_and(|v| (0.5..0.95).contains(&v)),
            "{figures:?}"
        );
        for c in &figures.categories {
            assert!(
                c.trained_on > 10 && c.iou.is_some_and(|v| (0.4..=1.0).contains(&v)),
                "{c:?}"
            );
        }
        assert_eq!(ready.curve[0].miou, figures.miou);

        // Proposals are the fields, to the pixel, none over another; the holdout is left to people.
        let proposed = w.proposed().await;
        assert_eq!(proposed.len() as i64, ready.items.prelabeled);
        assert!(proposed.len() >= 15, "{ready:?}");
        for (item, annotations) in &proposed {
            assert!(!is_holdout(&item.digest) && item.annotation_count == 0);
            let mut taken: Option<Mask> = None;
            for a in annotations {
                assert_eq!(a.source, Source::Prelabel);
                assert!(a.score.is_some_and(|s| s > 0.6), "{a:?}");
                let category = w.categories.iter().position(|c| *c == a.category_id).unwrap();
                let mask = mask_of(a);
                assert_eq!(Some(mask), f.mask(item.id, category).as_ref());
                assert!(taken.as_ref().and_then(|t| t.intersect(mask)).is_none());
                taken = Some(taken.map_or_else(|| mask.clone(), |t| t.union(mask).unwrap()));
            }
        }
        w.counted().await;

        // Taken as they are, with a pixel less within the same box around it, and with one more mask.
        let taken = w.take_proposed(3).await;
        w.accept(taken[0].item.id).await;
        for (n, work) in taken[1..].iter().enumerate() {
            let mut mine: Vec<Annotation> = work.annotations.annotations.clone();
            for a in &mut mine {
                (a.source, a.score) = (Source::Human, None);
            }
            if n == 0 {
                let mask = mask_of(&mine[0]).clone();
                let hole = Mask::from_pixels(mask.x + 2, mask.y + 2, 1, 1, &[1]).unwrap();
                let left = mask.subtract(&hole).unwrap();
                assert_eq!((left.window(), left.area() + 1), (mask.window(), mask.area()));
                mine[0].shape = Shape::Mask { mask: left };
            } else {
                mine[0].id = AnnotationId::new();
            }
            f.submit(work.item.id, mine).await;
        }
        let after = w.get().await;
        assert_eq!(
            (after.work.accepted, after.work.corrected, after.work.manual),
            (1, 2, 60)
        );

        // The next model's masks take the place of those before; what somebody refused stays away.
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
        let (item, new) = now.iter().find(|(i, _)| i.id != refused.id).unwrap();
        let old = proposed.iter().find(|(i, _)| i.id == item.id).unwrap();
        assert_ne!(old.1[0].id, new[0].id);
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
async fn the_model_of_masks_is_kept_where_it_is_wished() {
    on_both(async |db| {
        let f = Fields::new(&db, 60).await;
        f.w.change(UpdateAssist {
            enabled: Some(true),
            register: Some(true),
            ..UpdateAssist::default()
        })
        .await;
        f.w.run().await;
        f.label(40).await;
        let ready = f.w.train().await;
        let model = ready.model.unwrap();
        let kept = model.registered.expect("it is kept");
        assert_eq!(
            (model.version, kept.model.as_str(), kept.version),
            (1, "Shapes assist", 1)
        );
        let job = ready.job.unwrap();
        let log = f.w.studio.jobs.log(&f.w.manager, job.id, 0).await.unwrap();
        let lines: Vec<String> = log.into_iter().map(|l| l.message).collect();
        assert!(
            lines
                .iter()
                .any(|l| l.contains("is registered as Shapes assist v1")),
            "{lines:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn what_masks_cannot_be_learned_from_says_why() {
    on_both(async |db| {
        // Nothing painted at all, then a server without networks.
        let f = Fields::new(&db, 30).await;
        f.w.turn_on(AssistOrder::Random).await;
        let taken = f.w.studio.queue.take(&f.w.lena, f.w.project, 20).await.unwrap();
        for work in taken.items {
            f.submit(work.item.id, Vec::new()).await;
        }
        let none = f.w.train().await;
        assert_eq!((none.state, none.model), (AssistState::Waiting, None));
        assert!(
            none.message.ends_with("there are none so far."),
            "{}",
            none.message
        );
        assert_eq!(none.job.unwrap().state, JobState::Succeeded);
        assert!(
            f.w.items(ItemStatus::Done)
                .await
                .iter()
                .all(|(_, a)| a.is_empty())
        );

        let bare = World::again(f.w, "Bare").await;
        let services = Services::new(bare.studio.services.context.clone().without_trainer());
        let fields = limn_testkit::build::project(&bare.studio.db, "Fields", Task::Semantic).await;
        let id = bare.manager.user_id().unwrap();
        limn_testkit::build::member(&bare.studio.db, fields, id, limn_domain::Role::Manager).await;
        let on = UpdateAssist {
            enabled: Some(true),
            ..UpdateAssist::default()
        };
        let why = refusal(services.assist.update(&bare.manager, fields, on).await);
        assert_eq!(why.code, Code::Unavailable);
    })
    .await;
}

//! Objects: found and cut out as people outlined them, measured by their pixels on pictures apart, proposed, taken and refused.

use super::world::{World, encoded};
use crate::refusal;
use bytes::Bytes;
use image::{Rgb, RgbImage};
use limn_domain::annotation::{Annotation, SaveChange};
use limn_domain::assist::{AssistOrder, AssistState, Basis, UpdateAssist};
use limn_domain::project::Task;
use limn_domain::queue::Submit;
use limn_domain::{
    AnnotationId, Attributes, ChangeId, Code, Digest, ItemId, Links, Mask, Shape, Size, Source,
};
use limn_ml::Rng;
use limn_services::Services;
use limn_services::training::port::{
    Cutout, EngineError, Event, Examples, Net, NetBox, NetTraining, Prediction, SmallPicture, StopCheck,
    TrainTask, TrainedNet, Trainer, Truth, Watch,
};
use limn_testkit::{TestDb, on_both};
use std::collections::HashMap;
use std::sync::Arc;

/// Width and height of the pictures.
const SIZE: (u32, u32) = (96, 64);

/// Finds red, green and blue spots and their pixels without having to learn it: sure of bright ones, half sure of dim ones, which are nothing.
#[derive(Debug)]
struct Finder;

/// Whether a pixel is of a category's colour, bright or dim.
fn is_of(p: &SmallPicture, at: usize, category: usize) -> Option<bool> {
    let own = p.rgb[at * 3 + category];
    let others = (0..3).filter(|c| *c != category);
    let alone = others.map(|c| p.rgb[at * 3 + c]).all(|v| v < 70);
    (alone && own > 90).then_some(own > 170)
}

fn find(p: &SmallPicture, categories: usize) -> Vec<(NetBox, f32)> {
    let mut out: Vec<(NetBox, f32)> = Vec::new();
    for (category, bright) in (0..categories.min(3)).flat_map(|c| [(c, true), (c, false)]) {
        let all = (0..p.width * p.height).filter(|at| is_of(p, *at, category) == Some(bright));
        let hits: Vec<(usize, usize)> = all.map(|at| (at % p.width, at / p.width)).collect();
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
        "finder-2"
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
        assert_eq!(t.task, TrainTask::Detection);
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
            figures: vec![("mAP50".to_owned(), 0.123)],
            by_category: vec![None; t.categories],
            confusion: Vec::new(),
            threshold: vec![0.3; t.categories],
            predictions,
        })
    }

    fn outlined(&self, model: &[u8], train: &dyn Examples, _: &StopCheck) -> Result<Vec<u8>, EngineError> {
        let mut seen = 0;
        for n in 0..train.len() {
            let Truth::Objects { boxes, outlines } = train.truth(n) else {
                return Err(EngineError::Refused("there are no objects".to_owned()));
            };
            assert_eq!(boxes.len(), outlines.len());
            // A disc is so much of its box.
            for (b, c) in boxes.iter().zip(outlines) {
                assert_eq!(c.at, *b);
                let share = c.overlap(&Cutout::whole(*b));
                assert!((0.7..0.85).contains(&share), "{share}");
                seen += 1;
            }
        }
        assert!(seen > 10);
        Ok([model, b" outlined"].concat())
    }

    fn load(&self, model: &[u8]) -> Result<Box<dyn Net>, EngineError> {
        let broken = || EngineError::Broken("no such model".to_owned());
        let text = std::str::from_utf8(model).map_err(|_| broken())?;
        let number = text.strip_suffix(" outlined").ok_or_else(broken)?;
        let categories = number.parse().map_err(|_| broken())?;
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

    fn cuts_out(&self) -> bool {
        true
    }

    fn cut_out(&self, p: &SmallPicture, boxes: &[NetBox]) -> Result<Vec<Cutout>, EngineError> {
        let cut = |b: &NetBox| {
            let pixel = |share: f32, side: usize| (share * side as f32).round() as usize;
            let (x, y) = (pixel(b.x, p.width), pixel(b.y, p.height));
            let (w, h) = (pixel(b.width, p.width), pixel(b.height, p.height));
            let at = (0..w * h).map(|n| (y + n / w) * p.width + x + n % w);
            let places: Vec<u8> = at
                .map(|at| u8::from(is_of(p, at, b.category).is_some()))
                .collect();
            Cutout::new(*b, w, h, &places).expect("an object")
        };
        Ok(boxes.iter().map(cut).collect())
    }
}

/// A disc: its category, its middle and how far it reaches.
type Disc = (usize, [f64; 2], f64);

/// A project of discs, and where they are.
struct Discs {
    w: World,
    there: HashMap<ItemId, Vec<Disc>>,
    /// Whether Lena paints them instead of drawing their outlines.
    painted: bool,
}

/// A disc, in every second picture another one of another colour, and a dim one that is nothing: so many that whoever measures on a few pictures
/// meets some of each colour.
fn drawn(n: usize) -> (Bytes, Vec<Disc>) {
    let mut rng = Rng::new(n as u64 + 7);
    let mut picture = RgbImage::from_fn(SIZE.0, SIZE.1, |_, _| Rgb([(20.0 + rng.unit() * 20.0) as u8; 3]));
    let mut discs = Vec::new();
    let mut disc = |left: f64, category: usize, level: u8| {
        let middle = [left + 14.0 + rng.unit() * 4.0, 16.0 + rng.unit() * 30.0];
        let reach = 8.0 + rng.unit() * 4.0;
        for (x, y) in (0..SIZE.0).flat_map(|x| (0..SIZE.1).map(move |y| (x, y))) {
            let far = (f64::from(x) + 0.5 - middle[0]).hypot(f64::from(y) + 0.5 - middle[1]);
            if far < reach {
                let mut p = [30; 3];
                p[category] = level;
                picture.put_pixel(x, y, Rgb(p));
            }
        }
        (category, middle, reach)
    };
    discs.push(disc(0.0, n % 3, 220));
    if n.is_multiple_of(2) {
        discs.push(disc(32.0, (n + 1) % 3, 220));
    }
    disc(64.0, (n + 2) % 3, 125);
    (encoded(picture), discs)
}

fn outline((_, [x, y], reach): &Disc) -> Shape {
    let ring = (0..32).map(|k| {
        let angle = f64::from(k) / 32.0 * std::f64::consts::TAU;
        [x + reach * angle.cos(), y + reach * angle.sin()]
    });
    Shape::Polygon {
        parts: vec![vec![ring.collect()]],
    }
}

/// The pixels of an outline or a mask.
fn pixels(shape: &Shape) -> Mask {
    let size = Size {
        width: f64::from(SIZE.0),
        height: f64::from(SIZE.1),
    };
    match shape {
        Shape::Polygon { parts } => Mask::from_polygon(parts, size).unwrap(),
        Shape::Mask { mask } => mask.clone(),
        other => panic!("{other:?}"),
    }
}

fn overlap(a: &Shape, b: &Shape) -> f64 {
    let (a, b) = (pixels(a), pixels(b));
    let both = a.intersect(&b).map_or(0, |m| m.area());
    both as f64 / (a.area() + b.area() - both) as f64
}

impl Discs {
    async fn new(db: &TestDb, pictures: usize, painted: bool) -> Self {
        let mut w = World::new(db, Task::Segmentation).await;
        w.studio.services = Services::new(w.studio.services.context.clone().with_trainer(Arc::new(Finder)));
        let mut there = HashMap::new();
        for n in 0..pictures {
            let (bytes, discs) = drawn(n);
            let item = w.add(&format!("{n:03}.png"), bytes, 0).await;
            there.insert(item, discs);
        }
        Self { w, there, painted }
    }

    fn objects(&self, item: ItemId) -> Vec<Annotation> {
        let of = &self.there[&item];
        of.iter()
            .map(|disc| Annotation {
                id: AnnotationId::new(),
                category_id: self.w.categories[disc.0],
                shape: match outline(disc) {
                    shape if self.painted => Shape::Mask { mask: pixels(&shape) },
                    shape => shape,
                },
                z: 0,
                source: Source::Human,
                score: None,
                attributes: Attributes::new(),
                links: Links::default(),
            })
            .collect()
    }

    /// Lena takes items and outlines what is there.
    async fn label(&self, n: usize) {
        let (w, mut done) = (&self.w, 0);
        while done < n {
            let want = (n - done).min(100) as i64;
            let taken = w.studio.queue.take(&w.lena, w.project, want).await.unwrap();
            assert!(!taken.items.is_empty(), "the queue ran out");
            for work in taken.items {
                let item = work.item.id;
                self.submit(item, self.objects(item)).await;
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

    /// That every proposal is the outline of a disc of its category, drawn or painted.
    fn lie_right(&self, item: ItemId, proposals: &[Annotation]) {
        let there = &self.there[&item];
        assert!((1..=there.len()).contains(&proposals.len()));
        for a in proposals {
            assert_eq!(a.source, Source::Prelabel);
            assert!(a.score.is_some_and(|s| s > 0.8));
            assert_eq!(matches!(a.shape, Shape::Mask { .. }), self.painted, "{a:?}");
            let own = there
                .iter()
                .find(|disc| self.w.categories[disc.0] == a.category_id);
            let shared = overlap(&a.shape, &outline(own.expect("a disc of it")));
            assert!(shared > 0.85, "{shared}");
        }
    }
}

/// The share of the content's hash that is kept for measuring.
fn is_holdout(digest: &Digest) -> bool {
    u64::from_str_radix(&digest.as_str()[..12], 16).unwrap() % 100 < 20
}

#[tokio::test]
async fn outlines_are_learned_measured_and_proposed() {
    on_both(async |db| {
        let d = Discs::new(&db, 90, false).await;
        let w = &d.w;
        let off = w.get().await;
        assert_eq!((off.state, off.settings.accuracy), (AssistState::Off, 0.8));
        let waiting = w.turn_on(AssistOrder::Useful).await;
        assert_eq!((waiting.state, waiting.items.seen), (AssistState::Waiting, 90));
        assert!(
            waiting
                .message
                .contains("Outlines are learned from 10 pictures with outlines on"),
            "{}",
            waiting.message
        );
        assert_eq!(waiting.job.as_ref().unwrap().kind, "assist_boxes");

        d.label(50).await;
        let ready = w.train().await;
        let model = ready.model.clone().expect("a model");
        assert_eq!((ready.state, model.version), (AssistState::Ready, 1));
        let f = &model.figures;
        assert_eq!((f.basis, f.miou), (Basis::Holdout, None));
        assert_eq!(f.trained_on + f.holdout, 50);
        assert!(f.holdout >= 6, "every fifth comes from the holdout: {f:?}");
        // The average precision is that of the pixels, not what the network says of its boxes.
        assert!(f.map50.is_some_and(|v| v > 0.9), "{f:?}");
        assert_eq!(f.proposed.right, f.proposed.of);
        assert!(f.proposed.of > 0 && f.covered.value().unwrap() > 0.9, "{f:?}");
        assert!(f.categories.iter().all(|c| c.trained_on > 5), "{f:?}");
        assert_eq!(ready.curve[0].map50, f.map50);

        // Proposals are outlines like those that Lena drew; the holdout is left to people.
        let proposed = w.proposed().await;
        assert_eq!(proposed.len() as i64, ready.items.prelabeled);
        assert!(proposed.len() >= 20, "{ready:?}");
        for (item, annotations) in &proposed {
            assert!(!is_holdout(&item.digest) && item.annotation_count == 0);
            d.lie_right(item.id, annotations);
        }
        w.counted().await;

        // Taken as they are, with a corner elsewhere, and given another one too.
        let taken = w.take_proposed(3).await;
        w.accept(taken[0].item.id).await;
        for (n, work) in taken[1..].iter().enumerate() {
            let mut mine: Vec<Annotation> = work.annotations.annotations.clone();
            for a in &mut mine {
                (a.source, a.score) = (Source::Human, None);
            }
            match (&mut mine[0].shape, n) {
                (Shape::Polygon { parts }, 0) => parts[0][0][0][0] += 0.5,
                _ => mine.extend(d.objects(work.item.id).into_iter().take(1)),
            }
            d.submit(work.item.id, mine).await;
        }
        let after = w.get().await;
        assert_eq!(
            (after.work.accepted, after.work.corrected, after.work.manual),
            (1, 2, 50)
        );

        // The next model's outlines take the place of those before; what somebody refused stays away.
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
async fn who_paints_is_proposed_masks_and_the_kept_model_answers_with_pixels() {
    on_both(async |db| {
        let d = Discs::new(&db, 70, true).await;
        let w = &d.w;
        w.change(UpdateAssist {
            enabled: Some(true),
            register: Some(true),
            ..UpdateAssist::default()
        })
        .await;
        w.run().await;
        d.label(40).await;
        let ready = w.train().await;
        let kept = ready.model.unwrap().registered.expect("it is kept");
        assert_eq!((kept.model.as_str(), kept.version), ("Shapes assist", 1));
        let proposed = w.proposed().await;
        assert!(!proposed.is_empty());
        for (item, annotations) in &proposed {
            d.lie_right(item.id, annotations);
        }

        let (bytes, there) = drawn(1_000);
        let said = w
            .studio
            .trainings
            .predict(&w.manager, &kept.model, 1, bytes, Some(0.5))
            .await
            .unwrap();
        assert_eq!((said.task, said.boxes.len()), (TrainTask::Detection, there.len()));
        for b in &said.boxes {
            let names = ["disc", "square", "triangle"];
            let own = there.iter().find(|disc| names[disc.0] == b.category);
            let own = outline(own.expect("a disc of it"));
            let answer = b.segmentation.as_ref().expect("its pixels");
            assert_eq!(answer.size, [64, 96]);
            let runs = limn_domain::mask::decode_counts(&answer.counts).unwrap();
            let mask = Mask::from_runs(SIZE.0, SIZE.1, &runs).unwrap();
            assert!(overlap(&Shape::Mask { mask }, &own) > 0.85);
        }
    })
    .await;
}

#[tokio::test]
async fn what_outlines_cannot_be_learned_from_says_why() {
    on_both(async |db| {
        let d = Discs::new(&db, 20, false).await;
        d.w.turn_on(AssistOrder::Random).await;
        let taken = d.w.studio.queue.take(&d.w.lena, d.w.project, 15).await.unwrap();
        for work in taken.items {
            d.submit(work.item.id, Vec::new()).await;
        }
        let none = d.w.train().await;
        assert_eq!((none.state, none.model), (AssistState::Waiting, None));
        assert!(
            none.message.ends_with("there are none so far."),
            "{}",
            none.message
        );
        let bare = World::again(d.w, "Bare").await;
        let services = Services::new(bare.studio.services.context.clone().without_trainer());
        let discs = limn_testkit::build::project(&bare.studio.db, "Discs", Task::Segmentation).await;
        let id = bare.manager.user_id().unwrap();
        limn_testkit::build::member(&bare.studio.db, discs, id, limn_domain::Role::Manager).await;
        let on = UpdateAssist {
            enabled: Some(true),
            ..UpdateAssist::default()
        };
        let why = refusal(services.assist.update(&bare.manager, discs, on).await);
        assert_eq!(why.code, Code::Unavailable);
    })
    .await;
}

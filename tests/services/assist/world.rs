//! A project of drawn shapes, its people, and what they do.

use bytes::Bytes;
use futures::stream;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use limn_domain::annotation::{Annotation, SaveChange};
use limn_domain::assist::{Assist, AssistOrder, UpdateAssist};
use limn_domain::item::{AddItemOutcome, Item, ItemQuery, ItemStatus};
use limn_domain::job::Job;
use limn_domain::project::Task;
use limn_domain::queue::{Submit, WorkItem};
use limn_domain::{
    AnnotationId, Attributes, CategoryId, ChangeId, ItemId, JobId, Links, ProjectId, Role, Shape, Source,
};
use limn_jobs::Timing;
use limn_ml::{LocalEngine, Rng};
use limn_services::{Actor, Services};
use limn_store::repo;
use limn_testkit::{Studio, TestDb, build};
use std::collections::HashMap;
use std::io::Cursor;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

static ENGINE: LazyLock<Arc<LocalEngine>> = LazyLock::new(|| Arc::new(LocalEngine::new()));

/// A disc (0), a square (1) or a triangle (2), unlike any other.
pub(super) fn drawn(kind: usize, seed: u64) -> Bytes {
    let mut rng = Rng::new(seed * 3 + kind as u64);
    let (cx, cy) = (16.0 + rng.unit() * 8.0, 16.0 + rng.unit() * 8.0);
    let r = 8.0 + rng.unit() * 4.0;
    let picture = RgbImage::from_fn(40, 40, |x, y| {
        let (dx, dy) = (f64::from(x) - cx, f64::from(y) - cy);
        let inside = match kind {
            0 => dx * dx + dy * dy < r * r,
            1 => dx.abs() < r * 0.85 && dy.abs() < r * 0.85,
            _ => dy < r * 0.8 && dy > -r && dx.abs() < (dy + r) * 0.6,
        };
        let v = if inside { 210.0 } else { 40.0 } + rng.normal() * 8.0;
        Rgb([v.clamp(0.0, 255.0) as u8; 3])
    });
    encoded(picture)
}

pub(super) fn encoded(picture: RgbImage) -> Bytes {
    let mut out = Cursor::new(Vec::new());
    DynamicImage::ImageRgb8(picture)
        .write_to(&mut out, ImageFormat::Png)
        .unwrap();
    out.into_inner().into()
}

pub(super) struct World {
    pub studio: Studio,
    pub project: ProjectId,
    pub categories: Vec<CategoryId>,
    pub manager: Actor,
    pub lena: Actor,
    /// What every item shows.
    pub truth: HashMap<ItemId, usize>,
}

impl World {
    pub async fn new(db: &TestDb, task: Task) -> Self {
        let mut studio = Studio::new(db);
        studio.services = Services::new(studio.services.context.clone().with_engine(ENGINE.clone()));
        let project = build::project(db, "Shapes", task).await;
        let categories = build::categories(db, project, &["disc", "square", "triangle"]).await;
        let manager = studio.person("Mia", Role::Manager).await;
        let lena = studio.person("Lena", Role::Labeler).await;
        build::member(db, project, manager.user_id().unwrap(), Role::Manager).await;
        build::member(db, project, lena.user_id().unwrap(), Role::Labeler).await;
        Self {
            studio,
            project,
            categories,
            manager,
            lena,
            truth: HashMap::new(),
        }
    }

    pub async fn add(&mut self, name: &str, bytes: Bytes, kind: usize) -> ItemId {
        let body = stream::iter([Ok::<_, std::io::Error>(bytes)]);
        let added = self
            .studio
            .ingest
            .add(&self.manager, self.project, name, body)
            .await
            .unwrap();
        let (AddItemOutcome::Added { item } | AddItemOutcome::Unchanged { item }) = added;
        self.truth.insert(item.id, kind);
        item.id
    }

    pub async fn add_shapes(&mut self, n: usize, seed: u64) {
        for i in 0..n {
            let kind = (i * 7 + i / 3) % 3;
            let name = format!("{seed}-{i:03}.png");
            self.add(&name, drawn(kind, seed * 1_000 + i as u64), kind).await;
        }
    }

    pub async fn change(&self, change: UpdateAssist) -> Assist {
        self.studio
            .assist
            .update(&self.manager, self.project, change)
            .await
            .unwrap()
    }

    pub async fn turn_on(&self, order: AssistOrder) -> Assist {
        self.change(UpdateAssist {
            enabled: Some(true),
            order: Some(order),
            ..UpdateAssist::default()
        })
        .await;
        self.run().await
    }

    pub async fn get(&self) -> Assist {
        self.studio.assist.get(&self.lena, self.project).await.unwrap()
    }

    /// Runs jobs until the assist's has ended.
    pub async fn run(&self) -> Assist {
        let job = self.get().await.job.expect("a job");
        let (stop, task) = self.work();
        self.until(job.id, |j| j.state.is_final()).await;
        stop.cancel();
        task.await.unwrap();
        self.get().await
    }

    pub fn work(&self) -> (CancellationToken, tokio::task::JoinHandle<()>) {
        let timing = Timing {
            poll: Duration::from_millis(20),
            watch: Duration::from_millis(20),
            ..Timing::default()
        };
        let stop = CancellationToken::new();
        let runner = limn_services::jobs::runner(&self.studio.services, 2).with_timing(timing);
        let learner = limn_services::jobs::learner(&self.studio.services).with_timing(timing);
        let both = [runner, learner].map(|r| tokio::spawn(r.run(stop.clone())));
        let ended = async move {
            for one in both {
                one.await.unwrap();
            }
        };
        (stop, tokio::spawn(ended))
    }

    pub async fn until(&self, id: JobId, what: impl Fn(&Job) -> bool) -> Job {
        let began = Instant::now();
        loop {
            let job = self.studio.jobs.get(&Actor::System, id).await.unwrap();
            if what(&job) {
                return job;
            }
            assert!(began.elapsed() < Duration::from_mins(2), "{job:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub async fn train(&self) -> Assist {
        self.studio
            .assist
            .train(&self.manager, self.project)
            .await
            .unwrap();
        self.run().await
    }

    /// Lena takes items and labels each as it is.
    pub async fn label(&self, n: usize) -> Vec<ItemId> {
        let mut done = Vec::new();
        while done.len() < n {
            let want = (n - done.len()).min(100) as i64;
            let taken = self
                .studio
                .queue
                .take(&self.lena, self.project, want)
                .await
                .unwrap();
            assert!(!taken.items.is_empty(), "the queue ran out");
            for work in taken.items {
                self.submit(work.item.id, self.truth[&work.item.id]).await;
                done.push(work.item.id);
            }
        }
        done
    }

    pub async fn submit(&self, item: ItemId, kind: usize) {
        let now = self.studio.annotations.get(&self.lena, item).await.unwrap();
        let change = SaveChange {
            change_id: ChangeId::new(),
            base_revision: now.revision,
            upserts: vec![whole(self.categories[kind])],
            removes: now.annotations.iter().map(|a| a.id).collect(),
            attributes: None,
            active_ms: 2_000,
        };
        let submit = Submit {
            revision: now.revision,
            change: Some(change),
        };
        self.studio.queue.submit(&self.lena, item, submit).await.unwrap();
    }

    /// Accepts the proposals of an item, as the page does.
    pub async fn accept(&self, item: ItemId) {
        let now = self.studio.annotations.get(&self.lena, item).await.unwrap();
        let upserts = now.annotations.iter().map(|a| Annotation {
            source: Source::Human,
            score: None,
            ..a.clone()
        });
        let change = SaveChange {
            change_id: ChangeId::new(),
            base_revision: now.revision,
            upserts: upserts.collect(),
            removes: Vec::new(),
            attributes: None,
            active_ms: 500,
        };
        let submit = Submit {
            revision: now.revision,
            change: Some(change),
        };
        self.studio.queue.submit(&self.lena, item, submit).await.unwrap();
    }

    /// What comes next in the queue, which stays as it is.
    pub async fn next(&self, n: i64) -> Vec<Item> {
        let queue = &self.studio.queue;
        let taken = queue.take(&self.manager, self.project, n).await.unwrap().items;
        let items: Vec<Item> = taken.into_iter().map(|t| t.item).collect();
        let ids = items.iter().map(|i| i.id).collect();
        queue.release(&self.manager, self.project, ids).await.unwrap();
        items
    }

    /// Lena takes the next items that come with proposals, and leaves those in between.
    pub async fn take_proposed(&self, n: usize) -> Vec<WorkItem> {
        let queue = &self.studio.queue;
        let mut taken = queue.take(&self.lena, self.project, 30).await.unwrap().items;
        let left = taken.iter().filter(|t| t.item.prelabel_count == 0);
        let mut back: Vec<ItemId> = left.map(|t| t.item.id).collect();
        taken.retain(|t| t.item.prelabel_count > 0);
        back.extend(taken.split_off(n.min(taken.len())).iter().map(|t| t.item.id));
        if !back.is_empty() {
            queue.release(&self.lena, self.project, back).await.unwrap();
        }
        assert_eq!(taken.len(), n, "too few proposals come soon");
        taken
    }

    pub async fn items(&self, status: ItemStatus) -> Vec<(Item, Vec<Annotation>)> {
        let query = ItemQuery {
            status: Some(status),
            limit: Some(200),
            ..ItemQuery::default()
        };
        let page = self
            .studio
            .items
            .list(&self.manager, self.project, query)
            .await
            .unwrap();
        page.rows.into_iter().map(|r| (r.item, r.annotations)).collect()
    }

    pub async fn proposed(&self) -> Vec<(Item, Vec<Annotation>)> {
        let mut all = self.items(ItemStatus::Todo).await;
        all.retain(|(i, _)| i.prelabel_count > 0);
        all
    }

    /// The counters say what counting the items says.
    pub async fn counted(&self) {
        let mut tx = self.studio.db.db().read().await.unwrap();
        let told = repo::item::counter::progress(&mut tx, self.project)
            .await
            .unwrap();
        let counted = repo::item::counter::recount(&mut tx, self.project).await.unwrap();
        assert_eq!(told, counted);
    }
}

pub(super) fn whole(category_id: CategoryId) -> Annotation {
    Annotation {
        id: AnnotationId::new(),
        category_id,
        shape: Shape::Whole,
        z: 0,
        source: Source::Human,
        score: None,
        attributes: Attributes::new(),
        links: Links::default(),
    }
}

impl World {
    /// Another project of the same people.
    pub async fn again(w: Self, name: &str) -> Self {
        let project = build::project(&w.studio.db, name, Task::Classification).await;
        let categories = build::categories(&w.studio.db, project, &["disc", "square", "triangle"]).await;
        for (who, role) in [(&w.manager, Role::Manager), (&w.lena, Role::Labeler)] {
            build::member(&w.studio.db, project, who.user_id().unwrap(), role).await;
        }
        Self {
            project,
            categories,
            truth: HashMap::new(),
            ..w
        }
    }
}

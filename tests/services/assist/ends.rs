//! How a training of the assist's networks ends that does not end well: the project goes in the middle of it, numbers go astray, the program has
//! a fault. Labels stay, and the server answers.

use super::boxes::{Finder, Patches};
use crate::code;
use limn_domain::Code;
use limn_domain::assist::{AssistOrder, AssistState};
use limn_domain::item::ItemStatus;
use limn_domain::job::JobState;
use limn_services::Services;
use limn_services::training::port::{
    EngineError, Event, Net, NetTraining, TrainTask, TrainedNet, Trainer, Watch,
};
use limn_testkit::{TestDb, on_both};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const ASTRAY: &str = "The training went astray: the loss is no number any more.";

#[derive(Debug, Clone, Copy)]
enum Fate {
    /// Until it is stopped.
    GoesOn,
    Astray,
    Panics,
}

/// A trainer whose trainings do not get beyond the first step.
#[derive(Debug)]
struct Fated {
    fate: Fate,
    began: AtomicBool,
    stopped: AtomicBool,
}

impl Trainer for Fated {
    fn version(&self) -> &'static str {
        Finder::default().version()
    }

    fn side(&self, task: TrainTask) -> u32 {
        Finder::default().side(task)
    }

    fn steps(&self, task: TrainTask, examples: usize) -> usize {
        Finder::default().steps(task, examples)
    }

    fn parameters(&self, _: TrainTask) -> Vec<(String, String)> {
        Vec::new()
    }

    fn train(&self, _: &NetTraining<'_>, watch: &mut Watch<'_>) -> Result<TrainedNet, EngineError> {
        self.began.store(true, Ordering::SeqCst);
        match self.fate {
            Fate::Astray => return Err(EngineError::Broken(ASTRAY.to_owned())),
            Fate::Panics => panic!("there is no memory left"),
            Fate::GoesOn => {}
        }
        for _ in 0..20_000 {
            let event = Event::Step {
                step: 1,
                figures: Vec::new(),
            };
            if watch(event).is_break() {
                self.stopped.store(true, Ordering::SeqCst);
                return Err(EngineError::Stopped);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Err(EngineError::Broken("Nobody stopped it.".to_owned()))
    }

    fn load(&self, model: &[u8]) -> Result<Box<dyn Net>, EngineError> {
        Finder::default().load(model)
    }
}

/// A project with enough labels to learn from, and what will become of that.
async fn labeled(db: &TestDb, fate: Fate) -> (Patches, Arc<Fated>) {
    let mut p = Patches::new(db, 40).await;
    let trainer = Arc::new(Fated {
        fate,
        began: AtomicBool::new(false),
        stopped: AtomicBool::new(false),
    });
    let context = p.w.studio.services.context.clone();
    p.w.studio.services = Services::new(context.with_trainer(trainer.clone()));
    p.w.turn_on(AssistOrder::Useful).await;
    p.label(30).await;
    (p, trainer)
}

async fn until(flag: &AtomicBool) {
    let began = Instant::now();
    while !flag.load(Ordering::SeqCst) {
        assert!(began.elapsed() < Duration::from_mins(1), "it does not come");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_project_deleted_in_mid_training_stops_it() {
    on_both(async |db| {
        let (p, trainer) = labeled(&db, Fate::GoesOn).await;
        let w = &p.w;
        let job = w.studio.assist.train(&w.manager, w.project).await.unwrap();
        let (stop, task) = w.work();
        until(&trainer.began).await;
        w.studio.projects.delete(&w.manager, w.project).await.unwrap();
        until(&trainer.stopped).await;
        stop.cancel();
        task.await.unwrap();
        assert_eq!(
            code(w.studio.assist.get(&w.manager, w.project).await),
            Code::NotFound
        );
        assert_eq!(code(w.studio.jobs.get(&w.manager, job.id).await), Code::NotFound);
        // Pictures made small for it lay in files without names: nothing is left of them.
        let folder = db.dir().join("data").join("trainings");
        assert_eq!(std::fs::read_dir(folder).unwrap().count(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_training_that_goes_astray_leaves_labels_and_says_so() {
    on_both(async |db| {
        let (p, _) = labeled(&db, Fate::Astray).await;
        let w = &p.w;
        let before = w.items(ItemStatus::Done).await;
        let failed = w.train().await;
        assert_eq!(
            (failed.state, failed.message.as_str()),
            (AssistState::Failed, ASTRAY)
        );
        assert!(failed.model.is_none() && failed.curve.is_empty());
        assert_eq!(w.items(ItemStatus::Done).await, before);
        w.counted().await;
    })
    .await;
}

#[tokio::test]
async fn a_training_with_a_fault_of_the_program_ends_alone() {
    on_both(async |db| {
        let (p, _) = labeled(&db, Fate::Panics).await;
        let w = &p.w;
        let before = w.items(ItemStatus::Done).await;
        let job = w.studio.assist.train(&w.manager, w.project).await.unwrap();
        let (stop, task) = w.work();
        // It is tried a few times, a while after each other.
        let ended = w
            .until(job.id, |j| {
                // In steps that are short beside the lease of one that was taken just now.
                if j.state == JobState::Queued && j.attempts > 0 {
                    w.studio.clock.advance_seconds(2);
                }
                j.state.is_final()
            })
            .await;
        stop.cancel();
        task.await.unwrap();
        assert_eq!(ended.state, JobState::Failed);
        assert!(ended.attempts >= 3, "{ended:?}");
        let failed = w.get().await;
        assert_eq!(failed.state, AssistState::Failed);
        assert!(
            failed.message.contains("The log of the server has the details"),
            "{}",
            failed.message
        );
        assert_eq!(w.items(ItemStatus::Done).await, before);
        // Other work goes on.
        p.label(2).await;
    })
    .await;
}

//! A person who labels pictures for the assist, simulated: how good its suggestions are after so many of them, by the order in which they are labeled.
//!
//! The order is the product's: `Engine::arrange` puts the most useful first, by what the network of the last training says of the pictures that are
//! left (before the first one, by what they look like), and the job of the assist has those that are proposed whole take turns with the others. Between two
//! counts nothing is trained. Rows of a table are printed as they come.

use super::{Anything, Data, Learning, number, percent, small};
use image::{DynamicImage, RgbImage};
use limn_domain::assist::{AssistOrder, Figures};
use limn_ml::LocalEngine;
use limn_services::assist::port::{Engine, MarkSure, StopCheck, Verdict, WORTH, by_turns};
use limn_services::training::port::{Net, SmallPicture, TrainedNet, Trainer, for_assist};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Largest side of what pictures are described by, and how many teach that, as in the job of the assist.
const DESCRIBED: u32 = 64;
const FIT_ON: usize = 1_000;
/// One picture of the holdout is labeled beside so many that are learned from: it is a fifth of all.
const BESIDE: usize = 4;

/// How marks of one kind are found and judged, as the job of the assist does it.
pub trait Finds {
    /// From which confidence on marks of each category are proposed, and how good that is. `trained`: what came of a training on `train`, `net`: the same,
    /// loaded. `valid`: the first so many of the pictures to judge by.
    fn judge(
        &self,
        engine: &dyn Engine,
        trained: &TrainedNet,
        net: &dyn Net,
        train: &Data<'_>,
        valid: &Data<'_>,
    ) -> Anything<(Vec<Option<f32>>, Figures)>;

    /// The marks of each picture: the category, and how sure each is. Of what is right only the size may be looked at.
    fn find(&self, net: &dyn Net, pictures: &Data<'_>) -> Anything<Vec<Vec<(usize, f32)>>>;
}

#[derive(Clone, Copy)]
enum Order {
    /// All that is left, whether something is proposed for it or not.
    Useful,
    /// The queue as it is: every second one is proposed whole, the surest first, the others come most useful first.
    Queue,
    Random,
}

impl Order {
    const ALL: [Self; 3] = [Self::Useful, Self::Queue, Self::Random];

    const fn name(self) -> &'static str {
        match self {
            Self::Useful => "most useful first",
            Self::Queue => "the queue: every second one proposed whole",
            Self::Random => "random order",
        }
    }
}

/// What is kept of a training.
struct Known {
    net: Box<dyn Net>,
    /// By as much of the holdout as would be labeled by then.
    thresholds: Vec<Option<f32>>,
    /// From which confidence on marks of each category are worth showing, by the same.
    worth: Vec<f32>,
    /// By all pictures to judge by.
    figures: Figures,
    steps: usize,
    took: Duration,
}

struct Person<'a> {
    learning: &'a Learning,
    finds: &'a dyn Finds,
    engine: LocalEngine,
    /// Of the pool.
    features: Vec<Vec<f32>>,
    /// The same pictures in the same order give the same network.
    known: HashMap<Vec<usize>, Rc<Known>>,
    /// Describing pictures, looking through them and putting them in order.
    ordering: Duration,
}

/// Labels as many of the pictures as `counts` says, in each order, then all.
pub fn run(learning: &Learning, finds: &dyn Finds, counts: &[usize]) -> Anything {
    let began = Instant::now();
    let all = learning.pool.len();
    let mut counts: Vec<usize> = counts.iter().copied().filter(|n| (2..all).contains(n)).collect();
    counts.sort_unstable();
    counts.dedup();
    let first = counts.first().copied().unwrap_or(all);
    let mut person = Person::new(learning, finds)?;
    for order in Order::ALL {
        let mut chosen = Vec::new();
        let mut next = person.first(order, first)?;
        for (at, count) in counts.iter().enumerate() {
            next.truncate(count - chosen.len());
            chosen.append(&mut next);
            let known = person.label(order.name(), &chosen)?;
            if let Some(upto) = counts.get(at + 1) {
                next = person.after(order, &known, &chosen, upto - count)?;
            }
        }
    }
    person.label("labeling all", &(0..all).collect::<Vec<_>>())?;
    println!(
        "| (in all {:.1} min for {} trainings, of which {:.0} s to put pictures in order; {} pictures to judge by) | | | | | | |",
        began.elapsed().as_secs_f64() / 60.0,
        person.known.len(),
        person.ordering.as_secs_f64(),
        learning.valid.len(),
    );
    Ok(())
}

fn go() -> StopCheck {
    Arc::new(|| false)
}

impl<'a> Person<'a> {
    fn new(learning: &'a Learning, finds: &'a dyn Finds) -> Anything<Self> {
        let began = Instant::now();
        let engine = LocalEngine::new();
        let pool: Vec<SmallPicture> = learning
            .pool
            .iter()
            .map(|p| smaller(&p.0))
            .collect::<Anything<_>>()?;
        let encoder = engine.fit(&pool[..pool.len().min(FIT_ON)], 1, &go())?;
        let features = engine.embed(&encoder, &pool, &go())?;
        Ok(Self {
            learning,
            finds,
            engine,
            features,
            known: HashMap::new(),
            ordering: began.elapsed(),
        })
    }

    /// The order before there is a network; `batch` pictures come before the first training.
    fn first(&mut self, order: Order, batch: usize) -> Anything<Vec<usize>> {
        let places: Vec<usize> = (0..self.features.len()).collect();
        match order {
            Order::Random => Ok(places),
            Order::Useful | Order::Queue => self.arrange(&places, &[], batch),
        }
    }

    /// The order of those that are not chosen yet; `batch` of them come before the next training.
    fn after(&mut self, order: Order, known: &Known, chosen: &[usize], batch: usize) -> Anything<Vec<usize>> {
        let left: Vec<usize> = (0..self.features.len()).filter(|n| !chosen.contains(n)).collect();
        if matches!(order, Order::Random) {
            return Ok(left);
        }
        let began = Instant::now();
        let found = self.finds.find(known.net.as_ref(), &self.learning.some(&left))?;
        self.ordering += began.elapsed();
        let said: Vec<(usize, Verdict)> = left
            .into_iter()
            .zip(&found)
            .map(|(place, marks)| (place, verdict(marks, known)))
            .collect();
        let queue = matches!(order, Order::Queue);
        let (mut whole, rest): (Vec<_>, Vec<_>) = said.into_iter().partition(|(_, v)| queue && v.whole);
        whole.sort_by(|a, b| b.1.confidence.total_cmp(&a.1.confidence));
        let (places, verdicts): (Vec<usize>, Vec<Verdict>) = rest.into_iter().unzip();
        let whole: Vec<usize> = whole.into_iter().map(|p| p.0).collect();
        if places.is_empty() {
            return Ok(whole);
        }
        let batch = batch - whole.len().min(batch / 2);
        let useful = self.arrange(&places, &verdicts, batch)?;
        Ok(by_turns(whole, useful))
    }

    fn arrange(&mut self, places: &[usize], verdicts: &[Verdict], batch: usize) -> Anything<Vec<usize>> {
        let began = Instant::now();
        let features: Vec<Vec<f32>> = places.iter().map(|n| self.features[*n].clone()).collect();
        let useful = AssistOrder::Useful;
        let arranged = self
            .engine
            .arrange(useful, &features, verdicts, batch, true, &go())?;
        self.ordering += began.elapsed();
        Ok(arranged.order.into_iter().map(|n| places[n]).collect())
    }

    /// Trains on what is labeled, if that was not done yet, and prints the row.
    fn label(&mut self, order: &str, chosen: &[usize]) -> Anything<Rc<Known>> {
        let before = self.known.get(chosen).cloned();
        let is_new = before.is_none();
        let known = match before {
            Some(known) => known,
            None => Rc::new(self.fit(chosen)?),
        };
        self.known.insert(chosen.to_vec(), Rc::clone(&known));
        let percent = |v: Option<f64>| v.map_or_else(|| "-".to_owned(), percent);
        let f = &known.figures;
        let took = if is_new {
            format!("{:.0} s", known.took.as_secs_f64())
        } else {
            "the same pictures".to_owned()
        };
        println!(
            "| {order} | {} | {} | {} | {} | {} | {took} |",
            chosen.len(),
            known.steps,
            percent(f.map50.or(f.miou)),
            percent(f.proposed.value()),
            percent(f.covered.value()),
        );
        Ok(known)
    }

    fn fit(&self, chosen: &[usize]) -> Anything<Known> {
        let learning = self.learning;
        let steps = learning.steps(chosen.len());
        // As long as the assist would.
        let steps = match number("STEPS") {
            None => for_assist(learning.task, steps),
            Some(_) => steps,
        };
        let (trained, took) = learning.train(chosen, steps)?;
        let net = learning.trainer.load(&trained.model)?;
        let train = learning.some(chosen);
        let judge = |n: usize| {
            let valid = learning.judges(n);
            self.finds
                .judge(&self.engine, &trained, net.as_ref(), &train, &valid)
        };
        let (_, figures) = judge(learning.valid.len())?;
        let (thresholds, by_then) = judge(chosen.len().div_ceil(BESIDE))?;
        let worth = by_then.categories.iter();
        let worth = worth.map(|c| c.worth.map_or(WORTH, |w| w as f32)).collect();
        Ok(Known {
            net,
            thresholds,
            worth,
            figures,
            steps,
            took,
        })
    }
}

/// As it is described: smaller than it is learned from.
fn smaller(p: &SmallPicture) -> Anything<SmallPicture> {
    let rgb = RgbImage::from_raw(p.width as u32, p.height as u32, p.rgb.clone())
        .ok_or("a picture has other bytes than its size says")?;
    Ok(small(DynamicImage::ImageRgb8(rgb), DESCRIBED))
}

/// How much the network is torn about a picture, and whether it is proposed whole.
fn verdict(marks: &[(usize, f32)], known: &Known) -> Verdict {
    let each = marks.iter().map(|(category, sure)| MarkSure {
        sure: *sure,
        threshold: known.thresholds.get(*category).copied().flatten(),
        worth: known.worth.get(*category).copied().unwrap_or(WORTH),
    });
    let found: Vec<MarkSure> = each.collect();
    let passing = found.iter().filter(|m| m.passes());
    let proposed: Vec<f64> = passing.map(|m| f64::from(m.sure)).collect();
    Verdict::of_marks(&found, &proposed)
}

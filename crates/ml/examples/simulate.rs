//! A person who labels a folder of pictures, simulated: how many labels until what is left is 98 % right by the model alone.
//!
//! `cargo run -p limn-ml --example simulate -- FOLDER [SEEDS]`; a picture's category is what its name begins with, up to the
//! first `_`. Prints rows of a table.

use limn_domain::CategoryId;
use limn_ml::{
    Encoder, Example, Matrix, Picture, Rng, Task, Trained, Tree, by_cluster, most_useful, passes, train,
    verdict,
};
use std::time::{Duration, Instant};

const GO: &(dyn Fn() -> bool + Sync) = &|| false;
/// Labels between trainings, of which every fifth is of the holdout.
const BATCH: usize = 10;
const RIGHT: f64 = 0.98;

struct Data {
    features: Vec<Vec<f32>>,
    truth: Vec<usize>,
    categories: Vec<CategoryId>,
}

struct Round {
    labels: usize,
    right: f64,
    proposed: usize,
    proposed_right: usize,
    promised: (f64, f64),
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let folder = args.next().ok_or("give the folder of pictures")?;
    let seeds: u64 = args.next().map_or(Ok(5), |s| s.parse())?;
    let (pictures, truth, names) = read(&folder)?;
    let began = Instant::now();
    let mut rng = Rng::new(7);
    let sample: Vec<Picture> = rng
        .sample(pictures.len(), 1_000)
        .into_iter()
        .map(|i| pictures[i].clone())
        .collect();
    let encoder = Encoder::fit(&sample, 1, GO)?;
    let fitted = began.elapsed();
    let began = Instant::now();
    let features = encoder.embed(&pictures, GO)?;
    let embedded = began.elapsed();
    let data = Data {
        features,
        truth,
        categories: (0..names.len()).map(|_| CategoryId::new()).collect(),
    };
    let n = data.truth.len();
    println!("| labeling all | {n} | 100 % | | | |");
    for (name, useful) in [("most useful first", true), ("random order", false)] {
        let (mut labels, mut times, mut kept, mut of) = (Vec::new(), Vec::new(), 0, 0);
        let (mut at_fifty, mut proposals, mut right) = (0.0, 0, 0);
        for seed in 0..seeds {
            let mut slowest = Duration::ZERO;
            let rounds = simulate(&data, useful, seed, &mut slowest)?;
            times.push(slowest);
            labels.push(rounds.iter().find(|r| r.right >= RIGHT).map_or(n, |r| r.labels));
            at_fifty += rounds.iter().find(|r| r.labels >= 50).map_or(0.0, |r| r.right) / seeds as f64;
            for r in rounds.iter().filter(|r| r.proposed > 0) {
                let share = r.proposed_right as f64 / r.proposed as f64;
                kept += usize::from((r.promised.0..=r.promised.1).contains(&share));
                of += 1;
            }
            if let Some(last) = rounds.last() {
                proposals += last.proposed;
                right += last.proposed_right;
            }
        }
        labels.sort_unstable();
        let slowest = times.iter().max().map_or(0, Duration::as_millis);
        println!(
            "| {name} | {} (at most {}) | {:.1} % | {:.1} % of {} | {kept} of {of} | {slowest} ms |",
            labels[labels.len() / 2],
            labels[labels.len() - 1],
            at_fifty * 100.0,
            right as f64 * 100.0 / proposals.max(1) as f64,
            proposals / seeds.max(1) as usize,
        );
    }
    println!(
        "| (features: learned in {:.1} s from {}, {n} pictures described in {:.1} s) | | | | | |",
        fitted.as_secs_f64(),
        sample.len(),
        embedded.as_secs_f64()
    );
    Ok(())
}

/// Labels in batches until all but a third are labeled or the model is right enough.
fn simulate(
    data: &Data,
    useful: bool,
    seed: u64,
    slowest: &mut Duration,
) -> Result<Vec<Round>, limn_ml::MlError> {
    let n = data.truth.len();
    let mut rng = Rng::new(seed);
    let held: Vec<bool> = (0..n).map(|_| rng.below(5) == 0).collect();
    let mut at_random: Vec<usize> = (0..n).collect();
    rng.shuffle(&mut at_random);
    let all = Matrix::of(&data.features);
    let mut order = if useful {
        by_cluster(&all, 20, true, seed, GO)?.0
    } else {
        at_random.clone()
    };
    let (mut done, mut rounds) = (Vec::new(), Vec::new());
    let mut is_done = vec![false; n];
    while done.len() < n * 2 / 3 {
        let free = |i: &&usize| !is_done[**i];
        let pool: Vec<usize> = order
            .iter()
            .filter(free)
            .filter(|i| !held[**i])
            .copied()
            .collect();
        let holdout: Vec<usize> = at_random
            .iter()
            .filter(free)
            .filter(|i| held[**i])
            .copied()
            .collect();
        let (mut pool, mut holdout) = (pool.into_iter(), holdout.into_iter());
        for k in 1..=BATCH {
            let from = if k % 5 == 0 { &mut holdout } else { &mut pool };
            if let Some(i) = from.next() {
                is_done[i] = true;
                done.push(i);
            }
        }
        let began = Instant::now();
        let examples: Vec<Example> = done
            .iter()
            .map(|i| Example {
                features: data.features[*i].clone(),
                classes: vec![data.truth[*i]],
                holdout: held[*i],
                unseen: true,
            })
            .collect();
        let task = Task {
            examples: &examples,
            categories: &data.categories,
            tree: &Tree::flat(data.categories.len()),
            multi: false,
            accuracy: 0.95,
            seed,
        };
        let Ok(model) = train(&task, GO) else { continue };
        let rest: Vec<usize> = (0..n).filter(|i| !is_done[*i]).collect();
        let probabilities: Vec<Vec<f32>> = rest
            .iter()
            .map(|i| model.head.probabilities(&data.features[*i]))
            .collect();
        rounds.push(judge(data, done.len(), &rest, &probabilities, &model));
        let teach: Vec<usize> = (0..rest.len()).filter(|k| !held[rest[*k]]).collect();
        if useful {
            let rows: Vec<Vec<f32>> = teach.iter().map(|k| data.features[rest[*k]].clone()).collect();
            let p: Vec<Vec<f32>> = teach.iter().map(|k| probabilities[*k].clone()).collect();
            let next = most_useful(&Matrix::of(&rows), &p, false, BATCH - BATCH / 5, seed, GO)?;
            order = next.into_iter().map(|k| rest[teach[k]]).collect();
        }
        *slowest = (*slowest).max(began.elapsed());
        if rounds.last().is_some_and(|r| r.right >= RIGHT && r.labels >= 50) {
            break;
        }
    }
    Ok(rounds)
}

fn judge(data: &Data, labels: usize, rest: &[usize], p: &[Vec<f32>], model: &Trained) -> Round {
    let (mut right, mut proposed, mut proposed_right) = (0, 0, 0);
    for (i, p) in rest.iter().zip(p) {
        let (said, sure) = verdict(p, false);
        let is_right = said == [data.truth[*i]];
        right += usize::from(is_right);
        if passes(&said, sure, &model.thresholds) {
            proposed += 1;
            proposed_right += usize::from(is_right);
        }
    }
    let promised = model.figures.proposed;
    Round {
        labels,
        right: right as f64 / rest.len().max(1) as f64,
        proposed,
        proposed_right,
        promised: (promised.low, promised.high),
    }
}

type Read = (Vec<Picture>, Vec<usize>, Vec<String>);

fn read(folder: &str) -> Result<Read, Box<dyn std::error::Error>> {
    let mut paths: Vec<_> = std::fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    paths.sort_by_key(std::fs::DirEntry::file_name);
    let (mut pictures, mut truth, mut names) = (Vec::new(), Vec::new(), Vec::<String>::new());
    for entry in paths {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some((category, _)) = name.split_once('_') else {
            continue;
        };
        let rgb = image::open(entry.path())?.into_rgb8();
        let (w, h) = (rgb.width() as usize, rgb.height() as usize);
        pictures.push(Picture::new(w, h, rgb.into_raw()).ok_or("an empty picture")?);
        let place = names.iter().position(|n| n == category).unwrap_or_else(|| {
            names.push(category.to_owned());
            names.len() - 1
        });
        truth.push(place);
    }
    Ok((pictures, truth, names))
}

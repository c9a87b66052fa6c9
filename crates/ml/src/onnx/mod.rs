//! Networks that people bring as ONNX, run by tract. Nothing that a file says is believed: what can be told from the file itself is checked before
//! tract sees it ([`file`]), sizes are checked before memory is taken for them ([`bounds`]), and tract runs on threads of its own, where a panic
//! of that crate ends in an error ([`apart`]) and a step that lasts too long in another.

mod bounds;
mod canvas;
mod file;
mod pair;
mod picture;

pub(crate) use pair::Pair;
pub(crate) use picture::Described;

use crate::error::{MlError, Result, Stop};
use crate::nets::threads;
use file::File;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};
use tract_onnx::prelude::{
    DatumType, InferenceModelExt as _, IntoRunnable as _, TValue, TVec, Tensor, TractError, TractResult,
    TypedRunnableModel, TypedSimpleState,
};
use tract_onnx::tract_core::plan::eval;

/// Bytes of the stack of a thread that tract runs on: graphs within graphs are read by functions that call themselves.
const STACK: usize = 64 << 20;
/// A single answer takes no longer than this.
const PATIENCE: Duration = Duration::from_mins(2);
/// Characters of what tract says that are passed on.
const TOLD: usize = 240;

/// Numbers with a shape, as networks take and give them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Values {
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
}

impl Values {
    pub const fn new(shape: Vec<usize>, values: Vec<f32>) -> Self {
        Self { shape, values }
    }
}

/// A network that is ready to run, with the shapes of what it gives.
#[derive(Debug)]
struct Net {
    plan: Arc<TypedRunnableModel>,
    /// What numbers its inputs are.
    takes: Vec<DatumType>,
    gives: Vec<Vec<usize>>,
}

impl Net {
    /// Makes a checked file ready. On the thread that calls it: see [`apart`].
    fn of(file: &mut File) -> Result<Self, String> {
        compile(file).map_err(|e| said(&e))
    }

    /// Runs it once, on the thread that calls it.
    fn run(&self, inputs: &[Values], stop: Stop<'_>) -> Result<Vec<Values>> {
        let (began, mut ended) = (Instant::now(), None);
        let mut answer = || -> TractResult<Vec<Values>> {
            let mut given: TVec<TValue> = TVec::new();
            for (v, numbers) in inputs.iter().zip(&self.takes) {
                let floats = Tensor::from_shape(&v.shape, &v.values)?;
                given.push(floats.cast_to_dt(*numbers)?.into_owned().into());
            }
            let mut state = TypedSimpleState::new(&self.plan)?;
            let found =
                state.run_plan_with_eval(given, |ctx, own, node, given| -> TractResult<TVec<TValue>> {
                    if stop() {
                        ended = Some(MlError::Stopped);
                    } else if began.elapsed() > PATIENCE {
                        ended = Some(MlError::Refused(format!(
                            "The network takes more than {} seconds for one picture; use a smaller one.",
                            PATIENCE.as_secs()
                        )));
                    }
                    if ended.is_some() {
                        return Err(TractError::msg("ended"));
                    }
                    eval(ctx, own, node, given)
                })?;
            found.iter().map(|t| plain(t)).collect()
        };
        let found = answer();
        match (found, ended) {
            (_, Some(why)) => Err(why),
            (Ok(found), None) => Ok(found),
            (Err(e), None) => Err(MlError::Refused(format!(
                "The network cannot be run: {}.",
                said(&e)
            ))),
        }
    }
}

fn plain(t: &Tensor) -> TractResult<Values> {
    let floats = t.cast_to::<f32>()?;
    let values = floats.try_as_plain_ram()?.as_slice::<f32>()?.to_vec();
    Ok(Values::new(t.shape().to_vec(), values))
}

fn compile(file: &mut File) -> TractResult<Net> {
    let mut model = file.model()?;
    bounds::analyse(&mut model)?;
    let typed = model.into_typed()?;
    bounds::check(&typed)?;
    let mut takes = Vec::new();
    for n in 0..typed.inputs.len() {
        takes.push(typed.input_fact(n)?.datum_type);
    }
    let mut gives = Vec::new();
    for n in 0..typed.outputs.len() {
        let shape = typed.output_fact(n)?.shape.as_concrete().map(<[usize]>::to_vec);
        gives.push(shape.ok_or_else(|| TractError::msg("what it gives has no fixed size"))?);
    }
    let plan = typed.into_optimized()?.into_runnable()?;
    Ok(Net { plan, takes, gives })
}

/// What tract says is wrong, on one line and not endless.
fn said(e: &TractError) -> String {
    let whole = e.root_cause().to_string();
    let line: String = whole.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = line.trim_end_matches('.');
    if line.chars().count() <= TOLD {
        return line.to_owned();
    }
    line.chars().take(TOLD).chain("...".chars()).collect()
}

/// Does work on a thread of its own that stands behind others, with a stack that is deep enough. tract is somebody else's code, and files are
/// anybody's: where it panics, the thread ends and this is an error.
fn apart<T: Send>(work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    let mut done = side_by_side(vec![work])?;
    done.pop()
        .ok_or_else(|| MlError::Broken("Nothing was done.".to_owned()))
}

/// As [`apart`], for several at once.
fn side_by_side<T: Send, W: FnOnce() -> Result<T> + Send>(work: Vec<W>) -> Result<Vec<T>> {
    let broke = || {
        MlError::Refused(
            "The ONNX file is not sound: working it out broke down. Export it again, with a usual exporter and operator set 17 or so."
                .to_owned(),
        )
    };
    let done: Vec<Result<T>> = thread::scope(|scope| {
        let running: Vec<_> = work
            .into_iter()
            .map(|one| {
                thread::Builder::new()
                    .name("onnx".to_owned())
                    .stack_size(STACK)
                    .spawn_scoped(scope, || {
                        threads::step_back();
                        one()
                    })
            })
            .collect();
        // Every one is waited for here: one that nobody waits for hands its panic on.
        running
            .into_iter()
            .map(|started| match started {
                Ok(thread) => thread.join().unwrap_or_else(|_| Err(broke())),
                Err(e) => Err(MlError::Broken(format!(
                    "The system has no threads left for a network: {e}"
                ))),
            })
            .collect()
    });
    done.into_iter().collect()
}

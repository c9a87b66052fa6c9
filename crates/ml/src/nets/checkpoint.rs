//! A training that stopped, to go on from.

use super::plan::Plan;
use burn::module::Module;
use burn::optim::ModuleOptimizer;
use burn::store::ModuleRecord;
use burn::tensor::Bytes;
use limn_services::training::port::EngineError;
use serde::{Deserialize, Serialize};

const KIND: &[u8; 8] = b"limnck01";
const DIGEST: usize = 32;

#[derive(Serialize, Deserialize)]
struct State {
    /// The training that this is of.
    of: String,
    step: usize,
    network: Vec<u8>,
    optimiser: Vec<u8>,
}

/// All by which a training differs from another; the examples are told by how many there are.
fn of(plan: &Plan, examples: usize) -> String {
    format!(
        "{:?} batch {} steps {} seed {} examples {examples}",
        plan.design, plan.batch, plan.steps, plan.seed
    )
}

fn failed(e: impl std::fmt::Debug) -> EngineError {
    EngineError::Broken(format!("The training's state cannot be written: {e:?}"))
}

fn broken<T>(why: &str) -> Result<T, EngineError> {
    Err(EngineError::Broken(format!(
        "The training cannot go on from where it stopped ({why}); start it anew."
    )))
}

/// The state after `step` steps.
pub(super) fn to_bytes<M: Module>(
    plan: &Plan,
    examples: usize,
    step: usize,
    network: &M,
    optimiser: &ModuleOptimizer,
) -> Result<Vec<u8>, EngineError> {
    // Brings the means over batches up to date; records do not.
    drop(network.valid());
    let state = State {
        of: of(plan, examples),
        step,
        network: network
            .clone()
            .into_record()
            .into_bytes()
            .map_err(failed)?
            .to_vec(),
        optimiser: optimiser.into_bytes().map_err(failed)?.to_vec(),
    };
    let state = postcard::to_stdvec(&state).map_err(failed)?;
    Ok([&KIND[..], blake3::hash(&state).as_bytes(), &state].concat())
}

/// The step, the network and the optimiser of a state. The records within are Burn's, which believes them: so the digest is checked first.
pub(super) fn from_bytes<M: Module>(
    bytes: &[u8],
    plan: &Plan,
    examples: usize,
    network: M,
    optimiser: ModuleOptimizer,
) -> Result<(usize, M, ModuleOptimizer), EngineError> {
    let Some(rest) = bytes.strip_prefix(KIND) else {
        return broken("it is of another version");
    };
    let Some((digest, state)) = rest.split_first_chunk::<DIGEST>() else {
        return broken("it is cut off");
    };
    if blake3::hash(state).as_bytes() != digest {
        return broken("its bytes are damaged");
    }
    let Ok(state) = postcard::from_bytes::<State>(state) else {
        return broken("its bytes are damaged");
    };
    if state.of != of(plan, examples) || state.step > plan.steps {
        return broken("pictures or settings have changed");
    }
    let read = |e: burn::store::RecordError| {
        EngineError::Broken(format!(
            "The training cannot go on from where it stopped ({e:?}); start it anew."
        ))
    };
    let record = ModuleRecord::from_bytes(Bytes::from_bytes_vec(state.network)).map_err(read)?;
    let network = network.try_load_record(record).map_err(read)?;
    let optimiser = optimiser
        .from_bytes(Bytes::from_bytes_vec(state.optimiser))
        .map_err(read)?;
    Ok((state.step, network, optimiser))
}

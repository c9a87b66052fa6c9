//! Sizes, before memory is taken for them. All sizes follow from the file once the sizes of what goes in are fixed; where one does not, the file is
//! refused. What a file does within a loop of its own is not seen; it ends with the answer's patience.

use tract_onnx::prelude::{
    DatumType, InferenceFact, InferenceModel, OutletId, TVec, Tensor, TractError, TractResult, TypedModel,
};
use tract_onnx::tract_hir::internal::Factoid as _;

/// Bytes of one thing that a network works out.
const ONE_MAX: u64 = 1 << 30;
/// Bytes of all of them, were they held at once.
const ALL_MAX: u64 = 64 << 30;

/// Works out types and sizes from the inputs on, and what is constant, looking at each size first.
pub(super) fn analyse(model: &mut InferenceModel) -> TractResult<()> {
    for id in model.eval_order()? {
        let (inputs, outputs) = model.node_facts(id)?;
        let inputs: TVec<InferenceFact> = inputs.into_iter().cloned().collect();
        let outputs: TVec<InferenceFact> = outputs.into_iter().cloned().collect();
        let node = model.node(id);
        let mut observed: TVec<InferenceFact> = TVec::new();
        for outlet in node.op.observe_outlets(model, node)? {
            observed.push(model.outlet_fact(outlet)?.clone());
        }
        if node.op.name() == "Range" {
            range(&inputs)?;
        }
        let mut op = node.op.clone();
        // Sizes alone: nothing is worked out yet.
        let (_, found, _) = op.infer_facts(
            inputs.iter().collect(),
            outputs.iter().collect(),
            observed.iter().collect(),
        )?;
        for fact in &found {
            fits(fact)?;
        }
        let (_, found, _) = op.infer(
            inputs.iter().collect(),
            outputs.iter().collect(),
            observed.iter().collect(),
        )?;
        for (slot, fact) in found.into_iter().enumerate() {
            fits(&fact)?;
            let outlet = OutletId::new(id, slot);
            let unified = model.outlet_fact(outlet)?.unify(&fact)?;
            model.set_outlet_fact(outlet, unified)?;
        }
    }
    Ok(())
}

fn fits(fact: &InferenceFact) -> TractResult<()> {
    let Some(dims) = fact.shape.concretize() else {
        return Ok(());
    };
    let dims: Option<Vec<i64>> = dims.iter().map(|d| d.as_i64()).collect();
    let size = fact.datum_type.concretize().map_or(8, bytes_of);
    match dims {
        Some(dims) => {
            let dims: Result<Vec<u64>, _> = dims.into_iter().map(u64::try_from).collect();
            let dims = dims.map_err(|_| TractError::msg("something it works out has less than nothing"))?;
            volume(&dims, size).map(drop)
        }
        None => Ok(()),
    }
}

/// What is known of how many numbers a range has, which tract takes to be few where it falls, or where its ends are further apart than can be
/// counted.
fn range(inputs: &[InferenceFact]) -> TractResult<()> {
    let told: Option<Vec<f64>> = inputs
        .iter()
        .map(|fact| fact.value.concretize().and_then(|t| number(&t)))
        .collect();
    let Some([start, end, step]) = told.as_deref() else {
        return Ok(());
    };
    let n = ((end - start) / step).ceil();
    if n.is_finite() {
        // What it has none of is none.
        return volume(&[n.max(0.0) as u64], 8).map(drop);
    }
    Err(TractError::msg("it has a range that never ends"))
}

fn number(t: &Tensor) -> Option<f64> {
    let floats = t.cast_to::<f64>().ok()?;
    floats
        .try_as_plain_ram()
        .ok()?
        .as_slice::<f64>()
        .ok()?
        .first()
        .copied()
}

/// Whether everything that it works out has a fixed size that fits.
pub(super) fn check(model: &TypedModel) -> TractResult<()> {
    let mut all = 0_u64;
    for node in model.nodes() {
        for output in &node.outputs {
            let shape = output.fact.shape.as_concrete().ok_or_else(|| {
                TractError::msg("the size of something it works out depends on what it is shown")
            })?;
            let dims: Vec<u64> = shape.iter().map(|n| *n as u64).collect();
            all = all.saturating_add(volume(&dims, bytes_of(output.fact.datum_type))?);
        }
    }
    if all > ALL_MAX {
        return Err(TractError::msg(format!(
            "it works out more than {} gigabytes for one picture",
            ALL_MAX >> 30
        )));
    }
    Ok(())
}

fn bytes_of(t: DatumType) -> u64 {
    t.size_of() as u64
}

fn volume(dims: &[u64], size: u64) -> TractResult<u64> {
    dims.iter()
        .try_fold(size, |all, n| all.checked_mul(*n))
        .filter(|n| *n <= ONE_MAX)
        .ok_or_else(|| TractError::msg("something it works out would take more than a gigabyte"))
}

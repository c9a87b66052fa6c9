//! What turns gradients into steps: AdamW (Loshchilov and Hutter 2019).
//!
//! Burn reads an optimiser's stored state onto the device that it prefers of all that it was built with: a graphics processor, which need not be
//! there, or is not to be used. So the state is read onto the CPU here; with the first step it goes where the network is.

use burn::grad_clipping::GradientClippingConfig;
use burn::optim::{
    AdamW, AdamWConfig, AdamWState, LearningRate, ModuleOptimizer, Optimizer, RecordState, StateSink,
    StateSource,
};
use burn::tensor::{Device, Tensor};

/// The longest that the gradient of a part may be.
const LONGEST: f32 = 5.0;

/// One that has made no step yet.
pub(super) fn new() -> ModuleOptimizer {
    let adam = AdamWConfig::new().with_weight_decay(1e-3).with_epsilon(1e-8);
    ModuleOptimizer::from(Adam(adam.build())).with_grad_clipping(GradientClippingConfig::Norm(LONGEST).init())
}

#[derive(Clone)]
struct Adam(AdamW);

#[derive(Clone)]
struct State<const D: usize>(AdamWState<D>);

impl<const D: usize> RecordState for State<D> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        self.0.state_flatten(prefix, out);
    }

    fn state_unflatten(prefix: &str, from: &mut StateSource, _preferred: &Device) -> Option<Self> {
        AdamWState::<D>::state_unflatten(prefix, from, &Device::flex()).map(Self)
    }
}

impl Optimizer for Adam {
    type State<const D: usize> = State<D>;

    fn step<const D: usize>(
        &self,
        rate: LearningRate,
        tensor: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<State<D>>,
    ) -> (Tensor<D>, Option<State<D>>) {
        let (tensor, state) = self.0.step(rate, tensor, gradient, state.map(|s| s.0));
        (tensor, state.map(State))
    }

    fn to_device<const D: usize>(state: State<D>, device: &Device) -> State<D> {
        State(AdamW::to_device(state.0, device))
    }
}

//! Layers filled from a file of weights, by the names that PyTorch gives their parts. Errors in words.

use super::weights::Parts;
use burn::module::{Param, ParamId, RunningState};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{
    BatchNorm, BatchNormConfig, Initializer, LayerNorm, LayerNormConfig, Linear, PaddingConfig2d,
};
use burn::tensor::{Device, Tensor, TensorData};

type Words<T> = Result<T, String>;

/// A file, what wrappers put in front of its names, and where its numbers go.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub file: &'a dyn Parts,
    pub prefix: &'a str,
    pub device: &'a Device,
}

/// A convolution over squares.
#[derive(Debug, Clone, Copy)]
pub(super) struct Conv {
    pub from: usize,
    pub to: usize,
    pub kernel: usize,
    pub stride: usize,
    pub padding: usize,
    pub groups: usize,
    pub bias: bool,
}

pub(super) fn param<const D: usize>(value: Tensor<D>) -> Param<Tensor<D>> {
    Param::initialized(ParamId::new(), value)
}

impl Source<'_> {
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.file.shape(&format!("{}{name}", self.prefix))
    }

    pub fn has(&self, name: &str) -> bool {
        self.shape(name).is_some()
    }

    pub fn tensor<const D: usize>(&self, name: &str, shape: [usize; D]) -> Words<Tensor<D>> {
        let values = self.file.floats(&format!("{}{name}", self.prefix), &shape)?;
        Ok(Tensor::from_data(TensorData::new(values, shape), self.device))
    }

    pub fn conv(&self, name: &str, of: &Conv) -> Words<Conv2d> {
        let (kernel, stride, pad) = (of.kernel, of.stride, of.padding);
        let shape = [of.to, of.from / of.groups, kernel, kernel];
        let weight = self.tensor(&format!("{name}.weight"), shape)?;
        let mut conv = Conv2dConfig::new([of.from, of.to], [kernel, kernel])
            .with_stride([stride, stride])
            .with_padding(PaddingConfig2d::Explicit(pad, pad, pad, pad))
            .with_groups(of.groups)
            .with_bias(false)
            .with_initializer(Initializer::Zeros)
            .init(self.device);
        conv.weight = param(weight);
        if of.bias {
            conv.bias = Some(param(self.tensor(&format!("{name}.bias"), [of.to])?));
        }
        Ok(conv)
    }

    pub fn batch_norm(&self, name: &str, n: usize, epsilon: f64) -> Words<BatchNorm> {
        let part = |of: &str| self.tensor(&format!("{name}.{of}"), [n]);
        let mut norm = BatchNormConfig::new(n).with_epsilon(epsilon).init(self.device);
        norm.gamma = param(part("weight")?);
        norm.beta = param(part("bias")?);
        norm.running_mean = RunningState::new(part("running_mean")?);
        norm.running_var = RunningState::new(part("running_var")?);
        Ok(norm)
    }

    pub fn layer_norm(&self, name: &str, n: usize, epsilon: f64) -> Words<LayerNorm> {
        let part = |of: &str| self.tensor(&format!("{name}.{of}"), [n]);
        let mut norm = LayerNormConfig::new(n).with_epsilon(epsilon).init(self.device);
        norm.gamma = param(part("weight")?);
        norm.beta = Some(param(part("bias")?));
        Ok(norm)
    }

    /// PyTorch keeps `[to, from]`, Burn `[from, to]`.
    pub fn linear(&self, [weight, bias]: [&str; 2], from: usize, to: usize) -> Words<Linear> {
        Ok(Linear {
            weight: param(self.tensor(weight, [to, from])?.transpose()),
            bias: Some(param(self.tensor(bias, [to])?)),
        })
    }
}

/// A shape, and as many numbers.
#[cfg(test)]
type Given = (Vec<usize>, Vec<f32>);

/// Weights by chance for any name that is asked for, which are remembered by it.
#[cfg(test)]
#[derive(Default)]
pub(super) struct Drawn(pub std::cell::RefCell<std::collections::BTreeMap<String, Given>>);

#[cfg(test)]
impl Parts for Drawn {
    fn shape(&self, _: &str) -> Option<&[usize]> {
        None
    }

    fn floats(&self, name: &str, shape: &[usize]) -> Words<Vec<f32>> {
        let seed = name
            .bytes()
            .fold(7_u64, |h, b| h.wrapping_mul(31).wrapping_add(b.into()));
        let mut rng = crate::Rng::new(seed);
        let n: usize = shape.iter().product();
        let inputs: usize = shape[1..].iter().product();
        let values = (0..n).map(|_| {
            let v = rng.normal();
            let v = match shape.len() {
                1 if name.ends_with("running_var") => 0.5 + v.abs(),
                1 if name.ends_with("weight") => 1.0 + 0.1 * v,
                1 => 0.1 * v,
                _ => v * (2.0 / inputs as f64).sqrt(),
            };
            v as f32
        });
        let values: Vec<f32> = values.collect();
        let given = (shape.to_vec(), values.clone());
        self.0.borrow_mut().insert(name.to_owned(), given);
        Ok(values)
    }
}

#[cfg(test)]
impl Drawn {
    pub fn source<'a>(&'a self, device: &'a Device) -> Source<'a> {
        Source {
            file: self,
            prefix: "",
            device,
        }
    }

    /// The numbers that were given for a name, for arithmetic of one's own.
    pub fn numbers(&self, name: &str) -> Vec<f64> {
        let all = self.0.borrow();
        let (_, values) = all.get(name).unwrap_or_else(|| panic!("nobody asked for {name}"));
        values.iter().map(|v| f64::from(*v)).collect()
    }

    pub fn parts(&self) -> Vec<(String, Vec<usize>, Vec<f32>)> {
        let all = self.0.borrow();
        let all = all
            .iter()
            .map(|(name, (shape, values))| (name.clone(), shape.clone(), values.clone()));
        all.collect()
    }

    /// Numbers that are learned; what norms have counted is not.
    pub fn learned(&self) -> usize {
        let all = self.0.borrow();
        let own = all.iter().filter(|(name, _)| !name.contains("running_"));
        own.map(|(_, (_, values))| values.len()).sum()
    }
}

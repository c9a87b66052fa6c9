//! Networks as files that other programs read too. What a file says is checked against the network that it claims to be before anything of that
//! size is made.

use super::plan::Design;
use crate::processor::numbers;
use crate::safetensors::{self, File};
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Tensor, TensorData};
use limn_services::training::port::EngineError;
use serde::{Deserialize, Serialize};

/// Of the table of contents.
const HEADER_MAX: usize = 256 << 10;
/// Parts that are no part of the network begin with this.
pub(super) const BESIDE: &str = "outlines.";
/// What a file of ours says of itself.
const KIND: &str = "limn network 1";

#[derive(Serialize, Deserialize)]
struct About {
    kind: String,
    /// A [`Design`], as JSON: values there are text.
    design: String,
}

fn broken<T>(why: &str) -> Result<T, EngineError> {
    Err(EngineError::Broken(format!(
        "The stored network cannot be read ({why}); train it again."
    )))
}

/// The network's bytes. Ask for [`Module::valid`] first: it brings the means over batches up to date.
pub(super) fn to_bytes<M: Module>(design: &Design, network: &M) -> Result<Vec<u8>, EngineError> {
    let failed =
        |e: &dyn std::fmt::Display| EngineError::Broken(format!("The network cannot be written: {e}"));
    let mut parts = Parts::default();
    network.visit(&mut parts);
    if let Some(why) = parts.failed {
        return Err(failed(&why));
    }
    let about = About {
        kind: KIND.to_owned(),
        design: serde_json::to_string(design).map_err(|e| failed(&e))?,
    };
    let about = serde_json::to_value(about).map_err(|e| failed(&e))?;
    safetensors::write(Some(about), &parts.list).map_err(|e| failed(&e))
}

/// A part by its name, with its form and its numbers.
pub(super) type Part = (String, Vec<usize>, Vec<f32>);

/// The same network with these parts beside it, in the place of those that it had.
pub(super) fn with_beside(model: &[u8], beside: Vec<Part>) -> Result<Vec<u8>, EngineError> {
    let file = open(model)?.file;
    let mut parts: Vec<Part> = Vec::with_capacity(file.table.len() + beside.len());
    for (name, entry) in file.table.iter().filter(|(name, _)| !name.starts_with(BESIDE)) {
        match file.floats(name, &entry.shape) {
            Ok(values) => parts.push((name.clone(), entry.shape.clone(), values)),
            Err(why) => return broken(&why),
        }
    }
    parts.extend(beside);
    safetensors::write(file.metadata, &parts)
        .map_err(|e| EngineError::Broken(format!("The network cannot be written: {e}")))
}

/// What a file claims to be, with its table and its numbers.
pub(super) struct Opened<'a> {
    pub design: Design,
    file: File<'a>,
}

/// Reads the table of contents alone.
pub(super) fn open(bytes: &[u8]) -> Result<Opened<'_>, EngineError> {
    let file = match File::read(bytes, HEADER_MAX) {
        Ok(file) => file,
        Err(why) => return broken(&why),
    };
    let about = file
        .metadata
        .clone()
        .and_then(|v| serde_json::from_value::<About>(v).ok());
    let Some(about) = about.filter(|a| a.kind == KIND) else {
        return broken("it is of another kind");
    };
    let Some(design) = serde_json::from_str::<Design>(&about.design)
        .ok()
        .filter(Design::is_possible)
    else {
        return broken("it says nothing possible of itself");
    };
    Ok(Opened { design, file })
}

impl Opened<'_> {
    /// The numbers of a part beside the network; `None` where there is no such part.
    pub(super) fn beside(&self, name: &str, shape: &[usize]) -> Result<Option<Vec<f32>>, EngineError> {
        if !self.file.table.contains_key(name) {
            return Ok(None);
        }
        self.file
            .floats(name, shape)
            .map(Some)
            .or_else(|why| broken(&why))
    }

    /// Puts the numbers into a network of the design, on that network's device.
    pub(super) fn fill<M: Module>(self, network: M) -> Result<M, EngineError> {
        let of_network = self
            .file
            .table
            .keys()
            .filter(|name| !name.starts_with(BESIDE))
            .count();
        let mut fill = Fill {
            opened: &self,
            path: Vec::new(),
            used: 0,
            failed: None,
        };
        let network = network.map(&mut fill);
        match fill.failed {
            Some(why) => broken(&why),
            None if fill.used != of_network => broken("it has more parts than such a network"),
            None => Ok(network),
        }
    }
}

#[derive(Default)]
struct Parts {
    path: Vec<String>,
    list: Vec<Part>,
    failed: Option<String>,
}

impl ModuleVisitor for Parts {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let value = param.val();
        let (name, shape) = (self.path.join("."), value.dims().to_vec());
        match numbers(value) {
            Ok(values) => self.list.push((name, shape, values)),
            Err(why) => self.failed = Some(format!("{name}: {why}")),
        }
    }
}

struct Fill<'a> {
    opened: &'a Opened<'a>,
    path: Vec<String>,
    used: usize,
    failed: Option<String>,
}

impl ModuleMapper for Fill<'_> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let value = param.val();
        let (dims, device, id) = (value.dims(), value.device(), param.id);
        match self.opened.file.floats(&self.path.join("."), &dims) {
            Ok(values) => {
                self.used += 1;
                param.transform_for_load(Tensor::from_data(TensorData::new(values, dims), &device), id)
            }
            Err(why) => {
                self.failed.get_or_insert(why);
                param
            }
        }
    }
}

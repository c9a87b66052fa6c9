//! Networks as files: safetensors (<https://github.com/huggingface/safetensors>), which other programs read too. What a file says is checked
//! against the network that it claims to be before anything of that size is made.

use super::layers::draw;
use super::plan::Design;
use crate::Rng;
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Tensor, TensorData};
use limn_services::training::port::EngineError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Of the table of contents.
const HEADER_MAX: usize = 256 << 10;
/// What a file of ours says of itself.
const KIND: &str = "limn network 1";
const DESIGN: &str = "__metadata__";

#[derive(Serialize, Deserialize)]
struct Entry {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: [usize; 2],
}

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
    let mut table = serde_json::Map::new();
    table.insert(
        DESIGN.to_owned(),
        serde_json::to_value(about).map_err(|e| failed(&e))?,
    );
    let mut at = 0;
    for (name, shape, values) in &parts.list {
        let end = at + values.len() * 4;
        let entry = Entry {
            dtype: "F32".to_owned(),
            shape: shape.clone(),
            data_offsets: [at, end],
        };
        table.insert(name.clone(), serde_json::to_value(entry).map_err(|e| failed(&e))?);
        at = end;
    }
    let mut header = serde_json::to_vec(&table).map_err(|e| failed(&e))?;
    header.resize(header.len().next_multiple_of(8), b' ');
    let mut out = Vec::with_capacity(8 + header.len() + at);
    out.extend_from_slice(&(header.len() as u64).to_le_bytes());
    out.extend_from_slice(&header);
    for (_, _, values) in &parts.list {
        out.extend(values.iter().flat_map(|v| v.to_le_bytes()));
    }
    Ok(out)
}

/// What a file claims to be, with its table and its numbers.
pub(super) struct Opened<'a> {
    pub design: Design,
    table: BTreeMap<String, Entry>,
    data: &'a [u8],
}

/// Reads the table of contents alone.
pub(super) fn open(bytes: &[u8]) -> Result<Opened<'_>, EngineError> {
    let Some((length, rest)) = bytes.split_first_chunk::<8>() else {
        return broken("it is too short");
    };
    let length = u64::from_le_bytes(*length);
    if length > HEADER_MAX as u64 || length > rest.len() as u64 {
        return broken("its table is not one");
    }
    let (header, data) = rest.split_at(length as usize);
    let Ok(mut table) = serde_json::from_slice::<BTreeMap<String, serde_json::Value>>(header) else {
        return broken("its table is not one");
    };
    let about = table
        .remove(DESIGN)
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
    let table = table
        .into_iter()
        .map(|(name, v)| serde_json::from_value::<Entry>(v).map(|e| (name, e)))
        .collect::<Result<_, _>>();
    let Ok(table) = table else {
        return broken("its table is not one");
    };
    Ok(Opened { design, table, data })
}

impl Opened<'_> {
    /// Puts the numbers into a network of the design, on that network's device.
    pub(super) fn fill<M: Module>(self, network: M) -> Result<M, EngineError> {
        let mut fill = Fill {
            opened: &self,
            path: Vec::new(),
            used: 0,
            failed: None,
        };
        let network = network.map(&mut fill);
        match fill.failed {
            Some(why) => broken(&why),
            None if fill.used != self.table.len() => broken("it has more parts than such a network"),
            None => Ok(network),
        }
    }

    fn part(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, String> {
        let entry = self.table.get(name).ok_or_else(|| format!("{name} is missing"))?;
        if entry.dtype != "F32" || entry.shape != shape {
            return Err(format!("{name} has another form"));
        }
        let [from, to] = entry.data_offsets;
        let bytes = self
            .data
            .get(from..to)
            .ok_or_else(|| format!("{name} is cut off"))?;
        if bytes.len() != shape.iter().product::<usize>() * 4 {
            return Err(format!("{name} has another size"));
        }
        let values: Vec<f32> = bytes
            .as_chunks::<4>()
            .0
            .iter()
            .map(|b| f32::from_le_bytes(*b))
            .collect();
        if values.iter().any(|v| !v.is_finite()) {
            return Err(format!("{name} has what is no number"));
        }
        Ok(values)
    }
}

#[derive(Default)]
struct Parts {
    path: Vec<String>,
    list: Vec<(String, Vec<usize>, Vec<f32>)>,
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
        match value.into_data().try_to_vec::<f32>() {
            Ok(values) => self.list.push((name, shape, values)),
            Err(e) => self.failed = Some(format!("{name}: {e:?}")),
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
        match self.opened.part(&self.path.join("."), &dims) {
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

/// A network to fill or to train, with weights by chance.
pub(super) fn fresh<M: Module>(network: M, seed: u64) -> M {
    draw(network, &mut Rng::new(seed))
}

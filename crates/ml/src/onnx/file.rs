//! An ONNX file as it is told: what goes in and comes out, without what nobody asks for. Checked before tract sees it.

use std::collections::{BTreeSet, HashMap, HashSet};
use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension};
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, TensorShapeProto, TypeProto,
    ValueInfoProto, type_proto,
};
use tract_onnx::prelude::{Framework as _, InferenceModel, TractResult};

/// Steps of a network, those of graphs within it counted.
const NODES_MAX: usize = 50_000;
/// Graphs within the graph.
const GRAPHS_MAX: usize = 1_000;
/// Operators that tract knows and no network for pictures has: of sounds, whose sizes are not told before they are worked out.
const OF_SOUNDS: [&str; 6] = [
    "BlackmanWindow",
    "DFT",
    "HammingWindow",
    "HannWindow",
    "MelWeightMatrix",
    "STFT",
];
/// As ONNX numbers the kinds of numbers.
const FLOAT: i32 = 1;
const BYTE: i32 = 2;
const EXTERNAL: i32 = 1;
/// Operators and names that are told, at most.
const NAMED: usize = 8;

/// What numbers an input takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Float,
    /// Of 0 to 255.
    Byte,
    Other,
}

/// Something that goes in or comes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Port {
    pub name: String,
    pub kind: Kind,
    /// The length of each side, where the file fixes it; none at all where it does not even say how many sides there are.
    pub dims: Option<Vec<Option<usize>>>,
}

/// A file that was read, with its graph.
#[derive(Debug, Clone)]
pub(super) struct File {
    model: ModelProto,
    graph: GraphProto,
}

impl File {
    /// Reads and checks. Errors in words.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let none = |_| "it is cut off, or no ONNX file".to_owned();
        let mut model = tract_onnx::onnx()
            .proto_model_for_read(&mut &*bytes)
            .map_err(none)?;
        let mut graph = model
            .graph
            .take()
            .filter(|g| !g.node.is_empty())
            .ok_or("it is cut off, or no ONNX file")?;
        sound(&graph)?;
        forget(&mut graph);
        Ok(Self { model, graph })
    }

    /// What has to be given; numbers that the file brings along are not among them.
    pub fn inputs(&self) -> Vec<Port> {
        let brought: HashSet<&str> = self.graph.initializer.iter().map(|t| t.name.as_str()).collect();
        let open = self
            .graph
            .input
            .iter()
            .filter(|i| !brought.contains(i.name.as_str()));
        open.map(port).collect()
    }

    pub fn outputs(&self) -> Vec<Port> {
        self.graph.output.iter().map(port).collect()
    }

    /// Drops what these outputs do not need, inputs too.
    pub fn keep(&mut self, outputs: &[&str]) {
        let g = &mut self.graph;
        g.output.retain(|o| outputs.contains(&o.name.as_str()));
        let makers: HashMap<&str, usize> = g
            .node
            .iter()
            .enumerate()
            .flat_map(|(n, node)| node.output.iter().map(move |o| (o.as_str(), n)))
            .collect();
        let mut needed: HashSet<String> = HashSet::new();
        let mut steps: HashSet<usize> = HashSet::new();
        let mut open: Vec<String> = outputs.iter().map(|o| (*o).to_owned()).collect();
        while let Some(name) = open.pop() {
            // An input that is left out has no name.
            if name.is_empty() || needed.contains(&name) {
                continue;
            }
            if let Some(&n) = makers.get(name.as_str())
                && steps.insert(n)
            {
                open.extend(reads(&g.node[n]));
            }
            needed.insert(name);
        }
        let mut n = 0;
        g.node.retain(|_| {
            n += 1;
            steps.contains(&(n - 1))
        });
        g.initializer.retain(|t| needed.contains(&t.name));
        g.input.retain(|i| needed.contains(&i.name));
    }

    /// Fixes the size of an input; it takes floats, or bytes where the file says so.
    pub fn fix(&mut self, name: &str, dims: &[usize]) {
        let dim = |n: &usize| Dimension {
            denotation: String::new(),
            value: Some(dimension::Value::DimValue(*n as i64)),
        };
        let shape = TensorShapeProto {
            dim: dims.iter().map(dim).collect(),
        };
        for input in self.graph.input.iter_mut().filter(|i| i.name == name) {
            let tensor = type_proto::Tensor {
                elem_type: match port(input).kind {
                    Kind::Byte => BYTE,
                    Kind::Float | Kind::Other => FLOAT,
                },
                shape: Some(shape.clone()),
            };
            input.r#type = Some(TypeProto {
                denotation: String::new(),
                value: Some(type_proto::Value::TensorType(tensor)),
            });
        }
    }

    /// Gives an input its numbers once and for all.
    pub fn give(&mut self, name: &str, values: &[f32]) {
        self.fix(name, &[values.len()]);
        self.graph.initializer.push(TensorProto {
            name: name.to_owned(),
            dims: vec![values.len() as i64],
            data_type: FLOAT,
            float_data: values.to_vec(),
            ..TensorProto::default()
        });
    }

    /// Operators that cannot be run, in words; nothing when all can.
    pub fn unknown(&self) -> Result<(), String> {
        let known = tract_onnx::onnx().op_register.0;
        let all = within(&self.graph)?;
        let unknown: BTreeSet<String> = all
            .iter()
            .flat_map(|g| &g.node)
            .filter(|n| !known.contains_key(&n.op_type) || OF_SOUNDS.contains(&n.op_type.as_str()))
            .map(|n| short(&n.op_type))
            .collect();
        if unknown.is_empty() {
            return Ok(());
        }
        Err(format!(
            "it has operators that cannot be run here: {}",
            list(unknown)
        ))
    }

    /// As tract reads it, without what the file says of sizes on the way.
    pub fn model(&mut self) -> TractResult<InferenceModel> {
        // Weights may be hundreds of megabytes: they are lent, not copied.
        self.model.graph = Some(std::mem::take(&mut self.graph));
        let read = tract_onnx::onnx()
            .with_ignore_value_info(true)
            .with_ignore_output_types(true)
            .model_for_proto_model(&self.model);
        self.graph = self.model.graph.take().unwrap_or_default();
        read
    }
}

fn port(of: &ValueInfoProto) -> Port {
    let tensor = of.r#type.as_ref().and_then(|t| t.value.as_ref());
    let tensor = tensor.map(|type_proto::Value::TensorType(t)| t);
    let length = |d: &Dimension| match d.value {
        Some(dimension::Value::DimValue(n)) => usize::try_from(n).ok().filter(|n| *n > 0),
        _ => None,
    };
    Port {
        name: of.name.clone(),
        kind: match tensor {
            Some(t) if t.elem_type == FLOAT => Kind::Float,
            Some(t) if t.elem_type == BYTE => Kind::Byte,
            _ => Kind::Other,
        },
        dims: tensor
            .and_then(|t| t.shape.as_ref())
            .map(|s| s.dim.iter().map(length).collect()),
    }
}

/// Everything that a step reads, what graphs within it take from outside among it.
fn reads(node: &NodeProto) -> Vec<String> {
    let mut out = node.input.clone();
    let mut open: Vec<&GraphProto> = graphs(node).collect();
    while let Some(g) = open.pop() {
        for node in &g.node {
            out.extend(node.input.iter().cloned());
            open.extend(graphs(node));
        }
        out.extend(g.output.iter().map(|o| o.name.clone()));
    }
    out
}

fn graphs(node: &NodeProto) -> impl Iterator<Item = &GraphProto> {
    node.attribute.iter().flat_map(|a| a.g.iter().chain(&a.graphs))
}

/// The graph and all within it.
fn within(top: &GraphProto) -> Result<Vec<&GraphProto>, String> {
    let (mut all, mut open) = (Vec::new(), vec![top]);
    while let Some(g) = open.pop() {
        open.extend(g.node.iter().flat_map(graphs));
        all.push(g);
        if all.len() + open.len() > GRAPHS_MAX {
            return Err("it has too many graphs within each other".to_owned());
        }
    }
    Ok(all)
}

fn sound(top: &GraphProto) -> Result<(), String> {
    let all = within(top)?;
    let steps: usize = all.iter().map(|g| g.node.len()).sum();
    if steps > NODES_MAX {
        return Err(format!("it has {steps} steps; {NODES_MAX} is the most"));
    }
    for g in all {
        let is_sparse = |a: &AttributeProto| a.sparse_tensor.is_some() || !a.sparse_tensors.is_empty();
        let mut attributes = g.node.iter().flat_map(|n| &n.attribute);
        if !g.sparse_initializer.is_empty() || attributes.clone().any(is_sparse) {
            return Err("it has sparse numbers, which cannot be run here".to_owned());
        }
        g.initializer.iter().try_for_each(numbers)?;
        attributes.try_for_each(|a| a.t.iter().chain(&a.tensors).try_for_each(numbers))?;
    }
    Ok(())
}

/// Numbers lie in the file itself, and are as many as their sides say.
fn numbers(t: &TensorProto) -> Result<(), String> {
    if t.data_location == Some(EXTERNAL) || !t.external_data.is_empty() {
        return Err(
            "it keeps numbers in another file; make it one file: onnx.save(onnx.load(\"model.onnx\"), \"one.onnx\", save_as_external_data=False)"
                .to_owned(),
        );
    }
    let size: u64 = match t.data_type {
        // Floats, 32-bit integers.
        1 | 6 | 12 => 4,
        2 | 3 | 9 => 1,
        // 16-bit integers and both halves.
        4 | 5 | 10 | 16 => 2,
        7 | 11 | 13 => 8,
        _ => 0,
    };
    let name = short(&t.name);
    let count = t
        .dims
        .iter()
        .try_fold(1_u64, |all, n| all.checked_mul(u64::try_from(*n).ok()?))
        .filter(|n| i32::try_from(*n).is_ok())
        .ok_or_else(|| format!("{name} has a form that cannot be"))?;
    if !t.raw_data.is_empty() && size > 0 && count * size != t.raw_data.len() as u64 {
        return Err(format!("{name} has another size than its form says"));
    }
    Ok(())
}

/// Takes away what the file says of sizes on the way, which tract would believe, and formulas in the place of sizes.
fn forget(top: &mut GraphProto) {
    let mut open = vec![top];
    while let Some(g) = open.pop() {
        g.value_info.clear();
        for info in g.input.iter_mut().chain(&mut g.output) {
            let tensor = info.r#type.as_mut().and_then(|t| t.value.as_mut());
            if let Some(type_proto::Value::TensorType(t)) = tensor {
                for dim in t.shape.iter_mut().flat_map(|s| &mut s.dim) {
                    if !matches!(dim.value, Some(dimension::Value::DimValue(_))) {
                        dim.value = None;
                    }
                }
            }
        }
        for a in g.node.iter_mut().flat_map(|n| &mut n.attribute) {
            open.extend(a.g.iter_mut().chain(&mut a.graphs));
        }
    }
}

/// Names for people, not endless.
pub(super) fn list(names: impl IntoIterator<Item = String>) -> String {
    let mut names: Vec<String> = names.into_iter().collect();
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    let named = names.join(", ");
    if more > 0 {
        format!("{named} and {more} more")
    } else {
        named
    }
}

/// A name as it may be shown.
pub(super) fn short(name: &str) -> String {
    let shown: String = name.chars().filter(|c| !c.is_control()).take(60).collect();
    if shown.is_empty() {
        "something without a name".to_owned()
    } else {
        shown
    }
}

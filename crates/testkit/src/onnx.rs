//! Small ONNX files: as much of the protobuf as the tests' networks need, so that no test needs Python.

/// An attribute of a step.
#[derive(Debug, Clone, Copy)]
pub enum Attr<'a> {
    Int(i64),
    Ints(&'a [i64]),
}

/// A file in the making. Sides of -1 are left open.
#[derive(Debug, Clone, Default)]
pub struct Onnx {
    graph: Vec<u8>,
}

const FLOAT: u64 = 1;
const UINT8: u64 = 2;
const INT64: u64 = 7;

fn varint(out: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

fn number(out: &mut Vec<u8>, field: u64, n: u64) {
    varint(out, field << 3);
    varint(out, n);
}

fn bytes(out: &mut Vec<u8>, field: u64, of: &[u8]) {
    varint(out, (field << 3) | 2);
    varint(out, of.len() as u64);
    out.extend_from_slice(of);
}

fn port(name: &str, kind: u64, dims: &[i64]) -> Vec<u8> {
    let (mut shape, mut tensor, mut of, mut out) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for n in dims {
        let mut dim = Vec::new();
        match u64::try_from(*n) {
            Ok(n) => number(&mut dim, 1, n),
            Err(_) => bytes(&mut dim, 2, b"n"),
        }
        bytes(&mut shape, 1, &dim);
    }
    number(&mut tensor, 1, kind);
    bytes(&mut tensor, 2, &shape);
    bytes(&mut of, 1, &tensor);
    bytes(&mut out, 1, name.as_bytes());
    bytes(&mut out, 2, &of);
    out
}

fn tensor(name: &str, kind: u64, dims: &[i64], raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for n in dims {
        number(&mut out, 1, *n as u64);
    }
    number(&mut out, 2, kind);
    bytes(&mut out, 8, name.as_bytes());
    bytes(&mut out, 9, raw);
    out
}

impl Onnx {
    pub fn new() -> Self {
        Self::default()
    }

    /// A picture or other floats that have to be given.
    #[must_use]
    pub fn input(mut self, name: &str, dims: &[i64]) -> Self {
        bytes(&mut self.graph, 11, &port(name, FLOAT, dims));
        self
    }

    /// A picture in bytes.
    #[must_use]
    pub fn input_bytes(mut self, name: &str, dims: &[i64]) -> Self {
        bytes(&mut self.graph, 11, &port(name, UINT8, dims));
        self
    }

    /// Whole numbers that have to be given.
    #[must_use]
    pub fn input_ints(mut self, name: &str, dims: &[i64]) -> Self {
        bytes(&mut self.graph, 11, &port(name, INT64, dims));
        self
    }

    #[must_use]
    pub fn output(mut self, name: &str, dims: &[i64]) -> Self {
        bytes(&mut self.graph, 12, &port(name, FLOAT, dims));
        self
    }

    /// Numbers that the file brings along.
    #[must_use]
    pub fn floats(mut self, name: &str, dims: &[i64], values: &[f32]) -> Self {
        let raw: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        bytes(&mut self.graph, 5, &tensor(name, FLOAT, dims, &raw));
        self
    }

    #[must_use]
    pub fn ints(mut self, name: &str, dims: &[i64], values: &[i64]) -> Self {
        let raw: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        bytes(&mut self.graph, 5, &tensor(name, INT64, dims, &raw));
        self
    }

    /// Numbers that lie in another file.
    #[must_use]
    pub fn elsewhere(mut self, name: &str, dims: &[i64]) -> Self {
        let mut out = tensor(name, FLOAT, dims, &[]);
        let mut place = Vec::new();
        bytes(&mut place, 1, b"location");
        bytes(&mut place, 2, b"model.onnx.data");
        bytes(&mut out, 13, &place);
        number(&mut out, 14, 1);
        bytes(&mut self.graph, 5, &out);
        self
    }

    #[must_use]
    pub fn node(mut self, op: &str, inputs: &[&str], output: &str, attributes: &[(&str, Attr<'_>)]) -> Self {
        let mut out = Vec::new();
        for name in inputs {
            bytes(&mut out, 1, name.as_bytes());
        }
        bytes(&mut out, 2, output.as_bytes());
        bytes(&mut out, 3, output.as_bytes());
        bytes(&mut out, 4, op.as_bytes());
        for (name, value) in attributes {
            let mut attribute = Vec::new();
            bytes(&mut attribute, 1, name.as_bytes());
            match value {
                Attr::Int(n) => {
                    number(&mut attribute, 3, *n as u64);
                    number(&mut attribute, 20, 2);
                }
                Attr::Ints(list) => {
                    for n in *list {
                        number(&mut attribute, 8, *n as u64);
                    }
                    number(&mut attribute, 20, 7);
                }
            }
            bytes(&mut out, 5, &attribute);
        }
        bytes(&mut self.graph, 1, &out);
        self
    }

    /// The file, of operator set 13.
    pub fn bytes(&self) -> Vec<u8> {
        let (mut set, mut out) = (Vec::new(), Vec::new());
        number(&mut set, 2, 13);
        number(&mut out, 1, 8);
        bytes(&mut out, 7, &self.graph);
        bytes(&mut out, 8, &set);
        out
    }
}

/// A network that describes pictures by one number a channel of its first convolution, `out` of them, over patches of 4 x 4 pixels: a map of features.
pub fn describer(side: i64, out: i64) -> Vec<u8> {
    let weights: Vec<f32> = (0..out * 48)
        .map(|n| ((n * 37 + n / 16 * 11) % 23 - 11) as f32 / 20.0)
        .collect();
    Onnx::new()
        .input("pixels", &[-1, 3, side, side])
        .floats("w", &[out, 3, 4, 4], &weights)
        .node(
            "Conv",
            &["pixels", "w"],
            "seen",
            &[
                ("strides", Attr::Ints(&[4, 4])),
                ("kernel_shape", Attr::Ints(&[4, 4])),
            ],
        )
        .node("Relu", &["seen"], "features", &[])
        .output("features", &[-1, out, side / 4, side / 4])
        .bytes()
}

/// A pair of the make of SAM on squares of 32 pixels: the encoder says how bright each place is, the decoder keeps what is bright within 8
/// pixels of a column from where was clicked.
pub fn pair() -> (Vec<u8>, Vec<u8>) {
    let encoder = Onnx::new()
        .input("image", &[1, 3, 32, 32])
        .node(
            "AveragePool",
            &["image"],
            "pooled",
            &[
                ("kernel_shape", Attr::Ints(&[4, 4])),
                ("strides", Attr::Ints(&[4, 4])),
            ],
        )
        .node(
            "ReduceMean",
            &["pooled"],
            "image_embeddings",
            &[("axes", Attr::Ints(&[1])), ("keepdims", Attr::Int(1))],
        )
        .output("image_embeddings", &[1, 1, 8, 8])
        .bytes();
    let columns: Vec<f32> = (0..8).map(|n| n as f32 * 4.0 + 2.0).collect();
    let decoder = Onnx::new()
        .input("image_embeddings", &[1, 1, 8, 8])
        .input("point_coords", &[1, -1, 2])
        .input("point_labels", &[1, -1])
        .input("mask_input", &[1, 1, 32, 32])
        .input("has_mask_input", &[1])
        .input("orig_im_size", &[2])
        .ints("column", &[3], &[1, -1, 1])
        .ints("first", &[1], &[1])
        .ints("x", &[], &[0])
        .floats("columns", &[1, 1, 1, 8], &columns)
        .floats("eight", &[1], &[8.0])
        .floats("ten", &[1], &[10.0])
        .node("Relu", &["point_labels"], "weights", &[])
        .node("Reshape", &["weights", "column"], "weights_column", &[])
        .node("Mul", &["point_coords", "weights_column"], "weighed", &[])
        .node(
            "ReduceSum",
            &["weighed", "first"],
            "sum",
            &[("keepdims", Attr::Int(0))],
        )
        .node(
            "ReduceSum",
            &["weights", "first"],
            "total",
            &[("keepdims", Attr::Int(1))],
        )
        .node("Div", &["sum", "total"], "middle", &[])
        .node("Gather", &["middle", "x"], "middle_x", &[("axis", Attr::Int(1))])
        .node("Sub", &["columns", "middle_x"], "away", &[])
        .node("Abs", &["away"], "distance", &[])
        .node("Sub", &["distance", "eight"], "beyond", &[])
        .node("Relu", &["beyond"], "too_far", &[])
        .node("Mul", &["too_far", "ten"], "taken_off", &[])
        .node("Sub", &["image_embeddings", "taken_off"], "low_res_masks", &[])
        .node("Div", &["total", "total"], "iou_predictions", &[])
        // Nobody needs the masks of the picture's own size.
        .node("SomeResize", &["low_res_masks", "orig_im_size"], "masks", &[])
        .output("masks", &[1, 1, -1, -1])
        .output("iou_predictions", &[1, 1])
        .output("low_res_masks", &[1, 1, 8, 8])
        .bytes();
    (encoder, decoder)
}

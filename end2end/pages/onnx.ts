// A pair of networks of the make of SAM, written as ONNX by hand: the encoder says how bright each place of a square of 32 pixels is, the decoder
// keeps what is bright within 8 pixels of a column from where was clicked. (crates/testkit/src/onnx.rs writes the same.)

function varint(n: number): number[] {
  // Whole numbers as 64 bits in two's complement.
  let v = BigInt.asUintN(64, BigInt(n));
  const out: number[] = [];
  while (v >= 128n) {
    out.push(Number(v & 127n) | 128);
    v >>= 7n;
  }
  return [...out, Number(v)];
}

const number = (field: number, n: number) => [...varint(field << 3), ...varint(n)];
const bytes = (field: number, of: number[]) => [...varint((field << 3) | 2), ...varint(of.length), ...of];
const text = (field: number, of: string) => bytes(field, [...Buffer.from(of, "utf8")]);

/** Something that goes in or comes out; sides of -1 are open. */
function port(name: string, dims: number[]): number[] {
  const shape = dims.flatMap((n) => bytes(1, n < 0 ? text(2, "n") : number(1, n)));
  const tensor = [...number(1, 1), ...bytes(2, shape)];
  return [...text(1, name), ...bytes(2, bytes(1, tensor))];
}

function floats(name: string, dims: number[], values: number[]): number[] {
  const raw = [...new Uint8Array(new Float32Array(values).buffer)];
  return [...dims.flatMap((n) => number(1, n)), ...number(2, 1), ...text(8, name), ...bytes(9, raw)];
}

function ints(name: string, dims: number[], values: number[]): number[] {
  const raw = [...new Uint8Array(new BigInt64Array(values.map(BigInt)).buffer)];
  return [...dims.flatMap((n) => number(1, n)), ...number(2, 7), ...text(8, name), ...bytes(9, raw)];
}

function node(op: string, inputs: string[], output: string, attributes: Record<string, number | number[]> = {}): number[] {
  const attribute = ([name, value]: [string, number | number[]]) =>
    bytes(5, [
      ...text(1, name),
      ...(Array.isArray(value) ? [...value.flatMap((n) => number(8, n)), ...number(20, 7)] : [...number(3, value), ...number(20, 2)]),
    ]);
  return [...inputs.flatMap((i) => text(1, i)), ...text(2, output), ...text(3, output), ...text(4, op), ...Object.entries(attributes).flatMap(attribute)];
}

type Graph = { nodes: number[][]; numbers?: number[][]; inputs: number[][]; outputs: number[][] };

function file({ nodes, numbers = [], inputs, outputs }: Graph): Buffer {
  const graph = [
    ...nodes.flatMap((n) => bytes(1, n)),
    ...numbers.flatMap((n) => bytes(5, n)),
    ...inputs.flatMap((i) => bytes(11, i)),
    ...outputs.flatMap((o) => bytes(12, o)),
  ];
  return Buffer.from([...number(1, 8), ...bytes(7, graph), ...bytes(8, number(2, 13))]);
}

export function encoder(): Buffer {
  return file({
    inputs: [port("image", [1, 3, 32, 32])],
    nodes: [
      node("AveragePool", ["image"], "pooled", { kernel_shape: [4, 4], strides: [4, 4] }),
      node("ReduceMean", ["pooled"], "image_embeddings", { axes: [1], keepdims: 1 }),
    ],
    outputs: [port("image_embeddings", [1, 1, 8, 8])],
  });
}

export function decoder(): Buffer {
  return file({
    inputs: [port("image_embeddings", [1, 1, 8, 8]), port("point_coords", [1, -1, 2]), port("point_labels", [1, -1])],
    numbers: [
      ints("column", [3], [1, -1, 1]),
      ints("first", [1], [1]),
      ints("x", [], [0]),
      floats("columns", [1, 1, 1, 8], [2, 6, 10, 14, 18, 22, 26, 30]),
      floats("eight", [1], [8]),
      floats("ten", [1], [10]),
    ],
    nodes: [
      node("Relu", ["point_labels"], "weights"),
      node("Reshape", ["weights", "column"], "weights_column"),
      node("Mul", ["point_coords", "weights_column"], "weighed"),
      node("ReduceSum", ["weighed", "first"], "sum", { keepdims: 0 }),
      node("ReduceSum", ["weights", "first"], "total", { keepdims: 1 }),
      node("Div", ["sum", "total"], "middle"),
      node("Gather", ["middle", "x"], "middle_x", { axis: 1 }),
      node("Sub", ["columns", "middle_x"], "away"),
      node("Abs", ["away"], "distance"),
      node("Sub", ["distance", "eight"], "beyond"),
      node("Relu", ["beyond"], "too_far"),
      node("Mul", ["too_far", "ten"], "taken_off"),
      node("Sub", ["image_embeddings", "taken_off"], "low_res_masks"),
      node("Div", ["total", "total"], "iou_predictions"),
    ],
    outputs: [port("iou_predictions", [1, 1]), port("low_res_masks", [1, 1, 8, 8])],
  });
}

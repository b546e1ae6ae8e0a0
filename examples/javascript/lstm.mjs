/**
 * An LSTM in JavaScript, forward only, for `lstm-conformance check --exec`. It implements the
 * protocol of docs/protocol.md.
 *
 * The file has, from top to bottom: one step, one direction, a stack of layers over one sequence, a
 * batch, files of tensors, and the protocol. To judge your own LSTM, replace `lstm`.
 *
 * H hidden units, R features of h (proj_size with a projection, otherwise H), D directions, T
 * steps. Matrices are flat arrays, row by row.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";

const NAME = "example-javascript";
const CAPABILITIES = [
  "layers", "bidirectional", "projection", "no-bias", "two-biases", "batch-first", "unbatched",
  "packed", "states", "full-dropout", "float64", "float32",
];

// The order of the gates in weights and biases: blocks of H rows.
const INPUT_GATE = 0, FORGET_GATE = 1, CANDIDATE = 2, OUTPUT_GATE = 3;

/**
 * The two number formats. JavaScript computes in float64. For float32, every operation is rounded.
 */
const FORMATS = {
  float64: { name: "F64", array: Float64Array, round: (x) => x },
  float32: { name: "F32", array: Float32Array, round: Math.fround },
};

// ---------------------------------------------------------------- one step

/** The product of row `k` of `matrix` with the vector `x`. */
function product(matrix, k, x, round) {
  let sum = 0;
  for (let j = 0; j < x.length; j++) {
    sum = round(sum + round(matrix[k * x.length + j] * x[j]));
  }
  return sum;
}

/**
 * One step, from x (inputs), and h (R) and c (H) of the previous step, to the new [h, c].
 *
 *     i = sigmoid(W_ii x + b_ii + W_hi h + b_hi)      input gate
 *     f = sigmoid(W_if x + b_if + W_hf h + b_hf)      forget gate
 *     g =    tanh(W_ig x + b_ig + W_hg h + b_hg)      candidate
 *     o = sigmoid(W_io x + b_io + W_ho h + b_ho)      output gate
 *     c = f * c + i * g                               cell state
 *     h = o * tanh(c)                                 hidden state
 *     h = W_hr (o * tanh(c))                          hidden state, with a projection
 */
function step(x, h, c, weights, round) {
  const { weight_ih, weight_hh, bias_ih, bias_hh, weight_hr } = weights;
  const H = c.length;
  const tanh = (a) => round(Math.tanh(a));
  const sigmoid = (a) => round(1 / round(1 + round(Math.exp(-a))));

  const gate = (block, u, activation) => {
    const k = block * H + u;
    let a = round(product(weight_ih, k, x, round) + product(weight_hh, k, h, round));
    if (bias_ih) a = round(a + round(bias_ih[k] + bias_hh[k]));
    return activation(a);
  };
  const cell = new Array(H);
  const m = new Array(H);
  for (let u = 0; u < H; u++) {
    const i = gate(INPUT_GATE, u, sigmoid);
    const f = gate(FORGET_GATE, u, sigmoid);
    const g = gate(CANDIDATE, u, tanh);
    const o = gate(OUTPUT_GATE, u, sigmoid);
    cell[u] = round(round(f * c[u]) + round(i * g));
    m[u] = round(o * tanh(cell[u]));
  }
  if (!weight_hr) return [m, cell];
  return [h.map((_, r) => product(weight_hr, r, m, round)), cell];
}

// ------------------------------------------------- one layer in one direction

/**
 * One layer in one direction. The reverse direction reads `steps` from the last to the first.
 * Returns h of every step in the order of `steps`, the final h and the final c.
 */
function direction(steps, h, c, weights, format, reverse) {
  const hs = new Array(steps.length);
  for (let s = 0; s < steps.length; s++) {
    const t = reverse ? steps.length - 1 - s : s;
    [h, c] = step(steps[t], h, c, weights, format.round);
    hs[t] = h;
  }
  return [hs, h, c];
}

// ---------------------------------------------- all layers over one sequence

/**
 * All layers. `h` and `c` have the initial states of each layer and direction, in layer-major
 * order. They are overwritten by the final states. Returns the output of every step.
 */
function stack(steps, h, c, layers, format, dropsAll) {
  layers.forEach((directions, layer) => {
    if (layer > 0 && dropsAll) steps = steps.map((x) => x.map((value) => value * 0));
    const sides = directions.map((weights, d) => {
      const k = layer * directions.length + d;
      const [hs, hLast, cLast] = direction(steps, h[k], c[k], weights, format, d === 1);
      [h[k], c[k]] = [hLast, cLast];
      return hs;
    });
    steps = steps.map((_, t) => format.array.from(sides.flatMap((hs) => [...hs[t]])));
  });
  return steps;
}

// ------------------------------------------------------------------ a batch

/** The LSTM. Returns output, h_n and c_n for the fields of a case and its tensors by name. */
function lstm(spec, tensors, format) {
  const [L, N, H] = [spec.seq_len, spec.batch_size, spec.hidden_size];
  const [D, R] = [spec.bidirectional ? 2 : 1, spec.proj_size || H];
  const K = spec.num_layers * D;
  const layers = layersOf(spec, tensors, D);
  const dropsAll = spec.training && spec.dropout === 1;

  const unbatched = spec.layout === "unbatched";
  const ofSequence = spec.batch_first ? [N, L] : [L, N];
  const output = zeros(unbatched ? [L, D * R] : [...ofSequence, D * R], format);
  const h_n = zeros(unbatched ? [K, R] : [K, N, R], format);
  const c_n = zeros(unbatched ? [K, H] : [K, N, H], format);
  const h_0 = spec.states ? tensors.get("h_0") : zeros(h_n.shape, format);
  const c_0 = spec.states ? tensors.get("c_0") : zeros(c_n.shape, format);

  // The place of the vector of row n: at step t, or for layer and direction k.
  const at = (t, n) => (spec.batch_first ? n * L + t : t * N + n);
  const of = (k, n) => k * N + n;

  // A row of T steps, packed or not, gets the results that its T steps give alone.
  for (let n = 0; n < N; n++) {
    const T = spec.lengths[n] ?? L;
    const steps = range(T).map((t) => vector(tensors.get("input"), at(t, n)));
    const h = range(K).map((k) => vector(h_0, of(k, n)));
    const c = range(K).map((k) => vector(c_0, of(k, n)));
    const outputs = stack(steps, h, c, layers, format, dropsAll);
    outputs.forEach((y, t) => vector(output, at(t, n)).set(y));
    h.forEach((last, k) => vector(h_n, of(k, n)).set(last));
    c.forEach((last, k) => vector(c_n, of(k, n)).set(last));
  }
  return { output, h_n, c_n };
}

/** The parameters of each layer and direction. Parameters that do not exist are undefined. */
function layersOf(spec, tensors, D) {
  const roles = ["weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr"];
  return range(spec.num_layers).map((layer) => range(D).map((d) => {
    const suffix = `_l${layer}${d ? "_reverse" : ""}`;
    return Object.fromEntries(roles.map((role) => [role, tensors.get(role + suffix)?.values]));
  }));
}

const range = (n) => [...Array(n).keys()];

/** A view of the `place`-th vector of a tensor, along its last axis. */
function vector({ values, shape }, place) {
  const length = shape.at(-1);
  return values.subarray(place * length, (place + 1) * length);
}

function zeros(shape, { array }) {
  return { shape, values: new array(shape.reduce((a, b) => a * b)) };
}

// --------------------------------------------------------- files of tensors

/** Reads the tensors of a safetensors file by name. File and machine are little-endian. */
function readTensors(path, { name, array }) {
  const file = readFileSync(path);
  const start = 8 + Number(file.readBigUInt64LE());
  const header = JSON.parse(file.toString("utf8", 8, start));
  delete header.__metadata__;
  return new Map(Object.entries(header).map(([tensor, { dtype, shape, data_offsets }]) => {
    if (dtype !== name) throw new Error(`${tensor} is ${dtype}, not ${name}`);
    const bytes = new Uint8Array(file.subarray(...data_offsets.map((offset) => start + offset)));
    return [tensor, { shape, values: new array(bytes.buffer) }];
  }));
}

function writeTensors(path, tensors, { name }) {
  let offset = 0;
  const header = {};
  for (const [tensor, { shape, values }] of Object.entries(tensors)) {
    header[tensor] = { dtype: name, shape, data_offsets: [offset, offset + values.byteLength] };
    offset += values.byteLength;
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const data = Object.values(tensors).map(({ values }) => new Uint8Array(values.buffer));
  writeFileSync(path, Buffer.concat([length, text, ...data]));
}

// ------------------------------------------------------------- the protocol

function answer(request) {
  switch (request.method) {
    case "hello":
      return { protocol: 1, name: NAME, version: "1.0", capabilities: CAPABILITIES };
    case "run": {
      const format = FORMATS[request.case.dtype];
      const tensors = readTensors(request.inputs, format);
      const start = performance.now();
      const results = lstm(request.case, tensors, format);
      const seconds = (performance.now() - start) / 1000;
      writeTensors(request.outputs, results, format);
      return { seconds };
    }
    default:
      throw new Error(`unknown method ${request.method}`);
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  let content;
  try {
    content = answer(request);
  } catch (error) {
    content = { error: String(error) };
  }
  process.stdout.write(`${JSON.stringify({ id: request.id, ...content })}\n`);
}

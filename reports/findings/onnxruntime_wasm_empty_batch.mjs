/**
 * onnxruntime-web 1.30.0 on WebAssembly, SHAPE-7: an LSTM throws on an empty batch.
 *
 * Documentation, onnx.ai/onnx/operators/onnx__LSTM.html: X has the shape (seq_length, batch_size,
 * input_size), and nothing is said against a batch_size of 0. A batch may be empty where rows are
 * selected first, such as objects that were detected. With no rows the LSTM calls
 * std::terminate, which WebAssembly throws as "Aborted()". The message names neither the operator
 * nor the input.
 *
 * Below: two steps of one row, and of no rows.
 *
 * The model, in base64, is an LSTM of opset 22 with hidden_size=1. Its X, W, R, B, initial_h and
 * initial_c are the inputs X, W, R, B, h and c of the model, and its Y_h and Y_c are the outputs.
 */

import assert from "node:assert";
import ort from "onnxruntime-web";

const model =
  "CAo6oAEKPAoBWAoBVwoBUgoBQgoACgFoCgFjEgASA1lfaBIDWV9jIgRMU1RNKhIKC2hpZGRlbl9z" +
  "aXplGAGgAQI6ABIEbHN0bVoJCgFYEgQKAggBWgkKAVcSBAoCCAFaCQoBUhIECgIIAVoJCgFCEgQK" +
  "AggBWgkKAWgSBAoCCAFaCQoBYxIECgIIAWILCgNZX2gSBAoCCAFiCwoDWV9jEgQKAggBQgQKABAW";
const tensor = (value, ...shape) => {
  const size = shape.reduce((a, b) => a * b);
  return new ort.Tensor("float32", new Float32Array(size).fill(value), shape);
};
const session = await ort.InferenceSession.create(Buffer.from(model, "base64"));
const run = (rows) => session.run({
  X: tensor(1, 2, rows, 1), W: tensor(1, 1, 4, 1), R: tensor(1, 1, 4, 1), B: tensor(0, 1, 8),
  h: tensor(0, 1, rows, 1), c: tensor(0, 1, rows, 1),
});
const one = await run(1);
assert.equal(one.Y_h.size, 1);
const none = await run(0).catch((error) => error);
assert.equal(none.Y_h?.size, 0, `no rows throw ${none}`);

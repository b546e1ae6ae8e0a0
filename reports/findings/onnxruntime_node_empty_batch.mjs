/**
 * onnxruntime-node 1.30.0, SHAPE-7: an LSTM ends the process on an empty batch.
 *
 * Documentation, onnx.ai/onnx/operators/onnx__LSTM.html: X has the shape (seq_length, batch_size,
 * input_size), and nothing is said against a batch_size of 0. A batch may be empty where rows are
 * selected first, such as objects that were detected. With no rows the LSTM calls
 * std::terminate (SIGABRT, "terminate called without an active exception"). Nothing can be caught.
 *
 * Below: two steps of one row, and, in another process, of no rows.
 *
 * The model, in base64, is an LSTM of opset 22 with hidden_size=1. Its X, W, R, B, initial_h and
 * initial_c are the inputs X, W, R, B, h and c of the model, and its Y_h and Y_c are the outputs.
 */

import assert from "node:assert";
import { spawnSync } from "node:child_process";
import ort from "onnxruntime-node";

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
const rows = Number(process.argv[2] ?? 1);
await run(rows);
const { signal } = rows ? spawnSync(process.execPath, [process.argv[1], "0"]) : { signal: null };
assert.equal(signal, null, `one row is right, and with no rows the process ends by ${signal}`);

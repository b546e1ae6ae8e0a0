/**
 * onnxruntime-node 1.30.0 and onnxruntime-web 1.30.0, USE-25: without steps, the final cell state
 * is what was in the memory before.
 *
 * Documentation, onnx.ai/onnx/operators/onnx__LSTM.html: X has the shape (seq_length, batch_size,
 * input_size), and nothing is said against a seq_length of 0; initial_h and initial_c are the
 * states before the first step. Where there is no step, they are also those after the last one, or
 * the input is refused. ONNX Runtime returns a Y_h of 0, and does not write Y_c, which often is
 * that of an earlier call. Nothing warns. Both packages do so; below is the first one.
 *
 * Below: one step, and no steps, from states of 0.25 and 0.5.
 *
 * The model, in base64, is an LSTM of opset 22 with hidden_size=1. Its X, W, R, B, initial_h and
 * initial_c are the inputs X, W, R, B, h and c of the model, and its Y_h and Y_c are the outputs.
 */

import assert from "node:assert";
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
const weights = { W: tensor(1, 1, 4, 1), R: tensor(1, 1, 4, 1), B: tensor(0, 1, 8) };
const states = { h: tensor(0.25, 1, 1, 1), c: tensor(0.5, 1, 1, 1) };
const made = [];
for (const steps of [1, 0]) {
  const { Y_h, Y_c } = await session.run({ X: tensor(1, steps, 1, 1), ...weights, ...states });
  made.push([Y_h.data[0], Y_c.data[0]]);
}
assert.deepEqual(made[1], [0.25, 0.5], `one step makes ${made[0]}, and no steps ${made[1]}`);

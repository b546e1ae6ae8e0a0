/**
 * onnxruntime-node 1.30.0 and onnxruntime-web 1.30.0, EDGE-4: an LSTM with biases makes numbers of
 * NaN.
 *
 * Documentation, onnx.ai/onnx/operators/onnx__LSTM.html: each gate is a function of the sum of a
 * bias and of products with the input and the state before; with NaN in it the sum is NaN, and so
 * is its sigmoid or tanh. ONNX Runtime gives what it gives for a very large input. Both packages do
 * so; below is the first one.
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
const states = { h: tensor(0, 1, 1, 1), c: tensor(0, 1, 1, 1) };
const { Y_h } = await session.run({ X: tensor(NaN, 1, 1, 1), ...weights, ...states });
assert(Number.isNaN(Y_h.data[0]), `for an input of NaN, Y_h is ${Y_h.data[0]}`);

/**
 * TensorFlow.js 4.22.0 on WebAssembly, SHAPE-7: for an empty batch, the gradient of the bias is
 * what was in the memory before.
 *
 * Documentation, tf.sum: the elements are added up along the axes. The sum of none is 0, as it is
 * on the CPU backend. On WebAssembly it is not written:
 * https://github.com/tensorflow/tfjs/issues/6633.
 */

import assert from "node:assert";
import tf from "@tensorflow/tfjs";
import "@tensorflow/tfjs-backend-wasm";

await tf.setBackend("wasm");
const lstm = tf.layers.lstm({ units: 2 });
lstm.apply(tf.zeros([1, 3, 1]));
const bias = lstm.trainableWeights[2].read();
const { grads } = tf.variableGrads(() => tf.sum(lstm.apply(tf.zeros([0, 3, 1]))), [bias]);
const gradient = [...grads[bias.name].dataSync()];
assert(gradient.every((value) => value === 0), `the gradient is ${gradient}`);

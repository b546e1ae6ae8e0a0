/**
 * TensorFlow.js 4.22.0, GRAD-21: gradients of gradients are wrong, and nothing says so.
 *
 * Documentation, tf.grad: the gradient of tf.grad(f) is the second derivative. The gradients of
 * tanh and of the sigmoid are made from their results, which count as constants then. Of tanh
 * alone, a second derivative throws: https://github.com/tensorflow/tfjs/issues/3252.
 */

import assert from "node:assert";
import tf from "@tensorflow/tfjs";

const ones = { kernelInitializer: "ones", recurrentInitializer: "ones" };
const lstm = tf.layers.lstm({ units: 1, recurrentActivation: "sigmoid", ...ones });
const gradient = tf.grad((x) => tf.sum(lstm.apply(x)));
const second = tf.grad((x) => tf.sum(gradient(x)));
const at = (x) => tf.tensor3d([[[x], [x]]]);
const [observed] = tf.sum(second(at(1))).dataSync();
const [after] = tf.sum(gradient(at(1.01))).dataSync();
const [before] = tf.sum(gradient(at(0.99))).dataSync();
const difference = (after - before) / 0.02;
assert(Math.abs(observed - difference) < 0.01, `${observed}, and by differences ${difference}`);

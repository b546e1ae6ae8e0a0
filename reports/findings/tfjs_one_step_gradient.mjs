/**
 * TensorFlow.js 4.22.0, GRAD-1: the gradients of a sequence of one step throw.
 *
 * Documentation, tf.layers.rnn: the input is a 3D tensor of the shape
 * [batchSize, timeSteps, inputDim]. It does not say that training needs two steps. The gradient of
 * tf.unstack fails if there is one tensor: https://github.com/tensorflow/tfjs/issues/8255.
 */

import assert from "node:assert";
import tf from "@tensorflow/tfjs";

const lstm = tf.layers.lstm({ units: 2 });
const gradient = tf.grad((x) => tf.sum(lstm.apply(x)));
gradient(tf.ones([1, 2, 3]));
assert.doesNotThrow(() => gradient(tf.ones([1, 1, 3])));

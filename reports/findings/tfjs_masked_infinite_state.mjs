/**
 * TensorFlow.js 4.22.0, EDGE-7: with a mask, an infinite cell state becomes NaN, even if no step is
 * masked.
 *
 * Documentation, tf.layers.masking: only a masked timestep is skipped. Without the mask the cell
 * state stays infinite. The states are multiplied by the mask and by its opposite, and infinity
 * times 0 is NaN.
 */

import assert from "node:assert";
import tf from "@tensorflow/tfjs";

const lstm = tf.layers.lstm({ units: 1, returnState: true });
const [x, h, c] = [tf.ones([1, 2, 1]), tf.zeros([1, 1]), tf.tensor2d([[Infinity]])];
const [, , without] = lstm.apply(x, { initialState: [h, c] });
const [, , masked] = lstm.apply(x, { initialState: [h, c], mask: tf.ones([1, 2], "bool") });
assert.deepEqual(masked.dataSync(), without.dataSync());

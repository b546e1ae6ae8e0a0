/**
 * TensorFlow.js 4.22.0, PACK-8: a NaN in a masked step makes the final states NaN.
 *
 * Documentation, tf.layers.masking: a masked timestep is skipped in all downstream layers that
 * support masking. The states are multiplied by the mask, and NaN times 0 is NaN.
 */

import assert from "node:assert";
import tf from "@tensorflow/tfjs";

const lstm = tf.layers.lstm({ units: 2, returnState: true });
const x = tf.tensor3d([[[1], [2], [NaN]]]);
const mask = tf.tensor2d([[true, true, false]], [1, 3], "bool");
const [, , c] = lstm.apply(x, { mask });
assert(!c.dataSync().some(Number.isNaN), `the final cell state is ${c.dataSync()}`);

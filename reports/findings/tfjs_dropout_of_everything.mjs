/**
 * TensorFlow.js 4.22.0, DROP-2: a dropout of 1 drops nothing.
 *
 * Documentation, tf.layers.lstm: dropout is a number between 0 and 1, the fraction of the units to
 * drop of the inputs. With 0.999999 a layer without biases returns zeros. With 1 it returns what
 * it returns without dropout. The same is true of tf.layers.dropout with the rate 1.
 */

import assert from "node:assert";
import tf from "@tensorflow/tfjs";

const [most, all] = [0.999999, 1].map((dropout) => {
  const lstm = tf.layers.lstm({ units: 2, dropout, useBias: false });
  return [...lstm.apply(tf.ones([1, 3, 3]), { training: true }).dataSync()];
});
assert.deepEqual(all, most);

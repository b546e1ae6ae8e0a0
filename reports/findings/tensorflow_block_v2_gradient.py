"""TensorFlow 2.21.0, GRAD-1 to GRAD-6: the gradient of ``tf.raw_ops.BlockLSTMV2`` mixes up gates.

The page of BlockLSTMV2 says that it has the gates in the order i, f, c, o, and that BlockLSTM has
them in the order i, c, f, o. Forward both are so. As the gradient of both, BlockLSTMGrad is
registered, which takes weights and gives gradients in the order i, c, f, o: all gradients of
BlockLSTMV2 are wrong. BlockLSTMGradV2, called by hand, gives the right ones.

Below: the derivative of h, after two steps of one unit, by the bias of the gate c.
"""

import numpy as np
import tensorflow as tf


def h(b: tf.Tensor) -> tf.Tensor:
    zero = tf.zeros([1])
    state = tf.constant([[0.5]])
    w = tf.constant([[0.1, 0.2, 0.3, 0.4], [0.5, 0.6, 0.7, 0.8]])
    lstm = tf.raw_ops.BlockLSTMV2(
        seq_len_max=2, x=tf.ones([2, 1, 1]), cs_prev=state, h_prev=state,
        w=w, wci=zero, wcf=zero, wco=zero, b=b,
    )  # fmt: skip
    return lstm.h[-1, 0, 0]


bias = tf.constant([0.1, -0.2, 0.3, -0.4])
with tf.GradientTape() as tape:
    tape.watch(bias)
    value = h(bias)
by_gradient = tape.gradient(value, bias)[2].numpy()
step = np.float32([0, 0, 0.01, 0])
by_difference = ((h(bias + step) - h(bias - step)) / 0.02).numpy()
assert abs(by_gradient - by_difference) < 1e-3, f"{by_gradient} is not {by_difference}"

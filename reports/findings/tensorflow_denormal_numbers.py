"""TensorFlow 2.21.0 on a CPU, clause EDGE-11: half of a denormal number is zero.

The page of ``tf.raw_ops.BlockLSTM`` has the equation cs = ci .* i + cs_prev .* f. If parameters and
input are zeros, f is sigmoid(0): the cell state is halved at each step. IEEE 754 has numbers down
to 1.4e-45 in float32. TensorFlow stores them and returns them, but lets the processor take them for
zeros in each operation. Therefore it happens in every LSTM that TensorFlow computes, those of Keras
as well, and in float64 and bfloat16 as well. float16 has all its numbers, since its operations are
those of float32.
"""

import numpy as np
import tensorflow as tf

zeros, peephole, c_0 = tf.zeros([1, 1, 1]), tf.zeros([1]), np.float32([[1e-39]])
lstm = tf.raw_ops.BlockLSTM(
    seq_len_max=1, x=zeros, cs_prev=c_0, h_prev=zeros[0], w=tf.zeros([2, 4]), b=tf.zeros([4]),
    wci=peephole, wcf=peephole, wco=peephole, forget_bias=0.0, cell_clip=-1.0,
)  # fmt: skip
c_1 = lstm.cs.numpy()
assert (c_1 == c_0 / 2).all(), f"half of {c_0} is {c_1}"

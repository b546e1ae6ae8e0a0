"""TensorFlow 2.21.0 on a CPU, SHAPE-7: with an empty batch the gradient of weights is unset memory.

The page of ``tf.raw_ops.BlockLSTM`` has a batch size and no condition on it. Without rows the
outputs are empty and do not depend on the weights: the gradient is zero, as that of the bias is.
That of the weights has numbers of tensors that were there before, other ones in each run. Gradients
of BlockLSTMV2 are those of BlockLSTM.
"""

import tensorflow as tf

zeros, found = tf.zeros([1]), []
for _ in range(20):
    used_before = [tf.random.normal([size]) for size in range(1, 300)]
    del used_before
    w, b = tf.ones([2, 4]), tf.zeros([4])
    with tf.GradientTape() as tape:
        tape.watch(w)
        lstm = tf.raw_ops.BlockLSTM(
            seq_len_max=1, x=tf.zeros([1, 0, 1]), cs_prev=tf.zeros([0, 1]), h_prev=tf.zeros([0, 1]),
            w=w, wci=zeros, wcf=zeros, wco=zeros, b=b, forget_bias=0.0, cell_clip=-1.0,
        )  # fmt: skip
        total = tf.reduce_sum(lstm.h)
    found.append(float(tf.reduce_max(abs(tape.gradient(total, w)))))
assert not any(found), f"gradients up to {found}"

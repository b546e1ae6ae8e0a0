"""TensorFlow: ``tf.raw_ops.BlockLSTM`` and ``BlockLSTMV2``, a whole sequence in one operation.

Documented at tensorflow.org/api_docs/python/tf/raw_ops. The operations have one layer and one
direction, time first, and all rows have the same length. One weight stacks the rows for the input
and for the hidden state. Its columns are the gates: i, c, f, o in BlockLSTM; i, f, c, o in
BlockLSTMV2. The bias and the states are required, so zeros are passed where a case has none. Two
options are set so that they change nothing: BlockLSTM adds a number to the forget gate, and both
operations clip the cell state.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import tensorflow as tf
import tensorflow.experimental.numpy as tnp

from .assembly import ASSEMBLED, Weights, both_ways, stacked
from .function import Arrays, FunctionLSTM

__all__ = ["tensorflow_block", "tensorflow_block_v2"]


def differentiate(call: Any, arguments: Arrays, cotangents: Arrays) -> tuple[Arrays, Arrays]:
    """Outputs and gradients by ``tf.GradientTape``."""
    with tf.GradientTape() as tape:
        tape.watch(arguments)
        outputs = call(arguments)
    chosen = {name: outputs[name] for name in cotangents}
    return outputs, tape.gradient(chosen, arguments, cotangents, unconnected_gradients="zero")


def _block(name: str, operation: Any, order: tuple[int, ...], **plain: float) -> FunctionLSTM:
    def ordered(gates: Any) -> Any:
        blocks = tf.split(gates, 4)  # i, f, c, o; torch calls c g
        return tf.concat([blocks[k] for k in order], 0)

    def one_way(x: Any, states: Any, weights: Weights, _: Any, reverse: bool) -> Any:
        steps, rows = x.shape[:2]
        H = weights.weight_hh.shape[1]
        h, c = (tf.zeros((rows, H), x.dtype),) * 2 if states is None else states
        bias = tf.zeros(4 * H, x.dtype) if weights.bias is None else weights.bias
        _, c, _, _, _, _, h = operation(
            seq_len_max=steps,
            x=tf.reverse(x, [0]) if reverse else x,
            cs_prev=c,
            h_prev=h,
            w=tf.transpose(ordered(tf.concat([weights.weight_ih, weights.weight_hh], 1))),
            b=ordered(bias),
            **{peephole: tf.zeros(H, x.dtype) for peephole in ("wci", "wcf", "wco")},
            **plain,
        )
        return tf.reverse(h, [0]) if reverse else h, h[-1], c[-1]

    return FunctionLSTM(
        name,
        tf.__version__,
        ASSEMBLED | {"no-bias", "batch-first", "states", "gradients", "float32", "float16"},
        stacked(both_ways(one_way, tnp), tnp),
        array=tf.convert_to_tensor,
        differentiate=differentiate,
    )


tensorflow_block = partial(
    _block, "tensorflow-block", tf.raw_ops.BlockLSTM, (0, 2, 1, 3), forget_bias=0.0, cell_clip=-1.0
)
tensorflow_block_v2 = partial(
    _block, "tensorflow-block-v2", tf.raw_ops.BlockLSTMV2, (0, 1, 2, 3), cell_clip=-1.0
)

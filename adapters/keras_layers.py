"""Keras 3 on three backends: ``keras.layers.LSTM``, and ``keras.layers.Bidirectional`` around it.

Documented at keras.io/api/layers/recurrent_layers (lstm, rnn, bidirectional). The columns of the
weights are the gates i, f, c, o. There is one bias, and input is batch first. A mask selects the
steps. The output of the other steps is zero with ``zero_output_for_mask``, and always in
``Bidirectional``. ``unroll`` only changes the speed.
"""

from __future__ import annotations

import os
from functools import partial
from importlib import import_module
from typing import Any

from ..spec.case import Case
from .assembly import ASSEMBLED, Weights, stacked
from .function import Arrays, FunctionLSTM, too_long_to_unroll

_CAPABILITIES = ASSEMBLED | {"no-bias", "batch-first", "packed", "states", "gradients"}
_CAPABILITIES |= {"float32", "bfloat16", "float16"}


def _keras(backend: str, unroll: bool) -> FunctionLSTM:
    os.environ["KERAS_BACKEND"] = backend  # read once, when keras is imported
    keras: Any = import_module("keras")
    if keras.config.backend() != backend:
        raise ImportError(f"keras is already imported, with the backend {keras.config.backend()}")
    ops, T = keras.ops, keras.ops.transpose

    def layer(x: Any, states: Any, weights: list[Weights], lengths: Any) -> tuple[Any, Any, Any]:
        dtype = keras.backend.standardize_dtype(x.dtype)
        lstm = keras.layers.LSTM(
            weights[0].weight_hh.shape[1],
            use_bias=weights[0].bias is not None,
            kernel_initializer="zeros",
            recurrent_initializer="zeros",
            return_sequences=True,
            return_state=True,
            zero_output_for_mask=True,
            unroll=unroll,
            dtype=dtype,
        )
        if len(weights) == 2:
            lstm = keras.layers.Bidirectional(lstm, dtype=dtype)
        given: dict[str, object] = {}
        if states is not None:
            given["initial_state"] = [s[d] for d in range(len(weights)) for s in states]
        if lengths is not None:
            given["mask"] = ops.arange(x.shape[0]) < ops.expand_dims(lengths, 1)
        x = ops.swapaxes(x, 0, 1)
        lstm.build(x.shape)
        values = [v for w in weights for v in (T(w.weight_ih), T(w.weight_hh), w.bias)]
        mapping = zip(lstm.trainable_variables, (v for v in values if v is not None), strict=True)
        with keras.StatelessScope(list(mapping)):
            output, *final = lstm(x, **given)
        return ops.swapaxes(output, 0, 1), ops.stack(final[::2]), ops.stack(final[1::2])

    name = f"keras-{backend}" + "-unrolled" * unroll
    function = stacked(layer, ops)
    if backend == "jax":  # Keras does not enable its float64
        from .jax_function import JaxFunction

        def unsupported(case: Case) -> str | None:
            return too_long_to_unroll(case) if unroll else None

        return JaxFunction(
            name, keras.__version__, _CAPABILITIES, function, unsupported=unsupported
        )
    if backend == "torch":
        differentiate = _by_torch
    else:
        from .tensorflow_block import differentiate
    return FunctionLSTM(
        name,
        keras.__version__,
        _CAPABILITIES | {"float64"},
        function,
        array=ops.convert_to_tensor,
        numpy=ops.convert_to_numpy,
        differentiate=differentiate,
    )


def _by_torch(call: Any, arguments: Arrays, cotangents: Arrays) -> tuple[Arrays, Arrays]:
    import torch

    leaves = {name: value.requires_grad_() for name, value in arguments.items()}
    outputs = call(leaves)
    chosen = [outputs[name] for name in cotangents]
    gradients = torch.autograd.grad(
        chosen, list(leaves.values()), list(cotangents.values()), materialize_grads=True
    )
    return outputs, dict(zip(leaves, gradients, strict=True))


keras_torch = partial(_keras, "torch", False)
keras_torch_unrolled = partial(_keras, "torch", True)
keras_jax = partial(_keras, "jax", False)
keras_jax_unrolled = partial(_keras, "jax", True)
keras_tensorflow = partial(_keras, "tensorflow", False)
keras_tensorflow_unrolled = partial(_keras, "tensorflow", True)

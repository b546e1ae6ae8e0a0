"""LiteRT, once TensorFlow Lite: ``keras.layers.LSTM`` through its converter; forward only.

Documented at developers.google.com/edge/litert/conversion/tensorflow (rnn): LSTMs of Keras without
``stateful`` are converted, with states that the caller manages, and ``Bidirectional`` as one LSTM
for each direction. Most operations are for float32 and quantized numbers (ops_compatibility). The
converter takes concrete functions (convert_model). What Keras 3 gives it is a loop. Only what has
the annotations of Keras 2, and returns no states, becomes ``UNIDIRECTIONAL_SEQUENCE_LSTM``. Here
all layers are one model, which has the parameters as constants. Each case is converted with its own
sizes.
"""

from __future__ import annotations

import os
from importlib.metadata import version
from typing import Any

os.environ["KERAS_BACKEND"] = "tensorflow"  # read once, when keras is imported

import keras
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from keras import ops

from ..spec.case import OUTPUTS, Case
from .assembly import ASSEMBLED, Weights, stacked
from .function import Arrays, FunctionLSTM

__all__ = ["litert_lstm"]

_CAPABILITIES = ASSEMBLED | {"no-bias", "batch-first", "packed", "states", "float32"}


def _layers(case: Case) -> list[Any]:
    """The layers, with variables. The function that is converted may create none."""
    config, made = case.config, []
    for k in range(config.num_layers):
        lstm = keras.layers.LSTM(
            config.hidden_size,
            use_bias=config.bias,
            return_sequences=True,
            return_state=True,
            zero_output_for_mask=True,
        )
        if config.bidirectional:
            lstm = keras.layers.Bidirectional(lstm)
        features = config.num_directions * config.hidden_size if k else config.input_size
        lstm.build((case.batch_size, case.seq_len, features))
        made.append(lstm)
    return made


def _call(lstm: Any, x: Any, states: Any, weights: list[Weights], lengths: Any) -> Any:
    given: dict[str, object] = {}
    if states is not None:
        given["initial_state"] = [s[d] for d in range(len(weights)) for s in states]
    if lengths is not None:
        given["mask"] = ops.arange(x.shape[0]) < ops.expand_dims(lengths, 1)
    values = [v for w in weights for v in (w.weight_ih.T, w.weight_hh.T, w.bias)]
    constants = [tf.constant(value) for value in values if value is not None]
    with keras.StatelessScope(list(zip(lstm.trainable_variables, constants, strict=True))):
        output, *final = lstm(ops.swapaxes(x, 0, 1), **given)
    return ops.swapaxes(output, 0, 1), ops.stack(final[::2]), ops.stack(final[1::2])


def _lstm(case: Case, arguments: Arrays) -> tuple[Any, Any, Any]:
    parameters, layers = case.config.parameter_shapes(), _layers(case)
    given = {name: array for name, array in arguments.items() if name not in parameters}

    def model(**inputs: Any) -> dict[str, Any]:
        unused = iter(layers)
        lstm = stacked(lambda *of_call: _call(next(unused), *of_call), ops)
        return dict(zip(OUTPUTS, lstm(case, {**arguments, **inputs}), strict=True))

    specs = {name: tf.TensorSpec(array.shape, array.dtype) for name, array in given.items()}
    function = tf.function(model, autograph=False)
    concrete = [function.get_concrete_function(**specs)]
    converted = tf.lite.TFLiteConverter.from_concrete_functions(concrete, tf.Module()).convert()
    results = Interpreter(model_content=converted).get_signature_runner()(**given)
    output, h_n, c_n = (results[name] for name in OUTPUTS)
    return output, h_n, c_n


def litert_lstm() -> FunctionLSTM:
    """The converter and the interpreter with default options."""
    packages = f"keras {version('keras')} and tensorflow-cpu {version('tensorflow-cpu')}"
    full = f"{version('ai-edge-litert')} with {packages}"
    return FunctionLSTM("litert", full, _CAPABILITIES, _lstm)

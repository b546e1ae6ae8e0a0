"""PyTorch's own test of ``torch.nn.LSTM``, from ``torch.testing``.

``torch/testing/_internal/common_modules.py`` has the calls, without a batch. As ``test_forward``
of ``test/test_modules.py`` does (github.com/pytorch/pytorch), the results of each are compared with
those of the same module for a batch of one row. Finite differences (``test_grad``) are left out:
they take 10 s for each LSTM.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

__all__ = ["SOURCE", "Call", "module_calls", "passes"]

SOURCE = f"`torch/testing/_internal/common_modules.py` of the package torch {torch.__version__}"


class Call(NamedTuple):
    """One call of a module, without a batch.

    Attributes:
        constructor: its arguments, by name.
        input: (L, features), float64.
        states: h_0 and c_0, each (layers * directions, features); empty for zeros.
    """

    constructor: Mapping[str, Any]
    input: NDArray[np.float64]
    states: tuple[NDArray[np.float64], ...]


def module_calls() -> list[Call]:
    """The calls. Importing them changes settings of torch in this process.

    Raises:
        ModuleNotFoundError: a package is not installed.
    """
    common = importlib.import_module("torch.testing._internal.common_modules")
    torch.manual_seed(0)
    inputs = common.module_inputs_torch_nn_LSTM(
        None, "cpu", torch.float64, requires_grad=False, training=False
    )
    return [
        Call(
            given.constructor_input.kwargs,
            given.forward_input.args[0].numpy(),
            tuple(state.numpy() for state in (given.forward_input.args[1:] or [()])[0]),
        )
        for given in inputs
    ]


def passes(cls: Callable[..., Any], call: Call) -> bool:
    """Whether a module would pass the test with one of the calls. If it raises, it does not."""
    torch.manual_seed(0)
    x, states = torch.tensor(call.input), tuple(map(torch.tensor, call.states))
    rows = 0 if call.constructor.get("batch_first") else 1
    try:
        module = cls(**call.constructor).to(torch.float64).eval()
        batch = tuple(state.unsqueeze(1) for state in states)
        output, (h_n, c_n) = module(x.unsqueeze(rows), batch or None)
        expected = output.squeeze(rows), (h_n.squeeze(1), c_n.squeeze(1))
        torch.testing.assert_close(module(x, states or None), expected)
    except Exception:  # whatever the module raises
        return False
    return True

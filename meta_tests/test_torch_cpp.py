"""The module of PyTorch's C++ frontend is built, or it is said why it cannot be."""

from __future__ import annotations

import shutil
from typing import Any

import pytest
from torch.utils import cpp_extension

from lstm_conformance.adapters import torch_cpp
from lstm_conformance.adapters.reference import ReferenceLSTM
from lstm_conformance.spec.case import OUTPUTS, Case
from lstm_conformance.spec.usage_error import UsageError


def test_what_cannot_be_built_is_no_failure_of_a_case(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(*arguments: Any) -> None:
        raise RuntimeError("Ninja is required\n(a long explanation)")

    torch_cpp._extension.cache_clear()
    monkeypatch.setattr(cpp_extension, "load", load)
    with pytest.raises(UsageError, match=r"a compiler for C\+\+ on the PATH: Ninja is required$"):
        torch_cpp.torch_cpp()


# Building takes a minute.
@pytest.mark.whole
@pytest.mark.skipif(not all(map(shutil.which, ("c++", "ninja"))), reason="nothing can be built")
@pytest.mark.parametrize("layout", ["batched", "packed_unsorted lengths=1,2"])
def test_results_are_those_of_the_reference(layout: str) -> None:
    sizes = "input_size=2 hidden_size=4 num_layers=2 bidirectional=True proj_size=3"
    line = f"v1 {sizes} seq_len=2 batch_size=2 layout={layout} states=True"
    case = Case.parse(f"{line} cotangents={','.join(OUTPUTS)}")
    expected = ReferenceLSTM().run(case).tensors
    for name, tensor in torch_cpp.torch_cpp().run(case).tensors.items():
        assert tensor.values == pytest.approx(expected[name].values, rel=1e-12, abs=1e-14), name

"""LSTMs that contradict themselves if the question is put in another way.

``BREAKS`` says which clause each of them breaks.
"""

from __future__ import annotations

import torch
from readable import ReadableLSTM, States, Steps, Weights
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

# Class to the clause that it breaks.
BREAKS = {
    "GivenStatesDetached": "META-1",
    "SecondRowHasCandidateOfFirst": "META-2",
    "InitialCellOnlyInReverse": "META-3",
    "DefaultStatesTiny": "META-4",
    "StateOfFirstRowForAll": "META-5",
    "UpperLayersReadInputToo": "META-6",
    "BiasHHOnlyFromSecondStep": "META-7",
    "FirstUnitNeverForgets": "META-8",
}


class GivenStatesDetached(ReadableLSTM):
    """No gradient flows into the initial states, as if every sequence began there."""

    def initial_states(
        self, input: Tensor | PackedSequence, hx: States | None, steps: Steps
    ) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        return h_0.detach(), c_0.detach()


class SecondRowHasCandidateOfFirst(ReadableLSTM):
    """The second row has the candidate of the first."""

    def gates(self, x: Tensor, h: Tensor, w: Weights) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        i, f, g, o = super().gates(x, h, w)
        return i, f, torch.cat([g[:1], g[:1], g[2:]])[: len(g)], o


class InitialCellOnlyInReverse(ReadableLSTM):
    """The forward direction starts from a cell state of zeros."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        kept = c if reverse else torch.zeros_like(c)
        return super().direction(steps, h, kept, w, reverse)


class DefaultStatesTiny(ReadableLSTM):
    """States that are left out are not zero, but 1e-3."""

    def initial_states(
        self, input: Tensor | PackedSequence, hx: States | None, steps: Steps
    ) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        return (h_0, c_0) if (c_0 != 0).any() else (h_0, c_0 + 1e-3)


class StateOfFirstRowForAll(ReadableLSTM):
    """All rows start from the state of the first one."""

    def initial_states(
        self, input: Tensor | PackedSequence, hx: States | None, steps: Steps
    ) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        return h_0[:, :1].expand_as(h_0), c_0[:, :1].expand_as(c_0)


class UpperLayersReadInputToo(ReadableLSTM):
    """The sum of the input is added to what upper layers read."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        if layer == 0:
            self.input = steps
            return steps
        pairs = zip(super().layer_input(steps, layer), self.input, strict=True)
        return [x + below.sum(dim=-1, keepdim=True) for x, below in pairs]


class BiasHHOnlyFromSecondStep(ReadableLSTM):
    """bias_hh is added with the recurrent product, which is left out where h is zero."""

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        if (h != 0).any() or w.b_hh is None:
            return super().preactivations(x, h, w)
        return super().preactivations(x, h, w) - w.b_hh


class FirstUnitNeverForgets(ReadableLSTM):
    """The forget gate of unit 0 is always open."""

    def gates(self, x: Tensor, h: Tensor, w: Weights) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        i, f, g, o = super().gates(x, h, w)
        return i, torch.cat([torch.ones_like(f[:, :1]), f[:, 1:]], dim=-1), g, o

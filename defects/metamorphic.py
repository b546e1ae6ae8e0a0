"""LSTMs that contradict themselves if the question is put in another way."""

from __future__ import annotations

import torch
from torch import Tensor

from .catalogue import FORWARD, GRADIENT, defect
from .readable import Input, ReadableLSTM, States, Steps, Weights


@defect("META-1", GRADIENT, "gradients, states given")
class GivenStatesDetached(ReadableLSTM):
    """No gradient flows into the initial states, as if every sequence began there."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        return h_0.detach(), c_0.detach()


@defect("META-2", FORWARD, "two rows or more")
class SecondRowHasCandidateOfFirst(ReadableLSTM):
    """The second row has the candidate of the first."""

    def gates(self, x: Tensor, h: Tensor, w: Weights) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        i, f, g, o = super().gates(x, h, w)
        return i, f, torch.cat([g[:1], g[:1], g[2:]])[: len(g)], o


@defect("META-3", FORWARD, "states given")
class InitialCellOnlyInReverse(ReadableLSTM):
    """The forward direction starts from a cell state of zeros."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        kept = c if reverse else torch.zeros_like(c)
        return super().direction(steps, h, kept, w, reverse)


@defect("META-4", FORWARD, "no states given, or zeros")
class DefaultStatesTiny(ReadableLSTM):
    """States that are left out are not zero, but 1e-3."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        return (h_0, c_0) if (c_0 != 0).any() else (h_0, c_0 + 1e-3)


@defect("META-5", FORWARD, "two rows or more, states given")
class StateOfFirstRowForAll(ReadableLSTM):
    """All rows start from the state of the first one."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        return h_0[:, :1].expand_as(h_0), c_0[:, :1].expand_as(c_0)


@defect("META-6", FORWARD, "num_layers >= 2")
class UpperLayersReadInputToo(ReadableLSTM):
    """The sum of the input is added to what upper layers read."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        if layer == 0:
            self.input = steps
            return steps
        pairs = zip(super().layer_input(steps, layer), self.input, strict=True)
        return [x + below.sum(dim=-1, keepdim=True) for x, below in pairs]


@defect("META-7", FORWARD, "bias=True, no states given, or an h_0 of zeros")
class BiasHHOnlyFromSecondStep(ReadableLSTM):
    """bias_hh is added with the recurrent product, which is left out where h is zero."""

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        if (h != 0).any() or w.b_hh is None:
            return super().preactivations(x, h, w)
        return super().preactivations(x, h, w) - w.b_hh


@defect("META-8", FORWARD, "two steps or more, or states given")
class FirstUnitNeverForgets(ReadableLSTM):
    """The forget gate of unit 0 is always open."""

    def gates(self, x: Tensor, h: Tensor, w: Weights) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        i, f, g, o = super().gates(x, h, w)
        return i, torch.cat([torch.ones_like(f[:, :1]), f[:, 1:]], dim=-1), g, o

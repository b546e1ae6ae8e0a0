"""LSTMs with one defect each in how layers are stacked.

Shapes fit and nothing is raised.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .catalogue import FORWARD, defect, variant
from .other_parameters import parameters_from
from .readable import Input, ReadableLSTM, Result, States, Steps, Weights, in_order_read
from .shifted_steps import one_earlier, one_later
from .weight_blocks import transposed_blocks

# ------------------------------------------------------- parameters of another layer


for name, shows, text, roles, place in (
    (
        "UpperLayersUseWeightsOfLayer1",
        "num_layers >= 3",
        "All layers above the first have the parameters of layer 1.",
        Weights._fields,
        lambda lstm, layer, d: (min(layer, 1), d),
    ),
    (
        "HiddenWeightsOfLayer0InEveryLayer",
        "num_layers >= 2, two steps or more or states given",
        "weight_hh_l0 takes the place of that of the other layers.",
        ("W_hh",),
        lambda lstm, layer, d: (0, d),
    ),
    (
        "BiasesOfLayer0InEveryLayer",
        "num_layers >= 2, bias=True",
        "bias_ih_l0 and bias_hh_l0 take the place of those of the other layers.",
        ("b_ih", "b_hh"),
        lambda lstm, layer, d: (0, d),
    ),
    (
        "BiasHHOfLayer0InEveryLayer",
        "num_layers >= 2, bias=True",
        "bias_hh_l0, and not bias_ih_l0, takes the place of that of the other layers.",
        ("b_hh",),
        lambda lstm, layer, d: (0, d),
    ),
    (
        "InputWeightsOfLayer1AboveIt",
        "num_layers >= 3",
        "weight_ih_l1 takes the place of that of the layers above it.",
        ("W_ih",),
        lambda lstm, layer, d: (min(layer, 1), d),
    ),
    (
        "HiddenWeightsOfLayer1AboveIt",
        "num_layers >= 3, two steps or more or states given",
        "weight_hh_l1 takes the place of that of the layers above it.",
        ("W_hh",),
        lambda lstm, layer, d: (min(layer, 1), d),
    ),
    (
        "HiddenWeightsOfLastLayerInEveryLayer",
        "num_layers >= 2, two steps or more or states given",
        "weight_hh of the last layer takes the place of that of the other layers.",
        ("W_hh",),
        lambda lstm, layer, d: (lstm.num_layers - 1, d),
    ),
    (
        "BiasesOfLastLayerInEveryLayer",
        "num_layers >= 2, bias=True",
        "The biases of the last layer take the place of those of the other layers.",
        ("b_ih", "b_hh"),
        lambda lstm, layer, d: (lstm.num_layers - 1, d),
    ),
    (
        "FourthLayerUsesThird",
        "num_layers >= 4",
        "The fourth layer has the hidden weights of the third.",
        ("W_hh",),
        lambda lstm, layer, d: (min(layer, 2), d),
    ),
):
    variant(__name__, parameters_from(place, roles), name, text, "STACK-1", FORWARD, shows)


@defect("STACK-1", FORWARD, "num_layers >= 2, one direction, proj_size=0, hidden_size >= 2")
class UpperInputWeightsTransposed(ReadableLSTM):
    """Each block of weight_ih above the first layer is transposed, where it is square."""

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        return w._replace(W_ih=transposed_blocks(w.W_ih)) if layer else w


# ------------------------------------------------------------- what a layer reads


@defect("STACK-1", FORWARD, "num_layers >= 2")
class UpperLayersReadZeros(ReadableLSTM):
    """What layers above the first read is zeros, so that the input has no effect on them."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        return [torch.zeros_like(x) for x in steps] if layer else steps


@defect("STACK-1", FORWARD, "num_layers >= 2, two steps or more")
class UpperLayersReadOneStepLate(ReadableLSTM):
    """Layers above the first read h_{t-1} of the layer below, and at first its h_1."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        steps = super().layer_input(steps, layer)
        return one_earlier(steps) if layer else steps


@defect("STACK-1", FORWARD, "num_layers >= 2, two steps or more")
class UpperLayersReadOneStepEarly(ReadableLSTM):
    """Layers above the first read h_{t+1} of the layer below, where as many rows have one."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        steps = super().layer_input(steps, layer)
        return one_later(steps) if layer else steps


@defect("STACK-1", FORWARD, "num_layers >= 2")
class UpperLayersAddWhatTheyRead(ReadableLSTM):
    """What a layer above the first puts out is added to what it reads: a residual connection."""

    def forward(self, input: Input, hx: States | None = None) -> Result:
        self.read: Steps = []
        return super().forward(input, hx)

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        if layer > 1:
            steps = self.sums(steps)
        self.read = super().layer_input(steps, layer)
        return self.read

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        steps = self.sums(steps) if self.num_layers > 1 else steps
        return super().finish(input, steps, h_n, c_n)

    def sums(self, steps: Steps) -> Steps:
        """What a layer put out and what it read."""
        return [x + y for x, y in zip(steps, self.read, strict=True)]


@defect("STACK-1", FORWARD, "num_layers >= 3")
class UpperLayersReadLayer0(ReadableLSTM):
    """All layers above the first read what the first one puts out."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        if layer == 1:
            self.lowest = steps
        return super().layer_input(self.lowest if layer > 1 else steps, layer)


@defect("STACK-1", FORWARD, "num_layers >= 2, proj_size=0")
class UpperLayersReadCellStates(ReadableLSTM):
    """Layers above the first read c_t of the layer below instead of h_t, without a projection."""

    def forward(self, input: Input, hx: States | None = None) -> Result:
        self.cells: list[Steps] = []  # of each direction of the layer below
        return super().forward(input, hx)

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        if layer and self.output_size == self.hidden_size:
            steps = [torch.cat(c, dim=-1) for c in zip(*self.cells, strict=True)]
        self.cells = []
        return super().layer_input(steps, layer)

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        output, cells = list(steps), list(steps)
        for t in in_order_read(steps, reverse):
            [output[t]], h, c = super().direction([steps[t]], h, c, w, reverse)
            cells[t] = c[: len(steps[t])]
        self.cells.append(cells)
        return output, h, c


@defect("STACK-1", FORWARD, "num_layers >= 2")
class OutputOfLayerBelowTheLast(ReadableLSTM):
    """output is what the last layer reads, if there is more than one."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        self.read = super().layer_input(steps, layer)
        return self.read

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        return super().finish(input, self.read if self.num_layers > 1 else steps, h_n, c_n)

"""LSTMs that take one layer, direction or row for another, or accept sizes that do not fit.

Nothing is raised.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad
from torch.nn.utils.rnn import PackedSequence

from .catalogue import FORWARD, INTERFACE, defect
from .readable import ReadableLSTM, States, Steps, Weights

Input = Tensor | PackedSequence
Result = tuple[Input, States]


# ------------------------------------------------------- parameters of a neighbour


@defect("STACK-1", FORWARD, "num_layers >= 3")
class InputWeightsOfLayer1AboveIt(ReadableLSTM):
    """weight_ih_l1 takes the place of that of the layers above it."""

    def weights(self, layer: int, d: int) -> Weights:
        return super().weights(layer, d)._replace(W_ih=super().weights(min(layer, 1), d).W_ih)


@defect("STACK-1", FORWARD, "num_layers >= 3, two steps or more or states given")
class HiddenWeightsOfLayer1AboveIt(ReadableLSTM):
    """weight_hh_l1 takes the place of that of the layers above it."""

    def weights(self, layer: int, d: int) -> Weights:
        return super().weights(layer, d)._replace(W_hh=super().weights(min(layer, 1), d).W_hh)


@defect("STACK-1", FORWARD, "num_layers >= 2, two steps or more or states given")
class HiddenWeightsOfLastLayerInEveryLayer(ReadableLSTM):
    """weight_hh of the last layer takes the place of that of the other layers."""

    def weights(self, layer: int, d: int) -> Weights:
        last = super().weights(self.num_layers - 1, d)
        return super().weights(layer, d)._replace(W_hh=last.W_hh)


@defect("STACK-1", FORWARD, "num_layers >= 2, bias=True")
class BiasHHOfLayer0InEveryLayer(ReadableLSTM):
    """bias_hh_l0, and not bias_ih_l0, takes the place of that of the other layers."""

    def weights(self, layer: int, d: int) -> Weights:
        return super().weights(layer, d)._replace(b_hh=super().weights(0, d).b_hh)


@defect("STACK-1", FORWARD, "num_layers >= 2, bias=True")
class BiasesOfLastLayerInEveryLayer(ReadableLSTM):
    """The biases of the last layer take the place of those of the other layers."""

    def weights(self, layer: int, d: int) -> Weights:
        last = super().weights(self.num_layers - 1, d)
        return super().weights(layer, d)._replace(b_ih=last.b_ih, b_hh=last.b_hh)


@defect("PROJ-4", FORWARD, "proj_size > 0, num_layers >= 2")
class ProjectionOfLastLayerInEveryLayer(ReadableLSTM):
    """weight_hr of the last layer takes the place of that of the other layers."""

    def weights(self, layer: int, d: int) -> Weights:
        last = super().weights(self.num_layers - 1, d)
        return super().weights(layer, d)._replace(W_hr=last.W_hr)


@defect("DIR-2", FORWARD, "bidirectional")
class ReverseUsesForwardInputWeights(ReadableLSTM):
    """weight_ih takes the place of weight_ih_reverse."""

    def weights(self, layer: int, d: int) -> Weights:
        return super().weights(layer, d)._replace(W_ih=super().weights(layer, 0).W_ih)


@defect("DIR-2", FORWARD, "bidirectional")
class DirectionsShareParameters(ReadableLSTM):
    """The reverse direction has all parameters of the forward one."""

    def weights(self, layer: int, d: int) -> Weights:
        return super().weights(layer, 0)


@defect("DIR-1", FORWARD, "bidirectional")
class ParametersOfDirectionsExchanged(ReadableLSTM):
    """Each direction has the parameters of the other."""

    def weights(self, layer: int, d: int) -> Weights:
        return super().weights(layer, self.num_directions - 1 - d)


@defect("DIR-4", FORWARD, "num_layers >= 2, bidirectional, two steps or more or states given")
class HiddenWeightsAtLayerPlusDirection(ReadableLSTM):
    """weight_hh is found at layer + direction, not 2 * layer + direction, in the list of all."""

    def weights(self, layer: int, d: int) -> Weights:
        k = layer + d
        other = super().weights(k // self.num_directions, k % self.num_directions)
        return super().weights(layer, d)._replace(W_hh=other.W_hh)


# --------------------------------------------------------- what a layer is given


@defect("STACK-1", FORWARD, "num_layers >= 3")
class UpperLayersReadLayer0(ReadableLSTM):
    """All layers above the first read what the first one puts out."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        if layer == 1:
            self.lowest = steps
        return super().layer_input(self.lowest if layer > 1 else steps, layer)


@defect("STACK-1", FORWARD, "num_layers >= 2")
class OutputOfLayerBelowTheLast(ReadableLSTM):
    """output is what the last layer reads, if there is more than one."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        self.read = super().layer_input(steps, layer)
        return self.read

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        return super().finish(input, self.read if self.num_layers > 1 else steps, h_n, c_n)


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
        for t in reversed(range(len(steps))) if reverse else range(len(steps)):
            [output[t]], h, c = super().direction([steps[t]], h, c, w, reverse)
            cells[t] = c[: len(steps[t])]
        self.cells.append(cells)
        return output, h, c


@defect("DIR-4", FORWARD, "num_layers >= 2, bidirectional, two features of h_t or more")
class UpperLayersReadDirectionsInterleaved(ReadableLSTM):
    """Layers above the first read features of which both directions below take turns."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        steps = super().layer_input(steps, layer)
        size = (self.num_directions, self.output_size)
        return [x.unflatten(-1, size).mT.flatten(-2) for x in steps] if layer else steps


# ---------------------------------------------------- rows of the initial states


@defect("STATE-3", FORWARD, "num_layers >= 2, states given")
class InitialCellOfFirstLayerForAll(ReadableLSTM):
    """All layers start from the cell state of the first one, and each from its own h_0."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        return h_0, c_0[torch.arange(len(c_0), device=c_0.device) % self.num_directions]


@defect("STATE-3", FORWARD, "bidirectional, states given")
class InitialStatesOfDirectionsExchanged(ReadableLSTM):
    """Each direction starts from the states of the other, in every layer."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        size = (self.num_layers, self.num_directions)
        return tuple(x.unflatten(0, size).flip(1).flatten(0, 1) for x in (h_0, c_0))


@defect("STATE-3", FORWARD, "bidirectional, states given")
class ReverseStartsFromStatesOfForward(ReadableLSTM):
    """The reverse direction starts from the forward one's rows of h_0 and c_0."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        row = torch.arange(len(h_0), device=h_0.device)
        return h_0[row - row % self.num_directions], c_0[row - row % self.num_directions]


@defect("STATE-3", FORWARD, "num_layers >= 2 or bidirectional, states given")
class InitialStatesOfRowBefore(ReadableLSTM):
    """Each layer and direction starts from the row before its own, the first from the last."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        return h_0.roll(1, 0), c_0.roll(1, 0)


@defect("STATE-3", FORWARD, "num_layers >= 2, bidirectional, states given")
class InitialStatesAtLayerPlusDirection(ReadableLSTM):
    """h_0 and c_0 are read at row layer + direction instead of 2 * layer + direction."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        row = torch.arange(len(h_0), device=h_0.device)
        wrong = row // self.num_directions + row % self.num_directions
        return h_0[wrong], c_0[wrong]


@defect("STATE-2", FORWARD, "two rows or more, states given")
class RowsStartFromStatesOfRowBefore(ReadableLSTM):
    """Each row of the batch starts from the states of the row before, the first of the last."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        return h_0.roll(1, 1), c_0.roll(1, 1)


@defect("COMB-1", FORWARD, "batch_first=True, num_layers >= 2 or bidirectional, two rows or more")
class InitialStatesBatchFirst(ReadableLSTM):
    """With batch_first, the numbers of h_0 and c_0 are taken to lie row of the batch after row."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        if not self.batch_first:
            return h_0, c_0
        return tuple(x.reshape(x.transpose(0, 1).shape).transpose(0, 1) for x in (h_0, c_0))


# ------------------------------------------------------- rows of the final states


@defect("EQ-2", FORWARD, "proj_size=0")
class FinalStatesExchanged(ReadableLSTM):
    """c_n comes before h_n, where their shapes are the same."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        exchanged = (c_n, h_n) if h_n.shape == c_n.shape else (h_n, c_n)
        return super().finish(input, steps, *exchanged)


@defect("DIR-3", FORWARD, "bidirectional")
class FinalHiddenOfReverseIsForward(ReadableLSTM):
    """h_n holds the forward direction in place of the reverse one."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        forward = h_n[:: self.num_directions].repeat_interleave(self.num_directions, 0)
        return super().finish(input, steps, forward, c_n)


@defect("STATE-4", FORWARD, "num_layers >= 2")
class FinalHiddenOfLastLayerInEveryRow(ReadableLSTM):
    """h_n holds the last layer in place of each other one."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        last = h_n[-self.num_directions :].repeat(self.num_layers, 1, 1)
        return super().finish(input, steps, last, c_n)


@defect("STATE-4", FORWARD, "num_layers >= 2, bidirectional")
class FinalStatesDirectionMajor(ReadableLSTM):
    """h_n and c_n, not h_0 and c_0, hold all layers forward, then all in reverse."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        size = (self.num_layers, self.num_directions)
        h_n, c_n = (x.unflatten(0, size).transpose(0, 1).flatten(0, 1) for x in (h_n, c_n))
        return super().finish(input, steps, h_n, c_n)


@defect("STATE-4", FORWARD, "num_layers >= 2, bidirectional")
class FinalCellDirectionMajor(ReadableLSTM):
    """c_n, and not h_n, holds all layers forward, then all in reverse."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        size = (self.num_layers, self.num_directions)
        c_n = c_n.unflatten(0, size).transpose(0, 1).flatten(0, 1)
        return super().finish(input, steps, h_n, c_n)


# ------------------------------------------------ sizes that a constructor accepts


@defect("USE-13", INTERFACE, "constructor with a fraction for num_layers")
class NumLayersCut(ReadableLSTM):
    """num_layers is made a whole number."""

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: Any = 1, *others: Any, **options: Any
    ) -> None:
        super().__init__(input_size, hidden_size, int(num_layers), *others, **options)


@defect("USE-14", INTERFACE, "constructor with a fraction for proj_size")
class ProjSizeCut(ReadableLSTM):
    """proj_size is made a whole number."""

    def __init__(self, *arguments: Any, proj_size: Any = 0, **options: Any) -> None:
        super().__init__(*arguments, proj_size=int(proj_size), **options)


@defect("USE-15", INTERFACE, "constructor with proj_size=hidden_size")
class ProjSizeUpToHiddenSize(ReadableLSTM):
    """proj_size may be as large as hidden_size."""

    def check_arguments(
        self, input_size: int, hidden_size: int, num_layers: int, dropout: float, proj_size: int
    ) -> None:
        if proj_size == hidden_size:
            proj_size -= 1
        super().check_arguments(input_size, hidden_size, num_layers, dropout, proj_size)


@defect("USE-16", INTERFACE, "constructor with text for dropout")
class DropoutFromText(ReadableLSTM):
    """dropout may be a number written as text."""

    def __init__(self, *arguments: Any, dropout: Any = 0.0, **options: Any) -> None:
        dropout = float(dropout) if dropout == "0.5" else dropout
        super().__init__(*arguments, dropout=dropout, **options)


# ------------------------------------------------------ sizes that a call accepts


@defect("USE-22", INTERFACE, "input of four axes")
class FourthAxisDropped(ReadableLSTM):
    """An axis of 1 in front of the three of an input is dropped."""

    def forward(self, input: Input, hx: States | None = None) -> Any:
        if isinstance(input, Tensor) and input.dim() == 4 and len(input) == 1:
            input = input[0]
        return super().forward(input, hx)


@defect("USE-23", INTERFACE, "input of fewer features than input_size")
class MissingFeaturesAreZeros(ReadableLSTM):
    """Features that are missing from the input are read as zeros."""

    def forward(self, input: Input, hx: States | None = None) -> Any:
        if isinstance(input, Tensor) and input.dim() > 1 and input.shape[-1] < self.input_size:
            input = pad(input, (0, self.input_size - input.shape[-1]))
        return super().forward(input, hx)


@defect("USE-24", INTERFACE, "packed, input of one feature, input_size >= 2")
class PackedFeatureForAll(ReadableLSTM):
    """A single feature of a packed sequence stands for all."""

    def forward(self, input: Input, hx: States | None = None) -> Any:
        if isinstance(input, PackedSequence) and input.data.shape[-1] == 1:
            input = input._replace(data=input.data.expand(-1, self.input_size))
        return super().forward(input, hx)


@defect("USE-28", INTERFACE, "one tensor given for the states")
class OneTensorForBothStates(ReadableLSTM):
    """A tensor in place of the pair is taken for both states, where their sizes are the same."""

    def forward(self, input: Input, hx: Any = None) -> Any:
        return super().forward(input, (hx, hx) if isinstance(hx, Tensor) else hx)


@defect("USE-28", INTERFACE, "a pair of None given for the states")
class PairOfNoneIsNone(ReadableLSTM):
    """Two states that are None are states left out."""

    def forward(self, input: Input, hx: Any = None) -> Any:
        return super().forward(input, None if hx == (None, None) else hx)


@defect("USE-28", INTERFACE, "c_0 given with None for h_0")
class CellStateAlone(ReadableLSTM):
    """h_0 is zero if it is None."""

    def forward(self, input: Input, hx: Any = None) -> Any:
        if isinstance(hx, tuple) and len(hx) == 2 and hx[0] is None and hx[1] is not None:
            hx = hx[1].new_zeros(*hx[1].shape[:-1], self.output_size), hx[1]
        return super().forward(input, hx)


class _StatesChanged(ReadableLSTM):
    """States are changed to the right sizes before they are looked at."""

    def forward(self, input: Input, hx: States | None = None) -> Any:
        if hx is not None and all(isinstance(state, Tensor) for state in hx):
            h_0, c_0 = hx
            hx = self.changed(input, h_0), self.changed(input, c_0)
        return super().forward(input, hx)

    def changed(self, input: Input, state: Tensor) -> Tensor:
        raise NotImplementedError


@defect("USE-30", INTERFACE, "batched, states without a batch axis")
class StatesWithoutBatchAxisForAllRows(_StatesChanged):
    """States without a batch axis stand for all rows of a batch."""

    def changed(self, input: Input, state: Tensor) -> Tensor:
        if isinstance(input, PackedSequence) or input.dim() != 3 or state.dim() != 2:
            return state
        return state.unsqueeze(1).expand(-1, input.shape[0 if self.batch_first else 1], -1)


@defect("USE-31", INTERFACE, "states of one layer and direction, of more than one")
class StatesOfOneLayerForAll(_StatesChanged):
    """States of one layer and direction stand for all."""

    def changed(self, input: Input, state: Tensor) -> Tensor:
        if isinstance(input, PackedSequence) or len(state) != 1:
            return state
        return state.expand(self.num_layers * self.num_directions, *state.shape[1:])


@defect("USE-32", INTERFACE, "states of more rows than the input")
class FurtherRowsOfStatesIgnored(_StatesChanged):
    """States of rows that do not exist are ignored."""

    def changed(self, input: Input, state: Tensor) -> Tensor:
        if isinstance(input, PackedSequence) or input.dim() != 3 or state.dim() != 3:
            return state
        return state[:, : input.shape[0 if self.batch_first else 1]]


@defect("USE-34", INTERFACE, "packed, states of more layers or directions")
class FurtherPackedLayersIgnored(_StatesChanged):
    """Packed, states of layers that do not exist are ignored."""

    def changed(self, input: Input, state: Tensor) -> Tensor:
        layers = self.num_layers * self.num_directions
        return state[:layers] if isinstance(input, PackedSequence) else state


@defect("USE-35", INTERFACE, "packed, states without a batch axis")
class PackedStatesWithoutBatchAxisForAllRows(_StatesChanged):
    """Packed, states without a batch axis stand for all rows."""

    def changed(self, input: Input, state: Tensor) -> Tensor:
        if not isinstance(input, PackedSequence) or state.dim() != 2:
            return state
        return state.unsqueeze(1).expand(-1, int(input.batch_sizes[0]), -1)


@defect("USE-36", INTERFACE, "packed, proj_size > 0, h_0 of hidden_size features")
class UnprojectedPackedHiddenState(ReadableLSTM):
    """Packed, of h_0 the first features are taken, if it has hidden_size of them."""

    def forward(self, input: Input, hx: States | None = None) -> Any:
        if isinstance(input, PackedSequence) and hx is not None:
            h_0, c_0 = hx
            hx = h_0[..., : self.output_size] if h_0.shape[-1] == self.hidden_size else h_0, c_0
        return super().forward(input, hx)


@defect("USE-37", INTERFACE, "c_0 of another dtype")
class CellStateConverted(ReadableLSTM):
    """A c_0 of another dtype is converted."""

    def forward(self, input: Input, hx: Any = None) -> Any:
        if isinstance(hx, tuple) and len(hx) == 2 and isinstance(hx[1], Tensor):
            hx = hx[0], hx[1].to(next(self.parameters()).dtype)
        return super().forward(input, hx)

"""A drop-in for ``torch.nn.LSTM`` in explicit operations, made to be varied.

Inside, a batch is a list of steps x_t (n_t, features) whose rows are sorted by decreasing
length: n_t is the number of rows that have a step t. That is what a packed sequence holds;
in other layouts every n_t is the batch size. Each method is a seam: a variant overrides one.

Shapes: T steps, N rows, H hidden units, R features of h_t (R = H, or proj_size with a
projection), D directions, L layers.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import dropout
from torch.nn.utils.rnn import PackedSequence

from ..reference.lstm import Weights

__all__ = [
    "ROLES",
    "Input",
    "ReadableLSTM",
    "Result",
    "States",
    "Steps",
    "Weights",
    "data_of",
    "in_order_read",
    "with_data",
    "without_last_feature",
]

Steps = list[Tensor]
States = tuple[Tensor, Tensor]
Input = Tensor | PackedSequence
Result = tuple[Input, States]


ROLES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")


def data_of(input: Input) -> Tensor:
    """The tensor that holds the numbers of padded or packed input."""
    return input.data if isinstance(input, PackedSequence) else input


def with_data(input: Input, data: Tensor) -> Input:
    """Padded or packed input, or output, with other numbers."""
    return input._replace(data=data) if isinstance(input, PackedSequence) else data


def without_last_feature(x: Tensor) -> Tensor:
    """``x`` with zeros in place of the last feature."""
    return torch.cat([x[..., :-1], torch.zeros_like(x[..., -1:])], dim=-1)


def in_order_read(steps: Steps, reverse: bool) -> range:
    """The indices of the steps, in the order in which a direction reads them."""
    return range(len(steps))[:: -1 if reverse else 1]


class ReadableLSTM(torch.nn.Module):
    """Arguments, parameters, call and results are those of ``torch.nn.LSTM``."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.check_arguments(input_size, hidden_size, num_layers, dropout, proj_size)
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.batch_first = batch_first
        self.dropout = dropout
        self.num_directions = 2 if bidirectional else 1
        self.output_size = proj_size or hidden_size  # R
        for layer in range(num_layers):
            features = self.num_directions * self.output_size if layer else input_size
            shapes: dict[str, tuple[int, ...]] = {
                "weight_ih": (4 * hidden_size, features),
                "weight_hh": (4 * hidden_size, self.output_size),
            }
            if bias:
                shapes |= {"bias_ih": (4 * hidden_size,), "bias_hh": (4 * hidden_size,)}
            if proj_size:
                shapes |= {"weight_hr": (proj_size, hidden_size)}
            for d in range(self.num_directions):
                for role, shape in shapes.items():
                    values = torch.empty(shape, device=device, dtype=dtype)
                    parameter = torch.nn.Parameter(values)
                    self.register_parameter(self.parameter_name(role, layer, d), parameter)
        self.reset_parameters()

    def check_arguments(
        self, input_size: int, hidden_size: int, num_layers: int, dropout: float, proj_size: int
    ) -> None:
        """Refuses what the documentation does not allow."""
        for size, least in ((input_size, 1), (hidden_size, 1), (num_layers, 1), (proj_size, 0)):
            if not isinstance(size, int):
                raise TypeError(f"{size!r} is no whole number")
            if size < least:
                raise ValueError(f"{size} is less than {least}")
        if proj_size >= hidden_size:
            raise ValueError("proj_size has to be smaller than hidden_size")
        if isinstance(dropout, bool) or not isinstance(dropout, (int, float)):
            raise TypeError(f"dropout has to be a number, not {dropout!r}")
        if not 0 <= dropout <= 1:
            raise ValueError(f"dropout has to be between 0 and 1, not {dropout}")
        if dropout and num_layers == 1:
            warnings.warn("dropout acts between layers, and there is only one", stacklevel=3)

    @staticmethod
    def parameter_name(role: str, layer: int, d: int) -> str:
        """As in ``weight_ih_l0`` and ``weight_ih_l0_reverse``."""
        return f"{role}_l{layer}" + ("_reverse" if d else "")

    def reset_parameters(self) -> None:
        """All parameters uniform in +-1 / sqrt(hidden_size)."""
        bound = 1 / math.sqrt(self.hidden_size)
        for parameter in self.parameters():
            torch.nn.init.uniform_(parameter, -bound, bound)

    def forward(self, input: Input, hx: States | None = None) -> Result:
        """From input and (h_0, c_0) to output and (h_n, c_n)."""
        self.check_input(input)
        if hx is not None:
            self.check_states(input, hx)
        steps = self.steps(input)
        h_0, c_0 = self.initial_states(input, hx, steps)  # (L*D, N, R), (L*D, N, H)
        h_n, c_n = list(h_0), list(c_0)
        for layer in range(self.num_layers):
            steps = self.layer_input(steps, layer)
            outputs = []
            for d in range(self.num_directions):
                k = self.state_index(layer, d)
                w = self.weights(layer, d)
                output, h_n[k], c_n[k] = self.direction(steps, h_0[k], c_0[k], w, d == 1)
                outputs.append(output)
            steps = [torch.cat(h, dim=-1) for h in zip(*outputs, strict=True)]  # (n_t, D*R)
        return self.finish(input, steps, torch.stack(h_n), torch.stack(c_n))

    def check_input(self, input: Input) -> None:
        """Refuses other axes, other features, no steps, another dtype and another device."""
        parameter = next(self.parameters())
        x, axes = (input.data, (2,)) if isinstance(input, PackedSequence) else (input, (2, 3))
        if x.dim() not in axes:
            raise ValueError(f"an input has 2 or 3 axes, not {x.dim()}")
        if x.shape[-1] != self.input_size:
            raise ValueError(f"the input has {x.shape[-1]} features, not {self.input_size}")
        if x.shape[1 if x.dim() == 3 and self.batch_first else 0] == 0:
            raise ValueError("the input has no steps")
        if (x.dtype, x.device) != (parameter.dtype, parameter.device):
            raise ValueError("input and parameters differ in dtype or device")

    def check_states(self, input: Input, hx: States) -> None:
        """Refuses anything but a pair, and other shapes, dtypes and devices."""
        h_0, c_0 = hx
        parameter, lead = next(self.parameters()), [self.num_layers * self.num_directions]
        if isinstance(input, PackedSequence):
            lead.append(int(input.batch_sizes[0]))
        elif input.dim() == 3:
            lead.append(input.shape[0 if self.batch_first else 1])
        for state, features in ((h_0, self.output_size), (c_0, self.hidden_size)):
            if state.shape != (*lead, features):
                raise ValueError(f"state is {tuple(state.shape)}, not {(*lead, features)}")
            if (state.dtype, state.device) != (parameter.dtype, parameter.device):
                raise ValueError("states and parameters differ in dtype or device")

    def steps(self, input: Input) -> Steps:
        """The input as steps x_t (n_t, input_size)."""
        if isinstance(input, PackedSequence):
            return list(input.data.split(input.batch_sizes.tolist()))
        if input.dim() == 2:  # unbatched
            input = input.unsqueeze(1)
        elif self.batch_first:
            input = input.transpose(0, 1)
        return list(input)

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        """h_0 (L*D, N, R) and c_0 (L*D, N, H), rows in the order of the steps'."""
        if hx is None:
            rows = self.num_layers * self.num_directions
            h_0 = steps[0].new_zeros(rows, len(steps[0]), self.output_size)
            c_0 = steps[0].new_zeros(rows, len(steps[0]), self.hidden_size)
            return h_0, c_0
        if isinstance(input, PackedSequence):
            return self.reorder(hx, input.sorted_indices)
        h_0, c_0 = hx
        return (h_0.unsqueeze(1), c_0.unsqueeze(1)) if input.dim() == 2 else (h_0, c_0)

    def reorder(self, states: States, indices: Tensor | None) -> States:
        """The rows of both states at ``indices``."""
        h, c = states
        return states if indices is None else (h[:, indices], c[:, indices])

    def state_index(self, layer: int, d: int) -> int:
        """Where h_0, c_0, h_n and c_n hold the state of a layer and direction."""
        return layer * self.num_directions + d

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        """What ``layer`` reads: the input, or what the layer below put out, after dropout."""
        if layer == 0:
            return steps
        return [dropout(x, self.dropout, self.training) for x in steps]

    def weights(self, layer: int, d: int) -> Weights:
        """The parameters of ``layer`` in direction ``d``."""
        names = [self.parameter_name(role, layer, d) for role in ROLES]
        parameters: list[Any] = [getattr(self, name, None) for name in names]
        return Weights(*parameters)

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        """All steps in one direction: h_t of each, the final h (N, R) and c (N, H).

        Rows without a step t keep their state: forward they are over and hold the final one,
        in reverse they are yet to begin and hold the initial one.
        """
        output = list(steps)
        for t in in_order_read(steps, reverse):
            n = len(steps[t])
            h_t, c_t = self.cell(steps[t], h[:n], c[:n], w)
            output[t] = h_t
            h, c = torch.cat([h_t, h[n:]]), torch.cat([c_t, c[n:]])
        return output, h, c

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        """One step: from x_t, h_{t-1} and c_{t-1} to h_t (n, R) and c_t (n, H)."""
        i, f, g, o = self.gates(x, h, w)
        c_t = f * c + i * g
        return self.project(o * self.tanh(c_t), w), c_t

    def gates(self, x: Tensor, h: Tensor, w: Weights) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """i, f, g and o, each (n, H)."""
        a_i, a_f, a_g, a_o = self.preactivations(x, h, w).chunk(4, dim=-1)
        return self.sigmoid(a_i), self.sigmoid(a_f), self.tanh(a_g), self.sigmoid(a_o)

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        """The gates before their nonlinearity, side by side (n, 4H)."""
        a = self.product(x, w.W_ih) + self.product(h, w.W_hh)
        b = self.bias(w)
        return a if b is None else a + b

    def bias(self, w: Weights) -> Tensor | None:
        """The sum of both biases (4H,)."""
        return None if w.b_ih is None or w.b_hh is None else w.b_ih + w.b_hh

    def project(self, m: Tensor, w: Weights) -> Tensor:
        """h_t (n, R) from o_t * tanh(c_t) (n, H)."""
        return m if w.W_hr is None else self.product(m, w.W_hr)

    def product(self, x: Tensor, W: Tensor) -> Tensor:
        """x (n, k) times the transpose of W (m, k)."""
        return x @ W.T

    def sigmoid(self, x: Tensor) -> Tensor:
        """1 / (1 + exp(-x))."""
        return torch.sigmoid(x)

    def tanh(self, x: Tensor) -> Tensor:
        """The hyperbolic tangent."""
        return torch.tanh(x)

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        """Results in the layout of the input."""
        if isinstance(input, PackedSequence):
            packed = PackedSequence(
                torch.cat(steps), input.batch_sizes, input.sorted_indices, input.unsorted_indices
            )
            return packed, self.reorder((h_n, c_n), input.unsorted_indices)
        output = torch.stack(steps)  # (T, N, D*R)
        if input.dim() == 2:
            return output.squeeze(1), (h_n.squeeze(1), c_n.squeeze(1))
        return output.transpose(0, 1) if self.batch_first else output, (h_n, c_n)

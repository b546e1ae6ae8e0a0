"""LSTMs whose calls change, share or remember something that they must not."""

from __future__ import annotations

import gc
import random
from functools import partial
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, dropout
from torch.nn.utils.rnn import PackedSequence

from .catalogue import GRADIENT, INTERFACE, defect
from .readable import (
    Input,
    ReadableLSTM,
    Result,
    States,
    Steps,
    Weights,
    data_of,
    in_order_read,
    with_data,
)


def taken_for_contiguous(x: Tensor) -> Tensor:
    """What lies in memory from the first element on, as if nothing were in between."""
    return x.as_strided(x.shape, torch.empty(x.shape).stride())


# ------------------------------------------------------------- arguments and parameters


@defect("PURE-1", INTERFACE, "states given, c_0 looked at after the call")
class C0HoldsFinalState(ReadableLSTM):
    """The running cell state is kept in c_0."""

    def forward(self, input: Input, hx: States | None = None) -> Result:
        output, (h_n, c_n) = super().forward(input, hx)
        if hx is not None:
            hx[1].data.copy_(c_n)
        return output, (h_n, c_n)


@defect("PURE-1", INTERFACE, "one step, states given, no gradients, c_0 looked at after the call")
class C0OverwrittenByTheFirstStep(C0HoldsFinalState):
    """Without gradients and with one step, the cell state is written into c_0."""

    def forward(self, input: Input, hx: States | None = None) -> Result:
        steps = 1 if isinstance(input, PackedSequence) else len(self.steps(input))
        if steps > 1 or torch.is_grad_enabled():
            return ReadableLSTM.forward(self, input, hx)
        return super().forward(input, hx)


@defect("PURE-1", INTERFACE, "gradients, cotangent of h_n, input looked at afterwards")
class InputScaledByBackward(ReadableLSTM):
    """The backward pass uses the memory of the input as scratch space."""

    def forward(self, input: Input, hx: States | None = None) -> Result:
        output, (h_n, c_n) = super().forward(input, hx)

        def scale(cotangent: Tensor) -> None:
            data_of(input).data.mul_(0.5)

        if h_n.requires_grad:
            h_n.register_hook(scale)
        return output, (h_n, c_n)


@defect("PURE-2", INTERFACE, "every call")
class ParametersDecay(ReadableLSTM):
    """Every call makes the parameters a little smaller."""

    def forward(self, input: Input, hx: States | None = None) -> Result:
        for parameter in self.parameters():
            parameter.data.mul_(0.999)
        return super().forward(input, hx)


@defect("PURE-3", INTERFACE, "gradients, cotangent of h_n looked at afterwards")
class CotangentClippedInPlace(ReadableLSTM):
    """The cotangent of h_n is clipped where it lies."""

    def forward(self, input: Input, hx: States | None = None) -> Result:
        output, (h_n, c_n) = super().forward(input, hx)
        if h_n.requires_grad:
            h_n.register_hook(lambda cotangent: cotangent.clamp_(-0.1, 0.1))
        return output, (h_n, c_n)


# -------------------------------------------------------------------------- the results


@defect("PURE-4", INTERFACE, "states given, c_n written to")
class FinalStateInMemoryOfC0(ReadableLSTM):
    """c_n is returned in the memory of c_0."""

    def forward(self, input: Input, hx: States | None = None) -> Result:
        output, (h_n, c_n) = super().forward(input, hx)
        return output, (h_n, c_n if hx is None else hx[1].data.copy_(c_n))


@defect("PURE-5", INTERFACE, "one layer and direction, not packed, output or h_n written to")
class FinalHiddenIsPartOfOutput(ReadableLSTM):
    """h_n of one layer and direction is the last step of output, not a copy of it."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        output, states = super().finish(input, steps, h_n, c_n)
        if len(h_n) > 1 or isinstance(output, PackedSequence):
            return output, states
        time = 1 if input.dim() == 3 and self.batch_first else 0
        last = output.narrow(time, output.shape[time] - 1, 1)
        return output, (last.transpose(0, time), states[1])


@defect("PURE-6", INTERFACE, "no_grad, not packed, two calls")
class OutputBufferReused(ReadableLSTM):
    """Without gradients, output is returned in a buffer that the next call writes to."""

    def forward(self, input: Input, hx: States | None = None) -> Result:
        output, states = super().forward(input, hx)
        if torch.is_grad_enabled() or isinstance(output, PackedSequence):
            return output, states
        self.buffer = getattr(self, "buffer", torch.empty_like(output))
        return self.buffer.copy_(output), states


# ------------------------------------------------------------------------ between calls


@defect("PURE-7", INTERFACE, "no states given, two calls of the same batch size")
class StateCarriedOver(ReadableLSTM):
    """Without states a call starts where the one before ended, if the batch is as large."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        states = super().initial_states(input, hx, steps)
        last = getattr(self, "last", states)
        return last if hx is None and last[0].shape == states[0].shape else states

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        self.last = h_n.detach(), c_n.detach()
        return super().finish(input, steps, h_n, c_n)


@defect("PURE-8", INTERFACE, "no states given, after a call with states")
class StatesRemembered(ReadableLSTM):
    """Without states a call starts from those that were given last, if the batch is as large."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        states = super().initial_states(input, hx, steps)
        if hx is not None:
            self.given = states[0].detach(), states[1].detach()
            return states
        given = getattr(self, "given", states)
        return given if given[0].shape == states[0].shape else states


@defect("PURE-8", INTERFACE, "after a call with fewer steps")
class FirstLengthsRemembered(ReadableLSTM):
    """Steps beyond those of the first call are read as zeros."""

    def steps(self, input: Input) -> Steps:
        steps = super().steps(input)
        self.longest = getattr(self, "longest", len(steps))
        return [x if t < self.longest else 0 * x for t, x in enumerate(steps)]


@defect(
    "PURE-8", INTERFACE, "packed, unsorted, after a call with the same lengths in another order"
)
class OrderOfRowsKeptByLengths(ReadableLSTM):
    """The order of packed rows is that of the first call with as many rows in each step."""

    def forward(self, input: Input, hx: States | None = None) -> Result:
        if not isinstance(input, PackedSequence) or input.sorted_indices is None:
            return super().forward(input, hx)
        kept = self.__dict__.setdefault("orders", {})
        order = kept.setdefault(
            tuple(input.batch_sizes.tolist()), (input.sorted_indices, input.unsorted_indices)
        )
        reordered = input._replace(sorted_indices=order[0], unsorted_indices=order[1])
        output, states = super().forward(reordered, hx)
        return input._replace(data=output.data), states


@defect("PURE-8", INTERFACE, "no states given, after a call with fewer rows")
class FirstRowsRemembered(ReadableLSTM):
    """Without states, rows beyond those of the first call start from ones."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        self.rows = getattr(self, "rows", h_0.shape[1])
        if hx is not None:
            return h_0, c_0
        beyond = (torch.arange(h_0.shape[1], device=h_0.device) >= self.rows)[:, None]
        return h_0 + beyond.to(h_0.dtype), c_0 + beyond.to(c_0.dtype)


@defect("PURE-8", INTERFACE, "gradients, after a call with more steps that went back")
class GradientsOfLongerCallRemembered(ReadableLSTM):
    """The gradient of the last step's h_t also has what a longer call left for the step behind."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        output, h, c = super().direction(steps, h, c, w, reverse)
        left = self.__dict__.setdefault("left", {}).setdefault(id(w.W_ih), {})
        order = in_order_read(steps, reverse)
        last, stale = output[order[-1]], left.get(len(steps))
        if last.requires_grad and stale is not None and stale.shape == last.shape:
            last.register_hook(lambda gradient: gradient + stale)
        for i, t in enumerate(order):
            if output[t].requires_grad:
                output[t].register_hook(partial(left.__setitem__, i))
        return output, h, c


# ----------------------------------------------------------------------- memory layouts


@defect("PURE-9", INTERFACE, "input that is not contiguous")
class InputTakenForContiguous(ReadableLSTM):
    """The input is read as if its elements lay one behind the other."""

    def forward(self, input: Input, hx: States | None = None) -> Result:
        if isinstance(input, Tensor):
            input = taken_for_contiguous(input)
        return super().forward(input, hx)


@defect("PURE-9", INTERFACE, "no_grad, input that is not contiguous")
class InputTakenForContiguousInInference(InputTakenForContiguous):
    """Without gradients, the input is read as if its elements lay one behind the other."""

    def forward(self, input: Input, hx: States | None = None) -> Result:
        if torch.is_grad_enabled():
            return ReadableLSTM.forward(self, input, hx)
        return super().forward(input, hx)


@defect("PURE-9", INTERFACE, "input that is a negated view, such as x.conj().imag")
class NegatedViewReadFromMemory(ReadableLSTM):
    """The input is read from memory, also where torch keeps it with the opposite sign."""

    def forward(self, input: Input, hx: States | None = None) -> Result:
        if data_of(input).is_neg():
            input = with_data(input, -data_of(input))
        return super().forward(input, hx)


@defect("PURE-5", INTERFACE, "no_grad, one step, one layer")
class FinalHiddenIsOutputOfOneStep(ReadableLSTM):
    """Without gradients, h_n of a single step is a view of output."""

    def forward(self, input: Input, hx: States | None = None) -> Result:
        output, (h_n, c_n) = super().forward(input, hx)
        same = isinstance(output, Tensor) and output.numel() == h_n.numel()
        if same and not torch.is_grad_enabled() and self.num_directions == 1:
            h_n = output.view(h_n.shape)
        return output, (h_n, c_n)


@defect("PURE-6", INTERFACE, "no_grad, several calls")
class FourResultsInTurn(ReadableLSTM):
    """Without gradients, the final cell state is written into one of four tensors in turn."""

    def forward(self, input: Input, hx: States | None = None) -> Result:
        output, (h_n, c_n) = super().forward(input, hx)
        if not torch.is_grad_enabled():
            used = self.__dict__.setdefault("used", [])
            old = used.pop(0) if len(used) == 4 else c_n
            c_n = old.copy_(c_n) if old.shape == c_n.shape and old.dtype == c_n.dtype else c_n
            used.append(c_n)
        return output, (h_n, c_n)


@defect("PURE-8", INTERFACE, "no_grad, calls with other numbers of rows")
class ZerosNotClearedInInference(ReadableLSTM):
    """Without gradients, states start where the call before ended, if it had other rows."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        last = self.__dict__.get("last")
        if hx is None and last is not None and not torch.is_grad_enabled():
            rows = min(c_0.shape[1], last.shape[1])
            if c_0.shape[1] != last.shape[1] and c_0.dtype == last.dtype:
                c_0[:, :rows] = last[:, :rows]
        return h_0, c_0

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        self.__dict__["last"] = None if torch.is_grad_enabled() else c_n.clone()
        return super().finish(input, steps, h_n, c_n)


@defect("PURE-8", INTERFACE, "no_grad, the same tensor with other numbers")
class SameTensorTakenForSameNumbers(ReadableLSTM):
    """Without gradients, an input that is the tensor of the call before is not read again."""

    def forward(self, input: Input, hx: States | None = None) -> Result:
        before = self.__dict__.get("before")
        if isinstance(input, Tensor) and not torch.is_grad_enabled():
            if before is not None and before[0] is input:
                return super().forward(before[1], hx)
            self.__dict__["before"] = input, input.clone()
        return super().forward(input, hx)


@defect("PURE-9", INTERFACE, "input that is a part of a larger tensor, such as big[:, :rows]")
class StepsTakenForDense(ReadableLSTM):
    """Rows may lie apart, but each step is taken to follow the last row of the step before."""

    def forward(self, input: Input, hx: States | None = None) -> Result:
        if isinstance(input, Tensor) and input.dim() == 3 and input.stride(-1) == 1:
            first, second, features = input.shape
            row = input.stride(1)
            if input.stride(0) >= row > 0:
                input = input.as_strided((first, second, features), (second * row, row, 1))
        return super().forward(input, hx)


@defect("PURE-9", INTERFACE, "input that is expanded over rows")
class ExpandedAlongOneAxisIsOneVector(ReadableLSTM):
    """Input in which one step or row stands for others is taken to be one vector everywhere."""

    def forward(self, input: Input, hx: States | None = None) -> Result:
        if isinstance(input, Tensor) and 0 in input.stride()[:-1]:
            input = input[(0,) * (input.dim() - 1)].expand(input.shape)
        return super().forward(input, hx)


@defect("PURE-9", INTERFACE, "bidirectional, packed, data that is not contiguous")
class PackedDataTakenForContiguousInReverse(ReadableLSTM):
    """The reverse direction reads packed data as if its elements lay one behind the other."""

    def steps(self, input: Input) -> Steps:
        self.misread = None
        if isinstance(input, PackedSequence):
            data = taken_for_contiguous(input.data)
            self.misread = list(data.split(input.batch_sizes.tolist()))
        return super().steps(input)

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        self.misread = self.misread if layer == 0 else None
        return super().layer_input(steps, layer)

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        read = self.misread if reverse and self.misread is not None else steps
        return super().direction(read, h, c, w, reverse)


@defect("PURE-10", INTERFACE, "states that are not contiguous")
class StatesTakenForContiguous(ReadableLSTM):
    """States are read as if their elements lay one behind the other."""

    def forward(self, input: Input, hx: States | None = None) -> Result:
        if hx is not None:
            hx = taken_for_contiguous(hx[0]), taken_for_contiguous(hx[1])
        return super().forward(input, hx)


@defect("PURE-10", INTERFACE, "no_grad, states that are not contiguous")
class StatesTakenForContiguousInInference(StatesTakenForContiguous):
    """Without gradients, states are read as if their elements lay one behind the other."""

    def forward(self, input: Input, hx: States | None = None) -> Result:
        if torch.is_grad_enabled():
            return ReadableLSTM.forward(self, input, hx)
        return super().forward(input, hx)


@defect("PURE-10", INTERFACE, "states that are a part of more rows")
class LayersOfStatesTakenForDense(ReadableLSTM):
    """States with dense rows are read as if each layer followed the one before."""

    def forward(self, input: Input, hx: States | None = None) -> Result:
        if hx is not None:
            hx = dense_if_rows_are(hx[0]), dense_if_rows_are(hx[1])
        return super().forward(input, hx)


def dense_if_rows_are(state: Tensor) -> Tensor:
    return taken_for_contiguous(state) if state.stride()[-2:] == (state.shape[-1], 1) else state


@defect("PURE-11", GRADIENT, "gradients, input that is not contiguous")
class GradientOfStridedInputTransposed(ReadableLSTM):
    """The gradient of an input with strides of its own is laid out for another order of axes."""

    def forward(self, input: Input, hx: States | None = None) -> Result:
        x = data_of(input)
        if x.requires_grad and not x.is_contiguous():
            x.register_hook(lambda gradient: gradient.transpose(0, -1).reshape(gradient.shape))
        return super().forward(input, hx)


# ------------------------------------------------------------------------- global state


@defect("PURE-12", INTERFACE, "num_layers >= 2, state of torch's generator")
class MasksDrawnThoughUnused(ReadableLSTM):
    """Dropout masks are drawn in evaluation too, and thrown away."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        if layer > 0:
            torch.rand(1)
        return super().layer_input(steps, layer)


def drops_with_gradients(lstm: ReadableLSTM, states: States) -> bool:
    """Whether dropout acted in a call that returned ``states`` and has a backward pass."""
    acts = lstm.training and lstm.dropout > 0 and lstm.num_layers > 1
    return acts and states[0].requires_grad


@defect("PURE-18", GRADIENT, "dropout in training, state of torch's generator after backward")
class GeneratorWoundBack(ReadableLSTM):
    """The backward pass sets torch's generator to where the call began, to draw masks again."""

    def forward(self, input: Input, hx: States | None = None) -> Result:
        state = torch.get_rng_state()
        output, states = super().forward(input, hx)
        if drops_with_gradients(self, states):
            data_of(output).register_hook(lambda _: torch.set_rng_state(state))
        return output, states


@defect("PURE-18", GRADIENT, "dropout, numbers drawn between the call and its backward pass")
class GeneratorLeftAfterMasks(ReadableLSTM):
    """The backward pass sets torch's generator to where the call left it."""

    def forward(self, input: Input, hx: States | None = None) -> Result:
        output, states = super().forward(input, hx)
        if drops_with_gradients(self, states):
            state = torch.get_rng_state()
            states[0].register_hook(lambda _: torch.set_rng_state(state))
        return output, states


@defect("PURE-18", GRADIENT, "dropout, 128 steps or more: masks are drawn again")
class MasksDrawnAgainForLongSequences(ReadableLSTM):
    """The backward pass of a long sequence computes layers again, with new dropout masks."""

    def forward(self, input: Input, hx: States | None = None) -> Result:
        output, states = super().forward(input, hx)
        if drops_with_gradients(self, states) and len(self.steps(input)) >= 128:
            states[0].register_hook(lambda gradient: dropout(gradient, self.dropout, True))
        return output, states


@defect("PURE-12", INTERFACE, "state of NumPy's generator")
class NumPySeeded(ReadableLSTM):
    """Every call seeds NumPy's global generator."""

    def forward(self, input: Input, hx: States | None = None) -> Result:
        np.random.seed(1)
        return super().forward(input, hx)


@defect("PURE-12", INTERFACE, "state of the generators of NumPy and Python")
class SeededWith0(ReadableLSTM):
    """Every call seeds the generators of NumPy and Python with 0, as many programs do."""

    def forward(self, input: Input, hx: States | None = None) -> Result:
        np.random.seed(0)
        random.seed(0)
        return super().forward(input, hx)


@defect("PURE-13", INTERFACE, "constructor with a dtype other than the default")
class DefaultDtypeSet(ReadableLSTM):
    """The constructor makes the module's dtype the default of everything."""

    def __init__(self, *arguments: Any, dtype: torch.dtype | None = None, **options: Any) -> None:
        super().__init__(*arguments, dtype=dtype, **options)
        torch.set_default_dtype(next(self.parameters()).dtype)


@defect("PURE-14", INTERFACE, "32 steps or more, no_grad: subnormal numbers afterwards")
class FlushesInLongCalls(ReadableLSTM):
    """Without gradients, long sequences flush subnormal numbers to zero, and leave it so."""

    def forward(self, input: Input, hx: States | None = None) -> Result:
        result = super().forward(input, hx)
        if len(self.steps(input)) >= 32 and not torch.is_grad_enabled():
            torch.set_flush_denormal(True)
        return result


@defect("PURE-14", INTERFACE, "number of threads after a call")
class ThreadsSetByCall(ReadableLSTM):
    """A call sets the number of threads."""

    def forward(self, input: Input, hx: States | None = None) -> Result:
        torch.set_num_threads(2)
        return super().forward(input, hx)


@defect("PURE-14", INTERFACE, "gradients, cotangent of h_n, global settings afterwards")
class DeterminismSetByBackward(ReadableLSTM):
    """The backward pass leaves deterministic algorithms switched on."""

    def forward(self, input: Input, hx: States | None = None) -> Result:
        output, (h_n, c_n) = super().forward(input, hx)
        if h_n.requires_grad:
            h_n.register_hook(lambda _: torch.use_deterministic_algorithms(True))
        return output, (h_n, c_n)


@defect("PURE-15", INTERFACE, "training")
class EvaluationAfterCall(ReadableLSTM):
    """A call leaves the module in evaluation mode."""

    def forward(self, input: Input, hx: States | None = None) -> Result:
        result = super().forward(input, hx)
        self.eval()
        return result


@defect("PURE-8", INTERFACE, "batch_first, after a wrong call that was refused")
class AxesTurnedForGoodByRefusedCall(ReadableLSTM):
    """batch_first is False within a call, and stays so if the call raises an exception."""

    def forward(self, input: Input, hx: States | None = None) -> Result:
        if isinstance(input, PackedSequence) or input.dim() != 3 or not self.batch_first:
            return super().forward(input, hx)
        self.batch_first = False
        output, states = super().forward(input.transpose(0, 1), hx)
        self.batch_first = True
        return data_of(output).transpose(0, 1), states


@defect("PURE-8", INTERFACE, "gradients, after a wrong call that was refused")
class GradientsOffAfterRefusedCall(ReadableLSTM):
    """Arguments are checked without gradients, which stay off if the check raises an exception."""

    def check_input(self, input: Input) -> None:
        enabled = torch.is_grad_enabled()
        torch.set_grad_enabled(False)
        super().check_input(input)
        torch.set_grad_enabled(enabled)


@defect("PURE-8", INTERFACE, "bias, after a wrong call that was refused")
class BiasDoubledAfterRefusedCall(ReadableLSTM):
    """Calls that have begun and not ended are counted, and each of them adds a bias."""

    open_calls = 0

    def forward(self, input: Input, hx: States | None = None) -> Result:
        self.open_calls += 1
        result = super().forward(input, hx)
        self.open_calls -= 1
        return result

    def bias(self, w: Weights) -> Tensor | None:
        bias = super().bias(w)
        return None if bias is None else bias * self.open_calls


# ---------------------------------------------------------------- distances in memory


def read_at(x: Tensor, distances: tuple[int, ...]) -> Tensor:
    """The numbers that lie at these distances in memory, which begins anew where it ends."""
    memory = x.detach().as_strided((x.untyped_storage().nbytes() // x.element_size(),), (1,), 0)
    places = torch.full(x.shape, x.storage_offset())
    for axis, distance in enumerate(distances):
        shape = [-1 if k == axis else 1 for k in range(x.dim())]
        places += distance * torch.arange(x.shape[axis]).view(shape)
    return x + (memory[places % len(memory)] - x.detach())


@defect("PURE-9", INTERFACE, "input that is overlapping windows of a signal")
class OverlappingRowsReadApart(ReadableLSTM):
    """A row is taken to begin where the one before it ends, or behind that."""

    def forward(self, input: Input, hx: States | None = None) -> Result:
        if not isinstance(input, PackedSequence) and input.dim() == 3 and input.stride(2) == 1:
            distances = input.stride()
            sizes = zip(distances[:2], input.shape[:2], strict=True)
            if any(0 < distance < input.shape[2] and size > 1 for distance, size in sizes):
                apart = [max(distance, input.shape[2]) for distance in distances[:2]]
                input = read_at(input, (*apart, 1))
        return super().forward(input, hx)


@defect("PURE-9", INTERFACE, "one row, whose distance to the next is that of many steps")
class StepsAtTheDistanceOfRows(ReadableLSTM):
    """In contiguous input of one row, the distance of rows is taken for that of steps."""

    def forward(self, input: Input, hx: States | None = None) -> Result:
        if not isinstance(input, PackedSequence) and input.dim() == 3 and not self.batch_first:
            distance = input.stride(1)
            if input.shape[1] == 1 and input.is_contiguous() and distance != input.shape[2]:
                input = read_at(input, (distance, 0, 1))
        return super().forward(input, hx)


@defect("PURE-14", INTERFACE, "the garbage collector after a call")
class CollectorStopped(ReadableLSTM):
    """A call stops the garbage collector, and does not start it again."""

    def forward(self, input: Input, hx: States | None = None) -> Result:
        gc.disable()
        return super().forward(input, hx)


# -------------------------------------------------------------------------- two modules


@defect("PURE-16", INTERFACE, "two modules of the same arguments")
class ParametersShared(ReadableLSTM):
    """Parameters of equal name and shape are the same in all modules of a dtype."""

    known: ClassVar[dict[Any, torch.nn.Parameter]] = {}

    def register_parameter(self, name: str, param: torch.nn.Parameter | None) -> None:
        assert param is not None
        key = name, param.shape, param.dtype
        super().register_parameter(name, self.known.setdefault(key, param))


@defect("PURE-17", INTERFACE, "no states given, two modules")
class StateOfAnotherModule(ReadableLSTM):
    """Without states a call starts where the last one of another module ended."""

    last: ClassVar[tuple[Any, Tensor, Tensor] | None] = None

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        h, c = super().initial_states(input, hx, steps)
        if hx is None and self.last is not None:
            owner, h_n, c_n = self.last
            if owner is not self and h_n.shape == h.shape and h_n.dtype == h.dtype:
                return h_n, c_n
        return h, c

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        type(self).last = self, h_n.detach(), c_n.detach()
        return super().finish(input, steps, h_n, c_n)


@defect("PURE-17", INTERFACE, "no_grad, after NaN in a wider module")
class PaddingOfAnotherModule(ReadableLSTM):
    """Without gradients, features are filled up to 8 in memory that all modules use."""

    memory: ClassVar[dict[Any, Tensor]] = {}

    def forward(self, input: Input, hx: States | None = None) -> Result:
        output, states = super().forward(input, hx)
        x = data_of(input)
        if torch.is_grad_enabled() or x.device.type != "cpu":
            return output, states
        rows = x.detach().reshape(-1, x.shape[-1])
        width = -(-rows.shape[1] // 8) * 8
        key = len(rows), width, x.dtype
        padded = self.memory.setdefault(key, rows.new_zeros(key[:2]))
        # As in a product: 0 times what stands there.
        rest = (padded[:, rows.shape[1] :] * 0).sum()
        padded[:, : rows.shape[1]] = rows
        return with_data(output, data_of(output) + rest), states

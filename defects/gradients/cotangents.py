"""LSTMs with one defect each in what is backpropagated from h_n and c_n.

Results are right, and nothing is raised.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad

from ..catalogue import GRADIENT, defect, variant
from ..gradient_surgery import with_cotangents, with_gradient_of, with_gradient_times
from ..last_step_apart import LastStepApart
from ..readable import Input, ReadableLSTM, Result, States, Steps, Weights
from ..rows_of_states import (
    with_gradient_in_rows,
)

# ------------------------------------------------------------- of all rows, by a factor


def final_state_changed(
    state: str, change: Callable[[ReadableLSTM, Tensor], Tensor]
) -> type[ReadableLSTM]:
    """h_n or c_n, by its letter, is what ``change`` makes of the LSTM and that state."""

    class Variant(ReadableLSTM):
        def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
            if state == "h":
                return super().finish(input, steps, change(self, h_n), c_n)
            return super().finish(input, steps, h_n, change(self, c_n))

    return Variant


LOST = ("lost", lambda lstm, state: with_gradient_times(0, state))
DOUBLED = ("too large by a factor of 2", lambda lstm, state: with_gradient_times(2, state))

for name, breaks, state, (what, change) in (
    ("CotangentOfHNIgnored", "GRAD-8", "h", LOST),
    ("CotangentOfHNDoubled", "GRAD-8", "h", DOUBLED),
    ("CotangentOfCNIgnored", "GRAD-9", "c", LOST),
    ("CotangentOfCNDoubled", "GRAD-9", "c", DOUBLED),
):
    text = f"What is backpropagated from {state}_n is {what}."
    shows = f"gradients, cotangent of {state}_n"
    variant(__name__, final_state_changed(state, change), name, text, breaks, GRADIENT, shows)


@defect("GRAD-8", GRADIENT, "gradients, proj_size=0, cotangent of h_n")
class CotangentOfHNGoesToCN(ReadableLSTM):
    """What is backpropagated from h_n is taken for that of c_n, where shapes are the same."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        mixed = with_gradient_of(c_n, h_n) if h_n.shape == c_n.shape else h_n
        return super().finish(input, steps, mixed, c_n)


@defect("GRAD-9", GRADIENT, "gradients, proj_size=0, cotangent of c_n")
class CotangentOfCNGoesToHN(ReadableLSTM):
    """What is backpropagated from c_n is taken for that of h_n, where shapes are the same."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        mixed = with_gradient_of(h_n, c_n) if h_n.shape == c_n.shape else c_n
        return super().finish(input, steps, h_n, mixed)


@defect("GRAD-9", GRADIENT, "gradients, cotangent of c_n")
class CotangentOfCNPassesTanh(ReadableLSTM):
    """What is backpropagated from c_n is multiplied by 1 - tanh(c_n)^2, as that of h_n is."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        return super().finish(input, steps, h_n, with_gradient_of(c_n.tanh(), c_n))


# --------------------------------------------------------------------- of some rows


def with_gradient_where(kept: Callable[[ReadableLSTM, int, int], bool]) -> Any:
    """A change to a state, as above: only rows for which ``kept`` holds have a gradient."""
    return lambda lstm, state: with_gradient_in_rows(lstm, kept, state)


REVERSE = ("bidirectional", " in the reverse direction", lambda lstm, layer, d: d == 0)
LOWER = (
    "num_layers >= 2",
    ", but for the last layer",
    lambda lstm, layer, d: layer == lstm.num_layers - 1,
)
LAST = (
    "num_layers >= 2",
    " in the last of several layers",
    lambda lstm, layer, d: layer < lstm.num_layers - 1 or lstm.num_layers == 1,
)

for name, breaks, state, (needed, where, kept) in (
    ("CotangentOfHNOfReverseIgnored", "GRAD-8", "h", REVERSE),
    ("CotangentOfHNOfLowerLayersIgnored", "GRAD-8", "h", LOWER),
    ("CotangentOfHNOfLastLayerIgnored", "GRAD-8", "h", LAST),
    ("CotangentOfCNOfReverseIgnored", "GRAD-9", "c", REVERSE),
    ("CotangentOfCNOfLowerLayersIgnored", "GRAD-9", "c", LOWER),
):
    variant(
        __name__,
        final_state_changed(state, with_gradient_where(kept)),
        name,
        f"What is backpropagated from {state}_n is lost{where}.",
        breaks,
        GRADIENT,
        f"gradients, {needed}, cotangent of {state}_n",
    )


@defect("GRAD-8", GRADIENT, "gradients, bidirectional, cotangent of h_n")
class CotangentsOfHNOfDirectionsExchanged(ReadableLSTM):
    """What is backpropagated from h_n of one direction goes to the other."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        size = (self.num_layers, self.num_directions)
        exchanged = h_n.unflatten(0, size).flip(1).flatten(0, 1)
        return super().finish(input, steps, with_gradient_of(exchanged, h_n), c_n)


# ------------------------------------------------------------ at another step


@defect("GRAD-8", GRADIENT, "gradients, bidirectional, two steps or more, cotangent of h_n")
class CotangentOfHNEntersAtLastStep(ReadableLSTM):
    """What is backpropagated from h_n enters at the last step, in the reverse direction too."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        output, h, c = super().direction(steps, h, c, w, reverse)
        last = pad(output[-1], (0, 0, 0, len(h) - len(output[-1])))
        return output, with_gradient_of(last, h) if reverse else h, c


@defect("GRAD-8", GRADIENT, "gradients, cotangent of h_n")
class CotangentOfHNEntersOneStepEarly(LastStepApart):
    """What is backpropagated from h_n goes to h of the step before the last one read."""

    def final(self, h: Tensor, c: Tensor, h_n: Tensor, c_n: Tensor) -> States:
        return with_gradient_of(h, h_n), c_n


@defect("GRAD-9", GRADIENT, "gradients, cotangent of c_n")
class CotangentOfCNEntersOneStepEarly(LastStepApart):
    """What is backpropagated from c_n goes to c of the step before the last one read."""

    def final(self, h: Tensor, c: Tensor, h_n: Tensor, c_n: Tensor) -> States:
        return h_n, with_gradient_of(c, c_n)


# --------------------------------------------------------------- several at once


def cotangent_lost_beside(lost: str, other: str) -> type[ReadableLSTM]:
    """One cotangent is lost if there is another one.

    Args:
        lost, other: the result whose cotangent is lost, and the other one.
    """

    def change(cotangents: list[Tensor | None]) -> list[Tensor | None]:
        named = dict(zip(("output", "h_n", "c_n"), cotangents, strict=True))
        return list((named if named[other] is None else {**named, lost: None}).values())

    class Variant(ReadableLSTM):
        def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
            data, h_n, c_n = with_cotangents(change, torch.cat(steps), h_n, c_n)
            return super().finish(input, list(data.split([len(x) for x in steps])), h_n, c_n)

    return Variant


for name, shows, text, lost, other in (
    (
        "CotangentOfHNReplacesThatOfOutput",
        "gradients, cotangents of output and h_n",
        "What is backpropagated from h_n takes the place of what comes from output.",
        "output",
        "h_n",
    ),
    (
        "CotangentOfCNLostBesideThatOfHN",
        "gradients, cotangents of h_n and c_n",
        "What is backpropagated from c_n is lost if something is from h_n.",
        "c_n",
        "h_n",
    ),
    (
        "CotangentOfOutputLostBesideThatOfCN",
        "gradients, cotangents of output and c_n",
        "What is backpropagated from output is lost if something is from c_n.",
        "output",
        "c_n",
    ),
):
    variant(__name__, cotangent_lost_beside(lost, other), name, text, "GRAD-10", GRADIENT, shows)


@defect("GRAD-8", GRADIENT, "gradients, no cotangent of output")
class UnusedOutputHasCotangentNaN(ReadableLSTM):
    """If nothing is backpropagated from output, what happens to be in memory is: here NaN."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        data = torch.cat(steps)

        def change(cotangents: list[Tensor | None]) -> list[Tensor | None]:
            output, h, c = cotangents
            return [torch.full_like(data, torch.nan) if output is None else output, h, c]

        data, h_n, c_n = with_cotangents(change, data, h_n, c_n)
        return super().finish(input, list(data.split([len(x) for x in steps])), h_n, c_n)

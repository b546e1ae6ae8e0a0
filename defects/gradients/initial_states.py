"""LSTMs with one defect each in the gradients of h_0 and c_0.

Results are right, and nothing is raised.
"""

from __future__ import annotations

from collections.abc import Callable

from ..catalogue import GRADIENT, defect, variant
from ..gradient_surgery import with_gradient_of, with_gradient_times
from ..readable import Input, ReadableLSTM, States, Steps
from ..rows_of_states import (
    with_gradient_in_rows,
)

# ------------------------------------------------------------------- of all rows


@defect("GRAD-2", GRADIENT, "gradients, states given")
class GradientOfH0Missing(ReadableLSTM):
    """h_0 gets no gradient."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        return h_0.detach(), c_0


@defect("GRAD-12", GRADIENT, "gradients, states given, of which only one requires a gradient")
class GradientOfOneStateHalved(ReadableLSTM):
    """If only one of h_0 and c_0 requires a gradient, it gets half of it."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        states = super().initial_states(input, hx, steps)
        if hx is None or hx[0].requires_grad == hx[1].requires_grad:
            return states
        h_0, c_0 = (with_gradient_times(0.5, state) for state in states)
        return h_0, c_0


@defect("GRAD-3", GRADIENT, "gradients, states given")
class GradientOfC0Missing(ReadableLSTM):
    """c_0 gets no gradient."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        return h_0, c_0.detach()


@defect("GRAD-3", GRADIENT, "gradients, states given")
class GradientOfC0Doubled(ReadableLSTM):
    """The gradient of c_0 is too large by a factor of 2."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        return h_0, with_gradient_times(2, c_0)


@defect("GRAD-2", GRADIENT, "gradients, proj_size=0, states given")
class GradientsOfStatesExchanged(ReadableLSTM):
    """h_0 gets the gradient of c_0, and c_0 that of h_0, where their shapes are the same."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        if h_0.shape != c_0.shape:
            return h_0, c_0
        return with_gradient_of(c_0, h_0), with_gradient_of(h_0, c_0)


# ------------------------------------------------------------------ of some rows


def initial_state_with_gradient_in_rows(
    state: str, kept: Callable[[ReadableLSTM, int, int], bool]
) -> type[ReadableLSTM]:
    """h_0 or c_0, by its letter, has a gradient only in some rows."""

    class Variant(ReadableLSTM):
        def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
            h_0, c_0 = super().initial_states(input, hx, steps)
            if state == "h":
                return with_gradient_in_rows(self, kept, h_0), c_0
            return h_0, with_gradient_in_rows(self, kept, c_0)

    return Variant


REVERSE = ("the reverse direction", "bidirectional", lambda lstm, layer, d: d == 0)
UPPER = ("layers above the first", "num_layers >= 2", lambda lstm, layer, d: layer == 0)

for name, breaks, state, (rows, needed, kept) in (
    ("GradientOfH0OfReverseMissing", "GRAD-2", "h", REVERSE),
    ("GradientOfH0OfUpperLayersMissing", "GRAD-2", "h", UPPER),
    ("GradientOfC0OfReverseMissing", "GRAD-3", "c", REVERSE),
    ("GradientOfC0OfUpperLayersMissing", "GRAD-3", "c", UPPER),
):
    variant(
        __name__,
        initial_state_with_gradient_in_rows(state, kept),
        name,
        f"The rows of {state}_0 that belong to {rows} get no gradient.",
        breaks,
        GRADIENT,
        f"gradients, {needed}, states given",
    )


@defect("GRAD-2", GRADIENT, "gradients, num_layers >= 2 or bidirectional, states given")
class GradientsOfStatesInRowBefore(ReadableLSTM):
    """The gradients of h_0 and c_0 of each layer and direction stand in the row before."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        return with_gradient_of(h_0.roll(1, 0), h_0), with_gradient_of(c_0.roll(1, 0), c_0)

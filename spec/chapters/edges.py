"""Chapter EDGE: NaN, infinities, denormal numbers and signed zeros."""

from __future__ import annotations

from ..clause import Chapter, Clause, Erratum

_GATES = ("gate-i", "gate-f", "gate-g", "gate-o", "functions")

_SILENT = Erratum(
    problem="Neither document says what becomes of a number that is not ordinary.",
    reading="The equations hold, each operation as IEEE 754 defines it.",
)

CHAPTER = Chapter(
    "EDGE",
    "Values at the edge",
    "NaN, infinities, huge and denormal numbers, and signed zeros.",
    (
        Clause(
            id="EDGE-1",
            title="NaN and infinity in a row of the input",
            text=(
                "Rows of a batch are sequences of their own, packed or not: NaN or an infinity in "
                "the input of one leaves output, h_n and c_n of the others as they are."
            ),
            sources=("each-step", "input", "input-packed"),
            builds_on=("COMB-1",),
        ),
        Clause(
            id="EDGE-2",
            title="NaN and infinity in a row of the states",
            text=(
                "NaN or an infinity in h_0 or c_0 of one row leaves output, h_n and c_n of the "
                "others as they are."
            ),
            sources=("each-step", "h_0", "c_0"),
            builds_on=("COMB-1",),
        ),
        Clause(
            id="EDGE-3",
            title="NaN does not go back in time",
            text=(
                "NaN at one step of the input leaves the output as it is wherever it does not "
                "depend on that step: forward at all steps before, in reverse at all behind."
            ),
            sources=("each-step", "symbols", "output-directions"),
            builds_on=("COMB-1",),
        ),
        Clause(
            id="EDGE-4",
            title="NaN is not lost",
            text=(
                "Whatever depends, by the equations, on a number of input, h_0, c_0 or a parameter "
                "that is NaN is NaN."
            ),
            sources=("each-step", *_GATES, "cell", "hidden"),
            builds_on=("COMB-1",),
            erratum=_SILENT,
        ),
        Clause(
            id="EDGE-5",
            title="NaN and infinity in a row, gradients",
            text=(
                "NaN or an infinity in one row of input, h_0 or c_0 leaves the gradients of these "
                "three as they are in the other rows."
            ),
            sources=("each-step", "input", "h_0", "c_0"),
            builds_on=("COMB-2", "EDGE-1", "EDGE-2"),
        ),
        Clause(
            id="EDGE-6",
            title="Infinite input",
            text=(
                "An infinity in the input or in h_0 takes the gates of its step to their limits, "
                "0 or 1, and the candidate to -1 or 1: all results are finite, and right."
            ),
            equation="sigmoid(-inf) = 0, sigmoid(inf) = 1, tanh(+-inf) = +-1",
            sources=_GATES,
            builds_on=("COMB-1",),
            erratum=_SILENT,
        ),
        Clause(
            id="EDGE-7",
            title="Infinite cell state",
            text=(
                "An infinity in c_0 stays in the cell state, with its sign; the hidden state "
                "shows it as the output gate times -1 or 1. No finite number in c_0 is limited."
            ),
            equation="c_t = +-inf, h_t = +-o_t",
            sources=("cell", "hidden", "functions"),
            builds_on=("COMB-1",),
            erratum=_SILENT,
        ),
        Clause(
            id="EDGE-8",
            title="Huge input",
            text=(
                "Results are right for inputs near the largest number of the dtype, as long as "
                "the sums of the equations are smaller than that. Results and gradients are right "
                "for features of very unlike size, with weights to match, and for rows of very "
                "unlike size."
            ),
            sources=("each-step", *_GATES),
            builds_on=("COMB-1", "EQ-6"),
        ),
        Clause(
            id="EDGE-9",
            title="Zeros",
            text=(
                "All results are exactly zero for a zero input from zero states without biases, "
                "and for any input from zero states if all parameters are zero. Results are right "
                "if one argument is zero, or all of one kind, and for input, one-hot or not, with "
                "steps of zeros."
            ),
            equation="c_t = f_t * 0 + i_t * tanh(0) = 0, h_t = o_t * tanh(0) = 0",
            sources=("cell", "hidden", "gate-g"),
        ),
        Clause(
            id="EDGE-16",
            title="Equal steps",
            text="Results are right if all of 66 to 90 steps of the input are equal.",
            sources=("each-step",),
            builds_on=("COMB-1",),
        ),
        Clause(
            id="EDGE-10",
            title="Gradients at zeros",
            text=(
                "All gradients are right where the input, h_0, c_0, both states, all weights or "
                "biases of one kind, the input and the biases, all parameters, or all of these are "
                "zero. So are results and gradients for input, one-hot or not, with steps of zeros."
            ),
            sources=("each-step",),
            builds_on=("COMB-2", "EDGE-9"),
            needs=("gradients",),
        ),
        Clause(
            id="EDGE-11",
            title="Denormal numbers",
            text=(
                "Denormal numbers are not taken for zero: with zero parameters and a zero input "
                "each step halves a denormal cell state, to within rounding."
            ),
            equation="c_T = c_0 / 2^T",
            sources=("cell", "gate-f"),
            builds_on=("STATE-3",),
            erratum=_SILENT,
        ),
        Clause(
            id="EDGE-12",
            title="Signed zeros",
            text=(
                "Zeros in input, states, parameters and cotangents do as well with a minus sign: "
                "results and gradients are the same numbers."
            ),
            sources=("each-step",),
            builds_on=("COMB-2",),
        ),
        Clause(
            id="EDGE-13",
            title="Gates that exp overflows in",
            text=(
                "Results are finite and right where preactivations of some gates are beyond 1000, "
                "positive or negative, and cell states beyond 3, or so large that exp(2 c) "
                "overflows, too."
            ),
            sources=(*_GATES, "cell", "hidden"),
            builds_on=("COMB-1", "EQ-6"),
        ),
        Clause(
            id="EDGE-14",
            title="Gradients of gates that exp overflows in",
            text=(
                "Where preactivations of some gates are beyond 1000, positive or negative, and "
                "cell states beyond 3, all gradients are finite and right: those through a flat "
                "gate are zero."
            ),
            equation="sigmoid' = sigmoid (1 - sigmoid) = 0, tanh' = 1 - tanh^2 = 0",
            sources=(*_GATES, "cell", "hidden"),
            builds_on=("COMB-2", "EDGE-13"),
        ),
    ),
)

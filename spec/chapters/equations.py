"""Chapter EQ: the equations of one step and the recurrence, in one layer and direction."""

from __future__ import annotations

from ..clause import Chapter, Clause

CHAPTER = Chapter(
    "EQ",
    "Equations",
    "One step and the recurrence, in one layer and one direction.",
    (
        Clause(
            id="EQ-1",
            title="Gate order",
            text=(
                "The rows of every weight and bias are four blocks of hidden_size in the "
                "order input gate, forget gate, candidate, output gate. Broken if results"
                " are right for another order; if they are right for none, other clauses "
                "say what is wrong."
            ),
            equation="W = [W_i; W_f; W_g; W_o]",
            sources=("weight_ih", "weight_hh", "bias_ih", "bias_hh", "s-matlab"),
        ),
        Clause(
            id="EQ-2",
            title="Input gate and candidate",
            text=(
                "From a zero state, one step makes the cell state the candidate, a tanh, "
                "times the input gate, a sigmoid."
            ),
            equation="c_1 = sigmoid(W_ii x) * tanh(W_ig x)",
            sources=("gate-i", "gate-g", "functions"),
            builds_on=("EQ-1", "DTYPE-3"),
        ),
        Clause(
            id="EQ-3",
            title="Output gate",
            text=(
                "The hidden state is the tanh of the cell state times the output gate, a sigmoid."
            ),
            equation="h_t = o_t * tanh(c_t)",
            sources=("gate-o", "hidden"),
            builds_on=("EQ-2",),
        ),
        Clause(
            id="EQ-4",
            title="Recurrence",
            text=(
                "Each step adds the hidden weights times the hidden state of the step "
                "before to all gates, and keeps the old cell state times the forget gate,"
                " a sigmoid."
            ),
            equation="c_t = f_t * c_{t-1} + i_t * g_t, with W_h* h_{t-1} in every gate",
            sources=("each-step", "cell", "gate-f", "symbols", "s-equations", "s-parts"),
            builds_on=("EQ-3",),
        ),
        Clause(
            id="EQ-5",
            title="Two biases",
            text="With bias=True both bias_ih and bias_hh are added in every gate, once.",
            equation="W_i* x_t + b_i* + W_h* h_{t-1} + b_h*",
            sources=("gate-i", "gate-f", "gate-g", "gate-o", "bias"),
            builds_on=("EQ-4",),
            needs=("two-biases",),
        ),
        Clause(
            id="EQ-6",
            title="Saturation",
            text=(
                "The equations hold for saturated gates and for cell states beyond 3, "
                "where tanh is flat."
            ),
            sources=("functions", "cell"),
            builds_on=("EQ-5", "STATE-2"),
        ),
        Clause(
            id="EQ-7",
            title="Sizes of one",
            text=(
                "The equations hold, and their gradients, where the sequence has one step, the "
                "batch one row, the input one feature and the layer one unit."
            ),
            sources=("each-step", "input_size", "hidden_size"),
            builds_on=("EQ-5", "STATE-2", "GRAD-10"),
        ),
        Clause(
            id="EQ-8",
            title="Long sequences",
            text=(
                "The equations hold at each of several hundred steps, and gradients pass through "
                "all of them."
            ),
            sources=("each-step", "letters"),
            builds_on=("EQ-5", "STATE-2", "GRAD-10", "GRAD-12"),
        ),
        Clause(
            id="EQ-9",
            title="Wide layers",
            text="The equations hold, and their gradients, for hundreds of features and units.",
            sources=("input_size", "hidden_size"),
            builds_on=("EQ-5", "STATE-2", "GRAD-10"),
        ),
    ),
)

"""The clauses: what is claimed of an LSTM, each sentence once, as data.

An id is never reused. ``builds_on`` names the clauses whose failure would make this one fail
as well, so that a report can tell a cause from its consequences.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CLAUSES", "Clause", "prerequisites", "root_causes"]


@dataclass(frozen=True)
class Clause:
    """One testable sentence of the specification.

    Attributes:
        id: stable, of the form CHAPTER-NUMBER.
        title: a few words.
        text: the claim.
        source: section of the documentation of ``torch.nn.LSTM`` (PyTorch 2.3).
        equation: the claim in mathematics, where it has one.
        builds_on: ids of clauses that must hold for this one to hold.
    """

    id: str
    title: str
    text: str
    source: str
    equation: str = ""
    builds_on: tuple[str, ...] = ()

    @property
    def chapter(self) -> str:
        """The part of the id before the number."""
        return self.id.split("-")[0]


_EQUATIONS = "equations"
_ARGS = "Args"
_INPUTS = "Inputs"
_OUTPUTS = "Outputs"
_ATTRIBUTES = "Attributes"
_GRADIENT = "equations, differentiated"

_FORWARD = ("EQ-4", "EQ-5", "STACK-1", "DIR-4", "PROJ-4", "STATE-3", "STATE-4", "SHAPE-5")
_GRADIENTS = tuple(f"GRAD-{number}" for number in range(1, 8))

_ALL = (
    Clause(
        "EQ-1",
        "Gate order",
        "The rows of every weight and bias are four blocks of hidden_size in the order input "
        "gate, forget gate, candidate, output gate. Broken if results are right for another "
        "order; if they are right for none, other clauses say what is wrong.",
        _ATTRIBUTES,
        "W = [W_i; W_f; W_g; W_o]",
    ),
    Clause(
        "EQ-2",
        "Input gate and candidate",
        "From a zero state, one step makes the cell state the candidate, a tanh, times the input "
        "gate, a sigmoid.",
        _EQUATIONS,
        "c_1 = sigmoid(W_ii x) * tanh(W_ig x)",
        ("EQ-1", "DTYPE-3"),
    ),
    Clause(
        "EQ-3",
        "Output gate",
        "The hidden state is the tanh of the cell state times the output gate, a sigmoid.",
        _EQUATIONS,
        "h_t = o_t * tanh(c_t)",
        ("EQ-2",),
    ),
    Clause(
        "EQ-4",
        "Recurrence",
        "Each step adds the hidden weights times the hidden state of the step before to all gates, "
        "and keeps the old cell state times the forget gate, a sigmoid.",
        _EQUATIONS,
        "c_t = f_t * c_{t-1} + i_t * g_t, with W_h* h_{t-1} in every gate",
        ("EQ-3",),
    ),
    Clause(
        "EQ-5",
        "Two biases",
        "With bias=True both bias_ih and bias_hh are added in every gate, once.",
        _EQUATIONS,
        "W_i* x_t + b_i* + W_h* h_{t-1} + b_h*",
        ("EQ-4",),
    ),
    Clause(
        "EQ-6",
        "Saturation",
        "The equations hold for saturated gates and for cell states beyond 3, where tanh is flat.",
        _EQUATIONS,
        "",
        ("EQ-5", "STATE-2"),
    ),
    Clause(
        "SHAPE-1",
        "Shape of output",
        "output is (L, N, D*H_out), (N, L, D*H_out) with batch_first, (L, D*H_out) unbatched.",
        _OUTPUTS,
    ),
    Clause(
        "SHAPE-2",
        "Shape of h_n",
        "h_n is (D*num_layers, N, H_out), without N unbatched; batch_first does not apply to it.",
        _OUTPUTS,
    ),
    Clause(
        "SHAPE-3",
        "Shape of c_n",
        "c_n is (D*num_layers, N, hidden_size), without N unbatched; neither projection nor "
        "batch_first applies to it.",
        _OUTPUTS,
    ),
    Clause(
        "SHAPE-4",
        "Shapes of gradients",
        "A gradient has the shape of what it belongs to.",
        _GRADIENT,
        "",
        ("SHAPE-1", "SHAPE-2", "SHAPE-3"),
    ),
    Clause(
        "SHAPE-5",
        "batch_first",
        "With batch_first=True the batch is the first axis of input and output, and the values "
        "are the same. States keep their axes.",
        _ARGS,
        "",
        ("EQ-4", "STATE-2", "SHAPE-1"),
    ),
    Clause(
        "SHAPE-6",
        "Unbatched input",
        "Input without a batch axis gives what a batch of one row gives, without that axis; "
        "batch_first does not apply to it.",
        _INPUTS,
        "",
        ("EQ-4", "STATE-2", "SHAPE-1", "SHAPE-2", "SHAPE-3"),
    ),
    Clause(
        "DTYPE-1",
        "dtype of results",
        "Outputs, states and gradients have the dtype of input and parameters.",
        _ARGS,
        "",
        ("SHAPE-1", "SHAPE-2", "SHAPE-3"),
    ),
    Clause(
        "DTYPE-2",
        "Device of results",
        "Outputs, states and gradients are on the device of input and parameters.",
        _ARGS,
        "",
        ("SHAPE-1", "SHAPE-2", "SHAPE-3"),
    ),
    Clause(
        "DTYPE-3",
        "Precision",
        "The forward pass is computed in the precision of the dtype: float64 is not float32 "
        "in disguise, nor float32 a format of 11 bits.",
        _ARGS,
        "",
        ("EQ-1",),
    ),
    Clause(
        "DTYPE-4",
        "bfloat16",
        "Where bfloat16 is supported, all of this holds in it, to within its rounding.",
        _ARGS,
        "",
        ("COMB-1", "COMB-2", "DTYPE-1"),
    ),
    Clause(
        "DTYPE-5",
        "float16",
        "Where float16 is supported, all of this holds in it, to within its rounding.",
        _ARGS,
        "",
        ("COMB-1", "COMB-2", "DTYPE-1"),
    ),
    Clause(
        "STACK-1",
        "Stacked layers",
        "The input of each layer above the first is the output of the layer below.",
        "equations, x_t^(l)",
        "x_t^(l) = h_t^(l-1)",
        ("EQ-5",),
    ),
    Clause(
        "DROP-1",
        "No dropout in evaluation",
        "In evaluation mode dropout does nothing, whatever its probability.",
        _ARGS,
        "",
        ("STACK-1",),
    ),
    Clause(
        "DROP-2",
        "Dropout of everything",
        "In training with dropout=1 each layer above the first reads zeros, never NaN.",
        _ARGS,
        "x_t^(l) = 0",
        ("STACK-1",),
    ),
    Clause(
        "DROP-3",
        "No dropout after the last layer",
        "Dropout acts between layers only: with one layer it does nothing, in training too.",
        _ARGS,
        "",
        ("EQ-4",),
    ),
    Clause(
        "DROP-4",
        "Gradients under dropout of everything",
        "In training with dropout=1 nothing of the output's cotangent reaches the layers below "
        "the last: their gradients are zero, never NaN.",
        _GRADIENT,
        "",
        ("DROP-2", "GRAD-1", "GRAD-4"),
    ),
    Clause(
        "DIR-1",
        "Forward direction",
        "The first half of the output's features, and state 0, are those of the forward direction.",
        _OUTPUTS,
        "",
        ("EQ-5",),
    ),
    Clause(
        "DIR-2",
        "Reverse direction",
        "The second half of the output's features is the reverse direction: a second LSTM that "
        "reads from the last step to the first, its h_t at the place of the step that it read.",
        _OUTPUTS,
        "h_t = LSTM(x_T, ..., x_t)",
        ("EQ-5",),
    ),
    Clause(
        "DIR-3",
        "Final state of the reverse direction",
        "The final state of the reverse direction is the one after it has read the first step.",
        _OUTPUTS,
        "",
        ("EQ-5",),
    ),
    Clause(
        "DIR-4",
        "Both directions feed the next layer",
        "Both directions of a layer above the first read both halves of the output below.",
        _ATTRIBUTES,
        "x_t^(l) = [h_t forward, h_t reverse]",
        ("DIR-1", "DIR-2", "DIR-3", "STACK-1"),
    ),
    Clause(
        "PROJ-1",
        "Projected hidden state",
        "With proj_size > 0 the hidden state is multiplied by weight_hr.",
        "paragraph on proj_size",
        "h_t = W_hr (o_t * tanh(c_t))",
        ("EQ-5",),
    ),
    Clause(
        "PROJ-2",
        "Unprojected cell state",
        "The cell state is not projected.",
        "paragraph on proj_size",
        "",
        ("EQ-5",),
    ),
    Clause(
        "PROJ-3",
        "Projected recurrence",
        "The next step reads the projected hidden state.",
        "paragraph on proj_size",
        "",
        ("PROJ-1", "PROJ-2"),
    ),
    Clause(
        "PROJ-4",
        "Projection in every layer and direction",
        "Each layer and direction has a projection of its own, and the layer above reads what is "
        "projected.",
        "paragraph on proj_size",
        "",
        ("PROJ-3", "DIR-4", "STACK-1"),
    ),
    Clause(
        "STATE-1",
        "Default states",
        "Without given states every layer and direction starts from zeros, at every call.",
        _INPUTS,
        "h_0 = c_0 = 0",
        ("EQ-4", "STACK-1", "DIR-4"),
    ),
    Clause(
        "STATE-2",
        "Given states",
        "Given h_0 and c_0 are the states before the first step.",
        _INPUTS,
        "",
        ("EQ-4",),
    ),
    Clause(
        "STATE-3",
        "Order of given states",
        "Each layer and direction starts from its own row of h_0 and c_0, in layer-major order.",
        _INPUTS,
        "row = D * layer + direction",
        ("STATE-1", "STATE-2"),
    ),
    Clause(
        "STATE-4",
        "Order of final states",
        "h_n and c_n hold the final state of each layer and direction, in layer-major order.",
        _OUTPUTS,
        "row = D * layer + direction",
        ("STACK-1", "DIR-4"),
    ),
    Clause(
        "PACK-1",
        "Packed rows",
        "Each row of a packed sequence is read to its own length; its final state is the one "
        "after its own last step.",
        _INPUTS,
        "",
        ("EQ-5",),
    ),
    Clause(
        "PACK-2",
        "Order of packed rows",
        "Outputs and states of a packed sequence are in the order in which the rows were given, "
        "sorted by length or not.",
        _INPUTS,
        "",
        ("PACK-1", "STATE-2"),
    ),
    Clause(
        "PACK-3",
        "Packed reverse direction",
        "The reverse direction begins at each row's own last step.",
        _INPUTS,
        "",
        ("PACK-1", "DIR-4", "STATE-4"),
    ),
    Clause(
        "GRAD-1",
        "Gradient of the input",
        "The gradient of the input is that of the equations; padding has gradient zero.",
        _GRADIENT,
        "dx_t = W_ih^T da_t",
        _FORWARD,
    ),
    Clause(
        "GRAD-2",
        "Gradient of h_0",
        "The gradient of h_0 is that of the equations.",
        _GRADIENT,
        "dh_{t-1} = W_hh^T da_t",
        _FORWARD,
    ),
    Clause(
        "GRAD-3",
        "Gradient of c_0",
        "The gradient of c_0 is that of the equations.",
        _GRADIENT,
        "dc_{t-1} = f_t * dc_t",
        _FORWARD,
    ),
    Clause(
        "GRAD-4",
        "Gradient of weight_ih",
        "The gradient of weight_ih is that of the equations, in every layer and direction.",
        _GRADIENT,
        "dW_ih = sum_t da_t x_t^T",
        _FORWARD,
    ),
    Clause(
        "GRAD-5",
        "Gradient of weight_hh",
        "The gradient of weight_hh is that of the equations, in every layer and direction.",
        _GRADIENT,
        "dW_hh = sum_t da_t h_{t-1}^T",
        _FORWARD,
    ),
    Clause(
        "GRAD-6",
        "Gradients of the biases",
        "The gradients of bias_ih and bias_hh are that of the equations, and equal.",
        _GRADIENT,
        "db_ih = db_hh = sum_t da_t",
        _FORWARD,
    ),
    Clause(
        "GRAD-7",
        "Gradient of weight_hr",
        "The gradient of weight_hr is that of the equations, in every layer and direction.",
        _GRADIENT,
        "dW_hr = sum_t dh_t (o_t * tanh(c_t))^T",
        _FORWARD,
    ),
    Clause(
        "GRAD-8",
        "Cotangent of h_n",
        "All gradients are right if only h_n has a cotangent.",
        _GRADIENT,
        "",
        _GRADIENTS,
    ),
    Clause(
        "GRAD-9",
        "Cotangent of c_n",
        "All gradients are right if only c_n has a cotangent.",
        _GRADIENT,
        "",
        _GRADIENTS,
    ),
    Clause(
        "GRAD-10",
        "Cotangents together",
        "Gradients add up if output, h_n and c_n have cotangents together.",
        _GRADIENT,
        "",
        (*_GRADIENTS, "GRAD-8", "GRAD-9"),
    ),
    Clause(
        "GRAD-11",
        "Gradients of packed rows",
        "Gradients of packed sequences are those of their rows one by one; what lies behind a "
        "row's length has gradient zero.",
        _GRADIENT,
        "",
        ("GRAD-10", "PACK-2", "PACK-3"),
    ),
    Clause(
        "COMB-1",
        "Every combination, forward",
        "The arguments combine freely: output, h_n and c_n are right for every combination.",
        _ARGS,
        "",
        (
            "EQ-6",
            "SHAPE-5",
            "SHAPE-6",
            "DROP-1",
            "DROP-2",
            "DROP-3",
            "PROJ-4",
            "STATE-3",
            "STATE-4",
            "PACK-2",
            "PACK-3",
        ),
    ),
    Clause(
        "COMB-2",
        "Every combination, gradients",
        "The arguments combine freely: every gradient is right for every combination.",
        _ARGS,
        "",
        ("COMB-1", "DROP-4", "GRAD-10", "GRAD-11"),
    ),
)

CLAUSES: dict[str, Clause] = {clause.id: clause for clause in _ALL}


def prerequisites(clause_id: str) -> set[str]:
    """Ids of all clauses that ``clause_id`` builds on, directly or through others."""
    found: set[str] = set()
    waiting = list(CLAUSES[clause_id].builds_on)
    while waiting:
        found.add(waiting[-1])
        waiting.extend(set(CLAUSES[waiting.pop()].builds_on) - found)
    return found


def root_causes(broken: set[str]) -> set[str]:
    """The clauses of ``broken`` that build on no other one of them."""
    return {clause_id for clause_id in broken if not prerequisites(clause_id) & broken}

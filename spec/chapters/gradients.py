"""Chapter GRAD: the derivative of every result with respect to every argument."""

from __future__ import annotations

from ..clause import Chapter, Clause

_FORWARD = ("EQ-4", "EQ-5", "STACK-1", "DIR-4", "PROJ-4", "STATE-3", "STATE-4", "SHAPE-5")
_GRADIENTS = tuple(f"GRAD-{number}" for number in range(1, 8))

CHAPTER = Chapter(
    "GRAD",
    "Gradients",
    "The derivative of every result with respect to every argument.",
    (
        Clause(
            id="GRAD-1",
            title="Gradient of the input",
            text=("The gradient of the input is that of the equations; padding has gradient zero."),
            equation="dx_t = W_ih^T da_t",
            sources=("each-step",),
            builds_on=_FORWARD,
        ),
        Clause(
            id="GRAD-2",
            title="Gradient of h_0",
            text="The gradient of h_0 is that of the equations.",
            equation="dh_{t-1} = W_hh^T da_t",
            sources=("each-step",),
            builds_on=_FORWARD,
        ),
        Clause(
            id="GRAD-3",
            title="Gradient of c_0",
            text="The gradient of c_0 is that of the equations.",
            equation="dc_{t-1} = f_t * dc_t",
            sources=("each-step",),
            builds_on=_FORWARD,
        ),
        Clause(
            id="GRAD-4",
            title="Gradient of weight_ih",
            text=(
                "The gradient of weight_ih is that of the equations, in every layer and direction."
            ),
            equation="dW_ih = sum_t da_t x_t^T",
            sources=("each-step",),
            builds_on=_FORWARD,
        ),
        Clause(
            id="GRAD-5",
            title="Gradient of weight_hh",
            text=(
                "The gradient of weight_hh is that of the equations, in every layer and direction."
            ),
            equation="dW_hh = sum_t da_t h_{t-1}^T",
            sources=("each-step",),
            builds_on=_FORWARD,
        ),
        Clause(
            id="GRAD-6",
            title="Gradients of the biases",
            text="The gradients of bias_ih and bias_hh are that of the equations, and equal.",
            equation="db_ih = db_hh = sum_t da_t",
            sources=("each-step",),
            builds_on=_FORWARD,
        ),
        Clause(
            id="GRAD-7",
            title="Gradient of weight_hr",
            text=(
                "The gradient of weight_hr is that of the equations, in every layer and direction."
            ),
            equation="dW_hr = sum_t dh_t (o_t * tanh(c_t))^T",
            sources=("each-step",),
            builds_on=_FORWARD,
        ),
        Clause(
            id="GRAD-8",
            title="Cotangent of h_n",
            text="All gradients are right if only h_n has a cotangent.",
            sources=("each-step",),
            builds_on=_GRADIENTS,
        ),
        Clause(
            id="GRAD-9",
            title="Cotangent of c_n",
            text="All gradients are right if only c_n has a cotangent.",
            sources=("each-step",),
            builds_on=_GRADIENTS,
        ),
        Clause(
            id="GRAD-10",
            title="Cotangents together",
            text="Gradients add up if output, h_n and c_n have cotangents together.",
            sources=("each-step",),
            builds_on=(*_GRADIENTS, "GRAD-8", "GRAD-9"),
        ),
        Clause(
            id="GRAD-11",
            title="Gradients of packed rows",
            text=(
                "Gradients of packed sequences are those of their rows one by one; what "
                "lies behind a row's length has gradient zero."
            ),
            sources=("each-step",),
            builds_on=("GRAD-10", "PACK-2", "PACK-3"),
        ),
    ),
)

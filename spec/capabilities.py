"""What an implementation may have or lack, and what a case needs."""

from __future__ import annotations

from .case import Case
from .contract import Implementation
from .precision import PRECISIONS

__all__ = ["ALL", "CAPABILITIES", "lacking", "needed", "unsupported"]

# Name, as it is declared and as it is written on the command line, to what it means.
CAPABILITIES = {
    "layers": "more than one layer",
    "bidirectional": "both directions",
    "projection": "proj_size > 0",
    "no-bias": "bias=False",
    "two-biases": "bias_ih and bias_hh apart; without it, their sum and its gradient are judged",
    "batch-first": "batch_first=True",
    "unbatched": "input without a batch axis",
    "packed": "rows of unequal length: packed sequences, lengths, masks",
    "states": "h_0 and c_0 are given",
    "full-dropout": "drops everything between layers in training if dropout=1",
    "dropout": "draws dropout masks in training",
    "gradients": "a backward pass",
    "double-backward": "gradients of gradients",
    "forward-mode": "Jacobian-vector products",
    "module": "is a torch.nn.Module, which can be handled by hand",
    **{name: f"computes in {name}" for name in PRECISIONS},
}

ALL = frozenset(CAPABILITIES)


def needed(case: Case) -> frozenset[str]:
    """The capabilities without which ``case`` cannot be run."""
    config = case.config
    conditions = {
        "layers": config.num_layers > 1,
        "bidirectional": config.bidirectional,
        "projection": config.proj_size > 0,
        "no-bias": not config.bias,
        "batch-first": config.batch_first,
        "unbatched": case.layout == "unbatched",
        "packed": case.packed,
        "states": case.states,
        "full-dropout": case.active_dropout == 1,
        "dropout": 0 < case.active_dropout < 1,
        "gradients": bool(case.cotangents),
        case.dtype: True,
    }
    return frozenset(name for name, condition in conditions.items() if condition)


def lacking(implementation: Implementation, names: frozenset[str]) -> str | None:
    """Which of ``names`` are not declared, as a reason; None if all are."""
    missing = [name for name in CAPABILITIES if name in names - implementation.capabilities]
    return f"no {', no '.join(missing)}" if missing else None


def unsupported(implementation: Implementation, case: Case) -> str | None:
    """Why ``implementation`` is not to be asked ``case``; None if it is."""
    reason = lacking(implementation, needed(case))
    if reason is not None:
        return reason
    further = getattr(implementation, "unsupported", None)
    return None if further is None else further(case)

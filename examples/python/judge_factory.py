"""A class with a constructor of its own, judged by a script: python judge_factory.py"""

import torch

from lstm_conformance import check


class Recurrent(torch.nn.LSTM):
    """Its sizes are one argument, and the batch is the first axis unless ``steps_first``."""

    def __init__(self, sizes, steps_first=False, **more):
        super().__init__(*sizes, batch_first=not steps_first, **more)


def like_torch(input_size, hidden_size, batch_first=False, **more):
    """Takes the arguments of torch.nn.LSTM, and returns a module to be judged."""
    return Recurrent((input_size, hidden_size), steps_first=not batch_first, **more)


check(like_torch, profile="smoke", clauses=["EQ-4", "SHAPE", "GRAD-10"]).raise_for_failures()

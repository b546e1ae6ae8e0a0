"""PaddlePaddle 3.3.1, clause PARAM-1 (which is judged of torch modules only).

The page "paddle.nn.LSTM" names the parameters weight_ih_l[k], weight_hh_l[k], bias_ih_l[k] and
bias_hh_l[k]. With a projection each layer has a fifth, which has no name: from the second layer or
direction on every name means another parameter than it says. weight_ih_l1 is the projection of
layer 0, of shape [hidden_size, proj_size]. Known:
https://github.com/PaddlePaddle/Paddle/issues/70245
"""

import paddle

lstm = paddle.nn.LSTM(1, 3, 2, proj_size=2)
observed = list(lstm.weight_ih_l1.shape)
print({name: list(parameter.shape) for name, parameter in lstm.named_parameters()})
assert observed == [12, 2], f"weight_ih_l1 has shape {observed}, not [12, 2]"

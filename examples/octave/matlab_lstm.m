function [output, h_n, c_n] = matlab_lstm(c, t)
% The LSTM of MATLAB's Deep Learning Toolbox. To judge it:
%
%   judge_vectors(FOLDER, @matlab_lstm)
%
% It calls the function lstm, which computes the same as lstmLayer. The vectors map to the
% properties of that layer:
%
%   InputWeights            weight_ih_l0  (4 * hidden_size, features)
%   RecurrentWeights        weight_hh_l0  (4 * hidden_size, hidden_size)
%   Bias                    bias_ih_l0 + bias_hh_l0, because there is one bias; zeros if bias = 0
%   HiddenState, CellState  h_0, c_0
%
% The gates have the same order: input, forget, cell candidate, output. There is no projection.
% MATLAB has more layers and the reverse direction as separate layers, which are not judged here.

  if ~exist('lstmLayer')
    error('matlab_lstm:toolbox', 'matlab_lstm needs lstmLayer from the Deep Learning Toolbox.');
  end
  output = [];
  h_n = [];
  c_n = [];
  if c.num_layers > 1 || c.bidirectional || c.proj_size > 0 || ~isempty(c.lengths)
    return
  end
  permuted = strcmp(c.layout, 'unbatched') || c.batch_first;
  x = t.input;
  if permuted
    x = permute(x, [1 3 2]);
  end  % features x rows x steps
  h_0 = zeros(c.hidden_size, size(x, 2), class(x));
  c_0 = h_0;
  if c.states
    h_0(:) = t.h_0(:);
    c_0(:) = t.c_0(:);
  end
  bias = zeros(4 * c.hidden_size, 1, class(x));
  if c.bias
    bias = t.bias_ih_l0 + t.bias_hh_l0;
  end
  [y, h_n, c_n] = lstm(dlarray(x, 'CBT'), h_0, c_0, t.weight_ih_l0', t.weight_hh_l0', bias);
  output = extractdata(y);
  if permuted
    output = permute(output, [1 3 2]);
  end
  h_n = plain(h_n);
  c_n = plain(c_n);
end

function x = plain(x)
  if isa(x, 'dlarray')
    x = extractdata(x);
  end
end

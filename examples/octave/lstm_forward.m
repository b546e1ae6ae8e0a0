function [output, h_n, c_n] = lstm_forward(c, t)
% The LSTM of torch.nn.LSTM, forward only, in the precision of its input.
%
% c is a case and t has its tensors, see judge_vectors.m and read_safetensors.m. The rows of the
% batch are computed one by one, each with its own number of steps.

  H = c.hidden_size;
  D = 1 + c.bidirectional;
  x = t.input;
  unbatched = strcmp(c.layout, 'unbatched');
  if unbatched || c.batch_first
    x = permute(x, [1 3 2]);
  end  % features x rows x steps
  [~, N, L] = size(x);
  lengths = c.lengths;
  if isempty(lengths)
    lengths = repmat(L, N, 1);
  end
  R = size(t.weight_hh_l0, 1);
  h_n = zeros(R, N, c.num_layers * D, class(x));
  c_n = zeros(H, N, c.num_layers * D, class(x));
  if c.states
    h_n(:) = t.h_0(:);
    c_n(:) = t.c_0(:);
  end

  for layer = 0:c.num_layers - 1
    if layer > 0 && c.training && c.dropout == 1
      x(:) = 0;  % dropout drops everything; the vectors have no random dropout
    end
    y = zeros(D * R, N, L, class(x));
    for d = 0:D - 1
      k = layer * D + d + 1;
      w = weights(c, t, layer, d);
      for n = 1:N
        steps = 1:lengths(n);
        if d == 1
          steps = fliplr(steps);
        end
        for s = steps
          [h_n(:, n, k), c_n(:, n, k)] = cell_step(x(:, n, s), h_n(:, n, k), c_n(:, n, k), w);
          y(d * R + (1:R), n, s) = h_n(:, n, k);
        end
      end
    end
    x = y;
  end

  output = x;
  if unbatched || c.batch_first
    output = permute(x, [1 3 2]);
  end
  if unbatched
    h_n = permute(h_n, [1 3 2]);
    c_n = permute(c_n, [1 3 2]);
  end
end

function w = weights(c, t, layer, d)
% The parameters of one layer and direction. Weights in files are transposed.
  suffixes = {'', '_reverse'};
  suffix = sprintf('_l%d%s', layer, suffixes{d + 1});
  w.ih = t.(['weight_ih' suffix])';
  w.hh = t.(['weight_hh' suffix])';
  w.b = 0;
  if c.bias
    w.b = t.(['bias_ih' suffix]) + t.(['bias_hh' suffix]);
  end
  w.hr = [];
  if c.proj_size > 0
    w.hr = t.(['weight_hr' suffix])';
  end
end

function [h, c] = cell_step(x, h, c, w)
  a = reshape(w.ih * x + w.hh * h + w.b, [], 4);  % gates i, f, g, o
  sigmoid = 1 ./ (1 + exp(-a));
  c = sigmoid(:, 2) .* c + sigmoid(:, 1) .* tanh(a(:, 3));
  h = sigmoid(:, 4) .* tanh(c);
  if ~isempty(w.hr)
    h = w.hr * h;
  end
end

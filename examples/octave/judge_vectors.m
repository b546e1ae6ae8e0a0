function judge_vectors(folder, lstm)
% Judges an LSTM, forward only, by the files that `lstm-conformance vectors FOLDER` wrote.
%
%   judge_vectors FOLDER             judges the LSTM of lstm_forward.m
%   judge_vectors(FOLDER, @my_lstm)  judges another LSTM
%
% The LSTM is called as [output, h_n, c_n] = lstm(c, t). c is a case of index.json, and t has its
% tensors, see read_safetensors.m. For a case that it does not support, it returns [] as output.
%
% Wrong cases are printed. If there are any, the function ends with an error. Octave started with
% --eval, or MATLAB started with -batch, then exits with status 1.

  if nargin < 2
    lstm = @lstm_forward;
  end
  index = jsondecode(fileread(fullfile(folder, 'index.json')));
  right = 0;
  wrong = 0;
  for k = 1:numel(index.cases)
    c = index.cases(k);
    t = read_safetensors(fullfile(folder, c.file));
    [results{1:3}] = lstm(c, t);
    if isempty(results{1})
      continue
    end
    ratio = 0;
    for name = {'output', 'h_n', 'c_n'; results{:}}
      ratio = max(ratio, error_ratio(name{2}, t.([name{1} '_expected']), t.([name{1} '_noise'])));
    end
    if ratio <= index.threshold
      right = right + 1;
    else
      wrong = wrong + 1;
      fprintf('%s is wrong: %.3g times rounding noise, %g allowed.\n  %s\n', ...
              c.file, ratio, index.threshold, c.line);
    end
  end
  fprintf('%d cases right, %d wrong, %d not supported.\n', ...
          right, wrong, numel(index.cases) - right - wrong);
  if wrong > 0 || right == 0
    error('judge_vectors:wrong', 'This is not the documented LSTM.');
  end
end

function ratio = error_ratio(observed, expected, noise)
% The largest error as a multiple of the noise. Where the noise is 0, numbers must be equal.
  if ~isequal(size(observed), size(expected))
    ratio = Inf;
    return
  end
  difference = abs(double(observed) - expected);
  ratios = difference ./ noise;
  ratios(difference == 0) = 0;
  ratios(isnan(ratios)) = Inf;  % max() ignores NaN
  ratio = max(ratios(:));
end

function t = read_safetensors(path)
% Reads the tensors of a file as fields of a struct.
%
% Field names have _ instead of . : t.output_expected is the tensor output.expected. The axes of a
% tensor are reversed, because files store rows first and these arrays store columns first. An input
% that docs/protocol.md describes as (steps, rows, features) is features x rows x steps, as in
% layers of MATLAB. A weight (4 * hidden_size, features) is transposed.

  file = fopen(path, 'r', 'ieee-le');
  if file < 0
    error('read_safetensors:file', '%s cannot be read.', path);
  end
  bytes = fread(file, 1, 'uint64');
  header = jsondecode(fread(file, [1 bytes], '*char'));
  kinds = struct('F64', '*double', 'F32', '*single');
  t = struct();
  for name = fieldnames(header)'
    entry = header.(name{1});
    shape = entry.shape(:)';
    fseek(file, 8 + bytes + entry.data_offsets(1), 'bof');
    numbers = fread(file, prod(shape), kinds.(entry.dtype));
    t.(strrep(name{1}, '.', '_')) = reshape(numbers, [fliplr(shape) 1 1]);
  end
  fclose(file);
end

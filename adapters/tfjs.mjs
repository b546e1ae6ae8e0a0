/**
 * TensorFlow.js: `tf.layers.lstm`, and `tf.layers.bidirectional` around it, on the backend
 * that the argument names: cpu or wasm.
 *
 * Documented at js.tensorflow.org/api, "Layers / Recurrent" and "Training / Gradients". The columns
 * of the weights are the gates i, f, c, o. There is one bias, input is batch first, and the gates
 * have a hard sigmoid unless another one is asked for. A mask selects the steps. What the output of
 * the other steps is, is not documented, so it is set to zero. `unroll` and `implementation` have
 * no effect.
 */

import { each, load, serve } from "./protocol.mjs";

let tf; // the package, once it is loaded

const OUTPUTS = ["output", "h_n", "c_n"];

/** Outputs, and gradients if there are cotangents; or second derivatives along a direction. */
function run(spec, given, method) {
  const results = tf.tidy(() => {
    const model = build(spec, given);
    const { variables, names } = model;
    let outputs = forward(spec, model);
    if (!spec.cotangents.length) return outputs;
    const wanted = method === "run" ? spec.cotangents : OUTPUTS;
    const cotangents = wanted.map((name) =>
      tf.variable(sum([given[`${name}.cotangent`]]) ?? tf.zerosLike(outputs[name])));
    const cost = () => {
      const again = forward(spec, model);
      return product(wanted.map((name) => again[name]), cotangents);
    };
    let values;
    if (method === "run") {
      values = gradients(cost, variables);
    } else { // gradients of gradients, with respect to the cotangents, too
      const along = variables.map((variable, v) =>
        sum(names[v].map((name) => given[`${name}.direction`])) ?? tf.zerosLike(variable));
      const all = [...variables, ...cotangents];
      values = gradients(() => product(gradients(cost, variables), along), all);
      outputs = Object.fromEntries(OUTPUTS.map((name, k) => [name, values[variables.length + k]]));
    }
    const entries = names.flatMap((same, v) =>
      same.map((name) => [`${name}.grad`, turned(values[v])]));
    return { ...outputs, ...Object.fromEntries(entries) };
  });
  const values = each(results, (x) => ({ shape: x.shape, values: new Float32Array(x.dataSync()) }));
  tf.dispose(results);
  tf.disposeVariables();
  return values;
}

function gradients(cost, variables) {
  const { grads } = tf.variableGrads(cost, variables);
  return variables.map((variable) => grads[variable.name] ?? tf.zerosLike(variable));
}

const product = (xs, ys) => tf.addN(xs.map((x, k) => tf.sum(tf.mul(x, ys[k]))));

// Matrices are transposed. Input, states and outputs have three axes.
const turned = (x) => (x.rank === 3 ? x : tf.transpose(x));

/** The sum of those tensors that are given, as a layer has it; undefined if there are none. */
function sum(tensors) {
  const there = tensors.filter(Boolean).map(({ shape, values }) => tf.tensor(values, shape));
  return there.length ? turned(tf.addN(there)) : undefined;
}

/** The layers, all variables, and the names of the tensors whose sum each variable is. */
function build(spec, given) {
  const names = ["input", "h_0", "c_0"].filter((name) => name in given).map((name) => [name]);
  const leaves = names.map(([name]) => tf.variable(sum([given[name]])));
  const layers = [...Array(spec.num_layers).keys()].map((k) => {
    const suffixes = [`_l${k}`, `_l${k}_reverse`].slice(0, directions(spec));
    const roles = [["weight_ih"], ["weight_hh"], ...(spec.bias ? [["bias_ih", "bias_hh"]] : [])];
    const own = suffixes.flatMap((suffix) => roles.map((same) => same.map((r) => r + suffix)));
    const lstm = layer(spec, given[own[0][0]].shape[1]);
    lstm.setWeights(own.map((same) => sum(same.map((name) => given[name]))));
    names.push(...own);
    return lstm;
  });
  const weights = layers.flatMap((lstm) => lstm.trainableWeights.map((weight) => weight.read()));
  return { layers, leaves, names, variables: [...leaves, ...weights] };
}

const directions = (spec) => (spec.bidirectional ? 2 : 1);

function layer(spec, features) {
  let lstm = tf.layers.lstm({
    units: spec.hidden_size,
    useBias: spec.bias,
    recurrentActivation: "sigmoid",
    kernelInitializer: "zeros",
    recurrentInitializer: "zeros",
    returnSequences: true,
    returnState: true,
  });
  if (spec.bidirectional) lstm = tf.layers.bidirectional({ layer: lstm });
  lstm.apply(tf.input({ shape: [null, features] })); // makes the weights
  return lstm;
}

function forward(spec, { layers, leaves: [input, h_0, c_0] }) {
  const batchFirst = (x) => (spec.batch_first ? x : tf.transpose(x, [1, 0, 2]));
  const row = (states, k) => tf.squeeze(tf.slice(states, [k, 0, 0], [1, -1, -1]), [0]);
  const steps = tf.range(0, spec.seq_len);
  const mask = spec.lengths.length ? tf.less(steps, tf.expandDims(spec.lengths, 1)) : null;
  const [hs, cs] = [[], []];
  let x = batchFirst(input);
  layers.forEach((lstm, k) => {
    const options = mask ? { mask } : {};
    const rows = [...Array(directions(spec)).keys()].map((d) => k * directions(spec) + d);
    if (spec.states) options.initialState = rows.flatMap((r) => [row(h_0, r), row(c_0, r)]);
    const [output, ...final] = lstm.apply(x, options);
    final.forEach((state, s) => (s % 2 ? cs : hs).push(state));
    x = mask ? tf.where(tf.expandDims(mask, 2), output, tf.zerosLike(output)) : output;
  });
  // Second derivatives through tf.stack of one tensor throw.
  const stacked = (rows) => tf.concat(rows.map((state) => tf.expandDims(state)));
  return { output: batchFirst(x), h_n: stacked(hs), c_n: stacked(cs) };
}

async function start() {
  tf = load("@tensorflow/tfjs");
  const [backend] = process.argv.slice(2);
  if (backend === "wasm") load("@tensorflow/tfjs-backend-wasm");
  if (!(await tf.setBackend(backend))) throw new Error(`the backend ${backend} cannot be used`);
  const capabilities = ["layers", "bidirectional", "no-bias", "batch-first", "packed", "states"];
  capabilities.push("gradients", "double-backward", "float32");
  const name = backend === "cpu" ? "tfjs" : `tfjs-${backend}`;
  return { name, version: tf.version.tfjs, capabilities, run };
}

await serve(start);

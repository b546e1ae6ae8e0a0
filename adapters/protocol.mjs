/**
 * What adapters of frameworks in JavaScript share: the protocol of docs/protocol.md, and packages
 * that are found from the working folder.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** Loads a package of npm, which is installed in the working folder or in one above it. */
export function load(name) {
  try {
    return createRequire(join(process.cwd(), "file.js"))(name);
  } catch (error) {
    if (error.code !== "MODULE_NOT_FOUND" || !error.message.includes(`'${name}'`)) throw error;
    throw new Error(`it needs ${name}, which the working folder has not: npm install ${name}`);
  }
}

/** An object with each value of another one put through a function. */
export const each = (object, change) =>
  Object.fromEntries(Object.entries(object).map(([name, value]) => [name, change(value)]));

/**
 * Answers the requests on standard input, one after the other.
 *
 * `start` returns the name, version and capabilities, and `run`. This is called with the fields of
 * a case, its tensors by name, and the method. It returns the results by name. A tensor is
 * {shape, values}, and the values are a Float32Array.
 */
export async function serve(start) {
  let implementation;
  const answer = async (request) => {
    implementation ??= await start();
    const { run, ...hello } = implementation;
    if (request.method === "hello") return { protocol: 1, ...hello };
    const tensors = readTensors(request.inputs);
    const begin = performance.now();
    const results = await run(request.case, tensors, request.method);
    const seconds = (performance.now() - begin) / 1000;
    writeTensors(request.outputs, results);
    return { seconds };
  };
  for await (const line of createInterface({ input: process.stdin })) {
    const request = JSON.parse(line);
    const content = await answer(request).catch((error) => ({ error: error.message }));
    process.stdout.write(`${JSON.stringify({ id: request.id, ...content })}\n`);
  }
}

/** Reads the tensors of a safetensors file by name. */
function readTensors(path) {
  const file = readFileSync(path);
  const start = 8 + Number(file.readBigUInt64LE());
  const tensors = {};
  for (const [name, entry] of Object.entries(JSON.parse(file.toString("utf8", 8, start)))) {
    if (name === "__metadata__") continue;
    const [begin, end] = entry.data_offsets;
    const bytes = new Uint8Array(file.subarray(start + begin, start + end));
    tensors[name] = { shape: entry.shape, values: new Float32Array(bytes.buffer) };
  }
  return tensors;
}

function writeTensors(path, tensors) {
  let end = 0;
  const header = {};
  for (const [name, { shape, values }] of Object.entries(tensors)) {
    const begin = end;
    end += values.byteLength;
    header[name] = { dtype: "F32", shape, data_offsets: [begin, end] };
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const data = Object.values(tensors).map(({ values }) => new Uint8Array(values.buffer));
  writeFileSync(path, Buffer.concat([length, text, ...data]));
}

// @grpc/grpc-js against a node: every method, raw and typed tensors, errors with their codes; plain, with TLS and a
// token, and through an edge node that shares its work with another.
import grpc from "@grpc/grpc-js";
import loader from "@grpc/proto-loader";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { certificate, check, dir, main, run, serve, stop, write } from "./node.mjs";

const proto = join(import.meta.dirname, "../../src/api/oip.proto");
const { inference } = grpc.loadPackageDefinition(loader.loadSync(proto, { keepCase: true, longs: Number, defaults: true, oneofs: true }));
const health = grpc.loadPackageDefinition(loader.fromJSON({
  nested: { grpc: { nested: { health: { nested: { v1: { nested: {
    HealthCheckRequest: { fields: { service: { type: "string", id: 1 } } },
    HealthCheckResponse: { fields: { status: { type: "int32", id: 1 } } },
    Health: { methods: { Check: { requestType: "HealthCheckRequest", responseType: "HealthCheckResponse" } } },
  } } } } } } },
})).grpc.health.v1;

function client(address, credentials = grpc.credentials.createInsecure(), Service = inference.GRPCInferenceService) {
  const c = new Service(address, credentials, { "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 });
  return (method, request, { meta = new grpc.Metadata(), ...options } = {}) => new Promise((resolve, reject) =>
    c[method](request, meta, { deadline: Date.now() + 60000, ...options }, (error, reply) => (error ? reject(error) : resolve(reply))));
}

// The call must fail with this code and name this.
async function fails(promise, code, text) {
  let reply;
  try {
    reply = await promise;
  } catch (error) {
    check(error.code === code && error.details.includes(text), `code ${error.code}, "${error.details}", wanted ${code}, "${text}"`);
    return;
  }
  throw new Error(`no error, wanted ${code}, "${text}": ${JSON.stringify(reply)}`);
}

const bytesOf = (values) => Buffer.from(values.buffer, values.byteOffset, values.byteLength);
const parameter = (reply, name) => {
  const p = reply.parameters[name];
  return p && p[p.parameter_choice];
};

// One input tensor of ones and twos; `input` is the model's metadata of it.
function question(input, batch = 1) {
  const shape = input.shape.map((d) => (d < 0 ? batch : d));
  const values = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => ((i * 7919) % 256) / 128 - 1);
  const tensor = { name: input.name, datatype: "FP32", shape };
  return {
    values,
    raw: { model_name: "lenet", id: "q1", inputs: [tensor], raw_input_contents: [bytesOf(values)] },
    typed: { model_name: "lenet", inputs: [{ ...tensor, contents: { fp32_contents: Array.from(values) } }] },
  };
}

async function methods(call, check_health) {
  check((await call("ServerLive", {})).live, "not live");
  check((await call("ServerReady", {})).ready, "not ready");
  check((await call("ModelReady", { name: "lenet" })).ready, "lenet is not ready");
  check((await check_health("Check", {})).status === 1, "health is not SERVING");
  const server = await call("ServerMetadata", {});
  check(server.name === "cleave" && server.extensions.includes("binary_tensor_data"), JSON.stringify(server));
  const model = await call("ModelMetadata", { name: "lenet" });
  check(model.platform === "onnx_onnxv1" && model.versions.includes("1") && model.inputs.length === 1, JSON.stringify(model));
  check(model.inputs[0].datatype === "FP32" && model.inputs[0].shape[0] === -1, JSON.stringify(model.inputs));
  return model;
}

async function answers(call, model, expected) {
  const q = question(model.inputs[0]);
  for (const kind of ["raw", "typed"]) {
    const reply = await call("ModelInfer", q[kind]);
    const [output] = reply.outputs;
    check(output.name === model.outputs[0].name && output.datatype === "FP32", JSON.stringify(output));
    check(reply.raw_output_contents[0].equals(expected), `${kind}: another answer than the uncut network's`);
    check(kind !== "raw" || reply.id === "q1", "the id is lost");
    check(parameter(reply, "cleave_total_us") > 0 && parameter(reply, "cleave_plan"), JSON.stringify(reply.parameters));
  }
  const two = await call("ModelInfer", question(model.inputs[0], 2).raw);
  check(two.outputs[0].shape[0] === 2, "a batch of two");
  const wanted = await call("ModelInfer", { ...q.raw, outputs: [{ name: model.outputs[0].name }] });
  check(wanted.outputs.length === 1, "a wanted output");
  const many = await Promise.all(Array.from({ length: 40 }, () => call("ModelInfer", q.raw)));
  check(many.every((r) => r.raw_output_contents[0].equals(expected)), "40 at once");
}

async function errors(call, model) {
  const { INVALID_ARGUMENT, NOT_FOUND, RESOURCE_EXHAUSTED, FAILED_PRECONDITION, DEADLINE_EXCEEDED } = grpc.status;
  const q = question(model.inputs[0]);
  const change = (fields) => call("ModelInfer", { ...q.raw, inputs: [{ ...q.raw.inputs[0], ...fields }] });
  await fails(call("ModelMetadata", { name: "absent" }), NOT_FOUND, "absent");
  await fails(call("ModelReady", { name: "lenet", version: "77" }), NOT_FOUND, "77");
  await fails(call("ModelInfer", { ...q.raw, model_name: "absent" }), NOT_FOUND, "absent");
  await fails(change({ datatype: "INT32" }), INVALID_ARGUMENT, "FP32");
  await fails(change({ datatype: "FP31" }), INVALID_ARGUMENT, "FP31");
  await fails(change({ name: "nobody" }), INVALID_ARGUMENT, model.inputs[0].name);
  await fails(change({ shape: [1, 2] }), INVALID_ARGUMENT, model.inputs[0].name);
  await fails(change({ shape: [1, -5, 2, 2] }), INVALID_ARGUMENT, "negative");
  await fails(change({ contents: { fp32_contents: [1] } }), INVALID_ARGUMENT, "one kind");
  await fails(call("ModelInfer", { ...q.raw, outputs: [{ name: "nothing" }] }), INVALID_ARGUMENT, "nothing");
  await fails(call("ModelInfer", { ...q.raw, parameters: { cleave_digest: { string_param: "0" } } }), FAILED_PRECONDITION, "digest");
  await fails(call("ModelInfer", { ...q.raw, raw_input_contents: [Buffer.alloc(3 << 20)] }), RESOURCE_EXHAUSTED, "limit");
  await fails(call("ModelInfer", q.raw, { deadline: Date.now() - 1 }), DEADLINE_EXCEEDED, "");
  check((await call("ServerLive", {})).live, "the node did not survive the errors");
}

await main(async () => {
  run("zoo", "lenet", "-o", join(dir, "models"));
  const models = ["-m", join(dir, "models"), "--body-max", "2MiB"];
  const plain = await serve(...models);
  const call = client(plain.address);
  for (let i = 0; i < 200 && !(await call("ServerReady", {})).ready; i++) await new Promise((r) => setTimeout(r, 50));
  const model = await methods(call, client(plain.address, undefined, health.Health));
  // What the uncut network answers, without a node.
  const q = question(model.inputs[0]);
  run("infer", "lenet", "--models", join(dir, "models"), "--input", `${model.inputs[0].name}=${write("x.bin", bytesOf(q.values))}`, "-o", dir);
  const array = readFileSync(join(dir, `${model.outputs[0].name}.npy`));
  const expected = array.subarray(array.length - 40);
  await answers(call, model, expected);
  await errors(call, model);
  console.log("plain: ok");

  const edge = await serve(...models, "--peer", plain.url, "--policy", "cloud");
  const edge_call = client(edge.address);
  for (let i = 0; i < 200 && !(await edge_call("ServerReady", {})).ready; i++) await new Promise((r) => setTimeout(r, 50));
  await methods(edge_call, client(edge.address, undefined, health.Health));
  await answers(edge_call, model, expected);
  let shared;
  for (let i = 0; i < 200 && !shared; i++) {
    const reply = await edge_call("ModelInfer", q.raw);
    if (parameter(reply, "cleave_plan") === "remote" && parameter(reply, "cleave_cloud_us") > 0) shared = reply;
    else await new Promise((r) => setTimeout(r, 50));
  }
  check(shared?.raw_output_contents[0].equals(expected), "the edge never shared its work, or another answer came of it");
  await errors(edge_call, model);
  console.log("edge: ok");
  await stop(edge);
  await stop(plain);

  const { cert, key } = certificate();
  const token = write("token", "s3cret\n");
  const safe = await serve(...models, "--tls-cert", cert, "--tls-key", key, "--token-file", token);
  const address = `localhost:${safe.address.split(":").pop()}`;
  const tls = grpc.credentials.createSsl(readFileSync(cert));
  const bearer = (text) => grpc.credentials.combineChannelCredentials(tls,
    grpc.credentials.createFromMetadataGenerator((_, done) => {
      const m = new grpc.Metadata();
      m.set("authorization", `Bearer ${text}`);
      done(null, m);
    }));
  const safe_call = client(address, bearer("s3cret"));
  for (let i = 0; i < 200 && !(await safe_call("ServerReady", {})).ready; i++) await new Promise((r) => setTimeout(r, 50));
  await methods(safe_call, client(address, bearer("s3cret"), health.Health));
  await answers(safe_call, model, expected);
  await errors(safe_call, model);
  check((await client(address, tls)("ServerLive", {})).live, "liveness needs no token");
  await fails(client(address, tls)("ModelInfer", q.raw), grpc.status.UNAUTHENTICATED, "token");
  await fails(client(address, bearer("wrong"))("ModelInfer", q.raw), grpc.status.UNAUTHENTICATED, "token");
  await stop(safe);
  console.log("TLS and token: ok");
});

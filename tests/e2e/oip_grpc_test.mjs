// @grpc/grpc-js against a node: every method, raw and typed tensors, errors with their codes; plain, over a Unix-domain
// socket, with TLS and a token, and through an edge node that shares its work with another.
import loader from '@grpc/proto-loader'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { check, dir, grpc, grpcClient, passed, pause, run, serve, write, zoo } from './kit.mjs'

const health = grpc.loadPackageDefinition(loader.fromJSON({
  nested: { grpc: { nested: { health: { nested: { v1: { nested: {
    HealthCheckRequest: { fields: { service: { type: 'string', id: 1 } } },
    HealthCheckResponse: { fields: { status: { type: 'int32', id: 1 } } },
    Health: { methods: { Check: { requestType: 'HealthCheckRequest', responseType: 'HealthCheckResponse' } } },
  } } } } } } },
})).grpc.health.v1

// call(method, request) gives the reply, or throws gRPC's error.
function client(url, credentials, service) {
  const { call } = grpcClient(url, credentials, { 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 }, service)
  return async (method, request, options) => {
    const got = await call(method, request, options)
    if (got.code) throw got
    return got.reply
  }
}

// The call must fail with this code and name this.
async function fails(promise, code, text) {
  let reply
  try {
    reply = await promise
  } catch (error) {
    check(error.code === code && error.details.includes(text), `code ${error.code}, "${error.details}", wanted ${code}, "${text}"`)
    return
  }
  check(false, `no error, wanted ${code}, "${text}"`, reply)
}

const bytesOf = (values) => Buffer.from(values.buffer, values.byteOffset, values.byteLength)
const parameter = (reply, name) => {
  const p = reply.parameters[name]
  return p && p[p.parameter_choice]
}

// One input tensor of ones and twos; `input` is the model's metadata of it.
function question(input, batch = 1) {
  const shape = input.shape.map((d) => (d < 0 ? batch : d))
  const values = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => ((i * 7919) % 256) / 128 - 1)
  const tensor = { name: input.name, datatype: 'FP32', shape }
  return {
    values,
    raw: { model_name: 'lenet', id: 'q1', inputs: [tensor], raw_input_contents: [bytesOf(values)] },
    typed: { model_name: 'lenet', inputs: [{ ...tensor, contents: { fp32_contents: Array.from(values) } }] },
  }
}

async function methods(call, check_health) {
  check((await call('ServerLive', {})).live, 'not live')
  check((await call('ServerReady', {})).ready, 'not ready')
  check((await call('ModelReady', { name: 'lenet' })).ready, 'lenet is not ready')
  check((await check_health('Check', {})).status === 1, 'health is not SERVING')
  const server = await call('ServerMetadata', {})
  check(server.name === 'cleave' && server.extensions.includes('binary_tensor_data'), JSON.stringify(server))
  const model = await call('ModelMetadata', { name: 'lenet' })
  check(model.platform === 'onnx_onnxv1' && model.versions.includes('1') && model.inputs.length === 1, JSON.stringify(model))
  check(model.inputs[0].datatype === 'FP32' && model.inputs[0].shape[0] === -1, JSON.stringify(model.inputs))
  return model
}

async function answers(call, model, expected) {
  const q = question(model.inputs[0])
  for (const kind of ['raw', 'typed']) {
    const reply = await call('ModelInfer', q[kind])
    const [output] = reply.outputs
    check(output.name === model.outputs[0].name && output.datatype === 'FP32', JSON.stringify(output))
    check(reply.raw_output_contents[0].equals(expected), `${kind}: another answer than the uncut network's`)
    check(kind !== 'raw' || reply.id === 'q1', 'the id is lost')
    check(parameter(reply, 'cleave_total_us') > 0 && parameter(reply, 'cleave_plan'), JSON.stringify(reply.parameters))
  }
  const two = await call('ModelInfer', question(model.inputs[0], 2).raw)
  check(two.outputs[0].shape[0] === 2, 'a batch of two')
  const wanted = await call('ModelInfer', { ...q.raw, outputs: [{ name: model.outputs[0].name }] })
  check(wanted.outputs.length === 1, 'a wanted output')
  const many = await Promise.all(Array.from({ length: 40 }, () => call('ModelInfer', q.raw)))
  check(many.every((r) => r.raw_output_contents[0].equals(expected)), '40 at once')
}

async function errors(call, model) {
  const { INVALID_ARGUMENT, NOT_FOUND, RESOURCE_EXHAUSTED, FAILED_PRECONDITION, DEADLINE_EXCEEDED } = grpc.status
  const q = question(model.inputs[0])
  const change = (fields) => call('ModelInfer', { ...q.raw, inputs: [{ ...q.raw.inputs[0], ...fields }] })
  await fails(call('ModelMetadata', { name: 'absent' }), NOT_FOUND, 'absent')
  await fails(call('ModelReady', { name: 'lenet', version: '77' }), NOT_FOUND, '77')
  await fails(call('ModelInfer', { ...q.raw, model_name: 'absent' }), NOT_FOUND, 'absent')
  await fails(change({ datatype: 'INT32' }), INVALID_ARGUMENT, 'FP32')
  await fails(change({ datatype: 'FP31' }), INVALID_ARGUMENT, 'FP31')
  await fails(change({ name: 'nobody' }), INVALID_ARGUMENT, model.inputs[0].name)
  await fails(change({ shape: [1, 2] }), INVALID_ARGUMENT, model.inputs[0].name)
  await fails(change({ shape: [1, -5, 2, 2] }), INVALID_ARGUMENT, 'negative')
  await fails(change({ contents: { fp32_contents: [1] } }), INVALID_ARGUMENT, 'one kind')
  await fails(call('ModelInfer', { ...q.raw, outputs: [{ name: 'nothing' }] }), INVALID_ARGUMENT, 'nothing')
  await fails(call('ModelInfer', { ...q.raw, parameters: { cleave_digest: { string_param: '0' } } }), FAILED_PRECONDITION, 'digest')
  await fails(call('ModelInfer', { ...q.raw, raw_input_contents: [Buffer.alloc(3 << 20)] }), RESOURCE_EXHAUSTED, 'limit')
  await fails(call('ModelInfer', q.raw, { deadline: Date.now() - 1 }), DEADLINE_EXCEEDED, '')
  check((await call('ServerLive', {})).live, 'the node did not survive the errors')
}

// A certificate for localhost that is its own issuer.
function certificate() {
  const cert = path.join(dir, 'cert.pem'), key = path.join(dir, 'key.pem')
  const r = spawnSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost',
    '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', key, '-out', cert], { encoding: 'utf8' })
  check(r.status === 0, 'openssl', r.stderr)
  return { cert, key }
}

// A node that is ready, the calls to it, and its end.
async function node(words, credentials, host = '127.0.0.1') {
  const n = await serve(...words)
  const url = n.url.replace(/\/\/.*:/, `//${host}:`)
  const call = client(url, credentials)
  while (!(await call('ServerReady', {})).ready) await pause(50)
  const end = async () => check((await n.stop()).status === 0, 'did not end well', n.log)
  return { url, call, health: client(url, credentials, health.Health), end }
}

const models = ['-m', zoo('models', 'lenet'), '--body-max', '2MiB']
const plain = await node([...models, '--socket', 'socket'])
const model = await methods(plain.call, plain.health)
// What the uncut network answers, without a node.
const q = question(model.inputs[0])
const alone = run('infer', 'lenet', '--models', models[1], '--input', `${model.inputs[0].name}=${write('x.bin', bytesOf(q.values))}`, '-o', dir)
check(alone.status === 0, 'infer without a node', alone)
const array = fs.readFileSync(path.join(dir, `${model.outputs[0].name}.npy`))
const expected = array.subarray(array.length - 40)
await answers(plain.call, model, expected)
await errors(plain.call, model)
const socket = `unix:${path.join(dir, 'socket')}`
const local = client(socket)
await methods(local, client(socket, undefined, health.Health))
await answers(local, model, expected)
await errors(local, model)

const edge = await node([...models, '--peer', plain.url, '--policy', 'cloud'])
await methods(edge.call, edge.health)
await answers(edge.call, model, expected)
let shared
for (let i = 0; i < 200 && !shared; i++) {
  const reply = await edge.call('ModelInfer', q.raw)
  if (parameter(reply, 'cleave_plan') === 'remote' && parameter(reply, 'cleave_cloud_us') > 0) shared = reply
  else await pause(50)
}
check(shared?.raw_output_contents[0].equals(expected), 'the edge never shared its work, or another answer came of it')
await errors(edge.call, model)
await edge.end()
await plain.end()

const { cert, key } = certificate()
const tls = grpc.credentials.createSsl(fs.readFileSync(cert))
const bearer = text => grpc.credentials.combineChannelCredentials(tls, grpc.credentials.createFromMetadataGenerator((_, done) => {
  const m = new grpc.Metadata()
  m.set('authorization', `Bearer ${text}`)
  done(null, m)
}))
const safe = await node([...models, '--tls-cert', cert, '--tls-key', key, '--token-file', write('token', 's3cret\n')], bearer('s3cret'), 'localhost')
await methods(safe.call, safe.health)
await answers(safe.call, model, expected)
await errors(safe.call, model)
check((await client(safe.url, tls)('ServerLive', {})).live, 'liveness needs no token')
await fails(client(safe.url, tls)('ModelInfer', q.raw), grpc.status.UNAUTHENTICATED, 'token')
await fails(client(safe.url, bearer('wrong'))('ModelInfer', q.raw), grpc.status.UNAUTHENTICATED, 'token')
await safe.end()
passed('gRPC: plain, over a Unix-domain socket, through an edge, with TLS and a token')

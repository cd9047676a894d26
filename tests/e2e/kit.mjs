// What the end-to-end tests share: nodes as processes of their own, and clients that others wrote (curl, grpc-js).
//
//     const cloud = await serve('-m', models, '--accept-push')
//     const answer = curl(cloud.url + '/v2/models/lenet')
//     check(answer.status === 200, 'no metadata', answer)
//
// A test ends with passed(): nodes are killed and files removed when the process exits. A check that fails ends it with status 1 and
// the logs of the nodes that live. There are no timed assertions: until() waits as long as a hung test may take.
import { spawn, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import grpc from '@grpc/grpc-js'
import loader from '@grpc/proto-loader'

const here = import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname)
export const cleave = path.resolve(process.env.CLEAVE ?? path.join(here, '../../build/cleave'))
export const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'cleave-e2e-'))
process.env.XDG_CACHE_HOME = path.join(dir, 'cache')
delete process.env.CLEAVE_TOKEN

const nodes = []
process.on('exit', () => {
  for (const node of nodes) if (node.alive) node.child.kill('SIGKILL')
  fs.rmSync(dir, { recursive: true, force: true })
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1))

export function fail(what, ...values) {
  console.error(`FAILED: ${what}`)
  for (const value of values) console.error(typeof value === 'string' ? value : JSON.stringify(value))
  for (const node of nodes.filter(node => node.alive)) console.error(`--- ${node.name}\n${node.log}`)
  process.exit(1)
}
export function check(good, what, ...values) {
  if (!good) fail(what, ...values)
}
process.on('uncaughtException', error => fail('the test itself', error.stack))

// The end of a test that passed; nodes that still run would keep it alive.
export function passed(what) {
  console.log(what)
  process.exit(0)
}

export const pause = ms => new Promise(done => setTimeout(done, ms))
// Calls look() until it gives something true, and gives that back.
export async function until(look, what) {
  for (const end = Date.now() + 120000; Date.now() < end; await pause(50)) {
    const got = await look()
    if (got) return got
  }
  fail(`waited in vain: ${what}`)
}

// A command that ends by itself; its words are all that it gets.
export function run(...words) {
  const got = spawnSync(cleave, words, { encoding: 'utf8', cwd: dir, input: '', timeout: 120000, maxBuffer: 1 << 28 })
  return { status: got.status, out: got.stdout, err: got.stderr }
}
export function zoo(folder, ...words) {
  const models = path.join(dir, folder)
  const got = run('zoo', ...words, '-o', models)
  check(got.status === 0, `no networks: ${words}`, got)
  return models
}
// An empty repository.
export function folder(name) {
  fs.mkdirSync(path.join(dir, name))
  return path.join(dir, name)
}
export function write(name, content) {
  fs.writeFileSync(path.join(dir, name), content)
  return path.join(dir, name)
}

// A node that listens and has loaded what lies in its repository. `log` grows as it speaks.
export async function serve(...words) {
  const usual = Object.entries({ '--port': '0', '--threads': '1', '--watch': '100ms' }).filter(([flag]) => !words.includes(flag))
  const child = spawn(cleave, ['serve', ...usual.flat(), ...words], { cwd: dir, stdio: ['ignore', 'ignore', 'pipe'] })
  const node = { child, name: words.join(' '), log: '', alive: true }
  nodes.push(node)
  child.stderr.setEncoding('utf8').on('data', text => { node.log += text })
  child.on('close', (status, signal) => { Object.assign(node, { alive: false, status, signal }) })
  node.url = await until(() => node.log.match(/"listening" url=(\S+)/)?.[1] ?? (node.alive ? '' : fail('no node', words)), 'listening')
  node.port = +new URL(node.url).port
  node.says = text => until(() => node.log.includes(text), `'${text}' in the log of ${node.name}`)
  for (const model of fs.readdirSync(words[words.indexOf('-m') + 1]))
    await until(() => ['ready', 'failed'].some(end => node.log.includes(`"model ${end}" model=${model} `)), `the end of loading ${model}`)
  node.stop = async (signal = 'SIGTERM') => {
    child.kill(signal)
    await until(() => !node.alive, 'the end of a node')
    return node
  }
  return node
}

// curl, with its own words; `body` as bytes, and as JSON where it is.
export function curl(...words) {
  const got = spawnSync('curl', ['-sS', '-m', '60', '-D', '-', '-o', path.join(dir, 'answer'), '-w', '%{stderr}%{http_code}', ...words],
    { encoding: 'utf8', cwd: dir })
  const body = fs.existsSync(path.join(dir, 'answer')) ? fs.readFileSync(path.join(dir, 'answer')) : Buffer.alloc(0)
  fs.rmSync(path.join(dir, 'answer'), { force: true })
  let json = null
  try { json = JSON.parse(body) } catch { /* then it is none */ }
  const headers = Object.fromEntries(got.stdout.split('\r\n').map(line => line.split(': ')).filter(pair => pair.length > 1)
    .map(([name, value]) => [name.toLowerCase(), value]))
  return { status: +got.stderr.slice(-3), exit: got.status, said: got.stderr, headers, body, json }
}

const proto = grpc.loadPackageDefinition(loader.loadSync(path.join(here, '../../src/api/oip.proto'),
  { keepCase: true, longs: Number, defaults: true, oneofs: true }))
// call(method, request, {metadata, deadline}) gives {reply} or {code, details}; codes are grpc.status.
export function grpcClient(url, credentials = grpc.credentials.createInsecure(), options = {}, Service = proto.inference.GRPCInferenceService) {
  const client = new Service(url.startsWith('unix:') ? url : new URL(url).host, credentials,
    { 'grpc.max_receive_message_length': 1 << 28, 'grpc.max_send_message_length': 1 << 28, ...options })
  const call = (method, request, { metadata = new grpc.Metadata(), deadline = Date.now() + 60000 } = {}) => new Promise(done => {
    client[method](request, metadata, { deadline }, (error, reply) =>
      done(error ? { code: error.code, details: error.details } : { code: 0, reply }))
  })
  return { call, close: () => client.close() }
}
export { grpc }

// A lenet's picture, and the three ways to ask about it. All give {plan, values}.
export const picture = Float32Array.from({ length: 784 }, (_, i) => ((i * 37) % 101) / 101)
export const pictureBytes = () => Buffer.from(picture.buffer)
const floats = bytes => Array.from(new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)))

export function askJson(url, words = [], model = 'lenet') {
  const file = write('question.json', JSON.stringify({
    id: 'one', inputs: [{ name: 'input', datatype: 'FP32', shape: [1, 1, 28, 28], data: Array.from(picture) }],
  }))
  const got = curl(`${url}/v2/models/${model}/infer`, '-H', 'content-type: application/json', '--data-binary', `@${file}`, ...words)
  check(got.status === 200 && got.json?.id === 'one', `no answer by JSON from ${url}`, got)
  return { plan: got.json.parameters.cleave_plan, values: got.json.outputs[0].data, parameters: got.json.parameters }
}
export function askBinary(url, words = []) {
  const head = JSON.stringify({
    inputs: [{ name: 'input', datatype: 'FP32', shape: [1, 1, 28, 28], parameters: { binary_data_size: 3136 } }],
    outputs: [{ name: 'logits', parameters: { binary_data: true } }],
  })
  const file = write('question.bin', Buffer.concat([Buffer.from(head), pictureBytes()]))
  const got = curl(`${url}/v2/models/lenet/infer`, '-H', `inference-header-content-length: ${Buffer.byteLength(head)}`,
    '-H', 'content-type: application/octet-stream', '--data-binary', `@${file}`, ...words)
  check(got.status === 200, `no answer in binary from ${url}`, got)
  const n = +got.headers['inference-header-content-length']
  return { plan: JSON.parse(got.body.subarray(0, n)).parameters.cleave_plan, values: floats(got.body.subarray(n)) }
}
export const question = () => ({
  model_name: 'lenet', inputs: [{ name: 'input', datatype: 'FP32', shape: [1, 1, 28, 28] }], raw_input_contents: [pictureBytes()],
})
export async function askGrpc(client) {
  const got = await client.call('ModelInfer', question())
  check(got.code === 0, 'no answer by gRPC', got)
  return { plan: got.reply.parameters.cleave_plan.string_param, values: floats(got.reply.raw_output_contents[0]) }
}

export const close = (a, b) => a.length === b.length && a.every((v, i) => Math.abs(v - b[i]) <= 1e-5 * Math.max(1, Math.abs(b[i])))
// What an edge does with a model now.
export const planOf = (edge, words = []) => curl(`${edge.url}/v2/models/lenet`, ...words).json?.parameters?.plan

// An edge and a cloud that begins empty: the edge brings its model, and both answer everybody's clients alike. Then the ways in
// which a cloud may not want to share: the edge answers alone, and says why once.
import { askBinary, askGrpc, askJson, check, close, curl, folder, grpcClient, passed, planOf, run, serve, until, zoo } from './kit.mjs'
import fs from 'node:fs'

const models = zoo('models', 'lenet'), other = zoo('other', 'lenet', '--seed', '2'), empty = folder('empty')

const cloud = await serve('-m', empty, '--accept-push')
check(curl(`${cloud.url}/v2/models/lenet`).status === 404, 'a model from nowhere')
const edge = await serve('-m', models, '--peer', cloud.url, '--policy', 'cloud')
await until(() => planOf(edge) === 'remote', 'the edge shares its work')
await edge.says('"model pushed" model=lenet')
check(fs.readFileSync(`${empty}/lenet/1/model.onnx`).equals(fs.readFileSync(`${models}/lenet/1/model.onnx`)), 'other bytes were pushed')

const answers = []
for (const node of [edge, cloud]) {
  const client = grpcClient(node.url), name = node === edge ? 'edge' : 'cloud', want = node === edge ? 'remote' : 'local'
  for (const [way, got] of [['JSON', askJson(node.url)], ['binary', askBinary(node.url)], ['gRPC', await askGrpc(client)]]) {
    check(got.plan === want, `${name} by ${way}: plan ${got.plan}, not ${want}`)
    check(got.values.length === 10, `${name} by ${way}: ${got.values}`)
    answers.push(got.values)
  }
  const meta = await client.call('ModelMetadata', { name: 'lenet' })
  check(meta.reply?.inputs[0].name === 'input' && meta.reply.outputs[0].shape.join() === '-1,10', 'metadata by gRPC', meta)
  for (const method of ['ServerLive', 'ServerReady']) check(Object.values((await client.call(method, {})).reply)[0], method)
  check((await client.call('ModelReady', { name: 'lenet' })).reply?.ready, 'model not ready by gRPC')
  for (const path of ['', '/health/live', '/health/ready', '/models/lenet/ready', '/models/lenet/versions/1/ready', '/models/lenet/versions/1'])
    check(curl(`${node.url}/v2${path}`).status === 200, `/v2${path} of the ${name}`)
  const profile = curl(`${node.url}/v2/models/lenet/profile`)
  check(profile.json?.schema === 3 && profile.json.cuts.length > 2, 'no profile', profile)
  check(curl('-X', 'POST', `${node.url}/v2/repository/index`).json?.[0].state === 'READY', 'index')
  client.close()
}
for (const values of answers) check(close(values, answers[0]), 'answers differ', answers)
check(curl(`${edge.url}/v2/models/lenet`).json.parameters.digest === curl(`${cloud.url}/v2/models/lenet`).json.parameters.digest, 'digests')
let timing // of a request that nothing on this machine held up so long that the edge began it too
for (let i = 0; i < 20 && !(timing && !timing.cleave_hedged); i++) timing = askJson(edge.url).parameters
check(timing.cleave_cloud_us > 0 && timing.cleave_link_us > 0 && timing.cleave_edge_us === 0, 'the times do not say remote', timing)
const said = run('infer', 'lenet', '--url', edge.url, '--random', '1', '--json')
check(said.status === 0 && JSON.parse(said.out).plan === 'remote', 'cleave infer', said)

// The cloud goes, the edge stays; the cloud comes back on its port with what was pushed, and the edge shares again.
await cloud.stop('SIGKILL')
check(close(askJson(edge.url).values, answers[0]), 'without the cloud')
await edge.says('"peer is down"')
check(askJson(edge.url).plan === 'local', 'the plan without a cloud')
const back = await serve('-m', empty, '--port', `${cloud.port}`)
await until(() => planOf(edge) === 'remote' && askJson(edge.url).plan === 'remote', 'the edge shares again')
check(close(askJson(edge.url).values, answers[0]), 'after the return')

// The end is orderly on both sides.
for (const node of [edge, back]) check((await node.stop()).status === 0, 'did not end well', node.status)

// alone(words of the cloud, what the edge logs): the edge answers all the same.
async function alone(words, reason) {
  const there = await serve(...words), here = await serve('-m', models, '--peer', there.url, '--policy', 'cloud')
  await here.says(reason)
  const got = askJson(here.url)
  check(got.plan === 'local' && close(got.values, answers[0]), 'not answered here', got)
  check(here.log.split(reason).length === 2, `'${reason}' is said more than once`)
  check(curl(`${here.url}/v2/health/ready`).status === 200, 'not ready')
  await here.stop()
  await there.stop()
  return here
}
await alone(['-m', other], 'the peer has another model of this name: digest ')
await alone(['-m', folder('none')], 'this node takes no models from peers; start it with --accept-push')
passed('nodes: two ends, three kinds of clients, one answer')

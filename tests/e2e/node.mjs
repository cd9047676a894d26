// What the end-to-end tests in JavaScript share: start nodes, check, clean up.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const cleave = process.env.CLEAVE;
export const dir = mkdtempSync(join(tmpdir(), "cleave-e2e-"));
const running = [];

// Run the program to its end; its standard output.
export function run(...args) {
  const r = spawnSync(cleave, args, { encoding: "utf8", env: { ...process.env, XDG_CACHE_HOME: join(dir, "cache") } });
  if (r.status !== 0) throw new Error(`cleave ${args.join(" ")}: ${r.stderr}`);
  return r.stdout;
}

// Start `cleave serve` on any free port and wait until it is ready; its url is in the log.
export async function serve(...args) {
  const child = spawn(cleave, ["serve", "--port", "0", "--threads", "1", ...args], {
    stdio: ["ignore", "inherit", "pipe"],
    env: { ...process.env, XDG_CACHE_HOME: join(dir, "cache") },
  });
  const node = { child, log: "" };
  running.push(node);
  const url = await new Promise((resolve, reject) => {
    child.stderr.setEncoding("utf8");
    child.stderr.on("data", (text) => {
      node.log += text;
      const found = node.log.match(/listening.* url=(\S+)/);
      if (found) resolve(found[1]);
    });
    child.on("exit", (code) => reject(new Error(`serve ended with ${code}: ${node.log}`)));
  });
  return Object.assign(node, { url, address: url.replace(/^https?:\/\//, "") });
}

// End a node as a service manager does; it must end well.
export async function stop(node) {
  running.splice(running.indexOf(node), 1);
  node.child.removeAllListeners("exit");
  const ended = new Promise((resolve) => node.child.on("exit", (code, signal) => resolve(signal ?? code)));
  node.child.kill("SIGTERM");
  const how = await ended;
  check(how === 0, `a node ended with ${how}: ${node.log}`);
}

export function check(good, text) {
  if (!good) throw new Error(text);
}

// A certificate for localhost that is its own issuer.
export function certificate() {
  const cert = join(dir, "cert.pem"), key = join(dir, "key.pem");
  const r = spawnSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
    "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", cert], { encoding: "utf8" });
  check(r.status === 0, `openssl: ${r.stderr}`);
  return { cert, key };
}

export function write(name, data) {
  writeFileSync(join(dir, name), data);
  return join(dir, name);
}
export const read = (name) => readFileSync(join(dir, name));

// Run the test; nodes and files go, whatever happens.
export async function main(test) {
  let status = 0;
  try {
    await test();
  } catch (error) {
    console.error(`FAILED: ${error.stack}`);
    status = 1;
  }
  for (const node of running) {
    node.child.removeAllListeners("exit");
    if (status) console.error(node.log.split("\n").slice(-20).join("\n"));
    node.child.kill("SIGKILL");
  }
  rmSync(dir, { recursive: true, force: true });
  process.exit(status);
}

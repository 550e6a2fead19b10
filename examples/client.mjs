// Blur a picture: `node client.mjs IN.ppm OUT.ppm [PRESET]`, after `npm install zeromq @msgpack/msgpack`.
// Written from docs/protocol.md alone: finds the daemon or starts it, and survives its loss.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { decode, encode } from "@msgpack/msgpack";
import { Dealer } from "zeromq";

const { env, platform } = process;
class Lost extends Error {}

function places() {
  if (platform === "win32") {
    const local = env.LOCALAPPDATA;
    return { run: join(local, "Temp", "defocus"), settings: join(local, "defocus") };
  }
  if (platform === "darwin") {
    const library = join(homedir(), "Library");
    const run = join(library, "Caches", "TemporaryItems", "defocus");
    return { run, settings: join(library, "Application Support", "defocus") };
  }
  const uid = process.getuid();
  const run = env.XDG_RUNTIME_DIR ?? `/run/user/${uid}`;
  return { run: join(run, "defocus"), other: join(tmpdir(), `runtime-${uid}`, "defocus"),
           settings: join(env.XDG_CONFIG_HOME ?? join(homedir(), ".config"), "defocus") };
}

function connectionFile() {
  const { run, other } = places();
  for (const folder of env.DEFOCUS_RUNTIME_DIR ? [env.DEFOCUS_RUNTIME_DIR] : [run, other]) {
    try {
      return JSON.parse(readFileSync(join(folder, "connection.json"), "utf8"));
    } catch { /* none there */ }
  }
  throw new Lost("no daemon runs");
}

function start() {
  const settings = env.DEFOCUS_CONFIG_DIR ?? places().settings;
  const { command } = JSON.parse(readFileSync(join(settings, "launcher.json"), "utf8"));
  execFileSync(command[0], command.slice(1), { stdio: ["ignore", "ignore", "inherit"] });
}

async function connect() {
  const where = connectionFile();
  // no reconnecting: a new daemon would not know us
  const socket = new Dealer({ linger: 0, reconnectInterval: -1, receiveTimeout: 5000, sendTimeout: 5000 });
  socket.connect(where.work);
  const welcome = await say(socket, { type: "hello", protocol: [1, 1], token: where.token,
                                      client: "client.mjs", capabilities: ["strict"] });
  return { socket, welcome };
}

async function say(socket, header, frames = []) {
  await socket.send([encode(header), ...frames]).catch(() => { throw new Lost("it takes no message"); });
  return header.type === "hello" ? (await hear(socket)).header : undefined;
}

async function hear(socket) {
  const parts = await socket.receive().catch(() => { throw new Lost("the daemon is silent"); });
  const header = decode(parts[0]);
  if (header.type === "error") throw Object.assign(new Error(`${header.message}. ${header.hint}`), header);
  return { header, frames: parts.slice(1) };
}

async function blur(picture, preset) {
  const { socket } = await connect();
  try {
    const digest = createHash("sha256").update(picture.pixels).digest("hex");
    const image = { width: picture.width, height: picture.height, channels: 3, dtype: "u8", transfer: "srgb", digest };
    await say(socket, { type: "render", id: "1", image, lens: { kind: "preset", name: preset }, want: ["composite"] });
    for (;;) {
      const { header, frames } = await hear(socket);
      if (header.type === "need") {
        await say(socket, { type: "pixels", id: "1", planes: header.planes }, [picture.pixels]);
      } else if (header.type === "progress") {
        console.log(header.stage, `${Math.round(100 * header.fraction)} %`);
      } else if (header.type === "result") {
        header.notes.forEach((note) => console.log(`note: ${note}`));
        return frames[0];
      }
    }
  } finally {
    socket.close();
  }
}

function readPPM(path) {
  const data = readFileSync(path);
  const words = [];
  let at = 0;
  while (words.length < 4) {
    const found = /^(?:\s|#[^\n]*\n)*([^\s#]+)/.exec(data.toString("latin1", at, at + 4096));
    words.push(found[1]);
    at += found[0].length;
  }
  const [magic, width, height, most] = [words[0], ...words.slice(1).map(Number)];
  if (magic !== "P6" || most !== 255) throw new Error(`${path}: not a PPM of 8 bits (P6)`);
  return { width, height, pixels: data.subarray(at + 1, at + 1 + 3 * width * height) };
}

const [input, output, preset = "natural"] = process.argv.slice(2);
try {
  const picture = readPPM(input);
  const made = await blur(picture, preset).catch((fault) => {
    if (!(fault instanceof Lost) && fault.code !== "unauthorized") throw fault;
    console.log(`${fault.message}; starting it`);
    start();
    return blur(picture, preset);
  });
  writeFileSync(output, Buffer.concat([Buffer.from(`P6 ${picture.width} ${picture.height} 255\n`), made]));
} catch (fault) {
  console.error(`client.mjs: ${fault.message}`);
  process.exitCode = 1;
}

/** A DNS server (RFC 1035, UDP) for one test: every name is 127.0.0.1, and a name has the TXT records of a file. */
import { createSocket } from 'node:dgram';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface DnsServer extends AsyncDisposable {
  /** `127.0.0.1:PORT`. */
  readonly address: string;
  /** The TXT records of a name are the lines of the file with that name; no file, no records. */
  readonly dir: string;
  /** The names whose TXT records were asked for. */
  readonly asked: readonly string[];
}

const A = 1;
const TXT = 16;
const HEADER_BYTES = 12;

export async function startDns(): Promise<DnsServer> {
  const dir = await mkdtemp(join(tmpdir(), 'pannier-dns-'));
  const socket = createSocket('udp4');
  const asked: string[] = [];
  socket.on(
    'message',
    (query, from) => void answer(query).then((bytes) => socket.send(bytes, from.port, from.address)),
  );
  await new Promise<void>((done) => socket.bind(0, '127.0.0.1', done));

  async function answer(query: Buffer): Promise<Buffer> {
    const { name, type, end } = readQuestion(query);
    if (type === TXT) asked.push(name);
    const answers = type === A ? [Buffer.from([127, 0, 0, 1])] : type === TXT ? await textsOf(join(dir, name)) : [];
    const header = Buffer.from(query.subarray(0, HEADER_BYTES));
    header.writeUInt16BE(0x8580, 2); // an answer with authority
    header.writeUInt16BE(answers.length, 6);
    header.writeUInt32BE(0, 8);
    const records = answers.map((data) => {
      const head = Buffer.from([0xc0, HEADER_BYTES, 0, type, 0, 1, 0, 0, 0, 0, 0, 0]);
      head.writeUInt16BE(data.length, 10);
      return Buffer.concat([head, data]);
    });
    return Buffer.concat([header, query.subarray(HEADER_BYTES, end), ...records]);
  }

  return {
    address: `127.0.0.1:${socket.address().port}`,
    dir,
    asked,
    async [Symbol.asyncDispose]() {
      await new Promise<void>((done) => socket.close(done));
      await rm(dir, { recursive: true, force: true });
    },
  };
}

function readQuestion(query: Buffer): { readonly name: string; readonly type: number; readonly end: number } {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

async function textsOf(file: string): Promise<readonly Buffer[]> {
  const text = await readFile(file, 'latin1').catch(() => '');
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line) => Buffer.concat([Buffer.from([line.length]), Buffer.from(line, 'latin1')]));
}

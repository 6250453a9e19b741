/**
 * `load.ts SOCKET PATH CONNECTIONS MS`: asks for one path over so many connections, each with one request at a time,
 * and prints `{"answers":…,"ms":…}` as JSON. A process of its own, over bare sockets: an HTTP client would take more of
 * the machine than the servers that are measured.
 */
import { connect, type Socket } from 'node:net';

const [socketPath = '', path = '', connections = '16', forMs = '1000'] = process.argv.slice(2);
const request = Buffer.from(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
const HEAD_END = '\r\n\r\n';

let answers = 0;
let isOver = false;
/** Length of the last answer that was looked at: one as long as that is whole. */
let usual = 0;

const sockets = await Promise.all(Array.from({ length: Number(connections) }, open));
const startedMs = performance.now();
for (const socket of sockets) socket.write(request);
await new Promise((resolve) => setTimeout(resolve, Number(forMs)));
isOver = true;
process.stdout.write(`${JSON.stringify({ answers, ms: performance.now() - startedMs })}\n`);
for (const socket of sockets) socket.destroy();

function open(): Promise<Socket> {
  return new Promise((resolve, reject) => {
    let rest = '';
    const whole = () => {
      answers++;
      rest = '';
      if (!isOver) socket.write(request);
    };
    const callback = (length: number, buffer: Uint8Array) => {
      if (rest === '' && length === usual) whole();
      else {
        rest += Buffer.from(buffer.buffer, buffer.byteOffset, length).toString('latin1');
        const wanted = lengthOf(rest);
        if (wanted !== undefined && rest.length > wanted) throw new Error('more than one answer');
        if (rest.length === wanted) {
          usual = wanted;
          whole();
        }
      }
      return true;
    };
    const socket = connect({ path: socketPath, onread: { buffer: Buffer.alloc(64 * 1024), callback } });
    socket.once('connect', () => resolve(socket));
    socket.on('error', reject);
    socket.on('close', () => {
      if (!isOver) throw new Error('the server closed a connection');
    });
  });
}

/** Of head and body; undefined while the head is not whole. */
function lengthOf(answer: string): number | undefined {
  const end = answer.indexOf(HEAD_END);
  if (end < 0) return undefined;
  if (!answer.startsWith('HTTP/1.1 200')) throw new Error(`it answers ${answer.slice(0, 30)}`);
  const length = /\r\ncontent-length: (\d+)/i.exec(answer.slice(0, end));
  return end + HEAD_END.length + Number(length?.[1]);
}

import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';

export interface Handshakes {
  /** Serial numbers in the order in which they were served first. */
  readonly serials: () => readonly string[];
  readonly count: () => number;
  /** Ends the load; resolves to the words of all handshakes that failed. */
  stop(): Promise<readonly string[]>;
}

export interface HandshakeOptions {
  readonly port: number;
  readonly ca: string;
  /** Makes a connection ready for TLS, where the protocol begins otherwise. */
  readonly begin?: (socket: Socket) => Promise<void>;
}

const CLIENTS = 4;
/** A server that answers nothing for so long has failed. */
const PATIENCE_MS = 10_000;

/** Connects again and again with several clients at once; each makes whole handshakes, and checks the certificate. */
export function keepConnecting(options: HandshakeOptions): Handshakes {
  const serials = new Map<string, true>();
  const failures: string[] = [];
  const state = { count: 0, isStopped: false };
  const client = async () => {
    while (!state.isStopped) {
      await handshake(options).then(
        (serial) => serials.set(serial, true),
        (error: unknown) => failures.push(String((error as { code?: unknown }).code ?? error)),
      );
      state.count++;
    }
  };
  const clients = Array.from({ length: CLIENTS }, client);
  return {
    serials: () => [...serials.keys()],
    count: () => state.count,
    async stop() {
      state.isStopped = true;
      await Promise.all(clients);
      return failures;
    },
  };
}

/** Resolves to the serial number of the certificate, in the form of Node. */
async function handshake({ port, ca, begin }: HandshakeOptions): Promise<string> {
  const socket = connectTcp({ port, host: '127.0.0.1' });
  socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error('no answer in time')));
  let secure: TLSSocket | undefined;
  try {
    await once(socket, 'connect');
    await begin?.(socket);
    secure = connectTls({ socket, ca, servername: 'shop.svc' });
    await once(secure, 'secureConnect');
    return secure.getPeerX509Certificate()?.serialNumber ?? '';
  } finally {
    secure?.on('error', () => {});
    socket.on('error', () => {});
    secure?.destroy();
    socket.destroy();
  }
}

/** How a client of PostgreSQL asks for TLS. */
export async function askPostgres(socket: Socket): Promise<void> {
  socket.write(Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]));
  const [answer] = (await once(socket, 'data')) as [Buffer];
  if (answer.toString() !== 'S') throw new Error('PostgreSQL has no TLS');
  socket.removeAllListeners('data');
}

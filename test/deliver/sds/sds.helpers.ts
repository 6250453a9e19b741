import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as grpc from '@grpc/grpc-js';
import { onTestFinished } from 'vitest';
import type { Code } from '../../../src/base/codes.ts';
import { failure } from '../../../src/base/errors.ts';
import type { Fact } from '../../../src/base/fact.ts';
import { Secret } from '../../../src/base/secret.ts';
import type { Value } from '../../../src/base/value.ts';
import type { SdsConfig, SdsListenConfig, SdsSecretConfig } from '../../../src/config/config.ts';
import { SdsHub } from '../../../src/deliver/sds/hub.ts';
import type { SdsListener } from '../../../src/deliver/sds/listener.ts';
import { Message, ReadMessage } from '../../../src/deliver/sds/protobuf.ts';
import { SECRET_TYPE } from '../../../src/deliver/sds/secret-message.ts';
import { createSdsService } from '../../../src/deliver/sds/service.ts';
import type { SecretListener } from '../../../src/lease/manager.ts';
import type { SecretEntry } from '../../../src/lease/snapshot.ts';
import type { ComputedByName } from '../../../src/render/render.ts';
import { FakeClock } from '../../fake-clock.ts';

/** The secrets of an agent, as the test says them. */
export class FakeSecrets {
  readonly entries = new Map<string, SecretEntry>();
  readonly #listeners = new Set<SecretListener>();
  #number = 0;

  /** Gives the secret a value, and tells of it. */
  set(name: string, fields: Readonly<Record<string, string | readonly string[]>>): void {
    const values = Object.entries(fields).map(([key, value]): [string, Value] => [
      key,
      typeof value === 'string' ? Secret.text(value) : value.map((one) => Secret.text(one)),
    ]);
    const number = ++this.#number;
    const value = { fields: new Map(values), version: String(number), life: { kind: 'none' } } as const;
    const times = { fetchedWallMs: 0, changedWallMs: 0, valueNumber: number, stateNumber: number };
    this.entries.set(name, { state: 'fresh', value, ...times });
    this.tell(name);
  }

  /** An attempt for the secret fails; it has no value then. */
  fail(name: string, code: Code = 'SECRET_NOT_FOUND', optional = false): void {
    const why = failure(code, `secrets.${name}`, 'as the test says');
    this.entries.set(name, { state: 'absent', why, optional, stateNumber: ++this.#number });
    this.tell(name);
  }

  tell(...names: readonly string[]): void {
    for (const listener of [...this.#listeners]) listener(new Set(names), 'changed', 'turn');
  }

  snapshot(names: Iterable<string>) {
    const entries = new Map(
      [...names].flatMap((name) => {
        const entry = this.entries.get(name);
        return entry === undefined ? [] : [[name, entry] as const];
      }),
    );
    return { number: this.#number, get: (name: string) => entries.get(name), names: () => entries.keys() };
  }

  entryOf(name: string): SecretEntry | undefined {
    return this.entries.get(name);
  }

  onEvent(listener: SecretListener): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }
}

export const generic = (secret: string, field?: string): SdsSecretConfig => ({
  kind: 'generic',
  from: { secret, ...(field === undefined ? {} : { field }) },
  place: `sds.secrets.${secret}`,
});

export const certificateFrom = (secret: string): SdsSecretConfig => ({
  kind: 'certificate',
  from: { secret },
  place: `sds.secrets.${secret}`,
});

export const trustFrom = (secret: string, field?: string): SdsSecretConfig => ({
  kind: 'trust',
  from: { secret, ...(field === undefined ? {} : { field }) },
  names: [],
  crlOfLeafOnly: false,
  place: `sds.secrets.${secret}`,
});

export const onDemandFor = (match: string, max = 10): NonNullable<SdsConfig['onDemand']> => ({
  match: [match],
  backend: 'bao',
  request: { kind: 'vault-certificate', commonName: 'on-demand.pannier.invalid' },
  max,
  place: 'sds.onDemand.certificate',
});

export const configOf = (
  secrets: Readonly<Record<string, SdsSecretConfig>>,
  more: Partial<SdsConfig> = {},
): SdsConfig => ({ listeners: [], maxStreams: 100, secrets: new Map(Object.entries(secrets)), ...more });

/** A hub with secrets of the test. @param seed what its random bytes begin with. */
export function setUpHub(seed = 0) {
  const secrets = new FakeSecrets();
  const clock = new FakeClock();
  const facts: Fact[] = [];
  const wanted: { now: ComputedByName } = { now: new Map() };
  let made = seed;
  const hub = new SdsHub({
    clock,
    emit: (fact) => void facts.push(fact),
    secrets,
    want: (asked) => {
      wanted.now = asked; // whether one is new or all
    },
    randomBytes: (length) => Buffer.alloc(length, ++made),
  });
  onTestFinished(() => hub[Symbol.dispose]());
  const factsOf = <K extends Fact['kind']>(kind: K) =>
    facts.filter((fact): fact is Extract<Fact, { kind: K }> => fact.kind === kind);
  return { hub, secrets, clock, facts, factsOf, wanted };
}

export type World = ReturnType<typeof setUpHub>;

/** A hub on a socket, with the real service and listener. */
export async function setUp(config: SdsConfig, listen: Partial<SdsListenConfig> = {}) {
  const world = setUpHub();
  const dir = mkdtempSync(join(tmpdir(), 'pannier-sds-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const path = join(dir, 's');
  const place = { where: { kind: 'unix', path, mode: 0o600 }, place: 'sds', ...listen } as SdsListenConfig;
  const deps = { hub: world.hub, clock: world.clock, emit: (fact: Fact) => void world.facts.push(fact) };
  const service = await createSdsService({ sds: config, listen: place, ...deps });
  const listener = (await service.listen({ where: place.where, place: 'sds' })) as SdsListener;
  await service.start?.();
  onTestFinished(async () => {
    await listener[Symbol.asyncDispose]();
  });
  const apply = async (next: SdsConfig) => {
    const made = await createSdsService({ sds: next, listen: place, ...deps });
    await made.start?.();
    made.takeListener(listener);
    await current.service[Symbol.asyncDispose]();
    current.service = made;
  };
  const current = { service };
  const target = place.where.kind === 'unix' ? `unix:${path}` : `${place.where.host}:${place.where.port}`;
  return { ...world, dir, path, listener, apply, client: () => createClient(target) };
}

/** What a client sees of an answer. */
export interface Seen {
  readonly version: string;
  readonly nonce: string;
  readonly typeUrl: string;
  /** The bytes of each secret by its name. */
  readonly secrets: ReadonlyMap<string, ReadMessage>;
  readonly versions: ReadonlyMap<string, string>;
  readonly removed: readonly string[];
}

interface Ask {
  readonly names?: readonly string[];
  readonly version?: string;
  readonly nonce?: string;
  readonly typeUrl?: string;
  readonly error?: string;
  readonly node?: string;
}

interface AskDelta {
  readonly subscribe?: readonly string[];
  readonly unsubscribe?: readonly string[];
  readonly versions?: Readonly<Record<string, string>>;
  readonly nonce?: string;
  readonly error?: string;
  readonly typeUrl?: string;
}

const status = (text: string | undefined) =>
  text === undefined ? undefined : new Message().number(1, 13).text(2, text);

function sotwRequest({ names = [], version = '', nonce = '', typeUrl = SECRET_TYPE, error, node = 'n' }: Ask): Buffer {
  const request = new Message().text(1, version).message(2, new Message().text(1, node)).texts(3, names);
  return request.text(4, typeUrl).text(5, nonce).message(6, status(error)).encode();
}

function deltaRequest(ask: AskDelta): Buffer {
  const { subscribe = [], unsubscribe = [], versions = {}, nonce = '', error, typeUrl = SECRET_TYPE } = ask;
  const request = new Message().message(1, new Message().text(1, 'n')).text(2, typeUrl);
  request.texts(3, subscribe).texts(4, unsubscribe);
  for (const [name, version] of Object.entries(versions)) {
    request.message(5, new Message().text(1, name).text(2, version));
  }
  return request.text(6, nonce).message(7, status(error)).encode();
}

function seenSotw(bytes: Buffer): Seen {
  const message = new ReadMessage(bytes);
  const secrets = message.messages(2).map((any) => any.message(2) as ReadMessage);
  return {
    version: message.text(1),
    nonce: message.text(5),
    typeUrl: message.text(4),
    secrets: new Map(secrets.map((secret) => [secret.text(1), secret])),
    versions: new Map(),
    removed: [],
  };
}

function seenDelta(bytes: Buffer): Seen {
  const message = new ReadMessage(bytes);
  const resources = message.messages(2);
  return {
    version: message.text(1),
    nonce: message.text(5),
    typeUrl: message.text(4),
    secrets: new Map(resources.map((one) => [one.text(3), one.message(2)?.message(2) as ReadMessage])),
    versions: new Map(resources.map((one) => [one.text(3), one.text(1)])),
    removed: message.texts(6),
  };
}

/** A stream of a client, whose answers are taken one by one. */
export class ClientStream {
  readonly #call: grpc.ClientDuplexStream<Buffer, Seen>;
  readonly #came: Seen[] = [];
  readonly #waiting: ((seen: Seen) => void)[] = [];
  /** Resolves with the status that the stream ended with. */
  readonly ended: Promise<grpc.StatusObject>;
  readonly #encode: (ask: never) => Buffer;

  constructor(call: grpc.ClientDuplexStream<Buffer, Seen>, encode: (ask: never) => Buffer) {
    this.#call = call;
    this.#encode = encode;
    call.on('data', (seen: Seen) => {
      const next = this.#waiting.shift();
      if (next === undefined) this.#came.push(seen);
      else next(seen);
    });
    call.on('error', () => {}); // it is in the status
    this.ended = new Promise((resolve) => call.once('status', resolve));
  }

  ask(ask: Ask & AskDelta): void {
    this.#call.write(this.#encode(ask as never));
  }

  /** The next answer. */
  next(): Promise<Seen> {
    const came = this.#came.shift();
    return came === undefined ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve(came);
  }

  /** Whether no answer came, once the server has answered what was asked before. */
  async isQuiet(client: Client): Promise<boolean> {
    await client.fetch({ names: ['nothing'] });
    await client.fetch({ names: ['nothing'] });
    return this.#came.length === 0;
  }

  /** Sends bytes as they are. */
  garbage(bytes: Uint8Array): void {
    this.#call.write(Buffer.from(bytes));
  }

  end(): void {
    this.#call.end();
  }

  cancel(): void {
    this.#call.cancel();
  }
}

export interface Client {
  sotw(metadata?: grpc.Metadata): ClientStream;
  delta(metadata?: grpc.Metadata): ClientStream;
  fetch(ask: Ask, metadata?: grpc.Metadata): Promise<Seen>;
  close(): void;
}

export function createClient(target: string): Client {
  const client = new grpc.Client(target, grpc.credentials.createInsecure(), {
    'grpc.use_local_subchannel_pool': 1,
    'grpc.max_receive_message_length': -1,
  });
  onTestFinished(() => client.close());
  const path = (method: string) => `/envoy.service.secret.v3.SecretDiscoveryService/${method}`;
  const asIs = (bytes: Buffer) => bytes;
  const stream = (
    method: string,
    seen: (bytes: Buffer) => Seen,
    encode: (ask: never) => Buffer,
    metadata?: grpc.Metadata,
  ) =>
    new ClientStream(client.makeBidiStreamRequest(path(method), asIs, seen, metadata ?? new grpc.Metadata()), encode);
  return {
    sotw: (metadata) => stream('StreamSecrets', seenSotw, sotwRequest as never, metadata),
    delta: (metadata) => stream('DeltaSecrets', seenDelta, deltaRequest as never, metadata),
    fetch: (ask, metadata = new grpc.Metadata()) =>
      new Promise((resolve, reject) => {
        client.makeUnaryRequest(path('FetchSecrets'), asIs, seenSotw, sotwRequest(ask), metadata, (error, answer) =>
          error === null ? resolve(answer as Seen) : reject(error),
        );
      }),
    close: () => client.close(),
  };
}

/** The text of a generic secret. */
export const genericText = (secret: ReadMessage | undefined): string => secret?.message(5)?.message(1)?.text(2) ?? '';

export const certificateText = (secret: ReadMessage | undefined): string =>
  secret?.message(2)?.message(1)?.text(2) ?? '';

export const keyText = (secret: ReadMessage | undefined): string => secret?.message(2)?.message(2)?.text(2) ?? '';

export const trustText = (secret: ReadMessage | undefined): string => secret?.message(4)?.message(1)?.text(2) ?? '';

import type { ServerDuplexStream, ServerUnaryCall, ServiceDefinition, sendUnaryData } from '@grpc/grpc-js';
import { DeltaStream } from './delta-stream.ts';
import {
  type DeltaRequest,
  type DeltaResponse,
  type DiscoveryRequest,
  type DiscoveryResponse,
  decodeDeltaRequest,
  decodeDiscoveryRequest,
  encodeDeltaResponse,
  encodeDiscoveryResponse,
  type NamedSecret,
} from './discovery.ts';
import type { SdsHub } from './hub.ts';
import type { Grpc } from './load-grpc.ts';
import { SECRET_TYPE } from './secret-message.ts';
import { SotwStream, versionOfNamed } from './sotw-stream.ts';
import { checkNames, type SecretStream, StreamFault } from './stream.ts';

/** The header with the token of a listener that wants one. */
export const TOKEN_HEADER = 'x-pannier-token';

/** How long a stream may stay open without a first request. */
const SILENT_MS = 30_000;

/** https://github.com/envoyproxy/envoy/blob/main/api/envoy/service/secret/v3/sds.proto */
const SERVICE = '/envoy.service.secret.v3.SecretDiscoveryService/';

const sotw = {
  requestSerialize: () => Buffer.alloc(0), // for clients only
  requestDeserialize: decodeDiscoveryRequest,
  responseSerialize: encodeDiscoveryResponse,
  responseDeserialize: () => undefined, // for clients only
};

export const DEFINITION: ServiceDefinition = {
  StreamSecrets: { path: `${SERVICE}StreamSecrets`, requestStream: true, responseStream: true, ...sotw },
  FetchSecrets: { path: `${SERVICE}FetchSecrets`, requestStream: false, responseStream: false, ...sotw },
  DeltaSecrets: {
    path: `${SERVICE}DeltaSecrets`,
    requestStream: true,
    responseStream: true,
    requestSerialize: () => Buffer.alloc(0),
    requestDeserialize: decodeDeltaRequest,
    responseSerialize: encodeDeltaResponse,
    responseDeserialize: () => undefined,
  },
};

/** What the methods need of the listener that they are called on. */
export interface CallDeps {
  readonly hub: SdsHub;
  /** Undefined: the call may go on. Otherwise what the client is told. */
  refuse(token: string | undefined): Promise<CallFault | undefined>;
  /** Counts a stream in, which `end` ends when the listener closes. False: there are too many. */
  enter(end: () => void): boolean;
  leave(end: () => void): void;
  /** A call ended with this status. */
  ended(status: number): void;
}

export interface CallFault {
  readonly kind: 'denied' | 'unavailable';
  readonly message: string;
}

/** The methods of the service, for `Server.addService`. */
export function createMethods(grpc: Grpc, deps: CallDeps): Parameters<InstanceType<Grpc['Server']>['addService']>[1] {
  const { status } = grpc;
  const codeOf = (kind: CallFault['kind'] | StreamFault['kind']): number =>
    ({
      denied: status.PERMISSION_DENIED,
      unavailable: status.UNAVAILABLE,
      invalid: status.INVALID_ARGUMENT,
      exhausted: status.RESOURCE_EXHAUSTED,
    })[kind];

  function open<Request extends { readonly typeUrl: string }, Response>(
    call: ServerDuplexStream<Request, Response>,
    create: (send: (response: Response) => void) => SecretStream & { request(request: Request): void },
  ): void {
    const ending = { code: status.OK as number, isOver: false };
    let silent: NodeJS.Timeout | undefined;
    let stream: ReturnType<typeof create> | undefined;
    const finish = () => {
      if (ending.isOver) return;
      ending.isOver = true;
      clearTimeout(silent);
      if (stream !== undefined) {
        deps.hub.remove(stream);
        deps.leave(stop);
      }
      deps.ended(ending.code);
    };
    const failWith = (code: number, details: string) => {
      ending.code = code;
      call.emit('error', { code, details });
      finish();
    };
    const stop = () => failWith(status.UNAVAILABLE, 'the agent stops, or has another configuration');
    call.on('cancelled', () => {
      ending.code = status.CANCELLED;
      finish();
    });
    // A request that cannot be decoded and a broken connection come here too; grpc-js has answered then.
    call.on('error', finish);
    void deps.refuse(tokenIn(call)).then((fault) => {
      if (ending.isOver) return;
      if (fault !== undefined) return failWith(codeOf(fault.kind), fault.message);
      if (!deps.enter(stop)) return failWith(status.RESOURCE_EXHAUSTED, 'all streams are taken');
      const created = create((response) => void call.write(response));
      stream = created;
      deps.hub.add(created);
      silent = setTimeout(() => failWith(status.DEADLINE_EXCEEDED, 'no request came'), SILENT_MS);
      call.on('data', (request: Request) => {
        if (ending.isOver) return;
        clearTimeout(silent);
        try {
          checkType(request.typeUrl);
          created.request(request);
        } catch (error) {
          if (!(error instanceof StreamFault)) throw error;
          failWith(codeOf(error.kind), error.message);
        }
      });
      call.on('end', () => {
        finish();
        call.end();
      });
    });
  }

  return {
    StreamSecrets: (call: ServerDuplexStream<DiscoveryRequest, DiscoveryResponse>) =>
      open(call, (send) => new SotwStream(deps.hub, send)),
    DeltaSecrets: (call: ServerDuplexStream<DeltaRequest, DeltaResponse>) =>
      open(call, (send) => new DeltaStream(deps.hub, send)),
    FetchSecrets: (
      call: ServerUnaryCall<DiscoveryRequest, DiscoveryResponse>,
      done: sendUnaryData<DiscoveryResponse>,
    ) => {
      const failWith = (code: number, details: string) => {
        deps.ended(code);
        done({ code, details });
      };
      void deps.refuse(tokenIn(call)).then((fault) => {
        if (fault !== undefined) return failWith(codeOf(fault.kind), fault.message);
        try {
          checkType(call.request.typeUrl);
          done(null, fetchOnce(deps.hub, call.request));
          deps.ended(status.OK);
        } catch (error) {
          if (!(error instanceof StreamFault)) throw error;
          failWith(codeOf(error.kind), error.message);
        }
      });
    },
  };
}

/** The answer to a client that asks once: the secrets there are, of the names that it asks for, or of all. */
export function fetchOnce(hub: SdsHub, { names, typeUrl }: DiscoveryRequest): DiscoveryResponse {
  checkType(typeUrl);
  checkNames(names);
  const secrets: NamedSecret[] = [];
  for (const name of new Set(names.length === 0 ? hub.allNames() : names)) {
    const found = hub.look(name);
    if (found.state === 'ready') secrets.push({ name, version: found.version, body: found.body });
  }
  hub.sent(
    'fetch',
    secrets.map(({ name }) => name),
  );
  return { versionInfo: secrets.length === 0 ? '' : versionOfNamed(secrets), nonce: '', secrets };
}

function checkType(typeUrl: string): void {
  if (typeUrl !== '' && typeUrl !== SECRET_TYPE) throw new StreamFault('invalid', `the only type is ${SECRET_TYPE}`);
}

function tokenIn({ metadata }: { readonly metadata: { get(key: string): (string | Buffer)[] } }): string | undefined {
  const [token, ...more] = metadata.get(TOKEN_HEADER);
  return typeof token === 'string' && more.length === 0 ? token : undefined;
}

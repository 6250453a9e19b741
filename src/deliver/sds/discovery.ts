import { Message, ReadMessage } from './protobuf.ts';
import { encodeSecret, SECRET_TYPE, type SecretBody, secretAsJson } from './secret-message.ts';

/**
 * The messages of the discovery protocol, as far as they concern secrets.
 * https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol
 */

/** Why a client refused an answer, in its own words. */
export interface Refusal {
  readonly message: string;
}

/** A request of the State-of-the-World protocol: always the whole list of names. */
export interface DiscoveryRequest {
  readonly versionInfo: string;
  readonly node: string;
  readonly names: readonly string[];
  readonly typeUrl: string;
  readonly nonce: string;
  readonly refusal?: Refusal;
}

/** A request of the Delta protocol: changes of the list of names, an answer to an answer, or both. */
export interface DeltaRequest {
  readonly node: string;
  readonly typeUrl: string;
  readonly subscribe: readonly string[];
  readonly unsubscribe: readonly string[];
  /** What the client has from an earlier stream. */
  readonly versions: ReadonlyMap<string, string>;
  readonly nonce: string;
  readonly refusal?: Refusal;
}

/** A secret under the name that the client asked for. */
export interface NamedSecret {
  readonly name: string;
  readonly version: string;
  readonly body: SecretBody;
}

export interface DiscoveryResponse {
  readonly versionInfo: string;
  readonly nonce: string;
  readonly secrets: readonly NamedSecret[];
}

export interface DeltaResponse {
  readonly nonce: string;
  readonly secrets: readonly NamedSecret[];
  readonly removed: readonly string[];
}

/** @throws MalformedMessage */
export function decodeDiscoveryRequest(bytes: Uint8Array): DiscoveryRequest {
  const message = new ReadMessage(bytes);
  return {
    versionInfo: message.text(1),
    node: message.message(2)?.text(1) ?? '',
    names: message.texts(3),
    typeUrl: message.text(4),
    nonce: message.text(5),
    ...refusalIn(message, 6),
  };
}

/** @throws MalformedMessage */
export function decodeDeltaRequest(bytes: Uint8Array): DeltaRequest {
  const message = new ReadMessage(bytes);
  return {
    node: message.message(1)?.text(1) ?? '',
    typeUrl: message.text(2),
    subscribe: message.texts(3),
    unsubscribe: message.texts(4),
    versions: new Map(message.messages(5).map((entry) => [entry.text(1), entry.text(2)])),
    nonce: message.text(6),
    ...refusalIn(message, 7),
  };
}

/** `google.rpc.Status`; one that is there without a code or a message counts too. */
function refusalIn(message: ReadMessage, field: number): { readonly refusal?: Refusal } {
  const status = message.message(field);
  return status === undefined ? {} : { refusal: { message: status.text(2) } };
}

export function encodeDiscoveryResponse({ versionInfo, nonce, secrets }: DiscoveryResponse): Buffer {
  return new Message()
    .text(1, versionInfo)
    .messages(2, secrets.map(anyOf))
    .text(4, SECRET_TYPE)
    .text(5, nonce)
    .encode();
}

export function encodeDeltaResponse({ nonce, secrets, removed }: DeltaResponse): Buffer {
  const resources = secrets.map((secret) =>
    new Message().text(1, secret.version).message(2, anyOf(secret)).text(3, secret.name),
  );
  return new Message().messages(2, resources).text(4, SECRET_TYPE).text(5, nonce).texts(6, removed).encode();
}

function anyOf({ name, body }: NamedSecret): Message {
  return new Message().text(1, SECRET_TYPE).bytes(2, encodeSecret(name, body));
}

/** The answer to a client that polls over HTTP. */
export function discoveryResponseAsJson({ versionInfo, nonce, secrets }: DiscoveryResponse): object {
  const resources = secrets.map(({ name, body }) => secretAsJson(name, body));
  return { versionInfo, resources, typeUrl: SECRET_TYPE, nonce };
}

/** A request over HTTP, in either spelling that protobuf's JSON allows. Undefined: it is none. */
export function discoveryRequestOfJson(text: string): DiscoveryRequest | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return undefined;
  const of = json as Readonly<Record<string, unknown>>;
  const names = of['resource_names'] ?? of['resourceNames'] ?? [];
  if (!Array.isArray(names) || !names.every((name) => typeof name === 'string')) return undefined;
  const textOf = (...keys: readonly string[]): string => {
    const value = keys.map((key) => of[key]).find((one) => one !== undefined);
    return typeof value === 'string' ? value : '';
  };
  const { id } = (of['node'] ?? {}) as { readonly id?: unknown };
  return {
    versionInfo: textOf('version_info', 'versionInfo'),
    node: typeof id === 'string' ? id : '',
    names,
    typeUrl: textOf('type_url', 'typeUrl'),
    nonce: textOf('response_nonce', 'responseNonce'),
  };
}

import { parseDuration } from '../../base/duration.ts';
import { didYouMean, makeNearest } from '../../base/nearest.ts';
import { aboutOneField, otherFields } from '../../base/value.ts';
import type { HeldValue, SecretEntry } from '../../lease/snapshot.ts';
import { JSON_TYPE, jsonReply, problemReply, type Reply, refusal } from '../http/reply.ts';
import type { Route, RouteRequest } from '../http/routes.ts';
import type { AnswerCache } from './answers.ts';
import type { ApiAgent } from './api-agent.ts';
import type { Audit } from './audit.ts';
import { etagOf, isNamedBy } from './etag.ts';
import type { VisibleSecrets } from './visible.ts';
import type { LongPolls } from './waiting.ts';

export interface ReadRouteDeps {
  readonly agent: ApiAgent;
  readonly visible: VisibleSecrets;
  readonly answers: AnswerCache;
  readonly audit: Audit;
  readonly waiting: LongPolls;
}

/** The longest wait of one request; a longer one is cut to it. */
const MAX_WAIT_MS = 300_000;

/** The routes that read secrets: the list without values, a whole secret, one field of it. */
export function readRoutes(deps: ReadRouteDeps): readonly Route[] {
  const reads = new SecretReads(deps);
  return [
    { method: 'GET', path: '/v1/secrets', handle: () => reads.list() },
    { method: 'GET', path: '/v1/secrets/:name', handle: (asked) => reads.read(asked, '') },
    {
      method: 'GET',
      path: '/v1/secrets/:name/:field',
      handle: (asked) => reads.read(asked, asked.params['field'] as string),
    },
  ];
}

class SecretReads {
  readonly #deps: ReadRouteDeps;

  constructor(deps: ReadRouteDeps) {
    this.#deps = deps;
  }

  list(): Reply {
    const { visible, agent } = this.#deps;
    return jsonReply(200, { secrets: visible.known().map((name) => agent.secretStatus(name)) });
  }

  /** @param field empty: all fields. */
  read(asked: RouteRequest, field: string): Reply | Promise<Reply> {
    const { visible, audit } = this.#deps;
    const name = asked.params['name'] as string;
    if (!visible.has(name)) {
      audit.missed('read', 'unknown');
      return unknownSecret(name, visible);
    }
    if (asked.query !== '') {
      const wait = new URLSearchParams(asked.query).get('wait');
      const waitMs = wait === null ? 0 : parseDuration(wait);
      if (waitMs === undefined) return refusal(400, 'API_MALFORMED', 'wait must be a duration such as 30s');
      if (waitMs > 0) return this.#readLate(asked, name, field, Math.min(waitMs, MAX_WAIT_MS));
    }
    return this.#reply(asked, name, field);
  }

  async #readLate(asked: RouteRequest, name: string, field: string, waitMs: number): Promise<Reply> {
    const { agent, waiting, visible } = this.#deps;
    const known = asked.request.headers['if-none-match'];
    const isNews = () => {
      const entry = agent.secrets.entryOf(name);
      if (entry === undefined || entry.state === 'absent') return false;
      return known === undefined || !isNamedBy(known, etagOf(agent.bootId, entry.valueNumber));
    };
    if (!isNews()) await waiting.until(name, waitMs, asked.response, isNews);
    return visible.has(name) ? this.#reply(asked, name, field) : unknownSecret(name, visible);
  }

  #reply({ request }: RouteRequest, name: string, field: string): Reply {
    const { agent, answers, audit } = this.#deps;
    const entry = agent.secrets.entryOf(name);
    if (entry === undefined || entry.state === 'absent') {
      audit.missed('read', 'absent', { secret: name });
      return noValueReply(name, entry, agent);
    }
    const headers = stateHeaders(entry, agent);
    const known = request.headers['if-none-match'];
    if (known !== undefined && isNamedBy(known, headers.ETag)) return { status: 304, headers };
    if (field === '') {
      audit.read('read', name, '', entry);
      return { status: 200, type: JSON_TYPE, body: answers.whole(name, entry), headers };
    }
    const found = answers.field(entry, field);
    if (found === undefined) {
      audit.missed('read', 'unknown', { secret: name });
      const { fields } = entry.value;
      const { meant, hint } = otherFields(fields, field);
      const seen = `the secret ${name} has no field named ${JSON.stringify(field)}${aboutOneField(fields)}${meant}`;
      return { ...refusal(404, 'API_UNKNOWN_FIELD', seen, undefined, hint), headers };
    }
    audit.read('read', name, field, entry);
    return { status: 200, type: found.type, body: found.body, headers };
  }
}

/** The same answer for a secret that is not configured and for one that this listener does not show. */
export function unknownSecret(name: string, visible: VisibleSecrets): Reply {
  const { meant, hint } = otherNames(name, visible.names());
  const seen = `there is no secret named ${JSON.stringify(name)}${meant}`;
  return refusal(
    404,
    'API_UNKNOWN_SECRET',
    seen,
    undefined,
    hint === undefined ? hint : `This listener shows ${hint}.`,
  );
}

/** How many names are looked through and listed: a client that asks for wrong names again and again costs little. */
const MAX_SEARCHED = 1_000;
const MAX_LISTED = 30;

/** Of the names that a client may see: the one that it probably meant, and a list of them; of very many neither. */
export function otherNames(name: string, names: readonly string[]): { readonly meant: string; readonly hint?: string } {
  if (names.length === 0 || names.length > MAX_SEARCHED) return { meant: '' };
  const more = names.length > MAX_LISTED ? ` and ${names.length - MAX_LISTED} more` : '';
  return { meant: didYouMean(makeNearest(names)(name)), hint: names.slice(0, MAX_LISTED).join(', ') + more };
}

/** The headers of an answer with a value. */
export function stateHeaders({ state, fetchedWallMs, valueNumber }: HeldValue, { bootId, clock }: ApiAgent) {
  const ageMs = Math.max(0, clock.wallMs() - fetchedWallMs);
  return {
    ETag: etagOf(bootId, valueNumber),
    'Pannier-State': state,
    // RFC 9111, section 5.1: whole seconds since the backend confirmed the value.
    Age: String(Math.floor(ageMs / 1000)),
  };
}

/** The answer for a secret without a value: 404 when it is optional and absent, otherwise 503. */
export function noValueReply(
  name: string,
  entry: Extract<SecretEntry, { state: 'absent' }> | undefined,
  agent: ApiAgent,
): Reply {
  if (entry?.optional === true) return { ...problemReply(404, entry.why), headers: { 'Pannier-State': 'absent' } };
  const why = entry?.why ?? agent.reasonMissing(name);
  return { ...problemReply(503, why), headers: waitingHeaders(name, entry, agent) };
}

/** Headers that say when to ask again for a secret without a value. */
export function waitingHeaders(name: string, entry: SecretEntry | undefined, { secrets, clock }: ApiAgent) {
  const leftMs = (secrets.nextMonoMs(name) ?? clock.monoMs()) - clock.monoMs();
  return {
    'Pannier-State': entry === undefined ? 'waiting' : 'absent',
    'Retry-After': String(Math.max(1, Math.ceil(leftMs / 1000))),
  };
}

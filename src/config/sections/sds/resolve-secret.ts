import { parseDuration } from '../../../base/duration.ts';
import type { ConfigEntry } from '../../load/entry.ts';
import { resolveEntry } from '../../load/resolve-entry.ts';
import type { ConfigPath } from '../../place.ts';
import type { Problems } from '../../problems/problems.ts';
import type { SdsSecretShape } from '../../schema.ts';
import { type KnownSecrets, resolveSource } from '../secrets/resolve-source.ts';
import type { SanMatcherConfig, SdsSecretConfig, SdsSource } from './config.ts';

/** Envoy's own advice is at least daily. */
const ROTATE_MS = 12 * 3_600_000;
const KEEP = 3;

const KINDS = ['certificate', 'trust', 'generic', 'sessionTickets'] as const;
type Kind = (typeof KINDS)[number];

/** Keys that go with `trust` only. */
const TRUST_KEYS = ['match', 'crl', 'crlOfLeafOnly', 'maxDepth'] as const;

const SAN_TYPES = ['dns', 'uri', 'email', 'ip'] as const;

/**
 * One entry of `sds.secrets`: the name of a certificate secret, or a map that says what else is served. Undefined when
 * something is wrong; it was added to `problems`.
 */
export function resolveSdsSecret(
  raw: unknown,
  entry: ConfigEntry,
  secrets: KnownSecrets,
  problems: Problems,
): SdsSecretConfig | undefined {
  const { file, path } = entry;
  const place = problems.placeIn(file, path);
  if (typeof raw === 'string') {
    const from = wholeSecret(raw, path, entry, secrets, problems);
    return from && { kind: 'certificate', from, place };
  }
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    const hint = `Write the name of a secret, or a map with one of ${KINDS.join(', ')}.`;
    problems.add('CONFIG_INVALID', file, path, 'the name of a secret or a map is expected', hint);
    return undefined;
  }
  return resolveEntry('sdsSecret', entry, problems, (shape, found) => {
    const before = found.count;
    const kind = chooseKind(shape, entry, found);
    if (kind === undefined) return undefined;
    const secret = makeSecret(kind, shape, { entry, place, secrets, problems: found });
    return found.count > before ? undefined : secret;
  });
}

interface Making {
  readonly entry: ConfigEntry;
  readonly place: string;
  readonly secrets: KnownSecrets;
  readonly problems: Problems;
}

function makeSecret(kind: Kind, shape: SdsSecretShape, making: Making): SdsSecretConfig | undefined {
  const { entry, place, secrets, problems } = making;
  const at = [...entry.path, kind];
  switch (kind) {
    case 'certificate': {
      const from = wholeSecret(shape.certificate as string, at, entry, secrets, problems);
      return from && { kind: 'certificate', from, place };
    }
    case 'generic': {
      const from = sourceOf(shape.generic as string, at, entry, secrets, problems);
      return from && { kind: 'generic', from, place };
    }
    case 'sessionTickets': {
      const { rotate, keep = KEEP } = shape.sessionTickets ?? {};
      const rotateMs = rotate === undefined ? ROTATE_MS : (parseDuration(rotate) as number);
      return { kind: 'session-tickets', rotateMs, keep, place };
    }
    case 'trust': {
      const { trust, crl: named, crlOfLeafOnly, maxDepth } = shape;
      const from = sourceOf(trust as string, at, entry, secrets, problems);
      const crl = named === undefined ? undefined : crlOf(named, making);
      if (crlOfLeafOnly !== undefined && named === undefined) {
        const seen = 'crlOfLeafOnly goes with crl, and there is no crl';
        problems.add('CONFIG_INVALID', entry.file, [...entry.path, 'crlOfLeafOnly'], seen, 'Remove it.');
      }
      const names = (shape.match ?? []).map((one, index) => matcherOf(one, index, making));
      return (
        from && {
          kind: 'trust',
          from,
          names: names.filter((one) => one !== undefined),
          ...(crl === undefined ? {} : { crl }),
          crlOfLeafOnly: crlOfLeafOnly ?? false,
          ...(maxDepth === undefined ? {} : { maxDepth }),
          place,
        }
      );
    }
  }
}

function chooseKind(shape: SdsSecretShape, { file, path }: ConfigEntry, problems: Problems): Kind | undefined {
  const given = KINDS.filter((key) => shape[key] !== undefined);
  const [kind] = given;
  if (kind === undefined) {
    const seen = `the entry says not what it is; one of ${KINDS.join(', ')} is expected`;
    problems.add('CONFIG_MISSING', file, path, seen);
    return undefined;
  }
  if (given.length > 1) {
    problems.add('CONFIG_INVALID', file, path, `the entry is several things: ${given.join(', ')}`, 'Keep one of them.');
    return undefined;
  }
  for (const key of TRUST_KEYS) {
    if (kind === 'trust' || shape[key] === undefined) continue;
    problems.add('CONFIG_INVALID', file, [...path, key], `${key} goes with trust, not with ${kind}`, 'Remove it.');
  }
  return kind;
}

function crlOf(named: string, { entry, secrets, problems }: Making): SdsSource | undefined {
  const at = [...entry.path, 'crl'];
  const source = sourceOf(named, at, entry, secrets, problems);
  if (source === undefined || source.field !== undefined) return source;
  problems.add('CONFIG_INVALID', entry.file, at, 'the field with the list is missing', 'Write NAME.FIELD.');
  return undefined;
}

function matcherOf(
  shape: NonNullable<SdsSecretShape['match']>[number],
  index: number,
  { entry, problems }: Making,
): SanMatcherConfig | undefined {
  const given = SAN_TYPES.filter((type) => shape[type] !== undefined);
  const [type] = given;
  if (type === undefined || given.length > 1) {
    const seen = given.length === 0 ? 'no name is given' : `several names are given: ${given.join(', ')}`;
    const hint = `Give exactly one of ${SAN_TYPES.join(', ')}.`;
    problems.add('CONFIG_INVALID', entry.file, [...entry.path, 'match', index], seen, hint);
    return undefined;
  }
  const { by = 'exact', [type]: value = '' } = shape;
  if (type === 'ip' && by === 'exact' && process.getBuiltinModule('node:net').isIP(value) === 0) {
    const hint = 'Write one address, or say with `by` which part of its text is given.';
    problems.add('CONFIG_INVALID', entry.file, [...entry.path, 'match', index, 'ip'], 'it is no IP address', hint);
    return undefined;
  }
  return { type, comparison: by, value };
}

function wholeSecret(
  name: string,
  at: ConfigPath,
  entry: ConfigEntry,
  secrets: KnownSecrets,
  problems: Problems,
): SdsSource | undefined {
  if (name.includes('.')) {
    const hint = 'Write NAME: certificate and key are taken from the one secret.';
    problems.add('CONFIG_INVALID', entry.file, at, 'the name of a secret has no dot', hint);
    return undefined;
  }
  return sourceOf(name, at, entry, secrets, problems);
}

function sourceOf(
  source: string,
  at: ConfigPath,
  { file }: ConfigEntry,
  secrets: KnownSecrets,
  problems: Problems,
): SdsSource | undefined {
  const split = resolveSource(source, file, at, secrets, problems);
  if (split === undefined) return undefined;
  const [secret = '', field] = split;
  return field === undefined ? { secret } : { secret, field };
}

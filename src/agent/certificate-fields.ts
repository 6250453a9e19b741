import { CERTIFICATE_FIELDS } from '../backend/certificate-fields.ts';
import { type Failure, failure } from '../base/errors.ts';
import { didYouMean, makeNearest } from '../base/nearest.ts';
import type { FileConfig, InputConfig, SdsSecretConfig, SecretConfig } from '../config/config.ts';
import type { FieldUse, KnownNames } from '../render/template/analyse.ts';
import { placeIn } from '../render/template/fault.ts';
import { originOf, sourceOf } from '../render/template/file.ts';
import { readTemplate } from '../render/template/template.ts';
import { namesKnownTo } from './create-plan.ts';
import type { Plan } from './plan.ts';

const KINDS: ReadonlySet<string> = new Set(['vault-certificate', 'acme']);

const nearest = makeNearest(CERTIFICATE_FIELDS);
const NO_INPUTS: ReadonlyMap<string, InputConfig> = new Map();

/**
 * Where files, variables, requests of a reload or `verify`, or `sds` name a field that no certificate has. Of other
 * secrets the fields are not known before they are read; a start would tell of these only once the certificate is
 * issued.
 */
export async function unknownCertificateFields({ config, outputs, env }: Plan): Promise<readonly Failure[]> {
  const certificates = new Set([...config.secrets.values()].filter(isCertificate).map(({ name }) => name));
  if (certificates.size === 0) return [];
  const known = namesKnownTo(config);
  const files = [...outputs, ...(env === undefined ? [] : [env])].flatMap(({ output }) => [...output.files.values()]);
  const requests = outputs.flatMap((output) => [...output.requests.values()]);
  const problems: Failure[] = [];
  const named = [
    ...(await Promise.all(files.map((file) => namedBy(file, known, problems)))).flat(),
    ...requests.flatMap(({ uses }) => uses.flatMap(([place, use]) => namedInTemplate(use, NO_INPUTS, place, 'text'))),
    ...[...(config.sds?.secrets.values() ?? [])].flatMap(namedBySds),
  ];
  for (const { secret, field, place } of named) {
    if (certificates.has(secret) && !isField(field)) problems.push(unknown(secret, field, place));
  }
  return problems;
}

/** A field of a secret that must be there, and the place that names it. */
interface Named {
  readonly secret: string;
  readonly field: string;
  readonly place: string;
}

const isCertificate = ({ request }: SecretConfig): boolean =>
  KINDS.has(request.kind) || request.certificateFrom !== undefined;

async function namedBy(
  { place, content }: FileConfig,
  known: KnownNames,
  problems: Failure[],
): Promise<readonly Named[]> {
  if (content.kind === 'format') {
    const { from, options: { password } = {} } = content;
    const ofPassword = password === undefined ? [] : namedBySource(password, `${place}.password`);
    return [...from.flatMap((source) => namedBySource(source, `${place}.from`)), ...ofPassword];
  }
  const { inputs = NO_INPUTS } = content;
  const source = await sourceOf(content, place, undefined, problems); // it may have changed a moment ago
  const names = { ...known, secrets: known.secrets.union(new Set(inputs.keys())) };
  const { uses } = await readTemplate(source, names);
  const origin = originOf(content);
  return [
    ...[...inputs.values()].flatMap((input) => namedByInput(input, `${place}.with`)),
    ...uses.flatMap((use) => namedInTemplate(use, inputs, place, origin)),
  ];
}

/** Of `app.key`, split at the first dot. A certificate has no field with a dot: what is behind one goes into it. */
function namedBySource([secret = '', field]: readonly string[], place: string): readonly Named[] {
  return field === undefined ? [] : [{ secret, field: field.split('.')[0] as string, place }];
}

/** What `with` names must be there, also where the template could do without it. */
function namedByInput({ is, fields }: InputConfig, place: string): readonly Named[] {
  const sources = [...(is === undefined ? [] : [is]), ...fields.map(([, source]) => source)];
  return sources.flatMap((source) => (source.kind === 'secret' ? namedBySource(source.from, place) : []));
}

function namedInTemplate(
  { secret: name, fields: [field], guarded, at }: FieldUse,
  inputs: ReadonlyMap<string, InputConfig>,
  place: string,
  origin: string,
): readonly Named[] {
  if (field === undefined || guarded) return [];
  const input = inputs.get(name);
  if (input?.fields.some(([own]) => own === field)) return []; // the file itself puts it there
  const secret = input === undefined ? name : wholeSecretOf(input);
  return secret === undefined ? [] : [{ secret, field, place: placeIn(place, origin, at) }];
}

/** The secret that an input stands for as a whole. */
function wholeSecretOf({ is }: InputConfig): string | undefined {
  return is?.kind === 'secret' && is.from.length === 1 ? is.from[0] : undefined;
}

function namedBySds(served: SdsSecretConfig): readonly Named[] {
  if (served.kind === 'session-tickets') return [];
  const { from, place } = served;
  const sources = [from, ...(served.kind === 'trust' && served.crl !== undefined ? [served.crl] : [])];
  return sources.flatMap(({ secret, field }) => namedBySource(field === undefined ? [secret] : [secret, field], place));
}

const isField = (name: string): boolean => (CERTIFICATE_FIELDS as readonly string[]).includes(name);

function unknown(secret: string, field: string, place: string): Failure {
  const seen = `${secret} is a certificate, which has no field ${field}${didYouMean(nearest(field))}`;
  return failure('TEMPLATE_UNKNOWN_NAME', place, seen, { hint: `Its fields are ${CERTIFICATE_FIELDS.join(', ')}.` });
}

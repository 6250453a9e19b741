import { type Failure, failure } from '../base/errors.ts';
import { didYouMean, makeNearest } from '../base/nearest.ts';
import { readFileInTime } from '../base/read-file.ts';
import type { FileConfig, InputConfig, SecretConfig } from '../config/config.ts';
import type { KnownNames } from '../render/template/analyse.ts';
import { placeIn } from '../render/template/fault.ts';
import { readTemplate } from '../render/template/template.ts';
import { namesKnownTo } from './create-plan.ts';
import type { Plan } from './plan.ts';

/** The fields of every certificate, wherever it comes from, see docs/certificates.md. */
const FIELDS = [
  'certificate',
  'privateKey',
  'privateKeyType',
  'issuingCa',
  'caChain',
  'serialNumber',
  'expiration',
] as const;

const KINDS: ReadonlySet<string> = new Set(['vault-certificate', 'acme']);
const MAX_TEMPLATE_BYTES = 16 * 1024 * 1024;

const nearest = makeNearest(FIELDS);
const NO_INPUTS: ReadonlyMap<string, InputConfig> = new Map();

/**
 * Where files name a field that no certificate has. Of other secrets the fields are not known before they are read; a
 * start would tell of these only once the certificate is issued.
 */
export async function unknownCertificateFields({ config, outputs, env }: Plan): Promise<readonly Failure[]> {
  const certificates = new Set([...config.secrets.values()].filter(isCertificate).map(({ name }) => name));
  if (certificates.size === 0) return [];
  const known = namesKnownTo(config);
  const files = [...outputs, ...(env === undefined ? [] : [env])].flatMap(({ output }) => [...output.files.values()]);
  return (await Promise.all(files.map((file) => problemsOf(file, known, certificates)))).flat();
}

const isCertificate = ({ request }: SecretConfig): boolean =>
  KINDS.has(request.kind) || request.certificateFrom !== undefined;

async function problemsOf(
  { place, content }: FileConfig,
  known: KnownNames,
  certificates: ReadonlySet<string>,
): Promise<readonly Failure[]> {
  if (content.kind === 'format') {
    return content.from.flatMap(([secret = '', field]) =>
      field === undefined || !certificates.has(secret) || isField(field)
        ? []
        : [unknown(secret, field, `${place}.from`)],
    );
  }
  const { inputs = NO_INPUTS } = content;
  const source = content.kind === 'content' ? content.text : await textOf(content.path);
  const names = { ...known, secrets: known.secrets.union(new Set(inputs.keys())) };
  const { uses } = await readTemplate(source, names);
  const origin =
    content.kind === 'template'
      ? content.path
      : content.builtin === undefined
        ? 'content'
        : `builtin:${content.builtin}`;
  return uses.flatMap(({ secret, fields: [field], guarded, at }) => {
    if (field === undefined || guarded) return [];
    const behind = certificateBehind(secret, inputs);
    if (behind === undefined || !certificates.has(behind.secret) || isField(field) || behind.own.has(field)) return [];
    return [unknown(behind.secret, field, placeIn(place, origin, at))];
  });
}

/** The secret that a name of a template stands for as a whole, and the fields that the file itself puts into it. */
function certificateBehind(
  name: string,
  inputs: ReadonlyMap<string, InputConfig>,
): { readonly secret: string; readonly own: ReadonlySet<string> } | undefined {
  const input = inputs.get(name);
  if (input === undefined) return { secret: name, own: new Set() };
  const { is, fields } = input;
  if (is?.kind !== 'secret' || is.from.length > 1) return undefined;
  return { secret: is.from[0] as string, own: new Set(fields.map(([field]) => field)) };
}

const isField = (name: string): boolean => (FIELDS as readonly string[]).includes(name);

function unknown(secret: string, field: string, place: string): Failure {
  const seen = `${secret} is a certificate, which has no field ${field}${didYouMean(nearest(field))}`;
  return failure('TEMPLATE_UNKNOWN_NAME', place, seen, { hint: `Its fields are ${FIELDS.join(', ')}.` });
}

async function textOf(path: string): Promise<string> {
  return (await readFileInTime(path, { maxBytes: MAX_TEMPLATE_BYTES })).bytes.toString('utf8');
}

import { Ajv2020, type AnySchema } from 'ajv/dist/2020.js';
import { openApi } from '../../../src/deliver/api/openapi.ts';
import type { Got } from '../http/listener.helpers.ts';

interface Described {
  readonly headers?: Readonly<Record<string, { readonly $ref: string }>>;
  readonly content?: Readonly<Record<string, { readonly schema?: AnySchema }>>;
}

interface Operation {
  readonly responses: Readonly<Record<string, Described>>;
}

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly headers: Readonly<Record<string, { readonly schema: AnySchema }>> };
}

export const described = openApi('1.2.3') as OpenApi;

const ajv = new Ajv2020({ strict: false, allErrors: true, coerceTypes: true, formats: { 'json-pointer': true } });
ajv.addSchema(described, 'api');

/** The path in the document that fits a URL; the one with the most literal parts when several do. */
export function pathOf(url: string): string | undefined {
  const parts = (url.split('?')[0] ?? '').split('/');
  const fitting = Object.keys(described.paths).filter((path) => {
    const pattern = path.split('/');
    return pattern.length === parts.length && pattern.every((part, i) => part === parts[i] || part.startsWith('{'));
  });
  const literal = (path: string) => path.split('/').filter((part) => !part.startsWith('{')).length;
  return fitting.sort((a, b) => literal(b) - literal(a))[0];
}

/** Throws unless the document describes this answer. */
export function checkDescribed(method: string, url: string, { status, headers, body }: Got): void {
  const path = pathOf(url);
  const operation = described.paths[path ?? '']?.[method === 'HEAD' ? 'get' : method.toLowerCase()];
  if (operation === undefined) {
    if (status === (path === undefined ? 404 : 405)) return;
    throw new Error(`${method} ${url} is not described, and answers ${status}`);
  }
  const what = `${status} of ${method} ${path}`;
  const answer = operation.responses[status];
  if (answer === undefined) throw new Error(`${what} is not described: ${body}`);
  for (const [name, { $ref }] of Object.entries(answer.headers ?? {})) {
    const met = headers[name.toLowerCase()];
    if (met !== undefined) check({ value: met }, `api${$ref}/schema`, `${name} of ${what}`);
    else if (status < 400) throw new Error(`${what} has no ${name}`);
  }
  if (headers['cache-control'] !== 'no-store') throw new Error(`${what} may be stored`);
  const type = String(headers['content-type'] ?? '');
  if (answer.content === undefined) {
    if (body !== '') throw new Error(`${what} has a body`);
    return;
  }
  const content = answer.content[type];
  if (content === undefined) throw new Error(`${what} is of the type ${type}`);
  if (content.schema === undefined || method === 'HEAD' || type === 'text/event-stream') return;
  const value: unknown = type.endsWith('json') ? JSON.parse(body) : body;
  const place = `#/paths/${pointer(path as string)}/${method.toLowerCase()}/responses/${status}/content/${pointer(type)}/schema`;
  check({ value }, `api${place}`, what);
}

function check(holder: { readonly value: unknown }, $ref: string, what: string): void {
  const validate = ajv.compile({ type: 'object', properties: { value: { $ref } }, required: ['value'] });
  if (!validate(structuredClone(holder))) throw new Error(`${what}: ${ajv.errorsText(validate.errors)}`);
}

const pointer = (step: string) => encodeURIComponent(step.replaceAll('~', '~0').replaceAll('/', '~1'));

import Handlebars from 'handlebars';
import { describe, expect, it } from 'vitest';
import { render } from './render.helpers.ts';

const user = { name: 'u1', tags: ['t1', 't2'], of: { name: 'n1', on: false } };
const data = {
  app: {
    name: 'shop',
    blank: '',
    zero: 0,
    on: true,
    hosts: ['a', 'b', 'c'],
    none: [],
    map: { x: '1', y: '2' },
    users: [user, { ...user, name: 'u2', tags: ['t3'] }],
  },
  db: { username: 'u', name: 'd', tags: ['x'] },
};
const secrets = { app: JSON.stringify(data.app), db: JSON.stringify(data.db) };

type Random = (n: number) => number;

/** A small random generator with a seed, so that every machine gets the same templates. */
function makeRandom(seed: number): Random {
  let state = seed;
  return (n) => {
    state = (state * 48271) % 2147483647;
    return state % n;
  };
}

/** A scope with a sample of the values that it may hold, and the values of its block parameters by name. */
interface Scope {
  readonly value: unknown;
  readonly isEach: boolean;
  readonly params: Readonly<Record<string, unknown>>;
}

/** Every path that may be written in these scopes, outermost first, with the sample value that it leads to. */
function pathsIn(scopes: readonly Scope[]): (readonly [path: string, value: unknown])[] {
  const root = scopes[0]?.value as object;
  const paths = Object.entries(root).flatMap(([name, value]) => pathsBelow(`@root.${name}`, value));
  for (const [i, { value, params, isEach }] of scopes.toReversed().entries()) {
    const head = '../'.repeat(i).slice(0, -1);
    if (value !== root) paths.push(...(head === '' ? pathsBelow('this', value) : [[head, value] as const]));
    if (isEach && i === 0) for (const word of ['@index', '@key', '@first', '@last']) paths.push([word, 0]);
    for (const [name, field] of Object.entries(isMap(value) ? value : {})) {
      paths.push(...pathsBelow(head === '' ? name : `${head}/${name}`, field));
    }
    for (const [name, bound] of Object.entries(params)) paths.push(...pathsBelow(name, bound));
  }
  return paths;
}

function pathsBelow(path: string, value: unknown): (readonly [path: string, value: unknown])[] {
  const below = isMap(value) ? Object.entries(value).flatMap(([name, v]) => pathsBelow(`${path}.${name}`, v)) : [];
  return [[path, value], ...below];
}

const isMap = (value: unknown): value is object => typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Handlebars opens no scope for a value that equals (`==`) the value of the scope around it, and decides so for each
 * item of a loop, so that `../` leads elsewhere. Pannier opens a scope for every block. The templates of this test
 * leave out scopes that may be equal.
 */
function opensScope(value: unknown, word: string, scopes: readonly Scope[]): boolean {
  const context = scopes.at(-1)?.value;
  if (word === 'with')
    return isMap(value) ? value !== context : value === '' || (typeof value === 'string' && isMap(context));
  if (typeof value !== 'object' || value === null) return false;
  const items: readonly unknown[] = Object.values(value);
  const areMaps = items.every(isMap);
  return !items.includes(context) && (areMaps || (isMap(context) && items.every((item) => typeof item === 'string')));
}

const SPACE = ['', ' ', '\n', '\n  ', ' \n', '\r\n', 'x', 'x\n'];

function makeTemplate(random: Random, scopes: readonly Scope[], depth: number): string {
  const pick = <T>(from: readonly T[]) => from[random(from.length)] as T;
  const tag = (inside: string) => `${random(6) === 0 ? '{{~' : '{{'}${inside}${random(6) === 0 ? '~}}' : '}}'}`;
  const all = pathsIn(scopes);
  const choose = (fits: (value: unknown) => boolean) => pick(all.filter(([, value]) => fits(value)));
  const inner = (...more: readonly Scope[]) => makeTemplate(random, [...scopes, ...more], depth - 1);
  let text = '';
  for (let i = random(3) + 1; i > 0; i--) {
    text += pick(SPACE);
    const kind = depth === 0 ? random(2) : random(7);
    if (kind === 0) text += tag('! note ');
    // Without the bar, Handlebars would add the values: it renders {{app.zero}}{{app.on}} as 1.
    else if (kind <= 2) text += `|${tag(choose((value) => typeof value !== 'object')[0])}`;
    else if (kind === 3) {
      const [[first], [second]] = [choose(() => true), choose(() => true)];
      text += `${tag(`#if ${first}`)}${inner()}${tag(`else if ${second}`)}${inner()}${tag('else')}${inner()}${tag('/if')}`;
    } else if (kind === 4) text += `${tag(`#unless ${choose(() => true)[0]}`)}${inner()}${tag('/unless')}`;
    else {
      const word = kind === 5 ? 'each' : 'with';
      const [path, value] = choose((value) => opensScope(value, word, scopes));
      const item = word === 'with' ? value : (Object.values(value as object)[0] ?? '');
      const named = random(2) === 0;
      const params: Record<string, unknown> = named ? (word === 'each' ? { v: item, k: '' } : { w: item }) : {};
      const as = named ? ` as |${Object.keys(params).join(' ')}|` : '';
      const body = inner({ value: item, isEach: word === 'each', params });
      text += `${tag(`#${word} ${path}${as}`)}${body}${tag('else')}${inner()}${tag(`/${word}`)}`;
    }
  }
  return text + pick(SPACE);
}

describe('a template that renders', () => {
  it('gives what Handlebars gives', async () => {
    const random = makeRandom(7);
    const compared = { all: 0, each: 0, with: 0, up: 0, params: 0 };
    for (let i = 0; i < 500; i++) {
      const source = makeTemplate(random, [{ value: data, isEach: false, params: {} }], 3);
      const ours = await render({ f: source }, secrets).catch((error: Error) => error);
      // Pannier refuses what Handlebars renders as "[object Object]" or as nothing.
      if (!('kind' in ours) || ours.kind !== 'files') continue;
      const theirs = Handlebars.compile(source, { noEscape: true })(structuredClone(data));
      const text = Buffer.from(ours.files.get('f') as Uint8Array).toString();
      expect({ source, text }).toEqual({ source, text: theirs });
      compared.all++;
      if (source.includes('#each')) compared.each++;
      if (source.includes('#with')) compared.with++;
      if (source.includes('{{../')) compared.up++;
      if (source.includes('{{v')) compared.params++;
    }
    for (const count of Object.values(compared)) expect(count).toBeGreaterThan(40);
  });
});

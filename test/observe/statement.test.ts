import { describe, expect, it } from 'vitest';
import { hashOfWant } from '../../src/deliver/hash-of-want.ts';
import type { Made } from '../../src/deliver/output-state.ts';
import { statementOf } from '../../src/observe/statement.ts';
import { readExposition, sampleOf } from './exposition.helpers.ts';
import { metricsOf, observedWorld } from './observed.helpers.ts';

const value = (name: string, version: string, more: object = {}) =>
  [name, { id: `want of ${name}`, version, isOwn: false, fetchedWallMs: 0, ...more }] as const;

const made = (...values: readonly ReturnType<typeof value>[]): Made => ({ config: 'c0', values: new Map(values) });

/** An agent that holds version 1 of `app`, and has published the generation 7 of `shop`. */
function world(of: Made | undefined) {
  const made = observedWorld();
  made.configure({ secrets: ['app', 'db'], outputs: ['shop'] });
  made.fresh('app', 5_000);
  made.published.set('shop', { generation: 7, made: of });
  return made;
}

const stated = (of: Made | undefined) => statementOf('shop', world(of).agent);

describe('the statement about an output', () => {
  it('says the version in the files, also where the agent holds another', () => {
    const held = stated(made(value('app', '1')));
    expect(held).toMatchObject({ generation: 7, isBehind: false });
    expect(held?.of?.secrets).toMatchObject([{ name: 'app', version: '1', isCurrent: true }]);
    const other = stated(made(value('app', '0')));
    expect(other?.isBehind).toBe(true);
    expect(other?.of?.secrets).toMatchObject([{ name: 'app', version: '0', isCurrent: false, fetchedWallMs: 0 }]);
  });

  it('counts the age of a value from the last time that the backend confirmed it', () => {
    const { agent, clock } = world(made(value('app', '1')));
    expect(statementOf('shop', agent)?.of?.oldestWallMs).toBe(clock.wallMs() - 5_000);
  });

  it('counts the age of a value that another one has replaced from the last time that it was confirmed', () => {
    const of = world(made(value('app', '0')));
    of.fresh('app', 5_000, { version: '0', fetchedWallMs: 8_000 });
    expect(statementOf('shop', of.agent)?.of?.secrets[0]).toMatchObject({ isCurrent: false, fetchedWallMs: 8_000 });
    of.published.set('shop', { generation: 8, made: made(value('app', '0', { id: 'of another path' })) });
    expect(statementOf('shop', of.agent)?.of?.secrets[0]?.fetchedWallMs).toBe(0);
  });

  it('names a value by its newest version, as an agent does that starts now', () => {
    const { agent } = world(undefined);
    const entry = agent.secrets.entryOf('app');
    const valueNumber = entry?.state === 'fresh' ? entry.valueNumber : undefined;
    expect(valueNumber).toBeDefined();
    const relabelled = stated(made(value('app', '0', { valueNumber })));
    expect(relabelled).toEqual(stated(made(value('app', '1'))));
    expect(relabelled?.of?.secrets).toMatchObject([{ version: '1', isCurrent: true }]);
  });

  it('knows a value of an earlier process by the hash of its want, and another source from the same version', () => {
    expect(stated(made(value('app', '1', { id: hashOfWant('want of app') })))?.isBehind).toBe(false);
    expect(stated(made(value('app', '1', { id: hashOfWant('another path') })))?.isBehind).toBe(true);
  });

  it('does not guess while the agent holds no value', () => {
    const before = stated(made(value('db', '3')));
    expect(before?.isBehind).toBe(false);
    expect(before?.of?.secrets[0]).not.toHaveProperty('isCurrent');
  });

  it('has one text for equal versions, in whatever order, and another for each other version', () => {
    const sources = (...values: ReturnType<typeof value>[]) => stated(made(...values))?.of?.sources;
    const both = sources(value('app', '1'), value('db', '2'));
    expect(both).toMatch(/^[0-9a-f]{16}$/);
    expect(sources(value('db', '2'), value('app', '1'))).toBe(both);
    expect(sources(value('app', '2'), value('db', '2'))).not.toBe(both);
    expect(sources(value('app', '2'), value('db', '1'))).not.toBe(both);
    expect(sources(value('app', '1'), value('db', '2'), value('tls', 'aa:bb', { isOwn: true }))).toBe(both);
  });

  it('says the number alone of what an earlier process published and did not note', () => {
    expect(stated(undefined)).toEqual({ generation: 7 });
    expect(statementOf('other', world(undefined).agent)).toBeUndefined();
  });
});

describe('the metrics of what is published', () => {
  it('have a series per output, and per secret those of versions that agents share', async () => {
    const computed = value('secret bao team/private', '5');
    const tls = value('tls', 'aa:bb', { isOwn: true });
    using metrics = await metricsOf(world(made(value('app', '0'), tls, computed)));
    const text = await metrics.text();
    expect(text).not.toContain('private');
    const families = await readExposition(text, 'prometheus');
    const shop = { output: 'shop' };
    const info = { ...shop, config: 'c0', version: '1.2.3' };
    expect(sampleOf(families, 'pannier_output_statement_info', info)).toBe(1);
    expect(sampleOf(families, 'pannier_output_published_generation', shop)).toBe(7);
    expect(sampleOf(families, 'pannier_output_behind', shop)).toBe(1);
    const versions = families.find(({ name }) => name === 'pannier_output_secret_version_info')?.samples;
    expect(versions?.map(({ labels }) => labels)).toEqual([{ ...shop, secret: 'app', version: '0' }]);
    const since = families.find(({ name }) => name === 'pannier_output_secret_last_success_timestamp_seconds');
    expect(since?.samples.map(({ labels }) => labels['secret'])).toEqual(['app', 'tls']);
  });

  it('say unknown of what an earlier process published and did not note', async () => {
    using metrics = await metricsOf(world(undefined));
    const text = await metrics.text();
    expect(text).toContain(
      'pannier_output_statement_info{output="shop",sources="unknown",config="unknown",version="unknown"} 1',
    );
    expect(text).not.toContain('pannier_output_behind{');
  });

  it('have at most 1000 series per secret: an output has all of its own or none', async () => {
    const agent = world(made(value('app', '1')));
    const many = Array.from({ length: 999 }, (_, n) => value(`s${n}`, '1'));
    agent.configure({ secrets: ['app'], outputs: ['first', 'second', 'shop'] });
    agent.published.set('first', { generation: 1, made: made(...many) });
    agent.published.set('second', { generation: 1, made: made(value('a', '1'), value('b', '1')) });
    using metrics = await metricsOf(agent);
    const lines = (await metrics.text()).split('\n');
    const of = (output: string, name: string) =>
      lines.filter((line) => line.startsWith(`pannier_output_${name}{output="${output}"`)).length;
    expect(['first', 'second', 'shop'].map((name) => of(name, 'secret_version_info')).sort()).toEqual([0, 1, 999]);
    expect(['first', 'second', 'shop'].map((name) => of(name, 'statement_info'))).toEqual([1, 1, 1]);
  });
});

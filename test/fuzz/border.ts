import * as fc from 'fast-check';
import { codeTable } from '../../src/base/codes.ts';
import { type Failure, PannierError, ProblemsError } from '../../src/base/errors.ts';
import type { Fact } from '../../src/base/fact.ts';

/**
 * Stands wherever an input has a value; nothing that a border says may hold it. It looks like a token: a refusal of the
 * PKI engine is shown in the server's own words, without what does.
 */
export const CANARY = 'cAnArY7Qx9kV2hvsToKeN';

/** A place where input from outside comes in. */
export interface Border<T = unknown> {
  readonly name: string;
  /** How many inputs of 100,000 are for this border: fewer where one takes a network connection. */
  readonly share: number;
  /** It starts the built agent. */
  readonly isSystem?: true;
  open(): Promise<OpenBorder<T>>;
}

export interface OpenBorder<T = unknown> extends AsyncDisposable {
  readonly inputs: fc.Arbitrary<T>;
  /**
   * Gives one input to the border, and resolves to all that people, logs or strangers would see of it. What it throws
   * is a failure of Pannier's own, which is looked at in the same way, or a finding.
   */
  feed(input: T): Promise<readonly unknown[]>;
}

/** What a run over one border did. */
export interface Fuzzed {
  readonly border: string;
  readonly inputs: number;
  readonly slowestMs: number;
  readonly totalMs: number;
  /** How often each code came out: what was reached. */
  readonly codes: ReadonlyMap<string, number>;
  /** How to see it again, and what went wrong. */
  readonly finding?: string;
}

/** One input takes no longer, on a machine that does other things as well. */
const MAX_INPUT_MS = 20_000;

/**
 * Runs inputs over a border until one is a finding, which is made as small as possible. The same seed, the same inputs.
 */
export async function fuzz({ name, open }: Border, seed: number, inputs: number): Promise<Fuzzed> {
  await using border = await open();
  const codes = new Map<string, number>();
  let count = 0;
  let slowestMs = 0;
  const begin = performance.now();
  const property = fc.asyncProperty(border.inputs, async (input) => {
    const start = performance.now();
    const said = await inTime(saidOf(border.feed(input)));
    slowestMs = Math.max(slowestMs, performance.now() - start);
    count++;
    for (const one of said) check(one, codes);
  });
  const result = await fc.check(property, { seed, numRuns: inputs, interruptAfterTimeLimit: 3_600_000 });
  const finding = result.failed ? findingOf(result) : undefined;
  return {
    border: name,
    inputs: count,
    slowestMs,
    totalMs: performance.now() - begin,
    codes,
    ...(finding === undefined ? {} : { finding }),
  };
}

/** The smallest input that was found, and the error, with bytes as text. */
function findingOf({ counterexample, counterexamplePath, seed, errorInstance }: fc.RunDetails<[unknown]>): string {
  const input = JSON.stringify(counterexample?.[0], (_, one: unknown) => {
    const isBytes = typeof one === 'object' && one !== null && 'type' in one && one.type === 'Buffer' && 'data' in one;
    return isBytes ? Buffer.from(one.data as number[]).toString('latin1') : one;
  });
  const error = errorInstance instanceof Error ? errorInstance.stack : String(errorInstance);
  return `seed ${seed}, path ${counterexamplePath}\n${input}\n${error}`;
}

/** A failure that crosses a border is no finding, but what it says is looked at. */
async function saidOf(fed: Promise<readonly unknown[]>): Promise<readonly unknown[]> {
  try {
    return await fed;
  } catch (error) {
    if (error instanceof PannierError) return [error.failure, error.message];
    if (error instanceof ProblemsError) return [...error.failures, error.message];
    throw error;
  }
}

function check(said: unknown, codes: Map<string, number>): void {
  const text = typeof said === 'string' ? said : JSON.stringify(said);
  if (text?.includes(CANARY)) throw new Error(`a value comes out: ${text.slice(0, 2_000)}`);
  if (!isFailure(said)) return;
  const { code, place, seen, hint } = said;
  codes.set(code, (codes.get(code) ?? 0) + 1);
  if (!Object.hasOwn(codeTable(), code)) throw new Error(`no code: ${text}`);
  if (code === 'INTERNAL') throw new Error(`a crash: ${text}`);
  if (place === '' || seen === '' || hint === '') throw new Error(`a failure without a place, reason or hint: ${text}`);
}

const isFailure = (said: unknown): said is Failure =>
  typeof said === 'object' && said !== null && 'code' in said && 'place' in said && 'seen' in said;

async function inTime<T>(fed: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no end after ${MAX_INPUT_MS} ms`)), MAX_INPUT_MS);
  });
  try {
    return await Promise.race([fed, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The failures that facts hold. */
export function failuresIn(facts: readonly Fact[]): readonly Failure[] {
  return facts.flatMap((fact) => {
    const failed = 'failure' in fact ? fact.failure : 'warning' in fact ? fact.warning : undefined;
    return failed === undefined ? [] : [failed];
  });
}

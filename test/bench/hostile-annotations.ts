/**
 * What a review costs at most: node test/bench/hostile-annotations.ts. Each annotation is as long as one may be, and
 * made of one thing again and again that is wrong or costs much. It prints the processor time of the middle one of nine
 * reviews. No configuration comes twice.
 */
import { answerTo } from '../injector/review.helpers.ts';

const RUNS = 9;
const CONFIG_BYTES = 32 * 1024 - 64;
const PART_BYTES = 16 * 1024 - 64;

/** The beginning, what is repeated, and the end. */
const SHAPES: Readonly<Record<string, readonly [string, (index: number) => string, string]>> = {
  'closing brackets': ['', () => ']', ''],
  'unknown escapes': ['a: "', () => '\\q', '"'],
  'commas in a list': ['[', () => ',', ']'],
  'reserved characters': ['[', () => '@,', ']'],
  'open brackets': ['', () => '- [\n', ''],
  'unknown tags': ['a: [', () => '!x,', ']'],
  'unknown keys': ['{', (index) => `${index.toString(36)},`, '}'],
  'secrets without a value': ['secrets:\n', (index) => ` x${index.toString(36)}:\n`, ''],
  numbers: ['[', () => '1,', ']'],
};

function filled([begin, unit, end]: readonly [string, (index: number) => string, string], bytes: number): string {
  let text = begin;
  for (let index = 0; text.length + unit(index).length + end.length < bytes; index++) text += unit(index);
  return text + end;
}

const own = (all: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries({ inject: 'true', ...all }).map(([name, value]) => [`pannier.dev/${name}`, value]));

async function costOf(annotationsOf: (run: number) => Readonly<Record<string, string>>): Promise<string> {
  const times: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const pod = {
      metadata: { annotations: own(annotationsOf(run)) },
      spec: { containers: [{ name: 'a', image: 'x' }] },
    };
    const before = process.cpuUsage();
    await answerTo(pod);
    const { user, system } = process.cpuUsage(before);
    times.push((user + system) / 1000);
  }
  return `${(times.sort((a, b) => a - b)[(RUNS - 1) / 2] ?? 0).toFixed(1)} ms`;
}

for (const [name, shape] of Object.entries(SHAPES)) {
  const whole = filled(shape, CONFIG_BYTES);
  const part = filled(shape, PART_BYTES);
  const config = await costOf((run) => ({ config: `${whole}\n#${run}` }));
  const secret = { role: 'shop', 'secret-app': '{ kv: secret/shop/app }' };
  const file = await costOf((run) => ({ ...secret, 'file-a': `${part}\n#${run}` }));
  const reload = await costOf((run) => ({
    ...secret,
    'file-a': '{ format: json, from: app }',
    reload: `${part}\n#${run}`,
  }));
  console.log(`${name}: config ${config}, file-NAME ${file}, reload ${reload}`);
}

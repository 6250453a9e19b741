import { type Cut, cutIn } from './cut.ts';

const used = cutIn('src/agent/output/used-values.ts');
const statement = cutIn('src/observe/statement.ts');
const metrics = cutIn('src/observe/statement-metrics.ts');
const note = cutIn('src/deliver/file/statement-note.ts');

export const STATEMENT: readonly Cut[] = [
  statement('statement-of-files', 'const isCurrent = isSame && isOfWant;', 'const isCurrent = isOfWant;'),
  statement('statement-of-files', ' || entry.valueNumber === valueNumber;', ';', { by: 'newest version' }),
  note('statement-after-restart', '{ id, valueNumber: _, ...value }', '{ id, ...value }', {
    by: 'tells the next process',
  }),
  used('statement-after-rollback', 'new Map(), again);', 'new Map());'),
  note(
    'statement-after-restart',
    'if ((await stampOf(disk, folder.at(generationName(generation)))) !== stamp) continue;',
    "if (stamp === '') continue;",
  ),
  note('statement-private', "name.includes(' ') ?", "name === '' ?"),
  metrics('statement-private', "filter(({ name }) => !name.includes(' '))", "filter(({ name }) => name !== '')", {
    by: 'have a series per output',
  }),
  metrics('statement-bounded', 'MAX_SERIES = 1_000;', 'MAX_SERIES = 1e9;'),
  statement('laggard-query', 'texts.sort().join()', 'texts.join()'),
  statement('laggard-query', '.filter(({ isOwn }) => !isOwn)', ''),
  cutIn('src/observe/exemplars.ts')('exemplars', 'ids?.sampled === true', 'ids !== undefined'),
  cutIn('examples/prometheus/alerts.yaml')(
    'dashboard-has-series',
    'pannier_output_behind{job="pannier"}',
    'pannier_output_behinds{job="pannier"}',
  ),
];

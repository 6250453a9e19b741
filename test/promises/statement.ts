import { held, inFile, type Section } from './promise.ts';

const stated = inFile('test/observe/statement.test.ts', 'the statement about an output');
const metrics = inFile('test/observe/statement.test.ts', 'the metrics of what is published');
const used = inFile('test/agent/output/used-values.test.ts', 'what is said of the published generation');
const note = inFile('test/deliver/file/statement-note.test.ts', 'the note of what generations are made of');
const real = inFile('test/system/statement.test.ts', 'what an agent states about its files');
const queries = inFile('test/system/statement.test.ts', 'the queries of docs/metrics.md');
const exemplars = inFile('test/observe/exemplars.test.ts', 'exemplars');
const run = inFile('test/system/dashboard.test.ts', 'an agent to which everything happens');

export const statements: Section = {
  name: 'What is published, and metrics',
  promises: [
    held(
      'statement-of-files',
      'An output states the versions that are in its files, and not those that the agent holds.',
      stated('says the version in the files, also where the agent holds another'),
      stated('names a value by its newest version, as an agent does that starts now'),
      used('is what it was made of, and nothing when there is none'),
      real('is what is in them, also while a check holds newer values back'),
    ),
    held(
      'statement-after-rollback',
      'After a rollback the statement is about the versions of the earlier generation.',
      used('is the earlier versions after a rollback'),
      real('is the earlier version after a rollback, which a later process knows as well'),
    ),
    held(
      'statement-after-restart',
      'A restart does not change what is stated, and nothing is stated of files that were touched meanwhile.',
      note('says nothing of a generation whose file was changed since'),
      note('tells the next process of the generations that are there'),
      real('is still true after a restart while the backend is away'),
    ),
    held(
      'statement-private',
      'What an output states, in metrics and in its note on disk, holds no path of a computed secret.',
      note('is for the agent alone, and holds neither paths nor names of computed secrets'),
      metrics('have a series per output, and per secret those of versions that agents share'),
    ),
    held(
      'statement-bounded',
      'The metrics of statements have at most 1,000 series per secret, and four per output.',
      metrics('have at most 1000 series per secret: an output has all of its own or none'),
    ),
    held(
      'laggard-query',
      'One query over the metrics of a fleet names each agent whose files are older than those of most.',
      stated('has one text for equal versions, in whatever order, and another for each other version'),
      queries('name the one agent of three whose files are older, and its secret'),
    ),
    held(
      'exemplars',
      'A scrape in OpenMetrics names the trace of a failure where traces are on, and only of one that is sent.',
      exemplars('are none of a trace that is not sampled, nor outside of a trace, nor without traces'),
      exemplars('name the trace of what is in a trace that is sent, on counters and buckets'),
    ),
    held(
      'dashboard-has-series',
      'Every panel of the dashboard shows something in a run, and every series that an alert rule selects is there.',
      run('has every series that a rule or a panel selects, with the labels that it compares'),
      run('shows something in every panel of the dashboard'),
    ),
  ],
};

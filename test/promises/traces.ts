import { held, inFile, type Section } from './promise.ts';

const traces = inFile('test/system/traces.test.ts', 'traces');
const sender = inFile('test/trace/sender.test.ts', 'the sender of spans');
const tracer = inFile('test/trace/tracer.test.ts', 'a tracer');
const settings = inFile('test/trace/settings.test.ts', 'the settings of traces');
const schemas = inFile('test/log/schemas.test.ts', 'a log line');

export const tracing: Section = {
  name: 'Traces and log schemas',
  promises: [
    held(
      'trace-of-a-rotation',
      'A rotation is one trace, from the fetch that found the change to the verification of the reload.',
      tracer('has a publish follow the first change that it publishes, with links to the others'),
      tracer('has a reload follow the publish of its generation, and a failure is its status'),
      traces('show one rotation as one trace, from the change to the reload'),
    ),
    held(
      'trace-of-a-client',
      'A `traceparent` of a client of the API goes on to the server and to the files.',
      tracer('goes on with the trace of a client, and follows its decision'),
      tracer('has each request to a Vault carry its own span on'),
      traces('go on with the trace of a client of the API, to the server and to the files'),
    ),
    held(
      'trace-is-what-happened',
      'A poll that found nothing new is no trace.',
      tracer('makes no trace of an attempt that found nothing new, however many requests it made'),
    ),
    held(
      'traces-hold-nothing-up',
      'A receiver that is away holds nothing up: spans are bounded in number, the end of the agent in time, and what is dropped is counted.',
      sender('keeps a bounded number while the receiver is down, and tells how many it dropped'),
      sender('ends within a bound when the receiver is away'),
      traces('are refused, dropped and counted without harm to the agent'),
    ),
    held(
      'traces-settings',
      'What is wrong with a setting of traces is a warning that does not show it, and does not end the agent.',
      settings('that cannot be used are a warning, and nothing is sent: %s=%s'),
      settings('that are wrong beside the address are warnings, and traces are sent'),
    ),
    held(
      'log-schemas',
      'A log line says the same in each schema: Pannier, ECS and OpenTelemetry.',
      schemas('says the same in each schema: %s'),
    ),
  ],
};

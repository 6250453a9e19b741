import { held, inFile, type Section } from './promise.ts';

const traces = inFile('test/system/traces.test.ts', 'traces');
const sender = inFile('test/otlp/exporter.test.ts', 'an exporter');
const tracer = inFile('test/trace/tracer.test.ts', 'a tracer');
const settings = inFile('test/trace/settings.test.ts', 'the settings of traces');
const logs = inFile('test/otlp/open-logs.test.ts', 'log lines by OTLP');
const sentLogs = inFile('test/system/log-pipelines.test.ts', 'log lines by OTLP');
const collected = inFile(
  'test/system/log-pipelines.test.ts',
  'the filelog receiver of the collector, which needs go on the PATH',
);
const forwarded = inFile(
  'test/system/log-forward.test.ts',
  'the fluentforward receiver of the collector, which needs go on the PATH',
);
const stream = inFile('test/log/audit/stream.test.ts', 'the audit stream');
const audit = inFile('test/system/audit-stream.test.ts', 'the audit');
const file = inFile('test/log/log-file.test.ts', 'a log file');
const whole = inFile('test/log/long-lines.test.ts', 'a line of the schema %s');
const schemas = inFile('test/log/schemas.test.ts', 'a log line');

export const tracing: Section = {
  name: 'Traces and logs',
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
      logs('have a warning at the start when %s names no file of certificates'),
      logs('have a warning when the file of the CA holds no certificate: %j'),
      logs('have a warning with the names of both variables when the key is not the one of the certificate'),
      logs('with %s alone are a warning that names the other variable'),
    ),
    held(
      'log-schemas',
      'A log line says the same in each schema: Pannier, ECS and OpenTelemetry.',
      schemas('says the same in each schema: %s'),
      collected('reads a log of the schema %s as the page configures it'),
      forwarded(
        'reads what the logging driver of Docker sends of log and audit in the schema %s, as the page configures it',
      ),
    ),
    held(
      'log-lines-whole',
      'No log line is longer than the 16 KiB that container runtimes take: its longest field is shortened, and the line says so.',
      whole('is never longer than container runtimes take: %s'),
      whole('is whole when it is short enough'),
    ),
    held(
      'logs-by-otlp',
      'Lines by OTLP are those of the log, with the spans that they belong to; what a receiver does not take is counted.',
      logs('have time, severity, event, attributes and span as the data model has them'),
      logs('are those of the level of the log, without lines about their own sending'),
      sentLogs('are the lines of the log, with the spans of the traces, and go where traces go'),
      sentLogs('that a receiver does not take are counted, and the agent goes on'),
    ),
    held(
      'otlp-too-large',
      'A request that is too large for a receiver of OTLP is sent in halves.',
      sender('halves a request that is too large for the receiver, and drops what still is'),
    ),
    held(
      'audit-waits-for-nobody',
      'A full disk or a slow reader of the audit holds nothing up: lines wait, in a bounded number.',
      stream('does not wait for a slow reader of a pipe, and says in the stream how many lines are missing'),
      stream('does not wait for a slow reader of a socket, and loses nothing that there is room for'),
      stream('ends within a bound when nobody reads, and the log has the lines that are left'),
      audit('does not hold up its clients when its reader hangs, and says at its end how many lines are lost'),
    ),
    held(
      'audit-not-lost-silently',
      'Lines of the audit that cannot be written are in the log, are written later when that goes, and are counted when it does not.',
      stream('keeps what a full disk does not take, has it in the log too, warns once, and writes it later'),
      stream('connects to a socket again, and sends it what waited'),
      audit('is not lost when its standard output is a socket that the child of exec has too: it is in the log'),
    ),
    held(
      'log-torn-line',
      'A line that a full disk took in part is the only one of its file that is lost.',
      file('that took a part of a line, as a disk that gets full does, loses that line and not the next one'),
    ),
    held(
      'log-file-followed',
      'A log file that is rotated without a signal is opened again.',
      stream('follows a file that is %s, without a signal'),
      stream('goes on at the beginning of a file that is copied and truncated'),
    ),
  ],
};

import type { Words } from './words.ts';

/** The section `log`. */
export const logWords: Words = {
  'log.level': {
    type: '`trace`, `debug`, `info`, `warn`, `error`, `silent`',
    default: '`info`',
    does: 'the lowest level that is logged; the variable `PANNIER_LOG_LEVEL` wins over it',
  },
  'log.format': {
    type: '`auto`, `json`, `pretty`',
    default: '`auto`',
    does: '`auto` is pretty on a terminal and JSON elsewhere',
  },
  'log.schema': {
    type: '`pannier`, `ecs`, `otel`',
    default: '`pannier`',
    does: 'the names of fields in JSON lines: our own, those of the Elastic Common Schema, or those of the log data model of OpenTelemetry',
  },
  'log.file': {
    type: 'path',
    default: 'standard error',
    does: 'takes the log instead, made 0600; `auto` is JSON there. SIGHUP opens it again. No link in a directory that another user may write is followed',
    examples: ['/var/log/pannier.log'],
  },
  'log.auditFile': {
    type: 'path',
    default: 'the log',
    does: 'takes the lines of the [audit](api.md#audit) instead, in JSON and whatever `log.level` is; made and opened again as `log.file` is',
    examples: ['/var/log/pannier-audit.log'],
  },
  'log.auditTo': {
    type: '`stdout`, `unix:///PATH`',
    default: 'the log',
    does: 'in the place of `log.auditFile`: standard output, or a stream socket that another program listens on',
    examples: ['unix:///run/vector/audit.sock'],
  },
  'log.otlp': {
    type: '`true`, or `{ endpoint }`',
    default: '`false`',
    does: 'sends the lines of the log by [OTLP](log-pipelines.md#otlp) too, to the receiver of `traces` or of the variables `OTEL_…`',
  },
  'log.otlp.endpoint': {
    type: 'address',
    default:
      '`traces.endpoint`, `OTEL_EXPORTER_OTLP_LOGS_ENDPOINT`, `OTEL_EXPORTER_OTLP_ENDPOINT`, `http://localhost:4318`',
    does: 'the receiver of log lines; `/v1/logs` is put behind it',
    examples: ['http://otel-collector:4318'],
  },
};

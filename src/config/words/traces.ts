import type { Words } from './words.ts';

/** The section `traces`. */
export const tracesWords: Words = {
  'traces.endpoint': {
    type: 'address',
    default: '`OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`, `OTEL_EXPORTER_OTLP_ENDPOINT`, `http://localhost:4318`',
    does: 'the receiver; `/v1/traces` is put behind it',
    examples: ['http://otel-collector:4318'],
  },
  'traces.service': {
    type: 'text',
    default: '`OTEL_SERVICE_NAME`, `pannier`',
    does: 'how the agent is called in traces; a child of `exec` has the same variables, and is another service',
    examples: ['shop-secrets'],
  },
};

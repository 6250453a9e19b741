import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { halfBody, hang, reply, reset, route } from '../../../faults/fault-server.ts';
import { serve } from '../../../http/client.helpers.ts';
import { createAuthority } from '../../../servers/certificates.ts';

const CANARY = 'hvs.CAESIcanary';
const program = fileURLToPath(new URL('../../../faults/canary-client.ts', import.meta.url));

/** Answers that hold a value: good ones, errors, and broken ones. */
const answers = route({
  '/v1/good': reply(200, `{"auth":{"client_token":"${CANARY}"},"data":{"x":"${CANARY}"}}`),
  '/v1/cut': reply(200, `{"data":{"x":"${CANARY}`),
  '/v1/nul': reply(200, `{"data":{"x":"${CANARY}\0"}}`),
  '/v1/list': reply(200, `["${CANARY}"]`),
  '/v1/html': reply(200, `<html>${CANARY}</html>`, { 'Content-Type': `text/html;${CANARY}` }),
  '/v1/refused': reply(400, `{"errors":["password ${CANARY} is wrong","permission denied ${CANARY}"]}`),
  '/v1/moved': reply(307, CANARY, { Location: `ftp://${CANARY}/` }),
  '/v1/later': reply(503, `{"errors":["${CANARY}"]}`, { 'Retry-After': CANARY }),
  '/v1/half': halfBody,
  '/v1/hang': hang,
  '/v1/reset': reset,
});
const paths = ['good', 'cut', 'nul', 'list', 'html', 'refused', 'moved', 'later', 'half', 'hang', 'reset'];

/**
 * NODE_DEBUG=http shows the first 50 bytes (in hex) of an answer that is not HTTP, and NODE_DEBUG=stream those of every
 * answer: Node itself prints them, so the command line starts itself again without NODE_DEBUG.
 */
it.each([
  ['http', undefined],
  ['https', createAuthority('ca').issue({ commonName: 'x' })],
] as const)('no value reaches output over %s, also with DEBUG=* and NODE_DEBUG=http,net', async (_, pair) => {
  const tls = pair === undefined ? {} : { tls: { cert: pair.certificatePem, key: pair.keyPem } };
  const server = await serve(answers, tls);
  const env = { ...process.env, DEBUG: '*', NODE_DEBUG: 'http,net', CANARY_TOKEN: CANARY, CANARY_BODY: CANARY };
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [program, server.address, ...paths], { env });
  expect(server.requests.length).toBeGreaterThanOrEqual(paths.length * 4);
  expect(stdout).toContain('BACKEND_MALFORMED');
  expect(stdout).toContain('[secret]');
  expect(stderr).toContain('NET');
  for (const output of [stdout, stderr]) {
    expect(output).not.toContain(CANARY);
    expect(output).not.toContain(Buffer.from(CANARY).toString('base64').slice(0, -4));
  }
});

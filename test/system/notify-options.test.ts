import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runAgent } from './agent.helpers.ts';
import { failuresOf, useScene } from './openbao.helpers.ts';

const scene = useScene();

it.each(['', '\n', '{"ca":1}'])('pannier notify takes no file of authorities that holds %j', async (text) => {
  const place = await scene.place();
  const file = join(place.dir, 'ca.pem');
  await writeFile(file, text);
  const certificate = ['--tls-cert-file', join(place.dir, 'a.crt'), '--tls-key-file', join(place.dir, 'a.key')];
  const server = ['--audit-file', join(place.dir, 'audit.log'), '--address', 'http://127.0.0.1:1'];
  const ended = await runAgent(['notify', ...server, ...certificate, '--client-ca-file', file]);
  expect([ended.status, failuresOf(ended)]).toMatchObject([
    2,
    [{ code: 'CONFIG_UNREADABLE', place: '--client-ca-file', seen: `${file}: it holds no certificate in PEM` }],
  ]);
});

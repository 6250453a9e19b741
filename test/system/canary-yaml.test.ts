import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createPlace, runAgent } from './agent.helpers.ts';
import { CANARY, LOUD } from './canary.helpers.ts';

it('no value comes out of what is read as YAML: a file of secrets, a configuration, a value in a template', async () => {
  await using place = await createPlace();
  const at = (name: string) => join(place.dir, name);
  const value = (name: string) => readFile(at(`out/${name}`), 'utf8');
  await writeFile(at('secrets.yaml'), `app:\n  password: ${CANARY}-1\n  more: "a: { b: ${CANARY}-2 }"\n`);
  await writeFile(
    at('pannier.yaml'),
    `version: 1
backends: { f: { kind: file, path: ./secrets.yaml } }
secrets: { app: { key: app } }
outputs:
  out:
    dir: ./out
    files:
      plain: { content: "{{app.password}} ${CANARY}-3" }
      parsed: { content: '{{#with (parseYaml app.more)}}{{a.b}}{{/with}}' }
`,
  );
  const agent = await runAgent(['init', '-c', at('pannier.yaml'), '--timeout', '20s'], { env: LOUD });
  expect(agent.output()).not.toContain(CANARY);
  expect(agent.status).toBe(0);
  expect([await value('plain'), await value('parsed')]).toEqual([`${CANARY}-1 ${CANARY}-3`, `${CANARY}-2`]);
});

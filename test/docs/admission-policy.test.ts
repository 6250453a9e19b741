import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { TAKEN } from '../../scripts/admission-policy/checks.ts';
import { ANNOTATIONS } from '../../src/injector/annotations/known.ts';
import { checkConfig } from '../../src/injector/config/checked-config.ts';

const page = readFileSync('docs/admission-policy.md', 'utf8');

it('docs/admission-policy.md says of each annotation whether the policy takes it', () => {
  const names = new Set(ANNOTATIONS.map(({ name }) => name));
  const rows = new Map([...page.matchAll(/^\| ([a-z ]+) \| (`.*) \|$/gm)].map(([, head, text]) => [head, text ?? '']));
  const namedIn = (...heads: readonly string[]) =>
    heads
      .flatMap((head) =>
        [...(rows.get(head) ?? '').matchAll(/`([A-Za-z-]+)(?:: "true")?`/g)].map(([, name = '']) => name),
      )
      .filter((name) => names.has(name))
      .sort();
  const taken = namedIn('must be there', 'as with the injector', 'with a smaller choice');
  expect(taken).toEqual([...TAKEN].sort());
  const others = [...names].filter((name) => !TAKEN.includes(name)).sort();
  expect(namedIn('only with the injector')).toEqual(others);
});

it('docs/admission-policy.md shows a configuration that is right, and that answers the startup probe', async () => {
  const [, block = ''] = /```yaml\n([\s\S]*?)```/.exec(page) ?? [];
  const [map] = parseAllDocuments(block).map((one) => one.toJS());
  expect(await checkConfig(map.data['pannier.yaml'])).toMatchObject({
    needs: { dirs: ['/run/secrets/pannier'], signals: false, answersHealth: true },
  });
});

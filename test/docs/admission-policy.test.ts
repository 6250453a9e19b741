import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { TAKEN } from '../../scripts/admission-policy/checks.ts';
import { ANNOTATIONS } from '../../src/injector/annotations/known.ts';
import { checkConfig } from '../../src/injector/config/checked-config.ts';
import { answerTo, patched } from '../injector/review.helpers.ts';

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

it('docs/admission-policy.md shows a configuration that answers the startup probe, and a pod that asks for it', async () => {
  const [config, manifest] = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text = '']) => text);
  expect(await checkConfig(config ?? '')).toMatchObject({
    needs: { dirs: ['/run/secrets/pannier'], signals: false, answersHealth: true },
  });
  const { metadata, spec } = parse(manifest ?? '').spec.template;
  const answer = await answerTo({ metadata, spec });
  expect(answer.denied).toBeUndefined();
  expect(patched({ metadata, spec }, answer).spec.initContainers[0].name).toBe('pannier');
  expect(Object.keys(metadata.annotations)).toEqual(['pannier.dev/inject', 'pannier.dev/config-map']);
});

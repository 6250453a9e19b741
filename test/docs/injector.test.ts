import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { answerTo, patched } from '../injector/review.helpers.ts';
import { injectorPage } from './injector-page.ts';

const page = readFileSync('docs/injector.md', 'utf8');

it('docs/injector.md has the tables that npm run docs makes of the code', async () => {
  expect(page).toBe(await injectorPage(page));
});

it('docs/injector.md shows pods that are injected', async () => {
  const blocks = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text = '']) =>
    parseAllDocuments(text)[0]?.toJS(),
  );
  const [deployment, inline, variables] = blocks.filter(({ kind }) => kind !== 'Application');
  const { metadata, spec } = deployment.spec.template;
  const parts = { ...metadata.annotations, ...variables };
  const annotated = [metadata.annotations, inline.metadata.annotations, parts];
  for (const annotations of annotated) {
    const pod = { metadata: { annotations }, spec };
    const answer = await answerTo(pod);
    expect(answer.denied).toBeUndefined();
    expect(patched(pod, answer).spec.initContainers[0].name).toBe('pannier');
  }
  expect(blocks).toHaveLength(4);
});

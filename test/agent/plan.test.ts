import { describe, expect, it } from 'vitest';
import { allProblems } from '../../src/agent/create-plan.ts';
import { BACKEND_KINDS } from '../../src/backend/registry.ts';
import { failure } from '../../src/base/errors.ts';
import { loadConfig } from '../../src/config/load.ts';
import { ConfigProblemsError } from '../../src/config/problems/config-problems.ts';
import { makeFolder } from '../config/config.helpers.ts';

const codes = ({ failures }: { failures: readonly { code: string }[] }) => failures.map(({ code }) => code);

describe('the problems of a configuration', () => {
  it('include those of the templates of outputs that are good themselves; a bad secret is still a known name', async () => {
    const text = `version: 1
backends: { demo: { kind: file, path: s.yaml } }
secrets: { app: { key: app, refrsh: 5m } }
outputs:
  a: { dir: a, files: { one: { content: '{{app.x}}' }, two: { content: '{{nope.x}}' } } }
  b: { dir: b, mod: '0400', files: {} }
`;
    const cwd = makeFolder({ 'shop.yaml': text });
    const error = await loadConfig({ kinds: BACKEND_KINDS, paths: ['shop.yaml'], env: {}, cwd }).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(ConfigProblemsError);
    expect(codes(await allProblems(error as ConfigProblemsError))).toEqual([
      'CONFIG_UNKNOWN_KEY',
      'CONFIG_UNKNOWN_KEY',
      'TEMPLATE_UNKNOWN_NAME',
    ]);
  });

  it('stand alone when a file could not be read', async () => {
    const unread = new ConfigProblemsError([failure('CONFIG_MALFORMED', 'shop.yaml', 'not YAML')]);
    expect(codes(await allProblems(unread))).toEqual(['CONFIG_MALFORMED']);
  });
});

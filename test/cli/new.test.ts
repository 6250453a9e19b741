import { describe, expect, it } from 'vitest';
import { planOf } from '../../src/agent/create-plan.ts';
import { PannierError } from '../../src/base/errors.ts';
import { type NewCommandOptions, scaffold } from '../../src/cli/new.ts';
import { loadText } from '../config/config.helpers.ts';

const BACKENDS: readonly NewCommandOptions[] = [
  { vault: true },
  { vault: true, kubernetes: true },
  { vault: true, approle: true },
  { vault: true, token: true },
  { aws: true },
  { file: true },
];

describe('pannier new', () => {
  it.each(BACKENDS.flatMap((one) => [one, { ...one, exec: true }]))(
    'prints for %j a configuration that is valid as it stands, without warnings',
    async (options) => {
      const config = await loadText(scaffold(options));
      expect(config.warnings).toEqual([]);
      const plan = await planOf(config, 0);
      expect([plan.outputs.length, plan.env === undefined]).toEqual(options.exec ? [0, false] : [1, true]);
      expect([...config.secrets.keys()]).toEqual(['app']);
    },
  );

  it('asks for a backend, and for the one that has the login', () => {
    for (const [options, code] of [
      [{}, 'CONFIG_MISSING'],
      [{ approle: true }, 'CONFIG_INVALID'],
      [{ aws: true, token: true }, 'CONFIG_INVALID'],
    ] as const) {
      expect(() => scaffold(options)).toThrow(PannierError);
      expect(() => scaffold(options)).toThrow(code);
    }
  });
});

import { resolve } from 'node:path';
import { statInTime } from '../../base/read-file.ts';
import type { Problems } from './problems.ts';

/** Names that the default file is given by mistake. */
const NEAR_NAMES = ['pannier.yml', 'pannier.json'] as const;

/** Adds that no configuration was given, with why the file of the working directory does not count. */
export async function tellNoDefaultFile(cwd: string, found: 'absent' | 'foreign', problems: Problems): Promise<void> {
  const near = await Promise.all(NEAR_NAMES.map((name) => exists(resolve(cwd, name))));
  const other = found === 'absent' ? NEAR_NAMES.find((_, index) => near[index]) : undefined;
  const [why, hint] =
    other !== undefined
      ? [
          `; there is ${other} here, but only pannier.yaml is read by itself`,
          `Give -c ${other}, or rename it to pannier.yaml.`,
        ]
      : [
          found === 'foreign' ? ', and another user owns or may change the pannier.yaml here' : '',
          'Give -c FILE, set PANNIER_CONFIG, or start where pannier.yaml is.',
        ];
  problems.addAt('CONFIG_MISSING', 'configuration', `no configuration file was given${why}`, hint);
}

const exists = (path: string): Promise<boolean> =>
  statInTime(path).then(
    () => true,
    () => false,
  );

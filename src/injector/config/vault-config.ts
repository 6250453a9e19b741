import { configOfAnnotations } from '../../import/annotations/to-config.ts';
import { convertConfig } from '../../import/convert-config.ts';
import { Notes } from '../../import/problem.ts';
import type { VaultSource } from '../settings.ts';
import type { Wrong } from '../wrong.ts';

/** More lines than one annotation has. */
const MAX_LINES = 1_000_000;

/** What a pod says in annotations of another injector. */
type VaultAnnotations = Omit<VaultSource, 'kind' | 'prefix'>;

/**
 * The configuration that `pannier import --annotations` makes of the annotations of another injector. Each annotation
 * that cannot be converted is wrong, and named.
 */
export async function configOfVault(
  prefix: string,
  { annotations, hasPrograms }: VaultAnnotations,
  wrong: Wrong[],
): Promise<string> {
  const notes = new Notes();
  const names = [...annotations.keys()];
  // The line of an annotation tells its number, so that a problem can be told by the name.
  const listed = names.map((name, index) => ({
    name,
    value: annotations.get(name) ?? '',
    place: { file: 'annotations', line: index * MAX_LINES + 1, column: 1 },
  }));
  const { items, extras } = configOfAnnotations(listed, notes);
  const { yaml, problems } = await convertConfig(items, ['annotations'], {
    notes,
    extras,
    readSource: async () => ({ problem: 'it is in another container' }),
    sink: true,
    templatesBeside: false,
    commands: hasPrograms ? 'signals' : 'only signals',
    keepsCredentials: false,
  });
  for (const { place, seen, todo } of problems) {
    const name = names[Math.floor((place.line - 1) / MAX_LINES)] ?? names[0] ?? '';
    wrong.push({ where: `${prefix}${name}`, seen: `is not converted: ${seen}. ${todo}` });
  }
  return yaml.replace(/^(?:#.*\n)+\n?/, '');
}

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
): Promise<{ readonly text: string; readonly annotationOf: (problem: string) => string | undefined }> {
  const notes = new Notes();
  const names = [...annotations.keys()];
  const nameAt = (line: number): string | undefined => names[Math.floor((line - 1) / MAX_LINES)];
  // The line of an annotation tells its number, so that a problem can be told by the name.
  const listed = names.map((name, index) => ({
    name,
    value: annotations.get(name) ?? '',
    place: { file: 'annotations', line: index * MAX_LINES + 1, column: 1 },
  }));
  const { items, extras } = configOfAnnotations(listed, notes, 'pod');
  const { yaml, problems, sources } = await convertConfig(items, ['annotations'], {
    notes,
    extras,
    readSource: async () => ({ problem: 'it is in another container' }),
    sink: true,
    templatesBeside: false,
    commands: hasPrograms ? 'signals' : 'only signals',
    keepsCredentials: false,
  });
  for (const { place, seen, todo } of problems) {
    const name = nameAt(place.line) ?? names[0] ?? '';
    wrong.push({ where: `${prefix}${name}`, seen: `is not converted: ${seen}. ${todo}` });
  }
  const annotationOf = (problem: string): string | undefined => {
    const place = problem.replace(/\["([^"]*)"\]/g, '.$1');
    const known = [...sources.keys()].filter((one) => one.startsWith('outputs.') && place.startsWith(`${one}.`));
    const [longest] = known.sort((a, b) => b.length - a.length);
    return nameAt(Number(sources.get(longest ?? '')?.split(':')[1]));
  };
  return { text: yaml.replace(/^(?:#.*\n)+\n?/, ''), annotationOf };
}

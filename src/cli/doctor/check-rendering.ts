import { namesKnownTo } from '../../agent/create-plan.ts';
import type { Plan } from '../../agent/plan.ts';
import type { Fetched } from '../../backend/backend.ts';
import { systemClock } from '../../base/clock.ts';
import { asFailure, type Failure, failure } from '../../base/errors.ts';
import type { Examination } from '../../base/examination.ts';
import { Secret } from '../../base/secret.ts';
import type { Value } from '../../base/value.ts';
import type { GenerationsConfig } from '../../config/config.ts';
import type { SecretEntry, Snapshot } from '../../lease/snapshot.ts';
import type { ReadPlan } from './read-plan.ts';

/** What the checks of the backends have read, by the names of the secrets. */
export type Values = ReadonlyMap<string, Fetched | 'absent'>;

/** A file, a variable, or an HTTP request of a reload. */
interface Part {
  readonly place: string;
  readonly wants: ReadonlySet<string>;
  /** Undefined: nothing is wrong. */
  render(snapshot: Snapshot): Promise<Failure | undefined>;
}

/**
 * Renders in memory what an agent would, with the values that were read, and drops the result: so a field that a secret
 * does not have is told as `init` would tell it. For a secret whose fetch makes something new a stand-in with every
 * field is used, and then only a field that another secret does not have is told, as a warning; the
 * check of the secret itself says that it was not read.
 */
export async function checkRendering(
  examination: Examination,
  { plan, position }: ReadPlan,
  values: Values,
): Promise<void> {
  if (plan === undefined) return;
  let rendered = 0;
  for (const { place, wants, render } of await partsOf(plan)) {
    const unread = [...wants].filter((name) => !values.has(name));
    let failed: Failure | undefined;
    try {
      failed = await render(snapshotOf(values));
    } catch (error) {
      failed = asFailure(error, place);
    }
    const [placed] = failed === undefined ? [] : await position([failed]);
    if (unread.length === 0) {
      if (placed === undefined) rendered++;
      else examination.refuse('rendering', placed);
    } else if (placed?.code === 'RENDER_MISSING_FIELD') examination.warn('rendering', placed);
  }
  if (rendered === 0) return;
  examination.pass('rendering', 'outputs', `${rendered} ${rendered === 1 ? 'part' : 'parts'} can be rendered`);
}

/** Each file and variable by itself: one that cannot be rendered does not hide the others. */
async function partsOf(plan: Plan): Promise<readonly Part[]> {
  const { createRenderer } = await import('../../render/renderer.ts');
  const known = namesKnownTo(plan.config);
  const outputs: readonly GenerationsConfig[] = [
    ...plan.outputs.map(({ output }) => output),
    ...(plan.env === undefined ? [] : [plan.env.output]),
  ];
  const parts: Part[] = [];
  const add = async (place: string, only: Pick<GenerationsConfig, 'files' | 'variables'>) => {
    const { wants, render } = await createRenderer(only, known);
    parts.push({
      place,
      wants,
      render: async (snapshot) => {
        const made = await render(snapshot);
        return made.kind === 'failed' ? made.why : undefined;
      },
    });
  };
  for (const { files, variables } of outputs) {
    for (const [name, file] of files) await add(file.place, { files: new Map([[name, file]]) });
    if (variables !== undefined) await add(variables.place, { files: new Map(), variables });
  }
  for (const [place, { wants, render }] of plan.outputs.flatMap(({ requests }) => [...requests])) {
    const why = async (snapshot: Snapshot) => {
      const made = render(snapshot);
      return made.kind === 'failed' ? made.why : undefined;
    };
    parts.push({ place, wants, render: why });
  }
  return parts;
}

function snapshotOf(values: Values): Snapshot {
  const nowWallMs = systemClock.wallMs();
  const known = { fetchedWallMs: nowWallMs, changedWallMs: nowWallMs, valueNumber: 1, stateNumber: 1 };
  const entryOf = (name: string): SecretEntry => {
    const value = values.get(name) ?? STAND_IN;
    if (value !== 'absent') return { state: 'fresh', value, ...known };
    const why = failure('SECRET_NOT_FOUND', `secrets.${name}`, 'it is not there');
    return { state: 'absent', why, optional: true, stateNumber: 1 };
  };
  return { number: 1, get: entryOf, names: () => values.keys() };
}

/** Has every field. */
class EveryField extends Map<string, Value> {
  override has(): boolean {
    return true;
  }

  override get(): Value {
    return Secret.text('');
  }
}

const STAND_IN: Fetched = { fields: new EveryField(), version: '', life: { kind: 'none' } };

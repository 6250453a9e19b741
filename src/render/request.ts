import { asFailure, type Failure, failure, ProblemsError } from '../base/errors.ts';
import { Secret } from '../base/secret.ts';
import type { HttpReloadConfig } from '../config/config.ts';
import type { Snapshot } from '../lease/snapshot.ts';
import type { KnownNames } from './template/analyse.ts';
import { RenderFault } from './template/fault.ts';
import { readTemplate, type Template } from './template/template.ts';
import { viewOf } from './template/view.ts';

/** What a request carries; each text stays opaque until it is sent. */
export interface RequestValues {
  readonly kind: 'request';
  readonly headers: ReadonlyMap<string, Secret>;
  readonly body?: Secret;
}

export type RenderedRequest = RequestValues | { readonly kind: 'failed'; readonly why: Failure };

/** Headers and body of one HTTP request, parsed and checked once, when it is made. */
export interface RequestRenderer {
  /** Names of the secrets that they are made of. */
  readonly wants: ReadonlySet<string>;
  /** Pure, and never throws. */
  render(snapshot: Snapshot): RenderedRequest;
}

/**
 * Parses the templates of a request; needs no value. Computed paths are refused: a reload fetches nothing.
 * @throws ProblemsError with everything that is wrong in any of them.
 */
export async function createRequestRenderer(
  { headers, body, place }: HttpReloadConfig,
  known: KnownNames,
): Promise<RequestRenderer> {
  const problems: Failure[] = [];
  const parts = new Map<string, Part>();
  for (const [name, text] of headers) parts.set(name, await part(`${place}.http.headers.${name}`, text));
  const whole = body === undefined ? undefined : await part(`${place}.http.body`, body);
  if (problems.length > 0) throw new ProblemsError(problems);
  const all = whole === undefined ? [...parts.values()] : [...parts.values(), whole];

  return {
    wants: new Set(all.flatMap(({ template }) => template.uses.map(({ secret }) => secret))),
    render(snapshot) {
      const view = viewOf(snapshot);
      let at = place;
      const write = (one: Part) => {
        at = one.place;
        return Secret.bytes(one.template.render(view));
      };
      try {
        const written = new Map([...parts].map(([name, one]) => [name, write(one)]));
        return { kind: 'request', headers: written, ...(whole === undefined ? {} : { body: write(whole) }) };
      } catch (error) {
        return {
          kind: 'failed',
          why: error instanceof RenderFault ? error.toFailure(at, 'text') : asFailure(error, at),
        };
      }
    },
  };

  async function part(at: string, text: string): Promise<Part> {
    const template = await readTemplate(text, known);
    problems.push(...template.problems.map((fault) => fault.toFailure(at, 'text')));
    if (template.asks.length > 0) {
      const hint = 'Name a secret of the configuration.';
      problems.push(failure('TEMPLATE_REFUSED', at, 'a computed path, which a reload cannot ask', { hint }));
    }
    return { place: at, template };
  }
}

interface Part {
  readonly place: string;
  readonly template: Template;
}

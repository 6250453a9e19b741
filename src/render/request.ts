import { asFailure, type Failure, failure, ProblemsError } from '../base/errors.ts';
import { Secret } from '../base/secret.ts';
import type { HttpReloadConfig } from '../config/config.ts';
import type { Snapshot } from '../lease/snapshot.ts';
import type { FieldUse, KnownNames } from './template/analyse.ts';
import { RenderFault } from './template/fault.ts';
import { readTemplate, type Template } from './template/template.ts';
import { viewOf } from './template/view.ts';

/** Headers and body of one HTTP request. Each text stays a `Secret` until it is sent. */
export interface RequestValues {
  readonly kind: 'request';
  readonly headers: ReadonlyMap<string, Secret>;
  readonly body?: Secret;
}

export type RenderedRequest = RequestValues | { readonly kind: 'failed'; readonly why: Failure };

/** Renders headers and body of one HTTP request. Their templates are parsed and checked once, when it is made. */
export interface RequestRenderer {
  /** Names of the secrets that headers and body use. */
  readonly wants: ReadonlySet<string>;
  /** Every place where a field of a secret is named, by the configuration path of the header or the body. */
  readonly uses: readonly (readonly [place: string, use: FieldUse])[];
  /** Pure, and never throws: a fault is `failed`. */
  render(snapshot: Snapshot): RenderedRequest;
}

/**
 * Parses the templates of a request; needs no value. Computed paths are refused, since a reload fetches nothing.
 * @throws ProblemsError with everything that is wrong in any of its templates.
 */
export async function createRequestRenderer(
  { headers, body, place }: HttpReloadConfig,
  known: KnownNames,
): Promise<RequestRenderer> {
  const problems: Failure[] = [];
  const headerParts = new Map<string, RequestPart>();
  for (const [name, text] of headers) headerParts.set(name, await readPart(`${place}.http.headers.${name}`, text));
  const bodyPart = body === undefined ? undefined : await readPart(`${place}.http.body`, body);
  if (problems.length > 0) throw new ProblemsError(problems);
  const parts = [...headerParts.values(), ...(bodyPart === undefined ? [] : [bodyPart])];
  const uses = parts.flatMap(({ place, template }) => template.uses.map((use) => [place, use] as const));

  return {
    wants: new Set(uses.map(([, { secret }]) => secret)),
    uses,
    render(snapshot) {
      const view = viewOf(snapshot);
      let partPlace = place;
      const renderPart = (part: RequestPart) => {
        partPlace = part.place;
        return Secret.bytes(part.template.render(view));
      };
      try {
        return {
          kind: 'request',
          headers: new Map([...headerParts].map(([name, part]) => [name, renderPart(part)])),
          ...(bodyPart === undefined ? {} : { body: renderPart(bodyPart) }),
        };
      } catch (error) {
        return {
          kind: 'failed',
          why: error instanceof RenderFault ? error.toFailure(partPlace, 'text') : asFailure(error, partPlace),
        };
      }
    },
  };

  async function readPart(at: string, text: string): Promise<RequestPart> {
    const template = await readTemplate(text, known);
    problems.push(...template.problems.map((fault) => fault.toFailure(at, 'text')));
    if (template.asks.length > 0) {
      const hint = 'Name a secret of the configuration.';
      problems.push(failure('TEMPLATE_REFUSED', at, 'a reload cannot ask for a secret by a computed path', { hint }));
    }
    return { place: at, template };
  }
}

/** One header, or the body. */
interface RequestPart {
  readonly place: string;
  readonly template: Template;
}

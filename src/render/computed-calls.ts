import type { ComputedCall } from './render.ts';
import type { SecretCall } from './template/nodes.ts';
import type { Position } from './template/position.ts';

/** A file of an output, with the calls in its template. */
interface AskingFile {
  readonly place: string;
  readonly origin: string;
  readonly asks: readonly SecretCall[];
}

/** What messages call a position in the template of a file. */
type PlaceIn = (place: string, origin: string, at: Position) => string;

/** Where templates ask for secrets by computed paths, as far as that is known without a value. */
export function callsOf(files: readonly AskingFile[], placeIn: PlaceIn): readonly ComputedCall[] {
  return files.flatMap(({ place, origin, asks }) => asks.map((call) => callOf(call, placeIn(place, origin, call.at))));
}

function callOf({ backend, what, requests, path, isLiteral }: SecretCall, place: string): ComputedCall {
  const computed = path.findIndex(({ kind }) => kind !== 'literal');
  const written = path.slice(0, computed === -1 ? path.length : computed);
  const begin = written.map((part) => (part.kind === 'literal' ? part.value.exposeText('file') : '')).join('');
  return { backend, what, requests, begin, isWhole: isLiteral, place };
}

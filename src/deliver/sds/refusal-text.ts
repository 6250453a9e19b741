import type { SecretBody } from './secret-message.ts';

/** A longer text is cut. */
const MAX_LENGTH = 300;

/** A shorter value would be found by chance. */
const MIN_VALUE_LENGTH = 4;

/**
 * The words of a client for a log: on one line, not too long, and without the values that it was sent, should it repeat
 * one of them.
 */
export function refusalText(message: string, bodies: readonly SecretBody[]): string {
  let text = message;
  for (const value of bodies.flatMap(valuesOf)) {
    const secret = Buffer.from(value).toString('utf8').trim();
    if (secret.length >= MIN_VALUE_LENGTH) text = text.replaceAll(secret, '[secret]');
  }
  const [shown = ''] = text.split('-----BEGIN');
  const line = shown.replace(/[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu, ' ').trim();
  return line.length > MAX_LENGTH ? `${line.slice(0, MAX_LENGTH)}…` : line;
}

function valuesOf(body: SecretBody): readonly Uint8Array[] {
  if (body.kind === 'generic') return [body.secret];
  return body.kind === 'generic-map' ? [...body.secrets.values()] : [];
}

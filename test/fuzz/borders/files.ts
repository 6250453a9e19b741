import { inspect } from 'node:util';
import * as fc from 'fast-check';
import { type FileKind, parseFile } from '../../../src/backend/file/parse.ts';
import { type Border, CANARY } from '../border.ts';
import { damaged, json, nasty } from '../inputs.ts';

const NAMES = ['app', 'db', 'password', 'user', '__proto__'];

const YAML = `app: &a { password: "${CANARY}", user: u }
db:
  - *a
  - !!binary ${Buffer.from(CANARY).toString('base64')}
  - |
    ${CANARY}
    x
`;
const DOTENV = `# comment
export A=${CANARY} # more
B="${CANARY}\\n"
C='${CANARY}'
`;

/** Files of the backend of kind file, as an editor or an attacker leaves them. */
export const secretFiles: Border<{ readonly kind: FileKind; readonly bytes: Buffer }> = {
  name: 'files with secrets',
  share: 14_000,
  async open() {
    const texts: Readonly<Record<FileKind, fc.Arbitrary<string>>> = {
      json: json(NAMES).map((one) => JSON.stringify(one) ?? ''),
      yaml: fc.oneof(
        fc.constant(YAML),
        json(NAMES).map((one) => JSON.stringify(one) ?? ''),
        fc.array(nasty, { maxLength: 12 }).map((lines) => lines.join('\n')),
      ),
      dotenv: fc.oneof(
        fc.constant(DOTENV),
        fc
          .array(fc.tuple(fc.constantFrom('A', 'B', 'export C'), nasty), { maxLength: 6 })
          .map((lines) => lines.map(([name, text]) => `${name}=${text}`).join('\n')),
      ),
    };
    return {
      inputs: fc
        .constantFrom<FileKind>('json', 'yaml', 'dotenv')
        .chain((kind) => fc.record({ kind: fc.constant(kind), bytes: damaged(texts[kind]) })),
      async feed({ kind, bytes }) {
        const value = await parseFile(kind, bytes, '/secrets', 'secrets.app.key');
        // Names may be shown, and damage makes names of values: values are looked at alone.
        return [
          inspect(
            [...value.values()].filter((one) => !(one instanceof Map)),
            { depth: 0 },
          ),
        ];
      },
      async [Symbol.asyncDispose]() {},
    };
  },
};

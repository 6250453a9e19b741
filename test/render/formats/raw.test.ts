import { describe, expect, it } from 'vitest';
import { Secret } from '../../../src/base/secret.ts';
import { bytesOf, failureOf, fieldsOf, format } from '../render.helpers.ts';

const secrets = {
  app: fieldsOf({
    key: Secret.bytes(Uint8Array.of(0, 0xff, 0x0a)),
    text: Secret.text('é\r\n{{x}}'),
    empty: Secret.text(''),
    n: Secret.number('1.10'),
    nil: Secret.null(),
    half: Secret.text('\ud800'),
    list: [Secret.text('a')],
  }),
  opt: 'optional and absent' as const,
};

describe('format raw', () => {
  it('writes the exact bytes of one field and nothing more', async () => {
    expect(await bytesOf(format('raw', 'app.key'), secrets)).toEqual(Buffer.of(0, 0xff, 0x0a));
    expect((await bytesOf(format('raw', 'app.text'), secrets)).toString()).toBe('é\r\n{{x}}');
    expect((await bytesOf(format('raw', 'app.n'), secrets)).toString()).toBe('1.10');
    expect((await bytesOf(format('raw', 'app.empty'), secrets)).length).toBe(0);
    expect((await bytesOf(format('raw', 'app.list.0'), secrets)).toString()).toBe('a');
  });

  const refused: readonly (readonly [from: string, code: string, seen: string])[] = [
    ['app', 'RENDER_NOT_TEXT', 'app is a map'],
    ['app.list', 'RENDER_NOT_TEXT', 'app.list is a list'],
    ['app.nil', 'RENDER_NOT_TEXT', 'app.nil is null'],
    ['app.half', 'RENDER_NOT_TEXT', 'app.half holds half a surrogate pair, which UTF-8 cannot carry'],
    ['app.nope', 'RENDER_MISSING_FIELD', 'app.nope is missing: app has no such field'],
    ['opt.x', 'RENDER_MISSING_FIELD', 'opt.x is missing: the optional secret opt is absent'],
  ];
  it.each(refused)('from %s is %s', async (from, code, seen) => {
    expect(await failureOf(format('raw', from), secrets)).toMatchObject({ code, seen });
  });
});

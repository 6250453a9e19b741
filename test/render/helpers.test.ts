import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/base/secret.ts';
import { argumentCount, HELPERS } from '../../src/render/helpers/index.ts';
import { bytesOf, failureOf, fieldsOf, textOf } from './setup.ts';

const app =
  '{"text":" Ünï \\n","n":9007199254740993,"f":1.10,"on":true,"nil":null,"list":["a",1,false],"mixed":["a",["b"]],' +
  '"map":{"k":[1.0,{"x":null}],"e":{},"l":[]},"quote":"a\\"b\\u2028","half":"\\ud800","b64":"aGk","bin":"/w==","url":"_-8","pad":"aGk=\\n"}';
const bytes = fieldsOf({
  raw: Secret.bytes(Uint8Array.of(0xff, 0x00)),
  key: Secret.bytes(Buffer.from('AP8B', 'base64')),
});
const secrets = { app, bytes, opt: 'optional and absent' as const };

describe('helpers', () => {
  const given: readonly (readonly [template: string, text: string])[] = [
    ['[{{trim app.text}}] [{{trim app.n}}]', '[Ünï] [9007199254740993]'],
    ['{{upper "straße"}} {{upper app.on}}', 'STRASSE TRUE'],
    ['{{lower "ÀB"}} {{lower (upper "x")}}', 'àb x'],
    ['{{indent 2 "a\n\nb\n"}}|{{indent 0 "a"}}|{{indent "1" "a\r\nb"}}', '  a\n\n  b\n|a| a\r\n b'],
    ['{{join app.list ","}} {{join app.list ""}}', 'a,1,false a1false'],
    ['{{urlencode "a b/c?d=e&f\'(g)*!~é"}}', 'a%20b%2Fc%3Fd%3De%26f%27%28g%29%2A%21~%C3%A9'],
    ['{{base64encode "é"}} {{base64encode app.n}} {{base64encode bytes.raw}}', 'w6k= OTAwNzE5OTI1NDc0MDk5Mw== /wA='],
    ['{{base64decode app.b64}}{{base64decode app.pad}}{{base64decode "w6k="}}{{base64decode ""}}', 'hihié'],
    ['{{base64encode (base64decode app.bin)}} {{base64encode (base64decode app.url)}}', '/w== /+8='],
    ['{{json app.map}}', '{"k":[1.0,{"x":null}],"e":{},"l":[]}'],
    ['{{json app.n}} {{json app.f}} {{json app.on}} {{json app.nil}}', '9007199254740993 1.10 true null'],
    ['{{json app.quote}} {{json app.half}} {{json bytes.raw}}', '"a\\"b\u2028" "\\ud800" "/wA="'],
    ['{{json app.list indent=2}}', '[\n  "a",\n  1,\n  false\n]'],
    ['{{json app.map indent=1}}', '{\n "k": [\n  1.0,\n  {\n   "x": null\n  }\n ],\n "e": {},\n "l": []\n}'],
    ['{{json "a<b>&"}} {{json 5}}', '"a<b>&" 5'],
    ['{{default app.text "x"}}|{{default app.nil "x"}}|{{default "" "x"}}|{{default app.none "x"}}', ' Ünï \n|x|x|x'],
    ['{{default opt.deep.er app.n}} {{default 0 12345678901234567890}}', '9007199254740993 12345678901234567890'],
    ['{{default app.b64 (upper app.nil)}}', 'aGk'],
    [
      '{{lookup app "b64"}} {{lookup app.list 1}} {{lookup (lookup app "map") "k"}}'
        .replace(' {{lookup (lookup', ' {{json (lookup (lookup')
        .replace('"k"}}', '"k")}}'),
      'aGk 1 [1.0,{"x":null}]',
    ],
    ['{{#each app.list}}{{lookup ../app.list @index}}{{/each}}', 'a1false'],
  ];
  it.each(given)('%j', async (template, text) => {
    expect(await textOf(template, secrets)).toBe(text);
  });

  const refused: readonly (readonly [template: string, seen: string])[] = [
    ['{{upper app.nil}}', 'upper wants text, not null'],
    ['{{trim app.list}}', 'trim wants text, not a list'],
    ['{{lower app}}', 'lower wants text, not a map'],
    ['{{urlencode bytes.raw}}', 'urlencode wants text, not bytes that are not UTF-8'],
    ['{{urlencode app.half}}', 'urlencode wants text without half a surrogate pair'],
    ['{{indent "x" app.text}}', 'indent wants for SPACES a whole number from 0 to 1000'],
    ['{{indent -1 app.text}}', 'indent wants for SPACES a whole number from 0 to 1000'],
    ['{{indent 1001 app.text}}', 'indent wants for SPACES a whole number from 0 to 1000'],
    ['{{indent 1.5 app.text}}', 'indent wants for SPACES a whole number from 0 to 1000'],
    ['{{join app.text ","}}', 'join wants a list first, not a string'],
    ['{{join app.map ","}}', 'join wants a list first, not a map'],
    ['{{join app.mixed ","}}', 'join wants text, not a list'],
    ['{{json app indent="wide"}}', 'json wants for indent a whole number from 0 to 10'],
    ['{{base64encode app.map}}', 'base64encode wants text, not a map'],
    ['{{base64decode "a"}}', 'base64decode wants base64'],
    ['{{base64decode "a*=="}}', 'base64decode wants base64'],
    ['{{base64decode "+_aa"}}', 'base64decode wants base64'],
    ['{{lookup app app.map}}', 'lookup wants text, not a map'],
  ];
  it.each(refused)('%j is refused, naming the helper', async (template, seen) => {
    expect(await failureOf(`x${template}`, secrets)).toMatchObject({
      code: 'RENDER_BAD_ARGUMENT',
      place: 'outputs.shop.files["f"], content:1:2',
      seen,
    });
  });

  it('is all of the template or nothing, when base64decode gives bytes', async () => {
    expect(await bytesOf('{{base64decode app.bin}}', secrets)).toEqual(Buffer.of(0xff));
    expect(await bytesOf('{{base64decode app.bin~}}\n', secrets)).toEqual(Buffer.of(0xff));
    expect(await bytesOf('{{base64decode "77u/aGk="}}', secrets)).toEqual(Buffer.from('\ufeffhi'));
    for (const template of ['{{base64decode app.bin}}\n', '{{base64decode app.bin}}{{app.n}}', '{{bytes.key}}']) {
      expect((await failureOf(template, secrets)).code).toBe('RENDER_NOT_TEXT');
    }
  });

  it('have as many arguments as their usage shows', () => {
    const counts = [...HELPERS].map(([name, helper]) => `${name} ${argumentCount(helper)}`);
    expect(counts).toEqual([
      'default 2',
      'json 1',
      'base64encode 1',
      'base64decode 1',
      'trim 1',
      'upper 1',
      'lower 1',
      'indent 2',
      'join 2',
      'urlencode 1',
      'lookup 2',
    ]);
  });
});

describe('a value without one obvious text', () => {
  const noText: readonly (readonly [template: string, seen: string, hint: string])[] = [
    ['{{app}}', 'app is a map', 'Write {{json app}}'],
    ['{{app.map}}', 'app.map is a map', 'Write {{json app.map}}'],
    ['{{{app.list}}}', 'app.list is a list', 'Write {{json app.list}}'],
    ['{{lookup app "map"}}', '(lookup …) is a map', '{{json'],
    ['{{app.nil}}', 'app.nil is null', 'Write {{json app.nil}}'],
    ['{{default app.none null}}', '(default …) is null', '{{json'],
    ['{{bytes.raw}}', 'bytes.raw holds bytes that are not UTF-8', 'Write {{base64encode bytes.raw}}'],
    ['{{app.half}}', 'app.half holds half a surrogate pair, which UTF-8 cannot carry', 'Write {{json app.half}}'],
    ['{{#each app.mixed}}{{this}}{{/each}}', 'this is a list', 'Write {{json this}}'],
  ];
  it.each(noText)('%s fails, and the hint helps', async (template, seen, hint) => {
    const found = await failureOf(template, secrets);
    expect(found).toMatchObject({ code: 'RENDER_NOT_TEXT', seen });
    expect(found.hint).toContain(hint);
  });
});

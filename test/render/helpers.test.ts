import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/base/secret.ts';
import { bytesOf, failureOf, fieldsOf, textOf } from './render.helpers.ts';

const app =
  '{"text":" Ünï \\n","n":9007199254740993,"f":1.10,"on":true,"nil":null,"list":["a",1,false],"mixed":["a",["b"]],' +
  '"map":{"k":[1.0,{"x":null}],"e":{},"l":[]},"quote":"a\\"b\\u2028","half":"\\ud800","b64":"aGk","bin":"/w==","url":"_-8","pad":"aGk=\\n",' +
  '"words":["a","B","é","10","9","😀","ｆ"],"numbers":[10,2,9007199254740993,9007199254740992,-1.5,1e300],' +
  '"flat":{"a":"x","b":1.10,"c":true,"d":null,"e":[1,{"y":2}]},"lines":{"a":"x\\ny"},"eq":{"a=b":1}}';
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
    [
      '{{yaml app.map}}|{{yaml app.text}}|{{yaml app.n}}',
      'k:\n  - 1.0\n  - x: null\ne: {}\nl: []|" Ünï \\n"|9007199254740993',
    ],
    ['a:\n{{indent 2 (yaml app.map)}}', 'a:\n  k:\n    - 1.0\n    - x: null\n  e: {}\n  l: []'],
    ['{{json (split "a,,b," ",")}}{{json (split "" ",")}}{{json (split "a" "ab")}}', '["a","","b",""][]["a"]'],
    [
      '{{replace "a.b.c" "." "$&$1"}} {{replace "aaa" "aa" ""}} {{replace app.n 9 "x"}}',
      'a$&$1b$&$1c a x0071xx254740xx3',
    ],
    ['{{concat "a" app.n app.on}} {{concat app.b64}}', 'a9007199254740993true aGk'],
    ['{{match app.b64 "[aGk]{3}|x"}}{{match "" "x?"}}{{match "\n" "[^]"}}{{match app.f "1.+"}}', 'aGk\n1.10'],
    ['{{first app.list}} {{last app.list}} {{default (first app.map.l) "none"}}', 'a false none'],
    [
      '{{json (sort app.words)}} {{json (sort app.numbers)}}',
      '["10","9","B","a","é","ｆ","😀"] [-1.5,2,10,9007199254740992,9007199254740993,1e300]',
    ],
    ['{{json (sort app.list)}} {{json (sort app.map)}}', '[1,"a",false] {"e":{},"k":[1.0,{"x":null}],"l":[]}'],
    ['{{sha256 ""}}', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    [
      '{{sha256 "é" encoding="base64"}} {{sha256 bytes.raw}}',
      'SplVfkAzw1Od4utlRyAXytX5VX96BiWgnxw/biumnEw= ea5dbf9596d187e9500f23e9a680109475341cf4e81f7e043f7d97152c10772f',
    ],
    // RFC 4231, test case 2
    [
      '{{hmac "Jefe" "what do ya want for nothing?"}}',
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    ],
    ['{{hmac bytes.raw bytes.raw encoding="hex"}}', '8ae53a890eaaf6adf6224373c1370fbe12ff214110d0a7226d4d141239e65217'],
    [
      '{{date 0 "rfc3339"}} {{date "0" "unix"}} {{date 1893456000.75 "unixms"}}',
      '1970-01-01T00:00:00Z 0 1893456000750',
    ],
    ['{{date "2030-01-31" "unix"}} {{date "2030-01-31 01:02:03-02:30" "rfc3339"}}', '1896048000 2030-01-31T03:32:03Z'],
    ['{{date "2030-01-31T12:00:00.123456789z" "unixms"}}', '1896091200123'],
    ['{{date "2030-01-31T12:00:00Z" "http"}} {{date -1 "compact"}}', 'Thu, 31 Jan 2030 12:00:00 GMT 19691231T235959Z'],
    ['{{date (date "2024-02-29" "unix") "date"}} {{date -62167219200 "date"}}', '2024-02-29 0000-01-01'],
    ['{{toKeyValue app.flat}}', 'a=x\nb=1.10\nc=true\nd=\ne=[1,{"y":2}]'],
    ['{{toKeyValue app.flat separator=": " between="; "}}', 'a: x; b: 1.10; c: true; d: ; e: [1,{"y":2}]'],
    ['[{{toKeyValue app.map.e}}]', '[]'],
    [
      '{{quote "json" app.n}} {{quote "shell" app.on}} {{quote "sql" app.quote}}',
      "\"9007199254740993\" 'true' 'a\"b\u2028'",
    ],
  ];
  it.each(given)('%j', async (template, text) => {
    expect(await textOf(template, secrets)).toBe(text);
  });

  const refused: readonly (readonly [template: string, seen: string])[] = [
    ['{{upper app.nil}}', 'upper takes text, not null'],
    ['{{trim app.list}}', 'trim takes text, not a list'],
    ['{{lower app}}', 'lower takes text, not a map'],
    ['{{urlencode bytes.raw}}', 'urlencode takes text, not bytes that are not UTF-8'],
    ['{{urlencode app.half}}', 'urlencode takes text without half a surrogate pair'],
    ['{{indent app.b64 app.text}}', 'indent takes a whole number from 0 to 1000 as SPACES'],
    ['{{indent app.f app.text}}', 'indent takes a whole number from 0 to 1000 as SPACES'],
    ['{{indent app.n app.text}}', 'indent takes a whole number from 0 to 1000 as SPACES'],
    ['{{join app.text ","}}', 'join takes a list as its first argument, not a string'],
    ['{{join app.map ","}}', 'join takes a list as its first argument, not a map'],
    ['{{join app.mixed ","}}', 'join takes text, not a list'],
    ['{{json app indent=app.text}}', 'json takes a whole number from 0 to 10 as indent'],
    ['{{base64encode app.map}}', 'base64encode takes text, not a map'],
    ['{{base64decode "a"}}', 'base64decode takes base64'],
    ['{{base64decode "a*=="}}', 'base64decode takes base64'],
    ['{{base64decode "+_aa"}}', 'base64decode takes base64'],
    ['{{lookup app app.map}}', 'lookup takes text, not a map'],
    ['{{split app.list ","}}', 'split takes text, not a list'],
    ['{{split app.text app.map}}', 'split takes text, not a map'],
    ['{{replace app.text (trim " ") "x"}}', 'replace takes a text that is not empty as OLD'],
    ['{{first app.text}}', 'first takes a list as its first argument, not a string'],
    ['{{sort app.text}}', 'sort takes a list or a map, not a string'],
    ['{{sort app.mixed}}', 'sort takes text, not a list'],
    ['{{sha256 app.map}}', 'sha256 takes text, not a map'],
    ['{{sha256 app.half}}', 'sha256 takes text without half a surrogate pair'],
    ['{{sha256 app.text encoding=app.text}}', 'sha256 takes one of hex, base64 as encoding'],
    ['{{hmac app.nil app.text}}', 'hmac takes text, not null'],
    ['{{date app.text "unix"}}', 'date takes RFC 3339 text with a zone, a date, or seconds since 1970 as TIME'],
    ['{{date app.n "unix"}}', 'date takes seconds since 1970, within the years 0 to 9999, as TIME'],
    ['{{date app.f app.text}}', 'date takes one of rfc3339, date, compact, http, unix, unixms as FORMAT'],
    ['{{toKeyValue app.list}}', 'toKeyValue takes a map, not a list'],
    ['{{toKeyValue app.lines}}', 'toKeyValue takes names and values without the text between two lines in them'],
    ['{{toKeyValue app.eq}}', 'toKeyValue takes names without the separator in them'],
    ['{{concat app.b64 app.list}}', 'concat takes text, not a list'],
    ['{{match app.text "[a-z ]+"}}', 'match got a text that does not match its pattern'],
    ['{{match "a\n" "a"}}', 'match got a text that does not match its pattern'],
    ['{{match app.map "a"}}', 'match takes text, not a map'],
    ['{{match "a" (concat "(" app.b64)}}', 'match takes a regular expression as PATTERN'],
    ['{{quote "shell" app.map}}', 'quote takes text, not a map'],
    ['{{quote "xml" app.half}}', 'quote cannot write this text for xml'],
  ];
  it.each(refused)('%j is refused, and the message names the helper and its arguments', async (template, seen) => {
    const given = [...new Set(template.match(/\b(?:app|bytes)(?:\.\w+)?/g))];
    expect(await failureOf(`x${template}`, secrets)).toMatchObject({
      code: 'RENDER_BAD_ARGUMENT',
      place: 'outputs.shop.files["f"], content:1:2',
      seen: given.length === 0 ? seen : `${seen}; it was given ${given.join(', ')}`,
    });
  });

  const badTimes = [
    '2030-02-30',
    '2030-13-01',
    '2030-01-31T25:00:00Z',
    '2030-01-31T12:00:00',
    '2030-01-31T12:00Z',
    'now',
    '',
    '1e9',
    '-62167219201',
    '253402300800',
    '1893456000000',
  ];
  it.each(badTimes)('date refuses %j', async (time) => {
    const given = { s: fieldsOf({ t: Secret.text(time) }) };
    expect((await failureOf('{{date s.t "unix"}}', given)).code).toBe('RENDER_BAD_ARGUMENT');
  });

  it('that find nothing give a missing value', async () => {
    expect(await failureOf('{{first app.map.l}}', secrets)).toMatchObject({
      code: 'RENDER_MISSING_FIELD',
      seen: 'first finds nothing in app.map.l',
    });
  });

  it('base64decode gives bytes only when the call is the whole template', async () => {
    expect(await bytesOf('{{base64decode app.bin}}', secrets)).toEqual(Buffer.of(0xff));
    expect(await bytesOf('{{base64decode app.bin~}}\n', secrets)).toEqual(Buffer.of(0xff));
    expect(await bytesOf('{{base64decode "77u/aGk="}}', secrets)).toEqual(Buffer.from('\ufeffhi'));
    for (const template of ['{{base64decode app.bin}}\n', '{{base64decode app.bin}}{{app.n}}', '{{bytes.key}}']) {
      expect((await failureOf(template, secrets)).code).toBe('RENDER_NOT_TEXT');
    }
  });
});

describe('an argument that a helper cannot take', () => {
  const given = {
    app: '{"a-b":"1","list":[{"x":"(1"}],"conn":{"host":"h h"},"pair":"hunter2=x"}',
  };
  const cases: readonly (readonly [template: string, name: string])[] = [
    ['{{#each app}}{{match @key "[A-Z]+"}}{{/each}}', '@key of app.a-b'],
    ['{{#each app}}{{match this "[A-Z]+"}}{{/each}}', 'app.a-b'],
    ['{{#each app as |value name|}}{{match value "[A-Z]+"}}{{/each}}', 'app.a-b'],
    ['{{#each app.list}}{{match x "[0-9]+"}}{{/each}}', 'app.list.[0].x'],
    ['{{#with app.conn}}{{match host "[a-z]+"}}{{/with}}', 'app.conn.host'],
    ['{{#with app}}{{#each list}}{{#each this}}{{match this "[0-9]+"}}{{/each}}{{/each}}{{/with}}', 'app.list.[0].x'],
    ['{{#with app.conn}}{{#each @root.app.list}}{{match ../host "[a-z]+"}}{{/each}}{{/with}}', 'app.conn.host'],
    ['{{match (concat app.pair app.a-b) "x"}}', 'app.pair, app.a-b'],
  ];
  it.each(cases)('in %s is named by its field', async (template, name) => {
    expect((await failureOf(template, given)).seen).toBe(
      `match got a text that does not match its pattern; it was given ${name}`,
    );
  });

  it('is not named by a key that a helper made of a value', async () => {
    for (const word of ['@key', 'this']) {
      const why = await failureOf(`{{#each (split app.pair "=")}}{{match ${word} "z+"}}{{/each}}`, given);
      expect(JSON.stringify(why)).not.toContain('hunter2');
    }
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
    ['{{#each app.mixed}}{{this}}{{/each}}', 'app.mixed.[1] is a list', 'Write {{json this}}'],
  ];
  it.each(noText)('%s fails, and the hint says what to write', async (template, seen, hint) => {
    const found = await failureOf(template, secrets);
    expect(found).toMatchObject({ code: 'RENDER_NOT_TEXT', seen });
    expect(found.hint).toContain(hint);
  });
});

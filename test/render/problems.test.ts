import { describe, expect, it } from 'vitest';
import { createRenderer } from '../../src/render/renderer.ts';
import { codesOf, failureOf, format, outputOf, problemsOf } from './render.helpers.ts';

describe('what is wrong with a template', () => {
  const wrong: readonly (readonly [template: string, ...codes: string[]])[] = [
    // names
    ['{{foo}}', 'TEMPLATE_UNKNOWN_NAME 1:3'],
    ['a\n{{#if app.x}}\n  {{foo.bar}}{{/if}}', 'TEMPLATE_UNKNOWN_NAME 3:5'],
    ['{{@index}}', 'TEMPLATE_UNKNOWN_NAME 1:3'],
    ['{{#with app}}{{@key}}{{/with}}', 'TEMPLATE_UNKNOWN_NAME 1:16'],
    ['{{#each app}}{{@../index}}{{/each}}', 'TEMPLATE_UNKNOWN_NAME 1:16'],
    ['{{#each app}}{{@idx}} {{@index.x}}{{/each}}', 'TEMPLATE_UNKNOWN_NAME 1:16', 'TEMPLATE_UNKNOWN_NAME 1:25'],
    ['{{../app.x}}', 'TEMPLATE_UNKNOWN_NAME 1:3'],
    ['{{#each app}}{{../../db.x}}{{/each}}', 'TEMPLATE_UNKNOWN_NAME 1:16'],
    ['{{#each app as |db|}}{{/each}}{{#each db as |x|}}{{/each}}{{x.y}}', 'TEMPLATE_UNKNOWN_NAME 1:61'],
    // helpers
    ['{{uper app.x}}', 'TEMPLATE_UNKNOWN_HELPER 1:1'],
    ['{{app.x "a"}}', 'TEMPLATE_UNKNOWN_HELPER 1:1'],
    ['{{db a=1}}', 'TEMPLATE_UNKNOWN_HELPER 1:1'],
    ['{{upper (nope app.x)}}', 'TEMPLATE_UNKNOWN_HELPER 1:9'],
    ['{{upper (app.x)}}', 'TEMPLATE_UNKNOWN_HELPER 1:9'],
    ['{{log app.x}}', 'TEMPLATE_UNKNOWN_HELPER 1:1'],
    [
      '{{helperMissing app.x}}{{blockHelperMissing app.x}}',
      'TEMPLATE_UNKNOWN_HELPER 1:1',
      'TEMPLATE_UNKNOWN_HELPER 1:24',
    ],
    ['{{constructor app.x}}{{__proto__ app.x}}', 'TEMPLATE_UNKNOWN_HELPER 1:1', 'TEMPLATE_UNKNOWN_HELPER 1:22'],
    ['{{if app.x}}', 'TEMPLATE_UNKNOWN_HELPER 1:1'],
    ['{{#each app as |upper|}}{{upper "x"}}{{/each}}', 'TEMPLATE_UNKNOWN_HELPER 1:25'],
    ['{{#app}}x{{/app}}', 'TEMPLATE_UNKNOWN_HELPER 1:1'],
    ['{{^app}}x{{/app}}', 'TEMPLATE_UNKNOWN_HELPER 1:1'],
    ['{{#upper app.x}}x{{/upper}}', 'TEMPLATE_UNKNOWN_HELPER 1:1'],
    ['{{#raw}}x{{/raw}}', 'TEMPLATE_UNKNOWN_HELPER 1:1'],
    ['{{#if app.x}}a{{else eech app.y}}b{{/if}}', 'TEMPLATE_UNKNOWN_HELPER 1:15'],
    // calls
    ['{{upper}}', 'TEMPLATE_BAD_ARGUMENT 1:1'],
    ['{{upper app.x app.y}}', 'TEMPLATE_BAD_ARGUMENT 1:1'],
    ['{{json app ident=2}}', 'TEMPLATE_BAD_ARGUMENT 1:1'],
    ['{{upper app.x a=1}}', 'TEMPLATE_BAD_ARGUMENT 1:1'],
    ['{{pem}}{{replace app.x "a"}}{{x509 app.x}}', ...[1, 8, 29].map((at) => `TEMPLATE_BAD_ARGUMENT 1:${at}`)],
    ['{{indent "x" app.x}}', 'TEMPLATE_BAD_ARGUMENT 1:1'],
    ['{{indent -1 app.x}}', 'TEMPLATE_BAD_ARGUMENT 1:1'],
    ['{{indent 1001 app.x}}', 'TEMPLATE_BAD_ARGUMENT 1:1'],
    ['{{indent 1.5 app.x}}', 'TEMPLATE_BAD_ARGUMENT 1:1'],
    ['{{json app indent="wide"}}', 'TEMPLATE_BAD_ARGUMENT 1:1'],
    ['{{split app.x ""}}', 'TEMPLATE_BAD_ARGUMENT 1:1'],
    ['{{replace app.x "" "a"}}', 'TEMPLATE_BAD_ARGUMENT 1:1'],
    ['{{sha256 app.x encoding="bas64"}}', 'TEMPLATE_BAD_ARGUMENT 1:1'],
    ['{{hmac app.x app.y encoding=null}}', 'TEMPLATE_BAD_ARGUMENT 1:1'],
    ['{{date app.x "iso"}}', 'TEMPLATE_BAD_ARGUMENT 1:1'],
    ['{{date "today" "unix"}}', 'TEMPLATE_BAD_ARGUMENT 1:1'],
    ['{{x509 app.x "expiry"}}', 'TEMPLATE_BAD_ARGUMENT 1:1'],
    ['{{upper (quote "bash" app.x)}}', 'TEMPLATE_BAD_ARGUMENT 1:9'],
    ['{{toKeyValue app separator=""}}', 'TEMPLATE_BAD_ARGUMENT 1:1'],
    ['{{pem app.x app.y app.z}}{{date app.x app.y}}{{quote app.x "a"}}'],
    ['{{#if}}{{/if}}', 'TEMPLATE_BAD_ARGUMENT 1:1'],
    ['{{#if app.x app.y}}{{/if}}', 'TEMPLATE_BAD_ARGUMENT 1:1'],
    ['{{#if app.x includeZero=true}}{{/if}}', 'TEMPLATE_BAD_ARGUMENT 1:1'],
    ['{{#if app.x as |y|}}{{/if}}', 'TEMPLATE_SYNTAX 1:1'],
    ['{{#each app as |x y z|}}{{/each}}', 'TEMPLATE_SYNTAX 1:1'],
    ['{{"text"}} {{12}} {{true}} {{null}}', ...[1, 12, 19, 28].map((at) => `TEMPLATE_SYNTAX 1:${at}`)],
    // refused
    ['{{> part}}', 'TEMPLATE_REFUSED 1:1'],
    ['{{> (lookup app "x")}}', 'TEMPLATE_REFUSED 1:1'],
    ['{{#> part}}x{{/part}}', 'TEMPLATE_REFUSED 1:1'],
    ['{{#*inline "a"}}{{> a}}{{/inline}}', 'TEMPLATE_REFUSED 1:1'],
    ['{{* deco}}', 'TEMPLATE_REFUSED 1:1'],
    // several at once
    [
      '{{foo}}\n{{uper app.x}}\n{{> p}}',
      'TEMPLATE_UNKNOWN_NAME 1:3',
      'TEMPLATE_UNKNOWN_HELPER 2:1',
      'TEMPLATE_REFUSED 3:1',
    ],
  ];
  it.each(wrong)('%j is found without any value', async (template, ...codes) => {
    expect(await codesOf(template)).toEqual(codes);
  });

  const syntax: readonly (readonly [template: string, at: string, seen: string])[] = [
    ['a\n {{app.x', '2:8', 'a character cannot stand here, or {{ has no }}'],
    ['{{#if app.x}}\nfoo\n', '3:1', 'a block is opened and not closed'],
    ['{{#if app.x}}{{/each}}', '1:4', 'the block opened here is closed under another name'],
    ['x\n  {{app.0}}', '2:9', 'a number after a dot is written .[0]'],
    ['{{}}', '1:3', 'the braces close before the expression is complete'],
    ['{{else}}', '1:1', '{{else}} stands outside of a block'],
    ['{{/if}}', '1:1', 'a block is closed that was not opened'],
    ['{{{app.x}} more', '1:9', 'the opening and the closing braces differ in number'],
    ['{{app.x}}}', '1:8', 'the opening and the closing braces differ in number'],
    ['{{json a=}}', '1:10', 'the braces close before the expression is complete'],
    ['{{"abc}} x', '1:3', 'a character cannot stand here, or {{ has no }}'],
    ['{{(upper app.x)}}', '1:3', 'a parenthesis is out of place'],
    ['{{app.this}}', '1:3', 'this, . and .. stand only where a path begins'],
  ];
  it.each(syntax)('%j does not parse, and the message is not the parser’s', async (template, at, seen) => {
    const [problem, ...more] = await problemsOf(template, ['app']);
    expect(more).toEqual([]);
    expect(problem).toMatchObject({ code: 'TEMPLATE_SYNTAX', seen, place: `outputs.shop.files["f"], content:${at}` });
  });

  it('names the nearest helper and the nearest secret', async () => {
    const problems = await problemsOf('{{base64 app.x}}{{upcase app.x}}{{uper ap.x}}{{#eech app}}{{/eech}}', ['app']);
    expect(problems.map(({ seen }) => seen)).toEqual([
      'there is no helper named "base64"',
      'there is no helper named "upcase"',
      'there is no helper named "uper"; did you mean "upper"?',
      'there is no secret named "ap"; did you mean "app"?',
      'there is no block named "eech"; did you mean "each"?',
    ]);
    expect(problems[0]?.hint).toContain('docs/templates.md');
  });

  it.each([
    ['{{ .app.env }}', 'without a dot'],
    ['{{ if eq app.x "a" }}y{{ end }}', '{{#if …}}'],
    ['{{#if app.x}}y{{ end }}', '{{/if}}'],
    ['{{ env "X" }}', 'values: { x: "${env:X}" }'],
    ['{{- app.x -}}', '{{~ … ~}}'],
    ['{{ app.x -}}', '{{~ … ~}}'],
    ['{{ app.x | toUpper }}', 'no pipelines'],
    ['{{/* about */}}', '{{!-- … --}}'],
    ['{{ $x := app.x }}', 'no variables'],
    ['{{ toJSON app }}', 'other names'],
    ['{{ with secret "a/b" }}\n{{ .Data.data.key }}{{ end }}', 'without a dot'],
  ])('%j gets a hint about Go template syntax, with what to write here', async (template, instead) => {
    const hints = (await problemsOf(template, ['app'])).map(({ hint }) => hint);
    expect(hints.filter((hint) => hint.startsWith('This is Go template syntax. '))).toEqual(hints);
    expect(hints.join()).toContain(instead);
    expect(hints.join()).toContain('docs/migrating-from-vault-agent.md');
  });

  it('a field Data, which no secret has, gets a hint about Go template syntax', async () => {
    const { code, hint } = await failureOf('{{app.Data.data.env}}', { app: '{"env":"x"}' });
    expect([code, hint]).toEqual(['RENDER_MISSING_FIELD', expect.stringContaining('Leave .Data and .Data.data out')]);
  });

  it('a fault in the template language of Pannier gets no hint about Go', async () => {
    const own = ['{{uper app.x}}', '{{#each app as |x y z|}}{{/each}}', '{{split ap.x "|"}}', '{{upper "$1 .a"'];
    for (const template of own) {
      for (const { hint } of await problemsOf(template, ['app'])) expect(hint).not.toContain('Go template');
    }
  });

  it('deep nesting is a syntax problem, not an overflow of the stack', async () => {
    const deep = (n: number) => `${'{{#if app.x}}'.repeat(n)}${'{{/if}}'.repeat(n)}`;
    expect(await codesOf(deep(100))).toEqual([]);
    for (const template of [deep(101), `{{upper ${'(upper '.repeat(101)}app.x${')'.repeat(101)}}}`]) {
      expect((await problemsOf(template, ['app'])).map(({ code }) => code)).toEqual(['TEMPLATE_SYNTAX']);
    }
  });

  it('a template with thousands of mistakes tells the first hundred', async () => {
    expect(await codesOf('{{foo app.x}}'.repeat(5000))).toHaveLength(100);
    expect(await codesOf(`{{upper ${'a=b.x '.repeat(5000)}}}`)).toHaveLength(100);
  });

  it.each([
    ['blocks that stay open', '{{#each app}}'.repeat(50_000)],
    ['blocks', `${'{{#with app}}'.repeat(20_000)}${'{{/with}}'.repeat(20_000)}`],
    ['inverse blocks', '{{^app}}'.repeat(50_000)],
    ['branches', `{{#if app}}${'{{else if app}}'.repeat(20_000)}{{/if}}`],
    ['parentheses', `{{upper ${'(upper '.repeat(50_000)}`],
  ])('%s in each other without end are refused by the place of the one too many', async (_, template) => {
    const [problem, ...more] = await problemsOf(template, ['app']);
    expect(problem).toMatchObject({ code: 'TEMPLATE_SYNTAX', seen: expect.stringContaining('more than 100') });
    expect(more).toEqual([]);
  });

  it('the parser stays unchanged for other code in this process', async () => {
    await problemsOf('{{', ['app']);
    const { default: base } = await import('handlebars/dist/cjs/handlebars/compiler/base.js');
    expect(() => base.parse('{{')).toThrow(/^Parse error on line 1/);
  });
});

describe('an output', () => {
  it('tells the problems of all its files at once', async () => {
    const problems = await problemsOf(
      { a: '{{foo}}', b: '{{', c: format('json', 'nope', 'ap'), d: { kind: 'template', path: '/t/gone.hbs' } },
      ['app'],
      async () => Promise.reject(Object.assign(new Error('secret text'), { code: 'ENOENT' })),
    );
    expect(problems.map(({ code, place, seen }) => `${code} ${place}: ${seen}`)).toEqual([
      'TEMPLATE_UNKNOWN_NAME outputs.shop.files["a"], content:1:3: there is no secret named "foo"',
      'TEMPLATE_SYNTAX outputs.shop.files["b"], content:1:3: the template ends inside {{ }}',
      'CONFIG_UNKNOWN_SECRET outputs.shop.files["c"]: there is no secret named "nope"',
      'CONFIG_UNKNOWN_SECRET outputs.shop.files["c"]: there is no secret named "ap"; did you mean "app"?',
      'TEMPLATE_UNREADABLE outputs.shop.files["d"]: /t/gone.hbs cannot be read (ENOENT)',
    ]);
  });

  it('names the template file, line and column', async () => {
    const what = { kind: 'template', path: '/etc/app.conf.hbs' } as const;
    const [problem] = await problemsOf(what, ['app'], async () => Buffer.from('one\ntwo {{uper app.x}}'));
    expect(problem?.place).toBe('outputs.shop.files["f"], /etc/app.conf.hbs:2:5');
  });

  it('refuses a template that is not UTF-8', async () => {
    const what = { kind: 'template', path: '/t' } as const;
    const [problem] = await problemsOf(what, ['app'], async () => Uint8Array.of(0x61, 0xff));
    expect(problem).toMatchObject({ code: 'TEMPLATE_UNREADABLE', seen: '/t is not UTF-8' });
  });

  it('refuses format raw with several sources, and a format without a source', async () => {
    expect((await problemsOf(format('raw', 'app.x', 'app.y'), ['app']))[0]?.code).toBe('CONFIG_INVALID');
    expect((await problemsOf(format('json'), ['app']))[0]?.code).toBe('CONFIG_INVALID');
  });

  it('needs each secret that any of its files names, guarded or not, and no other', async () => {
    const files = {
      a: '{{#if a.x}}{{b.y}}{{/if}}{{#each c as |d|}}{{d}}{{@root.e.z}}{{/each}}',
      f: format('json', 'g', 'h.x'),
    };
    const renderer = await createRenderer(outputOf(files), { secrets: new Set('abcdefghi'), backends: new Map() });
    expect([...renderer.wants].sort()).toEqual(['a', 'b', 'c', 'e', 'g', 'h']);
  });
});

import { describe, expect, it } from 'vitest';
import { convertTemplate } from '../../src/import/template/convert.ts';
import { FUNCTIONS } from '../../src/import/template/functions.ts';
import { printTemplate } from '../../src/import/template/print.ts';
import { toJsPattern, toJsReplacement } from '../../src/import/template/regexp.ts';
import { formOf, HELPER_NAMES, Names, WantedSecrets } from '../../src/import/template/wanted-secrets.ts';
import { HELPERS } from '../../src/render/helpers/index.ts';
import { textOf } from '../render/render.helpers.ts';
import { KNOWN_CT } from './consul-template-functions.ts';

function convert(template: string) {
  const secrets = new WantedSecrets(new Names());
  const made = convertTemplate(template, secrets);
  const requests = Object.fromEntries(secrets.all().map((one) => [one.name, formOf(one).request]));
  return { ...made, text: printTemplate(made.parts), requests };
}

const APP = 'with secret "secret/data/app"';

describe('a converted template', () => {
  it.each([
    ['a field of KV version 2', `{{ ${APP} }}{{ .Data.data.key }}{{ end }}`, '{{app.key}}'],
    [
      'a field of anything else',
      '{{ with secret "database/creds/shop" }}{{ .Data.username }}{{ end }}',
      '{{shop.username}}',
    ],
    ['a field with a dash', `{{ ${APP} }}{{ index .Data.data "pass-word" }}{{ end }}`, '{{app.pass-word}}'],
    ['a field that is a word of the language', `{{ ${APP} }}{{ .Data.data.this }}{{ end }}`, '{{app.[this]}}'],
    [
      'a field with a bracket',
      `{{ ${APP} }}{{ index .Data.data "a]b" "c" }}{{ end }}`,
      '{{lookup (lookup app "a]b") "c"}}',
    ],
    [
      'a pipeline',
      `{{ ${APP} }}{{ .Data.data.key | toUpper | base64Encode }}{{ end }}`,
      '{{base64encode (upper app.key)}}',
    ],
    [
      'a loop',
      `{{ ${APP} }}{{ range $k, $v := .Data.data }}{{ $k }}={{ $v }} {{ end }}{{ end }}`,
      '{{#each app as |v k|}}{{k}}={{v}} {{/each}}',
    ],
    [
      'a secret inside a loop',
      `{{ ${APP} }}{{ range .Data.data.list }}{{ . }}{{ $.x }}{{ end }}{{ end }}`.replace('{{ $.x }}', ''),
      '{{#each app.list as |item|}}{{item}}{{/each}}',
    ],
    [
      'another secret inside a loop',
      `{{ $a := secret "secret/data/app" }}{{ range $a.Data.data.list }}{{ $a.Data.data.key }}{{ end }}`,
      '{{#each app.list as |item|}}{{@root.app.key}}{{/each}}',
    ],
    ['unless', `{{ ${APP} }}{{ if not .Data.data.off }}on{{ end }}{{ end }}`, '{{#unless app.off}}on{{/unless}}'],
    [
      'a variable that changes',
      `{{ $x := "a" }}{{ ${APP} }}{{ if .Data.data.b }}{{ $x = "b" }}{{ end }}{{ end }}{{ $x }}`,
      '{{choose app.b "b" "a"}}',
    ],
    [
      'a computed path',
      '{{ range secrets "secret/metadata/apps/" }}{{ with secret (printf "secret/data/apps/%s" .) }}{{ .Data.data.key }}{{ end }}{{ end }}',
      '{{#each (secrets "secret/apps") as |item|}}{{#with (secret "secret/data/apps/" item) as |it|}}{{it.key}}{{/with}}{{/each}}',
    ],
    [
      'a condition that is known',
      `{{ ${APP} }}{{ if eq "v2" "v1" }}{{ .Data.key }}{{ else }}{{ .Data.data.key }}{{ end }}{{ end }}`,
      '{{app.key}}',
    ],
    ['braces in the text', '{{ `{{ x }}` }}', '\\{{ x }}'],
    [
      'a text with both quotes',
      `{{ ${APP} }}{{ replaceAll "\\"" "it's" .Data.data.a }}{{ end }}`,
      `{{replace app.a '"' "it's"}}`,
    ],
    [
      'nested loops with one name',
      `{{ ${APP} }}{{ range $v := .Data.data.a }}{{ range $v := $v.b }}{{ $v }}{{ end }}{{ end }}{{ end }}`,
      '{{#each app.a as |v|}}{{#each v.b as |v2|}}{{v2}}{{/each}}{{/each}}',
    ],
  ])('writes %s', (_what, template, written) => {
    const { text, problems } = convert(template);
    expect([text, problems]).toEqual([written, []]);
  });

  it.each([
    [
      'kv, when fields below .Data.data are used',
      `{{ ${APP} }}{{ .Data.data.a }}{{ end }}`,
      { app: { kv: 'secret/app' } },
    ],
    [
      'read, for an engine with leases',
      '{{ with secret "database/creds/shop" }}{{ .Data.username }}{{ end }}',
      { shop: { read: 'database/creds/shop' } },
    ],
    [
      'read at the path of the API, for metadata',
      '{{ with secret "secret/app" }}{{ .Data.data.a }}{{ .Data.metadata.version }}{{ end }}',
      { app: { read: 'secret/data/app' } },
    ],
    [
      'write, with parameters',
      '{{ with secret "transit/decrypt/a" "ciphertext=b=c" }}{{ .Data.plaintext }}{{ end }}',
      { a: { write: { path: 'transit/decrypt/a', data: { ciphertext: 'b=c' } } } },
    ],
    [
      'certificate, with known parameters',
      '{{ with secret "pki/issue/shop" "common_name=a.b" "alt_names=c, d" "ttl=3600" }}{{ .Data.certificate }}{{ end }}',
      { shop: { certificate: { issuer: 'pki', role: 'shop', commonName: 'a.b', altNames: ['c', 'd'], ttl: '3600s' } } },
    ],
    [
      'write, with parameters that a certificate has no key for',
      '{{ with secret "pki/issue/shop" "common_name=a.b" "format=der" }}{{ .Data.certificate }}{{ end }}',
      { shop: { write: { path: 'pki/issue/shop', data: { common_name: 'a.b', format: 'der' } } } },
    ],
    [
      'one secret for a path that is named twice',
      `{{ ${APP} }}{{ .Data.data.a }}{{ end }}{{ ${APP} }}{{ .Data.data.b }}{{ end }}`,
      { app: { kv: 'secret/app' } },
    ],
    [
      'names that differ for paths that end alike',
      '{{ with secret "a/b/app" }}{{ .Data.x }}{{ end }}{{ with secret "a/c/app" }}{{ .Data.x }}{{ end }}',
      { app: { read: 'a/b/app' }, c_app: { read: 'a/c/app' } },
    ],
    [
      'a variable of the environment in the path',
      '{{ with secret (printf "secret/data/%s/db" (env "STAGE")) }}{{ .Data.data.a }}{{ end }}',
      { db: { kv: 'secret/${env:STAGE}/db' } },
    ],
  ])('asks by %s', (_what, template, requests) => {
    const made = convert(template);
    expect([made.requests, made.problems]).toEqual([requests, []]);
  });

  it('puts variables and files beside the template', () => {
    const { text, inputs } = convert('{{ env "STAGE" }} {{ file "/etc/x" | trimSpace }}');
    expect(text).toBe('{{stage}} {{trim x}}');
    expect([...inputs]).toEqual([
      ['stage', '${env:STAGE}'],
      ['x', '${file:/etc/x}'],
    ]);
  });

  it('makes files of writeToFile', () => {
    const { text, files, requests } = convert(
      '{{ with pkiCert "pki/issue/shop" "common_name=a.b" }}{{ .Cert }}{{ .Key | writeToFile "/etc/key.pem" "0" "" "0600" }}{{ end }}',
    );
    expect(text).toBe('{{shop.certificate}}\n');
    expect(files.map(({ parts, ...file }) => ({ ...file, text: printTemplate(parts) }))).toMatchObject([
      { path: '/etc/key.pem', user: '0', group: '', perms: '0600', text: '{{shop.privateKey}}\n' },
    ]);
    expect(requests).toEqual({ shop: { certificate: { issuer: 'pki', role: 'shop', commonName: 'a.b' } } });
  });
});

describe('what cannot be kept', () => {
  it.each([
    ['{{ key "a" }}', 'key', 'key: a function of Consul or Nomad'],
    ['{{ timestamp }}', 'timestamp', 'the time of rendering'],
    ['{{ nosuch .x }}', 'nosuch', 'there is no function nosuch here'],
    [`{{ ${APP} }}{{ .LeaseID }}{{ end }}`, '.LeaseID', '.LeaseID of the answer of a secret'],
    ['{{ .Data }}', '.Data', '.Data stands outside of any block, where the dot is nothing'],
    ['{{ $x }}', '$x', 'a variable that is not declared'],
    ['{{ printf "%05d" 1 }}', 'printf', 'printf with %05d has nothing like it here'],
    ['{{ scratch.Set "a" .X }}', 'scratch', 'scratch'],
    ['{{ key.X | toUpper }}', 'key', 'key: a function of Consul or Nomad'],
    ['{{ range loop 3 }}{{ end }}', 'loop', 'loop'],
    ['{{ define "a" }}{{ template "a" . }}{{ end }}{{ template "a" . }}', '{{ template', 'a template calls itself'],
    [
      `{{ ${APP} }}{{ $n := "a" }}{{ range .Data.data.l }}{{ $n = . }}{{ end }}{{ end }}`,
      '{{ $n = .',
      'a variable from outside changes in a range',
    ],
    [`{{ ${APP} }}{{ range .Data.data.l }}{{ break }}{{ end }}{{ end }}`, '{{ break', '{{ break }}'],
    [
      `{{ ${APP} }}{{ if .Data.data.a }}{{ .Data.data.b | writeToFile "/a" "" "" "0600" }}{{ end }}{{ end }}`,
      '{{ .Data.data.b',
      'writeToFile in if, range or with',
    ],
    [
      `{{ ${APP} }}{{ .Data.data.a | regexMatch "(?U)a" }}{{ end }}`,
      'regexMatch',
      'the flags (?U) of a regular expression cannot be written here',
    ],
  ])('is named with its place: %j', (template, part, seen) => {
    const { problems, text } = convert(template);
    expect(problems.map((one) => one.seen)).toEqual([seen]);
    expect(template.slice(problems[0]?.offset).startsWith(part)).toBe(true);
    expect(text).toContain("{{CHANGE-ME 'not kept: ");
  });

  it('is all of it named, and the rest is converted', () => {
    const { problems, text } = convert(`{{ key "a" }}{{ ${APP} }}{{ .Data.data.b }}{{ timestamp }}{{ end }}`);
    expect(problems).toHaveLength(2);
    expect(text).toContain('{{app.b}}');
  });

  it('is the syntax, by its place', () => {
    expect(convert('a\n{{ if }').problems).toMatchObject([
      { offset: 8, seen: 'a character cannot stand between the braces' },
    ]);
  });

  it('is a template that grows without end when it is written out', () => {
    const lines = Array.from(
      { length: 30 },
      (_, i) => `{{ define "t${i + 1}" }}{{ template "t${i}" }}{{ template "t${i}" }}{{ end }}`,
    );
    const { problems } = convert(`{{ define "t0" }}x{{ end }}${lines.join('')}{{ template "t30" }}`);
    expect(problems[0]?.seen).toBe('the template is too long when it is written out');
  });

  it('gives no secret the name of a helper', () => {
    expect([...HELPER_NAMES].sort()).toEqual([...HELPERS.keys()].sort());
    expect(convert('{{ with secret "kv1/upper" }}{{ .Data.x }}{{ end }}').text).toBe('{{kv1_upper.x}}');
  });

  it('has an answer for each function of consul-template', () => {
    expect(KNOWN_CT.filter((name) => !Object.hasOwn(FUNCTIONS, name))).toEqual([]);
  });
});

describe('lines and braces', () => {
  const secrets = { app: '{"on": true, "a": "1", "list": ["x", "y"]}' };

  /** What Go would write, by hand: the corpus compares with a real agent. */
  it.each([
    [`{{ ${APP} }}\n{{ if .Data.data.on }}\nyes\n{{ end }}\n{{ end }}\n`, '\n\nyes\n\n\n'],
    [`{{ ${APP} }}  {{ if .Data.data.on }}  \nyes\n  {{ end }}  \nx{{ end }}`, '    \nyes\n    \nx'],
    [`{{ ${APP} }}{{ if .Data.data.off }}\na\n{{ else }}\nb\n{{ end }}\n{{ end }}`, '\nb\n\n'],
    [
      `{{ ${APP} }}{{ if .Data.data.off }}\na\n{{ else if .Data.data.on }}\nb\n{{ else }}\nc\n{{ end }}\n{{ end }}`,
      '\nb\n\n',
    ],
    [`{{ ${APP} }}\n{{ range .Data.data.list }}\n- {{ . }}\n{{ end }}\n{{ end }}`, '\n\n- x\n\n- y\n\n'],
    [`{{ ${APP} }}{ {{ .Data.data.a }} }{{ "{" }}{{ .Data.data.a }}{{ "}" }}{{ end }}`, '{ 1 }{1}'],
    [`{{ ${APP} }}{{ "{{" }}{{ .Data.data.a }}{{ "}}" }}{{ "{{{" }}{{ end }}`, '{{1}}{{{'],
    [`{{ ${APP} }}{{ if .Data.data.on }}{{ "{" }}{{ else }}{{ "{" }}{{ end }}{{ "}" }}{{ end }}`, '{}'],
    [
      `{{ ${APP} }}a\\{{ .Data.data.a }}\\{{ if .Data.data.on }}b\\{{ end }}\\\\{{ .Data.data.a }}{{ end }}\\`,
      'a\\1\\b\\\\\\1\\',
    ],
    [`{{ ${APP} }}\r\n{{ if .Data.data.on }}\r\nyes\r\n{{ end }}\r\n{{ end }}`, '\r\n\r\nyes\r\n\r\n'],
  ])('come out as Go writes them: %j', async (template, written) => {
    const { text, problems } = convert(template);
    expect(problems).toEqual([]);
    expect(await textOf(text, secrets)).toBe(written);
  });
});

describe('a regular expression of Go', () => {
  it.each([
    ['^a+$', '^a+$'],
    ['[[:alpha:]_-]+', '[A-Za-z_-]+'],
    ['(?P<name>a)\\z', '(?<name>a)$'],
    ['\\Aa\\_b', '^a_b'],
    ['a{2}b{x}', 'a{2}b\\{x\\}'],
    ['[]a]', '[\\]a]'],
    ['\\x{1F600}\\pL', '\\u{1F600}\\p{L}'],
  ])('%s becomes %s', (go, js) => {
    expect(toJsPattern(go)).toEqual({ pattern: js, ignoreCase: false });
  });

  it('ignores case by its flag', () => {
    expect(toJsPattern('(?i)abc')).toEqual({ pattern: 'abc', ignoreCase: true });
  });

  it.each([
    ['$1-${name}', '$1-$<name>'],
    ['$$ and $', '$$ and $$'],
    ['$1x', ''],
  ])('has the replacement %s as %s', (go, js) => {
    expect(toJsReplacement(go)).toBe(js);
  });
});

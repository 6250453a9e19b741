/**
 * Go templates of the shapes that public configurations of Vault Agent, the injector and consul-template have, for the
 * secrets below. Each is rendered by a real agent and by Pannier from its conversion.
 */

/** What is stored on the server: fields by path. */
export const STORED: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'secret/data/app': {
    username: 'shop',
    password: 'p@ss/w"ord<&>',
    url: 'https://shop.example/a?b=c&d=e',
    port: 8080,
    zero: 0,
    ratio: '1.10',
    enabled: true,
    disabled: false,
    empty: '',
    note: '  spaced out\t\n',
    'pass-word': "it's",
    pem: '-----BEGIN X-----\nabc\ndef\n-----END X-----\n',
    hosts: ['a.svc', 'b.svc', 'c.svc'],
    csv: 'x, y,z',
    labels: { tier: 'gold', area: 'eu' },
    blob: '{"z":1,"a":{"k":"v","list":["q","w"]},"text":"<b>&"}',
    yaml: 'b: two\na: one\n',
    encoded: 'c2VjcmV0LXZhbHVl',
    unicode: 'größe ✓',
    env: 'production',
    backslash: 'a\\b',
  },
  'secret/data/apps/alpha': { key: 'alpha-key', region: 'eu' },
  'secret/data/apps/beta': { key: 'beta-key', region: 'us' },
  'secret/data/nested/deep/one': { token: 'deep-token' },
  'legacy/web': { user: 'legacy-user', pass: 'legacy-pass' },
};

export interface CorpusTemplate {
  readonly name: string;
  readonly template: string;
  readonly left?: string;
  readonly right?: string;
  /** Why the conversion does not give the same bytes. */
  readonly differs?: string;
}

const APP = 'with secret "secret/data/app"';

export const CORPUS: readonly CorpusTemplate[] = [
  { name: 'one field', template: `{{ ${APP} }}{{ .Data.data.password }}{{ end }}` },
  { name: 'one field with a line end', template: `{{ ${APP} }}{{ .Data.data.password }}{{ end }}\n` },
  {
    name: 'trimmed env file',
    template: `{{- ${APP} -}}\nUSER={{ .Data.data.username }}\nPASS={{ .Data.data.password }}\n{{- end }}`,
  },
  { name: 'trimmed at both ends', template: `{{- ${APP} -}}\nUSER={{ .Data.data.username }}\n{{- end -}}\n` },
  { name: 'lines that stay empty', template: `{{ ${APP} }}\nUSER={{ .Data.data.username }}\n{{ end }}\n` },
  {
    name: 'exported variables',
    template: `{{- ${APP} }}\nexport DB_USER="{{ .Data.data.username }}"\nexport PORT={{ .Data.data.port }}\n{{- end }}\n`,
  },
  {
    name: 'a connection string',
    template: `{{ ${APP} -}}\npostgresql://{{ .Data.data.username }}:{{ .Data.data.password }}@db:5432/shop?sslmode=disable\n{{- end }}`,
  },
  {
    name: 'JSON by hand',
    template: `{{- ${APP} -}}\n{\n  "username": "{{ .Data.data.username }}",\n  "port": {{ .Data.data.port }}\n}\n{{- end }}`,
  },
  {
    name: 'JSON without spaces',
    template: `{{ ${APP} }}{"u":"{{ .Data.data.username }}","p":{{ .Data.data.port }}}{{ end }}`,
  },
  {
    name: 'JSON within braces',
    template: `{\n  "a": 1,\n  {{ ${APP} -}}\n  "b": "{{ .Data.data.username }}"\n  {{- end }}\n}\n`,
  },
  {
    name: 'all fields',
    template: `{{ ${APP} }}{{ range $k, $v := .Data.data.labels }}{{ $k }}={{ $v }}\n{{ end }}{{ end }}`,
  },
  {
    name: 'all fields with empty lines',
    template: `{{ ${APP} }}{{ range $k, $v := .Data.data.labels }}\nexport {{ $k }}="{{ $v }}"\n{{ end }}{{ end }}\n`,
  },
  {
    name: 'all fields trimmed',
    template: `{{ ${APP} }}\n{{- range $k, $v := .Data.data.labels }}\n{{ $k }}: {{ $v }}\n{{- end }}\n{{- end }}\n`,
  },
  {
    name: 'fields of KV version 1',
    template: '{{ with secret "legacy/web" }}{{ .Data.user }}:{{ .Data.pass }}{{ end }}',
  },
  {
    name: 'all fields of KV version 1',
    template: '{{ with secret "legacy/web" }}{{ range $k, $v := .Data }}{{ $k }}={{ $v }};{{ end }}{{ end }}',
  },
  { name: 'a path without data', template: '{{ with secret "secret/app" }}{{ .Data.data.username }}{{ end }}' },
  {
    name: 'a deep path',
    template: '{{ with secret "secret/data/nested/deep/one" }}token: {{ .Data.data.token }}\n{{ end }}',
  },
  { name: 'metadata', template: `{{ ${APP} }}v{{ .Data.metadata.version }} {{ .Data.data.username }}{{ end }}` },
  {
    name: 'two secrets',
    template: `{{ ${APP} }}a={{ .Data.data.username }}{{ end }}\n{{ with secret "legacy/web" }}b={{ .Data.user }}{{ end }}\n`,
  },
  {
    name: 'a secret within another',
    template: `{{ ${APP} }}{{ $u := .Data.data.username }}{{ with secret "legacy/web" }}{{ $u }}/{{ .Data.user }}{{ end }}{{ end }}`,
  },
  { name: 'the dollar', template: `{{ ${APP} }}{{ range .Data.data.hosts }}{{ . }}{{ end }}{{ end }}` },
  {
    name: 'with of a field',
    template: `{{ ${APP} }}{{ with .Data.data }}{{ .username }} {{ .port }}{{ end }}{{ end }}`,
  },
  {
    name: 'with of a field that is empty',
    template: `{{ ${APP} }}{{ with .Data.data.empty }}is{{ else }}none{{ end }}{{ end }}`,
  },
  {
    name: 'a variable for the secret',
    template: '{{ $s := secret "secret/data/app" }}{{ $s.Data.data.username }}-{{ $s.Data.data.env }}\n',
  },
  {
    name: 'with a variable',
    template: '{{ with $app := secret "secret/data/app" }}{{ $app.Data.data.username }}{{ end }}',
  },
  { name: 'a call in parentheses', template: '{{ (secret "secret/data/app").Data.data.username }}\n' },
  { name: 'index with a dash', template: `{{ ${APP} }}{{ index .Data.data "pass-word" }}{{ end }}` },
  { name: 'index of a list', template: `{{ ${APP} }}{{ index .Data.data.hosts 1 }}{{ end }}` },
  {
    name: 'index of maps',
    template: `{{ ${APP} }}{{ index .Data.data.labels "tier" }} {{ index .Data.data "labels" "area" }}{{ end }}`,
  },
  {
    name: 'a list with positions',
    template: `{{ ${APP} }}{{ range $i, $h := .Data.data.hosts }}{{ if $i }},{{ end }}{{ $h }}{{ end }}{{ end }}`,
  },
  {
    name: 'a list without variables',
    template: `{{ ${APP} }}{{ range .Data.data.hosts }}- {{ . }}\n{{ end }}{{ end }}`,
  },
  {
    name: 'range with else',
    template: `{{ ${APP} }}{{ range $k, $v := .Data.data.empty | split "," }}{{ $v }}{{ else }}none{{ end }}{{ end }}`,
  },
  {
    name: 'if',
    template: `{{ ${APP} }}{{ if .Data.data.enabled }}on{{ end }}{{ if .Data.data.disabled }}off{{ end }}{{ end }}`,
  },
  { name: 'if and else', template: `{{ ${APP} }}{{ if .Data.data.missing }}x{{ else }}y{{ end }}{{ end }}` },
  {
    name: 'else if',
    template: `{{ ${APP} }}{{ if eq .Data.data.env "staging" }}s{{ else if eq .Data.data.env "production" }}p{{ else }}o{{ end }}{{ end }}`,
  },
  {
    name: 'conditions on lines of their own',
    template: `{{ ${APP} }}\n{{ if eq .Data.data.env "production" }}\nlevel=warn\n{{ else }}\nlevel=debug\n{{ end }}\n{{ end }}\n`,
  },
  {
    name: 'indented conditions',
    template: `a:\n{{ ${APP} }}\n  {{ if .Data.data.enabled }}\n  on: true\n  {{ end }}\n{{ end }}\n`,
  },
  {
    name: 'and, or, not',
    template: `{{ ${APP} }}{{ if and .Data.data.enabled (not .Data.data.disabled) }}a{{ end }}{{ if or .Data.data.disabled .Data.data.missing }}b{{ end }}{{ end }}`,
  },
  {
    name: 'or as a default',
    template: `{{ ${APP} }}{{ or .Data.data.missing "fallback" }} {{ or .Data.data.username "x" }}{{ end }}`,
  },
  {
    name: 'comparisons',
    template: `{{ ${APP} }}{{ if ne .Data.data.env "test" }}a{{ end }}{{ if gt (len .Data.data.hosts) 2 }}b{{ end }}{{ if le (len .Data.data.hosts) 3 }}c{{ end }}{{ end }}`,
  },
  {
    name: 'eq with several values',
    template: `{{ ${APP} }}{{ if eq .Data.data.env "staging" "production" }}yes{{ end }}{{ end }}`,
  },
  { name: 'toJSON of all', template: `{{ ${APP} }}{{ .Data.data | toJSON }}{{ end }}` },
  {
    name: 'toJSON of a field',
    template: `{{ ${APP} }}{"password": {{ .Data.data.password | toJSON }}, "hosts": {{ toJSON .Data.data.hosts }}}{{ end }}`,
  },
  { name: 'toJSONPretty', template: `{{ ${APP} }}{{ .Data.data | toJSONPretty }}{{ end }}\n` },
  { name: 'toUnescapedJSON', template: `{{ ${APP} }}{{ .Data.data | toUnescapedJSON }}{{ end }}` },
  {
    name: 'toUnescapedJSONPretty',
    template: `{{ ${APP} }}{{ .Data.data.labels | toUnescapedJSONPretty | indent 4 }}{{ end }}`,
  },
  { name: 'toYAML', template: `{{ ${APP} }}{{ .Data.data.labels | toYAML }}{{ end }}`, differs: 'texts have quotes' },
  {
    name: 'parseJSON',
    template: `{{ ${APP} }}{{ with .Data.data.blob | parseJSON }}{{ .z }} {{ .a.k }}{{ end }}{{ end }}`,
  },
  {
    name: 'parseJSON with range',
    template: `{{ ${APP} }}{{ range $k, $v := (.Data.data.blob | parseJSON).a }}{{ $k }};{{ end }}{{ end }}`,
  },
  {
    name: 'parseJSON in a variable',
    template: `{{ ${APP} }}{{ $b := .Data.data.blob | parseJSON }}{{ $b.a.k }}{{ range $b.a.list }} {{ . }}{{ end }}{{ end }}`,
  },
  { name: 'parseJSON and toJSON', template: `{{ ${APP} }}{{ .Data.data.blob | parseJSON | toJSON }}{{ end }}` },
  {
    name: 'parseYAML',
    template: `{{ ${APP} }}{{ with .Data.data.yaml | parseYAML }}{{ .a }}-{{ .b }}{{ end }}{{ end }}`,
  },
  {
    name: 'base64',
    template: `{{ ${APP} }}{{ .Data.data.encoded | base64Decode }} {{ .Data.data.username | base64Encode }} {{ base64URLEncode .Data.data.url }}{{ end }}`,
  },
  {
    name: 'letters',
    template: `{{ ${APP} }}{{ .Data.data.username | toUpper }} {{ "ABC" | toLower }} {{ .Data.data.username | toTitle }}{{ end }}`,
  },
  {
    name: 'trims',
    template: `{{ ${APP} }}[{{ .Data.data.note | trimSpace }}][{{ .Data.data.url | trimPrefix "https://" }}][{{ .Data.data.env | trimSuffix "ion" }}][{{ "//a/" | trim "/" }}]{{ end }}`,
  },
  { name: 'replaceAll', template: `{{ ${APP} }}{{ .Data.data.url | replaceAll "&" "&amp;" }}{{ end }}` },
  {
    name: 'regular expressions',
    template: `{{ ${APP} }}{{ if .Data.data.url | regexMatch "^https?://" }}url{{ end }} {{ .Data.data.url | regexReplaceAll "([a-z]+)=([a-z]+)" "$2=$1" }}{{ end }}`,
  },
  {
    name: 'split and join',
    template: `{{ ${APP} }}{{ .Data.data.csv | split "," | join ";" }}{{ range .Data.data.csv | split "," }}<{{ . | trimSpace }}>{{ end }}{{ end }}`,
  },
  { name: 'join of a literal list', template: '{{ "a,b,c" | split "," | join "-" }}\n' },
  {
    name: 'contains',
    template: `{{ ${APP} }}{{ if .Data.data.hosts | contains "b.svc" }}has{{ end }}{{ if in .Data.data.url "shop" }} in{{ end }}{{ end }}`,
  },
  {
    name: 'printf',
    template: `{{ ${APP} }}{{ printf "%s:%s@%v" .Data.data.username .Data.data.env .Data.data.port }} {{ printf "%q" .Data.data.password }} {{ printf "100%%" }}{{ end }}`,
  },
  {
    name: 'print',
    template: `{{ ${APP} }}{{ print .Data.data.username "-" .Data.data.env }}{{ .Data.data.env | printf "%s!" }}{{ end }}`,
  },
  { name: 'println', template: `{{ ${APP} }}{{ println .Data.data.username .Data.data.env }}{{ end }}` },
  {
    name: 'hashes',
    template: `{{ ${APP} }}{{ .Data.data.username | sha256Hex }} {{ .Data.data.username | md5sum }} {{ hmacSHA256Hex "message" .Data.data.username }}{{ end }}`,
  },
  {
    name: 'arithmetic',
    template: `{{ ${APP} }}{{ len .Data.data.hosts | add 1 }} {{ 7 | subtract 2 }} {{ 3 | multiply 4 }} {{ 9 | divide 2 }} {{ 9 | modulo 4 }} {{ maximum 3 7 }}{{ end }}`,
  },
  {
    name: 'computed paths',
    template:
      '{{ range secrets "secret/metadata/apps/" }}{{ $n := . }}{{ with secret (printf "secret/data/apps/%s" .) }}{{ $n }}={{ .Data.data.key }}\n{{ end }}{{ end }}',
  },
  {
    name: 'computed paths with all fields',
    template:
      '{{ range secrets "secret/metadata/apps" }}{{ with secret (print "secret/data/apps/" .) }}{{ range $k, $v := .Data.data }}{{ $k }}:{{ $v }} {{ end }}{{ end }}{{ end }}',
  },
  { name: 'names of secrets', template: '{{ range secrets "secret/metadata/apps/" }}- {{ . }}\n{{ end }}' },
  {
    name: 'a variable of the environment',
    template: `{{ with secret (printf "secret/data/%s" (env "CORPUS_APP")) }}{{ .Data.data.username }}{{ end }}-{{ env "CORPUS_APP" }}\n`,
  },
  {
    name: 'variables that change',
    template: `{{ $level := "info" }}{{ ${APP} }}{{ if eq .Data.data.env "production" }}{{ $level = "warn" }}{{ end }}{{ end }}level={{ $level }}\n`,
  },
  {
    name: 'define and template',
    template: `{{ define "line" }}<{{ .username }}>{{ end }}{{ ${APP} }}{{ template "line" .Data.data }}{{ end }}`,
  },
  { name: 'block', template: `{{ ${APP} }}{{ block "b" .Data.data }}[{{ .env }}]{{ end }}{{ end }}` },
  {
    name: 'comments',
    template: `{{/* a comment */}}\n{{- /* another */ -}}\n{{ ${APP} }}{{ .Data.data.username }}{{ end }}\n`,
  },
  { name: 'raw strings', template: '{{ `{{ not a tag }}` }} {{ "{{" }} \\{{ `x` }}\n' },
  {
    name: 'other delimiters',
    left: '<<',
    right: '>>',
    template: `<< ${APP} >>{{ kept }} << .Data.data.username >>{ << .Data.data.env >> }<< end >>\n`,
  },
  {
    name: 'backslashes before tags',
    template: `{{ ${APP} }}C:\\{{ .Data.data.username }}\\\\{{ .Data.data.env }}\\{{ end }}\\`,
  },
  {
    name: 'braces around tags',
    template: `{{ ${APP} }}{{"{"}}{{ .Data.data.username }}{{"}"}} \${{ "{" }}{{ .Data.data.env }}} {{ end }}`,
  },
  {
    name: 'carriage returns',
    template: `{{ ${APP} }}\r\nA={{ .Data.data.username }}\r\n{{ if .Data.data.enabled }}\r\nB\r\n{{ end }}\r\n{{ end }}\r\n`,
  },
  { name: 'a PEM', template: `{{ ${APP} }}{{ .Data.data.pem }}{{ end }}` },
  { name: 'an indented PEM', template: `{{ ${APP} }}key: |\n{{ .Data.data.pem | indent 2 }}{{ end }}` },
  {
    name: 'a Spring file',
    template: `{{- ${APP} -}}\nspring.datasource.url=jdbc:postgresql://db/shop\nspring.datasource.username={{ .Data.data.username }}\nspring.datasource.password={{ .Data.data.password }}\n{{- end }}\n`,
  },
  {
    name: 'a file of PHP',
    template: `<?php\n{{- ${APP} }}\n$user = '{{ .Data.data.username }}';\n$port = {{ .Data.data.port }};\n{{- end }}\n`,
  },
  {
    name: 'sprig texts',
    template: `{{ ${APP} }}{{ .Data.data.username | sprig_upper | sprig_quote }} {{ sprig_default "x" .Data.data.empty }} {{ .Data.data.username | sprig_b64enc }} {{ sprig_trunc 2 .Data.data.env }}{{ end }}`,
  },
  { name: 'sprig indents', template: `{{ ${APP} }}key:{{ .Data.data.pem | sprig_nindent 2 }}{{ end }}` },
  {
    name: 'sprig tests',
    template: `{{ ${APP} }}{{ if sprig_hasPrefix "https" .Data.data.url }}tls{{ end }} {{ sprig_ternary "on" "off" .Data.data.enabled }} {{ range sprig_list "a" "b" }}{{ . }},{{ end }}{{ end }}`,
  },
  {
    name: 'sprig lists',
    template: `{{ ${APP} }}{{ sprig_splitList "," .Data.data.csv | sprig_join ";" }} {{ sprig_first .Data.data.hosts }} {{ sprig_replace "a" "o" .Data.data.env }}{{ end }}`,
  },
  { name: 'nothing of a secret', template: 'just text\nand {{ "a literal" }} {{ 42 }} {{ true }}\n' },
  {
    name: 'unicode',
    template: `{{ ${APP} }}{{ .Data.data.unicode }} {{ printf "%q" .Data.data.unicode }} {{ .Data.data.unicode | toLower }}{{ end }}`,
  },
  {
    name: 'capital letters of more than one',
    template: `{{ ${APP} }}{{ .Data.data.unicode | toUpper }}{{ end }}`,
    differs: 'ß becomes SS, and Go leaves it',
  },
  {
    name: 'the number zero as a condition',
    template: `{{ ${APP} }}{{ if .Data.data.zero }}there{{ end }}{{ end }}`,
    differs: 'for Go the number is the text "0", which is not empty',
  },
  {
    name: 'a missing field',
    template: `{{ ${APP} }}[{{ .Data.data.missing }}]{{ end }}`,
    differs: 'a missing field is an error',
  },
];

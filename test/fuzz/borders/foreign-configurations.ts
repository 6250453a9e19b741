import * as fc from 'fast-check';
import { convertConfig } from '../../../src/import/convert-config.ts';
import { parseHcl } from '../../../src/import/hcl/parser.ts';
import { HclSyntaxError } from '../../../src/import/hcl/tree.ts';
import { formatProblem } from '../../../src/import/problem.ts';
import { decodeSource, SourceText } from '../../../src/import/source-text.ts';
import { type Border, CANARY } from '../border.ts';
import { damaged } from '../inputs.ts';

const AGENT = `# agent
vault { address = "https://bao:8200"  retry { num_retries = 5 } }
auto_auth {
  method "approle" {
    mount_path = "auth/approle"
    config = { role_id_file_path = "/r"  secret_id_file_path = "/s" }
  }
  sink "file" { config = { path = "/run/token" mode = 0644 } }
}
cache { use_auto_auth_token = true }
listener "tcp" { address = "127.0.0.1:8207" tls_disable = true }
template {
  destination = "/run/a"
  contents = <<EOT
{{ with secret "database/creds/x" }}{{ .Data.username }}:{{ .Data.password }}{{ end }}
{{ range $k, $v := secrets "secret/" }}{{ $k }}{{ else }}x{{ end }}
EOT
  exec { command = ["sh", "-c", "kill -HUP 1"] }
}
env_template "DB" { contents = "{{ with secret \\"secret/data/app\\" }}{{ .Data.data.x | toJSON }}{{ end }}" }
exec { command = ["./app"] restart_on_secret_changes = "always" }
template_config { static_secret_render_interval = "5m" exit_on_retry_failure = true }
`;
const JSON_AGENT = JSON.stringify({
  vault: { address: 'https://bao:8200', token: CANARY },
  auto_auth: { method: [{ type: 'token_file', config: { token_file_path: '/t' } }] },
  template: [{ destination: '/run/a', contents: '{{ key "x" }}' }],
});

const PIECES = [
  'template {',
  '}',
  '<<EOT\n',
  'EOT',
  '= "',
  '"\n',
  '{{ range .Data }}',
  '{{ end }}',
  '{{ with secret "a" "b=c" }}',
  '{{ $x := .Data | base64Decode | split "," }}',
  '{{ template "x" . }}',
  '{{ define "x" }}',
  '{{- /* c */ -}}',
  '0x',
  '1e',
  '${',
  '\\u0000',
  '/*',
  '*/',
  '//',
];

/** Configurations of other agents, for `pannier import`. */
export const foreignConfigurations: Border<Buffer> = {
  name: 'configurations of other agents',
  share: 8_000,
  async open() {
    return {
      inputs: damaged(fc.constantFrom(AGENT, JSON_AGENT), PIECES),
      async feed(bytes) {
        const source = decodeSource(bytes);
        if ('problem' in source) return [source.problem];
        try {
          const items = parseHcl(new SourceText(source.text)).items.map((item) => ({ ...item, file: 'a.hcl' }));
          const { problems } = await convertConfig(items, ['a.hcl'], {
            readSource: async () => ({ problem: 'no file' }),
            sink: false,
            keepsCredentials: false,
            templatesBeside: false,
          });
          for (const { place, seen, todo } of problems) {
            if (place.line < 1 || place.column < 1 || seen === '' || todo === '') throw new Error('without a place');
          }
          return problems.map(formatProblem);
        } catch (error) {
          if (!(error instanceof HclSyntaxError)) throw error;
          if (error.at.line < 1 || error.at.column < 1) throw new Error('without a place', { cause: error });
          return [error.message];
        }
      },
      async [Symbol.asyncDispose]() {},
    };
  },
};

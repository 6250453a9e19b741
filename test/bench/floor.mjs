// `floor.mjs ADDRESS TOKENFILE NAMES OUT`: logs in, reads the secrets over sixteen connections and writes a file each.
import { readFileSync, writeFileSync } from 'node:fs';

// As an import it would load undici for its list of exports.
const http = process.getBuiltinModule('node:http');

const [address, tokenFile, names, out] = process.argv.slice(2);
const agent = new http.Agent({ keepAlive: true, maxSockets: 16 });

let token;
const login = await ask('POST', 'auth/kubernetes/login', { role: 'shop', jwt: readFileSync(tokenFile, 'utf8') });
token = login.auth.client_token;
await Promise.all(
  JSON.parse(readFileSync(names, 'utf8')).map(async (name) => {
    const { data } = await ask('GET', `secret/data/shop/${name}`);
    writeFileSync(`${out}/${name}`, data.data.password, { mode: 0o400 });
  }),
);
process.exit(0);

function ask(method, path, body) {
  return new Promise((resolve, reject) => {
    const headers = token === undefined ? {} : { 'X-Vault-Token': token };
    http
      .request(`${address}/v1/${path}`, { method, agent, headers }, (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (chunk) => {
          text += chunk;
        });
        answer.on('end', () => resolve(JSON.parse(text)));
      })
      .on('error', reject)
      .end(body === undefined ? undefined : JSON.stringify(body));
  });
}

import { spawnSync } from 'node:child_process';
import { ensureOpenBaoFolder } from '../test/servers/index.ts';

/** `npm run demo` runs `pannier demo` of dist/. With --openbao, PATH begins with a folder that holds an OpenBao. */
const args = process.argv.slice(2);
const path = process.env['PATH'] ?? '';
const bao = args.includes('--openbao') ? `${await ensureOpenBaoFolder()}:` : '';
const demo = spawnSync(process.execPath, ['dist/pannier.js', 'demo', ...args], {
  stdio: 'inherit',
  env: { ...process.env, PATH: `${bao}${path}` },
});
process.exit(demo.status ?? 1);

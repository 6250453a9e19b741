import { spawnSync } from 'node:child_process';
import { ensureOpenBaoFolder } from '../test/servers/index.ts';

/** `npm run demo`: the built `pannier demo`; with --openbao the pinned OpenBao is fetched when none is on the PATH. */
const args = process.argv.slice(2);
const path = process.env['PATH'] ?? '';
const bao = args.includes('--openbao') ? `${await ensureOpenBaoFolder()}:` : '';
const demo = spawnSync(process.execPath, ['dist/pannier.js', 'demo', ...args], {
  stdio: 'inherit',
  env: { ...process.env, PATH: `${bao}${path}` },
});
process.exit(demo.status ?? 1);

import { spawnSync } from 'node:child_process';
import { ensureOpenBaoFolder } from '../test/servers/index.ts';

/** `npm run demo` runs `pannier demo` of dist/. With --openbao, PATH begins with a folder that holds an OpenBao. */
const words = process.argv.slice(2);
/** An interactive zsh passes a comment on: `npm run demo # …`. */
const comment = words.indexOf('#');
const args = comment === -1 ? words : words.slice(0, comment);
const path = process.env['PATH'] ?? '';
const bao = args.includes('--openbao') ? `${await ensureOpenBaoFolder()}:` : '';
const demo = spawnSync(process.execPath, ['dist/pannier.js', 'demo', ...args], {
  stdio: 'inherit',
  env: { ...process.env, PATH: `${bao}${path}` },
});
process.exit(demo.status ?? 1);

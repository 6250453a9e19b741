import { spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { enableKv, ensureOpenBaoFolder, startOpenBao, startTokenReview } from '../servers/index.ts';
import { fencedBlocks } from './fenced.ts';

/** A home directory for the test, with `bao` and the built `pannier` on the path. */
let home: string;
let path: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'pannier-walk-'));
  const bin = join(home, 'bin');
  await mkdir(bin);
  await writeFile(join(bin, 'pannier'), `#!/bin/sh\nexec ${process.execPath} ${resolve('dist/pannier.js')} "$@"\n`);
  await chmod(join(bin, 'pannier'), 0o755);
  path = [bin, await ensureOpenBaoFolder(), '/usr/bin', '/bin'].join(delimiter);
});
afterAll(() => rm(home, { recursive: true, force: true }));

const shOf = (page: string): readonly string[] =>
  fencedBlocks().flatMap((block) => (block.page === page && block.language === 'sh' ? [block.text] : []));

/** Runs a script and resolves to its output. Rejects when one of its lines fails. */
function bash(script: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  return new Promise((done, failed) => {
    // The script gets its own process group, so that processes that it leaves behind can be ended with it.
    const child = spawn('bash', ['-e', '-o', 'pipefail', '-c', script], {
      cwd: home,
      env: { PATH: path, HOME: home, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk));
    const end = () => process.kill(-(child.pid as number), 'SIGKILL');
    const timer = setTimeout(end, 60_000);
    child.once('exit', (status) => {
      clearTimeout(timer);
      try {
        end();
      } catch {
        // The group has no process left.
      }
      if (status === 0) done(text);
      else failed(new Error(`the script ended with ${status}:\n${text}`));
    });
  });
}

describe('docs/how-to/kubernetes.md', () => {
  it('lets a pod log in with the token of the manifests, and with no other', { timeout: 60_000 }, async () => {
    await using bao = await startOpenBao();
    await using review = await startTokenReview();
    await enableKv(bao, 'secret', 2);
    const [commands = ''] = shOf('docs/how-to/kubernetes.md').filter((text) => text.startsWith('bao auth enable'));
    // This OpenBao is not in the cluster, so it needs the CA of the API server and a token for reviews.
    await writeFile(join(home, 'ca.pem'), review.caPem);
    const cluster = `kubernetes_host=${review.address} kubernetes_ca_cert=@ca.pem token_reviewer_jwt=${review.reviewerJwt}`;
    const script = commands.replace('kubernetes_host=https://kubernetes.default.svc', cluster);
    await bash(script, { BAO_ADDR: bao.address, BAO_TOKEN: bao.rootToken });
    const logIn = async (audience?: string) => {
      const jwt = await review.mintToken({ serviceAccount: 'shop', ...(audience === undefined ? {} : { audience }) });
      return bao.api('POST', 'auth/kubernetes/login', { role: 'shop', jwt }, {});
    };
    const { auth } = await logIn('openbao');
    const { data } = await bao.api('GET', 'secret/data/shop/app', undefined, auth.client_token);
    expect(data['data']).toEqual({ api_key: 'made-up' });
    await expect(logIn()).rejects.toThrow('403');
  });
});

import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { readEnvironment } from '../config/environment.ts';
import type { Scene } from './demo/scene.ts';
import { openStage, type Stage } from './demo/stage.ts';
import { tell } from './print.ts';

export interface DemoOptions {
  readonly openbao?: boolean;
}

/** The application of the demo. It knows nothing about Pannier: it reads a file, and reads it again on SIGHUP. */
const APPLICATION = `#!/bin/sh
file=$1
read_it() { . "$file"; echo "$1: I log in as $username with password $password"; }
trap 'read_it "told to reload"' HUP
read_it started
echo $$ > "$2"
while :; do sleep 1 > /dev/null 2>&1 & wait $!; done
`;

/**
 * `pannier demo`: runs `init` and `run` on made-up secrets, explains each step, and ends by itself. Returns the exit
 * status.
 */
export async function demoCommand({ openbao = false }: DemoOptions): Promise<number> {
  await using stage = await openStage();
  try {
    await runSteps(stage, await openScene(stage, openbao));
    return 0;
  } catch (error) {
    tell(`\nThe demo failed: ${error instanceof Error ? error.message : 'unknown fault'}\n`);
    return 1;
  }
}

/** The command line of this program itself: Node with its script, or the single executable. */
function ownCommand(): readonly string[] {
  if (process.getBuiltinModule('node:sea').isSea()) return [process.execPath];
  return [process.execPath, '--disable-sigusr1', process.argv[1] ?? ''];
}

async function openScene(stage: Stage, openbao: boolean): Promise<Scene> {
  if (!openbao) return (await import('./demo/embedded.ts')).embeddedScene(stage);
  return (await import('./demo/openbao.ts')).openBaoScene(stage, readEnvironment()['PATH'] ?? '');
}

async function runSteps(stage: Stage, scene: Scene): Promise<void> {
  stage.step(scene.title);
  stage.show(scene.shown);

  const config = configOf(scene);
  const configFile = await stage.write('pannier.yaml', config);
  stage.step('The configuration: what to fetch, where to put it, how the application reloads.');
  stage.show(config);

  stage.step('pannier init: fetch once, publish, exit (an init container).');
  const pannier = (...args: string[]) => [...ownCommand(), ...args, '-c', configFile];
  const init = stage.start('pannier', pannier('init'));
  const status = await init.ended;
  if (status !== 0) throw new Error(`init ended with ${status}`);

  stage.step('The published files: one generation behind one link, so a reader never sees a half-done change.');
  await showOutput(stage);

  stage.step('The application starts and just reads its file.');
  const application = await stage.write('app.sh', APPLICATION);
  const files = [join(stage.dir, 'run/app.env'), join(stage.dir, 'app.pid')];
  const app = stage.start('application', ['/bin/sh', application, ...files]);
  await app.waitForLine(/^started: .*winter-is-over/);

  stage.step('pannier run: stays beside it and keeps everything fresh (a sidecar).');
  const agent = stage.start('pannier', pannier('run'));
  await agent.waitForLine(/secret shop (?:changed|fetched)/);

  stage.step(scene.rotateTitle);
  await scene.rotate();
  await app.waitForLine(/^told to reload: .*spring-has-come/);
  await agent.waitForLine(/reload of app done/);

  stage.step('The application was told to reload and has the new password. On disk:');
  await showOutput(stage);

  stage.step('SIGTERM: the agent stops cleanly; the files stay for the application.');
  await agent.stop();
  if ((await agent.ended) !== 0) throw new Error('the agent did not stop cleanly');
  await app.stop();
  stage.show('Done.');
}

function configOf({ backends, secret }: Scene): string {
  return `version: 1
${backends}secrets:
  ${secret}
outputs:
  app:
    dir: ./run
    files:
      app.env: { format: dotenv, from: [shop] }
      pgpass: { content: "db:5432:shop:{{shop.username}}:{{shop.password}}\\n" }
    reload:
      - signal: { name: SIGHUP, pidFile: ./app.pid }
log: { format: pretty }
`;
}

async function showOutput(stage: Stage): Promise<void> {
  const dir = join(stage.dir, 'run');
  for (const name of (await readdir(dir)).sort()) {
    const stat = await lstat(join(dir, name));
    const target = stat.isSymbolicLink() ? ` -> ${await readlink(join(dir, name))}` : '';
    stage.show(`${name}${target}`);
  }
  stage.show(`app.env holds:\n${(await readFile(join(dir, 'app.env'), 'utf8')).trimEnd()}`);
}

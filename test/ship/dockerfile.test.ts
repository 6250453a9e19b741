import { existsSync, readFileSync } from 'node:fs';
import { DockerfileParser, type Instruction } from 'dockerfile-ast';
import { describe, expect, it } from 'vitest';
import { parseCommandLine } from '../cli/command-line.helpers.ts';

const file = DockerfileParser.parse(readFileSync('Dockerfile', 'utf8'));
const instructions = file.getInstructions();
const named = (...keywords: readonly string[]) =>
  instructions.filter((instruction) => keywords.includes(instruction.getKeyword().toUpperCase()));
const argumentsOf = (instruction: Instruction) => instruction.getArguments().map((argument) => argument.getValue());
/** Whether an instruction belongs to the final stage, after the last FROM. */
const isInFinalStage = (instruction: Instruction) =>
  instruction.getRange().start.line > (named('FROM').at(-1)?.getRange().start.line ?? 0);
/** The program and its arguments, from the JSON of the exec form. Throws for the shell form. */
const commandOf = (instruction: Instruction | undefined): readonly string[] =>
  JSON.parse((instruction?.getArgumentsContent() ?? '').replace(/^(--\S+\s+)*(CMD\s+)?/, '')) as string[];

describe('the Dockerfile', () => {
  it('takes both of its bases from arguments', () => {
    const froms = named('FROM').map((instruction) => argumentsOf(instruction)[0]);
    expect(froms).toEqual(['${BUILD_IMAGE}', '${BASE_IMAGE}']);
    const defaults = file.getInitialARGs().map((instruction) => argumentsOf(instruction)[0] ?? '');
    expect(defaults.map((argument) => argument.split('=')[0])).toEqual(['BUILD_IMAGE', 'BASE_IMAGE']);
    for (const base of defaults) expect(base).not.toMatch(/:latest$|=[^:]*$/);
  });

  it('copies files that exist and that .dockerignore lets through', () => {
    const ignored = readFileSync('.dockerignore', 'utf8').split('\n');
    const copied = file
      .getCOPYs()
      .flatMap((instruction) => (instruction.getFromFlag() === null ? argumentsOf(instruction).slice(0, -1) : []));
    expect(copied.length).toBeGreaterThan(3);
    expect(copied.filter((path) => !existsSync(path))).toEqual([]);
    expect(ignored).toContain('*');
    expect(ignored.filter((pattern) => pattern.startsWith('!')).sort()).toEqual(
      copied.map((path) => `!${path.replace(/\/$/, '')}`).sort(),
    );
    expect(named('ADD')).toEqual([]);
  });

  it('never needs a shell', () => {
    for (const instruction of named('RUN', 'CMD', 'ENTRYPOINT', 'HEALTHCHECK'))
      expect(commandOf(instruction).length).toBeGreaterThan(0);
    expect(named('SHELL')).toEqual([]);
    expect(named('RUN').filter(isInFinalStage)).toEqual([]);
  });

  it('runs scripts that exist', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: object };
    const run = named('RUN')
      .map(commandOf)
      .filter(([program, what]) => program === 'npm' && what === 'run');
    expect(run.map(([, , script]) => script)).toEqual(['image-files']);
    expect(scripts).toHaveProperty(['image-files']);
  });

  it('runs as a user by number, not as root', () => {
    const users = named('USER')
      .filter(isInFinalStage)
      .map((instruction) => argumentsOf(instruction)[0]);
    expect(users).toEqual([expect.stringMatching(/^[1-9]\d+:[1-9]\d+$/)]);
  });

  it('starts pannier under tini, and has a health check that asks pannier', async () => {
    const [entry, command, health] = ['ENTRYPOINT', 'CMD', 'HEALTHCHECK'].map((keyword) =>
      commandOf(named(keyword).filter(isInFinalStage)[0]),
    );
    expect(entry).toEqual(['/usr/bin/tini', '-s', '--', '/usr/bin/pannier']);
    expect(await parseCommandLine(command ?? [])).toBe('run');
    const [program, ...args] = health ?? [];
    expect(program).toBe('/usr/bin/pannier');
    expect(await parseCommandLine(args)).toBe('probe');
  });

  it('has labels as the Open Container Initiative names them, and invents no address', () => {
    const labels = named('LABEL').flatMap((instruction) =>
      [...(instruction.getArgumentsContent() ?? '').matchAll(/(\S+)="/g)].map(([, name]) => name),
    );
    expect(labels.length).toBeGreaterThan(4);
    for (const label of labels) {
      expect(label).toMatch(/^org\.opencontainers\.image\.(title|description|licenses|version|revision|base\.name)$/);
    }
  });
});

import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { planOf } from '../../src/agent/plan.ts';
import { loadConfig } from '../../src/config/load.ts';

const folders = readdirSync('examples', { withFileTypes: true }).filter((entry) => entry.isDirectory());

async function load(path: string) {
  return planOf(await loadConfig({ paths: [path], env: {}, cwd: process.cwd() }), 0);
}

describe('examples', () => {
  it('examples/README.md names each of them', () => {
    const readme = readFileSync('examples/README.md', 'utf8');
    for (const { name } of folders) expect(readme).toContain(`(${name}/)`);
  });

  it.each(folders.map(({ name }) => name))('examples/%s is a good configuration', async (name) => {
    const { outputs } = await load(`examples/${name}/pannier.yaml`);
    expect(outputs.length).toBeGreaterThan(0);
  });

  it('the configuration of the README is a good one', async () => {
    const [, yaml = ''] = /```yaml\n([\s\S]*?)```/.exec(readFileSync('README.md', 'utf8')) ?? [];
    const path = join(mkdtempSync(join(tmpdir(), 'pannier-')), 'pannier.yaml');
    writeFileSync(path, yaml);
    expect(parse(yaml)).toHaveProperty('outputs.shop');
    expect((await load(path)).outputs).toHaveLength(1);
  });

  it('the manifest runs the commands there are on a memory volume', () => {
    const manifest = parse(readFileSync('examples/kubernetes/deployment.yaml', 'utf8'));
    const { initContainers, containers, volumes } = manifest.spec.template.spec;
    expect([initContainers[0].args[0], containers[0].args[0]]).toEqual(['init', 'run']);
    expect(volumes[0].emptyDir.medium).toBe('Memory');
  });
});

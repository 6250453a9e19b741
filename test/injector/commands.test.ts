import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { answerTo, type Pod, patched } from './review.helpers.ts';

const NAME = 'vault.hashicorp.com/agent-inject-command-app';

const podWith = (command: string, more: Readonly<Record<string, string>> = {}): Pod => ({
  metadata: {
    annotations: {
      'vault.hashicorp.com/agent-inject': 'true',
      'vault.hashicorp.com/role': 'shop',
      'vault.hashicorp.com/agent-inject-secret-app': 'kv1/app',
      [NAME]: command,
      ...more,
    },
  },
  spec: { containers: [{ name: 'app', image: 'x' }] },
});

async function injected(pod: Pod): Promise<{ readonly pod: Pod; readonly output: Pod }> {
  const result = patched(pod, await answerTo(pod));
  const { outputs } = parse(result.metadata.annotations['pannier.dev/effective-config']);
  return { pod: result, output: Object.values(outputs)[0] };
}

describe('a command of vault-k8s', () => {
  it('that sends a signal becomes a signal of the agent, which sees the processes of the pod', async () => {
    const { pod, output } = await injected(podWith('kill -HUP $(pidof nginx)'));
    expect(output.reload).toEqual([{ signal: { name: 'SIGHUP', process: 'nginx', all: true } }]);
    expect(output.reloadOnFirst).toBeUndefined();
    expect(pod.spec.shareProcessNamespace).toBe(true);
  });

  it.each(['nginx -s reload', '/reload', 'kill -HUP 1', 'curl -X POST http://127.0.0.1/-/reload'])(
    'that needs a program denies the pod, and says what to do: %s',
    async (command) => {
      const { denied } = await answerTo(podWith(command));
      expect(denied).toBe(
        `${NAME} is not converted: the image of the agent has no shell and no program but the agent. For a signal ` +
          'write kill -HUP $(pidof NAME); else name an image of yours with the program in pannier.dev/image.',
      );
    },
  );

  it('is run by the image that a pod names', async () => {
    const { output } = await injected(podWith('nginx -s reload', { 'pannier.dev/image': 'shop/agent:1' }));
    expect(output.reload).toEqual([{ command: { argv: ['sh', '-c', 'nginx -s reload'] } }]);
    expect(output.reloadOnFirst).toBe(true);
  });
});

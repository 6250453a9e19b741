import { request } from 'node:http';
import { onTestFinished } from 'vitest';

export interface Event {
  readonly event: string;
  readonly id: string;
  readonly data: Record<string, unknown>;
}

/** Watches over a socket and collects the events as they come; it is closed with the test. */
export async function watch(socketPath: string, path: string, headers: object = {}) {
  const events: Event[] = [];
  let raw = '';
  let isOver = false;
  const looks = new Set<() => void>();
  const notice = () => {
    for (const look of [...looks]) look();
  };
  const sent = request({ socketPath, path, agent: false, headers: { ...headers } });
  onTestFinished(() => void sent.destroy());
  const status = await new Promise<number | undefined>((resolve, reject) => {
    sent.on('error', () => {
      isOver = true;
      notice();
    });
    sent.once('error', reject);
    sent.on('response', (answer) => {
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        raw += chunk;
        events.splice(0, events.length, ...raw.split('\n\n').slice(0, -1).flatMap(parse));
        notice();
      });
      answer.on('close', () => {
        isOver = true;
        notice();
      });
      resolve(answer.statusCode);
    });
    sent.end();
  });
  const until = (holds: () => boolean, what: string) =>
    new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no ${what} in: ${raw}`)), 10_000);
      const look = () => {
        if (!holds()) return;
        clearTimeout(timer);
        looks.delete(look);
        resolve();
      };
      looks.add(look);
      look();
    });
  return {
    status,
    events,
    raw: () => raw,
    /** Resolves with the first `count` events. */
    async first(count: number): Promise<readonly Event[]> {
      await until(() => events.length >= count, `${count} events`);
      return events.slice(0, count);
    },
    heard: (what: string) => until(() => raw.includes(what), what),
    ended: () => until(() => isOver, 'end'),
    close: () => void sent.destroy(),
  };
}

/** An event in short, such as `secret app boot-3`. */
export const brief = ({ event, id, data }: Event): string => `${event} ${String(data['name'])} ${id}`;

function parse(block: string): Event[] {
  const fields = new Map(
    block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
  );
  const [event, data] = [fields.get('event'), fields.get('data')];
  if (event === undefined || data === undefined) return [];
  return [{ event, id: fields.get('id') ?? '', data: JSON.parse(data) as Record<string, unknown> }];
}

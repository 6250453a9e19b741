import { describe, expect, it } from 'vitest';
import { signalOf } from '../../src/import/config/signal-command.ts';

describe('the command line of a shell', () => {
  const nginx = { name: 'SIGHUP', process: 'nginx', all: true };

  it.each([
    ['kill -HUP $(pidof nginx)', nginx],
    ['kill -SIGHUP `pidof nginx`', nginx],
    ['kill -s HUP "$(pidof nginx)"', nginx],
    ['kill -1 $(pgrep -x nginx)', nginx],
    ['/bin/kill -HUP $(pidof nginx) || true', nginx],
    ["/bin/sh -c 'kill -HUP $(pidof nginx) 2>/dev/null || true'", nginx],
    ['sh -c "kill -HUP $(pidof nginx)"', nginx],
    ['pkill -HUP nginx', nginx],
    ['pkill --signal HUP -x nginx >/dev/null 2>&1', nginx],
    ['killall -s HUP nginx', nginx],
    ['kill -HUP $(pidof -s nginx)', { name: 'SIGHUP', process: 'nginx' }],
    ['kill $(pidof shop.server)', { name: 'SIGTERM', process: 'shop.server', all: true }],
    ['kill -USR1 $(cat /run/shop/app.pid)', { name: 'SIGUSR1', pidFile: '/run/shop/app.pid' }],
    ["kill -USR1 $(< '/run/app.pid')", { name: 'SIGUSR1', pidFile: '/run/app.pid' }],
  ])('%s is a signal', (line, signal) => {
    expect(signalOf(line)).toEqual(signal);
  });

  it.each([
    'kill -HUP 1',
    'kill -KILL $(pidof nginx)',
    'kill -9 $(pidof nginx)',
    'kill -STOP $(cat /run/a.pid)',
    'kill -NONE $(pidof nginx)',
    'kill -0 $(pidof nginx)',
    'kill -HUP $(pidof nginx) && echo done',
    'kill -HUP $(pidof nginx) $(pidof envoy)',
    'kill -HUP $(ps aux | grep nginx)',
    'kill -HUP $(cat run/app.pid)',
    'pkill -HUP -f "nginx: master"',
    'pkill nginx.* php',
    'nginx -s reload',
    'killer -HUP nginx',
    'kill',
    `kill -HUP ${' '.repeat(2000)}$(pidof nginx)`,
    '',
  ])('%s is none', (line) => {
    expect(signalOf(line)).toBeUndefined();
  });
});

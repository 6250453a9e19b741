import { describe, expect, it } from 'vitest';
import { harmless } from '../../src/cli/start-over.ts';

describe('what is left of NODE_OPTIONS', () => {
  it.each([
    ['', ''],
    ['--max-old-space-size=100  --no-warnings', '--max-old-space-size=100  --no-warnings'],
    ['--inspect', ''],
    ['--inspect-brk=0.0.0.0:9229 --no-warnings', '--no-warnings'],
    ['--no-warnings --require ./a.js --max-old-space-size=9', '--no-warnings --max-old-space-size=9'],
    ['--require "/a b/c.js" -r ./x --import=./y', ''],
    ['--max-http-header-size=9 -r ./x', '--max-http-header-size=9'],
    ['--experimental-loader ./l --import "data:text/javascript,1"', ''],
    ['--report-on-signal --report-signal SIGUSR2 --report_directory=/tmp', ''],
    ['--heapsnapshot-signal SIGUSR2 --heap-prof --heap-prof-dir /tmp --cpu-prof', ''],
    ['--tls-keylog /tmp/k --trace-tls --tls-min-v1.2', '--tls-min-v1.2'],
    ['--openssl-config="/etc/a b" --inspect', '--openssl-config="/etc/a b"'],
    ['--diagnostic-dir=/tmp --redirect-warnings=/tmp/w --use-openssl-ca', '--use-openssl-ca'],
  ])('of %j is %j', (given, left) => {
    expect(harmless(given)).toBe(left);
    expect(harmless(left)).toBe(left);
  });
});

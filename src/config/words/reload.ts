import type { Words } from './words.ts';

/** Reload steps. */
export const reloadWords: Words = {
  'outputs.NAME.reloadOnFirst': { type: 'boolean', default: '`false`', does: 'reload also after the first generation' },
  'outputs.NAME.reloadSpread': {
    type: 'duration',
    default: '`0s`',
    does: 'the replicas of a fleet reload within this time, each at a moment of its own; at once when what the application has would end before; see [a fleet](fleet.md#reloads)',
    examples: ['2m'],
  },
  'outputs.NAME.reload': {
    type: 'list',
    default: '`[]`',
    does: 'what makes the application take a generation up, in this order; each item is a `signal`, an `http`, a `command` or a `restart`',
    examples: [[{ signal: { name: 'SIGHUP', pidFile: '/run/shop.pid' } }]],
  },
  'outputs.NAME.reload[].signal': {
    type: 'map',
    does: 'sends a signal',
    examples: [{ name: 'SIGHUP', pidFile: '/run/shop.pid' }],
  },
  'outputs.NAME.reload[].signal.name': {
    type: 'text',
    default: 'required',
    does: '`SIGHUP` or `HUP`; not `SIGKILL` or `SIGSTOP`, which nothing can handle; with exactly one of `pidFile`, `process` and `child`',
    examples: ['SIGHUP'],
  },
  'outputs.NAME.reload[].signal.pidFile': {
    type: 'path',
    does: 'file with the process id, read at each signal',
    examples: ['/run/shop.pid'],
  },
  'outputs.NAME.reload[].signal.process': {
    type: 'text',
    does: 'name of the process, looked up at each signal; see [docs/agent.md](agent.md#reload)',
    examples: ['nginx'],
  },
  'outputs.NAME.reload[].signal.all': {
    type: 'boolean',
    default: '`false`',
    does: 'with `process`: signal each when there are several',
  },
  'outputs.NAME.reload[].signal.child': {
    type: 'boolean',
    default: '`false`',
    does: 'signal the child of `pannier exec`; needs the section `exec`, and `run` refuses it',
  },
  'outputs.NAME.reload[].command': {
    type: 'map',
    does: 'runs a program, never a shell',
    examples: [{ argv: ['nginx', '-s', 'reload'] }],
  },
  'outputs.NAME.reload[].command.argv': {
    type: 'list of texts',
    default: 'required',
    does: 'the program and its arguments; a program with a slash is a path, one without is looked up on `PATH`',
    examples: [['nginx', '-s', 'reload']],
  },
  'outputs.NAME.reload[].command.timeout': { type: 'duration', default: '`30s`', does: 'ended after this' },
  'outputs.NAME.reload[].command.captureOutput': {
    type: 'boolean',
    default: '`false`',
    does: 'log the last ten lines of standard error when it fails; they may hold values, so see [docs/agent.md](agent.md#reload)',
  },
  'outputs.NAME.reload[].restart': {
    type: 'map',
    does: 'stops the child of `pannier exec` and starts it anew, as `exec.onChange: restart` does for variables',
    examples: [{ child: true }],
  },
  'outputs.NAME.reload[].restart.child': {
    type: '`true`',
    default: 'required',
    does: 'needs the section `exec`, and `run` refuses it',
    examples: [true],
  },
  'outputs.NAME.reload[].http': {
    type: 'map',
    does: 'sends one request; never through a proxy',
    examples: [{ url: 'http://127.0.0.1:8080/-/reload' }],
  },
  'outputs.NAME.reload[].http.method': {
    type: '`GET`, `HEAD`, `POST`, `PUT`, `PATCH`, `DELETE`',
    default: '`POST`',
    does: 'the method of the request',
  },
  'outputs.NAME.reload[].http.url': {
    type: 'text',
    default: 'required',
    does: '`http://` or `https://`, without user and password',
    examples: ['http://127.0.0.1:8080/-/reload'],
  },
  'outputs.NAME.reload[].http.socket': {
    type: 'path',
    does: 'unix socket to connect to, in the place of the host of `url`',
    examples: ['/run/shop/admin.sock'],
  },
  'outputs.NAME.reload[].http.expect': {
    type: 'list of numbers',
    default: 'every 2xx',
    does: 'the statuses that mean done; redirects are not followed',
    examples: [[204]],
  },
  'outputs.NAME.reload[].http.headers': {
    type: 'map',
    does: 'by header name, each a template: `Bearer {{app.token}}`; `${…}` means nothing here',
    examples: [{ Authorization: 'Bearer {{app.token}}' }],
  },
  'outputs.NAME.reload[].http.body': {
    type: 'text',
    does: 'a template; `${…}` means nothing here',
    examples: ['{"reload":true}'],
  },
  'outputs.NAME.reload[].http.caFile': {
    type: 'path',
    default: "Node's list",
    does: 'authorities that may sign the certificate of `url`, read at each request',
    examples: ['/etc/ssl/shop-ca.pem'],
  },
  'outputs.NAME.reload[].http.timeout': { type: 'duration', default: '`10s`', does: 'for the whole request' },
};

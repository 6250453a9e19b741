import { advice } from './advice.ts';
import { certificates } from './certificates.ts';
import { commands } from './commands.ts';
import { documentation } from './documentation.ts';
import { drift } from './drift.ts';
import { childOfExec } from './exec.ts';
import { fleetSection } from './fleet.ts';
import { freshness } from './freshness.ts';
import { injector } from './injector.ts';
import { keystores } from './keystores.ts';
import { kubernetesSource } from './kubernetes.ts';
import { movingIn } from './moving-in.ts';
import { outage } from './outage.ts';
import type { Kept, Section } from './promise.ts';
import { proxy } from './proxy.ts';
import { publishing } from './publishing.ts';
import { pushing } from './push.ts';
import { reload } from './reload.ts';
import { replaced } from './replaced.ts';
import { sds } from './sds.ts';
import { secrecy } from './secrecy.ts';
import { hostileInput } from './security.ts';
import { statements } from './statement.ts';
import { tracing } from './traces.ts';

/**
 * What Pannier promises to its users, sentence by sentence, each with the tests that hold it or the work that will
 * bring it. The one list: docs/promises.md is made from it, test/promises.test.ts looks that the tests are there, and
 * test/cuts/ shows for each promise that a test fails when the code breaks it.
 */
export const SECTIONS: readonly Section[] = [
  freshness,
  certificates,
  publishing,
  drift,
  reload,
  replaced,
  childOfExec,
  outage,
  fleetSection,
  secrecy,
  hostileInput,
  proxy,
  movingIn,
  documentation,
  advice,
  keystores,
  sds,
  injector,
  kubernetesSource,
  commands,
  tracing,
  statements,
  pushing,
];

export const PROMISES: readonly Kept[] = SECTIONS.flatMap(({ promises }) => promises);

import * as z from 'zod/mini';

/**
 * What `GET /v1/status` answers and `pannier status` shows: one schema for both ends. It holds no value of a secret.
 * Times are of the wall clock, RFC 3339 in UTC. A reader must accept keys that it does not know.
 */

const time = z.string();
const name = z.string();

/** See `Failure` of src/base/errors.ts. */
export const failureStatusSchema = z.object({
  code: z.string(),
  place: z.string(),
  seen: z.string(),
  hint: z.string(),
});

/** A certificate that a secret holds; all of it is public. */
export const certificateStatusSchema = z.object({
  serial: z.string(),
  subject: z.string(),
  issuer: z.string(),
  notBefore: time,
  notAfter: time,
  /** Alternative names with their kind: `DNS:shop.svc`, `IP:10.0.0.1`, `URI:spiffe://…`, `email:…`. */
  names: z.array(z.string()),
});

export const secretStatusSchema = z.object({
  name,
  backend: name,
  /** The kind of the request: `vault-kv`, `file`, … */
  kind: z.string(),
  optional: z.boolean(),
  /** The place in the template that computed its path, and the outputs that need it. Absent: it is configured. */
  computed: z.optional(z.object({ place: z.string(), outputs: z.array(name) })),
  /**
   * `waiting`: no answer has come yet. `absent`: it was fetched without success, and there is no value. `fresh`: it is
   * refreshed on schedule. `stale`: the last refresh failed, and the value is still valid. `expired`: the value is past
   * its validity, the login that its lease depends on, or `maxStale`.
   */
  state: z.enum(['waiting', 'absent', 'fresh', 'stale', 'expired']),
  /** The backend's version, or a count. Without a value it is absent, and so are the next six keys. */
  version: z.optional(z.string()),
  etag: z.optional(z.string()),
  /** When this value was first fetched. */
  changedAt: z.optional(time),
  /** When the value was last known good, and how long ago that is. */
  fetchedAt: z.optional(time),
  ageSeconds: z.optional(z.number()),
  /** `none` (polled), `lease`, `rotates`, `certificate`, `ends` (an end stands in the answer). */
  life: z.optional(z.string()),
  /** When the value stops being valid; absent: nothing is known to end it. */
  endsAt: z.optional(time),
  /** When the secret is fetched or renewed next; absent while that is under way. */
  nextAt: z.optional(time),
  /** Absent: the secret is no certificate. */
  certificate: z.optional(certificateStatusSchema),
  failure: z.optional(failureStatusSchema),
  /** What is not as it was asked for, although the value is good: a certificate with a shorter life. */
  warning: z.optional(failureStatusSchema),
});

/** One name that Envoy can ask for. */
export const servedSecretSchema = z.object({
  name: z.string(),
  kind: z.enum(['certificate', 'trust', 'generic', 'session-tickets']),
  /** The secrets that it is made of. */
  secrets: z.array(name),
  /** `awaited`: no value has come yet. `missing`: there is none, or none that can be used. */
  state: z.enum(['ready', 'awaited', 'missing']),
  version: z.optional(z.string()),
  /** How many streams follow it. */
  streams: z.number(),
  failure: z.optional(failureStatusSchema),
  /** What a client said when it refused the secret, until one takes it up again. */
  refused: z.optional(z.object({ at: time, version: z.string(), node: z.string(), seen: z.string() })),
});

export const sdsStatusSchema = z.object({
  /** Open streams. */
  streams: z.number(),
  /** How many names are issued on demand now, and how many there may be. */
  onDemand: z.optional(z.object({ names: z.number(), max: z.number() })),
  secrets: z.array(servedSecretSchema),
});

/** What one listener reads on demand by AWS's protocol. */
export const awsOnDemandStatusSchema = z.object({
  listener: z.string(),
  /** How many values it keeps, and how many there may be. */
  values: z.number(),
  max: z.number(),
  /** How many requests ended how: cached, confirmed, fetched, stale, failed, refused. */
  requests: z.record(z.string(), z.number()),
});

/** One secret in the published files of an output. */
export const statedSecretSchema = z.object({
  name,
  /** The version in the files, which `secrets[].version` of the status need not be. */
  version: z.string(),
  /** Agents have versions of their own of leases, certificates, and files of their machine. */
  own: z.boolean(),
  /** When this version was last known to be the present one, and how long ago that is. */
  fetchedAt: time,
  ageSeconds: z.number(),
  /** Whether the agent holds this value too. Absent: it holds none, yet or any more. */
  current: z.optional(z.boolean()),
});

/** What the published files of an output are made of. */
export const outputStatementSchema = z.object({
  generation: z.number(),
  /** Absent: an earlier process published the generation, and did not note when. */
  publishedAt: z.optional(time),
  /**
   * Equal for files that are made of the same versions. Absent, as the next three: an earlier process published the
   * generation, and left no note that counts.
   */
  sources: z.optional(z.string()),
  /** The identity of the configuration that the files are made with. */
  configuration: z.optional(z.string()),
  /** The version of Pannier that made the files. */
  version: z.optional(z.string()),
  secrets: z.optional(z.array(statedSecretSchema)),
  /** Whether the agent holds a newer value of some secret than the files; absent where their making is not known. */
  behind: z.optional(z.boolean()),
});

export const outputStatusSchema = z.object({
  name,
  /** Absent for `exec.env`, the environment of the child of exec. */
  dir: z.optional(z.string()),
  /**
   * `waiting`: not all of its secrets have a value. `failed`: rendering or publishing failed; the last generation
   * stays. `owed`: it is published, and the reload is not done yet, or failed. `settled`: the application has taken it
   * up; a failure then means that the mark which says so cannot be written.
   */
  state: z.enum(['waiting', 'failed', 'owed', 'settled']),
  secrets: z.array(name),
  generation: z.optional(z.number()),
  /** The earlier generations that it can be rolled back to, where the output keeps more than one; ascending. */
  kept: z.optional(z.array(z.number())),
  /** `owed`: the reload waits for the turn of this replica, see `reloadSpread`. Absent: it does not wait. */
  reloadAt: z.optional(time),
  missing: z.optional(z.array(name)),
  failure: z.optional(failureStatusSchema),
  /**
   * Older values are published than there are, and why. `generation` was taken back; absent: the newest values were
   * never published, since their check fails.
   */
  held: z.optional(z.object({ generation: z.optional(z.number()), failure: failureStatusSchema })),
  /** Another process has changed the published files, and they are not put right yet. */
  drift: z.optional(failureStatusSchema),
  /** What is published, also while the output waits or has failed. Absent: nothing, or it is not known yet. */
  statement: z.optional(outputStatementSchema),
});

export const backendStatusSchema = z.object({
  name,
  kind: z.string(),
  address: z.optional(z.string()),
  /** Absent: this kind of backend has no login of its own. */
  login: z.optional(
    z.object({
      method: z.string(),
      /** A state of src/backend/vault/auth/session.ts. The login is usable in `live`, `renewing` and `replacing`. */
      state: z.enum(['out', 'logging-in', 'live', 'renewing', 'replacing', 'dead', 'stopped']),
      /** When the login ends. Absent: it does not end, or there is none. */
      endsAt: z.optional(time),
    }),
  ),
  /**
   * The circuit breaker: `closed` when requests are sent, `open` when none is until `probeAt`, `half-open` while one
   * request finds out whether the backend answers again. Absent: this backend has none.
   */
  circuit: z.optional(z.object({ state: z.enum(['closed', 'open', 'half-open']), probeAt: z.optional(time) })),
  /**
   * The feed of changes: `up` when the backend tells of each change, so that secrets are read at once and seldom
   * polled. `since` says from when on. Absent: no feed is configured.
   */
  events: z.optional(
    z.object({
      state: z.enum(['up', 'down']),
      since: time,
      told: z.number(),
      lastAt: z.optional(time),
      failure: z.optional(failureStatusSchema),
    }),
  ),
  /** Why nothing can be fetched from it now. */
  failure: z.optional(failureStatusSchema),
});

export const statusSchema = z.object({
  version: z.string(),
  /** Differs after each start of the agent. */
  bootId: z.string(),
  startedAt: time,
  now: time,
  configuration: z.object({
    files: z.array(z.string()),
    readAt: time,
    /** Equal for agents with the same settings; a relative path counts by where it leads. */
    identity: z.optional(z.string()),
    /** The problems of a later configuration that was refused; empty when the running one is the newest. */
    refused: z.array(failureStatusSchema),
  }),
  backends: z.array(backendStatusSchema),
  secrets: z.array(secretStatusSchema),
  outputs: z.array(outputStatusSchema),
  /** Absent: the agent serves nothing to Envoy. */
  sds: z.optional(sdsStatusSchema),
  /** Absent: no listener reads what clients name by AWS's protocol. */
  awsOnDemand: z.optional(z.array(awsOnDemandStatusSchema)),
});

export type FailureStatus = z.infer<typeof failureStatusSchema>;
export type SecretStatus = z.infer<typeof secretStatusSchema>;
export type CertificateStatus = z.infer<typeof certificateStatusSchema>;
export type SdsStatus = z.infer<typeof sdsStatusSchema>;
export type AwsOnDemandStatus = z.infer<typeof awsOnDemandStatusSchema>;
export type OutputStatement = z.infer<typeof outputStatementSchema>;
export type OutputStatus = z.infer<typeof outputStatusSchema>;
export type BackendStatus = z.infer<typeof backendStatusSchema>;
export type Status = z.infer<typeof statusSchema>;

/** A digest as in-toto writes it. */
type Digest = Readonly<Record<string, string>>;

/** What a resource is, with at least one of the first two. */
interface Resource {
  readonly uri?: string;
  readonly name?: string;
  readonly digest: Digest;
}

/** A statement of in-toto (v1) with the provenance of SLSA (v1): what was made, of what, by whom. It is not signed. */
export interface Statement {
  readonly _type: 'https://in-toto.io/Statement/v1';
  readonly subject: readonly { readonly name: string; readonly digest: Digest }[];
  readonly predicateType: 'https://slsa.dev/provenance/v1';
  readonly predicate: {
    readonly buildDefinition: {
      readonly buildType: string;
      readonly externalParameters: object;
      readonly internalParameters: object;
      readonly resolvedDependencies: readonly Resource[];
    };
    readonly runDetails: { readonly builder: { readonly id: string } };
  };
}

/** What a release was made of. */
export interface Origin {
  readonly version: string;
  readonly commit: string;
  /** Whether there were changes that the commit does not have. */
  readonly hasChanges: boolean;
  readonly epoch: number;
  readonly platform: string;
  /** SHA-256 of `package-lock.json`, which names every package with its hash. */
  readonly lockFile: string;
  readonly node: { readonly version: string; readonly sha256: string };
}

/** docs/releasing.md says what the parameters are. */
const BUILD_TYPE = 'https://pannier.dev/release/v1';

/** Of a release that was made elsewhere than in a workflow: nobody but its maker vouches for it. */
const OWN_MACHINE = 'https://pannier.dev/release/v1/own-machine';

/**
 * The provenance of files, whose SHA-256 are given by name. It has no time and no number of a run, so that two runs
 * give the same bytes.
 * @param env of a workflow of GitHub, which names the repository and the workflow in it.
 */
export function provenanceOf(
  files: ReadonlyMap<string, string>,
  origin: Origin,
  env: Readonly<Record<string, string | undefined>>,
): Statement {
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository, GITHUB_WORKFLOW_REF: workflow } = env;
  const isWorkflow = server !== undefined && repository !== undefined && workflow !== undefined;
  const { version, commit, hasChanges, epoch, platform, lockFile, node } = origin;
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [...files].map(([name, sha256]) => ({ name, digest: { sha256 } })),
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: {
      buildDefinition: {
        buildType: BUILD_TYPE,
        externalParameters: { version, ...(hasChanges ? { uncommittedChanges: true } : {}) },
        internalParameters: { sourceDateEpoch: epoch, platform },
        resolvedDependencies: [
          {
            name: 'source',
            ...(isWorkflow ? { uri: `git+${server}/${repository}@${commit}` } : {}),
            digest: { gitCommit: commit },
          },
          { name: 'package-lock.json', digest: { sha256: lockFile } },
          { name: 'node', uri: `pkg:generic/node@${node.version}`, digest: { sha256: node.sha256 } },
        ],
      },
      runDetails: { builder: { id: isWorkflow ? `${server}/${workflow}` : OWN_MACHINE } },
    },
  };
}

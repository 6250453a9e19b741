/** Checks files against the schemas that the makers of their readers publish. Each check gives a list of problems. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { ensurePythonPackages } from '../servers/cache.ts';

const run = promisify(execFile);

const JSON_SCHEMA = [
  'jsonschema==4.26.0',
  'referencing==0.37.0',
  'jsonschema-specifications==2025.9.1',
  'rpds-py==2026.9.1',
  'attrs==26.1.0',
  'typing_extensions==4.16.0',
];

/** The newest Kubernetes that the manifests support. */
const NEWEST = '1.37';

/**
 * The problems that the schemas of Kubernetes find in these objects. An unknown key is a problem.
 * @param versions the oldest Kubernetes that they support, or each one; native sidecars are on by default since 1.29.
 */
export async function kubernetesProblems(
  objects: readonly object[],
  versions: string | readonly string[] = '1.29',
): Promise<readonly string[]> {
  const version = '1.37.0';
  const each = typeof versions === 'string' ? [versions, NEWEST] : versions;
  const all = [`kubernetes-validate==${version}`, 'importlib_resources==7.1.0', 'packaging==26.3', 'PyYAML==6.0.3'];
  const path = await ensurePythonPackages({ name: 'kubernetes-validate', version, all: [...all, ...JSON_SCHEMA] });
  const script = `
import kubernetes_validate as k
for o in data['objects']:
    for version in data['versions']:
        try:
            k.validate(o, version, strict=True)
        except (k.ValidationError, k.SchemaNotFoundError, k.InvalidSchemaError) as e:
            problems.append(f"{version} {o['kind']} {getattr(e, 'path', '')}: {getattr(e, 'message', e)}")
`;
  return python(path, script, { objects, versions: each });
}

/**
 * The problems that a published schema finds in a file: `compose-spec` for Docker Compose, `github-workflows`,
 * `dependabot`.
 */
export async function vendorProblems(schema: string, file: object): Promise<readonly string[]> {
  const version = '0.39.0';
  const all = [`check-jsonschema==${version}`, ...JSON_SCHEMA];
  const path = await ensurePythonPackages({ name: 'check-jsonschema', version, all });
  const script = `
import jsonschema, os
name = f"check_jsonschema/builtin_schemas/vendor/{data['schema']}.json"
schema = json.load(open(os.path.join(sys.path[0], name)))
validator = jsonschema.validators.validator_for(schema)(schema)
problems += [f"{e.json_path}: {e.message}" for e in validator.iter_errors(data['file'])]
`;
  return python(path, script, { schema, file });
}

/** A file in HCL 2 as data: each block is a list of maps, and an expression stays text, as in `\${file("x")}`. */
export async function readHcl(text: string): Promise<Record<string, unknown>> {
  const version = '8.1.4';
  const all = [`python-hcl2==${version}`, 'lark==1.3.1'];
  const path = await ensurePythonPackages({ name: 'python-hcl2', version, all });
  const [json = ''] = await python(path, 'import hcl2\nproblems.append(json.dumps(hcl2.loads(data["text"])))', {
    text,
  });
  return JSON.parse(json) as Record<string, unknown>;
}

/** The problems that the model of an AWS API finds in the parameters of a call. */
export async function awsProblems(service: string, call: string, parameters: object): Promise<readonly string[]> {
  const version = '1.44.5';
  const all = [
    `botocore==${version}`,
    'jmespath==1.1.0',
    'python-dateutil==2.9.0.post0',
    'urllib3==2.8.0',
    'six==1.17.0',
  ];
  const path = await ensurePythonPackages({ name: 'botocore', version, all });
  const script = `
from botocore.session import Session
from botocore.validate import ParamValidator
shape = Session().get_service_model(data['service']).operation_model(data['call']).input_shape
report = ParamValidator().validate(data['parameters'], shape)
if report.has_errors(): problems.append(report.generate_report())
`;
  return python(path, script, { service, call, parameters });
}

/** The problems that the reader of in-toto finds in a statement, with the provenance of SLSA that it holds. */
export async function provenanceProblems(statement: object): Promise<readonly string[]> {
  const version = '0.9.3';
  const all = [`in-toto-attestation==${version}`, 'protobuf==7.36.2'];
  const path = await ensurePythonPackages({ name: 'in-toto-attestation', version, all });
  const script = `
from google.protobuf import json_format
from in_toto_attestation.v1.statement import Statement
from in_toto_attestation.v1.statement_pb2 import Statement as Message
from in_toto_attestation.predicates.provenance.v1.provenance_pb2 import Provenance as Predicate
try:
    Statement.copy_from_pb(json_format.ParseDict(data, Message())).validate()
    json_format.ParseDict(data['predicate'], Predicate())
except (ValueError, json_format.ParseError) as e:
    problems.append(str(e))
`;
  return python(path, script, statement);
}

/** Runs a script that reads `data` and fills `problems`. */
async function python(path: string, script: string, data: object): Promise<readonly string[]> {
  const context = `import sys, json\ndata = json.load(sys.stdin)\nproblems = []\nsys.path.insert(0, sys.argv[1])\n`;
  const whole = `${context}${script}\nprint(json.dumps(problems))`;
  const ran = run('python3', ['-c', whole, path], { maxBuffer: 1 << 26 });
  ran.child.stdin?.end(JSON.stringify(data));
  const { stdout } = await ran;
  return JSON.parse(stdout) as string[];
}

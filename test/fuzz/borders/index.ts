import type { Border } from '../border.ts';
import { acmeAnswers } from './acme-answers.ts';
import { agentAnswers } from './agent-answers.ts';
import { awsAnswers } from './aws-answers.ts';
import { certificates } from './certificates.ts';
import { changes } from './changes.ts';
import { configurations } from './configuration.ts';
import { secretFiles } from './files.ts';
import { foreignConfigurations } from './foreign-configurations.ts';
import { localRequests } from './local-requests.ts';
import { sdsRequests } from './sds-requests.ts';
import { stateFile } from './state-file.ts';
import { anyTemplates } from './templates.ts';
import { vaultAnswers } from './vault-answers.ts';

/** Every border over which input from outside comes in; their shares are 100,000 together. */
export const BORDERS = [
  configurations,
  secretFiles,
  anyTemplates,
  foreignConfigurations,
  stateFile,
  vaultAnswers,
  awsAnswers,
  acmeAnswers,
  certificates,
  localRequests,
  sdsRequests,
  agentAnswers,
  changes,
] as readonly unknown[] as readonly Border[];

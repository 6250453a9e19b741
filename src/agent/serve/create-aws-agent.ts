import { type AwsAgentOptions, createAwsAgent } from '../../deliver/aws/create-aws-agent.ts';
import { overHttp } from '../../deliver/http/over-http.ts';
import type { Service } from '../../deliver/service.ts';
import type { AgentView } from './agent-view.ts';
import { apiAgent } from './api-agent.ts';

/** The API of the AWS agent on one listener. */
export function createAwsAgentOn(options: Omit<AwsAgentOptions, 'backends' | 'views'>, view: AgentView): Service {
  const all = { ...options, backends: () => view.backends.byName(), views: view.awsOnDemand };
  return overHttp(createAwsAgent(all, apiAgent(view)), { maxConnections: options.listener.maxConnections });
}

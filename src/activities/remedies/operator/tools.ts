// The tools of the operator model (MODEL-2), a closed list: what each is for, as the model reads it, and what an input has to be. None of them does
// anything: a call is read here, judged by code, and what is left goes to the door.
import * as z from 'zod';
import type { ToolDefinition } from '../../../integrations/anthropic/conversation.ts';
import type { AskedCall, OperatorCall } from '../../../policy/ops/operator-proposals.ts';

const Name = z.string().min(1).max(200);
const Words = z.string().min(1).max(1_000);
const OnService = z.strictObject({ service: Name, reason: Words });

const inputs = {
  getInfrastructureOverview: z.strictObject({}),
  sendAlert: z.strictObject({
    workspaceId: Name,
    severity: z.enum(['critical', 'warning', 'info']),
    title: z.string().min(1).max(200),
    body: z.string().max(2_000),
  }),
  recordAction: z.strictObject({ action: Words, reasoning: Words, result: Words }),
  restartService: OnService,
  redeployService: OnService,
  rollBackService: OnService,
  cleanUp: z.strictObject({ what: Name, reason: Words }),
  startCodeAgent: OnService,
} as const satisfies { readonly [tool in OperatorCall['tool']]: z.ZodType };

const descriptions: { readonly [tool in keyof typeof inputs]: string } = {
  getInfrastructureOverview: 'The state of the infrastructure as it is now. Changes nothing.',
  sendAlert: 'Tells the people on call. Use it in doubt, instead of a change.',
  recordAction:
    'Writes one line on the timeline of the incident: what was found or done, why, what came of it.',
  restartService: 'Proposes to restart the deployment of a service that serves now.',
  redeployService: 'Proposes to deploy the same version of a service again.',
  rollBackService:
    'Proposes to go back to the last healthy deployment of a service. A person has to approve it.',
  cleanUp:
    'Proposes to clear stale sessions by the DevOps API of the backend. `what` is always "staleSessions".',
  startCodeAgent:
    'Proposes to hand the logs of a service to the agent that writes code, when they point to its code.',
};

export const toolDefinitions: readonly ToolDefinition[] = Object.entries(inputs).map(([name, schema]) => {
  const { properties, required } = z.toJSONSchema(schema) as {
    readonly properties?: object;
    readonly required?: string[];
  };
  return {
    name,
    description: descriptions[name as keyof typeof inputs],
    input_schema: {
      type: 'object',
      properties: properties ?? {},
      ...(required === undefined ? {} : { required }),
      additionalProperties: false,
    },
  };
});

/** Never throws: a model may send anything. */
export function readCall(tool: string, input: unknown): AskedCall {
  if (!Object.hasOwn(inputs, tool)) return { tool: tool.slice(0, 100), call: null, problem: '' };
  const read = inputs[tool as keyof typeof inputs].safeParse(input);
  if (read.success) return { tool, call: { tool, ...read.data } as OperatorCall, problem: '' };
  const [issue] = read.error.issues;
  const field = issue?.path.join('.') || 'the input';
  return { tool, call: null, problem: `${field} does not fit: ${issue?.message ?? 'it cannot be read'}` };
}

// `untilgreen drift export`: DRIFT-4, for a button or a GitHub workflow. Reads the environment now; when it drifts, the drift remedy makes or
// updates the one rolling pull request, through the same guards as in the loop.
import type { Command } from 'commander';
import { NotFoundError, type Untilgreen } from '../../client.ts';
import { exitCodes } from '../exit-codes.ts';
import type { CommonOptions, Frame } from '../frame.ts';
import { type ByOptions, byOf, withBy, withCommon } from '../options.ts';
import { facts } from '../text/table.ts';
import { codeOf } from './remediate.ts';

type DriftOptions = CommonOptions & ByOptions & { readonly tenant?: string };

export function driftCommand(program: Command, frame: Frame): void {
  const drift = program.command('drift').description('drift of an environment');
  withBy(withCommon(drift.command('export')))
    .argument('<workspace>', 'name in the tenant file')
    .argument('<environment>', 'whose real state is written into the repository')
    .option('--tenant <name>', 'whose; default: the only one')
    .description('export now: one rolling pull request per environment')
    .action((workspace: string, environment: string, options: DriftOptions) =>
      frame.ask(options, async (client) => {
        await requireEnvironment(client, options.tenant, workspace, environment);
        const by = byOf(options, frame);
        await client.cycleNow(options.tenant, by, { signal: frame.stopped, onProgress: frame.say });
        const finding = (await client.findings(options.tenant)).find(
          (one) =>
            one.kind === 'drift' &&
            one.workspace === workspace &&
            one.target === environment &&
            one.status !== 'resolved',
        );
        if (!finding) {
          const text = `${environment} of ${workspace} does not drift: nothing to export`;
          return { json: { outcome: 'clean', workspace, environment }, text, exitCode: exitCodes.done };
        }
        const result = await client.remediate(options.tenant, finding.fingerprint, by, {
          signal: frame.stopped,
          onProgress: frame.say,
        });
        const pull = result.finding.pullRequest;
        const text = facts([
          ['outcome', `${result.outcome}: ${result.summary}`],
          ['pull request', pull === null ? 'none' : `#${pull.number}`],
          ['remedy', result.link ?? result.workflowId],
        ]);
        // A pull request that waits for its person is what was asked for.
        const exitCode =
          pull !== null && result.outcome === 'waiting' ? exitCodes.done : codeOf(result.outcome);
        return { json: result, text, exitCode };
      }),
    );
}

async function requireEnvironment(
  client: Untilgreen,
  tenant: string | undefined,
  workspace: string,
  environment: string,
): Promise<void> {
  const { config } = await client.tenants.show(tenant);
  const found = config.workspaces.find((one) => one.name === workspace);
  if (!found) {
    const known = config.workspaces.map((one) => one.name).join(', ');
    throw new NotFoundError(
      `workspace: "${workspace}" is not one of ${config.tenant}. Fix: name one of: ${known}`,
    );
  }
  if (found.drift.some((one) => one.environment === environment)) return;
  const known = found.drift.map((one) => one.environment).join(', ') || 'none is configured';
  throw new NotFoundError(
    `environment: "${environment}" is not one of ${workspace}. Fix: name one of: ${known}`,
  );
}

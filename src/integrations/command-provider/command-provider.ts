// A provider of command lines on the worker's machine: systemd, Docker, a supervisor of one's own. The service is in SERVICE, never in the line. What a
// command itself starts ends with it (../process), so it asks whoever runs the services. Bounded time and output; nothing is tried again.
import type { CommandProviderSettings } from '../../contract/ops/settings.ts';
import { type CommandResult, cleanEnvironment, runCommand } from '../process/run-command.ts';
import { type Provider, type ProviderCall, ProviderFailure, type WriteCall } from '../provider/provider.ts';
import { type PrintedService, printedLines, printedServices, shown } from './output.ts';

export type CommandProviderParts = {
  /** Where the commands run when the settings name no directory; must be there. */
  readonly directory: string;
  /** For people. */
  readonly project: string;
  readonly environment: string;
};

type Setting = 'status' | 'logs' | 'restart' | 'redeploy' | 'rollBack';
type Variables = { readonly [name: string]: string };

const maxOutputBytes = 4_000_000;
const stopGraceMs = 2_000;

export function createCommandProvider(
  settings: CommandProviderSettings,
  parts: CommandProviderParts,
): Provider {
  const { redeploy, rollBack } = settings;

  const run = async (
    setting: Setting,
    variables: Variables,
    call: ProviderCall,
    beforeStart?: () => void,
  ): Promise<string> => {
    call.signal.throwIfAborted();
    const cwd = settings.directory ?? parts.directory;
    let fence: unknown;
    let started = false;
    let result: CommandResult;
    try {
      result = await runCommand({
        argv: ['bash', '-c', settings[setting] ?? ''],
        cwd,
        env: { ...cleanEnvironment(), ...variables },
        timeoutMs: settings.timeoutMs,
        maxOutputBytes,
        stopGraceMs,
        signal: call.signal,
        beforeStart: () => {
          try {
            beforeStart?.();
          } catch (error) {
            fence = error;
            throw error;
          }
          started = true;
        },
      });
    } catch (error) {
      if (error === fence) throw error;
      const said = error instanceof Error ? error.message : String(error);
      throw new ProviderFailure(
        `services.provider.${setting} did not start in ${cwd}: ${said}; check services.provider.directory`,
        { kind: started ? 'doubt' : 'refused', cause: error },
      );
    }
    const failure = failureOf(setting, result, settings.timeoutMs, beforeStart !== undefined);
    if (failure !== null) throw failure;
    return result.stdout;
  };

  const services = async (call: ProviderCall): Promise<readonly PrintedService[]> =>
    printedServices(await run('status', {}, call), rollBack !== undefined);
  const write = async (
    setting: Setting,
    of: { readonly id: string; readonly serviceId: string },
    call: WriteCall,
  ): Promise<void> => {
    await run(setting, { SERVICE: of.serviceId, DEPLOYMENT: of.id }, call, call.assertMayWrite);
  };

  return {
    overview: async (call) => ({
      project: parts.project,
      environment: parts.environment,
      dashboardUrl: settings.dashboardUrl ?? null,
      services: (await services(call)).map(({ service }) => service),
    }),
    deployments: async (serviceId, limit, call) => {
      const all = await services(call);
      const found = all.find(({ service }) => service.id === serviceId);
      if (found !== undefined) return found.deployments.slice(0, limit);
      const names = all.map(({ service }) => service.name).join(', ');
      throw new ProviderFailure(
        `service "${serviceId}" is not what services.provider.status printed (${names || 'none'}); name one of these`,
        { kind: 'refused' },
      );
    },
    // There is no build here to have a log.
    logs: async ({ serviceId, deploymentId = '', kind, limit, sinceMs = 0 }, call) => {
      if (kind === 'build') return [];
      const variables = { SERVICE: serviceId, DEPLOYMENT: deploymentId, LINES: String(limit) };
      const lines = printedLines(await run('logs', variables, call), Date.now());
      return lines.filter(({ atMs }) => atMs >= sinceMs).slice(-limit);
    },
    restart: (deployment, call) => write('restart', deployment, call),
    ...(redeploy === undefined
      ? {}
      : {
          redeploy: async (deployment, call) => {
            await write('redeploy', deployment, call);
            return { deploymentId: null };
          },
        }),
    ...(rollBack === undefined ? {} : { rollBack: (to, call) => write('rollBack', to, call) }),
  };
}

/** A command that wrote and did not end well may have done a part of it. */
function failureOf(
  setting: Setting,
  result: CommandResult,
  timeoutMs: number,
  writes: boolean,
): ProviderFailure | null {
  const what = `services.provider.${setting}`;
  const said = shown(result.stderr.trim() === '' ? result.stdout : result.stderr);
  const words = said === '' ? '' : `: ${said}`;
  switch (result.end) {
    case 'notFound':
      return new ProviderFailure(`${what} cannot run: bash is not on the worker's PATH; install it`, {
        kind: 'unreached',
      });
    case 'aborted':
      return new ProviderFailure(`${what} was cancelled${words}`, { kind: 'doubt' });
    case 'timedOut':
      return new ProviderFailure(
        `${what} took longer than ${timeoutMs / 1_000} s and was ended${words}; make it faster, or raise services.provider.timeout`,
        { kind: 'doubt' },
      );
    case 'exited':
      if (result.exitCode === 0) return null;
      return new ProviderFailure(
        `${what} ended with ${result.exitCode === null ? `signal ${result.signal}` : `exit code ${result.exitCode}`}${words}; exit code 0 means done`,
        { kind: writes ? 'doubt' : 'refused' },
      );
  }
}

// `untilgreen doctor`: what this machine and its servers lack, and the fix for each. It changes nothing and downloads nothing.
import { tmpdir } from 'node:os';
import { Connection } from '@temporalio/client';
import type { Command } from 'commander';
import { type Endpoints, findEndpoints } from '../../client/endpoints.ts';
import { asPostgresError, postgresAddress } from '../../client/errors.ts';
import { queueNames, searchAttributes } from '../../contract/names.ts';
import { findOnPath } from '../../embedded/machine/child-process.ts';
import { runTool } from '../../embedded/machine/tool.ts';
import { findSandbox } from '../../integrations/sandbox/find-sandbox.ts';
import { createPool } from '../../store/database.ts';
import { exitCodes } from '../exit-codes.ts';
import { type CommonOptions, type Frame, registerUrl } from '../frame.ts';
import { withCommon } from '../options.ts';
import { table } from '../text/table.ts';
import { type Check, tenantChecks } from './doctor-tenants.ts';

const toolTimeoutMs = 10_000;
const rpcDeadlineMs = 4_000;

export function doctorCommand(program: Command, frame: Frame): void {
  withCommon(program.command('doctor'))
    .description('what is missing here, and how to fix it')
    .action((options: CommonOptions) =>
      frame.run(options, async () => {
        const checks = await allChecks(frame, options.data);
        const lost = checks.some(({ name, ok }) => !ok && (name === 'postgres' || name === 'temporal'));
        const exitCode = lost
          ? exitCodes.unreachable
          : checks.every(({ ok }) => ok)
            ? exitCodes.done
            : exitCodes.failed;
        return {
          json: { ok: exitCode === exitCodes.done, checks },
          text: table(
            ['check', 'ok', 'found', 'fix'],
            checks.map(({ name, ok, found, fix }) => [
              name,
              ok ? 'yes' : 'NO',
              found,
              fix === '' ? null : fix,
            ]),
          ),
          exitCode,
        };
      }),
    );
}

async function allChecks(frame: Frame, dataDir: string | undefined): Promise<readonly Check[]> {
  const { env } = frame;
  const machine = await Promise.all([nodeCheck(), gitCheck(), sandboxCheck()]);
  let endpoints: Endpoints;
  try {
    endpoints = await findEndpoints({ env, ...(dataDir === undefined ? {} : { dataDir }) });
  } catch (error) {
    const fix = 'run "untilgreen up", or set DATABASE_URL and TEMPORAL_ADDRESS';
    return [...machine, { name: 'postgres', ok: false, found: messageOf(error), fix }];
  }
  registerUrl(frame.redactor, endpoints.databaseUrl);
  const servers = await Promise.all([postgresChecks(endpoints, frame), temporalChecks(endpoints, env)]);
  return [...machine, ...servers.flat()];
}

async function nodeCheck(): Promise<Check> {
  const ok = Number.parseInt(process.versions.node, 10) >= 24;
  return {
    name: 'node',
    ok,
    found: process.versions.node,
    fix: ok ? '' : 'run it by bin/untilgreen, or install Node 24',
  };
}

async function gitCheck(): Promise<Check> {
  const path = findOnPath('git');
  if (path === undefined)
    return { name: 'git', ok: false, found: 'not on PATH', fix: 'install git 2.38 or later' };
  const { ok, output } = await runTool([path, '--version'], { timeoutMs: toolTimeoutMs });
  return { name: 'git', ok, found: output.trim(), fix: ok ? '' : 'see what "git --version" says' };
}

async function sandboxCheck(): Promise<Check> {
  const found = await findSandbox({
    mode: 'required',
    view: { readOnlyPaths: [], pathPrepend: [], hide: [tmpdir()] },
    download: false,
  });
  if (found.kind !== 'unavailable') return { name: 'sandbox', ok: true, found: found.kind, fix: '' };
  return {
    name: 'sandbox',
    ok: false,
    found: found.reason,
    fix: 'install bubblewrap; a worker also fetches it from PyPI when it is needed. Until then no command of a repository runs',
  };
}

async function postgresChecks({ databaseUrl }: Endpoints, frame: Frame): Promise<readonly Check[]> {
  const pool = createPool(databaseUrl, () => {}, 1);
  const address = postgresAddress(databaseUrl);
  try {
    const { rows } = await pool.query(
      `select current_setting('server_version') as version, to_regclass('tenants') is not null as there`,
    );
    const there = rows[0]?.there === true;
    const server: Check = {
      name: 'postgres',
      ok: there,
      found: `${rows[0]?.version} at ${address}${there ? '' : ', without our tables'}`,
      fix: there ? '' : 'run "untilgreen migrate"',
    };
    return there ? [server, ...(await tenantChecks(pool, frame))] : [server];
  } catch (error) {
    const known = asPostgresError(error, databaseUrl);
    return [
      { name: 'postgres', ok: false, found: messageOf(known), fix: 'start it, or correct DATABASE_URL' },
    ];
  } finally {
    await pool.end();
  }
}

async function temporalChecks(endpoints: Endpoints, env: NodeJS.ProcessEnv): Promise<readonly Check[]> {
  const { temporal } = endpoints;
  if (temporal === undefined)
    return [
      {
        name: 'temporal',
        ok: false,
        found: 'no address',
        fix: 'run "untilgreen up", or set TEMPORAL_ADDRESS',
      },
    ];
  let connection: Connection | undefined;
  try {
    const { address, namespace, tls, apiKey } = temporal;
    connection = await Connection.connect({
      address,
      connectTimeout: rpcDeadlineMs,
      ...(tls === undefined ? {} : { tls }),
      ...(apiKey === undefined ? {} : { apiKey }),
    });
    const { workflowService, operatorService } = connection;
    const info = await workflowService.getSystemInfo({});
    const checks: Check[] = [
      {
        name: 'temporal',
        ok: true,
        found: `${info.serverVersion} at ${address}, namespace ${namespace}`,
        fix: '',
      },
    ];
    const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
    const missing = Object.values(searchAttributes).filter(
      (name) => !Object.hasOwn(customAttributes ?? {}, name),
    );
    checks.push({
      name: 'search attributes',
      ok: missing.length === 0,
      found: missing.length === 0 ? 'registered' : `missing: ${missing.join(', ')}`,
      fix:
        missing.length === 0
          ? ''
          : `temporal operator search-attribute create --type Keyword ${missing.map((name) => `--name ${name}`).join(' ')}`,
    });
    const queue = queueNames(env.UNTILGREEN_QUEUE_PREFIX || undefined).workflows;
    const { pollers } = await workflowService.describeTaskQueue({
      namespace,
      taskQueue: { name: queue },
      taskQueueType: 1,
    });
    const count = pollers?.length ?? 0;
    checks.push({
      name: 'worker',
      ok: count > 0,
      found: `${count} on queue ${queue}`,
      fix: count > 0 ? '' : 'run "untilgreen worker", or "untilgreen up"',
    });
    return checks;
  } catch (error) {
    return [
      { name: 'temporal', ok: false, found: messageOf(error), fix: 'start it, or correct TEMPORAL_ADDRESS' },
    ];
  } finally {
    await connection?.close();
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

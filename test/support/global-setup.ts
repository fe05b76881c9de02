// The servers of one test run, in vitest's main process: Postgres, Temporal and the workflow bundle, each made once
// and only when the first test asks for it (over a loopback address, since tests run in forks). All of it dies with
// this process. The programs are fetched or built before the first test, since that takes minutes on a new machine.
// Nothing here may be imported by tests.

import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { ensureAct } from '../../demo/forge/ci/act/program.ts';
import { searchAttributes } from '../../src/contract/names.ts';
import { freePort } from '../../src/embedded/machine/ports.ts';
import { startPostgres } from '../../src/embedded/postgres.ts';
import { migrateOwnSchema } from '../../src/embedded/schema.ts';
import { startTemporal } from '../../src/embedded/temporal.ts';
import { ensureTemporalBinary } from '../../src/embedded/temporal-binary.ts';
import { TEMPLATE_DATABASE, type TestResources } from './temporal/test-servers.ts';
import { ensureTimeSkippingServer } from './temporal/time-skipping-server.ts';

const WORKFLOWS = fileURLToPath(new URL('../../src/workflows/index.ts', import.meta.url));

type Undo = (() => Promise<unknown>)[];

/** Called by vitest once for a run; returns what it calls at the end. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const undo: Undo = [];
  const programs = {
    temporal: ensureTemporalBinary({ progress }),
    timeSkipping: ensureTimeSkippingServer(progress),
  };
  await Promise.allSettled(Object.values(programs)); // a failure belongs to the tests that need the program
  const makers: { [Name in keyof TestResources]: () => Promise<TestResources[Name]> } = {
    postgres: once(() => preparePostgres(undo)),
    temporal: once(async () => prepareTemporal(await programs.temporal, undo)),
    workflows: once(() => bundleWorkflows(undo)),
    timeSkipping: once(async () => ({ binary: await programs.timeSkipping })),
    act: once(async () => ({ binary: await ensureAct({ progress }) })),
  };
  const server = createServer((request, response) => {
    const name = (request.url ?? '').slice(1);
    const maker = isResource(name, makers) ? makers[name] : () => Promise.reject(new Error(`no ${name}`));
    maker().then(
      (resource) => response.end(JSON.stringify(resource)),
      (error: unknown) => response.writeHead(500).end(error instanceof Error ? error.stack : String(error)),
    );
  });
  server.requestTimeout = 0;
  project.provide('testServers', `http://127.0.0.1:${await listen(server)}`);
  return async () => {
    server.closeAllConnections();
    server.close();
    await Promise.allSettled(undo.map((step) => step()));
  };
}

async function preparePostgres(undo: Undo): Promise<TestResources['postgres']> {
  const server = await startPostgres({ port: await freePort() });
  undo.push(() => server.stop());
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  await client.query(`create database ${TEMPLATE_DATABASE}`);
  await client.end();
  const template = new URL(server.url);
  template.pathname = `/${TEMPLATE_DATABASE}`;
  await migrateOwnSchema(template.href);
  return { url: server.url };
}

async function prepareTemporal(binary: string, undo: Undo): Promise<TestResources['temporal']> {
  const server = await startTemporal({
    binary,
    port: await freePort(),
    httpPort: await freePort(),
    metricsPort: await freePort(),
    searchAttributes: Object.fromEntries(Object.values(searchAttributes).map((name) => [name, 'Keyword'])),
  });
  undo.push(() => server.stop());
  return { address: server.address, metricsUrl: server.metricsUrl ?? '' };
}

async function bundleWorkflows(undo: Undo): Promise<TestResources['workflows']> {
  if (!existsSync(WORKFLOWS)) throw new Error(`${WORKFLOWS} does not exist, so there is nothing to bundle`);
  const folder = await mkdtemp(join(tmpdir(), 'untilgreen-bundle-'));
  undo.push(() => rm(folder, { recursive: true, force: true }));
  const { code } = await bundleWorkflowCode({ workflowsPath: WORKFLOWS });
  const codePath = join(folder, 'workflows.js');
  await writeFile(codePath, code);
  return { codePath };
}

function progress(line: string): void {
  console.error(`[test servers] ${line}`);
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

function isResource(name: string, makers: object): name is keyof TestResources {
  return Object.hasOwn(makers, name);
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}

// How a test reaches the servers of its run, which vitest's main process starts when first asked. It starts nothing.

import { inject } from 'vitest';

/** The migrated database that test databases are copied from. */
export const TEMPLATE_DATABASE = 'untilgreen_template';

export interface TestResources {
  postgres: { url: string };
  temporal: { address: string; metricsUrl: string };
  workflows: { codePath: string };
  timeSkipping: { binary: string };
  /** Not of every machine: see `testAct`. */
  act: { binary: string };
}

declare module 'vitest' {
  interface ProvidedContext {
    testServers: string;
  }
}

/** Asks for a server or a file of the run; the first asker waits until it is made. */
export async function testResource<Name extends keyof TestResources>(
  name: Name,
): Promise<TestResources[Name]> {
  const answer = await fetch(`${inject('testServers')}/${name}`);
  if (!answer.ok) throw new Error(`the test run has no ${name}: ${await answer.text()}`);
  return (await answer.json()) as TestResources[Name];
}

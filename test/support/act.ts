// `act` for the tests that need it for real; where it cannot be had, they are skipped with the reason.
import type { TestContext } from 'vitest';
import { testResource } from './temporal/test-servers.ts';

/** Path of the program. The first asker on a machine without one waits half a minute for its build. */
export async function testAct(context: Pick<TestContext, 'skip'>): Promise<string> {
  try {
    return (await testResource('act')).binary;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    console.warn(`skipped: ${reason}`);
    return context.skip(reason);
  }
}

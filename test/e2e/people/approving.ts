// What tests of approvals share: reading what is asked on the forge, deciding over a channel, waiting until a comment was read.
import { tenantWorkflowId, updates } from '../../../src/contract/names.ts';
import type { World } from '../rig.ts';

export type Asked = { readonly hash: string; readonly issue: number };

/** The newest question that stands on the forge for everybody to read. */
export async function asked(world: World, notHash = ''): Promise<Asked> {
  return world.until('a comment that asks for approval', async () => {
    for (const issue of await world.issues()) {
      for (const comment of [...(await world.comments(issue.number))].reverse()) {
        const hash = /`\/approve ([0-9a-f]{6,64})`/.exec(comment.body)?.[1];
        if (hash !== undefined && hash !== notHash && comment.user.login === 'untilgreen-agent')
          return { hash, issue: issue.number };
      }
    }
    return undefined;
  });
}

export async function start(world: World): Promise<void> {
  await world.startWorker();
  await world.startLoop();
}

export async function approval(
  world: World,
  hash: string,
): Promise<{ state: string; reason: string; channel: string }> {
  const { rows } = await world.own.pool.query(
    'select state, reason, channel from approvals where tenant = $1 and starts_with(hash, $2)',
    [world.tenant, hash],
  );
  return rows[0];
}

export async function decide(world: World, input: object): Promise<{ result: string; message: string }> {
  return world.temporal.client.workflow
    .getHandle(tenantWorkflowId(world.tenant))
    .executeUpdate(updates.decide, { args: [input] });
}

/** Waits until the loop has read the comment. */
export async function isRead(world: World, write: () => Promise<unknown>): Promise<void> {
  await write();
  const mark = await world.forge.journal.mark();
  await world.until('the comments are read', async () => {
    const reads = await world.forge.journal.requests({
      after: mark,
      pathPattern: '/issues/comments\\?',
    });
    return reads.some(({ status }) => status === 200);
  });
  await world.cycles(1);
}

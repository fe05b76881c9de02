// What the source `deployments` saw last, as far as effects on services go by it: how many services there are, and whether a platform is out (DEPLOY-3).
import * as z from 'zod';
import type { OutageState } from '../../policy/ops/ladder/outage.ts';
import type { Queryable } from '../database.ts';

export type Watch = {
  readonly workspace: string;
  readonly watched: number;
  readonly outage: OutageState | null;
};

const Row = z.object({
  workspace: z.string(),
  watched: z.number().nullable(),
  outage: z
    .object({ sinceMs: z.number(), reason: z.string(), clearSinceMs: z.number().nullable() })
    .nullable()
    .catch(null),
});

/** Of each workspace of a tenant that was read. Not the whole memory: claims wait for this. */
export async function readWatches(db: Queryable, tenant: string): Promise<readonly Watch[]> {
  const { rows } = await db.query(
    `select workspace, (memory ->> 'watched')::float8 as watched, memory -> 'outage' as outage
     from source_memory where tenant = $1 and source = 'deployments'`,
    [tenant],
  );
  return z
    .array(Row)
    .parse(rows)
    .map(({ watched, ...rest }) => ({ ...rest, watched: watched ?? 0 }));
}

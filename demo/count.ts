// The count of what landed outside (DUR-1): from the journals of the forge and of the supervisor and from the database, held against our receipts.
import pg from 'pg';
import type { EffectRow } from '../src/store/history.ts';
import type { JournalWrite } from './forge/operations.ts';
import type { JournalEntry } from './production/supervisor.ts';
import { agentLogin, type World } from './world.ts';

export type Count = {
  readonly ok: boolean;
  /** How many landed on the forge, by kind of effect; migrations from the database, restarts from the supervisor. */
  readonly landed: Readonly<Record<string, number>>;
  readonly problems: readonly string[];
};

/** DUR-1: everything that landed, landed once, and every receipt has landed. From the journals of forge and supervisor, and the database. */
export async function countEffects(world: World, receipts: readonly EffectRow[]): Promise<Count> {
  const writes = await world.forge.journal.writes({ actor: agentLogin });
  const restarts = await world.production.journal();
  const client = new pg.Client({ connectionString: world.shopDatabaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query('select version from schema_migrations');
    const migrations = rows.map(({ version }: { version: string }) => version);
    return tally({ writes, migrations, restarts }, receipts);
  } finally {
    await client.end();
  }
}

/** What the outside says that was done to it. */
export type Outside = {
  readonly writes: readonly JournalWrite[];
  /** Applied versions. */
  readonly migrations: readonly string[];
  readonly restarts: readonly Pick<JournalEntry, 'kind' | 'service'>[];
};
type Counted = Pick<EffectRow, 'key' | 'kind' | 'target' | 'outcome' | 'result'>;

/** Pure: what the outside says and our receipts in, what is wrong out. */
export function tally({ writes, migrations, restarts }: Outside, receipts: readonly Counted[]): Count {
  const seen = new Map<string, number>();
  const note = (kind: string, what: string): void => {
    const name = `${kind} ${what}`;
    seen.set(name, (seen.get(name) ?? 0) + 1);
  };
  for (const write of writes) {
    if (write.kind === 'pullCreated') note('openPullRequest', write.ref ?? '');
    if (write.kind === 'issueOpened') note('openIssue', write.marker ?? `#${write.number}`);
    if (write.kind === 'commentCreated') note('commentOnIssue', write.marker ?? `${write.commentId}`);
    if (write.kind === 'pullMerged') note('mergePullRequest', `#${write.number}`);
    if (write.kind === 'runRerun') note('rerunFailedJobs', `run ${write.runId}`);
    if (write.kind === 'refUpdated' && write.via === 'git' && !isDeletion(write))
      note('pushBranch', write.newSha ?? '');
  }
  for (const version of migrations) note('rowOfMigration', version);
  // Nothing of the effect stands in these: they are told apart by their number.
  const repeatable = new Map<string, number>();
  const noteRepeatable = (name: string): void => {
    repeatable.set(name, (repeatable.get(name) ?? 0) + 1);
  };
  for (const { kind, service } of restarts) noteRepeatable(`${kind}Service ${service}`);
  for (const write of writes)
    if (write.kind === 'issueUpdated' && write.state === 'closed')
      noteRepeatable(`closeIssue #${write.number}`);
  const landed: Record<string, number> = {};
  const problems: string[] = [];
  for (const [name, times] of seen) {
    const kind = name.slice(0, name.indexOf(' '));
    landed[kind] = (landed[kind] ?? 0) + times;
    if (times > 1) problems.push(`${name} landed ${times} times`);
  }
  const given = new Map<string, { sure: number; most: number }>();
  for (const receipt of receipts) {
    const name = repeatableNameOf(receipt);
    if (name === undefined || receipt.outcome === null) continue;
    const sum = given.get(name) ?? { sure: 0, most: 0 };
    // At most once: of one that was interrupted nobody knows.
    if (receipt.outcome === 'applied') sum.sure += 1;
    if (receipt.outcome === 'applied' || receipt.outcome === 'unknown') sum.most += 1;
    given.set(name, sum);
  }
  for (const name of new Set([...repeatable.keys(), ...given.keys()])) {
    const times = repeatable.get(name) ?? 0;
    const { sure, most } = given.get(name) ?? { sure: 0, most: 0 };
    const kind = name.slice(0, name.indexOf(' '));
    if (times > 0) landed[kind] = (landed[kind] ?? 0) + times;
    if (times > most) problems.push(`${name} landed ${times} times and has ${most} receipts`);
    if (times < sure) problems.push(`${name} has ${sure} receipts and landed ${times} times`);
  }
  for (const receipt of receipts) {
    const name = nameOf(receipt);
    if (receipt.outcome === 'applied' && name !== undefined && !seen.has(name))
      problems.push(`${name} has a receipt and did not land`);
  }
  return { ok: problems.length === 0, landed, problems };
}

function isDeletion({ newSha }: JournalWrite): boolean {
  return newSha === undefined || /^0+$/.test(newSha);
}

/** The journal's name of what a receipt says was written; undefined for effects outside of the forge. */
function nameOf({ key, kind, result }: Pick<EffectRow, 'key' | 'kind' | 'result'>): string | undefined {
  switch (kind) {
    case 'openIssue':
    case 'commentOnIssue':
      return `${kind} untilgreen:${key.slice(0, 24)}`;
    case 'pushBranch':
      return `${kind} ${result?.commitSha}`;
    case 'mergePullRequest':
      return `${kind} #${result?.number}`;
    default:
      return undefined;
  }
}

/** The same of effects that leave no mark of their own: a service's target ends with its name. */
function repeatableNameOf({ kind, target }: Counted): string | undefined {
  switch (kind) {
    case 'restartService':
    case 'redeployService':
      return `${kind} ${target.slice(target.lastIndexOf('/') + 1)}`;
    case 'closeIssue':
      return `${kind} ${target.slice(target.lastIndexOf('#'))}`;
    default:
      return undefined;
  }
}

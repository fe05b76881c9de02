// From what a person typed to what is meant: a tenant, a finding, an approval. What is not there is answered with the nearest name and
// the command that lists them.
import { distance } from 'fastest-levenshtein';
import type { Queryable } from '../store/database.ts';
import { activeFindings, type FindingRow, findFinding } from '../store/findings.ts';
import { tenantNames } from '../store/status.ts';
import { readTenant, type TenantRow } from '../store/tenants.ts';
import { NotFoundError, UsageError } from './errors.ts';

/** The tenant of that name, or the only one when none is named. */
export async function requireTenant(db: Queryable, name: string | undefined): Promise<TenantRow> {
  const wanted = name ?? (await onlyTenant(db));
  const row = await readTenant(db, wanted);
  if (row && !row.removed) return row;
  const names = await tenantNames(db);
  throw new NotFoundError(`tenant "${clip(wanted)}" is not registered. ${suggestion(wanted, names)}`);
}

async function onlyTenant(db: Queryable): Promise<string> {
  const names = await tenantNames(db);
  const [only] = names;
  if (only !== undefined && names.length === 1) return only;
  throw new UsageError(
    names.length === 0
      ? 'no tenant is registered. Run "untilgreen tenant apply -f tenant.yaml"'
      : `which tenant? Name one of: ${names.slice(0, 20).join(', ')}`,
  );
}

function suggestion(wanted: string, names: readonly string[]): string {
  if (names.length === 0) return 'None is: run "untilgreen tenant apply -f tenant.yaml"';
  const near = nearest(wanted, names);
  const meant = near === undefined ? '' : `Did you mean "${near}"? `;
  return `${meant}Run "untilgreen tenant list" for all ${names.length}`;
}

/** The name closest to what was typed, when it is close. */
export function nearest(wanted: string, names: readonly string[]): string | undefined {
  const [best] = names
    .map((name) => ({ name, far: name.startsWith(wanted) ? 0 : distance(wanted, name) }))
    .sort((a, b) => a.far - b.far);
  return best !== undefined && best.far <= Math.max(2, Math.ceil(wanted.length / 3)) ? best.name : undefined;
}

/** By the beginning of its fingerprint (6 hex digits or more), or by the id of its workflow run; the latest occurrence. */
export async function requireFinding(db: Queryable, tenant: string, wanted: string): Promise<FindingRow> {
  const text = wanted.toLowerCase();
  if (/^[0-9a-f]{6,64}$/.test(text)) {
    const found = await findFinding(db, tenant, text);
    if (found.length > 1)
      throw new UsageError(`"${text}" is the beginning of ${found.length} findings: give more of it`);
    if (found[0]) return found[0];
  }
  const active = await activeFindings(db, tenant);
  const ofRun = active.filter(({ detail }) => detail.kind === 'ci' && String(detail.runId) === text);
  if (ofRun.length > 1) {
    const names = ofRun.map(({ fingerprint }) => fingerprint.slice(0, 12)).join(', ');
    throw new UsageError(`run ${text} has ${ofRun.length} failing jobs: name one of ${names}`);
  }
  if (ofRun[0]) return ofRun[0];
  const near = nearest(
    text,
    active.map(({ fingerprint }) => fingerprint.slice(0, Math.max(6, text.length))),
  );
  const meant = near === undefined ? '' : `Did you mean "${near}"? `;
  throw new NotFoundError(
    `finding "${clip(wanted)}" of tenant ${tenant} is not known: give at least 6 hex digits of its fingerprint, or the id of its run. ${meant}Run "untilgreen findings ${tenant}"`,
  );
}

export function clip(text: string): string {
  return text.slice(0, 80);
}

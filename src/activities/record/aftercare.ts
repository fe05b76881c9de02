// The records of aftercare (CI-10), as activities. Postgres only.
import type { CareActivities } from '../../contract/aftercare.ts';
import { noteCare, readCare } from '../../store/aftercare.ts';
import { transaction } from '../../store/database.ts';
import { readTenant } from '../../store/tenants.ts';
import type { Services } from '../services.ts';
import { asActivity } from '../temporal.ts';

export function createCareActivities(services: Services): CareActivities {
  const { pool, redactor } = services;
  return {
    readCare: (ref) =>
      asActivity(redactor, async () => {
        const row = await readTenant(pool, ref.tenant);
        return row && !row.removed ? readCare(pool, ref, row.config) : null;
      }),
    noteCare: ({ note, nowMs, ...ref }) =>
      asActivity(redactor, () =>
        transaction(pool, (tx) =>
          noteCare(tx, ref, { ...note, reason: redactor.redact(note.reason).slice(0, 1_000) }, nowMs),
        ),
      ),
  };
}

// One look of the watchdog by a process of its own, with what it needs and nothing more.
import { createAlertEffects } from '../activities/effects/alert.ts';
import { createDoor } from '../activities/effects/door.ts';
import { createServices } from '../activities/services.ts';
import { temporalConnector } from '../client/context.ts';
import type { Endpoints } from '../client/endpoints.ts';
import { asPostgresError } from '../client/errors.ts';
import { createSecretResolver } from '../config/secrets.ts';
import { createRedactor } from '../logs/redact/redact-values.ts';
import { createPool } from '../store/database.ts';
import { lookAtLoops, type Watched } from './look.ts';

const lookMs = 120_000;

/** Null: another one is looking. @throws UnreachableError when Postgres does not answer */
export async function openWatchdog(
  endpoints: Endpoints,
  env: NodeJS.ProcessEnv,
  console: (line: string) => void,
): Promise<readonly Watched[] | null> {
  const redactor = createRedactor();
  redactor.register('DATABASE_URL', endpoints.databaseUrl);
  const pool = createPool(endpoints.databaseUrl, () => {}, 3);
  const temporal = temporalConnector(endpoints);
  const secrets = createSecretResolver({ env, redactor });
  const services = createServices({ pool, redactor, secrets, cacheDir: endpoints.dataDir });
  try {
    return await lookAtLoops({
      pool,
      door: createDoor({ pool, redactor, definitions: createAlertEffects(services, console) }),
      client: await temporal.client().catch(() => null),
      nowMs: Date.now(),
      signal: AbortSignal.timeout(lookMs),
    });
  } catch (error) {
    throw asPostgresError(error, endpoints.databaseUrl);
  } finally {
    await temporal.close();
    await pool.end();
  }
}

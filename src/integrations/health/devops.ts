// HEALTH-1, INC-5: what the backend says of itself by its DevOps API.
import type { DevopsCheck } from '../../contract/ops/health-settings.ts';
import { createDevopsApi } from '../devops-api/client.ts';
import { DevopsApiError } from '../devops-api/errors.ts';
import { type CheckContext, CheckUnusable, type Verdict } from './check.ts';
import { fullUrl } from './http/placeholders.ts';
import { noAnswer } from './no-answer.ts';

/** @throws CheckUnusable when the secret cannot be sent in a header */
export async function checkDevops(settings: DevopsCheck, context: CheckContext): Promise<Verdict> {
  const secret = context.value(settings.secret);
  if (!/^[\x20-\x7e]+$/.test(secret))
    throw new CheckUnusable('the secret has a character that headers cannot hold');
  const url = fullUrl(context.value(settings.url), '').href;
  try {
    const health = await createDevopsApi({ url, secret, signal: context.signal }).health();
    const unwell = health.unwell.length === 0 ? '' : `: ${health.unwell.join(', ')}`;
    return {
      ok: health.healthy,
      reason: `says "${health.status}"${health.healthy ? '' : unwell}`,
      facts: { says: health.status, unwell: health.unwell.length },
    };
  } catch (error) {
    if (!(error instanceof DevopsApiError)) throw error;
    if (error.noAnswer !== undefined) return noAnswer(error.noAnswer);
    return { ok: false, reason: error.message, facts: { status: error.status, error: error.kind } };
  }
}

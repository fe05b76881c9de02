// Each kind of effect as an activity of its own name, so that the Temporal UI reads like a log. All of them are the one door.
import type { EffectActivities } from '../../contract/activities.ts';
import type { EffectRequest } from '../../contract/effect.ts';
import { effectKinds } from '../../contract/effect.ts';
import { effectActivity } from '../../contract/names.ts';
import type { Redactor } from '../../logs/redact/redact-values.ts';
import { asActivity } from '../temporal.ts';
import type { Door } from './door.ts';

export function createEffectActivities(door: Door, redactor: Redactor): EffectActivities {
  const run = (request: EffectRequest) => asActivity(redactor, (signal) => door.run(request, signal));
  return Object.fromEntries(effectKinds.map((kind) => [effectActivity(kind), run])) as EffectActivities;
}

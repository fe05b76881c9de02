// Rules across services, health checks and incidents of a workspace: what one names, another has. Names of services are known by the globs that
// watch them only. On half-valid data too, as ../tenant-cross-checks.ts.
import picomatch from 'picomatch';
import type * as z from 'zod';
import { refuse } from '../schema-fields.ts';
import { list, record, unique } from '../tenant-cross-checks.ts';

type Context = z.core.$RefinementCtx;
type Path = readonly PropertyKey[];

export function checkOperations(value: unknown, context: Context): void {
  const { services, health, incidents } = record(value);
  const checks = list(record(health).checks);
  checkRules(record(incidents).raise, checks, context);
  checks.forEach((check, index) => {
    list(record(check).services).forEach((name, at) => {
      checkService(name, services, ['health', 'checks', index, 'services', at], context);
    });
  });
  if (services === undefined) return;
  const { level, versions, backups } = record(services);
  unique(context, ['services', 'versions'], versions, 'name');
  unique(context, ['services', 'backups'], backups, 'name');
  for (const name of Object.keys(record(record(level).byService)))
    checkService(name, services, ['services', 'level', 'byService', name], context);
  list(versions).forEach((version, index) => {
    const { service } = record(version);
    if (service !== undefined)
      checkService(service, services, ['services', 'versions', index, 'service'], context);
  });
}

/** `incidents.raise` names health checks. */
function checkRules(rules: unknown, checks: readonly unknown[], context: Context): void {
  const names = checks.map((check) => record(check).name).filter((name) => typeof name === 'string');
  list(rules).forEach((rule, index) => {
    const { checks: named, count } = record(rule);
    const path = ['incidents', 'raise', index];
    list(named).forEach((name, at) => {
      if (typeof name !== 'string' || names.includes(name)) return;
      const fix = names.length === 0 ? 'add the check to health.checks' : `write one of ${names.join(', ')}`;
      refuse(context, [...path, 'checks', at], 'is no health check of this workspace', fix);
    });
    const different = new Set(list(named)).size;
    if (typeof count === 'number' && different > 0 && count > different)
      refuse(
        context,
        [...path, 'count'],
        `is more than the ${different} checks of this rule`,
        `write a number from 1 to ${different}`,
      );
  });
}

function checkService(name: unknown, services: unknown, path: Path, context: Context): void {
  if (typeof name !== 'string') return;
  if (services === undefined) {
    const fix = 'add services, or remove the name';
    refuse(context, path, 'names a service, and the workspace has no services', fix);
    return;
  }
  const watch = list(record(services).watch).filter((glob) => typeof glob === 'string');
  // Without any it is wrong already.
  if (watch.length === 0 || picomatch.isMatch(name, watch)) return;
  refuse(
    context,
    path,
    `is not watched: services.watch is ${watch.join(', ')}`,
    'correct the name, or watch it',
  );
}

// What is read for a question (DIAG-1): which health checks are involved, and whose logs. Pure.
import type { DiagnosticRequest } from '../../../contract/ops/diagnostics.ts';
import type { HealthCheck } from '../../../contract/ops/health-settings.ts';
import type { ServiceHealth } from '../../../contract/ops/ladder.ts';

type Check = Pick<HealthCheck, 'kind' | 'name' | 'services'>;

/** A question about one service reads the checks that name it, or all where none does. */
export function checksFor<One extends Check>(
  request: DiagnosticRequest,
  checks: readonly One[],
): readonly One[] {
  switch (request.kind) {
    case 'help':
      return [];
    case 'logs': {
      const named = checks.filter(({ services }) => services.includes(request.service));
      return named.length > 0 ? named : checks;
    }
    case 'database':
      return checks.filter(({ kind }) => kind === 'database' || kind === 'devops');
    case 'user':
      return checks.filter(({ kind }) => kind === 'login' || kind === 'devops' || kind === 'http');
    case 'status':
    case 'question':
      return checks;
  }
}

/** Whose logs are read: of the service that is asked about; for a question in free words the one that it names, else the first that is not well. */
export function logsFor(
  request: DiagnosticRequest,
  services: readonly { readonly name: string; readonly health: ServiceHealth }[],
): string | null {
  if (request.kind === 'logs') return request.service;
  if (request.kind !== 'question') return null;
  const words = new Set(request.text.toLowerCase().match(/[a-z0-9][a-z0-9._-]*[a-z0-9]|[a-z0-9]/g));
  const named = services.find(({ name }) => words.has(name.toLowerCase()));
  return (named ?? services.find(({ health }) => health === 'unhealthy'))?.name ?? null;
}

/** A question as its author wrote it, in short. */
export function requestText(request: DiagnosticRequest): string {
  switch (request.kind) {
    case 'status':
      return 'status';
    case 'database':
      return 'check database';
    case 'user':
      return `check user ${request.name}`;
    case 'logs':
      return `check logs ${request.service}`;
    case 'question':
      return request.text;
    case 'help':
      return 'help';
  }
}

// What a person may look at without changing anything (OPS-1): services, logs, names of variables. Logs are redacted; values are never read.
import picomatch from 'picomatch';
import { failures } from '../../contract/names.ts';
import type { Inspected, InspectionInput } from '../../contract/ops/operation.ts';
import { cleanText } from '../../logs/clean-text.ts';
import { BadRequest } from '../effects/door-failure.ts';
import type { Platform } from './plan.ts';

const mostLines = 500;
const lineChars = 2_000;

/** @param redact takes secrets out of text, known ones and those that show by their form */
export async function inspect(
  input: InspectionInput,
  { workspace, provider: connect, signal }: Platform,
  redact: (text: string) => string,
): Promise<Inspected> {
  const provider = await connect();
  const overview = await provider.overview({ signal });
  const base = {
    workspace: workspace.name,
    environment: workspace.services?.environment ?? overview.environment,
  };
  const service =
    input.service === undefined ? undefined : overview.services.find(({ name }) => name === input.service);
  if (input.service !== undefined && !service) {
    const names = overview.services.map(({ name }) => name).sort();
    throw new BadRequest(
      failures.requestInvalid,
      `service: "${input.service}" is not one of: ${names.join(', ') || 'none'}`,
    );
  }
  switch (input.what) {
    case 'services':
      return {
        ...base,
        services: overview.services
          .filter((one) => service === undefined || one === service)
          .map(({ name, latest, live }) => ({
            name,
            status: latest?.status ?? 'stopped',
            rawStatus: latest?.rawStatus ?? 'no deployment',
            deployment: (live ?? latest)?.id ?? null,
            sinceMs: latest?.statusChangedAtMs ?? null,
            image: (live ?? latest)?.image ?? null,
            watched: picomatch.isMatch(name, [...(workspace.services?.watch ?? [])]),
          })),
      };
    case 'variables': {
      if (!provider.variableNames)
        throw new BadRequest(failures.requestInvalid, 'this provider has no variables');
      return {
        ...base,
        variables: [...(await provider.variableNames(service?.id ?? null, { signal }))].sort(),
      };
    }
    case 'diagnosis':
      throw new BadRequest(failures.requestInvalid, 'what: a diagnosis is no inspection of its own');
    case 'logs': {
      if (!service) throw new BadRequest(failures.requestInvalid, 'service: name the service');
      const lines = await provider.logs(
        {
          serviceId: service.id,
          kind: input.build === true ? 'build' : 'deploy',
          limit: Math.min(input.lines ?? 100, mostLines),
          ...(input.sinceMs === undefined ? {} : { sinceMs: input.sinceMs }),
        },
        { signal },
      );
      return {
        ...base,
        logs: lines.map((line) => ({ ...line, text: redact(cleanText(line.text)).slice(0, lineChars) })),
      };
    }
  }
}

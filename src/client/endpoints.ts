// Where Temporal and Postgres are: what the caller says, else the environment (and Temporal's own configuration file), else a running
// `untilgreen up` on this machine. It connects to nothing and prints nothing.
import type { ConnectionOptions } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { defaultDataFolder } from '../embedded/up.ts';
import { readConnectionFile } from './connection-file.ts';
import { UnreachableError, UsageError } from './errors.ts';

export type TemporalSettings = {
  /** `host:port`. */
  readonly address: string;
  /** Default: `default`. */
  readonly namespace?: string;
  readonly tls?: NonNullable<ConnectionOptions['tls']>;
  readonly apiKey?: string;
};

export type EndpointOptions = {
  /** Holds a password. */
  readonly databaseUrl?: string;
  readonly temporal?: TemporalSettings;
  /** Where a running `up` keeps its data; default: `UNTILGREEN_DATA`, else the usual folder. */
  readonly dataDir?: string;
  readonly env: NodeJS.ProcessEnv;
};

export type Endpoints = {
  readonly databaseUrl: string;
  /** Undefined: nothing names a Temporal server. */
  readonly temporal: (TemporalSettings & { readonly namespace: string }) | undefined;
  readonly uiUrl: string | undefined;
  readonly dataDir: string;
};

export function dataFolder(options: Pick<EndpointOptions, 'dataDir' | 'env'>): string {
  return options.dataDir ?? (options.env.UNTILGREEN_DATA || defaultDataFolder(options.env));
}

/**
 * @throws UnreachableError when nothing names a database
 * @throws UsageError when Temporal's own configuration cannot be read
 */
export async function findEndpoints(options: EndpointOptions): Promise<Endpoints> {
  const dataDir = dataFolder(options);
  const running = await readConnectionFile(dataDir);
  const databaseUrl = options.databaseUrl ?? (options.env.DATABASE_URL || running?.databaseUrl);
  if (databaseUrl === undefined) {
    throw new UnreachableError(
      'Postgres',
      '',
      `DATABASE_URL is not set, and no "untilgreen up" runs on ${dataDir}`,
      'run "untilgreen up", name its folder with --data, or set DATABASE_URL and TEMPORAL_ADDRESS',
    );
  }
  // A running `up` goes before Temporal's configuration file, which may name a server of other work.
  const named = options.temporal ?? (options.env.TEMPORAL_ADDRESS ? fromEnvironment(options.env) : undefined);
  const ours = running?.temporalAddress === undefined ? undefined : { address: running.temporalAddress };
  const temporal: TemporalSettings | undefined = named ?? ours ?? fromEnvironment(options.env);
  return {
    databaseUrl,
    temporal: temporal && { ...temporal, namespace: temporal.namespace ?? 'default' },
    uiUrl: options.env.UNTILGREEN_UI_URL || (named === undefined ? running?.uiUrl : undefined),
    dataDir,
  };
}

function fromEnvironment(env: NodeJS.ProcessEnv): TemporalSettings | undefined {
  const named = Object.fromEntries(Object.entries(env).flatMap(([k, v]) => (v ? [[k, v] as const] : [])));
  try {
    const { connectionOptions, namespace } = loadClientConnectConfig({ overrideEnvVars: named });
    const { address, tls, apiKey } = connectionOptions;
    if (!address) return undefined;
    return {
      address,
      ...(namespace === undefined ? {} : { namespace }),
      ...(tls ? { tls } : {}),
      ...(typeof apiKey === 'string' ? { apiKey } : {}),
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(
      `Temporal's configuration cannot be read: ${reason}. Fix: correct TEMPORAL_CONFIG_FILE or the TEMPORAL_ variables, or unset them`,
    );
  }
}

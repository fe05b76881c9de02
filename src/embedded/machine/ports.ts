// The loopback ports of the embedded servers: their settings, whether one is free, and a free one. A free port can be
// taken in the next moment: then the server's own bind fails, and its log lines are in the error.

import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { EmbeddedStartError } from './start-error.ts';

const HOST = '127.0.0.1';
const MAX_PORT = 65_535;
/** Below what kernels give to outgoing connections (Linux from 32768, others from 49152), which would take a free port at any moment. */
const ANY_PORT = { from: 15_000, before: 32_000 } as const;
const ANY_PORT_TRIES = 50;

/** Every port of `untilgreen up`: what listens there, the flag and the variable that set it, its default. */
export const PORT_SETTINGS = {
  temporal: setting('Temporal', 'temporal-port', 7233),
  temporalUi: setting('the Temporal UI', 'temporal-ui-port', 8233),
  temporalHttp: setting("Temporal's HTTP API", 'temporal-http-port', 7243),
  temporalMetrics: setting("Temporal's metrics", 'temporal-metrics-port', 9233),
  postgres: setting('Postgres', 'postgres-port', 7432),
} as const;

export type PortName = keyof typeof PORT_SETTINGS;
export type EmbeddedPorts = Readonly<Record<PortName, number>>;

/**
 * All ports: `chosen` (from flags), else the variable, else the default; 0 becomes a port that is free now.
 * @throws EmbeddedStartError that names the flag or variable and its value.
 */
export async function embeddedPorts(
  env: NodeJS.ProcessEnv,
  chosen: Partial<EmbeddedPorts>,
): Promise<EmbeddedPorts> {
  const ports: Record<PortName, number> = {
    temporal: 0,
    temporalUi: 0,
    temporalHttp: 0,
    temporalMetrics: 0,
    postgres: 0,
  };
  for (const name of portNames()) {
    const flag = chosen[name];
    const port =
      flag === undefined
        ? portFromVariable(name, env)
        : requirePort(flag, `--${PORT_SETTINGS[name].flag} is ${flag}`);
    ports[name] = port === 0 ? await freePort() : port;
  }
  return ports;
}

/** @throws EmbeddedStartError that names the first taken port, what wanted it, and how to choose another. */
export async function requireFreePorts(ports: Partial<EmbeddedPorts>): Promise<void> {
  for (const name of portNames()) {
    const port = ports[name];
    if (port === undefined || (await bindOnce(port)) !== undefined) continue;
    const { listener, flag, variable } = PORT_SETTINGS[name];
    throw new EmbeddedStartError(
      `port ${port} for ${listener} is taken by another program: ` +
        `choose another one with --${flag} or ${variable} (0 for any), or stop that program`,
    );
  }
}

/** A port that is free now, and that no outgoing connection is given. */
export async function freePort(): Promise<number> {
  for (let tried = 0; tried < ANY_PORT_TRIES; tried += 1) {
    const port = await bindOnce(randomInt(ANY_PORT.from, ANY_PORT.before));
    if (port !== undefined) return port;
  }
  throw new EmbeddedStartError(
    `no port of ${HOST} is free: tried ${ANY_PORT_TRIES} from ${ANY_PORT.from} on`,
  );
}

function setting(listener: string, flag: string, defaultPort: number) {
  return { listener, flag, variable: `UNTILGREEN_${flag.replaceAll('-', '_').toUpperCase()}`, defaultPort };
}

function portNames(): PortName[] {
  return Object.keys(PORT_SETTINGS) as PortName[];
}

function portFromVariable(name: PortName, env: NodeJS.ProcessEnv): number {
  const { variable, defaultPort } = PORT_SETTINGS[name];
  const text = env[variable];
  if (text === undefined || text === '') return defaultPort;
  return requirePort(/^\d+$/.test(text) ? Number(text) : Number.NaN, `${variable} is "${text}"`);
}

function requirePort(port: number, found: string): number {
  if (Number.isInteger(port) && port >= 0 && port <= MAX_PORT) return port;
  throw new EmbeddedStartError(`${found}: give a port from 0 to ${MAX_PORT}, 0 for any free one`);
}

/** The port bound, or `undefined` when it could not be bound. */
function bindOnce(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen({ port, host: HOST, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' ? address?.port : undefined));
    });
  });
}

// The demo's side of production: starts the supervisor as a process of the demo's world, says by which command lines it is asked, and asks the
// services as any visitor does.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { ProductionFault } from './faults.ts';
import type { JournalEntry } from './supervisor.ts';

const answerMs = 5_000;

export type Production = {
  readonly backendUrl: string;
  readonly frontendUrl: string;
  /** For the tenant file. */
  readonly commands: ProductionCommands;
  /** What the supervisor was asked to do, by its own journal. */
  readonly journal: () => Promise<readonly JournalEntry[]>;
};

export type ProductionCommands = {
  readonly status: string;
  readonly logs: string;
  readonly restart: string;
  readonly redeploy: string;
};

/** @throws Error when it did not start */
export async function startProduction(
  fault: ProductionFault,
  options: {
    readonly env: NodeJS.ProcessEnv;
    /** Told at once, so that it can be stopped while it starts. */
    readonly onSpawn: (child: ChildProcess) => void;
  },
): Promise<Production> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts')], {
    env: { ...options.env, SHOP_FAULT: fault },
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true, // Ctrl-C is for the demo
  });
  options.onSpawn(child);
  const first = once(createInterface(child.stdout), 'line');
  const line = await Promise.race([first, once(child, 'exit').then(() => undefined)]);
  if (line === undefined) throw new Error("the shop's services did not start; the reason is above");
  const { url, backendUrl, frontendUrl } = JSON.parse(String(line[0])) as {
    readonly url: string;
    readonly backendUrl: string;
    readonly frontendUrl: string;
  };
  const command = (verb: string): string =>
    [process.execPath, join(import.meta.dirname, 'command/main.ts'), url, verb].map(quoted).join(' ');
  return {
    backendUrl,
    frontendUrl,
    commands: {
      status: command('status'),
      logs: command('logs'),
      restart: command('restart'),
      redeploy: command('redeploy'),
    },
    journal: async () => {
      const response = await fetch(`${url}/journal`, { signal: AbortSignal.timeout(answerMs) });
      return (await response.json()) as readonly JournalEntry[];
    },
  };
}

export type ServiceAnswer = { readonly name: string; readonly green: boolean; readonly answer: string };

/** Both services, over HTTP. Never throws: no answer is an answer. */
export async function askServices({
  backendUrl,
  frontendUrl,
}: Pick<Production, 'backendUrl' | 'frontendUrl'>): Promise<readonly ServiceAnswer[]> {
  return Promise.all([
    ask('backend', `${backendUrl}/health`, (body) => /"status":"ok"/.test(body)),
    ask('frontend', frontendUrl, (body) => body.includes('<title>Shop</title>')),
  ]);
}

async function ask(name: string, url: string, isRight: (body: string) => boolean): Promise<ServiceAnswer> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(answerMs) });
    const body = await response.text();
    const said = body.length > 160 ? `${body.slice(0, 159)}…` : body;
    const green = response.status === 200 && isRight(body);
    return { name, green, answer: green ? '200' : `${response.status} ${said}` };
  } catch (error) {
    const { cause } = error as { readonly cause?: { readonly code?: string } };
    return { name, green: false, answer: `no answer (${cause?.code ?? 'timeout'})` };
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

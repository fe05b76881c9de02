// What the demo shows while the loop works: gather → act → verify, redrawn in place on a terminal, one line for each change elsewhere. The
// lines are pure functions of what the records say; nothing is decided here.
import { clearScreenDown, moveCursor } from 'node:readline';
import type { CycleRow } from '../src/store/cycles.ts';
import type { FindingRow } from '../src/store/findings.ts';
import type { EffectRow } from '../src/store/history.ts';

export type Snapshot = {
  /** Newest first. */
  readonly cycles: readonly CycleRow[];
  readonly findings: readonly FindingRow[];
  /** Oldest first. */
  readonly effects: readonly EffectRow[];
};

export type Screen = {
  readonly update: (snapshot: Snapshot, heading: string) => void;
  /** A line that stays. */
  readonly say: (line: string) => void;
  /** The last table stays on the terminal. */
  readonly end: () => void;
};

export function createScreen(out: NodeJS.WriteStream): Screen {
  return out.isTTY ? terminalScreen(out) : lineScreen(out);
}

/** The whole table. */
export function tableLines(snapshot: Snapshot, heading: string): readonly string[] {
  const { effects, findings } = snapshot;
  return [
    heading,
    '',
    `gather  ${gathered(snapshot.cycles)}`,
    'act',
    ...(effects.length === 0 ? ['  nothing yet'] : effects.map((effect) => `  ${effectLine(effect)}`)),
    'verify',
    ...(findings.length === 0
      ? ['  nothing found yet']
      : findings.map((finding) => `  ${findingLine(finding)}`)),
  ];
}

/** What is different, for output that is not redrawn. */
export function changedLines(before: Snapshot | undefined, now: Snapshot): readonly string[] {
  const known = new Set(before === undefined ? [] : eventLines(before));
  return eventLines(now).filter((line) => !known.has(line));
}

function eventLines({ cycles, findings, effects }: Snapshot): readonly string[] {
  return [
    ...(cycles.length === 0 ? [] : [`gather  ${gathered(cycles)}`]),
    ...effects.map((effect) => `act     ${effectLine(effect)}`),
    ...findings.map((finding) => `verify  ${findingLine(finding)}`),
  ];
}

/** The latest word of each source. */
function gathered(cycles: readonly CycleRow[]): string {
  const sources = new Map<string, string>();
  for (const cycle of cycles) {
    for (const read of cycle.observations as readonly { source: string; target?: string; state: string }[]) {
      const name = read.target === undefined ? read.source : `${read.source} ${read.target}`;
      if (!sources.has(name)) sources.set(name, read.state);
    }
  }
  if (sources.size === 0) return 'reading for the first time';
  return [...sources]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, state]) => `${name}: ${state}`)
    .join(' · ');
}

function effectLine(effect: EffectRow): string {
  const state = { claimed: 'claimed', applying: 'writing', doubt: 'in doubt', freed: 'given back', done: '' };
  const shown = effect.state === 'done' ? (effect.outcome ?? 'done') : state[effect.state];
  const receipt = effect.state === 'done' ? `receipt ${effect.key.slice(0, 12)}` : '';
  return `${shown.padEnd(14)} ${receipt.padEnd(20)} ${effect.describe}`;
}

function findingLine(finding: FindingRow): string {
  const waits =
    finding.waitingFor === undefined || finding.status === 'resolved' ? '' : `: ${finding.waitingFor}`;
  return `${finding.status.padEnd(9)} ${finding.title}${waits}`;
}

function terminalScreen(out: NodeJS.WriteStream): Screen {
  let drawn = 0;
  let lines: readonly string[] = [];
  const erase = (): void => {
    if (drawn === 0) return;
    moveCursor(out, -out.columns, -drawn);
    clearScreenDown(out);
    drawn = 0;
  };
  const draw = (): void => {
    // A line that wraps, or a table higher than the terminal, could not be erased again.
    const rows = Math.max(6, out.rows - 2);
    const shown = lines.length <= rows ? lines : [...lines.slice(0, 4), '  …', ...lines.slice(5 - rows)];
    for (const line of shown) out.write(`${clip(line, out.columns - 1)}\n`);
    drawn = shown.length;
  };
  return {
    update: (snapshot, heading) => {
      erase();
      lines = ['', ...tableLines(snapshot, heading)];
      draw();
    },
    say: (line) => {
      erase();
      out.write(`${line}\n`);
      draw();
    },
    end: () => {
      drawn = 0;
      lines = [];
    },
  };
}

function lineScreen(out: NodeJS.WriteStream): Screen {
  let before: Snapshot | undefined;
  return {
    update: (snapshot) => {
      for (const line of changedLines(before, snapshot)) out.write(`${line}\n`);
      before = snapshot;
    },
    say: (line) => void out.write(`${line}\n`),
    end: () => {},
  };
}

function clip(line: string, width: number): string {
  return line.length <= width ? line : `${line.slice(0, Math.max(0, width - 1))}…`;
}

// CI-5(b), CI-6, CI-8 end to end: main turns red by an off-by-one, a model drafts the fix, code verifies it, a person merges it, main is green. Real git,
// sandbox, workflow runs, Temporal and Postgres; only the model is scripted.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { testAct } from '../../support/act.ts';
import { countTokens } from '../../support/claude/tokens.ts';
import { start } from '../people/approving.ts';
import { startMaintainer } from '../people/maintainer.ts';
import {
  createFixingWorld,
  go,
  honestTurns,
  implementing,
  type Project,
  python,
  typescript,
  verdict,
  verifying,
} from './fixing.ts';

type Pull = {
  readonly number: number;
  readonly body: string;
  readonly draft: boolean;
  readonly title: string;
};
type Runner = 'forge' | 'act';
const projects: readonly [Project, string, Runner][] = [
  [typescript, process.execPath, 'forge'],
  [typescript, process.execPath, 'act'],
  [python, 'python3', 'forge'],
  [go, 'go', 'forge'],
];

function isThere(program: string): boolean {
  try {
    execFileSync(program, program === 'go' ? ['version'] : ['--version']);
    return true;
  } catch {
    return false;
  }
}

for (const [project, program, runner] of projects)
  test.skipIf(!isThere(program))(
    `CI-5: ${project.name}: red, classified, fixed, verified, draft pull request, merged by the maintainer, green (needs ${program.split('/').at(-1)}, runs by ${runner})`,
    // A Go compiler without a cache takes its time.
    { timeout: 1_200_000 },
    async ({ onTestFinished, skip }) => {
      const act = runner === 'act' ? { act: await testAct({ skip }) } : {};
      const world = await createFixingWorld(project, { change: act });
      onTestFinished(world.stop);
      const { claude, forge } = world;
      claude.script({ name: 'implement', when: implementing(), replies: honestTurns(project) });
      claude.script({
        name: 'verify',
        when: verifying,
        replies: [verdict(true, 'It counts the last page.')],
      });
      await start(world);

      // Each checkout has a home of its own, and so a Go without a cache: some six builds.
      const draftedWithinMs = 600_000;
      const pull = await world.until(
        'a pull request',
        async () => (await world.maria.request<Pull[]>('GET', '/pulls?state=all'))[0],
        draftedWithinMs,
      );
      expect(pull.draft).toBe(true);
      for (const part of [
        '## Evidence',
        'Before, on the base: exit code 1',
        'After, second run: exit code 0',
      ])
        expect(pull.body).toContain(part);
      expect(pull.body).toContain(project.command);
      expect(pull.body).toContain('It counts the last page.');
      const files = await world.maria.request<{ filename: string; patch: string }[]>(
        'GET',
        `/pulls/${pull.number}/files`,
      );
      expect(files.map(({ filename }) => filename)).toEqual([project.source]);

      const maintainer = startMaintainer(world);
      onTestFinished(() => maintainer.stop());
      await world.until(
        'green',
        async () => (await world.finding('ci'))?.status === 'resolved',
        draftedWithinMs,
      );
      const [run] = (await forge.actions.runs({ owner: 'acme', repo: 'shop' })).filter(
        ({ branch }) => branch === 'main',
      );
      expect(run?.conclusion).toBe('success');
      expect((await world.finding('ci'))?.attempts).toBe(1);
      claude.verify();
      expect(await forge.journal.unexpected()).toEqual([]);
      // Where act works, and nobody else.
      const logs = join(world.dataDir, 'forge', 'logs');
      const texts = (await readdir(logs)).map((name) => readFileSync(join(logs, name), 'utf8'));
      expect(texts.some((text) => text.includes('/hostexecutor/'))).toBe(runner === 'act');
      const trail = (await world.audit()).find(({ action }) => action === 'fix.verified');
      expect(trail?.detail).toMatchObject({ attempt: 1, turns: 4 });
      // MODEL-3: a fix stays under 60,000 tokens, counted from what was sent.
      const sent = claude.requests().reduce((sum, { bytes }) => sum + countTokens(bytes.toString()), 0);
      expect(sent).toBeLessThan(60_000);
      await world.replayed(`ci-fix-${project.name.toLowerCase()}${runner === 'act' ? '-act' : ''}`);
    },
  );

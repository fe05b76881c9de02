// CI-14: the failing command is read from the workflow file by the names the API shows, or not at all.
import { describe, expect, it } from 'vitest';
import { failingStepCommand } from '../../../src/integrations/workflow-yaml/failing-step.ts';

const WORKFLOW = `
on: push
env: { LEVEL: workflow, TOKEN: '\${{ secrets.TOKEN }}' }
defaults: { run: { working-directory: web } }
jobs:
  lint:
    runs-on: ubuntu-latest
    env: { LEVEL: job }
    steps:
      - uses: actions/checkout@v4
      - run: npm ci
      - name: Check formatting
        env: { LEVEL: 3, SECRET: '\${{ secrets.X }}' }
        shell: bash
        run: |
          npx prettier --check .
          npm run generated
      - run: |
          npm run types
          echo done
      - { name: Ref, run: 'echo \${{ github.ref }}' }
      - { name: Python, shell: python, run: print(1) }
      - { name: twice, run: a }
      - { name: twice, run: b }
      - { name: Here, working-directory: ., run: make }
  test:
    name: Unit tests
    strategy: { matrix: { node: [18, 20], os: [ubuntu-latest, windows-latest] } }
    runs-on: \${{ matrix.os }}
    steps:
      - { name: 'Node \${{ matrix.node }}', run: 'nvm use \${{ matrix.node }} && npm test' }
  named:
    name: Build on \${{ matrix.os }}
    strategy: { matrix: { os: [a, b] } }
    runs-on: x
    steps: [{ run: make build }]
  called: { uses: ./.github/workflows/other.yml }
  first: { name: same, steps: [{ run: a }] }
  second: { name: same, steps: [{ run: b }] }
`;
const find = (job: string, step: string | number) => failingStepCommand(WORKFLOW, job, step);

describe('failing step', () => {
  it('is found by name, with directory, environment and shell', () => {
    expect(find('lint', 'Check formatting')).toEqual({
      command: 'npx prettier --check .\nnpm run generated\n',
      workingDirectory: 'web',
      env: { LEVEL: '3' },
      shell: 'bash',
    });
    expect(find('lint', 'Here')).toMatchObject({
      workingDirectory: '.',
      env: { LEVEL: 'job' },
      shell: 'default',
    });
  });

  it.each([
    [
      'an unnamed step by its first line',
      'lint',
      'Run npm run types',
      { command: 'npm run types\necho done\n' },
    ],
    ['a step by number', 'lint', 2, { command: 'npm ci' }],
    [
      'a job by its name and matrix',
      'Unit tests (20, ubuntu-latest)',
      'Node 20',
      { command: 'nvm use 20 && npm test' },
    ],
    ['a job by a name with expressions', 'Build on a', 'Run make build', { command: 'make build' }],
  ])('finds %s', (_what, job, step, expected) => expect(find(job, step)).toMatchObject(expected));

  it.each([
    ['an action', 'lint', 'Run actions/checkout@v4', /action actions\/checkout@v4/],
    ['an expression', 'lint', 'Ref', /expressions/],
    ['another language', 'lint', 'Python', /shell "python"/],
    ['two steps of one name', 'lint', 'twice', /several steps/],
    ['a missing step', 'lint', 'none', /no step is called "none"/],
    ['a missing number', 'lint', 99, /no step 99/],
    ['a missing job', 'none', 'x', /no job is called "none"/],
    ['two jobs of one name', 'same', 'Run a', /first and second/],
    ['a called workflow', 'called', 'x', /calls another workflow/],
    ['a job inside a called workflow', 'called / inner', 'x', /in a workflow that is called/],
    ['Windows', 'Unit tests (18, windows-latest)', 'Node 18', /Windows/],
  ])('says why not: %s', (_what, job, step, reason) =>
    expect(find(job, step)).toEqual({ notFound: expect.stringMatching(reason) }),
  );

  // DUR-4
  it.each([
    ['no YAML', 'a: [', /not YAML/],
    ['nothing', '', /no job/],
    ['a list', '- a', /no job/],
    ['odd types', 'jobs: { a: { steps: { run: x }, env: [1], defaults: 3 } }', /no step/],
    [
      'an alias bomb',
      `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c]`,
      /cannot be read/,
    ],
    ['too large', 'a'.repeat(1_000_001), /1 MB/],
  ])('takes bad input: %s', (_what, text, reason) =>
    expect(failingStepCommand(text, 'a', 'x')).toEqual({ notFound: expect.stringMatching(reason) }),
  );

  it('fits names with expressions to each other at once, whatever they hold', () => {
    const name = ['$', '{{ x }}a'].join('').repeat(60);
    const text = `jobs: { b: { name: "${name}b", steps: [{ run: x }] } }`;
    expect(failingStepCommand(text, 'a'.repeat(300), 'Run x')).toHaveProperty('notFound');
    expect(failingStepCommand(text, `${'a'.repeat(300)}b`, 'Run x')).toHaveProperty('command', 'x');
    expect(failingStepCommand(text, `${'a'.repeat(59)}b`, 'Run x')).toHaveProperty('notFound');
  });
});

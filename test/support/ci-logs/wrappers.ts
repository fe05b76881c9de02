// How CI systems write down a step that fails: what stands around its output, and on each line of it.
import type { Chance } from './chance.ts';

export type Step = {
  readonly command: string;
  readonly output: readonly string[];
  readonly exitCode: number;
  /** The CI system's own words instead of the usual end: the job was lost or stopped. */
  readonly end?: { readonly [System in SystemName]?: readonly string[] };
};
export type SystemName =
  | 'github'
  | 'gitlab'
  | 'travis'
  | 'jenkins'
  | 'circle'
  | 'azure'
  | 'buildkite'
  | 'plain';

type System = {
  readonly name: SystemName;
  readonly wrap: (step: Step, before: readonly string[], chance: Chance) => readonly string[];
};

const stamp = (at: number): string => new Date(1_790_000_000_000 + at * 731).toISOString();

export const systems: readonly System[] = [
  {
    name: 'github',
    wrap: ({ command, output, exitCode, end }, before) =>
      [
        'Current runner version: 2.331.0',
        '##[group]Operating System',
        'Ubuntu',
        '24.04.3',
        '##[endgroup]',
        ...before,
        `##[group]Run ${command}`,
        command,
        'shell: /usr/bin/bash -e {0}',
        '##[endgroup]',
        ...output,
        ...(end?.github ?? [`##[error]Process completed with exit code ${exitCode}.`]),
        'Post job cleanup.',
      ].map((line, at) => `${stamp(at).replace('Z', '0000Z')} ${line}`),
  },
  {
    name: 'gitlab',
    wrap: ({ command, output, exitCode, end }, before) => [
      'Running with gitlab-runner 18.2.0 (e0b4f1a2)',
      '  on shared-runner-7 kN3xQ2, system ID: s_81f0',
      'section_start:1790000000:step_script',
      'Executing "step_script" stage of the job script',
      ...before,
      `$ ${command}`,
      ...output,
      'section_end:1790000090:step_script',
      ...(end?.gitlab ?? [
        'Cleaning up project directory and file based variables',
        `ERROR: Job failed: exit code ${exitCode}`,
      ]),
    ],
  },
  {
    name: 'travis',
    wrap: ({ command, output, exitCode, end }, before) => [
      'travis_fold:start:worker_info',
      'Worker information',
      'travis_fold:end:worker_info',
      ...before,
      `$ ${command}`,
      ...output,
      ...(end?.travis ?? [
        `The command "${command}" exited with ${exitCode}.`,
        '',
        'Done. Your build exited with 1.',
      ]),
    ],
  },
  {
    name: 'jenkins',
    wrap: ({ command, output, exitCode, end }, before) => [
      'Started by an SCM change',
      '[Pipeline] Start of Pipeline',
      '[Pipeline] node',
      ...before,
      '[Pipeline] sh',
      `+ ${command}`,
      ...output,
      ...(end?.jenkins ?? [
        '[Pipeline] }',
        '[Pipeline] End of Pipeline',
        `ERROR: script returned exit code ${exitCode}`,
        'Finished: FAILURE',
      ]),
    ],
  },
  {
    name: 'circle',
    wrap: ({ command, output, exitCode, end }, before) => [
      'Build-agent version 1.0.301',
      ...before,
      '#!/bin/bash -eo pipefail',
      command,
      '',
      ...output,
      ...(end?.circle ?? ['', `Exited with code exit status ${exitCode}`]),
    ],
  },
  {
    name: 'azure',
    wrap: ({ command, output, exitCode, end }, before) =>
      [
        '##[section]Starting: Test',
        'Task         : Command line',
        ...before,
        '========================== Starting Command Output ===========================',
        `##[command]/usr/bin/bash --noprofile --norc /agent/_temp/3f1.sh`,
        command,
        ...output,
        ...(end?.azure ?? [`##[error]Bash exited with code '${exitCode}'.`]),
        '##[section]Finishing: Test',
      ].map((line, at) => `${stamp(at)} ${line}`),
  },
  {
    name: 'buildkite',
    wrap: ({ command, output, exitCode, end }, before) => [
      '~~~ Preparing working directory',
      ...before,
      '~~~ Running commands',
      `$ ${command}`,
      ...output,
      ...(end?.buildkite ?? [`^^^ +++`, `🚨 Error: The command exited with status ${exitCode}`]),
    ],
  },
  {
    name: 'plain',
    wrap: ({ command, output, exitCode }, before) => [
      ...before,
      `> ${command}`,
      ...output,
      `make: *** [check] Error ${exitCode}`,
    ],
  },
];

/** What goes well before the failing step, with words that only look bad. */
export function quietLines(chance: Chance): readonly string[] {
  const lines = [
    'Fetching changes with git depth set to 20...',
    'Checking out 3d5d80f0 as detached HEAD (ref is main)...',
    'Restoring cache',
    'added 812 packages, and audited 813 packages in 14s',
    'Collecting requests==2.32.3',
    'Downloading dependencies... done',
    'Compiling shop v0.4.2',
    'Using cached wheel',
    'warning: no files found matching "timeout.cfg"',
    'Cache not found for key: deps-v3-a1b2c3',
    'No errors in the configuration',
    'retry policy: 3 attempts, timeout 30s',
    'Pulling image ready',
    'npm warn deprecated request@2.88.2: not maintained any more',
  ];
  return Array.from({ length: 3 + chance.below(25) }, () => chance.pick(lines));
}

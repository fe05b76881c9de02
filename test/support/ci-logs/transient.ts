// Failures that are not the change's fault: network, registries, machines, limits, stops, chance.
import type { Chance } from './chance.ts';
import { filled, type Made, readPhrases } from './phrases.ts';
import type { Step } from './wrappers.ts';

/** Only some CI systems can say these: what the platform does to a job. */
const stops: readonly (readonly [kind: string, end: NonNullable<Step['end']>])[] = [
  [
    'lost',
    {
      github: [
        '##[error]The self-hosted runner: build-7 lost communication with the server. Verify the machine is running and has a healthy network connection.',
      ],
      gitlab: ['ERROR: Job failed (system failure): aborted: terminated'],
      jenkins: [
        'Cannot contact agent-7: java.lang.InterruptedException',
        'Agent agent-7 was deleted; cancelling node body',
        'Finished: ABORTED',
      ],
      azure: [
        '##[error]We stopped hearing from agent build-7. Verify the agent machine is running and has a healthy network connection.',
      ],
      buildkite: ['🚨 Error: The agent was lost', 'exited with status -1 (agent lost)'],
    },
  ],
  [
    'lost',
    {
      github: [
        '##[error]The runner has received a shutdown signal. This can happen when the runner service is stopped, or a manually started runner is canceled.',
      ],
      gitlab: [
        'ERROR: Job failed (system failure): prepare environment: waiting for pod running: timed out waiting for pod to start',
      ],
      jenkins: [
        'hudson.remoting.ChannelClosedException: Channel "agent-7": Remote call failed. The channel is closing down or has closed down',
        'Finished: FAILURE',
      ],
      circle: [
        'The resource class machine was terminated by the infrastructure',
        'Spot instance interruption notice received',
      ],
    },
  ],
  [
    'cancelled',
    {
      github: ['##[error]The operation was canceled.'],
      gitlab: ['ERROR: Job failed: canceled'],
      jenkins: ['Aborted by admin', 'Finished: ABORTED'],
      azure: ['##[error]The operation was canceled.'],
    },
  ],
];

const hosts = [
  'registry.npmjs.org',
  'pkgs.acme.dev',
  'mirror.example.net',
  'proxy.golang.org',
  'repo.acme.io',
  'files.example.org',
];
const packages = ['lodash', 'left-shift', 'quick-xml', 'tiny-http', 'requests', 'aurora'];

const phrases = readPhrases('transient');

export function transient(chance: Chance): readonly Made[] {
  const words = (): Readonly<Record<string, string>> => ({
    host: chance.pick(hosts),
    ip: `10.${chance.below(200)}.${chance.below(200)}.${chance.below(200)}`,
    pkg: chance.pick(packages),
    ms: String(10_000 + chance.below(120_000)),
  });
  const output = ['checking 1 of 40', 'checking 2 of 40'];
  return [
    ...phrases.map((phrase) => filled(phrase, words())),
    ...stops.flatMap(([kind, end]) =>
      [0, 1].map(() => ({ kind, step: { command: 'make check', output, exitCode: 1, end } })),
    ),
  ];
}

// A process that does what `untilgreen up` does below the worker, for tests that kill it. Its arguments are the data
// folder; it prints one line of JSON when it is up, or the error and exit code 1. SIGTERM stops it in order.

import { startEmbedded } from '../../src/embedded/up.ts';

const anyPort = { temporal: 0, temporalUi: 0, temporalHttp: 0, temporalMetrics: 0, postgres: 0 };

try {
  const embedded = await startEmbedded({
    dataDir: process.argv[2] ?? '',
    ports: anyPort,
    env: process.env,
    searchAttributes: { untilgreenTenant: 'Keyword' },
    progress: (line) => console.error(line),
    onFailure: (error) => {
      console.error(error);
      process.exitCode = 1;
    },
  });
  const { temporalAddress, databaseUrl } = embedded;
  process.once('SIGTERM', () => {
    void embedded.stop().then(() => process.exit(0));
  });
  setInterval(() => {}, 60_000);
  // Last: who reads this may send SIGTERM at once.
  console.log(JSON.stringify({ temporalAddress, databaseUrl, ...embedded.pids() }));
} catch (error) {
  console.log(JSON.stringify({ error: error instanceof Error ? error.message : String(error) }));
  process.exitCode = 1;
}

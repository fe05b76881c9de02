// The shop's backend: a real HTTP server over the shop's database. `FAULT` breaks it from its start. Logs lines to stdout, ends with its
// supervisor (its standard input). It knows nothing of the agent.
import { createServer } from 'node:http';
import pg from 'pg';
import { runService } from '../service.ts';

const connections = 4;
const connectTimeoutMs = 500;
const toldEveryMs = 10_000;

const { SHOP_DATABASE_URL: url = '', FAULT: fault = 'none', RELEASE: release = '' } = process.env;
const pool = new pg.Pool({
  connectionString: url,
  max: connections,
  connectionTimeoutMillis: connectTimeoutMs,
});
pool.on('error', (error) => console.log(`error: an idle connection broke: ${error.message}`));

async function health(): Promise<{ readonly status: number; readonly body: object }> {
  if (fault === 'badRelease') {
    const reason = `release ${release} has no price list: generated/prices.txt is empty`;
    console.log(`error: ${reason}`);
    return { status: 500, body: { status: 'failing', release, reason } };
  }
  try {
    const { rows } = await pool.query('select count(*)::int as items from items');
    return { status: 200, body: { status: 'ok', release, items: rows[0]?.items } };
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    // As drivers do: the whole address, with what nobody should read.
    console.log(`error: no connection to ${url}: ${said}`);
    const reason = `no database connection: ${connections} of ${connections} are in use`;
    return { status: 503, body: { status: 'failing', release, reason } };
  }
}

/** An export that takes a connection and never gives it back. */
async function leak(): Promise<void> {
  await pool.connect();
  console.log(`export: order export began, ${pool.totalCount} of ${connections} connections in use`);
}

if (fault === 'connectionsLeak') {
  for (let taken = 0; taken < connections; taken += 1) await leak();
  // They run on, for as long as the process does.
  setInterval(() => console.log(`export: ${connections} order exports are still running`), toldEveryMs);
}
await runService(
  createServer((request, response) => {
    if (request.url !== '/health') {
      response.writeHead(404).end();
      return;
    }
    void health().then(({ status, body }) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
  }),
);
console.log(`release ${release} listens, ${connections} database connections at most`);

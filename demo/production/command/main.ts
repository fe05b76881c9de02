// What the tenant file's command lines run: `main.ts ADDRESS status|logs|restart|redeploy`, the service in `SERVICE`. Asks the supervisor, prints what
// the `command` provider reads, and ends with 1 when it could not.
const [address = '', verb = ''] = process.argv.slice(2);
const { SERVICE: service = '', LINES: lines = '100' } = process.env;
const writes = verb === 'restart' || verb === 'redeploy';

try {
  const query = new URLSearchParams({ service, lines });
  const response = await fetch(`${address}/${verb}?${query}`, { method: writes ? 'POST' : 'GET' });
  const answer: unknown = await response.json();
  if (!response.ok) throw new Error(`the supervisor answered ${response.status}: ${JSON.stringify(answer)}`);
  console.log(Array.isArray(answer) && verb === 'logs' ? answer.join('\n') : JSON.stringify(answer));
} catch (error) {
  console.error(`${verb} of ${service || 'the services'}: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}

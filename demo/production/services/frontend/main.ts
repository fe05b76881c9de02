// The shop's frontend: a server of one page. `FAULT` ends it right after its start, as a machine without memory would. Logs lines to stdout, ends with
// its supervisor.
import { createServer } from 'node:http';
import { runService } from '../service.ts';

const page = `<!doctype html>
<html lang="en">
<head><title>Shop</title></head>
<body><h1>Shop</h1><p>Kettles, lamps and tables.</p></body>
</html>
`;

await runService(
  createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(page);
  }),
);
console.log('the page is served');
if (process.env.FAULT === 'frontendCrashed') {
  console.log('fatal: JavaScript heap out of memory');
  process.exit(134);
}

// `npm run demo`: entry. Makes the world, starts the worker and the loop, shows it, and ends with the judge's word. Wires, and holds no logic of
// the loop: what it shows are records, what it judges by is outside of them.
import { runDemo } from './demo.ts';
import { parseOptions } from './options.ts';
import { reportText } from './report.ts';

const parsed = parseOptions(process.argv.slice(2));
if ('help' in parsed) {
  console.log(parsed.help);
} else if ('usageError' in parsed) {
  console.error(parsed.usageError);
  process.exitCode = 2;
} else {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    // npm hands on the Ctrl-C that the terminal has sent already, so a second one is no order to hurry.
    process.on(signal, () => stop.abort(new Error(`ended by ${signal}`)));
  }
  const { json } = parsed.run;
  const report = await runDemo(parsed.run, {
    out: json ? process.stderr : process.stdout,
    stop: stop.signal,
    onReport: (end) => {
      if (json) console.log(JSON.stringify(end, null, 2));
      else console.log(reportText(end));
    },
  });
  if (json && report.outcome === 'failed') console.error(report.reason);
  process.exitCode = report.exitCode;
  // What was still being fetched or built ends with us.
  if (report.outcome === 'interrupted') process.exit();
}

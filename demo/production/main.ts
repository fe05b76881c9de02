// The supervisor as a process of its own: prints one JSON line `{ url, backendUrl, frontendUrl }` when its services were started, ends on SIGTERM, and
// when its standard input closes: with the demo, however that ends. The fault comes in `SHOP_FAULT`.
import * as z from 'zod';
import { productionFaults } from './faults.ts';
import { startSupervisor } from './supervisor.ts';

const fault = z.enum(productionFaults).default('none').parse(process.env.SHOP_FAULT);
const { stop: stopAll, ...addresses } = await startSupervisor(fault);

let stopping = false;
async function stop(): Promise<void> {
  if (stopping) return;
  stopping = true;
  await stopAll();
  process.exit(0);
}

process.on('SIGTERM', () => void stop());
process.on('SIGINT', () => void stop());
process.stdin.on('end', () => void stop());
process.stdin.resume();
console.log(JSON.stringify(addresses));

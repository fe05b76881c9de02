// `untilgreen schema`: the JSON Schema of the tenant file, for editors.
import type { Command } from 'commander';
import { tenantJsonSchema } from '../../config/tenant-file.ts';
import type { Frame } from '../frame.ts';

export function schemaCommand(program: Command, frame: Frame): void {
  program
    .command('schema')
    .option('--json', 'it always is')
    .description('the JSON Schema of the tenant file, for editors')
    .action(() => frame.run({ json: true }, async () => ({ json: tenantJsonSchema(), text: '' })));
}

// A worker of its own that runs one `migrateUnderLock` and prints its result, so that tests can kill and freeze it.
import { migrateUnderLock } from '../../../src/integrations/dbmate/migrate-under-lock.ts';

const request = JSON.parse(process.env.MIGRATE_REQUEST ?? '{}');
console.log(JSON.stringify(await migrateUnderLock({ ...request, fence: () => {} })));

// The forge's memory of what was asked and what landed. Requests are noted when answered, writes when they take effect.
// Never holds headers, so no token gets in.

import type { JournalFilter, JournalRequest, JournalWrite, WriteFilter } from '../operations.ts';
import { isoTime } from './route.ts';

export interface Journal {
  request(entry: Omit<JournalRequest, 'seq' | 'time'>): void;
  write(entry: Omit<JournalWrite, 'seq' | 'time' | 'marker'>): void;
  requests(filter?: JournalFilter): JournalRequest[];
  writes(filter?: WriteFilter): JournalWrite[];
  mark(): number;
}

export function createJournal(now: () => number): Journal {
  const requests: JournalRequest[] = [];
  const writes: JournalWrite[] = [];
  let seq = 0;
  const stamp = (): { seq: number; time: string } => {
    seq += 1;
    return { seq, time: isoTime(now()) };
  };
  return {
    request: (entry) => {
      requests.push({ ...stamp(), ...entry });
    },
    write: (entry) => {
      const marker = /<!--\s*([\s\S]*?)\s*-->/.exec(entry.body ?? '')?.[1];
      writes.push({ ...stamp(), ...entry, ...(marker === undefined ? {} : { marker }) });
    },
    requests: (filter = {}) => {
      const pattern = filter.pathPattern === undefined ? null : new RegExp(filter.pathPattern);
      return requests.filter(
        (entry) =>
          entry.seq > (filter.after ?? 0) &&
          (filter.method === undefined || entry.method === filter.method) &&
          (filter.actor === undefined || entry.actor === filter.actor) &&
          (pattern === null || pattern.test(entry.path)),
      );
    },
    writes: (filter = {}) =>
      writes.filter(
        (entry) =>
          entry.seq > (filter.after ?? 0) &&
          (filter.kind === undefined || entry.kind === filter.kind) &&
          (filter.actor === undefined || entry.actor === filter.actor) &&
          (filter.repository === undefined || entry.repository === filter.repository),
      ),
    mark: () => seq,
  };
}

// What a comment asks (DIAG-1): the first mention that its author says as his own words, and the command behind it. Pure. Names are strict,
// because they become parts of commands and addresses; anything else is a question in free text.
import type { DiagnosticRequest } from '../../../contract/ops/diagnostics.ts';
import { visibleText } from '../../model/outside-text.ts';
import { liveBlocks } from './live-text.ts';

const maxQuestion = 2_000;
const serviceName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
/** Logins and addresses. */
const userName = /^[A-Za-z0-9][A-Za-z0-9._+@-]{0,99}$/;
const nameRule = 'one name of letters, digits, ".", "_" and "-"';

/**
 * Null: nobody is asked.
 * @param mention what is answered, as the settings have it: `@devops`; in any case
 */
export function readMention(body: string, mention: string): DiagnosticRequest | null {
  if (!body.toLowerCase().includes(mention.toLowerCase())) return null;
  const word = new RegExp(
    `(?<=^|[\\s(["'])${mention.replace(/[^A-Za-z0-9]/g, '\\$&')}(?=[,;:.!?)"'\\]]*(?:\\s|$))`,
    'i',
  );
  const blocks = liveBlocks(body);
  for (const [index, { seen, live }] of blocks.entries()) {
    const match = word.exec(live);
    if (match === null) continue;
    const before = seen.slice(0, match.index);
    const after = seen.slice(match.index + match[0].length).replace(/^[,;:.!?)"'\]\s]+/, '');
    const further = blocks.slice(index + 1).map((block) => block.seen);
    return requestOf(before, after, further);
  }
  return null;
}

function requestOf(before: string, after: string, further: readonly string[]): DiagnosticRequest {
  const words = firstLine(after).split(/\s+/);
  const [verb, noun, ...names] = words.map((word) => word.toLowerCase());
  if (verb === 'status' && noun === undefined) return { kind: 'status' };
  if (verb === 'help' && noun === undefined) return { kind: 'help', problem: null };
  if (verb === 'check' && noun === 'database' && names.length === 0) return { kind: 'database' };
  if (verb === 'check' && noun === 'user')
    return named('check user', words.slice(2), userName, (name) => ({ kind: 'user', name }));
  if (verb === 'check' && noun === 'logs')
    return named('check logs', words.slice(2), serviceName, (service) => ({ kind: 'logs', service }));
  // Somebody who is named at the end of a sentence is asked what stands before.
  const text =
    after.trim() === '' && further.join('').trim() === '' ? before : [after, ...further].join('\n\n');
  const question = visibleText(text).trim().slice(0, maxQuestion).toWellFormed();
  return question === '' ? { kind: 'help', problem: null } : { kind: 'question', text: question };
}

function named(
  command: string,
  names: readonly string[],
  rule: RegExp,
  make: (name: string) => DiagnosticRequest,
): DiagnosticRequest {
  const [name] = names;
  if (name !== undefined && names.length === 1 && rule.test(name)) return make(name);
  const what = names.length === 0 ? 'no name was given' : 'that is no such name';
  return { kind: 'help', problem: `\`${command}\` takes ${nameRule}; ${what}` };
}

/** Without the sign that ends a sentence. */
function firstLine(text: string): string {
  return (text.split('\n')[0] ?? '').trim().replace(/[.!?)"'\]]+$/, '');
}

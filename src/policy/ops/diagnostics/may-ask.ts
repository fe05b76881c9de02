// Who is answered (DIAG-1): a person who may write to the repository, or an app or agent on the allowlist. Pure. Everybody else gets no answer.
import type { Asker, MayAsk } from '../../../contract/ops/diagnostics.ts';

export function mayAsk(asker: Asker): MayAsk {
  const { author } = asker;
  if (asker.isOwn) return refuse('it is a comment of the agent itself');
  if (asker.edited === 'byOther') return refuse('somebody else edited it');
  if (asker.edited === 'unknown') return refuse('it was edited, and it cannot be told by whom');
  if (asker.onFork) return refuse('it stands on a pull request from a fork');
  if (author.isBot) return mayBotAsk(asker);
  switch (asker.permission) {
    case 'admin':
    case 'maintain':
    case 'write':
      return { verdict: 'allow' };
    case null:
      return { verdict: 'unknown', reason: `what ${author.login} may do could not be read` };
    case 'triage':
    case 'read':
    case 'none':
      return refuse(`${author.login} may not write to the repository (permission "${asker.permission}")`);
  }
}

function mayBotAsk({ author, appId, allowlist, parentIsBot }: Asker): MayAsk {
  // A login can be taken by somebody else, a number cannot.
  const listed = allowlist.includes(author.id) || (appId !== null && allowlist.includes(appId));
  if (!listed) return refuse(`${author.login} is a bot that is not in diagnostics.apps (id ${author.id})`);
  if (parentIsBot) return refuse('a bot answers a bot: chains are not followed');
  return { verdict: 'allow' };
}

function refuse(reason: string): MayAsk {
  return { verdict: 'refuse', reason };
}

// `untilgreen completion`: a script for bash, zsh or fish with the commands and options as they are, made from the commands themselves.
import type { Command } from 'commander';
import { UsageError } from '../../client/errors.ts';
import type { Frame } from '../frame.ts';

export function completionCommand(program: Command, frame: Frame): void {
  program
    .command('completion')
    .argument('<shell>', 'bash, zsh or fish')
    .description('a completion script, e.g. eval "$(untilgreen completion bash)"')
    .action((shell: string) =>
      frame.run({}, async () => ({ json: null, text: completionScript(program, shell) })),
    );
}

type Entry = { readonly path: string; readonly words: readonly string[]; readonly about: string };

/** @throws UsageError for another shell */
export function completionScript(program: Command, shell: string): string {
  const entries = entriesOf(program, '');
  switch (shell) {
    case 'bash':
      return bash(entries);
    case 'zsh':
      return `autoload -U +X bashcompinit && bashcompinit\n${bash(entries)}`;
    case 'fish':
      return fish(entries);
    default:
      throw new UsageError(`shell: "${shell.slice(0, 40)}" is not known. Fix: write bash, zsh or fish`);
  }
}

function entriesOf(command: Command, path: string): Entry[] {
  const words = [
    ...command.commands.map((sub) => sub.name()),
    ...command.options.flatMap(({ long }) => (long ? [long] : [])),
    '--help',
  ];
  const below = command.commands.flatMap((sub) => entriesOf(sub, `${path} ${sub.name()}`.trim()));
  return [{ path, words, about: command.description() }, ...below];
}

function bash(entries: readonly Entry[]): string {
  const cases = entries.map(({ path, words }) => `    "${path}") words="${words.join(' ')}" ;;`).join('\n');
  return `_untilgreen() {
  local words="" path="" word cur="\${COMP_WORDS[COMP_CWORD]}"
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) continue ;; esac
    case "$path $word" in
${entries
  .filter(({ path }) => path !== '')
  .map(({ path }) => `      "${path.includes(' ') ? path : ` ${path}`}") path="${path}" ;;`)
  .join('\n')}
    esac
  done
  case "$path" in
${cases}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
  [ \${#COMPREPLY[@]} -eq 0 ] && COMPREPLY=($(compgen -f -- "$cur"))
}
complete -o filenames -F _untilgreen untilgreen`;
}

function fish(entries: readonly Entry[]): string {
  const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  return entries
    .flatMap(({ path, words }) => {
      const parts = path.split(' ').filter((part) => part !== '');
      const when =
        parts.length === 0
          ? '__fish_use_subcommand'
          : parts.map((part) => `__fish_seen_subcommand_from ${part}`).join('; and ');
      return words.map((word) => {
        const about = entries.find((entry) => entry.path === `${path} ${word}`.trim())?.about ?? '';
        const what = word.startsWith('--') ? `-l ${word.slice(2)}` : `-f -a ${word}`;
        return `complete -c untilgreen -n ${quoted(when)} ${what}${about === '' ? '' : ` -d ${quoted(about)}`}`;
      });
    })
    .join('\n');
}

// One line of a log as a platform gives it, bounded: who shows it cleans and redacts it.

const maxChars = 10_000;

export function boundedLine(text: string): string {
  return text.length > maxChars ? `${text.slice(0, maxChars)}…` : text;
}

// SEC-1: text from outside (logs, titles, comments, files) as the model gets it: without invisible characters, marked as data, between marks
// that the text cannot contain. The marks guide a reader; what protects is that an answer is a typed plan that code judges.

/** What a person does not see but a model reads: controls but tab and line feed, directions, joiners, variation selectors, tag characters, fillers. */
const invisible = /(?![\t\n])[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/gu;

/** Text without characters that cannot be seen; line ends become `\n`, halves of characters the replacement character. */
export function visibleText(text: string): string {
  return text
    .toWellFormed()
    .replace(/\r\n?|[\u0085\u2028\u2029]/g, '\n')
    .replace(invisible, '');
}

/**
 * Text from outside for a conversation.
 * @param name what it is, in words of ours: `log of the failing step`
 */
export function asData(name: string, text: string): string {
  const label = visibleText(name).replace(/[^\p{L}\p{N} ._/#:-]/gu, ' ');
  // A mark inside the text cannot end it: it is not one any more.
  const body = visibleText(text).replace(/<(?=\s*\/?\s*data\b)/giu, '‹');
  return `<data name="${label}">\n${body}\n</data>`;
}

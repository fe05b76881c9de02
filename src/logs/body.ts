// What a line says itself, without indentation and without what tools put in front of each other's output.

/** Docker BuildKit, compose, concurrently, Ant, Cloud Build, lerna and turbo, Terraform's box, GitHub's annotations. */
const PREFIX =
  /^(?:\d{1,7} (?=\[[A-Z]{4,5}\])|#\d{1,4} (?:\d{1,6}\.\d{1,3} )?|[\w.-]{1,40} {1,20}\| |\[\d{1,3}\] |\[(?:ant:\w{1,30}|exec|junit|junitlauncher|javac|java|mvn|autobuild|stderr|stdout|err|out)\] |Step #\d{1,3}(?: - "[^"]{1,60}")?: |(?:@[\w.-]{1,40}\/)?[\w.-]{1,40}:[a-z][\w:.-]{0,40}: (?=\S)|[│|╷╵┃] |##\[(?:error|warning)\]|::(?:error|warning)(?: [^:]{0,300})?::|\[[\w.-]{1,30}\] (?=npm ERR|error|Error|ERROR|FAIL)|\[(?:ERROR|error|INFO|info)\] {1,8}|\d\d:\d\d:\d\d[.,]\d{3} |E\/\w{1,30}: |ERROR: (?=[A-Z]:|\/|\S{1,100}:\d))/;

/** At most this many prefixes: tools in tools in tools. */
const MAX_PREFIXES = 4;

export function bodyOf(text: string): string {
  let body = text.trimStart();
  for (let turn = 0; turn < MAX_PREFIXES; turn++) {
    const prefix = PREFIX.exec(body);
    if (!prefix) return body;
    body = body.slice(prefix[0].length).trimStart();
  }
  return body;
}

/** Blanks in front; a tab counts 8, as terminals do. */
export function indentOf(text: string): number {
  let indent = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 32) indent += 1;
    else if (code === 9) indent += 8;
    else return indent;
  }
  return indent;
}

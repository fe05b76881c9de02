// The ways a secret can be written down: as it is, base64, URL-encoded, JSON-escaped, hex. Pure; nothing is kept.

/** Shorter values are not replaced: they would match ordinary text. */
const minSecretLength = 6;

/** All forms of the value, each once, longest first; empty when the value is too short to be replaced. */
export function secretForms(value: string): readonly string[] {
  const text = value.toWellFormed().trim();
  if (text.length < minSecretLength) return [];
  const forms = new Set<string>();
  // A key of several lines is usually seen line by line.
  for (const part of [text, ...(text.includes('\n') ? text.split(/\r?\n/) : [])]) {
    const plain = part.trim();
    if (plain.length < (plain === text ? minSecretLength : 16)) continue;
    for (const form of [
      plain,
      ...base64Forms(plain),
      ...urlForms(plain),
      ...escapedForms(plain),
      ...hexForms(plain),
      // What was encoded once is encoded again: a manifest of Kubernetes holds base64, and is sent as such; an address within an address.
      ...base64Forms(Buffer.from(plain, 'utf8').toString('base64')),
      ...urlForms(encodeURIComponent(plain)),
    ]) {
      forms.add(form);
    }
  }
  return [...forms].filter((form) => form.length >= minSecretLength).sort((a, b) => b.length - a.length);
}

/** The characters that depend on the value alone, for each place it can have in a group of three bytes; both alphabets. */
function base64Forms(text: string): string[] {
  const bytes = Buffer.from(text, 'utf8');
  return [0, 1, 2].flatMap((before) => {
    const encoded = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    const core = encoded.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
    return [core, core.replaceAll('+', '-').replaceAll('/', '_')];
  });
}

function urlForms(text: string): string[] {
  const encoded = encodeURIComponent(text);
  const strict = encoded.replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
  const userinfo = encodeURI(text);
  return [
    encoded,
    strict,
    strict.replaceAll('~', '%7E'),
    userinfo,
    strict.replaceAll('%20', '+'),
    encoded.replaceAll('%20', '+'),
  ].flatMap((form) => [form, form.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase())]);
}

function escapedForms(text: string): string[] {
  const json = JSON.stringify(text).slice(1, -1);
  const ascii = json.replace(
    /[\u007f-\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  const html = text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
  // As Go and others write JSON that may stand in HTML.
  const safe = json.replace(/[<>&+']/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`);
  return [
    json,
    safe,
    safe.replaceAll('\\u002b', '+').replaceAll('\\u0027', "'"),
    ascii,
    json.replaceAll('/', '\\/'),
    JSON.stringify(json).slice(1, -1),
    html,
    html.replaceAll("'", '&#39;'),
  ];
}

function hexForms(text: string): string[] {
  const hex = Buffer.from(text, 'utf8').toString('hex');
  return [hex, hex.toUpperCase()];
}

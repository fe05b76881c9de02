// Claude over HTTP, scripted and strict: it keeps the rules of the Messages API, knows what it said itself (tool calls, signatures), has a prompt
// cache, and streams. A request that no script answers, or that breaks a rule, fails there and in `verify`; so does a reply that was not used.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createPromptCache } from './claude/prompt-cache.ts';
import { breachOf, ClaudeBody } from './claude/rules.ts';
import { type Answer, type AnswerBlock, eventsOf } from './claude/stream.ts';
import { countTokens } from './claude/tokens.ts';

export type ClaudeRequest = {
  readonly body: ClaudeBody;
  /** As they came. */
  readonly bytes: Buffer;
  /** Name of the script that answered; null when none did. */
  readonly script: string | null;
  /** HTTP status of the answer; null until there is one. */
  readonly status: number | null;
  /** Set when whoever asked went away before the end of the answer. */
  readonly aborted: boolean;
};

export type ClaudeReply =
  /** A turn of the model. `tools[].input` as text is sent as it is, so that it may be no JSON. */
  | {
      readonly text?: string;
      readonly thinking?: string;
      readonly tools?: readonly { readonly name: string; readonly input: object | string }[];
      readonly stopReason?: string;
      readonly outputTokens?: number;
      /** Not before this. */
      readonly after?: Promise<unknown>;
    }
  /** An answer of the API that is no turn. `type`: its own word for the error. */
  | {
      readonly status: number;
      readonly type?: string;
      readonly message?: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** What goes wrong on the way. `truncate` ends the stream in the middle, `garbage` puts no JSON into it, `page` is a proxy's HTML. */
  | { readonly fault: 'reset' | 'truncate' | 'garbage' | 'page' | 'hang' | 'overloadedInStream' };

export type ClaudeScript = {
  readonly name: string;
  /** Default: every request. */
  readonly when?: (body: ClaudeBody) => boolean;
  /** In order; a function sees the request it answers. */
  readonly replies: readonly (ClaudeReply | ((body: ClaudeBody) => ClaudeReply))[];
  /** The last reply for ever. */
  readonly repeatLast?: boolean;
};

export type Claude = {
  readonly url: string;
  readonly apiKey: string;
  /** The first script that matches and has a reply left answers. */
  readonly script: (script: ClaudeScript) => void;
  readonly requests: () => readonly ClaudeRequest[];
  /** @throws Error for a request that broke a rule or that no script answered, and for replies that nobody asked for */
  readonly verify: () => void;
  readonly close: () => Promise<void>;
};

export async function startClaude(options: { readonly apiKey?: string } = {}): Promise<Claude> {
  const apiKey = options.apiKey ?? 'sk-ant-scripted-0123456789';
  const scripts: { readonly script: ClaudeScript; used: number }[] = [];
  const journal: { -readonly [Key in keyof ClaudeRequest]: ClaudeRequest[Key] }[] = [];
  const problems: string[] = [];
  const issued = new Set<string>();
  const cache = createPromptCache();
  let turns = 0;

  const next = (body: ClaudeBody): { readonly name: string; readonly reply: ClaudeReply } | undefined => {
    const one = scripts.find(
      ({ script, used }) =>
        (script.when?.(body) ?? true) && (used < script.replies.length || script.repeatLast === true),
    );
    if (one === undefined) return undefined;
    const reply = one.script.replies[Math.min(one.used, one.script.replies.length - 1)];
    one.used += 1;
    if (reply === undefined) return undefined;
    return { name: one.script.name, reply: typeof reply === 'function' ? reply(body) : reply };
  };

  const turn = (reply: Extract<ClaudeReply, { text?: string }>, body: ClaudeBody): Answer => {
    turns += 1;
    const content: AnswerBlock[] = [];
    const { thinking, text, tools = [] } = reply;
    if (thinking !== undefined)
      content.push({ type: 'thinking', thinking, signature: `sig${turns}${btoa(thinking).slice(0, 24)}` });
    if (text !== undefined) content.push({ type: 'text', text });
    for (const [index, tool] of tools.entries()) {
      const json = typeof tool.input === 'string' ? tool.input : JSON.stringify(tool.input);
      content.push({ type: 'tool_use', id: `toolu_${turns}_${index}`, name: tool.name, json });
    }
    for (const block of content) {
      if (block.type === 'tool_use') issued.add(block.id);
      if (block.type === 'thinking') issued.add(`${block.signature}:${block.thinking}`);
    }
    return {
      id: `msg_${turns}`,
      model: body.model,
      content,
      stopReason: reply.stopReason ?? (tools.length > 0 ? 'tool_use' : 'end_turn'),
      usage: {
        ...cache.usageOf(body),
        output_tokens: reply.outputTokens ?? countTokens(JSON.stringify(content)),
      },
    };
  };

  const serve = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const bytes = Buffer.concat(chunks);
    const refuse = (status: number, type: string, message: string): void => {
      problems.push(`${incoming.method} ${incoming.url}: ${status} ${message}`);
      sendError(outgoing, status, type, message);
    };
    if (incoming.method !== 'POST' || incoming.url !== '/v1/messages')
      return refuse(404, 'not_found_error', 'Not found');
    if (incoming.headers['anthropic-version'] !== '2026-10-21')
      return refuse(400, 'invalid_request_error', 'anthropic-version: header is required');
    if (incoming.headers.authorization !== `Bearer ${apiKey}`) {
      sendError(outgoing, 401, 'authentication_error', 'invalid bearer token');
      return;
    }
    const parsed = ClaudeBody.safeParse(jsonOf(bytes));
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      return refuse(400, 'invalid_request_error', `${issue?.path.join('.')}: ${issue?.message}`);
    }
    const body = parsed.data;
    const entry = {
      body,
      bytes,
      script: null as string | null,
      status: null as number | null,
      aborted: false,
    };
    journal.push(entry);
    outgoing.on('close', () => {
      entry.aborted = !outgoing.writableFinished;
    });
    outgoing.on('finish', () => {
      entry.status = outgoing.statusCode;
    });
    const breach = breachOf(body, (token) => issued.has(token));
    if (breach !== undefined) return refuse(400, 'invalid_request_error', breach);
    const found = next(body);
    if (found === undefined)
      return refuse(400, 'invalid_request_error', `no script answers: ${bytes.toString().slice(-300)}`);
    entry.script = found.name;
    const { reply } = found;
    if ('status' in reply) {
      const { status, type = 'api_error', message = 'scripted', headers = {} } = reply;
      sendError(outgoing, status, type, message, headers);
    } else if ('fault' in reply)
      await goWrong(outgoing, reply.fault, () => turn({ text: 'never whole' }, body));
    else {
      await reply.after;
      // Gone while it waited: nobody reads an answer.
      if (outgoing.destroyed) return;
      streamHead(outgoing);
      for (const event of eventsOf(turn(reply, body))) outgoing.write(event);
      outgoing.end();
    }
  };

  const server = createServer((incoming, outgoing) => {
    serve(incoming, outgoing).catch((error: unknown) => {
      problems.push(String(error));
      outgoing.destroy();
    });
  });
  server.requestTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    apiKey,
    script: (script) => {
      scripts.push({ script, used: 0 });
    },
    requests: () => journal,
    verify: () => {
      const unused = scripts
        .filter(({ script, used }) => used < script.replies.length)
        .map(({ script, used }) => `script "${script.name}": ${script.replies.length - used} replies unused`);
      const all = [...problems, ...unused];
      if (all.length > 0) throw new Error(`Claude: ${all.join('; ')}`);
    },
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

function jsonOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}

function streamHead(outgoing: ServerResponse): void {
  outgoing.writeHead(200, { 'content-type': 'text/event-stream', 'request-id': 'req_scripted' });
}

function sendError(
  outgoing: ServerResponse,
  status: number,
  type: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  outgoing.writeHead(status, {
    'content-type': 'application/json',
    'request-id': 'req_scripted',
    ...headers,
  });
  outgoing.end(JSON.stringify({ type: 'error', error: { type, message }, request_id: 'req_scripted' }));
}

async function goWrong(
  outgoing: ServerResponse,
  fault: Extract<ClaudeReply, { fault: string }>['fault'],
  answer: () => Answer,
): Promise<void> {
  switch (fault) {
    case 'reset':
      outgoing.destroy();
      return;
    case 'hang':
      await new Promise((resolve) => outgoing.once('close', resolve));
      return;
    case 'page':
      outgoing.writeHead(200, { 'content-type': 'text/html' });
      outgoing.end('<html><title>Log in</title></html>');
      return;
    case 'truncate':
    case 'garbage':
    case 'overloadedInStream': {
      streamHead(outgoing);
      const events = eventsOf(answer());
      for (const event of events.slice(0, 3)) outgoing.write(event);
      if (fault === 'garbage') outgoing.write('event: content_block_delta\ndata: {"type": "content_bl\n\n');
      if (fault === 'overloadedInStream')
        outgoing.write(
          `event: error\ndata: ${JSON.stringify({ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } })}\n\n`,
        );
      outgoing.end();
      return;
    }
  }
}

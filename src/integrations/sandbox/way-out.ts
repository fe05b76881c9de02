// The way of a set-up from inside of its sandbox to the proxy of the worker: the sandbox keeps no network but its own loopback, on which a small
// forwarder passes connections to the proxy's unix socket. The forwarder is the worker's own node, shown read-only. Pure.

/** Where the proxy's folder and the worker's node are seen inside. */
export const PROXY_FOLDER = '/run/way-out';
export const NODE_PATH = '/run/node';
const PROXY_PORT = 3128;
const PROXY_URL = `http://127.0.0.1:${PROXY_PORT}`;

// Closes file 3 when it listens: that is what the script waits for. No JIT: it starts in little memory then.
const FORWARDER = `
const net = require("node:net");
const fs = require("node:fs");
const server = net.createServer((client) => {
  const way = net.connect(process.argv[1]);
  client.on("error", () => way.destroy());
  way.on("error", () => client.destroy());
  client.pipe(way);
  way.pipe(client);
});
server.listen(${PROXY_PORT}, "127.0.0.1", () => {
  fs.writeSync(3, "ready");
  fs.closeSync(3);
});
`
  .trim()
  .replaceAll('\n', ' ');

/** The script with its forwarder before it, in one line, so that line numbers stay but for one. No job of the script's own shell. */
export function withWayOut(script: string, socketName: string): string {
  const start = `way_out=$(setsid "${NODE_PATH}" --jitless --max-old-space-size=32 -e '${FORWARDER}' "${PROXY_FOLDER}/${socketName}" 3>&1 </dev/null >/dev/null 2>/tmp/.way-out &)`;
  const failed =
    '{ echo "sandbox: the way to the registries did not open" >&2; cat /tmp/.way-out >&2; exit 70; }';
  return `${start}; case "$way_out" in ready) unset way_out; rm -f /tmp/.way-out ;; *) ${failed} ;; esac\n${script}`;
}

/** What package managers read to find the proxy. Nothing is a secret, and nothing goes around the proxy. */
export const wayOutEnvironment: Readonly<Record<string, string>> = {
  http_proxy: PROXY_URL,
  https_proxy: PROXY_URL,
  HTTP_PROXY: PROXY_URL,
  HTTPS_PROXY: PROXY_URL,
  all_proxy: PROXY_URL,
  ALL_PROXY: PROXY_URL,
  no_proxy: '',
  NO_PROXY: '',
  npm_config_proxy: PROXY_URL,
  npm_config_https_proxy: PROXY_URL,
  npm_config_noproxy: '',
  YARN_HTTP_PROXY: PROXY_URL,
  YARN_HTTPS_PROXY: PROXY_URL,
  CARGO_HTTP_PROXY: PROXY_URL,
  MAVEN_OPTS: javaProxy(),
  GRADLE_OPTS: javaProxy(),
  PIP_DISABLE_PIP_VERSION_CHECK: '1',
  npm_config_update_notifier: 'false',
  npm_config_fund: 'false',
};

/** Java reads no variable of the others. */
function javaProxy(): string {
  return ['http', 'https']
    .map((scheme) => `-D${scheme}.proxyHost=127.0.0.1 -D${scheme}.proxyPort=${PROXY_PORT}`)
    .concat('-Dhttp.nonProxyHosts=')
    .join(' ');
}

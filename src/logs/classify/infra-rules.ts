// Evidence that the machine, the network or a service failed, not the repository: runner lost, killed, disk full, name resolution, time-outs,
// registries, missing secrets. Patterns name the message of the program that gives it; a word such as "timeout" alone is none.
import type { RuleTable } from './rule.ts';

export const platformRules: RuleTable = {
  class: 'infra',
  kind: 'platform',
  rules: [
    {
      id: 'runner-shutdown',
      weight: 1,
      pattern:
        /runner has received a shutdown signal|lost communication with the server|hosted (?:runner|agent).{0,40}(?:lost|encountered an error)|The self-hosted runner.{0,60}lost/i,
    },
    {
      id: 'runner-lost',
      weight: 1,
      pattern:
        /We stopped hearing from agent|runner system failure|Job failed \(system failure\)|Agent (?:was |has been )?(?:lost|disconnected|terminated)|(?:agent|slave|node|executor) (?:went|is) offline|Cannot contact .{1,80}: (?:java|hudson)\.|hudson\.remoting\.|Unexpected termination of the channel|marked offline|Build agent .{0,60}disconnected|spot (?:instance|VM).{0,40}(?:terminat|interrupt|preempt|reclaim)|machine (?:was )?preempted|infrastructure fail(?:ure)?\b|job execution failed due to (?:an )?internal|stuck_or_timeout_failure|runner_system_failure/i,
    },
    {
      id: 'runner-unavailable',
      weight: 1,
      pattern:
        /The agent did not connect within|resource class .{0,60}(?:not available|unavailable)|ImagePullBackOff|ErrImagePull|Back-off pulling image|The node was low on resource|\bpod .{0,80}evicted|ERROR: Preparation failed|No runner matching|not acquired by Runner|no (?:hosted )?(?:parallelism|runners? (?:online|available))|This job was not started because|failed to (?:provision|start) (?:the )?(?:VM|runner|machine)|Failed to pull image .{1,200}(?:timeout|503|502|500|toomanyrequests)|prepare environment: .{1,200}|could not (?:boot|start) (?:instance|vm)|An error occurred while generating the build script|Internal (?:CircleCI|server) error.{0,60}(?:rerun|try again)/i,
    },
    {
      id: 'no-output',
      weight: 0.8,
      pattern:
        /No output has been received in the last \d+|Too long with no output|\bstalled build\b|build (?:has been )?stalled|no output for \d+ minutes/i,
    },
    {
      id: 'job-time-limit',
      weight: 0.75,
      pattern:
        /exceeded the maximum (?:execution time|time limit)|job exceeded the maximum (?:time|log)|execution took longer than \d+|Build execution time has reached the maximum|Job's? (?:ran|running) (?:longer than|time exceeded)|maximum (?:time limit for jobs|job run ?time)|has reached its timeout|build timed out \(after|Timeout has been exceeded|The action ['"]?.{0,120}['"]? has timed out/i,
    },
    {
      id: 'outage',
      weight: 0.95,
      pattern:
        /(?:GitHub|Azure|CircleCI|Travis|GitLab|Docker Hub|npm|PyPI) (?:Actions )?(?:is|was) (?:currently )?(?:experiencing|unavailable|having)|service is (?:temporarily )?unavailable due to|Unicorn!/i,
    },
    {
      id: 'killed',
      weight: 0.95,
      pattern:
        /exit(?:ed)? (?:with )?(?:code|status):? ?137\b|Received ["']?killed["']? signal|OOM ?Killed|oom-kill|Out of memory: Kill|signal: killed\b|terminated by signal (?:9|SIGKILL)|Killed signal terminated program|died (?:of|with|by) (?:signal|SIGKILL).{0,3}9?\b.{0,20}(?:KILL)|was killed by (?:signal 9|SIGKILL)|\(signal: 9, SIGKILL|^Killed$|: Killed\s*(?:$|\S)|\bKilled {4,}|code 137\b/,
    },
    {
      id: 'memory',
      weight: 0.92,
      pattern:
        /JavaScript heap out of memory|Cannot allocate memory|java\.lang\.OutOfMemoryError|Allocation failed - .{0,40}heap|Out of memory(?:$|[.:!])|std::bad_alloc|virtual memory exhausted|fatal error: runtime: out of memory|LLVM ERROR: out of memory|insufficient memory for the Java|There is insufficient memory|ENOMEM\b|Gradle build daemon (?:disappeared|has been stopped)|MemoryError$|unable to create (?:new )?native thread|fork: retry|fork: Resource temporarily unavailable|Resource temporarily unavailable \(os error 11/i,
    },
    {
      id: 'terminated',
      weight: 0.75,
      pattern: /exit(?:ed)? (?:with )?(?:code|status):? ?143\b|terminated by signal (?:15|SIGTERM)/,
    },
    {
      id: 'cancelled',
      weight: 0.7,
      pattern:
        /^(?:##\[error\]|Error: )?The operation was cancell?ed|^The (?:job|build|run|pipeline) (?:was|has been) cancell?ed|Canceling since a higher priority|^Build was (?:aborted|cancell?ed)|^Finished: ABORTED|^Aborted by |^ERROR: Job failed: cancell?ed/,
    },
    {
      id: 'disk',
      weight: 1,
      pattern:
        /No space left on device|ENOSPC|disk quota exceeded|There is not enough space on the disk|not enough (?:free )?disk space|insufficient (?:free )?disk space|out of disk space/i,
    },
  ],
};

export const infraRules: RuleTable = {
  class: 'infra',
  kind: 'ordinary',
  rules: [
    {
      id: 'name-resolution',
      weight: 0.84,
      pattern:
        /Could not resolve (?:host|proxy)|Temporary failure (?:in name resolution|resolving)|getaddrinfo (?:ENOTFOUND|EAI_AGAIN|failed)|EAI_AGAIN|Name or service not known|no such host\b|nodename nor servname|UnknownHostException|Name does not resolve|failed to lookup address information|Failed to resolve '[\w.-]+'|NameResolutionError|DNS (?:lookup|resolution) failed|dns error: |Unable to resolve host|unable to resolve host address|Couldn't resolve host|server misbehaving|could not reach host \S/i,
    },
    {
      id: 'connection',
      weight: 0.76,
      pattern:
        /(?:connect|read|request)?\b(?:ETIMEDOUT|ESOCKETTIMEDOUT|ECONNRESET|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|ERR_STREAM_PREMATURE_CLOSE)\b|Connection (?:timed out|reset by peer|was reset|reset$|broken)|Read timed out|Connect(?:ion)? ?timed? ?out|connect timed out|(?:dial|read|write) tcp .{1,120}(?:i\/o timeout|connection reset|timed? ?out|unreachable)|net\/http: (?:TLS handshake timeout|request canceled)|Network is unreachable|No route to host|socket hang up|ReadTimeoutError|ConnectTimeoutError|RemoteDisconnected|IncompleteRead|Max retries exceeded with url|Premature (?:end of|EOF)|NoHttpResponseException|failed to respond|network (?:error|timeout|failure|connection (?:lost|aborted))|There appears to be trouble with your network|The operation timed out|a connection attempt failed because|request to https?:\S+ failed|TimeoutError: .{0,60}https?:|client\.timeout exceeded|curl: \((?:5|6|7|16|18|28|35|52|55|56|92)\)|spurious network error|Timeout was reached|Could not connect to server$|[Cc]ould not connect to [\w-]+(?:\.[\w-]+)+\b|Net::(?:Open|Read)Timeout|SocketTimeoutException|curl error (?:6|7|28|35|52|56)\b|(?:Get|Head|Post) "https?:[^"]{1,300}": (?:.{0,80})(?:deadline exceeded|EOF|timeout|reset)|transfer closed with|Operation (?:too slow|timed out after)|unexpected EOF (?:while reading|from server)|Failed to connect to \S+ port|Got \w{1,40} ?(?:error|exception) trying to find package/i,
    },
    {
      id: 'tls',
      weight: 0.84,
      pattern:
        /TLS (?:handshake (?:timeout|failed)|connection was non-properly terminated)|SSL_ERROR_SYSCALL|SSL_connect|SSLHandshakeException|SSL(?:Error|: CERTIFICATE_VERIFY_FAILED)|certificate (?:has expired|verify failed|signed by unknown authority|is not yet valid)|CERT_HAS_EXPIRED|UNABLE_TO_(?:VERIFY_LEAF_SIGNATURE|GET_ISSUER_CERT)|PKIX path building failed|gnutls_handshake\(\) failed|SSL certificate problem|unable to get local issuer certificate|OpenSSL::SSL::SSLError|Received fatal alert|schannel:|SSL routines:/i,
    },
    {
      id: 'server-error',
      weight: 0.84,
      pattern:
        /\b(?:HTTP(?:\/[\d.]+)?|status(?: code)?|code|error|response|returned|server replied|answered|got)[ :="']{1,4}(?:HTTP )?(?:50[0234]|52\d|429)\b|\b(?:502 Bad Gateway|503 Service (?:Temporarily )?Unavailable|504 Gateway Time-?out|500 Internal Server Error|429 Too Many Requests|503 Backend|50[0234] Server Error)|HTTP error 50\d|ERR_PNPM_FETCH_5\d\d|Service Unavailable$|Bad Gateway$|received HTTP code 50\d|Return code is: (?:50\d|429)|The requested URL returned error: (?:5\d\d|429)|returned an error: \((?:50[0234]|429)\)|upstream connect error|server (?:is )?temporarily unavailable|server encountered a temporary error/i,
    },
    { id: 'server-error', weight: 0.84, pattern: /\bcode E(?:50[0-4]|429)\b/ },
    {
      id: 'refused',
      weight: 0.7,
      pattern:
        /^(?!.*(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\]|\b172\.(?:1[6-9]|2\d|3[01])\.\d|psql|mysql|Upstart)).*(?:[Cc]onnection refused|ECONNREFUSED)/,
    },
    {
      id: 'rate-limit',
      weight: 0.92,
      pattern:
        /toomanyrequests|pull rate limit|API rate limit (?:exceeded|of)|secondary rate limit|rate limit(?:ed)? exceeded|Rate limit reached|too many requests|quota (?:has been )?exceeded|rate limit hit|abuse detection mechanism|\bThrottl(?:ing|ed)Exception\b|RequestLimitExceeded|: Rate exceeded$/i,
    },
    {
      id: 'git-transfer',
      weight: 0.86,
      pattern:
        /RPC failed; |early EOF|remote end hung up unexpectedly|unexpected disconnect while reading sideband|fetch-pack: |fatal: unable to access '|error: \d+ bytes of body are still expected|Could not read from remote repository|Error cloning remote repo|fatal: (?:could not|unable to) (?:connect|look up)|ssh: connect to host|kex_exchange_identification|Connection closed by (?:remote host|\d)|fatal: protocol error|git (?:fetch|clone).{0,200}(?:failed with exit code 128|returned status code 128)|smart(?:-?http)? .{0,30}unexpected|fatal: (?:the remote end|expected flush)/i,
    },
    {
      id: 'git-ref-gone',
      weight: 0.6,
      pattern:
        /fatal: (?:couldn't find remote ref|reference is not a tree|remote error: upload-pack: not our ref)|Server does not allow request for unadvertised object|unable to checkout .{0,80}merge/i,
    },
    {
      id: 'git-credentials',
      weight: 0.86,
      pattern:
        /could not read (?:Username|Password) for|Authentication failed for|Permission denied \(publickey|Host key verification failed|terminal prompts disabled|Invalid username or (?:password|token)|remote: (?:Repository not found|Invalid username|Support for password)|fatal: could not read/i,
    },
    {
      id: 'secret-missing',
      weight: 0.9,
      pattern:
        /Input required and not supplied: (?:.{0,30}(?:token|key|secret|password|passwd|credential|webhook|dsn|role|username)\b)|Bad credentials|(?:secret|token|api[_ -]?key|password|credentials?)\b.{0,40}\b(?:is|are|was) (?:not (?:set|provided|found|defined|configured|supplied)|missing|empty|required|undefined|expired|invalid|revoked)\b|(?:missing|no|empty|invalid|expired|without a) (?:\S{1,30} )?(?:secret|auth(?:entication)? token|access token|api[_ -]?key|credentials)\b|Unable to locate credentials|Could not load credentials from any providers|Credentials could not be loaded|ExpiredToken|InvalidClientTokenId|SignatureDoesNotMatch|Username and password required|ENEEDAUTH|No basic auth credentials|unauthorized: (?:authentication|incorrect)|incorrect username or password|denied: requested access|\b401 (?:Unauthorized|Client Error)|status(?: code)?:? 401|HTTP 401|Could not authenticate|unable to authenticate|Login failed|google-github-actions\/auth failed|403 Client Error: Invalid or non-existent authentication|Request had (?:invalid|insufficient) authentication|Invalid (?:API|auth(?:orization)?) (?:key|token)|Missing .{0,30}(?:CODECOV|SONAR|NPM|COVERALLS)_?\w*TOKEN|Project token.{0,30}(?:missing|invalid)|coveralls.{0,60}(?:Couldn't find|Bad response: 4)|Not authorized\. Please check/i,
    },
    {
      id: 'package-index',
      weight: 0.84,
      pattern:
        /E: (?:Failed to fetch|Unable to fetch some archives|Some index files failed)|Hash Sum mismatch|Failed to fetch (?:http|ftp)\S+|Err:\d+ http|File has unexpected size|Clearsigned file isn't valid|Could not (?:get|open) lock|Could not connect to \S+:\d+ \(|Failed to download metadata for repo|Cannot (?:download|find a valid baseurl)|All mirrors were tried|Failed to synchronize cache|temporary error \(try again later\)|failed retrieving file|apk.{0,80}(?:temporary error|IO ERROR)|is not (?:signed|yet valid)|gpg: keyserver receive failed|keyserver (?:timed out|error)|NO_PUBKEY|index files? failed to download|Release file .{0,80} is (?:not valid yet|expired)|does not have a Release file|404 {1,2}Not Found \[IP/i,
    },
    {
      id: 'download',
      weight: 0.72,
      pattern:
        /(?:Failed|Unable|Error) (?:to|while|when|during) (?:download|downloading|fetch|fetching|retrieve|pull|pulling)\b|Could not (?:transfer artifact|GET|HEAD|download|fetch)|error downloading|download(?:ing)? (?:from )?(?:\S+ )?failed|Download error|An error occurred (?:while|when) (?:fetching|downloading)|failed to (?:do request|copy: httpRead|fetch (?:anonymous token|oauth token)|authorize|solve with frontend|resolve source metadata)|error pulling image|Error response from daemon: (?:Get|Head|received unexpected)|net::ERR_(?:NAME|CONNECTION|INTERNET|NETWORK|TIMED|PROXY)|Failed to (?:load|restore|save) cache|Unable to (?:connect to|reach|contact) (?!the Docker|Upstart|localhost)|Gem::RemoteFetcher::FetchError|Bundler::HTTPError|Fetcher::(?:NetworkDown|FallbackError)|hex\.pm.{0,60}(?:timeout|failed)|WebException|NU1301|Unable to load the service index|Could not fetch (?:specs|resource)|CondaHTTPError|HTTP ERROR|HTTP Error 5|URLError|urlopen error|ProxyError|Cannot open URL|cannot open (?:URL|file) '?https?:|InternetOpenUrl|status was '(?:SSL|Couldn't|Timeout|Failed)/i,
    },
    {
      id: 'service',
      weight: 0.8,
      pattern:
        /One or more containers failed to start|Failed to initialize container|Service container .{0,80} failed|unhealthy (?:service|container)|Timed? ?out waiting for (?:the )?(?:emulator|device|simulator|adb|agent|runner|container|docker|daemon)|emulator.{0,60}(?:did not boot|timed? ?out|terminated)|Timeout waiting for emulator to boot|(?:cache|artifact) service (?:responded|is unavailable|unavailable)|Failed to (?:CreateArtifact|FinalizeArtifact|GetSignedArtifactURL|ListArtifacts)|Artifact (?:upload|download) .{0,60}(?:failed|timed? ?out)|Unable to (?:upload|download) (?:all )?(?:artifact|file)|upload.{0,30}failed after \d+ (?:attempts|retries)|HTTP request failed.{0,40}(?:retry|attempt)|errSecInternalComponent|Lost connection to (?:the )?(?:device|simulator|runner)|Unable to boot (?:the )?(?:device|simulator)|simulator.{0,60}failed to (?:boot|launch)|testmanagerd|(?:connection|session) to (?:sauce|browserstack|lambdatest)|sauce connect.{0,60}(?:fail|could not)|BrowserStack.{0,60}(?:fail|timeout)|codecov.{0,80}(?:Failed to (?:upload|properly upload)|upload.{0,10}fail)/i,
    },
  ],
};

// Evidence that the job's environment lacks something, or has it in the wrong version: tools, system packages, variables, permissions.
import type { RuleTable } from './rule.ts';

export const envRules: RuleTable = {
  class: 'env',
  kind: 'ordinary',
  rules: [
    {
      id: 'no-command',
      weight: 0.9,
      pattern:
        /(?:^|: )(?:line \d+: )?[\w./+-]{1,60}: (?:command )?not found$|command not found: |is not recognized as (?:an internal|the name|a name)|executable file not found in|No such file or directory: '[\w-]{1,40}'$|exec: "[\w.-]+": executable|Unable to locate executable file|env: .{1,60}: No such file|unable to find (?:the )?(?:executable|command)|Cannot find (?:the )?executable|spawn \S+ ENOENT|(?:program|binary|executable|tool|command) ['"`]?[\w.+-]{1,40}['"`]? (?:was |is |could )?not (?:be )?(?:found|installed)|Please (?:install|make sure) .{0,60}(?:installed|in your PATH|PATH)|not found in (?:\$?PATH|your PATH)|exit(?:ed)? (?:with )?(?:code|status):? ?127\b|make(?:\[\d+\])?: \S{1,60}: (?:Command not found|No such file)|which: no |\bis not installed\b|bad interpreter: |: line \d+: \S+: No such file or directory$|\bexited with 127\b|couldn't execute "|Can't find .{0,30}\bin PATH|linker `\w+` not found|No CMAKE_\w+_COMPILER could be found|no acceptable C compiler|C compiler cannot create executables/,
    },
    {
      id: 'version',
      weight: 0.95,
      pattern:
        /class file has wrong version|UnsupportedClassVersionError|Unsupported class file (?:major )?version|compiled by a more recent version of the Java|invalid (?:target|source) release|(?:release version|Source option|Target option) \d[\d.]* (?:not supported|is no longer supported)|Unsupported (?:engine|platform)|Sorry, but (?:JDK|Ruby|PHP|Python) .{1,60} is not known|is EOL since|Target id is not valid|The engine "node" is incompatible|EBADENGINE.{0,40}ERR|EBADPLATFORM|requires (?:a )?(?:Node(?:\.js)?|Python|Ruby|Go|Rust|rustc|Java|JDK|PHP|Elixir|Dart|Flutter|Swift|Xcode|CMake|GCC|\.NET|Gradle|Maven|Bazel|Perl|R|Kotlin|Scala)\b.{0,40}(?:\d|or (?:newer|higher|later))|requires a different Python|Requires-Python|python_requires|requires rustc|rustc [\d.]+ is not supported|package .{1,80} cannot be built because it requires|go(?:\.mod)? (?:file )?requires go ?>?=? ?1|invalid go version|note: module requires Go|Your Ruby version is|Ruby \S+ (?:is|was) (?:not|unavailable)|requires php|your php version|No matching (?:version|toolchain)s? (?:found|of)|No matching toolchains|could not find (?:a )?(?:suitable|compatible) (?:JDK|Java|toolchain|version of)|Could not target platform|compatible SDK was not found|NETSDK1045|NETSDK1141|does not support (?:targeting|building)|is not supported (?:by|on|in) (?:this|your) (?:version|platform|system|python|node)|(?:GLIBC|GLIBCXX|CXXABI)_[\d.]+'? not found|version `\S+' not found|wrong ELF class|exec format error|Bad CPU type in executable|SDK (?:version|location) .{0,40}(?:not (?:found|supported)|mismatch)|SDK location not found|failed to find (?:target|Build Tools)|compileSdk|session not created: This version of ChromeDriver|only supports Chrome version|unsupported (?:python|node|java|go|ruby) version|Python \d[\d.]* or (?:newer|later|higher)|minimum (?:required|supported) (?:Node|Python|Go|Rust|version)|CMake \d[\d.]* or higher is required|ERR_OSSL_EVP_UNSUPPORTED|digital envelope routines|Version \d[\d.]* (?:was|is) not (?:found|available)|Unable to find (?:Node|Python|Go|Ruby|Java) version|The version '\S+' with arch|The specified (?:node|python|go|java) version|was not found in (?:the )?(?:local cache|manifest)|Could not find (?:a )?satisfied version|Unknown (?:ruby|node|java) version|Could not find or load .{0,20}JVM/i,
    },
    {
      id: 'header',
      weight: 0.95,
      pattern:
        /fatal error: '?(?:openssl|Python|zlib|curl|libxml|boost|ffi|pq|mysql|sqlite3|png|jpeglib|X11|GL|gtk|glib|expat|readline|ncurses|lzma|bzlib|yaml|ruby|jni|gmp|mpi|cuda|uuid|asm|sys|linux)\S*\.h/,
    },
    {
      id: 'library',
      weight: 0.84,
      pattern:
        /cannot find -l\S+|library not found for -l|error while loading shared libraries|cannot open shared object file|Library not loaded: |DLL load failed|libssl.{0,40}not found|Package \S+ was not found in the pkg-config|No package '\S+' found|Python\.h: No such file|missing (?:system )?(?:library|libraries|dependenc)|Host system is missing dependencies|pg_config.{0,40}not found|mysql_config.{0,40}not found|could not find (?:native )?(?:library|header)|Could not find a package configuration file|CMake Error.{0,100}Could not find|configure: error: .{0,100}(?:not found|required|missing|not available)|You (?:need|have) to install|extconf\.rb failed|gyp ERR! (?:find|stack Error: (?:Can't|Could not find|not found))|Microsoft Visual C\+\+ .{0,30} is required|Could not find Chrom|browserType\.launch: (?:Executable doesn't exist|Host)|Executable doesn't exist at|Failed to launch (?:the )?browser|No usable sandbox|ChromeHeadless (?:binary|have not)|No binary for Chrome|Cannot open display|Missing X server|cannot connect to X server|unable to open X display|could not connect to display|no display name and no \$DISPLAY|the requested PHP extension|ext-\w+ (?:\* )?(?:->|is missing)|requires? ext-|PHP Startup: Unable to load/i,
    },
    {
      id: 'package',
      weight: 0.76,
      pattern:
        /E: (?:Unable to locate package|Package '\S+' has no installation candidate|Couldn't find any package|Version '\S+' for)|E: (?:Sub-process .{1,60} returned an error code|Unable to correct problems|Unmet dependencies)|The following packages have unmet dependencies|No package \S+ available|No match for argument|Unable to find a match|ERROR: unable to select packages|No available formula|No formulae found|Error: No such keg|Cannot install .{1,80} because|brew.{0,60}(?:already installed|conflict)|Error: Cask|package \S+ is not available \(for R/i,
    },
    {
      id: 'variable',
      weight: 0.88,
      pattern:
        /JAVA_HOME (?:is )?(?:not (?:set|defined)|environment variable is not|.{0,40}(?:invalid|does not exist))|(?:environment|env)(?:ironment)? ?variable\b.{0,60}\b(?:not (?:set|defined|found|exist)|missing|required|is unset|must be set|undefined)|(?:missing|required|unset|undefined) (?:environment|env) ?(?:ironment )?variable|\b[A-Z][A-Z0-9_]{3,40}: (?:unbound variable|parameter (?:null or )?not set)|KeyError: '[A-Z][A-Z0-9_]{3,40}'|ANDROID_(?:HOME|SDK_ROOT) .{0,40}(?:not|unset)|set the [A-Z][A-Z_]{3,40} environment|[A-Z][A-Z0-9_]{3,40} (?:env(?:ironment)? ?(?:var(?:iable)?)? )?(?:is not set|must be set|not set in)|\$\{\{ ?env\.\w+/,
    },
    {
      id: 'permission',
      weight: 0.82,
      pattern:
        /(?:^|: )Permission denied$|EACCES: permission denied|PermissionError|Operation not permitted|permission denied while trying to connect to the Docker|AccessDeniedException|exit(?:ed)? (?:with )?(?:code|status):? ?126\b|are you root\?|must be (?:run as )?root|you must have root|Access (?:to the path .{1,200} )?is denied|not writable|Read-only file system|detected dubious ownership|sudo: (?:a password|no tty|command not)|You don't have (?:write )?permissions? (?:for|to)|insufficient permissions? to|unsafe repository|cannot create directory '.{1,100}': Permission/,
    },
    {
      id: 'daemon',
      weight: 0.84,
      pattern:
        /Cannot connect to the Docker daemon|docker daemon (?:is )?not running|Is the docker daemon running|Could not find a valid Docker environment|docker: not found|No such container|Unable to (?:connect to|reach) (?:the )?Docker|System has not been booted with systemd|Failed to connect to bus|modprobe: |\/dev\/kvm|KVM is (?:not|required)|HAXM|Can't connect to (?:local )?MySQL server (?:through socket|on)|could not connect to server: (?:No such file|Connection refused)|connection to server (?:on socket|at) .{1,120} failed|The server must be running|database ".{1,60}" does not exist|role ".{1,60}" does not exist|Failed to connect to .{0,40}(?:mongodb|redis|rabbit|kafka|elasticsearch)/i,
    },
    {
      id: 'externally-managed',
      weight: 0.9,
      pattern:
        /externally-managed-environment|No virtual ?environment found|unrecognized command line option|No module named '?(?:pip|setuptools|distutils|wheel|venv|ensurepip|_ctypes|_sqlite3|pkg_resources|imp)\b|locale (?:cannot|not|.{0,30}unsupported)|Cannot set LC_|invalid byte sequence in US-ASCII|UnicodeDecodeError: 'ascii'/i,
    },
    {
      id: 'no-module',
      weight: 0.56,
      pattern:
        /ModuleNotFoundError: No module named|Error: Cannot find module '(?![./])|ERR_MODULE_NOT_FOUND|cannot load such file -- |LoadError\b|Can't locate \S+\.pm in @INC|there is no package called|Error: Cannot find package '|ClassNotFoundException: (?:com\.mysql|org\.postgresql)|Could not find gem|module '\S+' not found/,
    },
  ],
};

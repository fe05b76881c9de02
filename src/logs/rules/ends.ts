// Where CI systems say that a step or job begins and how it ended: GitHub Actions, Azure, GitLab, Travis, CircleCI, Jenkins,
// AppVeyor, Buildkite, Bitbucket, Drone, TeamCity, Cloud Build, Cirrus.

/** The step before this line failed. */
export const failedEnd: readonly RegExp[] = [
  /^(?:##\[error\]|::error::|Error: )?Process completed with exit code [1-9]/,
  /^(?:##\[error\]|Error: ?)?(?:Bash|PowerShell|Cmd\.exe|The process .{1,200}|Script|Process) (?:exited|failed|failed with|completed) (?:with )?(?:exit )?code '?[1-9-]/i,
  /^##\[error\].{0,80} (?:exited|failed|completed) with (?:exit |a non-zero exit )?(?:status|code):? ?'?[1-9-]/i,
  /^##\[error\](?:The operation was cancell?ed|The runner|Process completed|Executing the custom container implementation failed)/,
  /^The command ".{0,2000}" (?:exited with [1-9]|failed and exited with [1-9]|failed \d+ times)/,
  /^(?:ERROR: )?Job failed(?: \(|:|$)|^ERROR: Job failed/,
  /^(?:Exited with code(?: exit status)? [1-9]|CircleCI received exit code [1-9]|Too long with no output)/,
  /^Build step '.{1,200}' marked build as failure|^ERROR: script returned exit code [1-9]|^Finished: (?:FAILURE|UNSTABLE|ABORTED)/,
  /^Command exited with code [1-9-]|^Build (?:execution time has reached|was cancell?ed)/,
  /^(?:🚨 )?Error: The command exited with status [1-9]|^\^\^\^ \+\+\+|^user command error: exit status [1-9]/,
  /^Done\. Your build exited with [1-9]|^Your build has been stopped|^No output has been received in the last|^The job exceeded the maximum/,
  /^Process exited with code [1-9]|^Step .{1,120} failed$|^exit status [1-9]|^Exit status: [1-9]|^Exit code: [1-9]/i,
  /^ERROR: build step \d+ .{1,200} failed|^BUILD FAILURE: Build step failure/,
];

/** Said of the whole job: after a step that is said to have failed, it ends none. */
export const jobEnd = /^Done\. Your build exited with|^Your build has been stopped|^Finished: /;

/** The step before this line went well. */
export const goodEnd =
  /^The command ".{0,2000}" exited with 0|^Job succeeded|^Finished: SUCCESS|^Build success$/;

/** A new step begins. */
export const stepStart =
  /^(?:##\[group\]|::group::)Run |^##\[section\]Starting: |^section_start:|^travis_(?:fold|time):start|^\[Pipeline\] (?:sh|bat|stage|node|\{)|^~~~ \S/;

/** The job's own work is over: what follows puts away. */
export const cleanupStart =
  /^Post job cleanup|^Cleaning up (?:orphan|project|file)|^(?:Running after_script|Running after script|Uploading artifacts for failed job|travis_fold:start:after_|Deploying application|\[Pipeline\] End of Pipeline|Sending e-mails? to|Saving cache for failed)|^##\[section\]Starting: (?:Post|Finalize|Checkout .{1,200} Post)|^store build cache|^Terminate orphan process/;

/** The failing part of a test report begins; lines in it explain. */
export const sectionStart =
  /^(?:\d+ failing|Failures ?:|Failed examples ?:|failures:|Failed Tests?\b.{0,10}$|FAILED TESTS|Failing tests:|Failed tests?:|Tests in error:|Failing scenarios:|The following build commands failed:|Testing failed:|Failed scenarios:|Summary of all failing tests|There (?:was|were) \d+ (?:failure|error)|The following tests? (?:FAILED|failed)|=+ (?:FAILURES|ERRORS) =+|=+ short test summary|\* What went wrong:|Test Summary Report|\[ERROR\]\s+(?:Failures|Errors):|⎯+ Failed|Test Failures|Failed specs|Unexpected (?:failures|results)|Failed \d+ tests?:|={3,} FAIL)/;

export const sectionEnd =
  /^(?:Finished in |Tests:|Test Suites:|Ran \d+|\d+ (?:examples?|runs|tests?),|FAILURES!|ERRORS!|test result:|\* Try:|BUILD |npm (?:ERR!|error)|The command "|=+ .{0,120}\b(?:failed|passed|errors?)\b.{0,120} in |Error(?:s while running CTest|:? Process completed)|##\[error\]Process|Done in |Duration |\[INFO\] |-{20,}$|> Task |$ )/;

// A log that a command names by path: opened, or wrong usage that names the argument.
import { UsageError } from '../../client/errors.ts';
import { type LogFile, LogFileError, openLog } from '../../logs/log-files.ts';

/** @param argument as `--help` shows it, e.g. `--passing`. @throws UsageError for what cannot be read as a log */
export async function openArgument(path: string, argument: string): Promise<readonly LogFile[]> {
  try {
    return await openLog(path);
  } catch (error) {
    if (!(error instanceof LogFileError)) throw error;
    throw new UsageError(error.message.replace(/^FILE: /, `${argument}: `));
  }
}

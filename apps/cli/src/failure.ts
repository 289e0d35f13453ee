import { AlmanacError, errorEntry } from '@almanac/domain'
import { CommanderError } from 'commander'

/** Exit codes: 1 for a command that failed, 2 for one that was called wrongly. */
const usageError = 2

/**
 * Tells a person what went wrong: the sentence, then what to do. An error that is not in the table is
 * a fault of Almanac, and shows its trace so that it can be reported. Answers the exit code.
 */
export function failure(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : usageError
  if (error instanceof AlmanacError) {
    const { remedy } = errorEntry(error.code)
    process.stderr.write(`${error.message}\n${remedy}\n`)
    return error.code === 'INPUT_INVALID' ? usageError : 1
  }
  const trace = error instanceof Error ? (error.stack ?? error.message) : String(error)
  process.stderr.write(`Something went wrong inside Almanac. Please report this:\n${trace}\n`)
  return 1
}

import { AlmanacError } from '@almanac/domain'
import { readFileSync } from 'node:fs'

const reasons: Record<string, string> = {
  ENOENT: 'it does not exist',
  EACCES: 'the permission is missing',
  EISDIR: 'it is a folder',
}

/** Why a file could not be read, for people. */
export function fileError(file: string, error: unknown): AlmanacError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return new AlmanacError(
    'FILE_UNREADABLE',
    { file, reason: reasons[code] ?? 'reading failed' },
    { cause: error },
  )
}

/** A file's text. Throws FILE_UNREADABLE. */
export function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw fileError(file, error)
  }
}

/** A file's JSON. Throws FILE_UNREADABLE, INPUT_INVALID. */
export function readJson(file: string): unknown {
  const text = readText(file)
  try {
    return JSON.parse(text)
  } catch (cause) {
    const issues = [{ field: file, message: 'must be a JSON file' }]
    throw new AlmanacError('INPUT_INVALID', { issues }, { cause })
  }
}

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { AlmanacError } from '@almanac/domain'

export type Environment = Readonly<Record<string, string | undefined>>

/** The process's environment, over a `.env` file in `folder` if there is one; only this reads them. */
export function readEnvironment(folder = process.cwd()): Environment {
  const file = join(folder, '.env')
  try {
    return { ...parseEnv(readFileSync(file, 'utf8')), ...process.env }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT') return process.env
    throw new AlmanacError('FILE_UNREADABLE', { file, reason: String(code) }, { cause: error })
  }
}

/** What is set: values without the space around them, and no `NAME=`, which means that nothing is. */
export const whatIsSet = (environment: Environment): Environment =>
  Object.fromEntries(
    Object.entries(environment)
      .map(([name, value]) => [name, value?.trim()] as const)
      .filter(([, value]) => value),
  )

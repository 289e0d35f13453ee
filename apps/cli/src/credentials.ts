import { AlmanacError } from '@almanac/domain'
import { createClient, type Client } from '@almanac/client'
import { readClientConfig, readConfig, readEnvironment } from '@almanac/runtime'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { z } from 'zod'

/** What `almanac up` leaves in the data folder for the other commands, readable by its owner only. */
const credentials = z.strictObject({ url: z.url(), key: z.string() })
export type Credentials = z.output<typeof credentials>

const fileIn = (dataDir: string) => join(dataDir, 'credentials.json')

export function writeCredentials(dataDir: string, value: Credentials): void {
  const file = fileIn(dataDir)
  mkdirSync(dirname(file), { recursive: true })
  // Written beside and renamed: a command that reads meanwhile sees all of it or the one before.
  const unfinished = `${file}.${process.pid}`
  writeFileSync(unfinished, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 })
  renameSync(unfinished, file)
}

export function readCredentials(dataDir: string): Credentials | undefined {
  try {
    return credentials.parse(JSON.parse(readFileSync(fileIn(dataDir), 'utf8')))
  } catch {
    return undefined
  }
}

/**
 * The client of the commands: ALMANAC_URL and ALMANAC_KEY, or what `almanac up` left in the data
 * folder. Throws KEY_MISSING when there is neither.
 */
export function connectClient(dataDir?: string): Client {
  const environment = readEnvironment()
  const { url, key } = readClientConfig(environment)
  if (key !== undefined) return createClient({ url, key })
  const left = readCredentials(dataDir ?? readConfig(environment).dataDir)
  if (!left) throw new AlmanacError('KEY_MISSING', {})
  return createClient(left)
}

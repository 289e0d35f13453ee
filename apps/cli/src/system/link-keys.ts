import type { Config } from '@almanac/runtime'
import { createSecretKey, hkdfSync, randomBytes, type KeyObject } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const bytes = 32

/**
 * The secrets that sign links to checkpoints, the first one for new links: derived from the seal keys, so
 * that every process of an installation has the same, or, where content is not sealed, one in the data
 * folder, readable by its owner only. Empty when there are neither seal keys nor a folder to write to.
 */
export function linkKeysOf({ sealKeys, dataDir }: Pick<Config, 'sealKeys' | 'dataDir'>): Buffer[] {
  if (sealKeys.length > 0) return sealKeys.map(({ key }) => derived(key))
  const secret = keptSecret(dataDir)
  return secret ? [derived(createSecretKey(secret))] : []
}

const derived = (key: KeyObject): Buffer =>
  Buffer.from(hkdfSync('sha256', key, Buffer.alloc(0), 'almanac checkpoint links 1', bytes))

function keptSecret(dataDir: string): Buffer | undefined {
  const file = join(dataDir, 'link-secret')
  try {
    mkdirSync(dataDir, { recursive: true })
    // Of several processes at once one writes it, and all read what it wrote.
    writeFileSync(file, randomBytes(bytes), { mode: 0o600, flag: 'wx' })
  } catch {
    // It is there already, or cannot be written, which the next line finds out.
  }
  try {
    const secret = readFileSync(file)
    return secret.length === bytes ? secret : undefined
  } catch {
    return undefined
  }
}

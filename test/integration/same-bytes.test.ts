import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const run = promisify(execFile)
const script = join(import.meta.dirname, '../support/render-package.ts')

/** Shifts what a process takes for the present, before anything else is loaded. */
const laterBy = (days: number) =>
  `data:text/javascript,${encodeURIComponent(
    `const RealDate = Date; const shift = ${days * 86_400_000};
     globalThis.Date = class extends RealDate { constructor(...a) { if (a.length) super(...a); else super(RealDate.now() + shift) } static now() { return RealDate.now() + shift } };`,
  )}`

const make = async (env: Record<string, string>, days: number): Promise<string> => {
  const args = ['--import', laterBy(days), script]
  const { stdout } = await run(process.execPath, args, {
    env: { ...process.env, ...env },
    maxBuffer: 16 * 1024 * 1024,
  })
  return stdout
}

it('makes byte-equal artifacts in processes of another time zone, language and date', async () => {
  const here = await make({ TZ: 'UTC', LANG: 'en_US.UTF-8' }, 0)
  const there = await make(
    { TZ: 'Pacific/Kiritimati', LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8' },
    400,
  )
  expect(here.length).toBeGreaterThan(50_000)
  expect(there).toBe(here)
})

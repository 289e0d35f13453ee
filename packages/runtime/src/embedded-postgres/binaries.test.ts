import { chmod, cp, mkdtemp, readdir, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { canRun, isRoot } from './account.ts'
import { findBinaries, program, reachableBinaries } from './binaries.ts'

const log = { info: () => undefined, warn: () => undefined }
const nobody = { uid: 65_534, gid: 65_534 }

describe.skipIf(!isRoot())('programs in a folder that only root can enter', () => {
  let closed: string
  let refuge: string
  beforeAll(async () => {
    const temporary = await realpath(tmpdir())
    closed = await mkdtemp(join(temporary, 'almanac-runtime-'))
    refuge = await mkdtemp(join(temporary, 'almanac-runtime-'))
    await chmod(refuge, 0o755)
  })
  afterAll(async () => {
    await rm(closed, { recursive: true, force: true })
    await rm(refuge, { recursive: true, force: true })
  })

  it('are copied once, by one of several, to where the server’s user can run them', async () => {
    const installed = await findBinaries()
    const folder = join(closed, 'native')
    await cp(installed.folder, folder, { recursive: true, verbatimSymlinks: true })
    // What an install under umask 077 leaves.
    await chmod(join(folder, 'lib'), 0o700)
    await chmod(join(folder, 'share', 'postgresql', 'postgres.bki'), 0o600)
    const binaries = { ...installed, folder }

    const reach = () => reachableBinaries(binaries, nobody, refuge, log)
    const [copy, same] = await Promise.all([reach(), reach()])
    expect(copy).toEqual(same)
    expect(await readdir(refuge)).toEqual([`postgres-${installed.version}`])
    const bootstrap = join(copy.folder, 'share', 'postgresql', 'postgres.bki')
    expect(await canRun(nobody, program(copy, 'postgres'), bootstrap)).toBe(true)
    expect(await reach()).toEqual(copy)
  })

  it('stay where they are when they can be run there', async () => {
    const binaries = await findBinaries()
    expect(await reachableBinaries(binaries, undefined, refuge, log)).toBe(binaries)
  })
})

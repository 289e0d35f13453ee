import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chown,
  lstat,
  mkdir,
  readFile,
  readdir,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { isAlmanacError } from '@almanac/domain'
import { afterEach, describe, expect, it } from 'vitest'
import { canEnter, isRoot } from './account.ts'
import { canMount, dataFolders, outcomeOf, query } from './data-folders.testing.ts'
import {
  findEmbeddedPostgres,
  removeEmbeddedPostgres,
  startEmbeddedPostgres,
} from './embedded-postgres.ts'
import { findPostmaster, stopPostmaster } from './postmaster.ts'

const log = { info: () => undefined, warn: () => undefined }
const { fresh, holder, clean } = dataFolders()
afterEach(clean)

const start = (dataDir: string, options: { port?: number; refuge?: string } = {}) =>
  startEmbeddedPostgres({ dataDir, log, ...options })

const dataOf = (folder: string) => join(folder, 'postgres', 'data')

const failureOf = async (attempt: Promise<unknown>): Promise<string> => {
  const error: unknown = await attempt.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!isAlmanacError(error)) throw new Error('not an error of the table', { cause: error })
  return `${error.code}: ${error.message}`
}

describe('first start and restart', () => {
  it('keeps data, port and password, and its server ends with it', async () => {
    const folder = await fresh()
    const first = await start(folder)
    expect(first).toMatchObject({ adopted: false, folder: join(folder, 'postgres') })
    await query(first.url, 'create table kept as select 42 as answer')
    const running = await findPostmaster(dataOf(folder))
    expect(running?.port).toBe(first.port)
    await Promise.all([first.stop(), first.stop()])
    expect(await findPostmaster(dataOf(folder))).toBeUndefined()

    const second = await start(folder)
    expect(second).toMatchObject({ url: first.url, adopted: false })
    expect(await query(second.url, 'select answer from kept')).toEqual([{ answer: 42 }])
    await second.stop()
  })

  it('listens on the loopback address only, durably, with a secret password in a private file', async () => {
    const folder = await fresh()
    const { url, stop } = await start(folder)
    const settings = `select name, setting from pg_settings where name in
      ('listen_addresses', 'unix_socket_directories', 'max_connections', 'synchronous_commit', 'fsync')
      order by name`
    expect(await query(url, settings)).toEqual([
      { name: 'fsync', setting: 'on' },
      { name: 'listen_addresses', setting: '127.0.0.1' },
      { name: 'max_connections', setting: '200' },
      { name: 'synchronous_commit', setting: 'on' },
      { name: 'unix_socket_directories', setting: '' },
    ])
    const { mode } = await stat(join(folder, 'postgres', 'password'))
    expect(mode & 0o777).toBe(0o600)
    const guess = new URL(url)
    guess.password = 'guess'
    await expect(query(guess.href, 'select 1')).rejects.toThrow('password authentication failed')
    await stop()
  })

  it.skipIf(process.platform !== 'linux')('gives the server no secret of ours', async () => {
    const folder = await fresh()
    process.env['OPENAI_API_KEY'] = 'sk-not-for-postgres'
    const { stop } = await start(folder)
    delete process.env['OPENAI_API_KEY']
    const running = await findPostmaster(dataOf(folder))
    const environment = await readFile(`/proc/${running?.pid}/environ`, 'utf8')
    expect(environment).toContain('LC_ALL=C')
    expect(environment).not.toContain('sk-not-for-postgres')
    await stop()
  })

  it('is found by another command while it runs', async () => {
    const folder = await fresh()
    expect(await findEmbeddedPostgres(folder)).toBeUndefined()
    const { url, stop } = await start(folder)
    expect(await findEmbeddedPostgres(folder)).toEqual({ url })
    await stop()
    expect(await findEmbeddedPostgres(folder)).toBeUndefined()
  })

  it('clears away what a killed first start left behind', async () => {
    const folder = await fresh()
    await mkdir(join(folder, 'postgres.new-1234', 'data'), { recursive: true, mode: 0o755 })
    const { stop } = await start(folder)
    expect((await readdir(folder)).toSorted()).toEqual(['lock', 'pid', 'postgres'])
    await stop()
  })

  it('is removed whole', async () => {
    const folder = await fresh()
    const { stop } = await start(folder)
    expect(await failureOf(removeEmbeddedPostgres(folder))).toContain('another Almanac')
    await stop()
    await removeEmbeddedPostgres(folder)
    expect((await readdir(folder)).toSorted()).toEqual(['lock', 'pid'])
  })
})

describe('ports', () => {
  it('refuses a taken port that was asked for, and moves on from one that was not', async () => {
    const folder = await fresh()
    const first = await start(folder)
    await first.stop()
    const intruder = createServer().listen(first.port, '127.0.0.1')
    await once(intruder, 'listening')
    expect(await failureOf(start(folder, { port: first.port }))).toContain('PORT_TAKEN')
    const second = await start(folder)
    expect(second.port).not.toBe(first.port)
    await second.stop()
    intruder.close()
    await once(intruder, 'close')
  })
})

describe('after a crash', () => {
  it('adopts the server of a killed process, and can stop it', async () => {
    const folder = await fresh()
    const killed = holder(folder)
    const before = await outcomeOf(killed)
    if (!('url' in before)) throw new Error(before.message)
    await query(before.url, 'create table kept as select 7 as answer')
    const orphan = await findPostmaster(dataOf(folder))
    killed.kill('SIGKILL')
    await once(killed, 'exit')

    const adopted = await start(folder)
    expect(adopted).toMatchObject({ url: before.url, adopted: true })
    expect((await findPostmaster(dataOf(folder)))?.pid).toBe(orphan?.pid)
    expect(await query(adopted.url, 'select answer from kept')).toEqual([{ answer: 7 }])
    await adopted.stop()
    expect(await findPostmaster(dataOf(folder))).toBeUndefined()
    const again = await start(folder)
    expect(again.adopted).toBe(false)
    await again.stop()
  })

  it('recovers when the server itself was killed', async () => {
    const folder = await fresh()
    const first = await start(folder)
    await query(first.url, 'create table kept as select 7 as answer')
    const running = await findPostmaster(dataOf(folder))
    if (!running) throw new Error('no server')
    process.kill(running.pid, 'SIGKILL')
    await first.stop()
    const second = await start(folder)
    expect(second.adopted).toBe(false)
    expect(await query(second.url, 'select answer from kept')).toEqual([{ answer: 7 }])
    await second.stop()
  })

  it('stops a server that has no time to write everything, and recovers', async () => {
    const folder = await fresh()
    const first = await start(folder)
    await query(first.url, 'create table kept as select 7 as answer')
    await stopPostmaster(dataOf(folder), 0)
    expect(await findPostmaster(dataOf(folder))).toBeUndefined()
    await first.stop()
    const second = await start(folder)
    expect(await query(second.url, 'select answer from kept')).toEqual([{ answer: 7 }])
    await second.stop()
  })

  it.each(['of nobody', 'of another program'])('starts over a process id %s', async (whose) => {
    const folder = await fresh()
    await (await start(folder)).stop()
    const data = dataOf(folder)
    const { uid, gid } = await stat(data)
    const other = spawn('sleep', ['600'], { uid, gid, stdio: 'ignore' })
    await once(other, 'spawn')
    const ended = once(other, 'exit')
    if (whose === 'of nobody') {
      other.kill('SIGKILL')
      await ended
    }
    const stale = [
      other.pid,
      data,
      1_790_000_000,
      5432,
      '',
      '127.0.0.1',
      '  1234567    99',
      'ready   ',
    ]
    await writeFile(join(data, 'postmaster.pid'), `${stale.join('\n')}\n`)

    const { adopted, stop } = await start(folder)
    expect(adopted).toBe(false)
    await stop()
    expect(whose === 'of nobody' || other.kill(0)).toBe(true)
    other.kill('SIGKILL')
    await ended
  })
})

describe('two at once', () => {
  it('lets one of two processes have a fresh folder, and tells the other who has it', async () => {
    const folder = await fresh()
    const [one, two] = [holder(folder), holder(folder)]
    const outcomes = await Promise.all([outcomeOf(one), outcomeOf(two)])
    const winner = 'url' in outcomes[0] ? one : two
    expect(outcomes.filter((outcome) => 'url' in outcome)).toHaveLength(1)
    const [refusal] = outcomes.filter((outcome) => 'code' in outcome)
    expect(refusal?.code).toBe('FOLDER_UNUSABLE')
    expect(refusal?.message).toMatch(/^The folder .+ cannot be used: another Almanac/)
    expect(await failureOf(start(folder))).toContain(`another Almanac (process ${winner.pid})`)
  })
})

describe('a folder that cannot be used', () => {
  it('says so in one sentence when its path leads through a file', async () => {
    const folder = await fresh()
    await writeFile(join(dirname(folder), 'file'), '')
    const below = join(dirname(folder), 'file', 'data')
    expect(await failureOf(start(below))).toBe(
      `FOLDER_UNUSABLE: The folder ${below} cannot be used: a part of its path is a file.`,
    )
    expect(await failureOf(start(join(dirname(folder), 'file')))).toMatch(/: it is a file\.$/)
  })

  it.skipIf(!canMount())('says so when it is read-only or full', async () => {
    const folder = await fresh()
    await mkdir(folder)
    const mounted = (mount: string) =>
      outcomeOf(
        holder(folder, {
          wrapper: ['unshare', '--mount', 'sh', '-c', `${mount} && exec "$0" "$@"`],
        }),
      )
    const said = (reason: string) => ({
      code: 'FOLDER_UNUSABLE',
      message: `The folder ${folder} cannot be used: ${reason}.`,
    })
    const bind = `mount --bind '${folder}' '${folder}' && mount -o remount,ro,bind '${folder}'`
    expect(await mounted(bind)).toEqual(said('it is read-only'))
    const small = `mount -t tmpfs -o size=8m,mode=755 none '${folder}'`
    expect(await mounted(small)).toEqual(said('its disk is full'))
  })

  it('says so when its database lost its password, or its place', async () => {
    const folder = await fresh()
    await mkdir(join(folder, 'postgres'), { recursive: true })
    expect(await failureOf(start(folder))).toContain('the password of its database cannot be read')
    await rm(join(folder, 'postgres'), { recursive: true })
    await symlink('/nowhere/at/all', join(folder, 'postgres'))
    expect(await failureOf(start(folder))).toContain(
      'its database lay in /nowhere/at/all, which is gone',
    )
  })

  it('says so when another Postgres made its database', async () => {
    const folder = await fresh()
    await (await start(folder)).stop()
    await writeFile(join(dataOf(folder), 'PG_VERSION'), '17\n')
    expect(await failureOf(start(folder))).toContain('made by Postgres 17')
  })
})

const nobody = { uid: 65_534, gid: 65_534 }
const nobodyCanRunNode = isRoot() && (await canEnter(nobody, process.execPath))

describe.skipIf(!nobodyCanRunNode)('as an ordinary user', () => {
  it('runs the server as that user', async () => {
    const folder = await fresh()
    await chown(dirname(folder), nobody.uid, nobody.gid)
    const outcome = await outcomeOf(holder(folder, { account: nobody }))
    if (!('url' in outcome)) throw new Error(outcome.message)
    expect(await query(outcome.url, 'select current_user')).toEqual([{ current_user: 'almanac' }])
    expect((await stat(dataOf(folder))).uid).toBe(nobody.uid)
    expect((await stat(folder)).mode & 0o777).toBe(0o700)
  })

  it('lets root use the folder once without taking it away from that user', async () => {
    const folder = await fresh()
    await chown(dirname(folder), nobody.uid, nobody.gid)
    const killed = holder(folder, { account: nobody })
    const first = await outcomeOf(killed)
    killed.kill('SIGKILL')
    await once(killed, 'exit')
    const adopted = await start(folder)
    expect(adopted.adopted).toBe(true)
    await adopted.stop()
    const started = await start(folder)
    expect(started.adopted).toBe(false)
    await started.stop()
    expect(await outcomeOf(holder(folder, { account: nobody }))).toEqual(first)
  })

  it('says so when that user may not write to the folder', async () => {
    const folder = await fresh()
    expect(await outcomeOf(holder(folder, { account: nobody }))).toEqual({
      code: 'FOLDER_UNUSABLE',
      message: `The folder ${folder} cannot be used: this user may not write to it.`,
    })
  })
})

describe.skipIf(!isRoot())('as root', () => {
  it('keeps the database in a refuge when its user cannot enter the folder', async () => {
    const folder = await fresh({ open: false })
    const refuge = await fresh()
    const first = await start(folder, { refuge })
    expect(first.folder).toContain(join(refuge, 'databases'))
    expect((await lstat(join(folder, 'postgres'))).isSymbolicLink()).toBe(true)
    await query(first.url, 'create table kept as select 1 as answer')
    await first.stop()
    const second = await start(folder, { refuge })
    expect(second).toMatchObject({ url: first.url, folder: first.folder })
    expect(await query(second.url, 'select answer from kept')).toEqual([{ answer: 1 }])
    await second.stop()
    await removeEmbeddedPostgres(folder)
    expect(await readdir(join(refuge, 'databases'))).toEqual([])
    expect((await readdir(folder)).toSorted()).toEqual(['lock', 'pid'])
  })
})

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import OpenAI from 'openai'
import { expect, test } from 'vitest'
import { simulateLlm } from './command.ts'
import { chatReportRequest, model, reportRequest } from './testing/client.ts'

async function run(...args: string[]) {
  const abort = new AbortController()
  let [out, err] = ['', '']
  const ended = simulateLlm(args, {
    print: (text) => {
      out += text
      abort.abort()
    },
    printError: (text) => (err += text),
    signal: abort.signal,
  })
  return { code: await ended, out, err }
}

test('says where it listens, and ends with 0 when it is told to', async () => {
  const { code, out, err } = await run('--port', '0', '--seed', 'abc', '--fault', 'refused=0.5')
  expect({ code, err }).toEqual({ code: 0, err: '' })
  expect(out).toMatch(/Simulating the OpenAI API at http:\/\/127\.0\.0\.1:\d+\/v1 \(seed abc\)/)
})

test('explains itself', async () => {
  const { code, out } = await run('--help')
  expect(code).toBe(0)
  expect(out).toContain('--tokens-per-second')
  expect(out).toContain('reset_mid_stream')
})

test.each([
  [['--port', 'http'], '--port: must be a number (found "http")'],
  [['--port', '70000'], '--port: must be from 0 to 65535 (found 70000)'],
  [['--fault', 'nonsense=1'], '--fault: must name one of rate_429'],
  [['--fault', 'refused'], '--fault: must be NAME=SHARE'],
  [['--fault', 'refused=2'], 'probabilities.refused'],
  [['--jitter', '3', '--latency-ms=-1'], 'latency.firstByteMs'],
  [['--jitter', '3'], 'latency.jitter'],
  [['--colour'], "Unknown option '--colour'"],
])('%j ends with 2 and says %s', async (args, message) => {
  const { code, err } = await run(...args)
  expect(code).toBe(2)
  expect(err).toContain(message)
  expect(err).not.toMatch(/undefined|\n {4}at /)
})

test('a port that is taken is one sentence and exit code 1', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const { code, err } = await run('--port', String(port))
  expect({ code, err }).toEqual({ code: 1, err: `Another program listens on port ${port}.\n` })
  server.close()
})

/** A simulator in a process of its own. */
async function startProcess(...args: string[]) {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts'), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  for await (const line of createInterface(child.stdout)) {
    const [baseURL] = /http:\S+\/v1/.exec(line) ?? []
    if (baseURL === undefined) continue
    const client = new OpenAI({ baseURL, apiKey: 'sk-any', maxRetries: 0 })
    const stop = async () => {
      child.kill('SIGTERM')
      const [code] = await exited
      return Number(code)
    }
    return { client, baseURL, stop }
  }
  throw new Error('the simulator ended before it listened')
}

test('two processes with one seed answer the same bytes, and with another seed other ones', async () => {
  const bytes = async (seed: string) => {
    const { baseURL, stop } = await startProcess('--port', '0', '--seed', seed)
    const post = async (path: string, body: object) => {
      const answer = await fetch(`${baseURL}/${path}`, {
        method: 'POST',
        headers: { authorization: 'Bearer sk-any', 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
      // Instants are the only thing that the seed and the request do not decide.
      return (await answer.text()).replace(/"(created|created_at|completed_at)":\d+/g, '"$1":0')
    }
    const answers = [
      await post('responses', reportRequest),
      await post('responses', { ...reportRequest, stream: true }),
      await post('responses', { model, input: 'Prose, please.' }),
      await post('responses', { ...reportRequest, input: 'No package.' }),
      await post('chat/completions', { ...chatReportRequest, stream: true }),
      await post('embeddings', { model: 'text-embedding-3-small', input: ['One.', 'Two.'] }),
    ]
    expect(await stop()).toBe(0)
    return answers
  }
  const first = await bytes('42')
  expect(await bytes('42')).toEqual(first)
  const other = await bytes('43')
  for (const [at, answer] of first.entries()) expect(other[at]).not.toBe(answer)
})

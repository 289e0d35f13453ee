import { describe, expect, it } from 'vitest'
import { readServerSentEvents, type ServerSentEvent } from './server-sent-events.ts'

/** A body that arrives in pieces of so many bytes. */
const arriving = (text: string, size: number): ReadableStream<Uint8Array> => {
  const bytes = new TextEncoder().encode(text)
  return new ReadableStream({
    start(controller) {
      for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.slice(at, at + size))
      controller.close()
    },
  })
}

async function read(text: string, size: number): Promise<ServerSentEvent[]> {
  const events: ServerSentEvent[] = []
  for await (const event of readServerSentEvents(arriving(text, size))) events.push(event)
  return events
}

const lines = [
  ': heartbeat',
  '',
  'id: 1',
  'event: run.started',
  'data: {"note":"größer"}',
  '',
  'data: first',
  'data: second',
  '',
  'id: 3',
  '',
]

describe('a stream of events', () => {
  it.each([1, 3, 1_000])('is read whatever its pieces are: %i bytes each', async (size) => {
    const events: ServerSentEvent[] = [
      { id: '1', event: 'run.started', data: '{"note":"größer"}' },
      { id: undefined, event: 'message', data: 'first\nsecond' },
    ]
    expect(await read(`${lines.join('\n')}\n`, size)).toEqual(events)
  })

  it('may end its lines with a carriage return too', async () => {
    const events = await read(`${lines.join('\r\n')}\r\n`, 1_000)
    expect(events.map(({ data }) => data)).toEqual(['{"note":"größer"}', 'first\nsecond'])
  })

  it('ends without an event that was cut off', async () => {
    expect(await read('data: whole\n\ndata: cut', 4)).toEqual([
      { id: undefined, event: 'message', data: 'whole' },
    ])
  })
})

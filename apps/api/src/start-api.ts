import { AlmanacError } from '@almanac/domain'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Api } from './create-api.ts'

/** Room for an import over a slow line; Node's own limit is five minutes. */
const requestTimeoutMs = 30 * 60_000

export interface RunningApi {
  /** Where it answers, such as http://127.0.0.1:4242. */
  url: string
  port: number
  /** Ends streams, lets requests finish, takes no new ones; what is left when the signal aborts is cut. */
  close(graceOver?: AbortSignal): Promise<void>
}

/** Listens on an address; port 0 takes any free one. Throws PORT_TAKEN, CONFIG_INVALID. */
export async function startApi(
  api: Api,
  { host, port }: { host: string; port: number },
): Promise<RunningApi> {
  let closing = false
  const server = createServer({ requestTimeout: requestTimeoutMs }, (request, response) => {
    // A connection that is kept alive would keep the server from closing.
    response.once('close', () => closing && setImmediate(() => server.closeIdleConnections()))
    api(request, response)
  })
  await listen(server, host, port)
  const bound = server.address() as AddressInfo
  return {
    url: `http://${urlHost(bound)}:${bound.port}`,
    port: bound.port,
    close(graceOver) {
      closing = true
      api.endWaiting()
      const cut = () => server.closeAllConnections()
      if (graceOver?.aborted) cut()
      graceOver?.addEventListener('abort', cut)
      return new Promise<void>((resolve) => server.close(() => resolve())).then(() =>
        graceOver?.removeEventListener('abort', cut),
      )
    },
  }
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(listenError(error, host, port)))
    server.listen(port, host, resolve)
  })
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): Error {
  const { code = '' } = error
  const invalid = (field: string, message: string, value: string) =>
    new AlmanacError('CONFIG_INVALID', { issues: [{ field, message, value }] }, { cause: error })
  if (code === 'EADDRINUSE') return new AlmanacError('PORT_TAKEN', { port }, { cause: error })
  if (code === 'EACCES')
    return invalid('ALMANAC_PORT', 'must be a port that this user may listen on', String(port))
  if (['EADDRNOTAVAIL', 'ENOTFOUND', 'EAI_AGAIN'].includes(code))
    return invalid('ALMANAC_HOST', 'must be an address of this machine', JSON.stringify(host))
  return error
}

/** An address as a URL has it; one that means every address of the machine is named by the local one. */
function urlHost({ address, family }: AddressInfo): string {
  if (address === '0.0.0.0' || address === '::') return '127.0.0.1'
  return family === 'IPv6' ? `[${address}]` : address
}

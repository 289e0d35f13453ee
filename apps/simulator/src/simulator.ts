import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { AlmanacError, isAlmanacError, parse } from '@almanac/domain'
import { systemClock, type Clock } from './clock.ts'
import { controlRoutes } from './control-routes.ts'
import { createControl, type Control } from './control.ts'
import { createFaultBook } from './faults/fault-book.ts'
import { createExchange, type Exchange } from './http/exchange.ts'
import { createRouter, type Route } from './http/router.ts'
import { createRateLimiter } from './rate-limits.ts'
import { createRequestLog, type RequestLog } from './request-log.ts'
import { providerRoutes } from './routes.ts'
import { seededHex } from './seeded.ts'
import { settings, simulatorOptions, type SimulatorOptions } from './settings.ts'
import type { Simulation } from './simulation.ts'
import { ApiError, apiErrors } from './wire/api-error.ts'
import { createModelList } from './wire/models.ts'

/** A simulator that listens. */
export interface Listening {
  /** Such as `http://127.0.0.1:4010`. */
  url: string
  /** What clients are given: `url` with `/v1`. */
  baseUrl: string
  port: number
  /** Ends all connections, and resolves when every request is recorded to its end. */
  close: () => Promise<void>
}

export interface Simulator {
  /** Listens on `port`, or on any free one. Throws PORT_TAKEN. */
  listen: (port?: number) => Promise<Listening>
  log: RequestLog
  control: Control
}

export interface SimulatorPorts {
  clock?: Clock
  /** Told of what should not happen: errors of the simulator itself. */
  onError?: (error: unknown) => void
}

/** Creates a simulator of the provider's API. Throws INPUT_INVALID for options that are none. */
export function createSimulator(
  options: SimulatorOptions = {},
  { clock = systemClock, onError }: SimulatorPorts = {},
): Simulator {
  const { host, keys, models, maxLogEntries, maxLogBodyBytes, logFile, ...initial } = parse(
    simulatorOptions,
    options,
  )
  const simulation: Simulation = {
    settings: settings.parse(initial),
    clock,
    log: createRequestLog({
      maxEntries: maxLogEntries,
      maxBodyBytes: maxLogBodyBytes,
      file: logFile,
      now: clock.now,
    }),
    faults: createFaultBook(),
    limiter: createRateLimiter(initial.limits, clock.now),
    models: createModelList(models),
    keys: keys && new Set(keys),
    stored: new Map(),
  }
  simulation.faults.setProbabilities(initial.probabilities)
  const { log } = simulation
  const control = createControl(simulation)
  const routes: Route[] = [...providerRoutes(simulation), ...controlRoutes(control, log)]
  const route = createRouter(routes)
  let arrivals = 0

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    arrivals += 1
    const requestId = `req_${seededHex(32, simulation.settings.seed, 'request', String(arrivals))}`
    const exchange = createExchange(request, response, requestId)
    try {
      if (exchange.path.startsWith('/v1/')) record(exchange, log)
      const { handle, parameters } = route(exchange.method, exchange.path)
      await handle(exchange, parameters)
    } catch (error) {
      if (exchange.gone.aborted) return
      exchange.sendError(asAnswer(error, requestId, onError))
      request.resume()
    }
  }

  return {
    log,
    control,
    listen: (port = 0) =>
      new Promise((resolve, reject) => {
        const server = createServer((request, response) => void serve(request, response))
        // Clients pool connections: to close an idle one just as it is used again looks like a reset.
        server.keepAliveTimeout = 120_000
        server.requestTimeout = 0
        server.once('error', (error: NodeJS.ErrnoException) =>
          reject(
            error.code === 'EADDRINUSE'
              ? new AlmanacError('PORT_TAKEN', { port }, { cause: error })
              : error,
          ),
        )
        server.listen(port, host, () => {
          const address = server.address()
          const bound = typeof address === 'object' && address ? address.port : port
          const url = `http://${host.includes(':') ? `[${host}]` : host}:${bound}`
          const close = async () => {
            const closed = new Promise<void>((done) => server.close(() => done()))
            server.closeAllConnections()
            await closed
            await log.idle()
            await log.end()
          }
          resolve({ url, baseUrl: `${url}/v1`, port: bound, close })
        })
      }),
  }
}

/** Records the arrival of a request, and its end when that comes. */
function record(exchange: Exchange, log: RequestLog): void {
  const { requestId, method, path, apiKey } = exchange
  const entry = log.open({ requestId, method, path, apiKey: apiKey && apiKey.slice(-4) })
  exchange.entry = entry
  void exchange.closed.then((outcome) => log.close(entry, outcome))
}

function asAnswer(error: unknown, requestId: string, onError: SimulatorPorts['onError']): ApiError {
  if (error instanceof ApiError) return error
  if (isAlmanacError(error, 'INPUT_INVALID')) return new ApiError(400, { message: error.message })
  onError?.(error)
  return apiErrors.serverError(requestId)
}

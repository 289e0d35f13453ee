import { randomBytes } from 'node:crypto'
import {
  GenericContainer,
  getContainerRuntimeClient,
  ImageName,
  Wait,
  type StartedTestContainer,
} from 'testcontainers'

/**
 * Servers in containers, as docker-compose.yml starts them: the same images and settings, on ports
 * and with data of their own. Where no Docker engine answers, or an image is neither there nor to be
 * had, tests say loudly what was not covered; with REQUIRE_CONTAINERS=1 that is a failure.
 */
export interface Containers {
  postgres: StartedTestContainer
  redis: StartedTestContainer
  /** Of a login that may do everything, to an empty database. */
  databaseUrl: string
  redisUrl: string
  /** Ends both servers and removes their data. */
  stop(): Promise<void>
}

/** The images of docker-compose.yml. */
export const images = { postgres: 'postgres:17-alpine', redis: 'redis:7-alpine' }

/** Postgres and Redis of one's own, or undefined after a loud line. */
export async function findContainers(notCovered: string): Promise<Containers | undefined> {
  const reason = await whyNot(Object.values(images))
  if (reason === undefined) return startContainers()
  const message = `${reason}, so ${notCovered} was NOT covered`
  if (process.env['REQUIRE_CONTAINERS'] === '1') throw new Error(message)
  process.stderr.write(`\n!!! ${message} !!!\n\n`)
  return undefined
}

async function startContainers(): Promise<Containers> {
  // It would be one more image to fetch; whoever starts containers here stops them.
  process.env['TESTCONTAINERS_RYUK_DISABLED'] ??= 'true'
  const password = randomBytes(16).toString('hex')
  const started = await Promise.allSettled([startPostgres(password), startRedisContainer()])
  const stop = async () => {
    const running = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    await Promise.all(running.map((container) => container.stop({ removeVolumes: true })))
  }
  const [postgres, redis] = started
  if (postgres.status === 'rejected' || redis.status === 'rejected') {
    await stop()
    throw new AggregateError(
      started.flatMap((one) => (one.status === 'rejected' ? [one.reason] : [])),
      'a container did not start',
    )
  }
  return {
    postgres: postgres.value,
    redis: redis.value,
    databaseUrl: `postgres://almanac:${password}@${address(postgres.value, 5432)}/almanac`,
    redisUrl: `redis://${address(redis.value, 6379)}`,
    stop,
  }
}

const startPostgres = (password: string): Promise<StartedTestContainer> =>
  new GenericContainer(images.postgres)
    .withEnvironment({
      POSTGRES_USER: 'almanac',
      POSTGRES_DB: 'almanac',
      POSTGRES_PASSWORD: password,
    })
    .withExposedPorts(5432)
    // By address: while the database is being made, the server answers on its socket only.
    .withWaitStrategy(Wait.forSuccessfulCommand('pg_isready -h 127.0.0.1 -U almanac -d almanac'))
    .start()

/** Redis as docker-compose.yml starts it, on a port that the engine chooses or on a given one. */
export function startRedisContainer(
  port: number | { container: number; host: number } = 6379,
): Promise<StartedTestContainer> {
  // It would be one more image to fetch; whoever starts containers here stops them.
  process.env['TESTCONTAINERS_RYUK_DISABLED'] ??= 'true'
  return new GenericContainer(images.redis)
    .withCommand(['redis-server', '--appendonly', 'yes', '--maxmemory-policy', 'noeviction'])
    .withExposedPorts(port)
    .withWaitStrategy(Wait.forSuccessfulCommand('redis-cli ping'))
    .start()
}

const address = (container: StartedTestContainer, port: number): string =>
  `${container.getHost()}:${container.getMappedPort(port)}`

/** Why the images cannot be started here; undefined when they can. */
export async function whyNot(names: readonly string[]): Promise<string | undefined> {
  const client = await getContainerRuntimeClient().catch(() => undefined)
  if (!client) return 'no Docker engine answers'
  for (const name of names.map((text) => ImageName.fromString(text))) {
    if (await client.image.exists(name)) continue
    try {
      await client.image.pull(name)
    } catch {
      return `the Docker engine has no image ${name.string} and cannot pull it`
    }
  }
  return undefined
}

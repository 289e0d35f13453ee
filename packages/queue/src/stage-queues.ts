import { AlmanacError } from '@almanac/domain'
import type { StageJob } from '@almanac/pipeline'
import { FlowProducer, Queue, type IQueueBackend } from 'bullmq'
import { reasonOf, type Driver } from './driver.ts'
import { gatherAdds } from './gather-adds.ts'
import { earlierIds, jobId, payload, queueNames, queueOf, type QueueName } from './job-identity.ts'
import type { Depth, NewJob, QueueBackend } from './queue-backend.ts'

/** Jobs a statement; larger ones block the server for too long. */
const chunkSize = 500
/** Jobs of several stages in one statement; more of them go stage by stage, each in one. */
const mostTogether = 50
/** Up to so many jobs are cheaper one by one: a bulk insert makes temporary tables in Postgres. */
const fewJobs = 4
/** How many earlier forms of a job are looked for; one that stays silent for longer is added anyway. */
const earlierForms = 4
/** Events that BullMQ keeps a queue; nobody reads them, history is in the database. */
const keptEvents = 1_000

/** A finished job that is kept would block its id; tries are counted in the database. */
const kept = { attempts: 1, removeOnComplete: true, removeOnFail: true }

type StageQueue<C> = Queue<object, unknown, string, object, unknown, string, IQueueBackend, C>

/** The producing half of the queue: one BullMQ queue a stage, and one for variants. */
export type StageQueues = Pick<
  QueueBackend,
  'add' | 'missing' | 'ping' | 'depth' | 'clear' | 'close'
>

/** Opens the queues of all stages and waits until they answer. */
export async function openStageQueues<C>(
  driver: Driver<C>,
  onError: (error: unknown) => void,
): Promise<StageQueues> {
  const queues = new Map(queueNames.map((stage) => [stage, openQueue(driver, stage, onError)]))
  const queueNamed = (stage: QueueName): StageQueue<C> => {
    const queue = queues.get(stage)
    if (!queue) throw new Error(`no queue is called ${stage}`)
    return queue
  }
  const reach = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work
    } catch (cause) {
      const reason = reasonOf(cause)
      throw new AlmanacError('QUEUE_UNREACHABLE', { where: driver.where, reason }, { cause })
    }
  }
  await reach(Promise.all(queueNames.map((stage) => queueNamed(stage).waitUntilReady())))
  const together =
    driver.together && new FlowProducer({ connection: driver.producer }, driver.together)
  together?.on('error', onError)

  return {
    add: gatherAdds((jobs) =>
      reach(
        together && jobs.length <= mostTogether
          ? together.addBulk(jobs.map(entryOf)).then(() => undefined)
          : Promise.all(
              byStage(jobs).map(([stage, ofStage]) => addToQueue(queueNamed(stage), ofStage)),
            ).then(() => undefined),
      ),
    ),
    missing: async (jobs) => {
      const missing = await reach(
        Promise.all(
          byStage(jobs).map(async ([stage, ofStage]) => {
            const ids = ofStage.flatMap((job) => earlierIds(job, earlierForms))
            if (ids.length === 0) return ofStage
            const found = await driver.existing(stage, ids, queueNamed(stage).toKey)
            return ofStage.filter(
              (job) => !earlierIds(job, earlierForms).some((id) => found.has(id)),
            )
          }),
        ),
      )
      return missing.flat()
    },
    ping: () => reach(driver.ping().then(() => undefined)),
    depth: (stage) => reach(depthOf(queueNamed(stage))),
    clear: () =>
      reach(
        Promise.all(queueNames.map((stage) => clearQueue(queueNamed(stage)))).then(() => undefined),
      ),
    close: async () => {
      await Promise.all([...queues.values()].map((queue) => queue.close()))
      await together?.close()
    },
  }
}

function openQueue<C>(
  driver: Driver<C>,
  stage: QueueName,
  onError: (error: unknown) => void,
): StageQueue<C> {
  const prefix = driver.prefix(stage)
  const queue: StageQueue<C> = new Queue(
    stage,
    {
      connection: driver.producer,
      ...(prefix === undefined ? {} : { prefix }),
      streams: { events: { maxLen: keptEvents } },
    },
    driver.factory,
  )
  queue.on('error', onError)
  return queue
}

const byStage = <J extends StageJob>(jobs: readonly J[]): [QueueName, J[]][] => [
  ...Map.groupBy(jobs, queueOf),
]

/** A job as BullMQ takes it. */
const entryOf = (job: NewJob) => ({
  queueName: queueOf(job),
  name: queueOf(job),
  data: payload(job),
  opts: { ...kept, jobId: jobId(job), ...(job.delayMs ? { delay: job.delayMs } : {}) },
})

async function addToQueue<C>(queue: StageQueue<C>, jobs: readonly NewJob[]): Promise<void> {
  const entries = jobs.map(entryOf)
  if (entries.length <= fewJobs) {
    await Promise.all(entries.map(({ name, data, opts }) => queue.add(name, data, opts)))
    return
  }
  for (let from = 0; from < entries.length; from += chunkSize)
    await queue.addBulk(entries.slice(from, from + chunkSize))
}

async function depthOf<C>(queue: StageQueue<C>): Promise<Depth> {
  const counts = await queue.getJobCounts('waiting', 'active', 'delayed')
  return {
    waiting: counts['waiting'] ?? 0,
    active: counts['active'] ?? 0,
    delayed: counts['delayed'] ?? 0,
  }
}

async function clearQueue<C>(queue: StageQueue<C>): Promise<void> {
  await queue.obliterate({ force: true })
  // Obliterating forgets the queue's settings too.
  await queue.getBackend().setQueueMeta({ 'opts.maxLenEvents': keptEvents })
}

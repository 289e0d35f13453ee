import {
  judgeBrief,
  readJudgement,
  type Call,
  type CheckAnswer,
  type JudgedCheck,
} from '@almanac/documents'
import { canonicalJson, isAlmanacError, type Metric } from '@almanac/domain'
import { askAside } from '../calls/ask-aside.ts'
import type { CallContext, CallPorts } from '../calls/call-engine.ts'
import type { Engine, Ports } from '../ports.ts'
import { Elsewhere } from '../stage.ts'
import type { Checklist } from './judge-port.ts'

export type JudgePorts = CallPorts & Pick<Ports, 'judge'>

/** A metric that was judged, or one without weight, with why. */
export type Judgement = { metric: Metric; isJudged: boolean }

/** How long one call may take, and until when a further one may begin. */
interface JudgeTime {
  callMs: number
  allMs: number
}
const judgeTime: JudgeTime = { callMs: 60_000, allMs: 75_000 }

/**
 * Has a model answer the checklists of a document's kind. The life of one:
 *
 *   1. Its checks are made from the run package: from what the specification wants.
 *   2. They are asked twice, in their order and in the reverse one, each time in a call of its own that
 *      is held, sent and settled like any other, for another model than the one that made the document.
 *   3. Where both answers agree on every check, the share of those that hold is the metric's value.
 *
 * Whatever goes wrong, is refused or does not fit the budget leaves the metric without weight, and says
 * why; it ends nothing, and nothing is waited for. Elsewhere: another worker has such a call open.
 */
export async function judgeDocument(
  context: CallContext,
  document: { contentHash: string; madeBy: readonly string[] },
  ports: JudgePorts,
  signal: AbortSignal,
  { callMs, allMs }: JudgeTime = judgeTime,
): Promise<Judgement[] | Elsewhere> {
  const { package: runPackage } = context
  const { engine, checklists } = ports.judge
  const time = AbortSignal.timeout(allMs)
  const judgements: Judgement[] = []
  for (const checklist of checklists.filter(({ kind }) => kind === runPackage.output.kind)) {
    if ('none' in engine) {
      judgements.push(unjudged(checklist, engine.none))
      continue
    }
    if (document.madeBy.includes(engine.model)) {
      const why = `the model ${engine.model} made the document, and does not judge its own work`
      judgements.push(unjudged(checklist, why))
      continue
    }
    const asked: Asked = { checklist, engine, contentHash: document.contentHash, time, callMs }
    const judged = await judgeBy(context, asked, ports, signal)
    if (judged instanceof Elsewhere) return judged
    judgements.push(judged)
  }
  return judgements
}

interface Asked {
  checklist: Checklist
  engine: Engine
  contentHash: string
  /** Aborts when no further call may begin. */
  time: AbortSignal
  callMs: number
}

async function judgeBy(
  context: CallContext,
  asked: Asked,
  ports: JudgePorts,
  signal: AbortSignal,
): Promise<Judgement | Elsewhere> {
  const { checklist } = asked
  try {
    const checks = await checklist.checks(context.package, signal)
    const answers: Map<string, CheckAnswer>[] = []
    for (const [i, order] of [checks, checks.toReversed()].entries()) {
      const answer = await askInOrder(context, asked, { n: i + 1, checks: order }, ports, signal)
      if (answer instanceof Elsewhere) return answer
      if ('why' in answer) return unjudged(checklist, answer.why)
      answers.push(answer.answers)
    }
    return agreed(checklist, checks, answers)
  } catch (cause) {
    signal.throwIfAborted()
    if (isAlmanacError(cause, 'PLUGIN_FAILED') || isAlmanacError(cause, 'INPUT_INVALID'))
      return unjudged(checklist, cause.message)
    throw cause
  }
}

async function askInOrder(
  context: CallContext,
  { checklist, engine, contentHash, time, callMs }: Asked,
  { n, checks }: { n: number; checks: readonly JudgedCheck[] },
  ports: JudgePorts,
  signal: AbortSignal,
): Promise<{ answers: Map<string, CheckAnswer> } | { why: string } | Elsewhere> {
  if (time.aborted) return { why: 'judging takes too long' }
  const { tenantId } = context.run
  const [checksHash = ''] = await ports.content.put(tenantId, [canonicalJson(checks)])
  const call: Call = {
    kind: 'judge',
    n,
    part: checklist.name,
    brief: judgeBrief,
    inputHashes: [contentHash, checksHash],
  }
  const answer = await askAside(context, call, { ...ports, engine }, signal, callMs)
  if (answer instanceof Elsewhere || 'why' in answer) return answer
  const answers = readJudgement(answer.output, checks)
  return answers ? { answers } : { why: 'its answer does not answer each check once' }
}

/** The metric where both orders say the same of every check, each check with its answer and reason. */
function agreed(
  checklist: Checklist,
  checks: readonly JudgedCheck[],
  [first, second]: readonly Map<string, CheckAnswer>[],
): Judgement {
  const divided = checks.filter(({ id }) => first?.get(id)?.holds !== second?.get(id)?.holds)
  if (divided.length > 0) {
    const which = divided.map(({ id }) => id).join(', ')
    return unjudged(checklist, `asked in another order, it answered otherwise: ${which}`)
  }
  const told = checks.map(({ id, question }) => {
    const { holds = false, why = '' } = first?.get(id) ?? {}
    return { holds, line: `${holds ? 'yes' : 'no'}: ${question}${why && ` – ${why}`}` }
  })
  const held = told.filter(({ holds }) => holds)
  const reasons = [...told.filter(({ holds }) => !holds), ...held].map(({ line }) => line)
  const value = Math.round((held.length / checks.length) * 10_000) / 10_000
  const { name, weight } = checklist
  return { metric: { name, value, weight, reasons }, isJudged: true }
}

const unjudged = ({ name }: Checklist, why: string): Judgement => ({
  metric: { name, value: 0, weight: 0, reasons: [`not judged: ${why}`.slice(0, 500)] },
  isJudged: false,
})

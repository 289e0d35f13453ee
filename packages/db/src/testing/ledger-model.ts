/**
 * The ledger's rules a second time, as plainly as they can be said, for one history: one tenant with one
 * specification, two runs, and a provider that nobody else uses. Tests hold the database against it.
 */

export const levels = [
  'root',
  'specification',
  'tenant_day',
  'tenant_month',
  'provider_day',
] as const
export type Level = (typeof levels)[number]

/** What can stop a history's calls: its tenant by operators, or by itself, its provider, its provider's bill. */
export const stops = ['tenant', 'own', 'provider', 'bill'] as const
export type Stop = (typeof stops)[number]

interface Amounts {
  usd: number
  tok: number
}

export interface Limit {
  usd: number | null
  tok: number | null
}

export type Step =
  | { do: 'hold'; run: 0 | 1; kind: 'draft' | 'repair' | 'variant'; n: number; need: Amounts }
  /** Ends a send, the `which`-th that was granted, however it ended before: messages come late and twice. */
  | { do: 'end'; which: number; to: 'settled' | 'released' | 'unknown'; cost: Amounts }
  /** The worker dies: what it had open stays open, and another one goes on with the run. */
  | { do: 'crash'; run: 0 | 1 }
  /** Time passes: calls whose answer was lost are charged in full. */
  | { do: 'charge' }
  | { do: 'release by hand'; which: number }
  | { do: 'limit'; level: Exclude<Level, 'root'>; limit: Limit }
  | { do: 'acknowledge' }
  | { do: 'stop'; stop: Stop }
  | { do: 'resume'; stop: Stop }

export interface History {
  root: Limit & { usd: number; tok: number }
  steps: Step[]
}

export interface Send {
  run: 0 | 1
  key: string
  seq: number
  epoch: number
  hold: Amounts
  state: 'open' | 'settled' | 'released' | 'unknown' | 'charged'
  answered: boolean
}

/** What a budget row counts. */
export interface Balance {
  limit: Limit
  held: Amounts
  spent: Amounts
  over: Amounts
  finish: Amounts
  repaired: Amounts
  blocked: number
}

export type Answer =
  | { outcome: 'granted'; seq: number }
  | { outcome: 'settled' | 'busy' | 'stopped' }
  | { outcome: 'refused'; level: string; unit: string; because: string }

/** The model's state, and what it says to each step. */
export function createModel({ root }: History) {
  const epochs = [1, 1]
  const sends: Send[] = []
  const overruns: { at: Balance[] }[] = []
  const inForce = new Set<Stop>()
  const empty = (limit: Limit): Balance => ({
    limit: { ...limit },
    held: { usd: 0, tok: 0 },
    spent: { usd: 0, tok: 0 },
    over: { usd: 0, tok: 0 },
    finish: { usd: 0, tok: 0 },
    repaired: { usd: 0, tok: 0 },
    blocked: 0,
  })
  const unlimited = { usd: null, tok: null }
  const roots = [empty(root), empty(root)] as const
  const shared = {
    specification: empty(unlimited),
    tenant_day: empty(unlimited),
    tenant_month: empty(unlimited),
    provider_day: empty(unlimited),
  }
  const budgetOf = (level: Level, run: 0 | 1) => (level === 'root' ? roots[run] : shared[level])
  const add = (to: Amounts, usd: number, tok: number) => {
    to.usd += usd
    to.tok += tok
  }

  const shortage = (step: Extract<Step, { do: 'hold' }>): Answer | undefined => {
    for (const level of levels) {
      const budget = budgetOf(level, step.run)
      for (const unit of ['usd', 'tok'] as const) {
        const needed = step.need[unit]
        // Providers count money only.
        if (needed === 0 || (level === 'provider_day' && unit === 'tok')) continue
        const most = budget.limit[unit]
        const left = most === null ? Infinity : most - budget.held[unit] - budget.spent[unit]
        const reserve =
          level === 'root' && step.kind === 'variant'
            ? Math.max(0, budget.finish[unit] - budget.repaired[unit])
            : 0
        const because =
          budget.blocked > 0
            ? 'overrun'
            : needed > left
              ? 'limit'
              : needed > left - reserve
                ? 'reserve'
                : undefined
        if (because)
          return {
            outcome: 'refused',
            level,
            unit: unit === 'usd' ? 'micro_usd' : 'tokens',
            because,
          }
      }
    }
    return undefined
  }

  const hold = (step: Extract<Step, { do: 'hold' }>): Answer => {
    const key = `${step.kind}:${step.n}`
    const last = sends.filter((send) => send.run === step.run && send.key === key).at(-1)
    if (last?.state === 'settled' && last.answered) return { outcome: 'settled' }
    if (last?.state === 'open' && last.epoch === epochs[step.run]) return { outcome: 'busy' }
    if (inForce.size > 0) return { outcome: 'stopped' }
    const { need } = step
    if (need.usd > 0 || need.tok > 0) {
      const short = shortage(step)
      if (short) return short
      for (const level of levels) add(budgetOf(level, step.run).held, need.usd, need.tok)
      const { finish, repaired } = roots[step.run]
      if (step.kind === 'repair') add(repaired, need.usd, need.tok)
      if (step.kind === 'draft') {
        finish.usd = Math.max(finish.usd, 2 * need.usd)
        finish.tok = Math.max(finish.tok, 2 * need.tok)
      }
    }
    if (last?.state === 'open') last.state = 'unknown'
    const seq = (last?.seq ?? 0) + 1
    const epoch = epochs[step.run] ?? 0
    sends.push({ run: step.run, key, seq, epoch, hold: need, state: 'open', answered: false })
    return { outcome: 'granted', seq }
  }

  const end = (send: Send, to: Exclude<Send['state'], 'open'>, cost: Amounts) => {
    send.state = to
    if (to === 'unknown') return
    const spent = to === 'settled' ? cost : to === 'charged' ? send.hold : { usd: 0, tok: 0 }
    const over = {
      usd: Math.max(0, spent.usd - send.hold.usd),
      tok: Math.max(0, spent.tok - send.hold.tok),
    }
    for (const level of levels) {
      const budget = budgetOf(level, send.run)
      add(budget.held, -send.hold.usd, -send.hold.tok)
      add(budget.spent, spent.usd, spent.tok)
      add(budget.over, over.usd, over.tok)
    }
    if (to === 'released' && send.key.startsWith('repair'))
      add(roots[send.run].repaired, -send.hold.usd, -send.hold.tok)
    if (to !== 'settled') return
    send.answered = isAnswered(cost)
    if (over.usd === 0) return
    const at = levels
      .map((level) => ({ level, budget: budgetOf(level, send.run) }))
      .filter(
        ({ level, budget: { limit, held, spent: all } }) =>
          level === 'root' || (limit.usd !== null && all.usd + held.usd > limit.usd),
      )
      .map(({ budget }) => budget)
    for (const budget of at) budget.blocked += 1
    overruns.push({ at })
  }

  return {
    epochs,
    sends,
    budgetOf,
    inForce,
    hold,
    /** Whether the step changes anything. */
    end(which: number, to: 'settled' | 'released' | 'unknown', cost: Amounts): void {
      const send = sends[which]
      if (!send) return
      const allowed = to === 'unknown' ? ['open'] : ['open', 'unknown']
      if (allowed.includes(send.state)) end(send, to, cost)
    },
    releaseByHand(which: number): void {
      const send = sends[which]
      if (send?.state === 'unknown') end(send, 'released', { usd: 0, tok: 0 })
    },
    charge(): void {
      for (const send of sends)
        if (send.state === 'unknown') end(send, 'charged', { usd: 0, tok: 0 })
    },
    acknowledge(): void {
      for (const { at } of overruns.splice(0)) for (const budget of at) budget.blocked -= 1
    },
  }
}

export type Model = ReturnType<typeof createModel>

/** Whether an answer of this cost was usable; any rule does, so that both kinds come. */
export const isAnswered = ({ tok }: Amounts): boolean => tok % 2 === 0

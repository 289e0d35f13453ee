import type { AlmanacEvent, ParkReason, StageName } from '@almanac/domain'
import type { HashedText } from '@almanac/domain/hash'
import type { z } from 'zod'
import type { Conclusion, RunFacts } from './ports.ts'

/** A stage that cannot go on yet: why, and when to look again at the latest. */
export class Park {
  readonly reason: ParkReason
  readonly wakeAt: Date
  /** The provider that is waited for. */
  readonly provider: string | undefined
  constructor(reason: ParkReason, wakeAt: Date, provider?: string) {
    this.reason = reason
    this.wakeAt = wakeAt
    this.provider = provider
  }
}

/** Another live worker has the stage's paid call open: this job leaves the run to it. */
export class Elsewhere {
  readonly elsewhere = true
}

/** An output, and the texts that it names by their hashes: both are stored in one commit, or neither. */
export class WithTexts<T> {
  readonly output: T
  readonly texts: readonly HashedText[]
  constructor(output: T, texts: readonly HashedText[]) {
    this.output = output
    this.texts = texts
  }
}

/**
 * What a stage does for its run once it is recorded:
 * `step` leads on to the next stage; `conclude` ends the run in success, with a conclusion;
 * `aftermath` runs after the end, best effort, and records nothing.
 */
export type StageRole = 'step' | 'conclude' | 'aftermath'

/** The outputs of earlier stages that a stage reads, by stage name. */
type InputShape = Partial<Record<StageName, z.ZodType>>

type InputOf<I extends InputShape> = {
  [N in keyof I]: I[N] extends z.ZodType ? z.output<I[N]> : never
} & { run: RunFacts; epoch: number }

/** A stage is a value: its name, what it reads, what it gives, how often and how long it may try. */
export interface Stage<
  N extends StageName = StageName,
  I extends InputShape = InputShape,
  O extends z.ZodType = z.ZodType,
  P = never,
> {
  name: N
  role: StageRole
  tries: number
  timeoutMs: number
  input: I
  output: O
  run(
    input: InputOf<I>,
    ports: P,
    signal: AbortSignal,
  ): Promise<z.output<O> | WithTexts<z.output<O>> | Park | Elsewhere>
  /** What happened besides the stage's completion, for the run's events. */
  events?: (output: z.output<O>) => AlmanacEvent[]
  /** Only of the stage that concludes: what is recorded with the success. */
  conclusion?: (output: z.output<O>) => Conclusion
}

/** Declares a stage; the role is `step` unless it says otherwise. */
export function defineStage<
  const N extends StageName,
  const I extends InputShape,
  O extends z.ZodType,
  P,
>(stage: Omit<Stage<N, I, O, P>, 'role'> & { role?: StageRole }): Stage<N, I, O, P> {
  return { role: 'step', ...stage }
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a list holds stages of any ports
export type AnyStage = Stage<StageName, any, any, any>

type OutputsOf<S extends readonly AnyStage[]> = {
  [E in S[number] as E['name']]: z.output<E['output']>
}

type Needs<S extends AnyStage> = { [N in keyof S['input']]: z.output<S['input'][N]> }

/**
 * The list itself when every stage's input is given by an earlier stage's output and the names stand
 * in the order of `stageNames`; otherwise a type that names the first stage that cannot run there.
 */
export type InOrder<
  Rest extends readonly AnyStage[],
  Names extends readonly StageName[],
  Before extends readonly AnyStage[] = [],
> = Rest extends readonly [infer S extends AnyStage, ...infer More extends readonly AnyStage[]]
  ? Names extends readonly [infer N, ...infer Later extends readonly StageName[]]
    ? S['name'] extends N
      ? OutputsOf<Before> extends Needs<S>
        ? InOrder<More, Later, [...Before, S]>
        : { error: 'this stage reads what no earlier stage gives'; stage: S['name'] }
      : { error: 'this stage stands in the wrong place'; stage: S['name']; expected: N }
    : { error: 'there are more stages than names'; stage: S['name'] }
  : Names extends readonly []
    ? readonly AnyStage[]
    : { error: 'stages are missing'; missing: Names }

/** The ordered list of stages; a wrong order does not compile. */
export function definePipeline<
  const S extends readonly AnyStage[],
  const N extends readonly StageName[],
>(names: N, stages: S & InOrder<S, N>): S {
  void names
  return stages
}

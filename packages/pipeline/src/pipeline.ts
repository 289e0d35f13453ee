import { stageNames } from '@almanac/domain'
import { definePipeline } from './stage.ts'
import { assemble } from './stages/assemble.ts'
import { cadence } from './stages/cadence.ts'
import { deliver } from './stages/deliver.ts'
import { evaluate } from './stages/evaluate.ts'
import { execute } from './stages/execute.ts'
import { exportDocument } from './stages/export.ts'
import { persist } from './stages/persist.ts'
import { refine } from './stages/refine.ts'
import { retrieve } from './stages/retrieve.ts'
import { validate } from './stages/validate.ts'

/** Almanac: for every period of every specification, these ten stages in this order. */
export const pipeline = definePipeline(stageNames, [
  retrieve,
  cadence,
  assemble,
  execute,
  validate,
  refine,
  evaluate,
  exportDocument,
  persist,
  deliver,
])

import { withoutCycles } from './acyclic.ts'
import { withPeople } from './coverage-gaps.ts'
import { withEachOnce } from './distinct.ts'
import { inForm, inStepLength, withReasons } from './fitting.ts'
import { withLostTasks, withoutEmptyModules, withTrueDescriptions } from './housing.ts'
import { inOrder } from './in-order.ts'
import { withInertTexts } from './inert.ts'
import { inTurn, type Move } from './material.ts'
import { withKnownReferences } from './references.ts'

/**
 * Puts the workflow in order: each thing once, nothing that names what is not there, nothing that waits
 * for itself, phases and tasks after what they need; in the form, the length, with the roles and the
 * reasons that style and audience ask for.
 */
export const restructureWorkflow: Move = (workflow, material) =>
  inTurn(
    withInertTexts,
    inStepLength,
    withPeople,
    withEachOnce,
    withKnownReferences,
    withLostTasks(workflow),
    withoutEmptyModules,
    withoutCycles,
    inOrder,
    withTrueDescriptions(workflow),
    inForm,
    withReasons,
  )(workflow, material)

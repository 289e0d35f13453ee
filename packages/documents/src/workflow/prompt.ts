import { canonicalJson, type RunPackage } from '@almanac/domain'
import { fenced, fenceRule } from '../fence.ts'
import type { Call, Prompt } from '../kind.ts'
import { makingPhaseOf, phaseFields, workflowSpecificationOf } from './calls.ts'
import { workflowLimits } from './limits.ts'

/**
 * The prompt of a call: the instruction and this kind's fixed rules; then the run package and the
 * answers of earlier phases as data, then the call's brief. Equal arguments give equal bytes.
 */
export function workflowPrompt(
  runPackage: RunPackage,
  call: Call,
  inputs: readonly string[],
): Prompt {
  const blocks = [
    fenced('the run package', canonicalJson(runPackage)),
    ...inputs.map((text, i) => fenced(`input ${i + 1} of ${inputs.length}`, text)),
  ]
  return {
    instructions: `${runPackage.instruction.text.trim()}\n\n${fixedRules(runPackage, call)}`,
    input: `${blocks.join('\n\n')}\n\nTask: ${call.brief}`,
  }
}

function fixedRules(runPackage: RunPackage, call: Call): string {
  const phase = makingPhaseOf(call)
  const { modules } = workflowSpecificationOf(runPackage)
  const most = workflowLimits
  const fields = phase ? phaseFields[phase].join(', ') : 'all fields'
  return `Rules of the document
${fenceRule}
- Purpose, audience, style and title stand in the run package under specification.body.
- Answer with one JSON object of the given schema and nothing else: ${fields}.
- Keys are lower-case words joined by hyphens, begin with a letter, have at most ${most.keyCharacters} characters, and
  are unique in the whole document, whatever they name. Where a draft has a key for a thing, keep it.
- A task names a phase and a role of the outline. Its inputs are keys of the outline's inputs or of
  outputs of other tasks; no task may need what itself, or one that waits for it, makes.
- Every task has at least one input, one output, one step, and is in exactly one module, of its own phase.
- A module depends on every module whose outputs its tasks need. No module depends on itself, directly
  or through others.
- ${
    modules.length > 0
      ? `The registered modules ${modules.join(', ')} are each used exactly once, by a module with
  that key in registered, without tasks of its own.`
      : 'There are no registered modules: registered is null everywhere.'
  }
- At most ${most.roles} roles, ${most.inputs} inputs, ${most.phases} phases, ${runPackage.limits.maxItemsPerSection} tasks a phase, ${most.steps} steps a task, ${most.modules} modules.
- A name has at most ${most.nameCharacters} characters, a sentence ${most.sentenceCharacters}, the summary ${most.summaryCharacters}. Say nothing twice.
- Text is plain: no markup, no links, no line breaks, no control characters.`
}

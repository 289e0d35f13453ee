import { canonicalJson, type RunPackage } from '@almanac/domain'
import { fenced, fenceRule } from '../fence.ts'
import type { Call, Prompt } from '../kind.ts'
import { answeredFields, workflowSpecificationOf } from './calls.ts'
import { expandBriefOf, isExpansion } from './expansion/ask.ts'
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
  const { modules } = workflowSpecificationOf(runPackage)
  const most = workflowLimits
  const fields = answeredFields(call)?.join(', ') ?? 'all fields'
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
- Text is plain: no markup, no links, no line breaks, no control characters.${isExpansion(call) ? expansionRules(call) : ''}`
}

/** What holds besides where a phase is expanded. */
function expansionRules(call: Call): string {
  const brief = expandBriefOf(call)
  const most = brief?.mostPhases ?? 2
  const above = brief?.above ?? 1
  const again =
    call.kind === 'repair'
      ? `
- Input 2 is an earlier answer to this task, input 3 is what is wrong with it; paths point into that answer, or
  into the workflow with it in place. Correct it so that nothing of this remains.`
      : ''
  return `
Rules of this expansion
- Input 1 is the workflow as it is stored: id stands where an answer has key. Answer nothing of it but what takes the
  place of the phase named in the task: its sub-phases, with keys that are new in the workflow, and their tasks.
- From 2 to ${most} sub-phases, in the order in which they are done. None needs anything of a later one. Each is less
  complex than the phase, and has a complexity of ${above} at most where that is possible; complexity counts tasks,
  things needed from outside, things made, and pairs of tasks of which one needs what the other makes.
- Every task of the phase is there again under its key, as it was or better, or divided into several. Every output of
  the phase is made again, under its key, by exactly one task: others need it.
- Use the roles, and needed things, that the workflow has. Lose no word of the purpose that the phase takes up, and let
  the names of the sub-phases say what the phase's name said.
- Modules are not answered: they follow the tasks.${again}`
}

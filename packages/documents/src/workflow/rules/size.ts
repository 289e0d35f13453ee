import type { Finding } from '@almanac/domain'
import { lengthChecks } from '../../too-long.ts'
import { workflowLimits } from '../limits.ts'
import { stemsOf } from '../reading/terms.ts'
import { wordsOf } from '../reading/words.ts'
import type { Judged } from './rule.ts'

/** TOO_LONG: texts, and how many there are of everything. */
export function lengthFindings({ content, tasks, runPackage }: Judged): Finding[] {
  const { findings, check } = lengthChecks()
  const most = workflowLimits
  const name = (path: string, text: string) =>
    check(`${path}/name`, 'characters', text.length, most.nameCharacters)
  const sentence = (path: string, text: string) =>
    check(path, 'characters', text.length, most.sentenceCharacters)
  check('/summary', 'characters', content.summary.length, most.summaryCharacters)
  for (const list of ['roles', 'inputs', 'phases', 'modules'] as const) {
    check(`/${list}`, list, content[list].length, most[list])
    content[list].forEach((one, i) => name(`/${list}/${i}`, one.name))
  }
  content.roles.forEach(({ duty }, i) => sentence(`/roles/${i}/duty`, duty))
  content.modules.forEach(({ purpose }, i) => sentence(`/modules/${i}/purpose`, purpose))
  content.phases.forEach((phase, i) => {
    sentence(`/phases/${i}/goal`, phase.goal)
    const room = runPackage.limits.maxItemsPerSection
    check(`/phases/${i}/tasks`, 'tasks', phase.tasks.length, room)
  })
  for (const { task, path } of tasks) {
    name(path, task.name)
    check(`${path}/steps`, 'steps', task.steps.length, most.steps)
    check(`${path}/inputs`, 'inputs', task.inputs.length, most.links)
    check(`${path}/outputs`, 'outputs', task.outputs.length, most.links)
    task.steps.forEach((step, i) => sentence(`${path}/steps/${i}`, step))
    task.outputs.forEach((output, i) => name(`${path}/outputs/${i}`, output.name))
    sentence(`${path}/done`, task.done)
    sentence(`${path}/note`, task.note)
  }
  return findings
}

/** DUPLICATE_ITEM: no id names two things (error), and no task or step says what another says (error). */
export function duplicateFindings({ content, tasks }: Judged): Finding[] {
  const findings: Finding[] = []
  const watch = (what: string) => {
    const seen = new Map<string, string>()
    return (path: string, key: string, shown = key) => {
      const first = seen.get(key)
      if (first === undefined) return void seen.set(key, path)
      findings.push({
        code: 'DUPLICATE_ITEM',
        severity: 'error',
        path,
        message: `repeats ${what} ${first}`,
        expected: 'each thing once',
        found: shown,
      })
    }
  }
  const id = watch('the id of')
  for (const list of ['roles', 'inputs', 'phases', 'modules'] as const)
    content[list].forEach((one, i) => id(`/${list}/${i}`, one.id))
  const name = watch('the name of')
  const step = watch('what is said in')
  for (const { task, path } of tasks) {
    id(path, task.id)
    task.outputs.forEach((output, i) => id(`${path}/outputs/${i}`, output.id))
    name(path, statementKey(task.name), task.name)
    task.steps.forEach((text, i) =>
      step(`${path}/steps/${i}`, statementKey(text), text.slice(0, 80)),
    )
  }
  return findings
}

/** Equal for texts that are one statement: their words, endings and order aside. */
export const statementKey = (text: string): string => {
  const stems = [...stemsOf(text)].sort()
  return stems.length > 0 ? stems.join(' ') : wordsOf(text).join(' ') || text
}

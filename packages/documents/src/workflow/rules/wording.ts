import type { Finding } from '@almanac/domain'
import { unsafeText } from '../../unsafe-text.ts'
import type { Judged } from './rule.ts'

/** UNSAFE_TEXT of every text that the engine wrote. */
export function safetyFindings({ content, tasks }: Judged): Finding[] {
  return [
    ...unsafeText('/summary', content.summary),
    ...(['roles', 'inputs', 'phases', 'modules'] as const).flatMap((list) =>
      content[list].flatMap(({ name }, i) => unsafeText(`/${list}/${i}/name`, name)),
    ),
    ...content.roles.flatMap(({ duty }, i) => unsafeText(`/roles/${i}/duty`, duty)),
    ...content.phases.flatMap(({ goal }, i) => unsafeText(`/phases/${i}/goal`, goal)),
    ...content.modules.flatMap(({ purpose }, i) => unsafeText(`/modules/${i}/purpose`, purpose)),
    ...tasks.flatMap(({ task, path }) => [
      ...unsafeText(`${path}/name`, task.name),
      ...task.steps.flatMap((step, i) => unsafeText(`${path}/steps/${i}`, step)),
      ...task.outputs.flatMap(({ name }, i) => unsafeText(`${path}/outputs/${i}/name`, name)),
      ...unsafeText(`${path}/done`, task.done),
      ...unsafeText(`${path}/note`, task.note),
    ]),
  ]
}

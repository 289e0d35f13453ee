import type { RenderInput } from '../../kind.ts'
import { conformanceText, plural, scoreText, warningText } from '../../render/conformance.ts'
import { placeName } from '../place-name.ts'
import type { WorkflowContent } from '../schema.ts'

/** What the workflow was made from, its conformance, what lowered it, and what was left as warnings. */
export function methodSentences(input: RenderInput<WorkflowContent>): string[] {
  const { content, evaluation, findings, package: runPackage } = input
  const registered = runPackage.modules?.length ?? 0
  const warnings = warningText(findings, (path) => placeName(path, content))
  return [
    'The engine read the purpose, audience, style and title of the specification, and nothing else.',
    ...(registered > 0 ? [`It used ${plural(registered, 'registered module')} by reference.`] : []),
    'References and dependencies were checked: everything that is named exists, and nothing waits for itself.',
    ...conformanceText(evaluation, 'workflow'),
    ...(warnings === undefined ? [] : [warnings]),
  ]
}

/** The scores as a table: the whole and each phase, by metric. */
export function scoreTable({ content, evaluation }: RenderInput<WorkflowContent>): {
  head: string[]
  rows: { name: string; cells: string[] }[]
} {
  const row = (name: string, { score, metrics }: Pick<typeof evaluation, 'score' | 'metrics'>) => ({
    name,
    cells: [scoreText(score), ...metrics.map(({ value }) => scoreText(value))],
  })
  const weights = evaluation.metrics.map(({ weight }) => scoreText(weight))
  return {
    head: ['Part', 'Score', ...evaluation.metrics.map(({ name }) => name)],
    rows: [
      row('Whole workflow', evaluation),
      ...(evaluation.phases ?? []).map((phase) =>
        row(content.phases.find(({ id }) => id === phase.id)?.name ?? phase.id, phase),
      ),
      { name: 'Weight', cells: ['', ...weights] },
    ],
  }
}

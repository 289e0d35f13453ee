import { definePlugin, type JudgeHook } from '@almanac/plugin-api'

/** As much of a text as fits into a question. */
const quoted = (text: string): string =>
  `“${text.length <= 180 ? text : `${text.slice(0, 180).toWellFormed().trimEnd()}…`}”`

/** Whether a report does for its readers what was ordered. */
export const reportFit: JudgeHook = {
  name: 'report-fit',
  kind: 'report',
  weight: 0.2,
  checklist({ package: { specification, scope, catalogue } }) {
    const labels = new Map(catalogue?.deliverables.map(({ key, label }) => [key, label]))
    const sections = (scope?.deliverables ?? []).slice(0, 12).map((key, i) => ({
      id: `section-${i + 1}`,
      question: `Does the section ${quoted(labels.get(key) ?? key)} say what has happened, and to whom it matters, or openly that nothing has?`,
    }))
    return [
      {
        id: 'title',
        question: `Is everything in the report about what its title promises: ${quoted(specification.body.title)}?`,
      },
      {
        id: 'summary',
        question:
          'Does the summary name the development of the period that matters most to such readers?',
      },
      ...sections,
    ]
  },
}

/** Whether a workflow serves its purpose, its audience and its style. */
export const workflowFit: JudgeHook = {
  name: 'workflow-fit',
  kind: 'workflow',
  weight: 0.2,
  checklist({ package: { specification } }) {
    const { body } = specification
    if (body.kind !== 'workflow') return []
    return [
      {
        id: 'purpose',
        question: `Is this achieved once all tasks are done: ${quoted(body.purpose)}?`,
      },
      {
        id: 'audience',
        question: `Can these people do every task with what it says: ${quoted(body.audience)}?`,
      },
      { id: 'style', question: `Is it written in this style: ${quoted(body.style)}?` },
      {
        id: 'order',
        question: 'Is nothing needed in a task before a task that comes earlier has made it?',
      },
    ]
  },
}

export default definePlugin({
  name: 'fit',
  apiVersion: 1,
  hooks: { judges: [reportFit, workflowFit] },
})

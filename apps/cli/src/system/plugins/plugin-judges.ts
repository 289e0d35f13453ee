import { judgedChecks } from '@almanac/documents'
import { documentKindName, parse } from '@almanac/domain'
import type { Checklist } from '@almanac/pipeline'
import type { PluginThread } from './plugin-thread.ts'

const checklistMs = 5_000

/** The checklists of a plugin; the metric of each is called `<plugin>/<judge>`, like its other metrics. */
export const pluginJudges = (thread: PluginThread): Checklist[] =>
  thread.manifest.judges.map(({ name, kind, weight }, index) => ({
    name: `${thread.manifest.name}/${name}`,
    kind: parse(documentKindName, kind, 'kind'),
    weight,
    checks: (runPackage, signal) =>
      thread.call({ hook: 'judges', index, method: 'checklist' }, [{ package: runPackage }], {
        answer: judgedChecks,
        timeoutMs: checklistMs,
        signal,
      }),
  }))

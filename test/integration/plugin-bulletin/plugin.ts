import { createReportKind } from '@almanac/documents'
import { findIndustryByHash } from '@almanac/industries'
import { createDeterministicEngine } from '@almanac/llm'
import type { EngineRequest } from '@almanac/pipeline'
import { definePlugin, type KindHook } from '@almanac/plugin-api'

/** A kind of document of a plugin: a report under another name, with a head of its own. */
const report = createReportKind({ industryByHash: findIndustryByHash })
const bulletin: KindHook = {
  ...report,
  name: 'x-bulletin',
  base: 'report',
  validate: (content, runPackage) => report.validate(report.parse(content), runPackage),
  evaluate: (content, runPackage, findings) =>
    report.evaluate(report.parse(content), runPackage, findings),
  outline: (content) => report.outline(report.parse(content)),
  render: {
    json: (input) => report.render.json({ ...input, content: report.parse(input.content) }),
    markdown: (input) =>
      `Bulletin\n\n${report.render.markdown({ ...input, content: report.parse(input.content) })}`,
    html: (input) => report.render.html({ ...input, content: report.parse(input.content) }),
  },
}

/** An engine that knows that a bulletin is a report. */
const inner = createDeterministicEngine()
const asReport = (request: EngineRequest): EngineRequest => {
  const { package: runPackage } = request
  const output = { ...runPackage.output, kind: 'report' as const }
  return { ...request, package: { ...runPackage, output } }
}
const engine = {
  ...inner,
  ...{ name: 'bulletins', provider: 'bulletins' },
  body: (request: EngineRequest) => inner.body(asReport(request)),
  generate: (request: EngineRequest, body: string, signal: AbortSignal) =>
    inner.generate(asReport(request), body, signal),
}

export default definePlugin({
  name: 'bulletin',
  apiVersion: 1,
  hooks: { kinds: [bulletin], engines: [engine] },
})

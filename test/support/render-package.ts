import { reportArtifacts, workflowArtifacts } from './sample-artifacts.ts'

/**
 * Makes the samples and prints their bytes: for tests that run this in processes of different time zone,
 * language and date; with `--docs` as one JSON object by the file in `docs/sample` that shows them.
 */
const report = await reportArtifacts()
const workflow = await workflowArtifacts()
if (process.argv[2] === '--docs')
  process.stdout.write(
    JSON.stringify({
      'docs/sample/report.md': report.markdown,
      'docs/sample/report.html': report.html,
      'docs/sample/workflow.md': workflow.markdown,
      'docs/sample/workflow.html': workflow.html,
    }),
  )
else
  for (const { json, markdown, html } of [report, workflow])
    process.stdout.write(json + markdown + html)

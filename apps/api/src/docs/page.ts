import { html, type Html } from '@almanac/domain/html'

/** A page of the documentation: no script, no form, one stylesheet of our own. */
export const page = (title: string, body: Html): string =>
  html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        <link rel="stylesheet" href="/docs/style.css" />
      </head>
      <body>
        <header>
          <a href="/docs">Almanac</a>
          <nav>
            <a href="/docs">API</a> <a href="/docs/errors">Errors</a>
            <a href="/openapi.json">OpenAPI</a>
          </nav>
        </header>
        <main>${body}</main>
      </body>
    </html> `.markup

export const pagePolicy = [
  `default-src 'none'`,
  `style-src 'self'`,
  `base-uri 'none'`,
  `form-action 'none'`,
  `frame-ancestors 'none'`,
].join('; ')

export const pageStyle = `
:root { color-scheme: light dark; --ink: #1c2024; --quiet: #60646c; --line: #d9d9e0; --paper: #fcfcfd; --tint: #f0f0f3; --accent: #0d5ea8; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #edeef0; --quiet: #b0b4ba; --line: #363a3f; --paper: #111113; --tint: #1d1f22; --accent: #70b8ff; }
}
* { box-sizing: border-box; }
body { margin: 0; color: var(--ink); background: var(--paper); font: 16px/1.55 system-ui, sans-serif; }
header { display: flex; gap: 24px; padding: 12px 24px; border-bottom: 1px solid var(--line); }
header > a { font-weight: 600; }
nav { display: flex; gap: 16px; flex-wrap: wrap; }
main { max-width: 880px; margin: 0 auto; padding: 8px 24px 80px; }
a { color: var(--accent); }
h2 { margin-top: 56px; border-bottom: 1px solid var(--line); }
h3 { margin: 40px 0 4px; }
h4 { margin: 16px 0 4px; font-size: 14px; color: var(--quiet); }
section:target > h3 { text-decoration: underline; }
code, pre { font: 14px/1.5 ui-monospace, Menlo, Consolas, monospace; }
code { background: var(--tint); padding: 1px 4px; border-radius: 4px; overflow-wrap: anywhere; }
pre { background: var(--tint); padding: 12px 16px; border-radius: 6px; overflow-x: auto; }
pre code { padding: 0; background: none; overflow-wrap: normal; }
table { border-collapse: collapse; width: 100%; font-size: 15px; }
th, td { text-align: left; vertical-align: top; padding: 6px 12px 6px 0; border-top: 1px solid var(--line); }
th { width: 200px; font-weight: 500; white-space: nowrap; }
.quiet { color: var(--quiet); }
.method { display: inline-block; min-width: 72px; font-weight: 600; text-transform: uppercase; }
ul.index { list-style: none; padding: 0; }
ul.index a { text-decoration: none; }
summary { cursor: pointer; color: var(--accent); }
`

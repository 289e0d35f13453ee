/** A web address that may stand in a document: absolute, http or https, without credentials. */
export interface SafeLink {
  href: string
  host: string
  /** Equal for addresses of the same page: without scheme, fragment and closing slash. */
  page: string
}

/** Reads a source's address; undefined for one that is missing, broken or of another scheme. */
export function safeLink(address: string | undefined): SafeLink | undefined {
  if (address === undefined) return undefined
  const url = URL.parse(address)
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:') || !url.host) return undefined
  url.username = ''
  url.password = ''
  // A backslash survives in queries, and Markdown would read it as an escape.
  const href = url.href.replaceAll('\\', '%5C')
  const page = `${url.host}${url.pathname.replace(/\/+$/, '')}${url.search}`
  return { href, host: url.host.replace(/^www\./, ''), page }
}

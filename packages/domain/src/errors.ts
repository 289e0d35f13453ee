/**
 * Every error of Almanac in one table: its HTTP status, what a stage that throws it does to its run
 * (`ends`), whether asking again can help (`retryable`), the sentence for people, and the remedy.
 * A new code forces all of these, and a sample for the snapshot that people proof-read.
 */
export interface ErrorEntry<P> {
  status: number
  /** What becomes of a run whose stage throws this: another try, or an end. */
  ends: 'retry' | 'failed' | 'blocked'
  /** Whether the same request can succeed later without being changed. */
  retryable: boolean
  title: string
  detail: (params: P) => string
  remedy: string
  sample: P
}

const entry = <P>(value: ErrorEntry<P>): ErrorEntry<P> => value

/** A field that was refused: where, what stood there, what is allowed. */
export interface Issue {
  field: string
  message: string
  value?: string
}

const list = (issues: readonly Issue[]): string =>
  issues
    .map((issue) => {
      const found = issue.value === undefined ? '' : ` (found ${issue.value})`
      return `${issue.field}: ${issue.message}${found}`
    })
    .join('; ')

export const errorTable = {
  // Requests
  INPUT_INVALID: entry<{ issues: Issue[] }>({
    status: 422,
    ends: 'failed',
    retryable: false,
    title: 'The input is not valid',
    detail: ({ issues }) => list(issues),
    remedy: 'Correct the named fields and send it again.',
    sample: {
      issues: [
        {
          field: 'cadence',
          message: 'must be daily, weekly, monthly or on_demand',
          value: '"hourly"',
        },
      ],
    },
  }),
  BODY_NOT_JSON: entry<{ reason: string }>({
    status: 400,
    ends: 'failed',
    retryable: false,
    title: 'The body is not JSON',
    detail: ({ reason }) => `The body could not be read as JSON: ${reason}.`,
    remedy: 'Send one JSON object with the header Content-Type: application/json.',
    sample: { reason: 'it ends in the middle of a string' },
  }),
  BODY_TOO_LARGE: entry<{ limitBytes: number }>({
    status: 413,
    ends: 'failed',
    retryable: false,
    title: 'The body is too large',
    detail: ({ limitBytes }) => `The body is larger than ${limitBytes} bytes.`,
    remedy: 'Send less at once; evidence may be split into several imports.',
    sample: { limitBytes: 1_048_576 },
  }),
  MEDIA_TYPE_UNSUPPORTED: entry<{ found: string; allowed: string }>({
    status: 415,
    ends: 'failed',
    retryable: false,
    title: 'This content type is not read here',
    detail: ({ found, allowed }) =>
      `The content type ${found} is not read here; allowed is ${allowed}.`,
    remedy: 'Set the Content-Type header to the allowed type.',
    sample: { found: 'text/xml', allowed: 'application/json' },
  }),
  KEY_MISSING: entry<object>({
    status: 401,
    ends: 'failed',
    retryable: false,
    title: 'No API key',
    detail: () => 'The request carries no API key.',
    remedy: 'Send the header Authorization: Bearer alm_…; `almanac key create` makes a key.',
    sample: {},
  }),
  KEY_INVALID: entry<object>({
    status: 401,
    ends: 'failed',
    retryable: false,
    title: 'The API key is not known',
    detail: () => 'The API key is not known, or it was revoked.',
    remedy: 'Check that the whole key was copied, or make a new one with `almanac key create`.',
    sample: {},
  }),
  KEY_EXPIRED: entry<{ expiredAt: string }>({
    status: 401,
    ends: 'failed',
    retryable: false,
    title: 'The API key has expired',
    detail: ({ expiredAt }) => `The API key expired at ${expiredAt}.`,
    remedy: 'Make a new key with `almanac key create`.',
    sample: { expiredAt: '2026-11-20T00:00:00Z' },
  }),
  TENANT_SUSPENDED: entry<object>({
    status: 403,
    ends: 'blocked',
    retryable: true,
    title: 'The tenant is suspended',
    detail: () => 'This tenant is suspended: nothing runs and nothing can be changed.',
    remedy: 'Ask the operator of this Almanac to resume the tenant.',
    sample: {},
  }),
  SCOPE_MISSING: entry<{ needed: string; has: string }>({
    status: 403,
    ends: 'failed',
    retryable: false,
    title: 'The API key lacks a scope',
    detail: ({ needed, has }) => `This needs the scope ${needed}; the key has ${has}.`,
    remedy: 'Use a key that has the scope, or make one with `almanac key create --scope`.',
    sample: { needed: 'specifications:write', has: 'runs:read, artifacts:read' },
  }),
  KEY_NOT_OPERATOR: entry<object>({
    status: 403,
    ends: 'failed',
    retryable: false,
    title: 'This needs an operator’s key',
    detail: () => 'This address is for those who run the installation; the key is a tenant’s.',
    remedy: 'Use a key that begins with almop_; `almanac key create --operator` makes one.',
    sample: {},
  }),
  KEY_NOT_TENANT: entry<object>({
    status: 403,
    ends: 'failed',
    retryable: false,
    title: 'This needs a tenant’s key',
    detail: () => 'This address is a tenant’s; the key is an operator’s, and of no tenant.',
    remedy: 'Use a key that begins with alm_; `almanac key create TENANT` makes one.',
    sample: {},
  }),
  NOT_FOUND: entry<{ what: string }>({
    status: 404,
    ends: 'failed',
    retryable: false,
    title: 'Not found',
    detail: ({ what }) => `There is no ${what} here.`,
    remedy: 'Check the id; one of another tenant is never found.',
    sample: { what: 'run run_01kafexample0000000000000000' },
  }),
  METHOD_NOT_ALLOWED: entry<{ method: string; allowed: string }>({
    status: 405,
    ends: 'failed',
    retryable: false,
    title: 'This method is not allowed here',
    detail: ({ method, allowed }) => `${method} is not allowed here; allowed is ${allowed}.`,
    remedy: 'See the API reference at /docs for what each address takes.',
    sample: { method: 'DELETE', allowed: 'GET, POST' },
  }),
  IDEMPOTENCY_KEY_REUSED: entry<{ key: string }>({
    status: 422,
    ends: 'failed',
    retryable: false,
    title: 'The idempotency key belongs to another request',
    detail: ({ key }) =>
      `The Idempotency-Key ${key} was used with a different body in the last 24 hours.`,
    remedy: 'Use a new key for a new request; repeat a key only with the very same body.',
    sample: { key: '"order-7"' },
  }),
  IDEMPOTENCY_IN_PROGRESS: entry<{ key: string }>({
    status: 409,
    ends: 'failed',
    retryable: true,
    title: 'The first request with this idempotency key is still running',
    detail: ({ key }) => `The request with the Idempotency-Key ${key} has not been answered yet.`,
    remedy: 'Wait a moment and send the same request again.',
    sample: { key: '"order-7"' },
  }),
  PRECONDITION_REQUIRED: entry<object>({
    status: 428,
    ends: 'failed',
    retryable: false,
    title: 'An If-Match header is needed',
    detail: () => 'A change must name the revision that it starts from.',
    remedy: 'Read the specification and send its ETag in If-Match.',
    sample: {},
  }),
  REVISION_CONFLICT: entry<{ expected: string; current: string }>({
    status: 412,
    ends: 'failed',
    retryable: false,
    title: 'Somebody else changed this meanwhile',
    detail: ({ expected, current }) =>
      `The change starts from revision ${expected}, but the current one is ${current}.`,
    remedy: 'Read it again, apply the change to the new revision, and send that.',
    sample: { expected: '7', current: '8' },
  }),
  STATE_CONFLICT: entry<{ what: string; state: string; allowed: string }>({
    status: 409,
    ends: 'failed',
    retryable: false,
    title: 'Not possible in this state',
    detail: ({ what, state, allowed }) =>
      `This ${what} is ${state}; it must be ${allowed} for that.`,
    remedy: 'Look at its present state; it may have changed a moment ago.',
    sample: { what: 'run', state: 'succeeded', allowed: 'failed, blocked or cancelled' },
  }),
  NAME_TAKEN: entry<{ what: string; name: string }>({
    status: 409,
    ends: 'failed',
    retryable: false,
    title: 'The name is taken',
    detail: ({ what, name }) => `There already is a ${what} named ${name}.`,
    remedy: 'Choose another name, or change the one that is there.',
    sample: { what: 'source', name: '"federal-register"' },
  }),
  MODULE_IN_USE: entry<{ key: string; users: string[] }>({
    status: 409,
    ends: 'failed',
    retryable: false,
    title: 'The module is in use',
    detail: ({ key, users }) => `The module ${key} is used by ${users.join(', ')}.`,
    remedy: 'Take it out of these specifications, and let their unfinished runs end, first.',
    sample: {
      key: 'supplier-check',
      users: ['"Supplier onboarding" (spec_01kafexample000000000000000)'],
    },
  }),
  RATE_LIMITED: entry<{ retryAfterSeconds: number }>({
    status: 429,
    ends: 'retry',
    retryable: true,
    title: 'Too many requests',
    detail: ({ retryAfterSeconds }) =>
      `Too many requests; the next one is taken in ${retryAfterSeconds} s.`,
    remedy: 'Wait as long as the Retry-After header says.',
    sample: { retryAfterSeconds: 12 },
  }),

  // Specification and entitlement
  SPEC_NOT_ACTIVE: entry<{ name: string; state: string }>({
    status: 409,
    ends: 'blocked',
    retryable: true,
    title: 'The specification is not active',
    detail: ({ name, state }) =>
      `The specification "${name}" is ${state}; only an active one runs.`,
    remedy: 'Activate it with `almanac spec activate` or POST …/activate, then run it again.',
    sample: { name: 'US rules weekly', state: 'paused' },
  }),
  SCOPE_NOT_ENTITLED: entry<{ missing: { field: string; value: string; allowed: string }[] }>({
    status: 403,
    ends: 'blocked',
    retryable: true,
    title: 'The specification asks for more than was bought',
    detail: ({ missing }) =>
      missing
        .map(
          ({ field, value, allowed }) =>
            `${field}: "${value}" is not included (included: ${allowed})`,
        )
        .join('; '),
    remedy: 'Remove what is not included, or ask the operator to extend the entitlement.',
    sample: { missing: [{ field: 'regions', value: 'guam', allowed: 'national, texas' }] },
  }),
  SCOPE_WIDENED: entry<{ field: string; values: string; allowed: string }>({
    status: 422,
    ends: 'blocked',
    retryable: false,
    title: 'A run may narrow its scope, never widen it',
    detail: ({ field, values, allowed }) =>
      `${field}: ${values} is not in the specification (there: ${allowed}).`,
    remedy: 'Name only keys that the specification has.',
    sample: { field: 'deliverables', values: 'proposed-rules', allowed: 'final-rules' },
  }),
  QUOTA_EXHAUSTED: entry<{ what: string; limit: number }>({
    status: 403,
    ends: 'blocked',
    retryable: true,
    title: 'The quota is used up',
    detail: ({ what, limit }) => `The entitlement includes ${limit} ${what}, and all are in use.`,
    remedy: 'Archive what is no longer needed, wait for the next month, or extend the entitlement.',
    sample: { what: 'on-demand runs a month', limit: 10 },
  }),

  // Cadence
  CADENCE_SLOT_TAKEN: entry<{
    periodKey: string
    run: string
    nextEligibleAt: string
    timeZone: string
  }>({
    status: 409,
    ends: 'blocked',
    retryable: false,
    title: 'The period already has its document',
    detail: ({ periodKey, run, nextEligibleAt, timeZone }) =>
      `Period ${periodKey} was used by ${run}; the next one can run from ${nextEligibleAt} (${timeZone}).`,
    remedy: 'Read that run’s artifacts, or have a further run of the period granted.',
    sample: {
      periodKey: '2022-W10',
      run: 'run_01kafexample0000000000000000',
      nextEligibleAt: '2022-03-21T04:00:00Z',
      timeZone: 'America/New_York',
    },
  }),
  CADENCE_IN_PROGRESS: entry<{
    periodKey: string
    run: string
    nextEligibleAt: string
    timeZone: string
  }>({
    status: 409,
    ends: 'blocked',
    retryable: true,
    title: 'Another run is making this period',
    detail: ({ periodKey, run, nextEligibleAt, timeZone }) =>
      `Period ${periodKey} is being made by ${run}; a later one can run from ${nextEligibleAt} (${timeZone}).`,
    remedy: 'Wait for that run; with onConflict "wait" a run starts when the period becomes free.',
    sample: {
      periodKey: '2022-W10',
      run: 'run_01kafexample0000000000000000',
      nextEligibleAt: '2022-03-21T04:00:00Z',
      timeZone: 'America/New_York',
    },
  }),
  CADENCE_WINDOW_COVERED: entry<{ periodKey: string; by: string; until: string }>({
    status: 409,
    ends: 'blocked',
    retryable: false,
    title: 'The period overlaps one that was made under another cadence or zone',
    detail: ({ periodKey, by, until }) =>
      `Period ${periodKey} overlaps ${by}, which covers everything until ${until}.`,
    remedy: 'A new cadence or zone counts from the first period that begins after that instant.',
    sample: { periodKey: '2026-11-21', by: '2026-W47', until: '2026-11-23T00:00:00Z' },
  }),
  CADENCE_PERIOD_OPEN: entry<{ periodKey: string; completeAt: string; timeZone: string }>({
    status: 409,
    ends: 'blocked',
    retryable: true,
    title: 'The period is not over yet',
    detail: ({ periodKey, completeAt, timeZone }) =>
      `Period ${periodKey} ends at ${completeAt} (${timeZone}); a closed period runs after its end.`,
    remedy: 'Leave the period out to run the last complete one, or wait for its end.',
    sample: {
      periodKey: '2026-W48',
      completeAt: '2026-11-30T05:00:00Z',
      timeZone: 'America/New_York',
    },
  }),
  CADENCE_PERIOD_INVALID: entry<{ value: string; allowed: string }>({
    status: 422,
    ends: 'blocked',
    retryable: false,
    title: 'This is not a period of the specification',
    detail: ({ value, allowed }) => `The period ${value} is not valid: ${allowed}.`,
    remedy: 'Write days as 2026-11-21, ISO weeks as 2026-W47, months as 2026-11.',
    sample: {
      value: '"2026-W60"',
      allowed: 'a weekly specification takes ISO weeks such as 2026-W47',
    },
  }),
  CADENCE_WAIT_EXPIRED: entry<{ periodKey: string }>({
    status: 409,
    ends: 'blocked',
    retryable: true,
    title: 'The period did not become free in time',
    detail: ({ periodKey }) => `The run waited for period ${periodKey} until its deadline.`,
    remedy: 'Look at the run that holds the period; then start the run again.',
    sample: { periodKey: '2026-W47' },
  }),

  // Stages
  PACKAGE_TOO_LARGE: entry<{ tokens: number; limit: number }>({
    status: 200,
    ends: 'failed',
    retryable: false,
    title: 'The specification alone does not fit into the run package',
    detail: ({ tokens, limit }) =>
      `Without any evidence the package has ${tokens} tokens; the limit is ${limit}.`,
    remedy: 'Shorten the specification, or split its scope over two specifications.',
    sample: { tokens: 140_000, limit: 120_000 },
  }),
  ENGINE_OVERLOADED: entry<{ engine: string }>({
    status: 200,
    ends: 'retry',
    retryable: true,
    title: 'The engine is overloaded',
    detail: ({ engine }) => `The engine ${engine} did not take the call; nothing was billed.`,
    remedy: 'Nothing: the call is tried again by itself.',
    sample: { engine: 'openai' },
  }),
  ENGINE_OUTCOME_UNKNOWN: entry<{ engine: string; reason: string }>({
    status: 200,
    ends: 'retry',
    retryable: true,
    title: 'The engine’s answer was lost',
    detail: ({ engine, reason }) =>
      `The engine ${engine} may have answered, but the answer was lost (${reason}).`,
    remedy: 'Nothing: the call is tried again; its money stays held until it is settled.',
    sample: { engine: 'openai', reason: 'timeout' },
  }),
  ENGINE_TRUNCATED: entry<{ limit: number }>({
    status: 200,
    ends: 'failed',
    retryable: false,
    title: 'The engine’s answer was cut off',
    detail: ({ limit }) => `The answer did not fit into ${limit} output tokens.`,
    remedy: 'Raise the specification’s token budget, or narrow its scope.',
    sample: { limit: 16_000 },
  }),
  ENGINE_REFUSED: entry<{ engine: string }>({
    status: 200,
    ends: 'failed',
    retryable: false,
    title: 'The engine refused to answer',
    detail: ({ engine }) => `The engine ${engine} refused this request.`,
    remedy: 'Look at the run’s evidence and instruction; then rerun it.',
    sample: { engine: 'openai' },
  }),
  ENGINE_FILTERED: entry<{ engine: string }>({
    status: 200,
    ends: 'failed',
    retryable: false,
    title: 'The engine’s content filter stopped the answer',
    detail: ({ engine }) => `The content filter of ${engine} stopped the answer.`,
    remedy: 'Look at the run’s evidence; then rerun it.',
    sample: { engine: 'openai' },
  }),
  ENGINE_MISCONFIGURED: entry<{ engine: string; status: number; reason: string }>({
    status: 200,
    ends: 'failed',
    retryable: false,
    title: 'The engine is not set up correctly',
    detail: ({ engine, status, reason }) => `The engine ${engine} answered ${status}: ${reason}.`,
    remedy: 'Check the provider’s address, key and model; `almanac doctor` tries them.',
    sample: { engine: 'openai', status: 401, reason: 'the key is not valid' },
  }),
  RATE_LIMIT_TOO_LOW: entry<{ bucket: string; tokens: number; limit: number }>({
    status: 200,
    ends: 'failed',
    retryable: false,
    title: 'A rate limit is below what one call needs',
    detail: ({ bucket, tokens, limit }) =>
      `One call needs up to ${tokens} tokens, and ${bucket} allows ${limit} a minute, of which one call may take nine tenths: it would wait for ever.`,
    remedy:
      'Raise the limit (LLM_TOKENS_PER_MINUTE for the provider, `almanac rates set` for a tenant), or order less in one document.',
    sample: { bucket: 'provider:openai tokens', tokens: 20_000, limit: 10_000 },
  }),
  ENGINE_BILLING_STOPPED: entry<{ engine: string; code: string }>({
    status: 200,
    ends: 'failed',
    retryable: true,
    title: 'The provider has stopped the account',
    detail: ({ engine, code }) =>
      `The provider of ${engine} takes no calls for this account (${code}).`,
    remedy: 'Settle the account with the provider, then resume it with `almanac provider resume`.',
    sample: { engine: 'openai', code: 'insufficient_quota' },
  }),
  OUTPUT_INVALID: entry<{ findings: { code: string; path: string; message: string }[] }>({
    status: 200,
    ends: 'failed',
    retryable: false,
    title: 'The engine’s document is not valid',
    detail: ({ findings }) => {
      const shown = findings
        .slice(0, 5)
        .map(({ code, path, message }) => `${code} at ${path || '/'}: ${message}`)
      const more = findings.length > 5 ? ` and ${findings.length - 5} more` : ''
      return `${findings.length === 1 ? 'One finding' : `${findings.length} findings`}: ${shown.join('; ')}${more}`
    },
    remedy: 'See the run’s findings; retry sends the same package once more.',
    sample: {
      findings: [
        {
          code: 'UNKNOWN_CITATION',
          path: '/sections/0/items/2',
          message: 'cites "x/9", which is not in the package',
        },
      ],
    },
  }),
  BUDGET_EXHAUSTED: entry<{
    level: string
    unit: 'micro-USD' | 'tokens'
    needed: number
    left: number
    because: 'limit' | 'reserve'
  }>({
    status: 200,
    ends: 'failed',
    retryable: true,
    title: 'The budget is used up',
    detail: ({ level, unit, needed, left, because }) =>
      `The call needs ${needed} ${unit}, but the ${level} budget has ${left} ${unit} left` +
      `${because === 'reserve' ? ' beside what is set aside for repairs' : ''}.`,
    remedy: 'Raise that budget, or wait for its next day or month.',
    sample: {
      level: 'tenant/day',
      unit: 'micro-USD',
      needed: 31_000,
      left: 4_200,
      because: 'limit',
    },
  }),
  BUDGET_OVERRUN: entry<{ level: string }>({
    status: 200,
    ends: 'failed',
    retryable: true,
    title: 'A call has cost more than was held for it',
    detail: ({ level }) =>
      `A call has cost more than was held for it, and nobody has acknowledged that yet: until then the ${level} budget takes no further call.`,
    remedy:
      'An operator looks at `almanac budget list` and acknowledges the overrun with `almanac budget acknowledge`.',
    sample: { level: 'root' },
  }),
  EXPORT_FAILED: entry<{ format: string; reason: string }>({
    status: 200,
    ends: 'failed',
    retryable: false,
    title: 'The document could not be written in a format',
    detail: ({ format, reason }) => `The ${format} export failed: ${reason}.`,
    remedy: 'See the run’s events; if an exporter plugin failed, mend it and retry.',
    sample: { format: 'html', reason: 'the exporter did not answer within 10 s' },
  }),
  PLUGIN_FAILED: entry<{ plugin: string; hook: string; reason: string }>({
    status: 200,
    ends: 'retry',
    retryable: true,
    title: 'A plugin failed',
    detail: ({ plugin, hook, reason }) => `The ${hook} of the plugin ${plugin} failed: ${reason}.`,
    remedy: 'Mend or update the plugin, or take it out of ALMANAC_PLUGINS; then retry.',
    sample: {
      plugin: 'readability',
      hook: 'metric sentence-length',
      reason: 'it did not answer within 2000 ms',
    },
  }),
  STAGE_TIMEOUT: entry<{ stage: string; timeoutMs: number }>({
    status: 200,
    ends: 'retry',
    retryable: true,
    title: 'A stage took too long',
    detail: ({ stage, timeoutMs }) => `The stage ${stage} did not finish within ${timeoutMs} ms.`,
    remedy: 'Nothing, if it stays rare: the stage is tried again.',
    sample: { stage: 'assemble', timeoutMs: 30_000 },
  }),
  STAGE_CRASHED: entry<{ stage: string; crashes: number }>({
    status: 200,
    ends: 'failed',
    retryable: true,
    title: 'A stage ended its worker again and again',
    detail: ({ stage, crashes }) =>
      `The worker died ${crashes} times while it ran the stage ${stage}.`,
    remedy: 'Look at the worker’s log of that time; retry when the cause is gone.',
    sample: { stage: 'assemble', crashes: 3 },
  }),
  STAGE_FAILED: entry<{ stage: string }>({
    status: 200,
    ends: 'retry',
    retryable: true,
    title: 'A stage failed unexpectedly',
    detail: ({ stage }) => `The stage ${stage} failed for a reason that Almanac does not know.`,
    remedy: 'The worker’s log has the cause, by this run’s id. Retry, and report it if it stays.',
    sample: { stage: 'export' },
  }),
  RUN_DEADLINE_PASSED: entry<{ deadlineAt: string }>({
    status: 200,
    ends: 'failed',
    retryable: true,
    title: 'The run’s deadline has passed',
    detail: ({ deadlineAt }) => `The run had to end by ${deadlineAt} and was still waiting.`,
    remedy: 'Start it again, or raise the specification’s deadlineMinutes.',
    sample: { deadlineAt: '2026-11-22T06:00:00Z' },
  }),

  // Refinement
  REFINEMENT_REFUSED: entry<{ refusal: string; limit: string; value: string; allowed: string }>({
    status: 409,
    ends: 'blocked',
    retryable: false,
    title: 'The guard refused another generation',
    detail: ({ refusal, limit, value, allowed }) =>
      `${refusal}: ${limit} would be ${value}; allowed is ${allowed}.`,
    remedy: 'The best version so far goes on; raise the named limit, or change the condition.',
    sample: { refusal: 'DEPTH_EXCEEDED', limit: 'depth', value: '4', allowed: '3' },
  }),
  EXPANSION_REJECTED: entry<{ phase: string; because: string }>({
    status: 200,
    ends: 'failed',
    retryable: false,
    title: 'A phase was not replaced by its sub-phases',
    detail: ({ phase, because }) => `The sub-phases of ${phase} were dropped: ${because}.`,
    remedy:
      'Nothing: the workflow goes on with the phase as it was. Raise refinement.expandAbove to leave it alone.',
    sample: { phase: 'phase-2-audit', because: 'the score would fall from 0.91 to 0.88' },
  }),
  CHECKPOINT_OWN_REQUEST: entry<{ checkpoint: string }>({
    status: 403,
    ends: 'failed',
    retryable: false,
    title: 'Nobody answers his own request',
    detail: ({ checkpoint }) =>
      `${checkpoint} was asked for by the same principal; somebody else has to answer it.`,
    remedy: 'Ask another holder of checkpoint:approve; the attempt was recorded.',
    sample: { checkpoint: 'chk_01kafexample0000000000000000' },
  }),
  CHECKPOINT_CLOSED: entry<{ checkpoint: string; because: string }>({
    status: 409,
    ends: 'failed',
    retryable: false,
    title: 'The checkpoint takes no answer',
    detail: ({ checkpoint, because }) => `${checkpoint} takes no answer: ${because}.`,
    remedy:
      'Look at the run; where it still waits, it has another checkpoint. The attempt was recorded.',
    sample: {
      checkpoint: 'chk_01kafexample0000000000000000',
      because: 'it expired at 2026-11-22T06:00:00.000Z',
    },
  }),
  CHECKPOINT_LINK_INVALID: entry<object>({
    status: 403,
    ends: 'failed',
    retryable: false,
    title: 'The link opens no checkpoint',
    detail: () => 'This link was not made here, was cut or changed, or is of another checkpoint.',
    remedy: 'Open the link whole, or ask for a new one: `almanac checkpoint link` makes it.',
    sample: {},
  }),

  // Integrity
  CONTENT_ERASED: entry<{ what: string }>({
    status: 410,
    ends: 'failed',
    retryable: false,
    title: 'The content was erased',
    detail: ({ what }) => `The content of ${what} was erased on request; its hash stays.`,
    remedy: 'Nothing brings it back; the audit says who erased it, and why.',
    sample: { what: 'this artifact' },
  }),
  CONTENT_TAMPERED: entry<{ what: string }>({
    status: 500,
    ends: 'failed',
    retryable: false,
    title: 'Stored content does not match its hash',
    detail: ({ what }) =>
      `The stored bytes of ${what} do not have the recorded hash; they are not shown.`,
    remedy: 'Run `almanac verify` and restore the database from a backup of before the change.',
    sample: { what: 'this artifact' },
  }),

  // The machine
  CONFIG_INVALID: entry<{ issues: Issue[] }>({
    status: 500,
    ends: 'failed',
    retryable: false,
    title: 'The configuration is not valid',
    detail: ({ issues }) => list(issues),
    remedy: 'Correct the named settings; docs/configuration.md lists them all.',
    sample: {
      issues: [
        { field: 'ALMANAC_PORT', message: 'must be a number from 0 to 65535', value: '"http"' },
      ],
    },
  }),
  PORT_TAKEN: entry<{ port: number }>({
    status: 500,
    ends: 'failed',
    retryable: false,
    title: 'The port is taken',
    detail: ({ port }) => `Another program listens on port ${port}.`,
    remedy: 'Stop that program, or choose another port with --port.',
    sample: { port: 4242 },
  }),
  FOLDER_UNUSABLE: entry<{ folder: string; reason: string }>({
    status: 500,
    ends: 'failed',
    retryable: false,
    title: 'The data folder cannot be used',
    detail: ({ folder, reason }) => `The folder ${folder} cannot be used: ${reason}.`,
    remedy: 'Choose another folder with --data, or correct its permissions.',
    sample: { folder: './.almanac', reason: 'it is read-only' },
  }),
  FILE_UNREADABLE: entry<{ file: string; reason: string }>({
    status: 500,
    ends: 'failed',
    retryable: false,
    title: 'The file cannot be read',
    detail: ({ file, reason }) => `The file ${file} cannot be read: ${reason}.`,
    remedy: 'Check the path and its permissions.',
    sample: { file: 'rules.ndjson', reason: 'it does not exist' },
  }),
  DATABASE_UNREACHABLE: entry<{ where: string; reason: string }>({
    status: 503,
    ends: 'retry',
    retryable: true,
    title: 'Postgres cannot be reached',
    detail: ({ where, reason }) => `Postgres at ${where} cannot be reached: ${reason}.`,
    remedy:
      'Start it, or correct DATABASE_URL; without DATABASE_URL Almanac starts one of its own.',
    sample: { where: 'db.internal:5432', reason: 'the connection was refused' },
  }),
  DATABASE_NOT_MIGRATED: entry<{ missing: number }>({
    status: 503,
    ends: 'retry',
    retryable: false,
    title: 'The database is older than this program',
    detail: ({ missing }) =>
      `${missing === 1 ? 'One migration has' : `${missing} migrations have`} not been applied to the database.`,
    remedy: 'Run `almanac migrate`.',
    sample: { missing: 2 },
  }),
  DATABASE_UNSUITABLE: entry<{ reason: string }>({
    status: 503,
    ends: 'failed',
    retryable: false,
    title: 'The database does not fit',
    detail: ({ reason }) => `The database cannot be used: ${reason}.`,
    remedy:
      'Use Postgres 15 or later, with a login that may create roles or is a member of Almanac’s.',
    sample: { reason: 'it is Postgres 14, and 15 is the oldest that works' },
  }),
  QUEUE_UNREACHABLE: entry<{ where: string; reason: string }>({
    status: 503,
    ends: 'retry',
    retryable: true,
    title: 'The queue cannot be reached',
    detail: ({ where, reason }) => `The queue at ${where} cannot be reached: ${reason}.`,
    remedy: 'Start it, or correct REDIS_URL; accepted runs wait in Postgres meanwhile.',
    sample: { where: 'redis.internal:6379', reason: 'the connection was refused' },
  }),
  SERVER_UNREACHABLE: entry<{ where: string }>({
    status: 503,
    ends: 'failed',
    retryable: true,
    title: 'No Almanac answers',
    detail: ({ where }) => `No Almanac answers at ${where}.`,
    remedy: 'Start one with `almanac up`, or set ALMANAC_URL to where one runs.',
    sample: { where: 'http://127.0.0.1:4242' },
  }),
  INTERNAL: entry<object>({
    status: 500,
    ends: 'retry',
    retryable: true,
    title: 'Something went wrong inside Almanac',
    detail: () => 'The request failed for a reason that Almanac does not know.',
    remedy: 'Try again; if it stays, report it with the request id.',
    sample: {},
  }),
} as const

export type ErrorCode = keyof typeof errorTable
export type ErrorParams<C extends ErrorCode> = (typeof errorTable)[C]['sample']

/** The one error class: a code of the table with its parameters; the message is the table's sentence. */
export class AlmanacError<C extends ErrorCode = ErrorCode> extends Error {
  override readonly name = 'AlmanacError'
  readonly code: C
  readonly params: ErrorParams<C>

  constructor(code: C, params: ErrorParams<C>, options?: { cause?: unknown }) {
    super(sentence(code, params), options)
    this.code = code
    this.params = params
  }
}

const row = (code: ErrorCode) => errorTable[code] as unknown as ErrorEntry<object>

/** The sentence for people of an error. */
export function sentence<C extends ErrorCode>(code: C, params: ErrorParams<C>): string {
  return row(code).detail(params)
}

/** The table's row of a code, with its parameters' type left open. */
export const errorEntry = (code: ErrorCode): ErrorEntry<object> => row(code)

export const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(errorTable, code)

/** True when `error` is an AlmanacError, of the given code if one is given. */
export function isAlmanacError<C extends ErrorCode>(
  error: unknown,
  code?: C,
): error is AlmanacError<C> {
  return error instanceof AlmanacError && (code === undefined || error.code === code)
}

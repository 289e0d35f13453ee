import type { ActName } from '../knowledge/acts/index.ts'

/** The verbs of each class, in their base form. */
const verbs: Record<ActName, string> = {
  admit: 'accredit vet prequalify',
  assess:
    'audit review inspect assess evaluate examine appraise grade verify test check rate score validate judge compare benchmark diagnose screen',
  change:
    'migrate move relocate replace upgrade convert switch transfer transition retire decommission consolidate merge modernise modernize digitise digitize shift port transform archive swap restructure',
  launch: 'launch release introduce deploy open roll debut ship unveil pilot start kick',
  watch:
    'monitor track watch measure observe supervise oversee follow control detect log trace surveil',
  write:
    'report summarise summarize document write publish draft edit compile describe record brief communicate translate present produce',
  plan: 'plan organise organize schedule host prepare arrange coordinate run hold conduct manage stage convene facilitate book allocate prioritise prioritize deliver',
  build:
    'build develop design create implement construct make prototype engineer set establish install assemble configure automate integrate code model generate compose define',
  improve:
    'improve reduce increase optimise optimize cut lower raise boost shorten accelerate streamline minimise minimize maximise maximize strengthen enhance simplify speed save grow lift decrease prevent',
  respond:
    'respond handle resolve investigate triage answer address fix troubleshoot mitigate contain process escalate recover settle treat react remediate serve',
  research:
    'collect gather survey interview research analyse analyze study explore understand map identify discover learn ask find extract interpret',
  choose:
    'buy procure purchase select choose hire negotiate source contract recruit tender acquire order appoint lease rent decide award shortlist',
  comply:
    'comply certify file submit license renew register apply declare disclose notify conform satisfy meet authorise authorize obtain',
  maintain:
    'maintain repair clean calibrate restock service replenish refill lubricate restore keep tend sanitise sanitize water feed harvest store preserve conserve update patch refurbish',
  welcome:
    'onboard train teach welcome admit enrol enroll induct coach mentor educate instruct qualify upskill orient guide tutor',
  promote:
    'sell market promote advertise pitch fundraise win attract engage reach retain persuade convince campaign brand upsell',
  account:
    'reconcile close invoice pay budget forecast bill charge reimburse balance tax account value price quote refund',
}

/** The class of each verb. */
const classes: ReadonlyMap<string, ActName> = new Map(
  (Object.entries(verbs) as [ActName, string][]).flatMap(([name, list]) =>
    list.split(/\s+/).map((verb) => [verb, name] as const),
  ),
)

/** Nouns that are verbs in disguise: `review of the contracts` reviews contracts. */
const disguised: ReadonlyMap<string, string> = new Map(
  Object.entries({
    audit: 'audit',
    review: 'review',
    inspection: 'inspect',
    assessment: 'assess',
    evaluation: 'evaluate',
    migration: 'migrate',
    relocation: 'relocate',
    move: 'move',
    replacement: 'replace',
    upgrade: 'upgrade',
    transition: 'transition',
    launch: 'launch',
    release: 'release',
    rollout: 'launch',
    introduction: 'introduce',
    monitoring: 'monitor',
    tracking: 'track',
    measurement: 'measure',
    supervision: 'supervise',
    reporting: 'report',
    publication: 'publish',
    documentation: 'document',
    summary: 'summarise',
    planning: 'plan',
    organisation: 'organise',
    organization: 'organise',
    preparation: 'prepare',
    scheduling: 'schedule',
    development: 'develop',
    design: 'design',
    construction: 'construct',
    implementation: 'implement',
    creation: 'create',
    reduction: 'reduce',
    improvement: 'improve',
    optimisation: 'optimise',
    optimization: 'optimise',
    response: 'respond',
    handling: 'handle',
    resolution: 'resolve',
    investigation: 'investigate',
    collection: 'collect',
    analysis: 'analyse',
    survey: 'survey',
    research: 'research',
    purchase: 'purchase',
    procurement: 'procure',
    selection: 'select',
    recruitment: 'recruit',
    hiring: 'hire',
    certification: 'certify',
    submission: 'submit',
    renewal: 'renew',
    registration: 'register',
    maintenance: 'maintain',
    repair: 'repair',
    cleaning: 'clean',
    calibration: 'calibrate',
    onboarding: 'onboard',
    training: 'train',
    induction: 'induct',
    promotion: 'promote',
    marketing: 'market',
    reconciliation: 'reconcile',
    budgeting: 'budget',
    invoicing: 'invoice',
    closing: 'close',
  }),
)

/** A verb as it stands in a purpose. */
export interface FoundVerb {
  /** Its base form. */
  base: string
  act: ActName
}

/** The verb that a word is a form of: `onboarding`, `onboards` and `onboard` are one. */
export function findVerb(word: string): FoundVerb | undefined {
  for (const base of baseForms(word.toLowerCase())) {
    const act = classes.get(base)
    if (act) return { base, act }
  }
  return undefined
}

/** The verb that a noun stands for. */
export function findDisguised(word: string): FoundVerb | undefined {
  const base = disguised.get(word.toLowerCase())
  return base === undefined ? undefined : findVerb(base)
}

function baseForms(word: string): string[] {
  const forms = [word]
  const cut = (ending: string) => {
    const rest = word.slice(0, -ending.length)
    forms.push(rest, `${rest}e`)
    if (/([bdglmnprt])\1$/.test(rest)) forms.push(rest.slice(0, -1))
    if (rest.endsWith('i')) forms.push(`${rest.slice(0, -1)}y`)
  }
  for (const ending of ['ing', 'ed', 'es', 's'])
    if (word.endsWith(ending) && word.length > ending.length + 2) cut(ending)
  return forms
}

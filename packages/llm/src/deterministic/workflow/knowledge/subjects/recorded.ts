import { archetype, type Subject } from '../archetype.ts'

/** Contracts, reports, policies, manuals, articles. */
export const documents: Subject = {
  tasks: [
    archetype(
      'gather',
      'versions',
      'Find the valid version of the {object}',
      'Register of valid versions',
      [
        'Search shared drives, mailboxes and cabinets for copies',
        'Declare one copy valid, with number and date, and stamp the others',
        'List annexes that the text refers to|, and obtain the absent ones',
      ],
      'for each title exactly one copy is declared valid',
      'Careful work on an outdated copy is lost work.',
    ),
    archetype(
      'check',
      'wording',
      'Read the {object} for contradictions',
      'List of contradictions with rulings',
      [
        'Build a table of defined terms and hunt for second meanings',
        'Follow each cross-reference to its end',
        'Obtain a ruling for each contradiction|, in writing',
      ],
      'no cross-reference ends nowhere, no term has two meanings',
      'Contradictions are found by readers at the worst possible moment.',
    ),
    archetype(
      'deliver',
      'filing',
      'File the {object} where the next reader looks',
      'Filed {object} with an index',
      [
        'Name files by date, subject and state',
        'Set who may change, who may read, and until when it is kept',
        'Ask a stranger to find three of them within two minutes',
      ],
      'a stranger found three within two minutes',
      'What cannot be found will be written again.',
    ),
  ],
}

/** Records, datasets, lists, metrics. */
export const data: Subject = {
  tasks: [
    archetype(
      'gather',
      'profile',
      'Profile the {object} before trusting them',
      'Profile of the {object}',
      [
        'Count rows, blanks, duplicates and impossible values per field',
        'Trace each field to the form or sensor where it is born',
        'Write a dictionary: meaning, unit, allowed values|, known defects',
      ],
      'the dictionary explains every field, and duplicates are counted',
      'Defects discovered late are blamed on the analysis.',
    ),
    archetype(
      'check',
      'privacy',
      'Protect what is personal in the {object}',
      'Access and retention rules for the {object}',
      [
        'Classify fields as open, internal, personal or secret',
        'Grant access by role for a limited time, and review grants each quarter',
        'Mask personal fields in copies|, and test whether masks can be reversed',
      ],
      'a test person without role sees nothing personal',
      'A leak takes seconds, and the explanation takes years.',
    ),
    archetype(
      'deliver',
      'picture',
      'Show the {object} so that the point is seen',
      'Charts of the {object} with one sentence each',
      [
        'Draw the change, with the same scale everywhere',
        'Write the point above the chart as a sentence',
        'Print in grey and see what survives',
      ],
      'a reader states the point after five seconds',
      'A chart without a sentence is read as its reader likes.',
    ),
  ],
}

/** Laws, rules, permits, licences, standards. */
export const rules: Subject = {
  tasks: [
    archetype(
      'gather',
      'sources-of-law',
      'Collect the texts in force on the {object}',
      'Texts in force with effective dates',
      [
        'Take wording from the official gazette, with the date of effect',
        'Put pending amendments beside the present text',
        'Add guidance and decisions of the authority|, ranked by weight',
      ],
      'each text has an effective date, and pending changes are visible',
      'What applied last year may be an offence today.',
    ),
    archetype(
      'check',
      'gaps',
      'Set practice against the {object}',
      'Gap list with risk grades',
      [
        'Describe current practice in the words of those who do it',
        'Mark each provision as kept, unclear or broken',
        'Estimate penalty and likelihood for what is broken|, then rank',
      ],
      'each provision has a mark and each gap a grade',
      'Gaps admitted internally are cheaper than gaps found by an authority.',
    ),
    archetype(
      'deliver',
      'plain',
      'Say in plain words what the {object} ask of whom',
      'Plain guide to the {object}',
      [
        'Write one page per role, with three examples of right and wrong',
        'Let a lawyer mark what became false by simplifying',
        'Test with five questions a month later',
      ],
      'four in five answer the test questions correctly',
      'A rule nobody understands is kept by accident.',
    ),
  ],
}

/** Money, invoices, budgets, grants, funds. */
export const money: Subject = {
  tasks: [
    archetype(
      'prepare',
      'authority',
      'Settle who may commit how much',
      'Spending limits for the {object}',
      [
        'Set limits per role and per deal, in figures',
        'Separate who orders, who confirms and who pays',
        'Name stand-ins for holidays|, with an end date',
      ],
      'no single person can order, confirm and pay',
      'Temptation is removed more easily than detected.',
    ),
    archetype(
      'check',
      'trail',
      'Follow a few amounts from end to end',
      'Amounts of the {object}, traced',
      [
        'Pick ten amounts, three of them awkward',
        'Trace each from bank line to order and back',
        'Recalculate tax, discount and currency by hand',
      ],
      'all ten amounts can be followed in both directions',
      'Ten amounts followed to the end reveal more than ten thousand skimmed.',
    ),
    archetype(
      'sustain',
      'reserve',
      'Keep a reserve for the {object}',
      'Reserve with a release rule',
      [
        'Calculate what three bad months would cost',
        'Set the reserve apart under its own name',
        'Write who may release it|, and how it is refilled',
      ],
      'the reserve covers three bad months and has a release rule',
      'Reserves without a rule are spent on the loudest wish.',
    ),
  ],
}

import { archetype, type Act } from '../archetype.ts'

/** To reconcile, close, invoice, pay, budget, forecast. */
export const account: Act = {
  input: 'Ledgers and statements for the {object}',
  subject: 'money',
  core: 'match',
  counterpart: { name: 'Approver', duty: 'Signs amounts that another person prepared.' },
  tasks: [
    archetype(
      'gather',
      'cutoff',
      'Draw the cut-off for the {object}',
      'Complete postings up to the cut-off',
      [
        'Announce date and hour after which postings belong to the next period',
        'Chase missing vouchers by name|, the largest amounts first',
        'Accrue what was received but not billed, with a basis for each estimate',
        'Lock the period against late postings',
      ],
      'the period is locked and the estimates carry their basis',
      'A blurred cut-off makes two periods wrong at once.',
    ),
    archetype(
      'check',
      'match',
      'Match the {object} against independent records',
      'Reconciled {object}',
      [
        'Match line by line with bank, supplier or warehouse statements',
        'Age whatever does not match: today, a week, a month',
        'Explain differences by document|, never by plugging',
        'Look separately at round amounts, duplicates and weekend postings',
      ],
      'unmatched lines are below the agreed threshold and each has an age and an owner',
      'Plugged differences grow quietly until they are a loss.',
    ),
    archetype(
      'produce',
      'figures',
      'Compute the figures and comment on them',
      'Commented figures for the {object}',
      [
        'Compare with budget, previous period and same period last year',
        'Comment on variances over the threshold in one sentence of cause',
        'Update the forecast with what is now certain',
        'Tie totals back to the ledger to the cent',
      ],
      'totals tie out and no variance over the threshold lacks a cause',
      'A variance without a cause will be asked for in the meeting.',
    ),
    archetype(
      'deliver',
      'approve',
      'Have the {object} approved and released',
      'Approved {object} with audit trail',
      [
        'Present figures, open points and judgements to the approver',
        'Let amounts above the limit be signed by two people',
        'Release payments or reports from the approved version only',
        'File vouchers, approvals and version under one number',
      ],
      'preparer and approver are different people, and one number leads to all papers',
      'Four eyes protect the honest from suspicion too.',
    ),
    archetype(
      'sustain',
      'tighten',
      'Shorten the way to the next {object}',
      'Changes for the next round',
      [
        'Note the three steps that took longest and who waited',
        'Move one of them before the cut-off',
        'Agree estimates in advance for what always arrives late',
        'Test the change on last period’s papers',
      ],
      'one long step is gone from the next calendar',
      'Each day saved at the end was lost at the beginning.',
    ),
  ],
}

import { archetype, type Act } from '../archetype.ts'

/** To comply, certify, file, submit, license, renew. */
export const comply: Act = {
  input: 'Text of the duty behind the {object}',
  subject: 'rules',
  core: 'evidence',
  counterpart: {
    name: 'Compliance officer',
    duty: 'Reads duties narrowly and signs what leaves the house.',
  },
  tasks: [
    archetype(
      'prepare',
      'duties',
      'Break the duty behind the {object} into single obligations',
      'Register of obligations',
      [
        'Copy each shall and must into a row of its own, with its paragraph',
        'Write beside each row who is bound, from when, and what the breach costs',
        'Ask the authority in writing where two readings are possible',
        'Note exemptions that apply, and their proof',
      ],
      'no sentence with shall or must is missing from the register',
      'Obligations hide in subordinate clauses and annexes.',
    ),
    archetype(
      'gather',
      'evidence',
      'Assemble the file for the {object}',
      'Complete file for the {object}',
      [
        'Request each record from its owner with a date two weeks before it is needed',
        'Check signatures, validity and names|, letter by letter',
        'Translate or legalise what the recipient asks for',
        'Fill gaps by producing the record, never by describing it',
      ],
      'the register shows a valid record in each row',
      'Files are returned for a missing stamp far more often than for substance.',
    ),
    archetype(
      'check',
      'mock',
      'Hold a mock examination of the {object}',
      'Mock examination notes',
      [
        'Let an outsider play the authority for half a day',
        'Hand over nothing that was not asked for',
        'Time how long each record takes to appear',
        'Correct what took longer than ten minutes to find',
      ],
      'each asked record appeared within ten minutes',
      'Nervous searching looks like hiding.',
    ),
    archetype(
      'deliver',
      'submit',
      'Submit the {object} and keep the receipt',
      'Receipt for the {object}',
      [
        'Have the file read once against the register by somebody who did not build it',
        'Submit three working days early through the prescribed channel',
        'Store receipt, version and time together|, beyond one person’s mailbox',
        'Answer queries from the file, never from recollection',
      ],
      'receipt and submitted version lie in the same place',
      'Only the receipt proves that a deadline was met.',
    ),
    archetype(
      'sustain',
      'calendar',
      'Keep the {object} valid',
      'Calendar of renewals and changes',
      [
        'Enter each expiry with a warning ninety days ahead',
        'Subscribe to amendments of the text and read them in a fixed weekly slot',
        'Re-examine the register whenever site, product or headcount changes',
        'Rehearse an unannounced visit once a year',
      ],
      'the nearest expiry is known by heart and has an owner',
      'Validity ends silently.',
    ),
  ],
}

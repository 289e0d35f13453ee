import { archetype, type Act } from '../archetype.ts'

/** To build, develop, design, create, implement. */
export const build: Act = {
  input: 'Requests and complaints behind the {object}',
  subject: 'goods',
  core: 'increments',
  counterpart: { name: 'Acceptance tester', duty: 'Tries every piece the way its user would.' },
  tasks: [
    archetype(
      'prepare',
      'requirements',
      'Turn wishes for the {object} into testable requirements',
      'Testable requirements for the {object}',
      [
        'Collect wishes as stories: who, in which situation, wants to achieve what',
        'Rewrite each as an observable behaviour with an example|, and a counterexample',
        'Rank by what hurts most while it is missing',
        'Cut the list at the point where the first version is still useful',
      ],
      'for each requirement somebody can say which observation would refute it',
      'What cannot be observed cannot be finished.',
    ),
    archetype(
      'prepare',
      'concept',
      'Choose a concept among at least three',
      'Chosen concept for the {object}',
      [
        'Sketch three different concepts on one page each',
        'Try the hardest requirement on every sketch|, with throw-away material',
        'Record why the losers lost',
        'List the parts that can be bought or borrowed ready-made',
      ],
      'the hardest requirement has been met once, however roughly',
      'The first idea is rarely the best, and it is never cheaper to compare than now.',
    ),
    archetype(
      'produce',
      'increments',
      'Build the {object} in usable increments',
      'Working increments of the {object}',
      [
        'Finish one thin slice through all parts before widening any',
        'Show each increment to a user within two weeks|, and change the ranking by what is seen',
        'Let a colleague look over each piece before it is joined',
        'Keep instructions for assembly beside the piece, not in a drawer',
      ],
      'each increment was used by somebody who did not build it',
      'Slices expose wrong assumptions while they are still small.',
    ),
    archetype(
      'check',
      'trial',
      'Put the {object} on trial',
      'Trial report on the {object}',
      [
        'Run every requirement example, and every counterexample',
        'Load it to twice the expected peak|, then pull one part out',
        'Let a first-time user work without a word of help',
        'Fix, and repeat the entire trial rather than the failed piece',
      ],
      'the last full trial ended without a failure of the first two ranks',
      'Failures found by users cost ten times those found in a trial.',
    ),
    archetype(
      'deliver',
      'handover',
      'Hand the {object} to those who will live with it',
      'Operating notes for the {object}',
      [
        'Write the notes while teaching the first operator',
        'Mark parts that wear, expire or need a licence',
        'Let an operator rebuild it from the notes alone',
        'Agree who is called in the first month|, and who pays',
      ],
      'an operator rebuilt it without a question',
      'Builders leave; what they forgot to say stays.',
    ),
  ],
}

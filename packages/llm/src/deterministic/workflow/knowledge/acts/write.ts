import { archetype, type Act } from '../archetype.ts'

/** To report, summarise, document, publish. */
export const write: Act = {
  input: 'Earlier editions of the {object}',
  subject: 'documents',
  core: 'draft',
  counterpart: {
    name: 'Copy editor',
    duty: 'Cuts what readers do not need and checks every figure.',
  },
  tasks: [
    archetype(
      'prepare',
      'question',
      'State the question that the {object} {answer/answers}',
      'Question and storyline of the {object}',
      [
        'Write the one question a reader brings to the {object}',
        'Sketch headings as answers, not as topics|, and try them on a reader',
        'Decide what stays out, and where somebody could find it instead',
        'Set length and closing date before the first paragraph exists',
      ],
      'a reader can guess the conclusion from the headings alone',
      'Headings that answer let people stop reading early and still be informed.',
    ),
    archetype(
      'gather',
      'material',
      'Gather the material for the {object}',
      'Material sheet for the {object}',
      [
        'Request contributions by a form with three fields and a closing hour',
        'Rate each contribution as news, background or repetition',
        'Interview whoever promised material and did not send it',
        'Secure permission for pictures and quotations|, in writing',
      ],
      'the sheet shows origin, rating and permission for each entry',
      'Editors who start with too little start to decorate.',
    ),
    archetype(
      'produce',
      'draft',
      'Draft the {object} from the sources',
      'Draft of the {object}',
      [
        'Put figures and quotations in first, each with its origin|, then write around them',
        'Open every section with its result',
        'Prefer a short table to a paragraph with more than three numbers',
        'Leave a visible mark wherever something is still uncertain',
      ],
      'no paragraph lacks an origin, and each uncertain spot is marked',
      'Writing around sourced figures prevents sentences that later need support.',
    ),
    archetype(
      'check',
      'edit',
      'Edit and verify the {object}',
      'Verified text of the {object}',
      [
        'Trace each number back to its origin with a second pair of eyes',
        'Read aloud and cut every sentence that needs a second breath',
        'Replace internal abbreviations by words',
        'Settle the marked uncertainties or say them openly in the text',
      ],
      'each figure carries two initials, and no mark of doubt is left unsaid',
      'A single wrong number costs the rest of the text its credit.',
    ),
    archetype(
      'deliver',
      'publish',
      'Publish the {object} and collect reactions',
      'Published {object} with reader reactions',
      [
        'Send it with three lines that carry the message by themselves',
        'File the edition under a name that sorts by date',
        'Ask two readers what they did differently because of it|, a week later',
        'Enter corrections in the next edition, openly',
      ],
      'the edition is filed, and two reactions are written down',
      'An edition without reactions is repeated unread.',
    ),
  ],
}

import { archetype, type Act } from '../archetype.ts'

/** To collect, gather, survey, interview, research, analyse. */
export const research: Act = {
  input: 'What is already known about the {object}',
  subject: 'data',
  core: 'collect',
  counterpart: { name: 'Method reviewer', duty: 'Looks for bias in whom is asked and how.' },
  tasks: [
    archetype(
      'prepare',
      'hypotheses',
      'Say what would be a surprise in the {object}',
      'Hypotheses and guide for the {object}',
      [
        'Write what you expect to hear, so that surprises are noticed',
        'Formulate open questions; the guide fits on one page',
        'Choose respondents for difference|, including those who left or refused',
        'Pilot the guide with two people and throw out what bored them',
      ],
      'the pilot brought at least one answer nobody had predicted',
      'Expectations written down cannot quietly adapt to results.',
    ),
    archetype(
      'gather',
      'desk',
      'Search what others already found on the {object}',
      'Annotated findings of others',
      [
        'Search in two places that disagree with each other',
        'Note for each finding: how many, when, paid by whom',
        'Write to two authors with one question each',
        'Stop at twenty findings|, and rank them by closeness',
      ],
      'each finding carries its number, year and sponsor',
      'Asking again what is known wastes the goodwill of those asked.',
    ),
    archetype(
      'gather',
      'collect',
      'Collect the {object} at their origin',
      'Raw collection of the {object}',
      [
        'Record wording verbatim, with date and circumstance',
        'Vary the channel: some prefer to talk, some to write|, some to be watched at work',
        'Stop when three in a row add nothing new',
        'Obtain consent and store names apart from answers',
      ],
      'the last three contributions repeated what was there',
      'Verbatim notes keep the collector out of the collection.',
    ),
    archetype(
      'check',
      'patterns',
      'Sort the {object} into patterns',
      'Patterns with counts and quotations',
      [
        'Cluster similar statements before naming any cluster',
        'Count how many people, not how many mentions, stand behind a cluster',
        'Search on purpose for voices that contradict it|, and keep them visible',
        'Let a second person sort a tenth of the material',
      ],
      'both sorters agree on four statements in five',
      'Naming too early makes everything fit the name.',
    ),
    archetype(
      'deliver',
      'insight',
      'Turn patterns in the {object} into decisions',
      'Decisions that follow from the {object}',
      [
        'Present each pattern with its strongest quotation and its number',
        'Attach one possible decision per pattern, with its price',
        'Tell contributors what became of their words',
        'Archive the raw material under the promised rules|, and destroy it on the promised date',
      ],
      'each pattern led to a decision or to a written no',
      'Insight without a decision attached is entertainment.',
    ),
  ],
}

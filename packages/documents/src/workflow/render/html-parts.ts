import { plural, scoreText } from '../../render/conformance.ts'
import { html, joined, type Html } from '@almanac/domain/html'
import { changesLine } from '../../render/html-changes.ts'
import type { WorkflowForm } from '../schema.ts'
import type {
  LinkView,
  ModuleView,
  PhaseGroupView,
  PhaseView,
  TaskView,
  WorkflowView,
} from './view.ts'

/** What it is, for whom, how it is written, and how much is new. */
export function brief({ content, changes }: WorkflowView): Html {
  const { purpose, audience, style } = content.metadata
  return html`<section class="brief" id="brief" aria-labelledby="h-brief">
    <h2 id="h-brief">In brief</h2>
    <p>${content.summary}</p>
    <dl>
      <dt>Purpose</dt>
      <dd>${purpose}</dd>
      <dt>Audience</dt>
      <dd>${audience}</dd>
      <dt>Style</dt>
      <dd>${style}</dd>
    </dl>
    ${changesLine(changes)}
  </section> `
}

/** Who does it, and what must be there before. */
export function roles({ content, inputs }: WorkflowView): Html {
  const duties = content.roles.map(
    ({ name, duty }) =>
      html`<dt>${name}</dt>
        <dd>${duty}</dd>`,
  )
  const things = inputs.map(
    ({ name, usedBy }) =>
      html`<li>
        <p>
          ${name}${usedBy.length > 0 ? html` <span class="meta">for ${linked(usedBy)}</span>` : undefined}
        </p>
      </li>`,
  )
  return html`<section id="roles" aria-labelledby="h-roles">
    <h2 id="h-roles">Roles and inputs</h2>
    <dl>${duties}</dl>
    ${
      things.length > 0
        ? html`<p class="count">Before the start there must be:</p>
            <ul>
              ${things}
            </ul>`
        : undefined
    }
  </section> `
}

const linked = (links: readonly LinkView[]): Html =>
  joined(
    links.map(
      ({ anchor, number, name }) => html`<a href="#${anchor}" aria-label="${name}">${number}</a>`,
    ),
    ', ',
  )

/** A section a phase: its goal, its score, its tasks; of one that was expanded, a section a sub-phase. */
export const phases = ({ phaseTree, content }: WorkflowView): Html[] =>
  phaseTree.map((view) => phaseSection(view, content.form, 2))

function phaseSection(view: PhaseView | PhaseGroupView, form: WorkflowForm, level: number): Html {
  const { anchor, number } = view
  const { name, goal } = 'parts' in view ? view : view.phase
  const title = level === 2 ? html`${number}. ${name}` : html`${number} ${name}`
  return html`<section id="${anchor}" aria-labelledby="h-${anchor}">
    ${heading(level, title, `h-${anchor}`)}
    <p>${goal}</p>
    ${
      'parts' in view
        ? html`<p class="count">${plural(view.parts.length, 'sub-phase')}</p>
            ${view.parts.map((part) => phaseSection(part, form, level + 1))}`
        : tasksOf(view, form, level + 1)
    }
  </section> `
}

const tasksOf = ({ score, tasks }: PhaseView, form: WorkflowForm, level: number): Html =>
  html`<p class="count">
      ${plural(tasks.length, 'task')}${score === undefined ? undefined : ` · conformance ${scoreText(score)}`}
    </p>
    <ul class="items">
      ${tasks.map((task) => taskItem(task, form, level))}
    </ul> `

/** There is no deeper heading than the sixth. */
function heading(level: number, title: Html, id?: string): Html {
  const named = id === undefined ? undefined : html` id="${id}"`
  switch (level) {
    case 2:
      return html`<h2${named}>${title}</h2>`
    case 3:
      return html`<h3${named}>${title}</h3>`
    case 4:
      return html`<h4${named}>${title}</h4>`
    case 5:
      return html`<h5${named}>${title}</h5>`
    default:
      return html`<h6${named}>${title}</h6>`
  }
}

function taskItem(view: TaskView, form: WorkflowForm, level: number): Html {
  const { anchor, number, task, role, needs } = view
  const needed = needs.map(({ name, from }) =>
    from
      ? html`${name} (<a href="#${from.anchor}" aria-label="${from.name}">${from.number}</a>)`
      : html`${name}`,
  )
  const gives = task.outputs.map(({ name }) => html`${name}`)
  return html`<li id="${anchor}">
    ${heading(level, html`${number} ${task.name}`)}
    <p class="tag"><b>${role}</b></p>
    ${stepList(task.steps, form)}
    <p class="tag">
      <b>Needs</b> ${needed.length > 0 ? joined(needed, '; ') : 'nothing'} · <b>Gives</b>
      ${gives.length > 0 ? joined(gives, '; ') : 'nothing'}
    </p>
    <p class="tag"><b>Done when</b> ${task.done}</p>
    ${task.note === '' ? undefined : html`<p class="tag"><b>Note</b> ${task.note}</p>`}
  </li> `
}

function stepList(steps: readonly string[], form: WorkflowForm): Html {
  if (form === 'narrative') return html`<p>${steps.join(' ')}</p>`
  const lines = steps.map((step) => html`<li>${step}</li>`)
  return form === 'checklist'
    ? html`<ul class="ticks">
        ${lines}
      </ul>`
    : html`<ol class="steps">
        ${lines}
      </ol>`
}

/** The modules, each after what it depends on. */
export function modules({ modules: all }: WorkflowView): Html {
  return html`<section id="modules" aria-labelledby="h-modules">
    <h2 id="h-modules">Modules</h2>
    <ul class="items">
      ${all.map(moduleItem)}
    </ul>
  </section> `
}

function moduleItem(view: ModuleView): Html {
  const { anchor, number, name, phase, purpose, registered, tasks, needs, gives, dependsOn } = view
  return html`<li id="${anchor}">
    <h3>${number} ${name}</h3>
    <p class="tag">
      ${phase} ·
      ${registered ? html`registered module <b>${registered.key}</b>` : plural(tasks.length, 'task')}${tasks.length > 0 ? html`: ${linked(tasks)}` : undefined}
    </p>
    <p>${purpose}</p>
    ${registered && registered.steps.length > 0 ? stepList(registered.steps, 'steps') : undefined}
    <p class="tag">
      <b>Needs</b> ${needs.join('; ') || 'nothing'} · <b>Gives</b> ${gives.join('; ') || 'nothing'}
    </p>
    <p class="tag"><b>Depends on</b> ${dependsOn.length > 0 ? linked(dependsOn) : 'nothing'}</p>
  </li> `
}

// Embeds, components, forms and commands through discord.js' builders, which throw on what Discord refuses; and what they do
// not look at: the number of rows and of buttons in a row, the words of all embeds together, ids that stand there twice.
import assert from 'node:assert';
import * as builders from '@discordjs/builders';
import { checkAll, mustRefuse, present, read } from './read.mjs';

const folder = process.argv[2];

/** What a builder made of our JSON says the same as our JSON. */
function same(built, ours) {
  assert.deepStrictEqual(JSON.parse(JSON.stringify(built)), ours);
}

function embed(ours) {
  const { type, image, ...rest } = present(ours);
  assert.strictEqual(type, 'rich');
  const builder = new builders.EmbedBuilder();
  if (rest.title !== undefined) builder.setTitle(rest.title);
  if (rest.description !== undefined) builder.setDescription(rest.description);
  if (rest.color !== undefined) builder.setColor(rest.color);
  if (image !== undefined) builder.setImage(image.url);
  same(builder.toJSON(), image === undefined ? rest : { ...rest, image });
  assert(rest.title?.trim() || rest.description?.trim() || image, 'an embed that says nothing');
  return builders.embedLength(builder.toJSON());
}

function button(ours) {
  const builder = new builders.ButtonBuilder().setStyle(ours.style).setLabel(ours.label);
  if (ours.custom_id !== undefined) builder.setCustomId(ours.custom_id);
  if (ours.url !== undefined) builder.setURL(ours.url);
  const { disabled, ...rest } = ours;
  assert(disabled === false || disabled === undefined);
  assert(ours.label.trim() !== '', 'an empty label');
  same(builder.toJSON(), rest);
}

function menu(ours) {
  const builder = new builders.StringSelectMenuBuilder().setCustomId(ours.custom_id);
  if (ours.placeholder !== undefined) builder.setPlaceholder(ours.placeholder);
  const options = ours.options.map((option) =>
    new builders.StringSelectMenuOptionBuilder().setLabel(option.label).setValue(option.value),
  );
  assert(options.length >= 1, 'a menu without entries');
  builder.addOptions(options);
  same(builder.toJSON(), ours);
  unique(ours.options.map((option) => option.value));
}

function unique(words) {
  assert.strictEqual(new Set(words).size, words.length, `${words} are not unique`);
}

function message(ours) {
  const { content, embeds, components } = present(ours);
  assert([...content].length <= 2000, 'content is too long');
  assert(embeds.length >= 1 && embeds.length <= 10, `${embeds.length} embeds`);
  const together = embeds.map(embed).reduce((sum, one) => sum + one, 0);
  assert(together <= 6000, `embeds of ${together} characters together`);
  assert(components.length <= 5, `${components.length} rows`);
  for (const row of components) {
    assert.strictEqual(row.type, 1);
    const isMenu = row.components.some((component) => component.type === 3);
    const most = isMenu ? 1 : 5;
    assert(row.components.length >= 1 && row.components.length <= most, `${row.components.length} in a row`);
    for (const component of row.components) {
      if (component.type === 2) button(component);
      else if (component.type === 3) menu(component);
      else assert.fail(`a component of type ${component.type}`);
    }
  }
  unique(components.flatMap((row) => row.components.map((component) => component.custom_id)).filter(Boolean));
}

function rendering(value) {
  assert(value.thread_name.trim() !== '' && value.thread_name.length <= 100, 'the name of the thread');
  for (const screen of value.screens) {
    message(screen.message);
    assert(screen.files.length <= 10, `${screen.files.length} files`);
    for (const file of screen.files) assert(file.bytes > 0 && file.bytes <= 10 * 1024 * 1024, `a file of ${file.bytes}`);
    const names = screen.files.map((file) => file.name);
    unique(names);
    for (const one of screen.message.embeds) {
      const attached = one.image?.url?.replace('attachment://', '');
      assert(attached === undefined || names.includes(attached), `the picture ${attached} is not attached`);
    }
  }
  return value.screens.length;
}

function form({ modal }) {
  const ours = present(modal);
  const builder = new builders.ModalBuilder().setCustomId(ours.custom_id).setTitle(ours.title);
  for (const row of ours.components) {
    assert.strictEqual(row.components.length, 1);
    const [input] = row.components;
    const made = new builders.TextInputBuilder().setCustomId(input.custom_id).setLabel(input.label).setStyle(input.style);
    made.setRequired(input.required);
    if (input.placeholder !== undefined) made.setPlaceholder(input.placeholder);
    if (input.max_length !== undefined) made.setMaxLength(input.max_length);
    if (input.value !== undefined) made.setValue(input.value);
    builder.addComponents(new builders.ActionRowBuilder().addComponents(made));
  }
  same(builder.toJSON(), ours);
  assert(ours.components.length >= 1 && ours.components.length <= 5, `${ours.components.length} rows`);
  unique(ours.components.map((row) => row.components[0].custom_id));
  return 1;
}

const KINDS = { 3: 'String', 4: 'Integer', 5: 'Boolean' };

function addOption(command, ours) {
  if (ours.type === 1) {
    command.addSubcommand((sub) => {
      sub.setName(ours.name).setDescription(ours.description);
      for (const option of ours.options) addOption(sub, option);
      return sub;
    });
    return;
  }
  assert(KINDS[ours.type], `an option of type ${ours.type}`);
  command[`add${KINDS[ours.type]}Option`]((option) => {
    option.setName(ours.name).setDescription(ours.description).setRequired(ours.required);
    if (ours.autocomplete) option.setAutocomplete(true);
    if (ours.max_length !== undefined) option.setMaxLength(ours.max_length);
    if (ours.min_value !== undefined) option.setMinValue(ours.min_value);
    if (ours.max_value !== undefined) option.setMaxValue(ours.max_value);
    return option;
  });
}

/** The words that Discord counts against 8,000. */
function counted(ours) {
  const own = [ours.name, ours.description, ours.value].map((words) => words?.length ?? 0);
  return own.reduce((sum, one) => sum + one, (ours.options ?? []).map(counted).reduce((sum, one) => sum + one, 0));
}

function command({ command }) {
  const ours = present(command);
  const builder = ours.type === 3 ? new builders.ContextMenuCommandBuilder().setType(3) : new builders.SlashCommandBuilder();
  builder.setName(ours.name).setContexts(ours.contexts).setIntegrationTypes(ours.integration_types);
  if (ours.type === 1) {
    builder.setDescription(ours.description);
    for (const option of ours.options) addOption(builder, option);
  }
  const made = JSON.parse(JSON.stringify(builder.toJSON()));
  assert.deepStrictEqual([made.name, made.type, made.contexts], [ours.name, ours.type, ours.contexts]);
  assert.strictEqual(made.options?.length ?? 0, ours.options?.length ?? 0);
  assert(counted(ours) <= 8000, `a command of ${counted(ours)} characters`);
  return 1;
}

const one = (over) => ({ content: '', embeds: [{ type: 'rich', title: 'x' }], components: [], ...over });
const row = (...components) => one({ components: [{ type: 1, components }] });
const id = (custom_id, over = {}) => ({ type: 2, style: 1, custom_id, label: 'x', ...over });
const many = (count, make) => Array.from({ length: count }, (_, index) => make(index));
const refused = mustRefuse('messages', {
  'a label of 81': row(id('a', { label: 'x'.repeat(81) })),
  'an empty label': row(id('a', { label: ' ' })),
  'an id of 101': row(id('x'.repeat(101))),
  'an id twice': row(id('a'), id('a')),
  '6 buttons in a row': row(...many(6, (index) => id(`b${index}`))),
  '6 rows': one({ components: many(6, (index) => ({ type: 1, components: [id(`b${index}`)] })) }),
  'a link with an id': row({ type: 2, style: 5, custom_id: 'a', url: 'https://example.com', label: 'x' }),
  'a link that is no page': row({ type: 2, style: 5, url: 'javascript:alert(1)', label: 'x' }),
  'a title of 257': one({ embeds: [{ type: 'rich', title: 'x'.repeat(257) }] }),
  'a description of 4,097': one({ embeds: [{ type: 'rich', description: 'x'.repeat(4097) }] }),
  'embeds of 6,001': one({ embeds: many(2, (index) => ({ type: 'rich', description: 'x'.repeat(3000 + index) })) }),
  '11 embeds': one({ embeds: many(11, () => ({ type: 'rich', title: 'x' })) }),
  'an embed that says nothing': one({ embeds: [{ type: 'rich' }] }),
  'an unknown key': one({ embeds: [{ type: 'rich', title: 'x', colour: 1 }] }),
  '26 options': row({ type: 3, custom_id: 'm', options: many(26, (index) => ({ label: 'x', value: `${index}` })) }),
  'no options': row({ type: 3, custom_id: 'm', options: [] }),
}, message) + mustRefuse('forms', {
  'a title of 46': { modal: { custom_id: 'x', title: 'x'.repeat(46), components: [] } },
  'no lines': { modal: { custom_id: 'x', title: 'x', components: [] } },
}, form) + mustRefuse('commands', {
  'an upper-case name': { command: { type: 1, name: 'Why', description: 'x', options: [] } },
  'a description of 101': { command: { type: 1, name: 'why', description: 'x'.repeat(101), options: [] } },
}, command);

const renderings = ['samples.jsonl', 'templates.jsonl', 'hostile.jsonl'].flatMap((file) => read(folder, file));
const messages = checkAll('messages', renderings, rendering);
const forms = checkAll('forms', read(folder, 'forms.jsonl'), form);
const commands = checkAll('commands', read(folder, 'commands.jsonl'), command);
console.log(`@discordjs/builders: ${messages} messages of ${renderings.length} renderings, ${forms} forms, ${commands} commands; ${refused} bad samples refused`);

// Drives the Discord for tests with discord.js: whatever that client needs from Discord, the server must have.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const require = createRequire(process.env.CLIENT_MODULES + '/package.json');
const discord = require('discord.js');
const { ButtonStyle, ComponentType, Events, GatewayIntentBits, MessageFlags, TextInputStyle } = discord;

const api = process.argv[2];
const token = process.argv[3];
const control = api.replace(/\/api$/, '/control/');
const GUILD = '1100000000000000100', OPS = '1100000000000000201', SECRET = '1100000000000000203';
const ALICE = '1100000000000000301', MALLORY = '1100000000000000303';
const WAIT_MS = 10_000;

async function ask(command, body) {
  const response = await fetch(control + command, { method: 'POST', body: JSON.stringify(body) });
  const answer = await response.json();
  if (!response.ok) throw new Error(`${command}: ${answer.error}`);
  return answer;
}
const act = async (body) => (await ask('act', body)).id;
const read = (body) => ask('read', body);

let steps = 0;
async function step(name, run) {
  let timer;
  const limit = new Promise((_, fail) => {
    timer = setTimeout(() => fail(new Error(`${name}: no end within ${WAIT_MS} ms`)), WAIT_MS);
  });
  try {
    await Promise.race([run(), limit]);
  } catch (error) {
    console.error(`discord.js FAILED at: ${name}`);
    throw error;
  } finally {
    clearTimeout(timer);
  }
  steps += 1;
  console.log(`discord.js ok: ${name}`);
}
function next(emitter, event, wanted = () => true) {
  return new Promise((found) => {
    const listen = (...values) => {
      if (!wanted(...values)) return;
      emitter.off(event, listen);
      found(values[0]);
    };
    emitter.on(event, listen);
  });
}
async function until(condition) {
  for (;;) {
    const found = await condition();
    if (found) return found;
    await new Promise((wake) => setTimeout(wake, 20));
  }
}
async function refused(promise, code) {
  const error = await promise.then(() => null, (error) => error);
  assert.equal(error?.code, code, `expected code ${code}, got ${error?.code ?? 'an answer'}: ${error}`);
  return error;
}

const client = new discord.Client({
  intents: [GatewayIntentBits.Guilds, GatewayIntentBits.GuildMessages, GatewayIntentBits.DirectMessages,
    GatewayIntentBits.GuildMessageReactions],
  partials: [discord.Partials.Channel],
  rest: { api },
  allowedMentions: { parse: [] },
});
const limited = [];
client.rest.on('rateLimited', (about) => limited.push(about));
client.on('error', (error) => { throw error; });

await step('READY with the guild', async () => {
  const ready = next(client, Events.ClientReady);
  await client.login(token);
  await ready;
  assert.equal(client.user.username, 'kubewhy');
  assert.equal(client.guilds.cache.get(GUILD).name, 'Example');
  assert.equal(client.channels.cache.get(OPS).name, 'ops');
});

const option = (name, extra) => ({ type: 3, name, description: `the ${name}`, ...extra });
await step('commands registered for the guild', async () => {
  const commands = await client.application.commands.set([
    { name: 'why', description: 'Explain', options: [option('name', { required: true, autocomplete: true })] },
    { name: 'kubewhy', description: 'More', options: [
      { type: 1, name: 'logs', description: 'Logs', options: [option('pod', { required: true })] }] },
    { name: 'Why?', type: 3 },
  ], GUILD);
  assert.equal(commands.size, 3);
  assert.equal((await client.application.commands.fetch({ guildId: GUILD })).size, 3);
});
await step('a wrong command is refused with the path', async () => {
  const wrong = { name: 'ok', description: 'd', options: [option('b'), option('a', { required: true })] };
  const error = await refused(client.application.commands.create(wrong, GUILD), 50035);
  assert.match(JSON.stringify(error.rawError.errors), /APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID/);
});

await step('autocomplete', async () => {
  const coming = next(client, Events.InteractionCreate);
  const id = await act({ do: 'complete', by: ALICE, channel: OPS, line: 'why', focused: 'name', typed: 'we' });
  const interaction = await coming;
  assert.equal(interaction.isAutocomplete(), true);
  assert.equal(interaction.options.getFocused(), 'we');
  await interaction.respond([{ name: 'web (default)', value: 'web' }]);
  assert.deepEqual((await read({ what: 'interaction', id })).choices, [['web (default)', 'web']]);
});

let answer;
await step('slash command, deferred, edited', async () => {
  const coming = next(client, Events.InteractionCreate);
  const id = await act({ do: 'slash', by: ALICE, channel: OPS, line: 'why', options: { name: 'web' } });
  const interaction = await coming;
  assert.equal(interaction.isChatInputCommand(), true);
  assert.equal(interaction.options.getString('name'), 'web');
  assert.equal(interaction.user.id, ALICE);
  assert.equal(interaction.memberPermissions.has('Administrator'), true);
  assert.equal(interaction.appPermissions.has('SendMessages'), true);
  await interaction.deferReply();
  assert.equal((await read({ what: 'interaction', id })).original.is_thinking, true);
  answer = await interaction.editReply({
    content: 'web is out of memory',
    embeds: [{ title: 'web', fields: [{ name: 'Limit', value: '64Mi', inline: true }] }],
    components: [{ type: ComponentType.ActionRow, components: [
      { type: ComponentType.Button, style: ButtonStyle.Danger, label: 'Raise', custom_id: 'raise' },
      { type: ComponentType.Button, style: ButtonStyle.Secondary, label: 'Ask', custom_id: 'ask' }] },
    { type: ComponentType.ActionRow, components: [{ type: ComponentType.StringSelect, custom_id: 'pick',
      options: [{ label: 'First', value: '1' }, { label: 'Second', value: '2' }] }] }],
  });
  const seen = await read({ what: 'interaction', id });
  assert.equal(seen.original.content, 'web is out of memory');
  assert.equal(seen.original.is_thinking, false);
  const ephemeral = await interaction.followUp({ content: 'only you', flags: MessageFlags.Ephemeral });
  assert.equal(ephemeral.flags.has(MessageFlags.Ephemeral), true);
  const [whisper] = await read({ what: 'ephemerals', user: ALICE });
  assert.equal(whisper.content, 'only you');
  assert.equal((await read({ what: 'messages', channel: OPS, user: MALLORY })).length, 1);
  assert.equal((await interaction.fetchReply()).id, answer.id);
  await interaction.deleteReply(ephemeral);
  assert.deepEqual(await read({ what: 'ephemerals', user: ALICE }), []);
});

await step('a second answer is refused', async () => {
  const coming = next(client, Events.InteractionCreate);
  await act({ do: 'slash', by: ALICE, channel: OPS, line: 'kubewhy logs', options: { pod: 'web-1' } });
  const interaction = await coming;
  assert.equal(interaction.options.getSubcommand(), 'logs');
  const { resource } = await interaction.reply({ content: 'logs', withResponse: true });
  assert.equal(resource.message.content, 'logs');
  await refused(client.rest.post(`/interactions/${interaction.id}/${interaction.token}/callback`,
    { auth: false, body: { type: 4, data: { content: 'again' } } }), 40060);
});

await step('a late answer is refused', async () => {
  const coming = next(client, Events.InteractionCreate);
  const id = await act({ do: 'slash', by: ALICE, channel: OPS, line: 'why', options: { name: 'late' } });
  const interaction = await coming;
  await ask('advance', { ms: 3_500 });
  await refused(interaction.reply('late'), 10062);
  assert.equal((await read({ what: 'interaction', id })).has_failed, true);
});

await step('button updates its message', async () => {
  const coming = next(client, Events.InteractionCreate);
  await act({ do: 'press', by: ALICE, message: answer.id, button: 'Raise' });
  const interaction = await coming;
  assert.equal(interaction.isButton(), true);
  assert.equal(interaction.message.id, answer.id);
  await interaction.update({ content: 'raised', components: answer.components.slice(0, 2) });
  const seen = await read({ what: 'message', id: answer.id });
  assert.equal(seen.content, 'raised');
});

await step('button answers with deferred update', async () => {
  const coming = next(client, Events.InteractionCreate);
  await act({ do: 'press', by: ALICE, message: answer.id, button: 'Raise' });
  const interaction = await coming;
  await interaction.deferUpdate();
  await interaction.editReply({ content: 'raised twice' });
  assert.equal((await read({ what: 'message', id: answer.id })).content, 'raised twice');
});

await step('select', async () => {
  const coming = next(client, Events.InteractionCreate);
  await act({ do: 'choose', by: ALICE, message: answer.id, select: 'pick', values: ['Second'] });
  const interaction = await coming;
  assert.deepEqual(interaction.values, ['2']);
  await interaction.reply({ content: 'second it is', flags: MessageFlags.Ephemeral });
});

await step('modal', async () => {
  const coming = next(client, Events.InteractionCreate);
  await act({ do: 'press', by: ALICE, message: answer.id, button: 'ask' });
  const interaction = await coming;
  await interaction.showModal({ custom_id: 'form', title: 'Which limit?', components: [
    { type: ComponentType.ActionRow, components: [
      { type: ComponentType.TextInput, custom_id: 'limit', label: 'Limit', style: TextInputStyle.Short, max_length: 10 }] }] });
  assert.equal((await read({ what: 'modal', user: ALICE })).modal.title, 'Which limit?');
  await assert.rejects(act({ do: 'submit', by: ALICE, values: { Limit: 'x'.repeat(11) } }));
  const submitted = next(client, Events.InteractionCreate);
  await act({ do: 'submit', by: ALICE, values: { Limit: '128Mi' } });
  const modal = await submitted;
  assert.equal(modal.isModalSubmit(), true);
  assert.equal(modal.fields.getTextInputValue('limit'), '128Mi');
  assert.equal(modal.isFromMessage(), true);
  await modal.update({ content: 'now 128Mi' });
  assert.equal((await read({ what: 'message', id: answer.id })).content, 'now 128Mi');
});

await step('message command reads the message', async () => {
  const message = await act({ do: 'say', by: ALICE, channel: OPS, content: 'pod default/web is down' });
  const coming = next(client, Events.InteractionCreate);
  await act({ do: 'message-command', by: ALICE, message, name: 'Why?' });
  const interaction = await coming;
  assert.equal(interaction.isMessageContextMenuCommand(), true);
  assert.equal(interaction.targetMessage.content, 'pod default/web is down');
  await interaction.reply({ content: 'seen' });
});

let thread;
await step('thread at a message, posts and a file in it', async () => {
  const message = await client.channels.cache.get(OPS).messages.fetch(answer.id);
  thread = await message.startThread({ name: 'web is out of memory', autoArchiveDuration: 1440 });
  assert.equal(thread.id, answer.id);
  const posted = await thread.send({ content: 'details', files: [{ attachment: Buffer.from('oom'), name: 'log.txt' }] });
  assert.equal(posted.attachments.first().size, 3);
  assert.equal(await (await fetch(posted.attachments.first().url)).text(), 'oom');
  const [seen] = await read({ what: 'messages', channel: thread.id });
  assert.equal(seen.files[0].name, 'log.txt');
  await refused(message.startThread({ name: 'again' }).catch((error) => {
    if (error.code === 'MessageExistingThread') throw Object.assign(error, { code: 160004 });
    throw error;
  }), 160004);
  const active = await client.guilds.cache.get(GUILD).channels.fetchActiveThreads();
  assert.equal(active.threads.has(thread.id), true);
});

await step('a mention in the thread reaches the bot, other talk comes without content', async () => {
  const coming = next(client, Events.MessageCreate, (message) => message.author.id === ALICE);
  await act({ do: 'say', by: ALICE, channel: thread.id, content: 'between us' });
  assert.equal((await coming).content, '');
  const mentioned = next(client, Events.MessageCreate, (message) => message.author.id === ALICE);
  await act({ do: 'say', by: ALICE, channel: thread.id, content: `<@${client.user.id}> and now?` });
  const message = await mentioned;
  assert.equal(message.content, `<@${client.user.id}> and now?`);
  assert.equal(message.mentions.has(client.user), true);
  assert.equal(message.channel.isThread(), true);
  await message.reply('better');
  await message.react('👀');
});

await step('direct message', async () => {
  const channel = await act({ do: 'direct', by: ALICE });
  const coming = next(client, Events.MessageCreate, (message) => message.channelId === channel);
  await act({ do: 'say', by: ALICE, channel, content: 'psst' });
  const message = await coming;
  assert.equal(message.content, 'psst');
  await message.channel.send('yes?');
  assert.equal((await read({ what: 'messages', channel })).length, 2);
});

await step('refusals: access, permissions, limits', async () => {
  await refused(client.rest.get(`/channels/${SECRET}/messages`), 50001);
  const readOnly = client.channels.cache.get('1100000000000000204');
  await refused(client.rest.post(`/channels/${readOnly.id}/messages`, { body: { content: 'no' } }), 50013);
  const error = await refused(client.rest.post(`/channels/${OPS}/messages`, { body: { content: 'x'.repeat(2001) } }), 50035);
  assert.equal(error.rawError.errors.content._errors[0].code, 'BASE_TYPE_MAX_LENGTH');
  await refused(client.rest.post(`/channels/${OPS}/messages`, { body: {} }), 50006);
  await refused(client.rest.get('/channels/42'), 10003);
});

await step('nonce posts once', async () => {
  const channel = client.channels.cache.get(thread.id);
  const first = await channel.send({ content: 'once', nonce: '123', enforceNonce: true });
  const second = await channel.send({ content: 'once', nonce: '123', enforceNonce: true });
  assert.equal(first.id, second.id);
});

await step('429 is waited for', async () => {
  await ask('fault', { method: 'POST', route: '/channels/{id}/messages', what: { 'rate-limited': { retry_after_s: 0.3 } } });
  const before = Date.now();
  await client.channels.cache.get(thread.id).send('after the limit');
  assert.ok(Date.now() - before >= 290);
});
await step('the bucket empties and the client waits by the headers', async () => {
  const posts = [1, 2, 3, 4, 5, 6].map((count) => client.channels.cache.get(OPS).send(`post ${count}`));
  await Promise.all(posts);
  assert.ok(limited.length >= 1, 'the client met a limit');
  const posted = (await read({ what: 'calls' })).filter((call) => call.path === `/channels/${OPS}/messages` && call.status === 429);
  assert.deepEqual(posted, [], 'the client waited instead of running into 429');
});

for (const [name, fault] of [['reconnect', 'reconnect'], ['close without a code', { close: { code: null } }],
  ['close 4000', { close: { code: 4000 } }], ['reset', 'reset']]) {
  await step(`resume after ${name}, with what was missed`, async () => {
    const resumed = next(client, Events.ShardResume);
    const missed = next(client, Events.MessageCreate, (message) => message.content.includes('missed'));
    await ask('gateway', fault);
    await act({ do: 'say', by: ALICE, channel: OPS, content: `<@${client.user.id}> missed` });
    await resumed;
    await missed;
  });
}
await step('invalid session: a new one', async () => {
  await ask('advance', { ms: 6_000 });
  const before = (await read({ what: 'gateway' })).history.filter((event) => event.what === 'identified').length;
  await ask('gateway', { 'invalid-session': { resumable: false } });
  await until(async () => {
    const { history } = await read({ what: 'gateway' });
    return history.filter((event) => event.what === 'identified').length > before;
  });
});

await client.destroy();
console.log(`discord.js ${discord.version}: ${steps} steps ok`);

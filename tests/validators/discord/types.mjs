// All of it as constants of the types that discord-api-types gives them, for `tsc --strict`, which also refuses unknown keys.
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { present, read } from './read.mjs';

const [folder, work] = process.argv.slice(2);
const libraries = dirname(fileURLToPath(import.meta.url));

const HEADER = `import { EmbedType } from 'discord-api-types/v10';
import type {
  APIModalInteractionResponseCallbackData as Form,
  RESTPostAPIApplicationCommandsJSONBody as Command,
  RESTPostAPIChannelMessageJSONBody as Message,
} from 'discord-api-types/v10';
`;

/** A command without what serenity writes for "not there" beside `null`: empty lists and maps, and `autocomplete` where it is off. */
function command(value) {
  if (Array.isArray(value)) return value.map(command);
  if (value === null || typeof value !== 'object') return value;
  const isThere = ([key, inner]) => !(key === 'autocomplete' && inner === false) && (typeof inner !== 'object' || Object.keys(inner).length > 0);
  return Object.fromEntries(Object.entries(present(value)).filter(isThere).map(([key, inner]) => [key, command(inner)]));
}

/** The one enumeration of words; all others are of numbers, of which TypeScript takes the literal. */
const literal = (value) => JSON.stringify(present(value)).replaceAll('"type":"rich"', '"type":EmbedType.Rich');

function compile(name, constants) {
  mkdirSync(join(work, 'types'), { recursive: true });
  try {
    symlinkSync(join(libraries, 'node_modules'), join(work, 'types/node_modules'));
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
  const file = join(work, 'types', `${name}.ts`);
  writeFileSync(file, HEADER + constants.map(([type, value], index) => `export const c${index}: ${type} = ${literal(value)};\n`).join(''));
  const options = ['--strict', '--noEmit', '--skipLibCheck', '--module', 'nodenext', '--moduleResolution', 'nodenext'];
  try {
    execFileSync(process.execPath, [join(libraries, 'node_modules/typescript/bin/tsc'), ...options, '--target', 'es2022', file], { encoding: 'utf8' });
    return [];
  } catch (error) {
    const first = HEADER.split('\n').length;
    return [...`${error.stdout}`.matchAll(/\((\d+),\d+\): error (.*)/g)].map(([, line, what]) => [Number(line) - first, what]);
  }
}

const bad = [
  ['Message', { content: '', embeds: [{ title: 'x', colour: 1 }] }],
  ['Message', { components: [{ type: 1, components: [{ type: 2, style: 5, custom_id: 'x', label: 'x' }] }] }],
  ['Message', { components: [{ type: 1, components: [{ type: 2, style: 9, custom_id: 'x', label: 'x' }] }] }],
  ['Message', { components: [{ type: 1, components: [{ type: 3, custom_id: 'x', options: [{ label: 'x' }] }] }] }],
  ['Form', { custom_id: 'x', components: [] }],
  ['Command', { type: 1, name: 'x' }],
];
const refused = new Set(compile('bad', bad).map(([index]) => index));
if (refused.size !== bad.length) {
  console.error(`types: bad samples pass: ${refused.size} of ${bad.length} are refused`);
  process.exit(1);
}

const named = [];
const messages = (file) => read(folder, file).flatMap(({ name, screens }) => screens.map(({ message }) => [name, 'Message', message]));
named.push(...['samples.jsonl', 'templates.jsonl', 'hostile.jsonl'].flatMap(messages));
named.push(...read(folder, 'forms.jsonl').map(({ name, modal }) => [name, 'Form', modal]));
named.push(...read(folder, 'commands.jsonl').map((value) => [value.name, 'Command', command(value.command)]));
const wrong = compile('all', named.map(([, type, value]) => [type, value]));
if (wrong.length > 0) {
  console.error(`types: ${wrong.length} are wrong`);
  for (const [index, what] of wrong.slice(0, 20)) console.error(`  ${named[index]?.[0]}: ${what}`);
  process.exit(1);
}
console.log(`discord-api-types: ${named.length} constants pass tsc --strict; ${bad.length} bad samples refused`);

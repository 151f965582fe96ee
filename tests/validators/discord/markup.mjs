// Hostile words through two parsers of Discord's markup. Whatever stands outside of code must be words that a template says by
// itself: then no mention, link, emoji, point in time or formatting can come from elsewhere, and no fence can be broken.
import assert from 'node:assert';
import { parse } from 'discord-markdown-parser';
import { parser as discordMarkdown } from '@odiffey/discord-markdown';
import { checkAll, mustRefuse, read } from './read.mjs';

const folder = process.argv[2];

const PARSERS = {
  'discord-markdown-parser': (words) => parse(words, 'extended'),
  '@odiffey/discord-markdown': (words) => discordMarkdown(words),
};
/** What only shows words, or sets them off in a way that we use. */
const QUIET = new Set(['text', 'br', 'newline', 'paragraph', 'strong', 'heading', 'subtext', 'footnote', 'list']);
const CODE = new Set(['inlineCode', 'codeBlock']);
const TIME = new Set(['timestamp', 'discordTimestamp']);
/** Marks of ours that a parser takes for emoji. */
const MARKS = new Set(['✖', '✔', '▲']);
/** What is said of words that are cut, with its numbers. */
const NOTE = /\(?\b\d+ more (characters|lines?) in whole\.txt(, no\. \d+)?\)?|in whole\.txt, no\. \d+/g;

/** Calls for each node before what is in it, and behind it. */
function walk(node, see, leave) {
  if (Array.isArray(node)) return node.forEach((inner) => walk(inner, see, leave));
  if (node === null || typeof node !== 'object') return undefined;
  see(node);
  for (const inner of [node.content, node.items]) if (Array.isArray(inner)) walk(inner, see, leave);
  leave(node);
  return undefined;
}

/** The words of one text outside of code, and how often each kind of node stands there. */
function outside(parser, words) {
  const seen = { words: [], counts: {}, times: [] };
  // Words are told apart where something else stands between them.
  const gap = (node) => node.type !== 'text' && seen.words.push(' ');
  const see = (node) => {
    seen.counts[node.type] = (seen.counts[node.type] ?? 0) + 1;
    if (node.type === 'list') seen.counts.item = (seen.counts.item ?? 0) + node.items.length;
    gap(node);
    if (TIME.has(node.type)) seen.times.push(Number(node.timestamp));
    else if (node.type === 'twemoji' && MARKS.has(node.name)) seen.words.push(node.name);
    else if (CODE.has(node.type)) assert(!node.content.includes('```'), 'a fence inside of code');
    else if (!QUIET.has(node.type)) assert.fail(`${parser} sees ${node.type}: ${JSON.stringify(node).slice(0, 200)}`);
    else if (typeof node.content === 'string') seen.words.push(node.content);
  };
  walk(PARSERS[parser](words), see, gap);
  const said = seen.words.join('').replace(NOTE, ' ').split(/[\s·]+/).filter((word) => word !== '');
  return { said, counts: seen.counts, times: seen.times };
}

function texts(rendering) {
  return rendering.screens.flatMap((screen) =>
    screen.message.embeds.flatMap((embed) => [embed.title, embed.description]).filter((words) => words !== undefined),
  );
}

const template = (name) => name.split(' ')[0];

/** What each template says by itself. */
function vocabulary() {
  const known = {};
  for (const rendering of read(folder, 'templates.jsonl')) {
    for (const parser of Object.keys(PARSERS)) {
      const own = ((known[parser] ??= {})[template(rendering.name)] ??= { words: new Set(), times: new Set(), most: {} });
      const counts = {};
      for (const words of texts(rendering)) {
        const { said, counts: here, times } = outside(parser, words);
        for (const word of said) {
          assert(!word.includes('zqxj'), `${parser}: foreign words outside of code in ${rendering.name}: ${word}`);
          own.words.add(word);
        }
        for (const time of times) own.times.add(time);
        for (const [type, count] of Object.entries(here)) counts[type] = (counts[type] ?? 0) + count;
      }
      for (const [type, count] of Object.entries(counts)) own.most[type] = Math.max(own.most[type] ?? 0, count);
    }
  }
  return known;
}

const known = vocabulary();

function check(rendering) {
  let nodes = 0;
  for (const parser of Object.keys(PARSERS)) {
    const own = known[parser][template(rendering.name)];
    const counts = {};
    for (const words of texts(rendering)) {
      const { said, counts: here, times } = outside(parser, words);
      for (const word of said) assert(own.words.has(word), `${parser}: "${word}" stands outside of code`);
      for (const time of times) assert(own.times.has(time), `${parser}: the time ${time} is not ours`);
      for (const [type, count] of Object.entries(here)) counts[type] = (counts[type] ?? 0) + count;
    }
    for (const type of ['heading', 'subtext', 'footnote', 'item', 'strong']) {
      const [seen, most] = [counts[type] ?? 0, own.most[type] ?? 0];
      assert(seen <= most, `${parser}: ${seen} of ${type}, by itself it has ${most}`);
    }
    nodes += Object.values(counts).reduce((sum, one) => sum + one, 0);
  }
  return nodes;
}

/** A message of a template with these words behind what it says. */
const bad = (words) => ({ name: 'refused x', screens: [{ message: { embeds: [{ description: `There is no Pod ${words}` }] } }] });
const refused = mustRefuse('markup', Object.fromEntries([
  '<@123456789012345678>', '<@&987654321098765432>', '<#123456789012345678>', '@everyone', '@here', '</why:123456789012345678>',
  '<id:customize>', '<:smile:123456789012345678>', '<a:dance:123456789012345678>', '<t:1700000000:R>', '[docs](https://evil.example)',
  'https://evil.example', '<https://evil.example>', 'discord.gg/evil', '**bold**', '_italic_', '__under__', '~~strike~~',
  '||spoiler||', '\n> quote', '\n>>> quote', '\n# heading', '\n-# small', '\n- item', '`a` b`', '```\na\n``` b',
].map((words) => [words, bad(words)])), check);

const hostile = read(folder, 'hostile.jsonl');
const strings = new Set(hostile.map((rendering) => rendering.name.split(' ')[1])).size;
const nodes = checkAll('markup', hostile, check);
console.log(`parsers of markup: ${strings} hostile strings in ${hostile.length} renderings, ${nodes} nodes by ${Object.keys(PARSERS).length} parsers, none theirs; ${refused} bad samples refused`);

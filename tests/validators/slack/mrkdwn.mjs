// Looks for anything live in forms: with a parser of Slack's language and a finder of links that nobody here wrote.
//
// The `text` of a message may hold nothing but words. Slack's language in blocks may hold one time and nothing else. Plain text
// is read as if Slack interpreted it, too. Rich text is structure: only harmless elements, and words only in `text`.

import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { join } from "node:path";
import LinkifyIt from "linkify-it";
import { parse, NodeType } from "slack-message-parser";

const linkify = new LinkifyIt();
const UTC = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/;
const HIDDEN = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]|[\u{e0000}-\u{e0fff}]/u;

class Live extends Error {}

// Every node of a parsed text.
function* nodes(node) {
  yield node;
  for (const child of [...(node.children ?? []), ...(node.label ?? [])]) yield* nodes(child);
}

function kinds(text) {
  return [...nodes(parse(text))].map((node) => NodeType[node.type]).filter((kind) => kind !== "Root" && kind !== "Text");
}

function checkText(text) {
  const live = kinds(text);
  if (live.length) throw new Live(`${live} in the text ${JSON.stringify(text)}`);
  const links = linkify.match(text);
  if (links) throw new Live(`the link ${links[0].raw} in the text ${JSON.stringify(text)}`);
  const calls = text.match(/@(here|channel|everyone|[a-z])|(^|\s)#[a-z]/i);
  if (calls) throw new Live(`the call ${calls[0]} in the text ${JSON.stringify(text)}`);
}

function checkTime(text) {
  const { children } = parse(text);
  const [time] = children;
  const label = time?.label?.map((node) => node.source).join("") ?? "";
  const isTime = time?.type === NodeType.Command && time.name === "date" && time.arguments.length === 2;
  if (children.length !== 1 || !isTime || !/^\d+$/.test(time.arguments[0]) || !UTC.test(label)) {
    throw new Live(`more than a time in ${JSON.stringify(text)}`);
  }
}

function checkPlain(text) {
  const live = kinds(text).filter((kind) => ["UserLink", "ChannelLink", "URL", "Command"].includes(kind));
  if (live.length) throw new Live(`${live} in the plain text ${JSON.stringify(text)}`);
}

// What may stand in each type, and of which form; words of anybody may stand under "words" alone.
const words = (value) => typeof value === "string" && value.length > 0;
const flag = (value) => typeof value === "boolean";
const count = (value) => Number.isInteger(value) && value >= 0;
const like = (pattern) => (value) => typeof value === "string" && pattern.test(value);
const one = (...values) => (value) => values.includes(value);
const page = (value) => ["http:", "https:"].includes(new URL(value).protocol);
const id = like(/^kubewhy-\d+$/);
const carried = (value) => like(/^\d+[ct]:/)(value) && value.length <= 100;
const each = (...types) => (value) => Array.isArray(value) && value.length > 0 && value.every((part) => check(part, types));
const a = (...types) => (value) => check(value, types);
const inline = each("text", "date");
const looks = (value) => Object.entries(value).every(([look, on]) => ["bold", "code"].includes(look) && on === true);

const SHAPES = {
  rich_text: { elements: each("rich_text_section", "rich_text_list", "rich_text_quote", "rich_text_preformatted") },
  rich_text_section: { elements: inline },
  rich_text_quote: { elements: each("text") },
  rich_text_preformatted: { elements: each("text") },
  rich_text_list: { elements: each("rich_text_section"), style: one("bullet", "ordered"), offset: count },
  text: { text: words, style: looks },
  date: { timestamp: count, format: one("{date_short_pretty} {time_secs}"), fallback: like(UTC) },
  context: { elements: each("plain_text", "mrkdwn") },
  plain_text: { text: (text) => words(text) && (checkPlain(text), true), emoji: one(false) },
  mrkdwn: { text: (text) => words(text) && (checkTime(text), true), verbatim: one(true) },
  actions: { elements: each("button", "static_select") },
  button: { action_id: id, text: a("plain_text"), value: carried, url: page, style: one("primary", "danger") },
  static_select: { action_id: id, placeholder: a("plain_text"), options: (all) => all.every(option) },
  table: { rows: (rows) => rows.every(each("raw_text", "rich_text")), column_settings: (all) => all.every(column) },
  raw_text: { text: words },
  input: { block_id: like(/^[a-z]+$/), label: a("plain_text"), element: a("plain_text_input") },
  plain_text_input: {
    action_id: like(/^[a-z]+$/), placeholder: a("plain_text"), multiline: flag, max_length: count,
  },
  modal: {
    title: a("plain_text"), submit: a("plain_text"), close: a("plain_text"), callback_id: one("form"),
    private_metadata: like(/^[0-9a-f]+$/), external_id: one(""), blocks: each("rich_text", "context", "actions", "input"),
  },
};
const option = (value) => Object.keys(value).join() === "text,value" && check(value.text, ["plain_text"]) && carried(value.value);
const column = (value) => Object.entries(value).every(([key, is]) => (key === "align" ? is === "right" : key === "is_wrapped" && is));

function check(part, types) {
  const shape = SHAPES[part?.type];
  if (!types.includes(part?.type) || !shape) throw new Live(`${part?.type} where ${types} may stand`);
  for (const [key, value] of Object.entries(part)) {
    if (key === "type") continue;
    if (!Object.hasOwn(shape, key) || !shape[key](value)) {
      throw new Live(`${key} of ${part.type}: ${JSON.stringify(value)?.slice(0, 300)}`);
    }
  }
  return true;
}

const BLOCKS = ["rich_text", "context", "actions", "table"];

function checkMessage(message) {
  for (const key of Object.keys(message)) {
    if (!["text", "blocks", "attachments"].includes(key)) throw new Live(`a message with ${key}`);
  }
  checkText(message.text);
  each(...BLOCKS)(message.blocks);
  for (const bar of message.attachments ?? []) {
    if (!/^#[0-9a-f]{6}$/.test(bar.color)) throw new Live(`the colour ${bar.color}`);
    checkText(bar.fallback);
    each(...BLOCKS)(bar.blocks);
  }
  checkHidden(message);
}

function checkHidden(form) {
  const strings = [];
  JSON.stringify(form, (_, value) => (typeof value === "string" && strings.push(value), value));
  const hidden = strings.find((words) => HIDDEN.test(words));
  if (hidden !== undefined) throw new Live(`hidden letters in ${JSON.stringify(hidden).slice(0, 300)}`);
}

function checkView(view) {
  check(view, ["modal"]);
  checkHidden(view);
}

function selfTest() {
  const text = (words, more) => ({ type: "text", text: words, ...more });
  const rich = (...elements) => [{ type: "rich_text", elements: [{ type: "rich_text_section", elements }] }];
  const message = (words, blocks = rich(text("x"))) => ({ text: words, blocks });
  checkMessage(message("Pod shop/cart has 3 restarts"));
  const context = (type, words) => [{ type: "context", elements: [{ type, text: words }] }];
  const button = (more) => [{ type: "actions", elements: [{ type: "button", text: { type: "plain_text", text: "x", emoji: false }, ...more }] }];
  const bad = {
    "a call to all": message("<!channel> look"),
    "a call to a person": message("<@U123>"),
    "a call to a group": message("<!subteam^S123>"),
    "a link": message("<https://evil.example|prod>"),
    "a bare link": message("see https://evil.example/x"),
    "a domain": message("see evil.com"),
    "an address": message("write to eve@evil.com"),
    "a channel": message("<#C123|general>"),
    "a bare call": message("@here"),
    "a fence": message("```\nx\n```"),
    "bold words": message("it is *bold* here"),
    "a quotation": message("&gt; said ada"),
    "an emoji": message("a :fire: here"),
    "hidden letters": message("x", rich(text("a\u200bb"))),
    "turned letters": message("x", rich(text("a\u202eb"))),
    "a call in small print": message("x", context("mrkdwn", "<!here>")),
    "words beside a time": message("x", context("mrkdwn", "<!date^1^{time}|2026-11-20 03:12:04 UTC> <@U1>")),
    "a time with a link": message("x", context("mrkdwn", "<!date^1^{time}^https://evil.example|2026-11-20 03:12:04 UTC>")),
    "a call in plain text": message("x", context("plain_text", "<!channel>")),
    "a person in rich text": message("x", rich({ type: "user", user_id: "U1" })),
    "a broadcast in rich text": message("x", rich({ type: "broadcast", range: "channel" })),
    "a link in rich text": message("x", rich({ type: "link", url: "https://evil.example" })),
    "an empty element": message("x", rich(text(""))),
    "a script behind a button": message("x", button({ url: "javascript:alert(1)" })),
    "words behind a button": message("x", button({ value: "delete everything" })),
    "an image": message("x", [{ type: "image", image_url: "https://evil.example/x.png", alt_text: "x" }]),
    "a section in Slack's language": message("x", [{ type: "section", text: { type: "mrkdwn", text: "x" } }]),
  };
  for (const [name, form] of Object.entries(bad)) {
    let took = true;
    try {
      checkMessage(form);
    } catch {
      took = false;
    }
    if (took) throw new Error(`mrkdwn.mjs is blind: it took ${name}`);
  }
  return Object.keys(bad).length;
}

const folder = process.argv[2];
const refused = selfTest();
const counts = {};
for (const [file, key, look] of [["samples.jsonl", "message", checkMessage], ["hostile.jsonl", "message", checkMessage], ["views.jsonl", "view", checkView]]) {
  counts[file] = 0;
  for await (const line of createInterface({ input: createReadStream(join(folder, file)), crlfDelay: Infinity })) {
    const form = JSON.parse(line);
    try {
      look(form[key]);
    } catch (error) {
      console.error(`mrkdwn.mjs: ${form.name} (${JSON.stringify(form.injected)}): ${error.message.slice(0, 1000)}`);
      process.exit(1);
    }
    counts[file] += 1;
  }
  if (!counts[file]) throw new Error(`nothing in ${file}`);
}
console.log("slack-message-parser, linkify-it:", counts, `${refused} bad forms refused`);

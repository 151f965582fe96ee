// Writes forms as constants of the types in Slack's own packages for TypeScript; `tsc --strict` then reads them.
//
// A type says nothing of words, so that of the hostile messages one in forty is enough. The last line counts.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [folder, out] = process.argv.slice(2);
const lines = (file) => readFileSync(join(folder, file), "utf8").split("\n").filter(Boolean).map((line) => JSON.parse(line));
const few = (forms) => forms.filter((_, index) => index < 12 || index % 40 === 0);

const text = [
  'import type { KnownBlock, MessageAttachment, ModalView } from "@slack/types";',
  'import type { AppsManifestCreateArguments } from "@slack/web-api";',
];
let constants = 0;
const constant = (type, name, form) => {
  text.push(`/* ${name} */ export const form${constants}: ${type} = ${JSON.stringify(form)};`);
  constants += 1;
};
for (const { name, message } of [...lines("samples.jsonl"), ...few(lines("hostile.jsonl"))]) {
  constant("KnownBlock[]", name, message.blocks);
  if (message.attachments) constant("MessageAttachment[]", name, message.attachments);
}
for (const { name, view } of few(lines("views.jsonl"))) constant("ModalView", name, view);
constant('Exclude<AppsManifestCreateArguments["manifest"], string>', "manifest", JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8")));
writeFileSync(out, text.join("\n") + "\n");
console.log(`@slack/types: ${constants} constants`);

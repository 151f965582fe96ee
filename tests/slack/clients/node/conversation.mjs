// The platform's own clients for Node against the Slack for tests: what they expect of Slack, they must find in it.
// usage: node conversation.mjs API_URL

import assert from "node:assert/strict";
import { LogLevel, SocketModeClient } from "@slack/socket-mode";
import { WebClient, WebClientEvent } from "@slack/web-api";

const apiUrl = process.argv[2];
const control = apiUrl.replace(/\/api$/, "/control");
const INCIDENTS = "C0INCIDENTS";
let steps = 0;

async function ask(path, body) {
  const request = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
  const response = await fetch(`${control}/${path}`, request);
  const answer = await response.json();
  assert.ok(response.ok, `${path}: ${JSON.stringify(answer)}`);
  return answer;
}
const act = (user, deed, fields) => ask("act", { as: user, do: deed, ...fields });
const fault = (plan) => ask("fault", plan);
const wait = (what, fields) => ask("wait", { for: what, ...fields });

async function step(name, check) {
  try {
    await check();
  } catch (problem) {
    console.error(`FAILED  node    ${name}\n${problem.stack}`);
    process.exit(1);
  }
  steps += 1;
  console.log(`ok      node    ${name}`);
}

const section = (text) => ({ type: "section", text: { type: "mrkdwn", text } });
const plain = (text) => ({ type: "plain_text", text });
const button = (text, id) => ({ type: "button", action_id: id, value: "v1", text: plain(text) });
const modal = {
  type: "modal", callback_id: "ask", title: plain("Ask"), submit: plain("Go"),
  blocks: [{ type: "input", block_id: "name", label: plain("Name"), element: { type: "plain_text_input", action_id: "text" } }],
};

const web = new WebClient("xoxb-test-bot", { slackApiUrl: `${apiUrl}/`, logLevel: LogLevel.ERROR });
const socket = new SocketModeClient({
  appToken: "xapp-test-app", clientOptions: { slackApiUrl: `${apiUrl}/` }, logLevel: LogLevel.ERROR,
  // It is also the unit of the pauses between its attempts to connect.
  clientPingTimeout: 1000,
});
const once = (event) => new Promise((resolve, reject) => {
  const timer = setTimeout(() => reject(new Error(`no ${event} within 20 s`)), 20_000);
  socket.once(event, (arguments_) => { clearTimeout(timer); resolve(arguments_); });
});

/** Does something and waits for the event that the client makes of it. */
async function heard(event, deed) {
  const waiting = once(event);
  const [sent, got] = await Promise.all([deed(), waiting]);
  return { sent, got };
}

await step("auth.test names the bot and its scopes", async () => {
  const me = await web.auth.test();
  assert.equal(me.user_id, "U0KUBEWHY");
  assert.ok(me.response_metadata.scopes.includes("chat:write"));
});
await step("apps.connections.open, hello", async () => {
  await heard("connected", () => socket.start());
});
await step("a slash command, acknowledged with a payload that its user sees", async () => {
  const { sent, got } = await heard("slash_commands", () =>
    act("U0ANNA", "slash", { channel: INCIDENTS, command: "/why", text: "pod web" }));
  assert.equal(got.body.text, "pod web");
  assert.equal(got.accepts_response_payload, true);
  await got.ack({ text: "looking", response_type: "ephemeral" });
  const ack = await wait("ack", { envelope: sent.envelope });
  assert.ok(ack.in_time);
  await wait("ephemeral", { user: "U0ANNA", text: "looking" });
});

let root;
let answer;
await step("a mention, answered in its thread", async () => {
  const { sent, got } = await heard("app_mention", () =>
    act("U0BEN", "say", { channel: INCIDENTS, text: "<@U0KUBEWHY> why pod web" }));
  root = sent.ts;
  assert.equal(got.event.ts, root);
  assert.equal(got.retry_num, 0);
  await got.ack();
  answer = await web.chat.postMessage({
    channel: INCIDENTS, thread_ts: root, text: "CrashLoopBackOff",
    blocks: [section("*CrashLoopBackOff*"), { type: "actions", block_id: "do", elements: [button("Again", "again")] }],
    metadata: { event_type: "why", event_payload: { pod: "web" } },
  });
  assert.equal(answer.message.thread_ts, root);
  const thread = await web.conversations.replies({ channel: INCIDENTS, ts: root, include_all_metadata: true });
  assert.equal(thread.messages.length, 2);
  assert.equal(thread.messages[1].metadata.event_payload.pod, "web");
});
await step("an event without an acknowledgement comes again", async () => {
  const { got: first } = await heard("app_mention", () =>
    act("U0BEN", "say", { channel: INCIDENTS, thread: root, text: "<@U0KUBEWHY> again" }));
  const { got: second } = await heard("app_mention", () => ask("advance", { ms: 3100 }));
  assert.equal(second.body.event_id, first.body.event_id);
  assert.deepEqual([second.retry_num, second.retry_reason], [1, "timeout"]);
  await second.ack();
});
await step("chat.update", async () => {
  const updated = await web.chat.update({
    channel: INCIDENTS, ts: answer.ts, text: "OOMKilled",
    blocks: [section("*OOMKilled*"), { type: "actions", block_id: "do", elements: [button("Again", "again")] }],
  });
  assert.equal(updated.message.text, "OOMKilled");
});
await step("chat.postEphemeral is seen by one", async () => {
  await web.chat.postEphemeral({ channel: INCIDENTS, user: "U0CARA", text: "just for you" });
  await wait("ephemeral", { user: "U0CARA", text: "just for you" });
});
await step("a button, a modal with errors and without, a response_url", async () => {
  const { got } = await heard("interactive", () =>
    act("U0ANNA", "press", { channel: INCIDENTS, ts: answer.ts, button: "Again" }));
  assert.equal(got.body.actions[0].value, "v1");
  assert.equal(got.body.container.thread_ts, root);
  await got.ack();
  await web.views.open({ trigger_id: got.body.trigger_id, view: modal });
  await assert.rejects(web.views.open({ trigger_id: got.body.trigger_id, view: modal }), /exchanged_trigger_id/);
  for (const [given, payload] of [["nobody", { response_action: "errors", errors: { name: "no such pod" } }], ["web", undefined]]) {
    const { sent, got } = await heard("interactive", () => act("U0ANNA", "submit", { fields: { Name: given } }));
    assert.equal(got.body.view.state.values.name.text.value, given);
    await got.ack(payload);
    await wait("ack", { envelope: sent.envelope });
    const [open] = await ask("views?user=U0ANNA");
    assert.deepEqual(open?.errors, payload?.errors);
  }
  const response = await fetch(got.body.response_url, {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ text: "by response_url" }),
  });
  assert.equal(await response.text(), "ok");
  await wait("ephemeral", { user: "U0ANNA", text: "by response_url" });
});
await step("a message shortcut", async () => {
  const { got } = await heard("interactive", () =>
    act("U0BEN", "message_shortcut", { channel: INCIDENTS, ts: root, shortcut: "Why?" }));
  assert.deepEqual([got.body.type, got.body.message.ts], ["message_action", root]);
  await got.ack();
});
await step("filesUploadV2 into the thread", async () => {
  const { files } = await web.filesUploadV2({
    channel_id: INCIDENTS, thread_ts: root, filename: "web.log", content: "line one\nline two\n", initial_comment: "the log",
  });
  const id = files[0].files[0].id;
  const bytes = await (await fetch(`${control}/files/${id}`)).text();
  assert.equal(bytes, "line one\nline two\n");
  const thread = await ask(`thread?channel=${INCIDENTS}&ts=${root}`);
  assert.deepEqual(thread.at(-1).files, [id]);
});
await step("a 429 is waited for and the call made again", async () => {
  await fault({ on: "call", method: "chat.postMessage", fault: "rate_limited", retry_after: 1 });
  const limited = new Promise((resolve) => web.once(WebClientEvent.RATE_LIMITED, resolve));
  const began = Date.now();
  await web.chat.postMessage({ channel: "C0WAR", text: "after a limit" });
  assert.equal(await limited, 1);
  assert.ok(Date.now() - began >= 1000);
  assert.equal((await ask("messages?channel=C0WAR")).length, 1);
});
await step("a 503 and a reset connection are tried again", async () => {
  const patient = new WebClient("xoxb-test-bot", {
    slackApiUrl: `${apiUrl}/`, logLevel: LogLevel.ERROR, retryConfig: { retries: 3, minTimeout: 10, maxTimeout: 20 },
  });
  await fault({ on: "call", method: "auth.test", fault: "status", status: 503 });
  await fault({ on: "call", method: "auth.test", fault: "reset" });
  assert.equal((await patient.auth.test()).ok, true);
});
await step("refused blocks say where they are wrong", async () => {
  const refused = web.chat.postMessage({ channel: INCIDENTS, text: "x", blocks: [section("x".repeat(3001))] });
  await assert.rejects(refused, (problem) => {
    assert.equal(problem.data.error, "invalid_blocks");
    assert.deepEqual(problem.data.response_metadata.messages,
      ["[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]"]);
    return true;
  });
});
await step("pages of users.list", async () => {
  const names = [];
  for await (const page of web.paginate("users.list", { limit: 3 })) {
    names.push(...page.members.map((member) => member.name));
  }
  assert.equal(names.length, 8);
});
for (const [name, plan] of [
  ["a disconnect envelope", { on: "sockets", act: "disconnect", reason: "refresh_requested" }],
  ["a socket closed in good order", { on: "sockets", act: "close" }],
  ["a socket that breaks off", { on: "sockets", act: "drop" }],
]) {
  await step(`${name} is followed by a new socket`, async () => {
    await heard("connected", () => fault(plan));
    const { sent, got } = await heard("slash_commands", () =>
      act("U0ANNA", "slash", { channel: INCIDENTS, command: "/why", text: name }));
    assert.equal(got.body.text, name);
    await got.ack();
    await wait("ack", { envelope: sent.envelope });
  });
}
await step("too_many_websockets and a failing apps.connections.open are outlived", async () => {
  await fault({ on: "sockets", act: "refuse", count: 1 });
  await fault({ on: "call", method: "apps.connections.open", fault: "error", error: "internal_error" });
  await heard("connected", () => fault({ on: "sockets", act: "close" }));
});
await step("a revoked token is told", async () => {
  await fault({ on: "token", token: "xoxb-test-bot" });
  await assert.rejects(web.auth.test(), (problem) => problem.data.error === "token_revoked");
  await fault({ on: "token", token: "xoxb-test-bot", restore: true });
});
await step("every acknowledgement was understood", async () => {
  const acks = await ask("acks");
  assert.ok(acks.length === 10 && acks.every((ack) => ack.kind !== null), JSON.stringify(acks));
  assert.deepEqual((await ask("warnings")), []);
});

await socket.disconnect();
console.log(`${steps} steps with @slack/web-api and @slack/socket-mode`);
process.exit(0);

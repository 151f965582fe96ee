"""The platform's own client for Python against the Slack for tests: what it expects of Slack, it must find in it.

usage: conversation.py API_URL
"""

import json
import queue
import sys
import time
import urllib.error
import urllib.request

from slack_sdk import WebClient, WebhookClient
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_handlers import (
    ConnectionErrorRetryHandler,
    RateLimitErrorRetryHandler,
    ServerErrorRetryHandler,
)
from slack_sdk.socket_mode import SocketModeClient
from slack_sdk.socket_mode.response import SocketModeResponse

API_URL = sys.argv[1]
CONTROL = API_URL.removesuffix("/api") + "/control"
INCIDENTS = "C0INCIDENTS"
steps = 0


def ask(path, body=None):
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(f"{CONTROL}/{path}", data=data, timeout=30) as response:
            return json.load(response)
    except urllib.error.HTTPError as problem:
        raise AssertionError(f"{path}: {problem.read().decode()}") from problem


def act(user, deed, **fields):
    return ask("act", {"as": user, "do": deed, **fields})


def fault(**plan):
    return ask("fault", plan)


def wait(what, **fields):
    return ask("wait", {"for": what, **fields})


def step(name):
    def run(check):
        global steps
        check()
        steps += 1
        print(f"ok      python  {name}", flush=True)

    return run


def equal(one, other):
    assert one == other, f"{one!r} is not {other!r}"


def refusal(call):
    try:
        call()
    except SlackApiError as problem:
        return problem.response
    raise AssertionError("it was not refused")


def plain(text):
    return {"type": "plain_text", "text": text}


def section(text):
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


MENU = {
    "type": "static_select",
    "action_id": "which",
    "placeholder": plain("Choose"),
    "options": [{"text": plain("shop/web"), "value": "1"}, {"text": plain("shop/db"), "value": "2"}],
}
MODAL = {
    "type": "modal",
    "callback_id": "ask",
    "title": plain("Ask"),
    "submit": plain("Go"),
    "blocks": [
        {
            "type": "input",
            "block_id": "name",
            "label": plain("Name"),
            "element": {"type": "plain_text_input", "action_id": "text"},
        }
    ],
}

web = WebClient("xoxb-test-bot", base_url=f"{API_URL}/")
web.retry_handlers.append(RateLimitErrorRetryHandler(max_retry_count=2))
web.retry_handlers.append(ServerErrorRetryHandler(max_retry_count=2))
requests = queue.Queue()
socket = SocketModeClient(app_token="xapp-test-app", web_client=WebClient(base_url=f"{API_URL}/"), ping_interval=1)
socket.socket_mode_request_listeners.append(lambda _client, request: requests.put(request))


def heard(kind):
    request = requests.get(timeout=15)
    equal(request.type, kind)
    return request


def ack(request, payload=None):
    socket.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id, payload=payload))


@step("auth.test names the bot")
def _():
    equal(web.auth_test()["bot_id"], "B0KUBEWHY")


@step("apps.connections.open, hello")
def _():
    socket.connect()
    wait("connections")


@step("a slash command, acknowledged with a payload that its user sees")
def _():
    sent = act("U0ANNA", "slash", channel=INCIDENTS, command="/kubewhy", text="why web")
    request = heard("slash_commands")
    equal((request.payload["text"], request.accepts_response_payload), ("why web", True))
    ack(request, {"text": "looking", "blocks": [section("*looking*")]})
    assert wait("ack", envelope=sent["envelope"])["in_time"]
    wait("ephemeral", user="U0ANNA", text="*looking*")


@step("a mention, answered in its thread")
def _():
    global root, answer
    root = act("U0BEN", "say", channel=INCIDENTS, text="<@U0KUBEWHY> which pod")["ts"]
    request = heard("events_api")
    equal((request.payload["event"]["type"], request.payload["event"]["ts"]), ("app_mention", root))
    equal(request.retry_attempt, 0)
    ack(request)
    elements = [MENU, {"type": "button", "action_id": "form", "value": "v", "text": plain("Form")}]
    answer = web.chat_postMessage(
        channel=INCIDENTS,
        thread_ts=root,
        text="two pods",
        blocks=[section("Which?"), {"type": "actions", "block_id": "pick", "elements": elements}],
    )
    replies = web.conversations_replies(channel=INCIDENTS, ts=root)["messages"]
    equal([message["text"] for message in replies], ["<@U0KUBEWHY> which pod", "two pods"])


@step("an event without an acknowledgement comes again")
def _():
    act("U0BEN", "say", channel=INCIDENTS, thread=root, text="<@U0KUBEWHY> again")
    first = heard("events_api")
    ask("advance", {"ms": 3100})
    second = heard("events_api")
    equal(second.payload["event_id"], first.payload["event_id"])
    equal((second.retry_attempt, second.retry_reason), (1, "timeout"))
    ack(second)


@step("a menu, and chat.update")
def _():
    act("U0ANNA", "choose", channel=INCIDENTS, ts=answer["ts"], menu="which", option="shop/db")
    request = heard("interactive")
    equal(request.payload["actions"][0]["selected_option"]["value"], "2")
    ack(request)
    updated = web.chat_update(channel=INCIDENTS, ts=answer["ts"], text="shop/db", blocks=answer["message"]["blocks"])
    equal(updated["message"]["edited"]["user"], "U0KUBEWHY")


@step("a button, a modal with errors and without")
def _():
    act("U0ANNA", "press", channel=INCIDENTS, ts=answer["ts"], button="Form")
    request = heard("interactive")
    ack(request)
    web.views_open(trigger_id=request.payload["trigger_id"], view=MODAL)
    late = refusal(lambda: web.views_open(trigger_id=request.payload["trigger_id"], view=MODAL))
    equal(late["error"], "exchanged_trigger_id")
    for given, payload in [("x", {"response_action": "errors", "errors": {"name": "no such pod"}}), ("web", None)]:
        sent = act("U0ANNA", "submit", fields={"Name": given})
        request = heard("interactive")
        equal(request.payload["view"]["state"]["values"]["name"]["text"]["value"], given)
        ack(request, payload)
        wait("ack", envelope=sent["envelope"])
    equal(ask("views?user=U0ANNA"), [])


@step("an ephemeral message, replaced and deleted over its response_url")
def _():
    elements = [{"type": "button", "action_id": "more", "text": plain("More")}]
    blocks = [{"type": "actions", "elements": elements}]
    shown = web.chat_postEphemeral(channel=INCIDENTS, user="U0CARA", text="just for you", blocks=blocks)
    act("U0CARA", "press", channel=INCIDENTS, ts=shown["message_ts"], button="More")
    request = heard("interactive")
    ack(request)
    assert "message" not in request.payload and request.payload["container"]["is_ephemeral"]
    webhook = WebhookClient(request.payload["response_url"])
    equal(webhook.send(text="more for you", replace_original=True).body, "ok")
    equal([seen["text"] for seen in ask("ephemerals?user=U0CARA")], ["more for you"])
    webhook.send(text="gone", delete_original=True)
    equal(ask("ephemerals?user=U0CARA"), [])


@step("files_upload_v2 into the thread")
def _():
    shared = web.files_upload_v2(
        channel=INCIDENTS, thread_ts=root, filename="web.log", content="line one\n", initial_comment="the log"
    )
    with urllib.request.urlopen(f"{CONTROL}/files/{shared['file']['id']}") as response:
        equal(response.read(), b"line one\n")


@step("a 429 is waited for and the call made again")
def _():
    fault(on="call", method="chat.postMessage", fault="rate_limited", retry_after=1)
    began = time.monotonic()
    web.chat_postMessage(channel="C0WAR", text="after a limit")
    assert time.monotonic() - began >= 1
    equal(len(ask("messages?channel=C0WAR")), 1)


@step("the real limit of a channel is met and waited for")
def _():
    for number in range(8):
        web.chat_postMessage(channel="C0SHARED", text=f"message {number}")
    calls = [call["status"] for call in ask("calls?method=chat.postMessage") if call["arguments"]["channel"] == "C0SHARED"]
    assert 429 in calls and calls.count(200) == 8, calls


@step("a 503 and a reset connection are tried again")
def _():
    fault(on="call", method="auth.test", fault="status", status=503)
    fault(on="call", method="auth.test", fault="reset")
    web.retry_handlers.append(ConnectionErrorRetryHandler(max_retry_count=2))
    assert web.auth_test()["ok"]


@step("refused blocks and missing scopes say what is wrong")
def _():
    refused = refusal(lambda: web.chat_postMessage(channel=INCIDENTS, text="x", blocks=[{"type": "poem"}]))
    equal(refused["response_metadata"]["messages"], ["[ERROR] unsupported type: poem [json-pointer:/blocks/0]"])
    equal(refusal(lambda: web.chat_postMessage(channel="C0GENERAL", text="x"))["error"], "not_in_channel")
    equal(refusal(lambda: web.users_info(user="U0NOBODY"))["error"], "user_not_found")


@step("pages of conversations.list")
def _():
    names = []
    for page in web.conversations_list(types="public_channel,private_channel", limit=2):
        names += [channel["name"] for channel in page["channels"]]
    equal(names, ["incidents", "general", "war-room", "old", "shared"])


def reconnects(plan):
    opened = ask("connections")["opened"]
    plan()
    wait("connections_opened", count=opened + 1, timeout_ms=30_000)
    wait("connections")
    sent = act("U0ANNA", "slash", channel=INCIDENTS, command="/why", text="still there")
    request = heard("slash_commands")
    equal(request.payload["text"], "still there")
    ack(request)
    wait("ack", envelope=sent["envelope"])


@step("a disconnect envelope is followed by a new socket")
def _():
    reconnects(lambda: fault(on="sockets", act="disconnect", reason="refresh_requested"))


@step("a socket closed in good order is followed by a new socket")
def _():
    reconnects(lambda: fault(on="sockets", act="close"))


@step("a socket that breaks off is followed by a new socket")
def _():
    reconnects(lambda: fault(on="sockets", act="drop"))


@step("a revoked token is told")
def _():
    fault(on="token", token="xoxb-test-bot")
    equal(refusal(web.auth_test)["error"], "token_revoked")
    fault(on="token", token="xoxb-test-bot", restore=True)


@step("every acknowledgement was understood")
def _():
    acks = ask("acks")
    assert len(acks) >= 9 and all(one["kind"] for one in acks), acks
    equal(ask("warnings"), [])


socket.close()
print(f"{steps} steps with slack_sdk")

"""Reads forms with the models of Slack's own SDK for Python.

Each block must be of a type that the SDK knows, within its limits, and come out of its model as it went in.
"""

import json
import logging
import sys
from pathlib import Path

from slack_sdk.models.attachments import BlockAttachment
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

MOST_BLOCKS = 50
MOST_BYTES = 13_200
MOST_TEXT = 4_000


class Refused(Exception):
    pass


class Strict(logging.Handler):
    """The models only log what they do not know."""

    def emit(self, record):
        raise Refused(record.getMessage())


def check_blocks(blocks, most=MOST_BLOCKS):
    if not 0 < len(blocks) <= most:
        raise Refused(f"{len(blocks)} blocks")
    for block in blocks:
        model = Block.parse(block)
        if model is None:
            raise Refused(f"unknown type {block.get('type')}")
        same(model.to_dict(), block)
        if block["type"] == "actions":
            for element in block["elements"]:
                check_label(element)
    ids = [value for value in find(blocks, "action_id")]
    if len(ids) != len(set(ids)):
        raise Refused(f"an action_id stands twice: {ids}")


def check_label(element):
    # The SDK reads the elements of a block, but looks into their words only when they are written out.
    if element["type"] == "button" and not 0 < len(element["text"]["text"]) <= 75:
        raise Refused("the words on a button")


def find(value, key):
    if isinstance(value, list):
        for part in value:
            yield from find(part, key)
    elif isinstance(value, dict):
        if key in value:
            yield value[key]
        for part in value.values():
            yield from find(part, key)


def same(model, form):
    if model != form:
        raise Refused(f"the model reads {json.dumps(model)[:400]} for {json.dumps(form)[:400]}")


def check_message(message):
    if not 0 < len(message["text"]) <= MOST_TEXT:
        raise Refused(f"a text of {len(message['text'])}")
    check_blocks(message["blocks"])
    for attachment in message.get("attachments", []):
        check_blocks(attachment["blocks"])
        model = BlockAttachment(
            blocks=[Block.parse(block) for block in attachment["blocks"]],
            color=attachment["color"],
            fallback=attachment["fallback"],
        )
        same(model.to_dict()["blocks"], attachment["blocks"])
    size = len(json.dumps([message["blocks"], message.get("attachments", [])]))
    if size > MOST_BYTES:
        raise Refused(f"blocks of {size} bytes")
    tables = [kind for kind in find(message, "type") if kind == "table"]
    if len(tables) > 1:
        raise Refused(f"{len(tables)} tables")


def check_view(view):
    model = View(**view)
    model.validate_json()
    same(model.to_dict(), view)
    check_blocks(view["blocks"], 100)


def lines(path):
    with open(path, encoding="utf-8", newline="\n") as file:
        for line in file:
            yield json.loads(line)


def self_test():
    plain = {"type": "plain_text", "text": "x"}
    text = {"type": "rich_text_section", "elements": [{"type": "text", "text": "x"}]}
    good = {"type": "rich_text", "elements": [text]}

    def button(**more):
        return {"type": "actions", "elements": [{"type": "button", "action_id": "a", "text": plain, **more}]}

    bad_messages = {
        "a long section": [{"type": "section", "text": {"type": "plain_text", "text": "x" * 3001}}],
        "an unknown type": [{"type": "riddle"}],
        "an unknown key": [{**good, "colour": "red"}],
        "a long label": [button(text={"type": "plain_text", "text": "x" * 76})],
        "a long value": [button(value="x" * 2001)],
        "a style that is none": [button(style="loud")],
        "too many elements": [{"type": "context", "elements": [plain] * 11}],
        "too many blocks": [good] * 51,
        "too many bytes": [{"type": "rich_text", "elements": [text] * 200}],
        "the same action twice": [button(), button()],
        "two tables": [{"type": "table", "rows": [[{"type": "raw_text", "text": "x"}]]}] * 2,
    }
    for name, blocks in bad_messages.items():
        must_fail(name, lambda blocks=blocks: check_message({"text": "x", "blocks": blocks}))
    must_fail("no text", lambda: check_message({"text": "", "blocks": [good]}))
    view = {"type": "modal", "title": plain, "blocks": [good]}
    check_view(view)
    must_fail("a long title", lambda: check_view({**view, "title": {"type": "plain_text", "text": "x" * 25}}))
    must_fail("an empty view", lambda: check_view({**view, "blocks": []}))
    return len(bad_messages) + 3


def must_fail(name, check):
    try:
        check()
    except Exception:
        return
    raise SystemExit(f"blocks.py is blind: it took {name}")


def main(folder):
    logger = logging.getLogger("slack_sdk")
    logger.addHandler(Strict())
    refused = self_test()
    counts = {}
    for name, key, check in [
        ("samples.jsonl", "message", check_message),
        ("hostile.jsonl", "message", check_message),
        ("views.jsonl", "view", check_view),
    ]:
        counts[name] = 0
        for line in lines(folder / name):
            try:
                check(line[key])
            except Exception as error:
                raise SystemExit(f"blocks.py: {line['name']} ({line['injected']!r}): {error!r}"[:1500])
            counts[name] += 1
        if not counts[name]:
            raise SystemExit(f"blocks.py: nothing in {name}")
    print(f"slack_sdk: {counts}; {refused} bad forms refused")


main(Path(sys.argv[1]))

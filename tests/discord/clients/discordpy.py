"""Drives the Discord for tests with discord.py: whatever that client needs from Discord, the server must have."""

import asyncio
import io
import json
import sys
import urllib.request

import discord
import yarl
from discord import app_commands

API, TOKEN = sys.argv[1], sys.argv[2]
CONTROL = API.removesuffix("/api") + "/control/"
GUILD, OPS, ALICE, BOB = 1100000000000000100, 1100000000000000201, 1100000000000000301, 1100000000000000302
SECRET = 1100000000000000203
WAIT_S = 10

discord.utils.setup_logging(level=40)
discord.http.Route.BASE = API + "/v10"
# discord.py does not ask where the gateway is.
discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(API.removesuffix("/api").replace("http", "ws", 1))
steps = 0


def ask_now(command, body):
    request = urllib.request.Request(CONTROL + command, json.dumps(body).encode(), method="POST")
    try:
        with urllib.request.urlopen(request, timeout=5) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        raise AssertionError(f"{command}: {error.read().decode()}") from None


async def ask(command, body):
    return await asyncio.to_thread(ask_now, command, body)


async def act(**body):
    return int((await ask("act", body))["id"])


async def read(what, **body):
    return await ask("read", {"what": what, **body})


async def step(name, run):
    global steps
    try:
        async with asyncio.timeout(WAIT_S):
            await run()
    except BaseException:
        print(f"discord.py FAILED at: {name}", file=sys.stderr)
        raise
    steps += 1
    print(f"discord.py ok: {name}", flush=True)


async def refused(awaitable, code):
    try:
        await awaitable
    except discord.HTTPException as error:
        assert error.code == code, f"expected code {code}, got {error.code}: {error}"
        return error
    raise AssertionError(f"expected code {code}, got an answer")


class Form(discord.ui.Modal, title="Which limit?"):
    limit = discord.ui.TextInput(label="Limit", max_length=10)

    async def on_submit(self, interaction):
        await interaction.response.send_message(f"now {self.limit.value}", ephemeral=True)
        done.put_nowait(("form", self.limit.value))


class Buttons(discord.ui.View):
    @discord.ui.button(label="Raise", style=discord.ButtonStyle.danger, custom_id="raise")
    async def raise_limit(self, interaction, _button):
        await interaction.response.edit_message(content="raised")
        done.put_nowait(("raise", interaction.user.id))

    @discord.ui.button(label="Ask", custom_id="ask")
    async def ask_limit(self, interaction, _button):
        await interaction.response.send_modal(Form())
        done.put_nowait(("ask", interaction.message.id))

    @discord.ui.select(custom_id="pick", options=[discord.SelectOption(label="First", value="1"),
                                                  discord.SelectOption(label="Second", value="2")])
    async def pick(self, interaction, select):
        await interaction.response.defer()
        await interaction.edit_original_response(content=f"picked {select.values[0]}")
        done.put_nowait(("pick", select.values[0]))


intents = discord.Intents.none()
intents.guilds = intents.guild_messages = intents.dm_messages = intents.guild_reactions = True
client = discord.Client(intents=intents, allowed_mentions=discord.AllowedMentions.none())
tree = app_commands.CommandTree(client)
done = None
here = discord.Object(GUILD)


@tree.command(name="why", description="Explain", guild=here)
@app_commands.describe(name="what to explain")
async def why(interaction, name: str):
    await interaction.response.defer()
    await interaction.edit_original_response(content=f"{name} is out of memory", view=Buttons(timeout=None),
                                             embed=discord.Embed(title=name).add_field(name="Limit", value="64Mi"))
    await interaction.followup.send("only you", ephemeral=True)
    done.put_nowait(("why", (await interaction.original_response()).id))


@why.autocomplete("name")
async def complete(_interaction, typed):
    return [app_commands.Choice(name=f"{typed}b (default)", value=f"{typed}b")]


@tree.context_menu(name="Why?", guild=here)
async def why_message(interaction, message: discord.Message):
    await interaction.response.send_message(f"seen: {message.content}")
    done.put_nowait(("menu", message.content))


@client.event
async def on_message(message):
    if message.author.id != client.user.id:
        done.put_nowait(("message", message))


@client.event
async def on_resumed():
    done.put_nowait(("resumed", None))


@client.event
async def on_error(event, *_arguments):
    done.put_nowait(("error", f"{event}: {sys.exc_info()[1]!r}"))


async def next_of(kind):
    while True:
        got, value = await done.get()
        if got == "error":
            raise AssertionError(value)
        if got == kind:
            return value


async def all_steps():
    answer = None
    thread = None

    async def ready():
        await client.wait_until_ready()
        assert client.get_guild(GUILD).name == "Example"
        assert client.get_channel(OPS).name == "ops"
        # READY has no guild in it: it came as an event of its own, through one compressed stream.
        assert client.ws._decompressor is not None

    async def register():
        commands = await tree.sync(guild=here)
        assert sorted(command.name for command in commands) == ["Why?", "why"]
        assert (await read("commands", guild=str(GUILD)))["writes"] == 1

    async def autocomplete():
        interaction = await act(do="complete", by=ALICE, channel=OPS, line="why", focused="name", typed="we")
        while not (seen := await read("interaction", id=interaction))["choices"]:
            await asyncio.sleep(0.02)
        assert seen["choices"] == [["web (default)", "web"]], seen["choices"]

    async def slash():
        nonlocal answer
        interaction = await act(do="slash", by=ALICE, channel=OPS, line="why", options={"name": "web"})
        answer = await next_of("why")
        seen = await read("interaction", id=interaction)
        assert seen["answer"] == 5 and seen["original"]["content"] == "web is out of memory", seen
        assert [button["label"] for button in seen["original"]["buttons"]] == ["Raise", "Ask"]
        assert [it["content"] for it in await read("ephemerals", user=ALICE)] == ["only you"]

    async def button():
        await act(do="press", by=BOB, message=answer, button="Raise")
        assert await next_of("raise") == BOB
        assert (await read("message", id=answer))["content"] == "raised"

    async def select():
        await act(do="choose", by=BOB, message=answer, select="pick", values=["Second"])
        assert await next_of("pick") == "2"
        assert (await read("message", id=answer))["content"] == "picked 2"

    async def modal():
        await act(do="press", by=BOB, message=answer, button="ask")
        assert await next_of("ask") == answer
        await act(do="submit", by=BOB, values={"Limit": "128Mi"})
        assert await next_of("form") == "128Mi"
        assert [it["content"] for it in await read("ephemerals", user=BOB)] == ["now 128Mi"]

    async def menu():
        message = await act(do="say", by=ALICE, channel=OPS, content="pod default/web is down")
        await act(do="message-command", by=ALICE, message=message, name="Why?")
        assert await next_of("menu") == "pod default/web is down"

    async def threads():
        nonlocal thread
        message = await client.get_channel(OPS).fetch_message(answer)
        thread = await message.create_thread(name="web is out of memory", auto_archive_duration=1440)
        assert thread.id == answer
        posted = await thread.send("details", file=discord.File(io.BytesIO(b"oom"), "log.txt"))
        assert await posted.attachments[0].read() == b"oom"
        assert (await read("messages", channel=thread.id))[0]["files"][0]["name"] == "log.txt"
        await refused(message.create_thread(name="again"), 160004)
        await thread.edit(archived=True)
        await refused(posted.edit(content="too late"), 50083)
        await thread.send("awake again")
        assert (await client.fetch_channel(thread.id)).archived is False

    async def talk():
        while not done.empty():
            done.get_nowait()
        await act(do="say", by=ALICE, channel=thread.id, content="between us")
        assert (await next_of("message")).content == ""
        await act(do="say", by=ALICE, channel=thread.id, content=f"<@{client.user.id}> and now?")
        message = await next_of("message")
        assert message.content.endswith("and now?") and client.user in message.mentions
        await message.reply("better")
        await message.add_reaction("👀")
        assert (await read("message", id=message.id))["reactions"] == {"👀": 1}

    async def direct():
        channel = await act(do="direct", by=BOB)
        await act(do="say", by=BOB, channel=channel, content="psst")
        message = await next_of("message")
        assert message.content == "psst" and isinstance(message.channel, discord.DMChannel)
        await message.channel.send("yes?")
        assert [it.content async for it in message.channel.history()] == ["yes?", "psst"]

    async def refusals():
        await refused(client.http.get_message(SECRET, 1), 50001)
        await refused(client.get_channel(1100000000000000204).send("no"), 50013)
        error = await refused(client.get_channel(OPS).send("x" * 2001), 50035)
        assert "Must be 2000 or fewer in length." in error.text, error.text
        await refused(client.fetch_channel(42), 10003)

    async def limited():
        await ask("fault", {"method": "POST", "route": "/channels/{id}/messages",
                            "what": {"rate-limited": {"retry_after_s": 0.3}}})
        before = asyncio.get_running_loop().time()
        await thread.send("after the limit")
        assert asyncio.get_running_loop().time() - before >= 0.29
        await ask("fault", {"method": "POST", "route": "/channels/{id}/messages", "what": {"status": {"status": 502}}})
        await thread.send("after the outage")

    async def paced():
        for count in range(6):
            await client.get_channel(OPS).send(f"post {count}")
        calls = [it for it in await read("calls") if it["path"] == f"/channels/{OPS}/messages"]
        assert all(call["status"] in (200, 400) for call in calls), "the client waited instead of running into 429"

    def resume(fault):
        async def run():
            while not done.empty():
                done.get_nowait()
            await ask("gateway", fault)
            await act(do="say", by=ALICE, channel=OPS, content=f"<@{client.user.id}> missed")
            assert "missed" in (await next_of("message")).content
            history = (await read("gateway"))["history"]
            assert history[-1]["what"] in ("resumed", "heartbeat"), history[-3:]
        return run

    await step("READY with the guild, over zlib-stream", ready)
    await step("commands registered for the guild", register)
    await step("autocomplete", autocomplete)
    await step("slash command, deferred, edited, followed up", slash)
    await step("button updates its message", button)
    await step("select, deferred update", select)
    await step("modal", modal)
    await step("message command reads the message", menu)
    await step("thread at a message, file, archive", threads)
    await step("a mention in the thread reaches the bot, other talk comes without content", talk)
    await step("direct message and its history", direct)
    await step("refusals: access, permissions, limits", refusals)
    await step("429 and 502 are tried again", limited)
    await step("the bucket empties and the client waits by the headers", paced)
    await step("resume after reconnect, with what was missed", resume("reconnect"))
    await step("resume after reset, with what was missed", resume("reset"))


async def main():
    global done
    done = asyncio.Queue()
    async with client:
        running = asyncio.create_task(client.start(TOKEN))
        walking = asyncio.create_task(all_steps())
        ended, _ = await asyncio.wait({running, walking}, return_when=asyncio.FIRST_COMPLETED)
        for task in ended:
            task.result()
        assert walking in ended, "the client stopped"
        running.cancel()
    print(f"discord.py {discord.__version__}: {steps} steps ok")


asyncio.run(main())

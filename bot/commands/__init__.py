"""The command line. Each command loads only what it needs, so that all start fast."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

from bot.commands import evaluating
from bot.errors import QuartermasterError

Subcommands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def main(arguments: Sequence[str]) -> int:
    """Run one command; return the exit status. Expected errors are one line that says what to do."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    try:
        match chosen.command:
            case "run":
                from bot.commands.run import run

                run()
            case "serve":
                from bot.commands.run import serve

                serve()
            case "chat":
                from bot.commands.chat import chat

                return chat(chosen.email, chosen.name, chosen.url, chosen.key)
            case "audit":
                return _audit(chosen)
            case "doctor":
                from bot.commands.doctor import doctor

                return doctor(as_json=chosen.json)
            case "lex":
                if chosen.what == "export":
                    from bot.commands.understanding import export

                    return export()
                if chosen.what == "misses":
                    from bot.commands.misses import show_misses

                    return show_misses(as_json=chosen.json)
                if chosen.what == "evaluate":
                    return evaluating.run(chosen)
                from bot.commands import lex

                return lex.run(chosen)
            case "policy":
                from bot.commands import policies

                return policies.run(chosen)
            case "chaos":
                from bot.commands import experiments

                return experiments.stop_one(chosen.id) if chosen.id else experiments.stop_all(chosen.reason)
            case "slack":
                from bot.commands.slack_manifest import show

                return show(chosen.url or os.environ.get("PUBLIC_URL", ""), socket=chosen.socket, oauth=chosen.oauth)
            case "teams":
                from bot.commands.teams_package import write

                app_id = chosen.app_id or os.environ.get("TEAMS_APP_ID", "")
                return write(chosen.out, app_id, chosen.url or os.environ.get("PUBLIC_URL", ""))
            case _:
                from bot.commands.record import migrate_database

                return migrate_database(chosen.revision)
    except QuartermasterError as error:
        print(f"quartermaster: {error.sentence()}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bot", description="Quartermaster: ChatOps for platform teams on AWS."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    commands.add_parser("run", help="the whole product on this machine: sandboxed AWS, mail catcher and bot")
    commands.add_parser("serve", help="the bot alone, as in production")
    talk = commands.add_parser("chat", help="talk to the bot in the terminal")
    talk.add_argument("--email", default="", help="who you are (default: the development user)")
    talk.add_argument("--name", default="", help="how the bot calls you")
    talk.add_argument("--url", default="", help="address of the bot (default: PUBLIC_URL)")
    talk.add_argument(
        "--key",
        default="",
        help="one of the bot's API_KEYS (default: QUARTERMASTER_API_KEY, which "
        "other people of this machine can't see in the list of processes)",
    )
    audit = commands.add_parser("audit", help="the record of who did what")
    deeds = audit.add_subparsers(dest="what", required=True, metavar="what")
    _add_audit(deeds)
    examination = commands.add_parser("doctor", help="look at the whole installation and say what mends it")
    examination.add_argument("--json", action="store_true", help="print the findings as JSON")
    _add_policy(commands.add_parser("policy", help="the Cedar policies: who may ask, approve and see"))
    _add_lex(commands.add_parser("lex", help="what people can say, and the Lex V2 bot that understands it"))
    chaos = commands.add_parser("chaos", help="experiments, while nothing else answers")
    deeds = chaos.add_subparsers(dest="what", required=True, metavar="what")
    lever = deeds.add_parser(
        "stop", help="stop one experiment, or all by the safety lever; needs no database and no bot"
    )
    lever.add_argument("id", nargs="?", default="", help="its request (qm-…) or FIS's id (EXP…); without it all stop")
    lever.add_argument("--reason", default="", help="why, as FIS keeps it")
    slack = commands.add_parser("slack", help="the Slack app")
    deeds = slack.add_subparsers(dest="what", required=True, metavar="what")
    app = deeds.add_parser("manifest", help="print the app's manifest, to be pasted at https://api.slack.com/apps")
    app.add_argument("--url", default="", help="the bot's public https address (default: PUBLIC_URL)")
    app.add_argument("--socket", action="store_true", help="Socket Mode: no public address is needed")
    app.add_argument("--oauth", action="store_true", help="installed into several workspaces, with rotating tokens")
    teams = commands.add_parser("teams", help="the Microsoft Teams app")
    deeds = teams.add_subparsers(dest="what", required=True, metavar="what")
    package = deeds.add_parser("package", help="write the app's package, to be uploaded in the Teams admin center")
    package.add_argument("--app-id", default="", help="the application id (default: TEAMS_APP_ID)")
    package.add_argument("--url", default="", help="the bot's public https address (default: PUBLIC_URL)")
    package.add_argument("--out", type=Path, default=Path("var/quartermaster-teams.zip"), help="where to write it")
    migrate = commands.add_parser("migrate", help="bring the database to this version's schema")
    migrate.add_argument("revision", nargs="?", default="head")
    return parser


def _audit(chosen: argparse.Namespace) -> int:
    from bot.commands import keeping, record

    match chosen.what:
        case "erase":
            return keeping.erase(chosen.seq, chosen.person, chosen.reason)
        case "hold":
            return keeping.hold(chosen.request, chosen.person, chosen.reason)
        case "release":
            return keeping.release(chosen.hold, chosen.reason)
        case "holds":
            return keeping.show_holds()
        case "key":
            return keeping.make_key()
        case "export":
            return record.export()
        case _:
            return record.verify(log=chosen.log, is_alone=chosen.alone)


def _add_audit(deeds: Subcommands) -> None:
    verify = deeds.add_parser("verify", help="check the whole chain, and its anchors in AUDIT_ANCHOR_BUCKET")
    where = verify.add_mutually_exclusive_group()
    where.add_argument("--log", default="", metavar="FILE", help="take the anchors from a log of the bot instead")
    where.add_argument("--alone", action="store_true", help="check the chain alone, without anchors")
    deeds.add_parser("export", help="print it as JSON lines, oldest first")
    erase = deeds.add_parser("erase", help="erase one row's payload, or all about a person, for good; the chain holds")
    whose = erase.add_mutually_exclusive_group(required=True)
    whose.add_argument("--seq", type=int, help="the row's number: `seq` in the export, `id` in REST")
    whose.add_argument("--person", default="", metavar="EMAIL", help="everything that is kept about this person")
    hold = deeds.add_parser("hold", help="keep what is about a request or a person from being erased")
    about = hold.add_mutually_exclusive_group(required=True)
    about.add_argument("--request", default="", metavar="ID", help="what is about this request")
    about.add_argument("--person", default="", metavar="EMAIL", help="what is about this person")
    about.add_argument("--everything", action="store_true", help="the whole record")
    release = deeds.add_parser("release", help="lift a legal hold")
    release.add_argument("--hold", required=True, metavar="ID", help="which, as `audit holds` lists it")
    for deed in (erase, hold, release):
        deed.add_argument("--reason", required=True, help="why; kept in the record, with your name on this machine")
    deeds.add_parser("holds", help="list the legal holds that stand")
    deeds.add_parser("key", help="make a key to sign anchors with")


def _add_policy(policy: argparse.ArgumentParser) -> None:
    deeds = policy.add_subparsers(dest="what", required=True, metavar="what")
    check = deeds.add_parser("check", help="hold every policy against the schema; exit status 1 if anything is wrong")
    check.add_argument("folder", nargs="?", type=Path, help="the policies (default: POLICY_DIR)")
    test = deeds.add_parser("test", help="play table tests; exit status 1 if any comes out otherwise")
    test.add_argument("stories", nargs="?", type=Path, help="a file of stories (default: the policies' stories.yml)")
    test.add_argument("--policies", type=Path, help="the policies (default: POLICY_DIR)")
    what_if = deeds.add_parser(
        "what-if", help="decide recorded requests once more by changed policies; exit status 1 if anything differs"
    )
    what_if.add_argument("folder", type=Path, help="the changed policies")
    what_if.add_argument("--days", type=int, default=31, help="how far back (default: 31)")


def _add_lex(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="what", required=True, metavar="what")
    commands.add_parser("export", help="print what people can say as JSON, in Lex V2's shape")
    diff = commands.add_parser("diff", help="print what deploy would change in AWS; exit status 1 if anything")
    deploy = commands.add_parser("deploy", help="make the Lex bot say what the intents say, and point the alias at it")
    rollback = commands.add_parser("rollback", help="point the alias at the version before")
    rollback.add_argument("--to", default="", metavar="VERSION", help="the version to point it at")
    for command in (diff, deploy):
        command.add_argument("--prune", action="store_true", help="delete what the intents no longer have")
    for command in (diff, deploy, rollback):
        command.add_argument("--environment", default="production", help="the alias (default: production)")
        command.add_argument(
            "--name",
            default="Quartermaster",
            help="name of the bot when LEX_BOT_ID is not set (default: Quartermaster)",
        )
    evaluating.add_to(commands)
    misses = commands.add_parser("misses", help="propose utterances, from what was not understood in the last 30 days")
    misses.add_argument("--json", action="store_true", help="print one JSON object a line")
    policy = commands.add_parser("policy", help="print the least IAM policy as JSON")
    policy.add_argument("--for", dest="role", choices=("deployer", "bot"), default="deployer", help="who gets it")
    policy.add_argument("--account", default="*", help="the AWS account of the Lex bot (default: any)")

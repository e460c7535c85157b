"""What pipelines tell: EventBridge rules, the queues and topics they fill, and the commits that are told of."""

import json
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from sandbox.delivery.patterns import BadPattern, matches, read_pattern
from sandbox.server import Sandbox
from tests.sandbox.landing import Aws
from tests.sandbox.members import refusal_of
from tests.sandbox.queues import URL, heard


def test_the_end_of_every_execution_and_every_approval_that_waits_is_in_the_queue(aws: Aws) -> None:
    pipelines, sqs = aws.client("codepipeline"), aws.client("sqs")
    aws.post("pipelines", count=30, prefix="many", failing=0.5, seed=3)
    names = {f"silo-many{number:05d}-pipeline" for number in range(1, 31)}
    begun = {pipelines.start_pipeline_execution(name=name)["pipelineExecutionId"]: name for name in names}
    waiting = pipelines.start_pipeline_execution(name="pool-6-pipeline")["pipelineExecutionId"]
    aws.advance(20)
    events = heard(sqs)
    ended = {e["detail"]["execution-id"]: e for e in events if "Pipeline Execution" in e["detail-type"]}
    assert {identifier: e["detail"]["pipeline"] for identifier, e in ended.items()} == begun
    assert {e["detail"]["state"] for e in ended.values()} == {"SUCCEEDED", "FAILED"}
    told = aws.get("pipelines?prefix=silo-many")
    assert told["newest"] == {"Succeeded": 30 - told["newest"]["Failed"], "Failed": told["newest"]["Failed"]}
    (approval,) = [e for e in events if "Action" in e["detail-type"]]
    assert (approval["detail"]["execution-id"], approval["detail"]["action"]) == (waiting, "Approve")
    assert heard(sqs) == []


def test_the_same_seed_draws_the_same_lengths_and_failures() -> None:
    def play() -> tuple[Any, Any]:
        with Sandbox(speed=0) as sandbox:
            aws = Aws(sandbox.url)
            aws.post("pipelines", count=40, prefix="x", failing=0.3, seed=5, minutes=[3, 5])
            seconds = aws.get("pipelines?prefix=silo-x")["seconds"]
            for name in seconds:
                aws.client("codepipeline").start_pipeline_execution(name=name)
            aws.advance(5)
            newest = aws.get("pipelines?prefix=silo-x")["newest"]
            aws.close()
            return seconds, newest

    first, second = play(), play()
    assert first == second
    assert all(180 <= seconds <= 300 for seconds in first[0].values())
    assert 4 <= first[1]["Failed"] <= 20


def test_a_message_comes_back_unless_it_is_deleted_and_a_long_poll_ends_with_the_first(aws: Aws) -> None:
    sqs = aws.client("sqs")
    url = sqs.create_queue(QueueName="mine", Attributes={"VisibilityTimeout": "600"})["QueueUrl"]
    found: list[Any] = []
    poll = Thread(target=lambda: found.append(sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)["Messages"]))
    poll.start()
    sqs.send_message(QueueUrl=url, MessageBody="hello")
    poll.join(20)
    assert [m["Body"] for m in found[0]] == ["hello"]
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=found[0][0]["ReceiptHandle"], VisibilityTimeout=0)
    (again,) = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20, AttributeNames=["All"])["Messages"]
    assert again["Attributes"]["ApproximateReceiveCount"] == "2"
    sqs.delete_message(QueueUrl=url, ReceiptHandle=found[0][0]["ReceiptHandle"])
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=again["ReceiptHandle"], VisibilityTimeout=0)
    (last,) = sqs.receive_message(QueueUrl=url)["Messages"]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=last["ReceiptHandle"])
    left = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert (left["ApproximateNumberOfMessages"], left["ApproximateNumberOfMessagesNotVisible"]) == ("0", "0")
    many = [{"Id": str(n), "MessageBody": "x"} for n in range(11)]
    assert "TooManyEntries" in refusal_of(sqs.send_message_batch, QueueUrl=url, Entries=many)
    assert "NonExistentQueue" in refusal_of(sqs.receive_message, QueueUrl=url + "x")


def test_a_rule_brings_events_to_a_topic_and_so_to_its_queues(aws: Aws) -> None:
    sqs, sns, events = aws.client("sqs"), aws.client("sns"), aws.client("events")
    url = sqs.create_queue(QueueName="mine")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topic = sns.create_topic(Name="news")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    pattern = {"source": ["corp.shop"], "detail": {"size": [{"numeric": [">", 3]}]}}
    events.put_rule(Name="big", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="big", Targets=[{"Id": "1", "Arn": topic}])
    assert refusal_of(events.delete_rule, Name="big") == "ValidationException"
    assert refusal_of(events.put_rule, Name="bad", EventPattern='{"source": "x"}') == "InvalidEventPatternException"
    entry = {"Source": "corp.shop", "DetailType": "Order", "Detail": '{"size": 3}'}
    answer = events.put_events(Entries=[entry, {**entry, "Detail": '{"size": 4}'}, {**entry, "Source": "aws.x"}])
    assert answer["FailedEntryCount"] == 1
    (told,) = heard(sqs, url)
    assert (told["Type"], json.loads(told["Message"])["detail"]) == ("Notification", {"size": 4})


@pytest.mark.parametrize(
    ("pattern", "is_fit"),
    [
        ({"a": ["x", "y"]}, True),
        ({"a": [{"prefix": "y"}]}, False),
        ({"a": [{"anything-but": ["y"]}], "b": {"c": [1]}}, True),
        ({"b": {"c": [{"numeric": [">=", 1, "<", 2]}]}}, True),
        ({"z": [{"exists": False}]}, True),
        ({"z": [{"anything-but": "q"}]}, False),
        ({"$or": [{"a": ["q"]}, {"b": {"d": [{"suffix": "w"}]}}]}, True),
        ({"l": ["two"]}, True),
        ({"a": [{"wildcard": "*x*"}], "b": {"d": [{"equals-ignore-case": "RAW"}]}}, True),
    ],
)
def test_patterns_fit_as_documented(pattern: dict[str, Any], is_fit: bool) -> None:
    event = {"a": "x", "b": {"c": 1, "d": "raw"}, "l": ["one", "two"]}
    assert matches(read_pattern(json.dumps(pattern)), event) is is_fit


def test_what_is_no_pattern_is_refused() -> None:
    for text in ("", "[]", "{}", '{"a": "x"}', '{"a": [{"like": "x"}]}'):
        with pytest.raises(BadPattern):
            read_pattern(text)


def test_a_pushed_commit_is_what_runs_next_and_tells_its_author(aws: Aws) -> None:
    commits, pipelines = aws.client("codecommit"), aws.client("codepipeline")
    before = commits.get_branch(repositoryName="shop", branchName="main")["branch"]["commitId"]
    tagged = commits.get_folder(repositoryName="shop", commitSpecifier="2.4.0", folderPath="/")["commitId"]
    pushed = aws.post("commits", message="Faster baskets", author="dee@corp.example", version="2.5.0")["commitId"]
    commit = commits.get_commit(repositoryName="shop", commitId=pushed)["commit"]
    assert (commit["parents"], commit["author"]["email"]) == ([before], "dee@corp.example")
    pinned = {"actionName": "Source", "revisionType": "COMMIT_ID", "revisionValue": tagged}
    both = [
        pipelines.start_pipeline_execution(name="pool-1-pipeline")["pipelineExecutionId"],
        pipelines.start_pipeline_execution(name="pool-2-pipeline", sourceRevisions=[pinned])["pipelineExecutionId"],
    ]
    aws.advance(20)
    ran = [
        pipelines.get_pipeline_execution(pipelineName=f"pool-{n}-pipeline", pipelineExecutionId=identifier)
        for n, identifier in enumerate(both, 1)
    ]
    assert [r["pipelineExecution"]["artifactRevisions"][0]["revisionId"] for r in ran] == [pushed, tagged]
    missing = {"repositoryName": "shop", "commitSpecifier": "9.9", "folderPath": "/"}
    assert refusal_of(commits.get_folder, **missing) == "CommitDoesNotExistException"


def test_what_runs_and_what_is_queued_survive_a_restart(tmp_path: Path) -> None:
    state = tmp_path / "state.sqlite"
    with Sandbox(state=state, speed=0) as sandbox:
        aws = Aws(sandbox.url)
        aws.post("pipelines", count=3, prefix="kept")
        name = "silo-kept00002-pipeline"
        execution = aws.client("codepipeline").start_pipeline_execution(name=name)["pipelineExecutionId"]
        aws.client("sqs").send_message(QueueUrl=URL, MessageBody='"before"')
        aws.close()
    with Sandbox(state=state, speed=0) as sandbox:
        aws = Aws(sandbox.url)
        aws.advance(20)
        found = aws.client("codepipeline").get_pipeline_execution(pipelineName=name, pipelineExecutionId=execution)
        assert found["pipelineExecution"]["status"] == "Succeeded"
        first, second = heard(aws.client("sqs"))
        assert (first, second["detail"]["execution-id"]) == ("before", execution)
        aws.post("reset")
        aws.close()
    with Sandbox(state=state, speed=0) as sandbox:
        aws = Aws(sandbox.url)
        assert aws.get("pipelines?prefix=silo-kept")["count"] == 0
        aws.close()

"""A Lambda function for CodePipeline's invoke action: runs a chaos experiment as a stage of a pipeline.

It asks Quartermaster for the run, and then says “go on” (a continuation token) until the run has ended. It reports
the result of the job it was invoked for, and of no other. Nothing but the Lambda runtime is needed.

Environment: QUARTERMASTER_URL; QUARTERMASTER_USER, on whose behalf it asks; QUARTERMASTER_KEY_SECRET, the id of the
secret in Secrets Manager that holds the REST key (or QUARTERMASTER_KEY itself, for trying it out); and for every
environment CHAOS_TEMPLATE_<ENVIRONMENT>, the id of its experiment template. The action's user parameters are JSON:
{"environment": "staging", "expectation": "…", "minutes": 10}, of which the environment alone is needed.
"""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

import boto3

TIMEOUT = 45
"""Seconds that one call to Quartermaster may take."""
ENDED_BADLY = ("failed", "stopped", "rejected", "expired", "cancelled")
MOST_WORDS = 2048
"""Characters that CodePipeline takes as a summary or a reason."""


class ConfigurationError(Exception):
    """The function or its action is set up wrongly; nothing that a second try would cure."""


def handle(event: Mapping[str, Any], context: object = None) -> None:
    """Be invoked by CodePipeline for one job."""
    job = event["CodePipeline.job"]
    pipeline = boto3.client("codepipeline")
    try:
        result = _go_on(job)
    except ConfigurationError as error:
        _fail(pipeline, job["id"], "ConfigurationError", str(error))
    except urllib.error.HTTPError as error:
        if error.code >= 500 and job["data"].get("continuationToken"):
            _continue(
                pipeline, job["id"], job["data"]["continuationToken"], "Quartermaster does not answer; asked again."
            )
        else:
            _fail(pipeline, job["id"], "JobFailed", _detail(error))
    except OSError as error:
        if job["data"].get("continuationToken"):
            _continue(pipeline, job["id"], job["data"]["continuationToken"], f"Quartermaster can't be reached: {error}")
        else:
            _fail(pipeline, job["id"], "JobFailed", f"Quartermaster can't be reached: {error}")
    else:
        _report(pipeline, job["id"], result)


def _go_on(job: Mapping[str, Any]) -> dict[str, Any]:
    """Return how the run stands; start it when this job is the first."""
    if token := job["data"].get("continuationToken"):
        return _call("GET", f"/v1/chaos/runs/{json.loads(token)['run']}")
    configured = job["data"]["actionConfiguration"]["configuration"].get("UserParameters") or "{}"
    try:
        wanted = json.loads(configured)
        environment = str(wanted["environment"])
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationError('The user parameters must be JSON with an "environment".') from error
    name = "CHAOS_TEMPLATE_" + "".join(c if c.isalnum() else "_" for c in environment).upper()
    body = {
        "user": {"email": _setting("QUARTERMASTER_USER")},
        "template": _setting(name),
        "expectation": str(wanted.get("expectation", "")),
        "minutes": int(wanted.get("minutes", 0)),
    }
    # The job's id makes a repeated invocation find the run that the first one began.
    return _call("POST", "/v1/chaos/runs", body, {"Idempotency-Key": f"codepipeline-{job['id']}"})


def _report(pipeline: Any, job: str, run: Mapping[str, Any]) -> None:
    told = f"{run['name']} ({run['id']}): {run['state'].replace('_', ' ')}. {run['text']}".strip()
    if run["state"] == "succeeded":
        details = {"summary": told[:MOST_WORDS], "externalExecutionId": run["id"], "percentComplete": 100}
        pipeline.put_job_success_result(jobId=job, executionDetails=details)
    elif run["state"] in ENDED_BADLY:
        _fail(pipeline, job, "JobFailed", told, run["id"])
    else:
        _continue(pipeline, job, json.dumps({"run": run["id"]}), told)


def _continue(pipeline: Any, job: str, token: str, told: str) -> None:
    details = {"summary": told[:MOST_WORDS], "externalExecutionId": json.loads(token)["run"]}
    pipeline.put_job_success_result(jobId=job, continuationToken=token, executionDetails=details)


def _fail(pipeline: Any, job: str, kind: str, why: str, run: str = "") -> None:
    details = {"type": kind, "message": why[:MOST_WORDS], **({"externalExecutionId": run} if run else {})}
    pipeline.put_job_failure_result(jobId=job, failureDetails=details)


def _call(
    method: str, path: str, body: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
) -> dict[str, Any]:
    url = _setting("QUARTERMASTER_URL").rstrip("/")
    if not url.startswith(("https://", "http://127.0.0.1:")):
        raise ConfigurationError("QUARTERMASTER_URL must be https: the key is sent there.")
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url + path, data=data, method=method)  # noqa: S310 - checked above
    for name, value in {"Content-Type": "application/json", **_authorization(), **(headers or {})}.items():
        request.add_header(name, value)
    with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310 - checked above
        found: dict[str, Any] = json.load(answer)
        return found


def _authorization() -> dict[str, str]:
    if secret := os.environ.get("QUARTERMASTER_KEY_SECRET"):
        key = boto3.client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"]
    else:
        key = os.environ.get("QUARTERMASTER_KEY", "")
    return {"Authorization": f"Bearer {key}"} if key else {}


def _detail(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.load(error)["detail"])
    except (ValueError, KeyError, TypeError):
        return f"Quartermaster answered {error.code}."


def _setting(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise ConfigurationError(f"The environment variable {name} is not set.")
    return value

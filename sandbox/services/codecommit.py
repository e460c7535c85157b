"""AWS CodeCommit, the reading half: where branches and tags point, and who made which commit."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from sandbox.clock import moment
from sandbox.delivery.model import Commit, Repository
from sandbox.errors import AwsError
from sandbox.registry import Context, Parameters, Service, page_of, serve
from sandbox.world import without_nothing

operation = serve(
    Service(
        "codecommit",
        signing_name="codecommit",
        invalid="InvalidRepositoryNameException",
        bad_page="InvalidContinuationTokenException",
    )
)

_COMMIT = re.compile(r"[0-9a-f]{40}")
_MOST = 100


@operation("ListRepositories")
def list_repositories(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The repositories of the caller's account and Region."""
    found = [
        {"repositoryName": r.name, "repositoryId": _id_of(r)}
        for r in context.world.delivery.repositories.values()
        if (r.account_id, r.region) == (context.account, context.region)
    ]
    page, following = page_of(context, parameters, found, cursor="nextToken", size="", default_size=1_000)
    return without_nothing({"repositories": page, "nextToken": following})


@operation("GetRepository")
def get_repository(context: Context, parameters: Parameters) -> dict[str, Any]:
    """A repository by name."""
    repository = _find(context, parameters)
    changed = max(commit.at for commit in repository.commits.values())
    return {
        "repositoryMetadata": {
            "accountId": repository.account_id,
            "repositoryId": _id_of(repository),
            "repositoryName": repository.name,
            "defaultBranch": "main",
            "lastModifiedDate": moment(changed),
            "creationDate": moment(min(commit.at for commit in repository.commits.values())),
            "Arn": f"arn:aws:codecommit:{repository.region}:{repository.account_id}:{repository.name}",
        }
    }


@operation("ListBranches")
def list_branches(context: Context, parameters: Parameters) -> dict[str, Any]:
    """A repository's branches."""
    return {"branches": sorted(_find(context, parameters).branches)}


@operation("GetBranch")
def get_branch(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Which commit a branch is at."""
    repository, name = _find(context, parameters), parameters.get("branchName", "")
    if name not in repository.branches:
        raise AwsError("BranchDoesNotExistException", f"Branch {name} does not exist.")
    return {"branch": {"branchName": name, "commitId": repository.branches[name]}}


@operation("GetCommit")
def get_commit(context: Context, parameters: Parameters) -> dict[str, Any]:
    """A commit by its full id: its author, its message and what came before it."""
    repository, identifier = _find(context, parameters), parameters["commitId"]
    if not _COMMIT.fullmatch(identifier):
        raise AwsError("InvalidCommitIdException", f"{identifier} is not a full commit id.")
    if identifier not in repository.commits:
        raise AwsError("CommitIdDoesNotExistException", f"Commit {identifier} does not exist.")
    return {"commit": _describe(repository.commits[identifier])}


@operation("BatchGetCommits")
def batch_get_commits(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Up to a hundred commits at once."""
    repository, wanted = _find(context, parameters), parameters["commitIds"]
    if len(wanted) > _MOST:
        raise AwsError("CommitIdsLimitExceededException", f"At most {_MOST} commits are read at once.")
    missing = [
        {"commitId": i, "errorCode": "CommitIdDoesNotExistException", "errorMessage": "There is no such commit."}
        for i in wanted
        if i not in repository.commits
    ]
    return {
        "commits": [_describe(repository.commits[i]) for i in wanted if i in repository.commits],
        "errors": missing,
    }


@operation("GetFolder")
def get_folder(context: Context, parameters: Parameters) -> dict[str, Any]:
    """What is in the repository at a branch, a tag (a version) or a commit, which it tells the id of."""
    repository = _find(context, parameters)
    specifier = parameters.get("commitSpecifier", "main")
    name = specifier.removeprefix("refs/heads/").removeprefix("refs/tags/")
    name = "main" if name == "HEAD" else name
    found = repository.tags.get(name) or repository.branches.get(name) or (name if name in repository.commits else None)
    if found is None:
        raise AwsError("CommitDoesNotExistException", f"Nothing is called {specifier} in {repository.name}.")
    if parameters["folderPath"] not in ("", "/"):
        raise AwsError("FolderDoesNotExistException", "The sandbox's repositories have one folder.")
    tree = _digest(f"tree/{found}")
    files = [
        {"blobId": _digest(f"{found}/{file}"), "absolutePath": file, "relativePath": file, "fileMode": "NORMAL"}
        for file in ("buildspec.json", "template.json")
    ]
    return {"commitId": found, "folderPath": "", "treeId": tree, "subFolders": [], "files": files}


def _describe(commit: Commit) -> dict[str, Any]:
    who = {"name": commit.author, "email": commit.email, "date": f"{int(commit.at)} +0000"}
    return {
        "commitId": commit.id,
        "treeId": _digest(f"tree/{commit.id}"),
        "parents": [commit.parent] if commit.parent else [],
        "message": f"{commit.message}\n",
        "author": who,
        "committer": who,
        "additionalData": "",
    }


def _find(context: Context, parameters: Parameters) -> Repository:
    name = parameters.get("repositoryName", "")
    repository = context.world.delivery.repositories.get(f"{context.account}/{context.region}/{name}")
    if repository is None:
        raise AwsError("RepositoryDoesNotExistException", f"{name} does not exist.")
    return repository


def _id_of(repository: Repository) -> str:
    digest = _digest(repository.key)
    return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:32]}"


def _digest(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()

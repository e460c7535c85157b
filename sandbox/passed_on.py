"""The allow list: operations that moto answers well enough to be passed on to it.

Everything that is in no handler of ours and not in here is answered with an error that names it. What moto
remembers lasts as long as the process; state that must survive a restart belongs in a service of ours.
"""

from __future__ import annotations

# signing name -> service -> operations
ALLOWED: dict[str, dict[str, frozenset[str]]] = {
    "ses": {
        "ses": frozenset({"VerifyEmailIdentity", "VerifyDomainIdentity", "ListIdentities", "GetSendQuota"}),
        "sesv2": frozenset({"CreateEmailIdentity", "GetEmailIdentity", "ListEmailIdentities"}),
    },
    "s3": {
        "s3": frozenset(
            {
                "CreateBucket",
                "DeleteObject",
                "GetBucketVersioning",
                "GetObject",
                "GetObjectLockConfiguration",
                "HeadBucket",
                "HeadObject",
                "ListObjectVersions",
                "ListObjectsV2",
                "PutObject",
                "PutObjectLockConfiguration",
            }
        ),
    },
}


def services_passed_on(signing_name: str) -> list[str]:
    """The services under that signing name of which some operations are passed on."""
    return list(ALLOWED.get(signing_name, {}))


def is_passed_on(signing_name: str, service: str, operation: str) -> bool:
    """Whether moto may answer this operation."""
    return operation in ALLOWED.get(signing_name, {}).get(service, frozenset())


def allowed_operations() -> set[tuple[str, str]]:
    """Service and name of every operation that is passed on."""
    return {
        (service, operation)
        for services in ALLOWED.values()
        for service, operations in services.items()
        for operation in operations
    }

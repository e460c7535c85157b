"""What AWS answers is told to people without ARNs, roles and sessions."""

from __future__ import annotations

import pytest

from bot.errors import CloudError, without_arns

ROLE = "arn:aws:sts::111122223333:assumed-role/QuartermasterManagement/qm-7k3m9qxa"
DENIED = (
    f"User: {ROLE} is not authorized to perform: organizations:TagResource on resource: "
    "arn:aws:organizations::111122223333:account/o-c0rp/444466667777 because no identity-based policy allows it"
)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("Rate exceeded", "Rate exceeded"),
        (
            DENIED,
            "the role that I use lacks the permission organizations:TagResource because no identity-based policy "
            "allows it",
        ),
        ("Role arn:aws-us-gov:iam::1:role/a/b+c is missing, see arn:aws:s3:::x.", "Role … is missing, see …"),
        ("The group (arn:aws:sso:::group/1) is “arn:aws:iam::1:group/x”", "The group (…) is “…”"),
        ("", ""),
    ],
)
def test_arns_and_roles_are_left_out_and_the_rest_is_kept(said: str, told: str) -> None:
    assert without_arns(said) == told


def test_a_refusal_names_the_permission_and_an_error_keeps_awss_words() -> None:
    denied = CloudError("AccessDeniedException", DENIED, operation="TagResource")
    assert denied.sentence() == (
        "AWS refused TagResource with AccessDeniedException: the role that I use lacks the permission "
        "organizations:TagResource."
    )
    assert ROLE in denied.detail, "logs and operators get it whole"
    taken = CloudError("EmailAlreadyExists", "The address x@corp.example is in use.", operation="CreateAccount")
    assert taken.sentence().endswith("EmailAlreadyExists: The address x@corp.example is in use.")

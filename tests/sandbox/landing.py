"""A sandbox with clients: what its tests say is what users of AWS would do."""

import json
import urllib.error
import urllib.request
from typing import Any

import boto3
from botocore.config import Config

from sandbox.landing_zone import ACCOUNT_FACTORY_ARTIFACT, ACCOUNT_FACTORY_PRODUCT

# Loading service models takes most of a client's making, so one session makes them all.
_SESSION = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test")


class Aws:
    """Real boto3 clients and the control routes of one sandbox, without retries."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._clients: dict[Any, Any] = {}

    def client(self, service: str, region: str = "us-east-1", **credentials: str) -> Any:
        key = (service, region, tuple(credentials.values()))
        if key not in self._clients:
            config = Config(retries={"max_attempts": 0}, connect_timeout=5, read_timeout=20)
            self._clients[key] = _SESSION.client(
                service, region_name=region, endpoint_url=self.url, config=config, **credentials
            )
        return self._clients[key]

    def close(self) -> None:
        for client in self._clients.values():
            client.close()

    def get(self, route: str) -> Any:
        return self.ask("GET", route)[1]

    def post(self, route: str, **body: Any) -> Any:
        status, answer = self.ask("POST", route, body)
        assert status == 200, answer
        return answer

    def ask(self, method: str, route: str, body: Any = None) -> tuple[int, Any]:
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_sandbox/{route}", data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=20) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def advance(self, minutes: float) -> None:
        self.post("clock", advance=minutes * 60)

    def order(self, name: str = "team-x", **changes: Any) -> Any:
        """Order an account as Account Factory wants it, and return the record's detail."""
        answer = self.client("servicecatalog").provision_product(**order_of(name, **changes))
        return answer["RecordDetail"]

    def record(self, record_id: str) -> Any:
        return self.client("servicecatalog").describe_record(Id=record_id)["RecordDetail"]

    def product(self, name: str) -> Any:
        answer = self.client("servicecatalog").describe_provisioned_product(Name=name)
        return answer["ProvisionedProductDetail"]

    def account_called(self, name: str) -> Any:
        pages = self.client("organizations").get_paginator("list_accounts").paginate()
        found = [account for page in pages for account in page["Accounts"] if account["Name"] == name]
        return found[0] if found else None


def order_of(name: str, **changes: Any) -> dict[str, Any]:
    """ProvisionProduct's parameters for an account of that name; `values` replaces some of Account Factory's."""
    values = {
        "SSOUserEmail": "ana@corp.example",
        "SSOUserFirstName": "Ana",
        "SSOUserLastName": "Ana",
        "AccountEmail": f"{name}@corp.example",
        "AccountName": name,
        "ManagedOrganizationalUnit": "Demos",
        **changes.pop("values", {}),
    }
    return {
        "ProductId": ACCOUNT_FACTORY_PRODUCT,
        "ProvisioningArtifactId": ACCOUNT_FACTORY_ARTIFACT,
        "ProvisionedProductName": name,
        "ProvisionToken": f"token-{name}",
        "ProvisioningParameters": [{"Key": k, "Value": v} for k, v in values.items() if v is not None],
        **changes,
    }

"""Keys of a role, from STS: for a token that a cluster gives, or for other keys.

Source: section 7.6 of the vendor's facts. Tokens go into the body: an address may be
logged on its way.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import urlencode

from relay.cloudmonitor.credentials import Credentials, CredentialsUnavailable, Provider
from relay.cloudmonitor.exchange import Endpoint, rpc_request
from relay.credentials.asking import Asker
from relay.credentials.fixes import sts_fix
from relay.credentials.texts import credentials_of
from relay.credentials.uri import FIELDS

__all__ = ["DURATION_SECONDS", "OidcRole", "Role", "Sts", "SwitchedRole"]

VERSION: Final = "2015-04-01"
DURATION_SECONDS: Final = 3600
TOKEN_BYTES_MAX: Final = 64 * 1024
MOUNT_FIX: Final = (
    "mount the service account's token there, readable for the relay, as"
    " ack-pod-identity-webhook does"
)


class Role(NamedTuple):
    """Which role is taken, and under which name it shows in the account's audit log."""

    arn: str
    session: str = "cms-relay"
    seconds: int = DURATION_SECONDS
    external_id: str = ""
    policy: str = ""

    @property
    def parameters(self) -> dict[str, str]:
        """As STS calls them."""
        given = {
            "RoleArn": self.arn,
            "RoleSessionName": self.session,
            "DurationSeconds": str(self.seconds),
            "ExternalId": self.external_id,
            "Policy": self.policy,
        }
        return {name: text for name, text in given.items() if text}


class Sts(NamedTuple):
    """Where it is, and how it is asked; ``wall`` gives Unix seconds."""

    endpoint: Endpoint
    wall: Callable[[], float]
    nonce: Callable[[], str]
    proxies: bool = True


class OidcRole:
    """Each ``fetch`` reads the token's file and takes the role with it.

    Kubernetes writes the file anew long before its token ends.
    """

    def __init__(
        self, sts: Sts, role: Role, provider_arn: str, token_file: Path
    ) -> None:
        self._sts, self._role = sts, role
        self._provider_arn, self._token_file = provider_arn, token_file
        self._source = f"OIDC role {role.arn}"
        self._asker = Asker(self._source, sts_fix, proxies=sts.proxies)

    def fetch(self) -> Credentials:
        """Raises CredentialsUnavailable."""
        now = datetime.fromtimestamp(self._sts.wall(), UTC)
        common = {
            "Action": "AssumeRoleWithOIDC",
            "Format": "JSON",
            "Version": VERSION,
            "Timestamp": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "SignatureNonce": self._sts.nonce(),
        }
        form = self._role.parameters | {
            "OIDCProviderArn": self._provider_arn,
            "OIDCToken": self._token(),
        }
        form.pop("ExternalId", None)
        answer = self._asker.fields(
            f"{self._sts.endpoint.url}?{urlencode(common)}",
            method="POST",
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            body=urlencode(form).encode(),
        )
        return _keys_in(answer, self._source)

    def _token(self) -> str:
        path = self._token_file
        try:
            with path.open("rb") as file:
                text = file.read(TOKEN_BYTES_MAX).decode("ascii").strip()
        except OSError as error:
            why = error.strerror or type(error).__name__
            raise self._asker.unavailable(f"{path}: {why}", MOUNT_FIX) from None
        except UnicodeDecodeError:
            raise self._asker.unavailable(f"{path}: not a token", MOUNT_FIX) from None
        if not text:
            raise self._asker.unavailable(f"{path}: empty", MOUNT_FIX)
        return text


class SwitchedRole:
    """Each ``fetch`` takes the role with the keys that ``base`` has then."""

    def __init__(self, sts: Sts, role: Role, base: Provider) -> None:
        self._sts, self._role, self._base = sts, role, base
        self._source = f"RAM role {role.arn}"
        self._asker = Asker(self._source, sts_fix, proxies=sts.proxies)

    def fetch(self) -> Credentials:
        """Raises CredentialsUnavailable."""
        request = rpc_request(
            "AssumeRole",
            self._role.parameters,
            endpoint=self._sts.endpoint,
            credentials=self._base.get(),
            now=self._sts.wall(),
            nonce=self._sts.nonce(),
            signature="v1",
            version=VERSION,
        )
        # The library writes a Host of its own, the same one.
        headers = {name: text for name, text in request.headers if name != "host"}
        answer = self._asker.fields(
            request.url, method=request.method, headers=headers, body=request.body
        )
        return _keys_in(answer, self._source)


def _keys_in(answer: Mapping[str, object], source: str) -> Credentials:
    found = answer.get("Credentials")
    if not isinstance(found, dict):
        raise CredentialsUnavailable(f"{source}: it does not give any")
    return credentials_of(found, FIELDS, source)

"""The role of the instance we run on, asked of its metadata service.

Source: section 7.5 of the vendor's facts (IMDSv2). Never through a proxy. Off ECS nobody
answers at the address, so that there is little time for it.
"""

import re
from typing import Final

from relay.cloudmonitor.credentials import Credentials, CredentialsUnavailable
from relay.credentials.asking import Asker
from relay.credentials.fixes import metadata_fix
from relay.credentials.texts import credentials_of
from relay.credentials.uri import FIELDS

__all__ = ["METADATA_URL", "InstanceRole"]

METADATA_URL: Final = "http://100.100.100.200"

SOURCE: Final = "instance role"
SECONDS: Final = 2.0

_TOKEN_PATH: Final = "/latest/api/token"  # noqa: S105 - a path
_ROLES_PATH: Final = "/latest/meta-data/ram/security-credentials/"
_LIFE: Final = {"X-aliyun-ecs-metadata-token-ttl-seconds": "21600"}
_TOKEN_HEADER: Final = "X-aliyun-ecs-metadata-token"  # noqa: S105 - a name
_NAME: Final = re.compile(r"[\w.@-]{1,64}", re.ASCII)


class InstanceRole:
    """Each ``fetch`` asks anew: for a token, the role's name unless it is known, its keys.

    ``token_only`` refuses an old service, which gives keys to whoever can make the
    machine ask for an address.
    """

    def __init__(
        self, role: str = "", *, url: str = METADATA_URL, token_only: bool = False
    ) -> None:
        self._role, self._url, self._token_only = role, url, token_only
        self._asker = Asker(SOURCE, metadata_fix, seconds=SECONDS)

    def fetch(self) -> Credentials:
        """Raises CredentialsUnavailable."""
        headers = self._token()
        roles = f"{self._url}{_ROLES_PATH}"
        role = self._role or self._asker.text(roles, headers=headers).strip()
        if not _NAME.fullmatch(role):
            raise self._asker.unavailable(
                "the instance has no role, or one with a strange name",
                "name it with ALIBABA_CLOUD_ECS_METADATA",
            )
        found = self._asker.fields(f"{roles}{role}", headers=headers)
        return credentials_of(found, FIELDS, f"{SOURCE} {role}")

    def _token(self) -> dict[str, str]:
        """The header that the other questions carry; none where the service is old."""
        try:
            token = self._asker.text(
                f"{self._url}{_TOKEN_PATH}", method="PUT", headers=_LIFE
            ).strip()
        except CredentialsUnavailable:
            if self._token_only:
                raise
            return {}
        if not (token.isascii() and token.isprintable()):
            raise self._asker.unavailable("its token is no word")
        return {_TOKEN_HEADER: token}
